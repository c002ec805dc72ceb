"""Examples to begin with: three micrographs and a volume, which are made without a network."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

from matlens.microstructure.problems import fields, packings, photographs
from matlens.microstructure.structure import Microstructure

__all__ = ["EXAMPLES", "bicontinuous", "gravel", "particles", "porous"]

_SIDE = 256  # pixels: 16 windows of 64 pixels, enough for a verdict


def gravel() -> Microstructure:
    """Return a part of a photograph of gravel, segmented.

    Returns
    -------
    Microstructure
        256 x 256 pixels, phases ``gap`` and ``stone``, not periodic.

    Notes
    -----
    The photograph is installed with scikit-image: van der Walt et al., PeerJ 2, e453 (2014). The whole of it is
    `matlens.microstructure.problems.gravel`.

    Examples
    --------
    >>> import matlens as ml
    >>> ml.examples.gravel()
    Microstructure(256 x 256, 2 phases, 1 px)
    """
    return photographs.gravel().crop(slice(0, _SIDE), slice(0, _SIDE))


def bicontinuous() -> Microstructure:
    """Make a spinodal-like structure, whose two phases are both connected.

    Returns
    -------
    Microstructure
        256 x 256 pixels, half of them of either phase, not periodic.

    Notes
    -----
    Cahn, J. Chem. Phys. 42, 93 (1965). Other sizes and wavelengths: `matlens.microstructure.problems.bicontinuous`.

    Examples
    --------
    >>> import matlens as ml
    >>> ml.examples.bicontinuous().volume_fractions
    array([0.5, 0.5])
    """
    return fields.bicontinuous((_SIDE, _SIDE), seed=0, periodic=False)


def particles() -> Microstructure:
    """Make a composite: round particles of different sizes in a matrix.

    Returns
    -------
    Microstructure
        256 x 256 pixels of 0.5 um, phases ``matrix`` and ``particles``, 35 % of the latter, not periodic. The
        particles have a mean diameter of about 10 um and do not overlap.

    Notes
    -----
    Other sizes, fractions and distances: `matlens.microstructure.problems.particles`.

    Examples
    --------
    >>> import matlens as ml
    >>> structure = ml.examples.particles()
    >>> structure, structure.phase_names
    (Microstructure(256 x 256, 2 phases, 0.5 um), ('matrix', 'particles'))
    """
    made = packings.particles((_SIDE, _SIDE), diameter=20, gap=2, fraction=0.35, seed=0, periodic=False)
    return Microstructure(made.labels, 0.5, "um", made.phase_names)


def porous() -> Microstructure:
    """Make a volume of a porous solid: a random field, cut at a level.

    Returns
    -------
    Microstructure
        96 x 96 x 96 voxels of 0.5 um, phases ``solid`` and ``pore``, 40 % of the latter, periodic.

    Notes
    -----
    Quiblier, J. Colloid Interface Sci. 98, 84 (1984). Other sizes: `matlens.microstructure.problems.gaussian_field`.

    Examples
    --------
    >>> import matlens as ml
    >>> ml.examples.porous()
    Microstructure(96 x 96 x 96, 2 phases, 0.5 um, periodic)
    """
    made = fields.gaussian_field((96, 96, 96), 4.0, 0.4, seed=0)
    return Microstructure(made.labels, 0.5, "um", ("solid", "pore"), periodic=True)


EXAMPLES: Mapping[str, Callable[[], Microstructure]] = MappingProxyType(
    {"gravel": gravel, "bicontinuous": bicontinuous, "particles": particles, "porous": porous}
)
"""The functions by name, as inputs ``problem:NAME`` of a run give it."""
