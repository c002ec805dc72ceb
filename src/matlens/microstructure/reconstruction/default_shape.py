"""The size of a reconstruction where none is asked for: large enough for the material, small enough for a minute."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from matlens.microstructure.statistics import correlation_length_radial
from matlens.microstructure.structure import Microstructure

__all__ = ["default_shape", "longest_correlation_length"]

MOST = 256  # pixels on a side: about ten seconds of one processor
FEWEST = 128  # pixels on a side, although a fine structure would need less
LENGTHS = 12  # correlation lengths on a side: windows of so many differ little from one another
MULTIPLE = 32  # pixels: the poolings of every encoder and the coarser levels then divide the size


def default_shape(exemplars: Sequence[Microstructure]) -> tuple[int, ...]:
    """Choose the size of a reconstruction: that of the window that shows the material.

    Parameters
    ----------
    exemplars : sequence of Microstructure
        Micrographs of one material; the size of the first one is the largest that is chosen.

    Returns
    -------
    tuple of int
        Pixels along each axis: twelve correlation lengths of the phase that has the longest, at least 128 pixels, at
        most 256, and at most the side of the first micrograph.

    Examples
    --------
    >>> from matlens.microstructure.problems import gaussian_field
    >>> [default_shape([gaussian_field((400, 100), length, 0.4, seed=0)]) for length in (4.0, 12.0)]
    [(128, 100), (192, 100)]
    """
    length = longest_correlation_length(exemplars)
    wanted = MOST if np.isnan(length) else LENGTHS * length  # a structure without such a length is a coarse one
    side = min(MOST, max(FEWEST, int(np.ceil(wanted / MULTIPLE)) * MULTIPLE))
    return tuple(min(side, whole) for whole in exemplars[0].shape)


def longest_correlation_length(exemplars: Sequence[Microstructure]) -> float:
    """Return the longest correlation length of all phases and exemplars.

    Parameters
    ----------
    exemplars : sequence of Microstructure
        Micrographs of one material.

    Returns
    -------
    float
        Length in pixels; NaN where no correlation decays within its micrograph.

    Examples
    --------
    >>> from matlens.microstructure.problems import laminate
    >>> longest_correlation_length([laminate((64, 64), 16)])
    6.0
    """
    lengths = np.concatenate([correlation_length_radial(exemplar) for exemplar in exemplars])
    known = lengths[np.isfinite(lengths)]
    return float(known.max()) if known.size else float("nan")
