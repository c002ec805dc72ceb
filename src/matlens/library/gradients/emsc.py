"""Extended multiplicative signal correction (EMSC): removal of a factor and a smooth background from each spectrum."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = ["emsc"]

Array = NDArray[np.float64]
# docs/decisions/0036-spectral-gradients-that-data-support.md
_DEGREE = 4  # of the background polynomial; lower if there are fewer than 100 channels per degree
_WIDEST = 10.0  # greatest factor, and inverse of the least, that an instrument can plausibly cause


def emsc(spectra: ArrayLike, expected: ArrayLike) -> tuple[Array, Array]:
    """Correct each spectrum for a factor and a smooth background relative to the expected spectrum.

    Extended multiplicative signal correction (Martens and Stark, J. Pharm. Biomed. Anal. 9, 625, 1991), with the
    spectrum expected for each composition instead of one mean spectrum.

    Parameters
    ----------
    spectra : array_like, shape (n, C)
        Recorded spectra.
    expected : array_like, shape (n, C)
        Spectra predicted from composition.

    Returns
    -------
    corrected : ndarray, shape (n, C)
        Corrected spectra, on the scale of the expected ones.
    scale : ndarray, shape (n,)
        Factors that were removed; 1 if the expected spectrum is only a background.

    Examples
    --------
    >>> band = np.exp(-((np.arange(120.0) - 40) ** 2) / 20)[None]
    >>> even, scale = emsc(3 * band + 0.5 + 0.01 * np.arange(120), band)
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
