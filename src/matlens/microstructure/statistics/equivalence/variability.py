"""Window-to-window variability, and the verdict it allows.

Two windows of one material differ. R = median d(result, window) / median d(window, window') says how much further the
result is from the material's windows than these are from each other.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from matlens.errors import InputError
from matlens.microstructure.statistics.equivalence.curves import MEASURES, Curves
from matlens.microstructure.statistics.transport.properties import check_properties, property_distances, too_large
from matlens.microstructure.structure import Microstructure

__all__ = ["MARGIN", "MIN_WINDOWS", "Variability", "joint_verdict", "verdict"]

# docs/decisions/0019-verdict-of-equivalence.md
MARGIN = 1.25  # fixed beforehand, never fitted
MIN_WINDOWS = 8
LEVEL = 0.05  # of each tail: a 90 % interval
DRAWS = 2000
TOO_CLOSE = 0.75  # an upper limit below this is closer than two windows of the material are

Array = NDArray[np.float64]


class Variability:
    """Compare results with the windows of a material, and these with each other.

    The distances between the windows are computed once for any number of results.

    Parameters
    ----------
    windows : sequence of Microstructure or Curves
        Non-overlapping windows of one size, two or more.
    properties : sequence of {"conductivity", "stiffness"}
        Apparent properties to judge too; windows of more than 65536 cells are judged without them.

    Raises
    ------
    InputError
        If there are fewer than two windows, or a property is unknown.

    Examples
    --------
    >>> from matlens.microstructure.problems import gaussian_field
    >>> material = gaussian_field((96, 96), 4.0, 0.4, seed=0)
    >>> windows = Variability(list(material.tiles((32, 32))))
    >>> table = windows.ratios([gaussian_field((32, 32), 4.0, 0.4, seed=1)])
    >>> len(table), table.columns.tolist()
    (8, ['statistic', 'd_result', 'd_windows', 'R', 'low', 'high', 'low_joint', 'verdict', 'too_close', 'n_windows'])
    """

    def __init__(
        self, windows: Sequence[Microstructure | Curves], *, properties: Sequence[str] = ("conductivity",)
    ) -> None:
        check_properties(properties)
        if len(windows) < 2:
            raise InputError(f"found {len(windows)} window(s) where two or more are needed to see how windows differ.")
        self.windows = [Curves.wrap(window) for window in windows]
        self.properties = () if too_large(self.windows[0].microstructure.shape) else tuple(properties)
        self.between = self._distances(self.windows)
        for matrix in self.between.values():
            np.fill_diagonal(matrix, np.nan)  # a window is no neighbour of itself, nor of its own copy in a resample

    def ratios(self, results: Sequence[Microstructure | Curves], *, seed: int = 0) -> pd.DataFrame:
        """Compute R of every statistic with its 90 % bootstrap interval and verdict.

        Parameters
        ----------
        results : sequence of Microstructure or Curves
            Realisations (or their sub-windows) of the windows' size.
        seed : int
            Seed of the bootstrap: windows and results are drawn with replacement, 2000 times.

        Returns
        -------
        DataFrame
            One row a statistic: ``d_result`` and ``d_windows`` (the two medians), ``R``, ``low``, ``high``,
            ``low_joint`` (lower limit after Bonferroni's correction for the number of statistics), ``verdict``,
            ``too_close``, ``n_windows``.
        """
        curves = [Curves.wrap(result) for result in results]
        apart = self._distances(curves)
        rng = np.random.default_rng(seed)
        n_windows, n_results = len(self.windows), len(curves)
        draws = (rng.integers(n_results, size=(DRAWS, n_results)), rng.integers(n_windows, size=(DRAWS, n_windows)))
        rows = []
        for name, matrix in apart.items():
            numerator, denominator = (_median(d.reshape(1, -1))[0] for d in (matrix, self.between[name]))
            sample = _resampled(matrix, *draws) / _positive(_resampled(self.between[name], draws[1], draws[1]))
            ratio = numerator / _positive(denominator)
            low_joint, low, high = _quantiles(sample, (LEVEL / len(apart), LEVEL, 1 - LEVEL))
            decided = verdict(low, high, n_windows)
            close = bool(high < TOO_CLOSE and n_windows >= MIN_WINDOWS)
            rows.append((name, numerator, denominator, float(ratio), low, high, low_joint, decided, close, n_windows))
        names = (
            "statistic",
            "d_result",
            "d_windows",
            "R",
            "low",
            "high",
            "low_joint",
            "verdict",
            "too_close",
            "n_windows",
        )
        return pd.DataFrame(rows, columns=list(names))

    def _distances(self, results: Sequence[Curves]) -> Mapping[str, Array]:
        """All errors of results against the windows, shape (results, windows) each."""
        shapes = {name: np.array([[d(a, b) for b in self.windows] for a in results]) for name, d in MEASURES.items()}
        effects = {f"{name}_error": property_distances(results, self.windows, name) for name in self.properties}
        return shapes | effects


def verdict(low: float, high: float, n_windows: int) -> str:
    """Judge one statistic by its interval: "equivalent", "different" or "undecided".

    Parameters
    ----------
    low, high : float
        Limits of the 90 % interval of R.
    n_windows : int
        Windows it rests on; with fewer than 8 nothing is decided.

    Returns
    -------
    str
        "equivalent" if ``high`` is below 1.25, "different" if ``low`` is above. Undecided is not equivalent.

    Examples
    --------
    >>> verdict(0.9, 1.1, 16), verdict(0.9, 1.1, 4), verdict(1.4, 2.0, 16), verdict(1.0, 1.4, 16)
    ('equivalent', 'undecided', 'different', 'undecided')
    """
    if n_windows < MIN_WINDOWS:
        return "undecided"
    if high < MARGIN:
        return "equivalent"
    return "different" if low > MARGIN else "undecided"


def joint_verdict(ratios: pd.DataFrame) -> str:
    """Judge all statistics together.

    Parameters
    ----------
    ratios : DataFrame
        As `Variability.ratios` returns it, for one size of windows.

    Returns
    -------
    str
        "equivalent" if every statistic is (needs no correction), "different" if at least one lower limit is above 1.25
        after Bonferroni's correction for the number of statistics, else "undecided".

    Examples
    --------
    >>> table = pd.DataFrame({"verdict": ["equivalent", "different"], "low_joint": [0.8, 1.3], "n_windows": [16, 16]})
    >>> joint_verdict(table)
    'different'
    """
    if ratios.empty or ratios["n_windows"].min() < MIN_WINDOWS:
        return "undecided"
    if (ratios["verdict"] == "equivalent").all():
        return "equivalent"
    return "different" if (ratios["low_joint"] > MARGIN).any() else "undecided"


def _resampled(matrix: Array, rows: NDArray[np.intp], columns: NDArray[np.intp]) -> Array:
    """Medians of resampled matrices, shape (draws,)."""
    return _median(matrix[rows[:, :, None], columns[:, None, :]].reshape(len(rows), -1))


def _median(values: Array) -> Array:
    """Median along the last axis of what is not NaN; NaN where nothing is."""
    ordered = np.sort(values, axis=-1)  # NaN last
    count = (~np.isnan(ordered)).sum(axis=-1)
    upper = np.minimum(count // 2, values.shape[-1] - 1)
    lower = np.maximum((count - 1) // 2, 0)
    pick = np.take_along_axis(ordered, np.stack([lower, upper], axis=-1), axis=-1)
    return np.where(count > 0, pick.mean(axis=-1), np.nan)


def _positive(values: Array | float) -> Array:
    """Replace zeros by NaN: windows that do not differ at all allow no ratio."""
    array = np.asarray(values, dtype=np.float64)
    return np.where(array > 0, array, np.nan)


def _quantiles(sample: Array, levels: Sequence[float]) -> tuple[float, ...]:
    known = sample[~np.isnan(sample)]
    if known.size == 0:
        return tuple(float("nan") for _ in levels)
    return tuple(float(q) for q in np.quantile(known, levels))
