"""Agreement of sensitivity maps with solved flips, for each structure."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.stats import rankdata

__all__ = ["score_flips", "summarise_scores"]

Array = NDArray[np.float64]
_MAPS = ("gradient", "difference", "linearised", "phase")
_DRAWS = 2000


def score_flips(flips: pd.DataFrame) -> pd.DataFrame:
    """Correlate maps with solved flips within each structure.

    Parameters
    ----------
    flips : DataFrame
        Table `SensitivityStudy.flips`.

    Returns
    -------
    DataFrame
        One row per structure, ``moves`` and ``map``. Moves: ``0 to 1`` and ``1 to 0`` (within a phase), ``both`` (all
        flips, as the change due to phase 1), ``swap`` (one pixel of each phase, at equal volume fraction). Maps:
        ``gradient``, ``difference``, ``linearised``, and ``phase``, a map that is constant in each phase. ``pearson``
        and ``spearman`` are correlations; ``ratio`` is the mean solved change over that of the map (not for swaps,
        whose mean is nearly zero); ``right_way`` is the share of changes with the sign of the map. A constant map has
        no correlation, NaN.

    Examples
    --------
    >>> changes = {name: [1.0, 2.0, 4.0] for name in ("truth", "gradient", "difference", "linearised")}
    >>> flips = pd.DataFrame({"structure": "a", "move": "0 to 1", **changes, "place": [0, 1, 2]})
    >>> scores = score_flips(flips.assign(linearised=[8.0, 4.0, 2.0]))
    >>> scores.loc[scores["moves"] == "0 to 1", ["map", "pearson", "spearman"]].round(2).to_numpy().tolist()
    [['gradient', 1.0, 1.0], ['difference', 1.0, 1.0], ['linearised', -0.93, -1.0], ['phase', nan, nan]]
    """
    rows = []
    single = flips["move"] != "swap"
    sign = np.where(flips["move"] == "1 to 0", -1.0, 1.0)
    phase = np.where(single, (flips["move"] == "0 to 1").astype(float), 0.0)
    signed = flips.assign(phase=phase, **{name: flips[name] * sign for name in ("truth", *_MAPS[:3])})
    for structure, part in signed.groupby("structure", sort=False):
        for moves in ("0 to 1", "1 to 0", "both", "swap"):
            chosen = part[part["move"] != "swap"] if moves == "both" else part[part["move"] == moves]
            if chosen.empty:
                continue
            truth = chosen["truth"].to_numpy(np.float64)
            for name in _MAPS:
                found = _agreement(truth, chosen[name].to_numpy(np.float64), moves)
                if name == "phase":  # its two constants may be chosen
                    found |= {"ratio": np.nan, "right_way": np.nan}
                rows.append({"structure": structure, "moves": moves, "map": name, **found})
    return pd.DataFrame(rows)


def summarise_scores(scores: pd.DataFrame, *, coverage: float = 0.9, seed: int = 0) -> pd.DataFrame:
    """Average scores over structures, with bootstrap intervals over structures.

    Parameters
    ----------
    scores : DataFrame
        Result of `score_flips`.
    coverage : float
        Coverage of the intervals.
    seed : int
        Seed of the bootstrap.

    Returns
    -------
    DataFrame
        One row per ``moves`` and ``map``: ``structures`` with a correlation, means ``pearson`` and ``spearman`` with
        ``_low`` and ``_high``, the median ``ratio``, and the mean ``right_way``. For the map that is constant per
        phase, absolute values of correlations are averaged, as its two constants may be chosen.

    Examples
    --------
    >>> row = {"structure": "a", "moves": "swap", "map": "gradient", "ratio": 1.0, "right_way": 1.0}
    >>> row |= {"pearson": 0.5, "spearman": 0.4}
    >>> found = summarise_scores(pd.DataFrame([row, {**row, "structure": "b", "pearson": 0.7}]))
    >>> found[["pearson", "pearson_low", "pearson_high"]].round(2).to_numpy().tolist()
    [[0.6, 0.5, 0.7]]
    """
    random = np.random.default_rng(seed)
    rows = []
    for (moves, name), part in scores.groupby(["moves", "map"], sort=False):
        row = {"moves": moves, "map": name, "structures": int(part["pearson"].notna().sum())}
        for kind in ("pearson", "spearman"):
            values = part[kind].dropna().to_numpy(np.float64)
            values = np.abs(values) if name == "phase" else values
            row |= dict(zip((kind, f"{kind}_low", f"{kind}_high"), _mean(values, coverage, random)))
        rows.append({**row, "ratio": float(part["ratio"].median()), "right_way": float(part["right_way"].mean())})
    return pd.DataFrame(rows)


def _agreement(truth: Array, found: Array, kind: str) -> dict[str, float]:
    mean = float(found.mean())
    # Differences as small as rounding are none: a model of the volume fraction predicts zero for every swap.
    flat = len(truth) < 3 or min(np.ptp(found), np.ptp(truth)) <= 1e-9 * max(np.abs(found).max(), np.abs(truth).max())
    return {
        "pearson": np.nan if flat else float(np.corrcoef(truth, found)[0, 1]),
        "spearman": np.nan if flat else float(np.corrcoef(rankdata(truth), rankdata(found))[0, 1]),
        "ratio": float(truth.mean()) / mean if kind != "swap" and mean else np.nan,
        "right_way": float((np.sign(truth) == np.sign(found)).mean()),
    }


def _mean(values: Array, coverage: float, random: np.random.Generator) -> tuple[float, float, float]:
    if not values.size:
        return (float("nan"),) * 3
    means = values[random.integers(values.size, size=(_DRAWS, values.size))].mean(1)
    low, high = np.quantile(means, [(1 - coverage) / 2, (1 + coverage) / 2])
    return float(values.mean()), float(low), float(high)
