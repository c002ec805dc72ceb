"""What an instrument does to a whole spectrum: a factor, and a smooth background."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = ["levelled"]

Array = NDArray[np.float64]
# docs/decisions/0036-spectral-gradients-that-data-support.md
_DEGREE = 4  # of the background; lower where there are fewer than 100 channels a degree
_WIDEST = 10.0  # factors beyond it, or below its inverse, are no gain of an instrument


def levelled(spectra: ArrayLike, expected: ArrayLike) -> tuple[Array, Array]:
    """Take off each spectrum's own factor and background, against what is expected of it.

    Parameters
    ----------
    spectra : array_like, shape (n, C)
        As they were recorded.
    expected : array_like, shape (n, C)
        What composition predicts.

    Returns
    -------
    levelled : ndarray, shape (n, C)
        The expected spectrum and what deviates from it other than by a factor and a smooth background.
    scale : ndarray, shape (n,)
        The factors; 1 where the expected spectrum is but a background.

    Notes
    -----
    Extended multiplicative signal correction (Martens and Stark, J. Pharm. Biomed. Anal. 9, 625, 1991), with the
    expectation for each sample's composition in place of one mean spectrum.

    Examples
    --------
    >>> band = np.exp(-((np.arange(120.0) - 40) ** 2) / 20)[None]
    >>> even, scale = levelled(3 * band + 0.5 + 0.01 * np.arange(120), band)
    >>> scale.round(6).tolist(), bool(np.allclose(even, band))
    ([3.0], True)
    """
    recorded, target = np.asarray(spectra, np.float64), np.asarray(expected, np.float64)
    channels = target.shape[1]
    place = np.linspace(-1, 1, channels)
    smooth = np.linalg.qr(np.vander(place, 1 + min(_DEGREE, channels // 100)))[0]

    def sharp(values: Array) -> Array:
        result: Array = values - (values @ smooth) @ smooth.T
        return result

    bands, found = sharp(target), sharp(recorded)
    power = (bands**2).sum(1)
    known = power > 1e-12 * max(float((target**2).sum(1).max()), 1e-300)
    scale = np.where(known, (found * bands).sum(1) / np.where(known, power, 1), 1.0)
    scale = np.clip(scale, 1 / _WIDEST, _WIDEST)
    return target + found / scale[:, None] - bands, scale
