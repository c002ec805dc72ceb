"""The size of a reconstruction where none is asked for: large enough for the material, small enough for a minute."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from matlens.microstructure.statistics import covariance_reach
from matlens.microstructure.structure import Microstructure

__all__ = ["default_shape", "longest_reach"]

MOST = 256  # pixels on a side: about ten seconds of one processor
FEWEST = 128  # pixels on a side, although a fine structure would need less
REACHES = 12  # reaches of the covariance on a side: windows of so many differ little from one another
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
        Pixels along each axis: twelve times the longest `covariance_reach` of a phase, at least 128 pixels, at
        most 256, and at most the side of the first micrograph.

    Examples
    --------
    >>> from matlens.microstructure.problems import gaussian_field
    >>> [default_shape([gaussian_field((400, 100), length, 0.4, seed=0)]) for length in (4.0, 12.0)]
    [(128, 100), (192, 100)]
    """
    length = longest_reach(exemplars)
    wanted = MOST if np.isnan(length) else REACHES * length  # a structure without such a length is a coarse one
    side = min(MOST, max(FEWEST, int(np.ceil(wanted / MULTIPLE)) * MULTIPLE))
    return tuple(min(side, whole) for whole in exemplars[0].shape)


def longest_reach(exemplars: Sequence[Microstructure]) -> float:
    """Return the longest reach of the covariance of all phases and exemplars.

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
    >>> longest_reach([laminate((64, 64), 16)])
    6.0
    """
    lengths = np.concatenate([covariance_reach(exemplar) for exemplar in exemplars])
    known = lengths[np.isfinite(lengths)]
    return float(known.max()) if known.size else float("nan")
