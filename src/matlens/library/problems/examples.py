"""Examples to begin with: two libraries, which are made without a network."""

from __future__ import annotations

from matlens.library.problems.blends import blend as known_blend
from matlens.library.problems.known import KnownLibrary
from matlens.library.problems.photoanodes import photoanode as known_photoanode
from matlens.library.table import MaterialsLibrary

__all__ = ["blend", "example_photoanode", "photoanode"]


def photoanode() -> MaterialsLibrary:
    """Make a library of photoanodes: compositions, Raman spectra and power.

    Returns
    -------
    MaterialsLibrary
        150 samples of Bi, V and five alloying elements, 1015 channels of Raman shift, and the power ``P`` in mW/cm2.

    Notes
    -----
    The columns and the layout are those of Umehara et al., npj Comput. Mater. 5, 34 (2019); the law is our own. Other
    sizes, and the truth about them: `matlens.library.problems.photoanode`.

    Examples
    --------
    >>> import matlens as ml
    >>> ml.examples.photoanode()
    MaterialsLibrary(150 samples, Bi-V-W-Dy-Gd-Mo-Tb, P in mW/cm2, 1015 channels 78.025 to 1339.9 cm-1)
    """
    return example_photoanode().library


def blend() -> MaterialsLibrary:
    """Make a library of a polymer with four dopants, and the conductivity, without spectra.

    Returns
    -------
    MaterialsLibrary
        120 samples of P3HT, D1, D2, D6 and D8, and the ``conductivity`` in S/cm, which spans decades.

    Notes
    -----
    Other sizes, and the truth about them: `matlens.library.problems.blend`.

    Examples
    --------
    >>> import matlens as ml
    >>> ml.examples.blend()
    MaterialsLibrary(120 samples, P3HT-D1-D2-D6-D8, conductivity in S/cm, no spectra)
    """
    return known_blend(120, seed=0).library


def example_photoanode(seed: int = 0) -> KnownLibrary:
    """Make the library of the example and of ``matlens library demo``, with its truth.

    Parameters
    ----------
    seed : int
        Seed of the law, the layout and the noise; that of the example is 0.

    Returns
    -------
    KnownLibrary
        150 samples: so few that a model of them is trained in less than a minute.

    Examples
    --------
    >>> len(example_photoanode().truth.merit)
    150
    """
    return known_photoanode(150, seed=seed)
