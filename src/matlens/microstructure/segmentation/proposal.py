"""The proposal for a grey picture whose user gave no threshold, and the notice of uneven light."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from matlens.microstructure.io import Image
from matlens.microstructure.segmentation.background import background
from matlens.microstructure.segmentation.cleanup import found_thresholds
from matlens.microstructure.segmentation.options import CleaningOptions
from matlens.microstructure.structure import distinct_values

__all__ = ["proposed", "uneven_light"]

_SAMPLES = 60_000  # pixels that are looked at for noise and light
_DRIFT = 0.35  # of the background over the picture, in units of the distance between the phases
_GAIN = 0.03  # of the share of variance that the phases explain, by which flattening has to win
_NOISY = 0.02  # share of pixels that a median filter moves to another phase


def proposed(image: Image, options: CleaningOptions, valid: NDArray[np.bool_] | None = None) -> CleaningOptions:
    """Complete the options of a grey picture without a threshold: Otsu's, and against uneven light and noise.

    Parameters
    ----------
    image : Image
        Grey values, framed: without a data bar.
    options : CleaningOptions
        What the user gave, which is kept.
    valid : ndarray of bool, optional
        Pixels to look at; by default all.

    Returns
    -------
    CleaningOptions
        The options with a threshold, and where they help with a flattening and a median filter of 3 pixels.

    Examples
    --------
    >>> grey = np.random.default_rng(0).normal(100, 5, (64, 64)); grey[16:48, 16:48] += 60
    >>> proposed(Image(grey), CleaningOptions()).settings()
    {'threshold': 'otsu'}
    """
    from scipy.ndimage import median_filter

    classes = len(options.phase_names) or 2
    grey = image.values.astype(np.float32)
    valid = np.ones(grey.shape, dtype=bool) if valid is None else valid
    found = replace(options, threshold="otsu" if classes == 2 else f"multiotsu:{classes}")
    if options.flatten is None and uneven_light(grey, valid, classes) is not None:
        found = replace(found, flatten="polynomial")
    if options.median == 0:
        side = int(_SAMPLES ** (1 / grey.ndim))
        part = grey[tuple(slice((n - min(n, side)) // 2, (n + min(n, side)) // 2) for n in grey.shape)]
        levels = found_thresholds(part, classes) if distinct_values(part).size >= classes else ()
        moved = np.digitize(part, levels) != np.digitize(median_filter(part, 3, mode="nearest"), levels)
        if moved.mean() > _NOISY:
            found = replace(found, median=3)
    return found


def uneven_light(grey: NDArray[Any], valid: NDArray[np.bool_], classes: int) -> tuple[float, ...] | None:
    """Notice that the light drifts over a picture so far that one threshold cannot hold for all of it.

    Parameters
    ----------
    grey : ndarray of float
        Shape (y, x) or (z, y, x).
    valid : ndarray of bool
        Pixels to use, same shape.
    classes : int
        Number of phases.

    Returns
    -------
    tuple of float or None
        Volume fraction of each phase with the background taken out; None where the light is even enough.

    Examples
    --------
    >>> board = np.kron(np.indices((8, 8)).sum(0) % 2, np.ones((8, 8))) * 20 + 100
    >>> everywhere = np.ones(board.shape, bool)
    >>> uneven_light(board, everywhere, 2) is None, uneven_light(board * np.linspace(0.5, 1.5, 64), everywhere, 2)
    (True, (0.5, 0.5))
    """
    step = max(1, round((grey.size / _SAMPLES) ** (1 / grey.ndim)))
    thin = (slice(None, None, step),) * grey.ndim
    sample, known = np.asarray(grey[thin], dtype=np.float32), valid[thin]
    if min(sample.shape[-2:]) < 16 or known.sum() < 1000:
        return None
    shade = background(sample, known, "polynomial", 2)
    flat = sample / shade * float(np.median(shade[known])) if shade.min() > 0 else sample - shade
    before, _ = _explained(sample[known], classes)
    after, fractions = _explained(flat[known], classes)
    low, high = np.quantile(shade[known], (0.02, 0.98))
    contrast = _contrast(flat[known])
    uneven = contrast > 0 and (high - low) > _DRIFT * contrast and after > before + _GAIN
    return fractions if uneven else None


def _explained(grey: NDArray[Any], classes: int) -> tuple[float, tuple[float, ...]]:
    """Share of the variance that is between the phases of automatic thresholds, and their fractions."""
    if distinct_values(grey).size < classes:
        return 0.0, ()
    labels = np.digitize(grey, found_thresholds(grey, classes), right=True)
    counts = np.bincount(labels, minlength=classes)
    sums = np.bincount(labels, grey, minlength=classes)
    means = sums / np.maximum(counts, 1)
    between = float((counts * (means - grey.mean()) ** 2).sum())
    total = float(((grey - grey.mean()) ** 2).sum())
    return between / total if total else 0.0, tuple(float(share) for share in counts / counts.sum())


def _contrast(grey: NDArray[Any]) -> float:
    """Distance between the means of the pixels below and above Otsu's threshold."""
    if distinct_values(grey).size < 2:
        return 0.0
    (level,) = found_thresholds(grey, 2)
    return float(grey[grey > level].mean() - grey[grey <= level].mean())
