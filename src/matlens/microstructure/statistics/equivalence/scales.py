"""At which distances a result differs from a material: R of each curve in bands of distance."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from matlens.microstructure.statistics.equivalence.curves import Curves
from matlens.microstructure.structure import Microstructure

__all__ = ["distance_bands", "scale_ratios"]

Array = NDArray[np.float64]


def distance_bands(shape: Sequence[int]) -> list[tuple[int, int]]:
    """Divide the distances that windows of a shape can resolve into octaves.

    Parameters
    ----------
    shape : sequence of int
        Pixels of a window along each axis.

    Returns
    -------
    list of (int, int)
        First and last offset of each band, in pixels.

    Examples
    --------
    >>> distance_bands((64, 64))
    [(1, 2), (3, 4), (5, 8), (9, 16), (17, 31)]
    """
    reach = (min(shape) - 1) // 2
    bands, first, last = [], 1, 2
    while first <= reach:
        bands.append((first, min(last, reach)))
        first, last = last + 1, 2 * last
    return bands


def scale_ratios(
    results: Sequence[Microstructure | Curves], windows: Sequence[Microstructure | Curves]
) -> pd.DataFrame:
    """Compare results with a material's windows, and these with each other, distance by distance.

    Parameters
    ----------
    results, windows : sequence of Microstructure or Curves
        All of one size; two windows at least.

    Returns
    -------
    DataFrame
        One row a curve and band: ``curve`` ("two-point", "lineal path", "cluster"), ``from_px``, ``to_px``,
        ``d_result`` (median over results and windows of the mean absolute difference in the band), ``d_windows`` (the
        same between windows) and ``R``, their ratio; NaN where the windows do not differ, as beyond the longest chord.

    Examples
    --------
    >>> from matlens.microstructure.problems import gaussian_field, white_noise
    >>> windows = list(gaussian_field((96, 96), 4.0, 0.4, seed=0).tiles((32, 32)))
    >>> table = scale_ratios([white_noise((32, 32), (0.6, 0.4))], windows)
    >>> bool(table["R"][0] > 5), bool(table["R"][3] < 2)  # noise lacks the short distances
    (True, True)
    """
    found, others = [Curves.wrap(m) for m in results], [Curves.wrap(m) for m in windows]
    bands = distance_bands(others[0].microstructure.shape)
    apart = np.array([[_differences(a, b, bands) for b in others] for a in found])
    pairs = [(i, j) for i in range(len(others)) for j in range(i)]
    between = np.array([_differences(others[i], others[j], bands) for i, j in pairs])
    rows = []
    for index, curve in enumerate(_curves(others[0])):
        for place, (first, last) in enumerate(bands):
            far, near = _median(apart[:, :, index, place]), _median(between[:, index, place])
            rows.append((curve, first, last, far, near, far / near if near > 0 else float("nan")))
    return pd.DataFrame(rows, columns=["curve", "from_px", "to_px", "d_result", "d_windows", "R"])


def _curves(c: Curves) -> dict[str, Array]:
    """Curves over offsets: phase x direction x offset."""
    return {"two-point": c.covariance, "lineal path": c.lineal_path, "cluster": c.cluster[:, None]}


def _differences(a: Curves, b: Curves, bands: Sequence[tuple[int, int]]) -> Array:
    """Mean absolute difference of each curve in each band, shape (curves, bands)."""
    rows = []
    for mine, theirs in zip(_curves(a).values(), _curves(b).values()):
        difference = np.abs(mine - theirs)
        rows.append([_mean(difference[..., first : last + 1]) for first, last in bands])
    return np.array(rows)


def _mean(values: Array) -> float:
    known = values[~np.isnan(values)]
    return float(known.mean()) if known.size else float("nan")


def _median(values: Array) -> float:
    known = values[~np.isnan(values)]
    return float(np.median(known)) if known.size else float("nan")
