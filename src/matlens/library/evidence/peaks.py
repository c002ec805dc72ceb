"""What the model says of bands of the spectrum: their shifts, widths, areas and splittings, in numbers and in words."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import NDArray
from scipy.stats import norm

from matlens.core.numbers import shown
from matlens.library.evidence.verdict import LEVEL, SAME_SIGN, WEAK_LEVEL, Row, Verdict
from matlens.library.gradients import error_factor

__all__ = ["peak_statements", "peak_table"]

Array = NDArray[np.float64]
_NORMAL = 1.645  # half-width of a 90 % interval, in standard deviations
_SAID = {  # of a change that goes with a higher figure of merit, upwards and downwards
    "shift": ("A shift of {bands} to larger {axis}", "A shift of {bands} to smaller {axis}"),
    "width": ("A wider band at {place}", "A narrower band at {place}"),
    "area": ("A stronger band at {place}", "A weaker band at {place}"),
    "splitting": ("A larger {place} splitting", "A smaller {place} splitting"),
}


def peak_table(insight: xr.Dataset) -> pd.DataFrame:
    """List the gradients with respect to bands of the spectrum, averaged over samples.

    Parameters
    ----------
    insight : Dataset
        Gradients from `explain_library`, of a model of spectra.

    Returns
    -------
    DataFrame
        One row per change of a band, in the order of the axis: ``peak`` (its name), ``what`` ("shift", "width", "area"
        or "splitting"), ``value`` (mean over samples of the position, width, area or splitting), ``value_error``
        (standard error of a single fit), ``between`` (standard deviation of samples), ``value_unit``, ``gradient``
        (mean), ``error`` (of the mean: the posterior error of the samples' gradients, and the spread of models),
        ``low`` and ``high`` (90 % interval), ``unit``, ``median``, ``same_sign`` (share of samples with the sign of the
        mean), ``p`` (family-wise over changes with support), ``support`` (2, 1 or 0), ``reliability``, ``goes_with``
        and ``correlation`` (the change that this one goes with most at held composition); empty without bands.

    Examples
    --------
    >>> data = xr.Dataset(
    ...     {"peak_gradient": (("sample", "peak"), [[-0.2], [-0.4]]), "peak_support": ("peak", [2]),
    ...      "peak_gradient_error": (("sample", "peak"), [[0.01], [0.01]]),
    ...      "peak_value": (("sample", "peak"), [[40.0], [38.0]]),
    ...      "peak_value_error": (("sample", "peak"), [[1.0], [1.0]]),
    ...      "peak_reliability": ("peak", [0.9]), "peak_correlation": ("peak", [0.0])},
    ...     {"peak": ["splitting 325/365"], "peak_what": ("peak", ["splitting"]), "peak_with": ("peak", [""]),
    ...      "peak_unit": ("peak", ["mW per cm-1"]), "peak_value_unit": ("peak", ["cm-1"])})
    >>> peak_table(data)[["peak", "value", "gradient", "error", "p"]].round(3).values.tolist()
    [['splitting 325/365', 39.0, -0.3, 0.01, 0.0]]
    """
    if "peak_gradient" not in insight:
        return pd.DataFrame(columns=["peak", "what", "gradient", "error", "p", "support"])
    gradient = insight["peak_gradient"].transpose("sample", "peak").to_numpy()
    mean, error = gradient.mean(0), _errors(insight)
    support = insight["peak_support"].to_numpy()
    with np.errstate(invalid="ignore", divide="ignore"):
        p = np.minimum(1, 2 * norm.sf(np.abs(mean) / error) * max(int((support > 0).sum()), 1))
    value = insight["peak_value"]
    return pd.DataFrame(
        {
            "peak": insight["peak"].to_numpy().astype(str),
            "what": insight["peak_what"].to_numpy().astype(str),
            "value": value.mean("sample").to_numpy(),
            "value_error": insight["peak_value_error"].mean("sample").to_numpy(),
            "between": value.std("sample").to_numpy(),
            "value_unit": insight["peak_value_unit"].to_numpy().astype(str),
            "gradient": mean,
            "error": error,
            "low": mean - _NORMAL * error,
            "high": mean + _NORMAL * error,
            "unit": insight["peak_unit"].to_numpy().astype(str),
            "median": np.median(gradient, axis=0),
            "same_sign": (np.sign(gradient) == np.sign(mean)).mean(0),
            "p": p,
            "support": support,
            "reliability": insight["peak_reliability"].to_numpy(),
            "goes_with": insight["peak_with"].to_numpy().astype(str),
            "correlation": insight["peak_correlation"].to_numpy(),
        }
    )


def _errors(insight: xr.Dataset) -> Array:
    """Standard errors of the means over samples, (Q,); that of the posterior is a bound, as samples share errors."""
    times = float(np.nan_to_num(error_factor(insight), nan=1.0))
    if "peak_gradient_members" not in insight:
        name = "peak_gradient_error" if "peak_gradient_error" in insight else "peak_gradient_spread"
        found: Array = insight[name].mean("sample").to_numpy()
        return found
    means = insight["peak_gradient_members"].mean("sample")
    own = times**2 * means.var("model", ddof=1)
    if "peak_gradient_error" in insight:
        posterior = (insight["peak_gradient_error"] ** 2 - insight["peak_gradient_spread"] ** 2).clip(min=0) ** 0.5
        own = own + posterior.mean("sample") ** 2
    return np.asarray(np.sqrt(own.to_numpy()))


def peak_statements(insight: xr.Dataset, common: Verdict) -> Iterator[Row]:
    """Write a statement on each change of a band.

    Parameters
    ----------
    insight : Dataset
        Gradients from `explain_library`.
    common : Verdict
        Criteria that hold for all of them.

    Yields
    ------
    dict
        A row of `statements`.
    """
    partial = int(insight["kind_support"].isel(kind=0)) if "kind_support" in insight else 2
    about = insight["axis"].attrs if "axis" in insight.coords else {}
    for row in peak_table(insight).to_dict("records"):
        verdict = common.copy()
        support, p = int(row["support"]), float(row["p"])
        verdict.graded(support == 2, support == 1, _support_words(row))
        if insight.attrs.get("uses_composition", 1):
            words = ("cannot be separated", "can hardly be separated", "can be separated")[partial]
            verdict.graded(partial == 2, partial == 1, f"effects of composition and spectrum {words}")
        known = (
            f"family-wise p over the changes of bands is {p:.2g}" if np.isfinite(p) else "no standard error is known"
        )
        verdict.graded(p <= LEVEL, p <= WEAK_LEVEL, known)
        same = float(row["same_sign"])
        verdict.want(same >= SAME_SIGN, f"the sign is the same in {100 * same:.0f} % of the samples")
        count = insight.sizes["sample"]
        yield {
            "about": "peak", "subject": row["peak"], "region": "all samples",
            "sentence": _sentence(row, str(insight.attrs.get("target", "the figure of merit")), about, count, support),
            "effect": row["gradient"], "error": row["error"], "unit": row["unit"], "p": p,
            # sizes of different units compare by what samples that differ usually make of them
            "share": abs(float(row["gradient"])) * float(row["between"]),
        } | verdict.conclude()  # fmt: skip


def _support_words(row: dict[Any, Any]) -> str:
    if row["reliability"] < 0.8 and (row["support"] < 2):
        words = f"{100 * row['reliability']:.0f} % of its variance at held composition is not noise"
        return words if row["support"] or row["reliability"] >= 0.3 else f"it does not vary: {words}"
    if row["support"] < 2:
        other = f"{row['goes_with']} (r = {row['correlation']:.2f})"
        return f"it goes with the {other}, so that their effects cannot be separated"
    return "it varies at held composition, beyond noise and by itself"


def _sentence(row: dict[Any, Any], target: str, about: dict[Any, Any], count: int, support: int) -> str:
    place = str(row["peak"]).split(" ", 1)[1]
    unit = f" {about['units']}" if about.get("units", "1") != "1" else ""
    if not support:
        return f"The effect of the {row['what']} at {place}{unit} on {target} is unknown."
    words = {
        "place": place + ("" if row["what"] == "splitting" else unit),
        "bands": f"the {'bands' if '/' in place else 'band'} at {place}{unit}",
        "axis": about.get("long_name", "values of the axis"),
    }
    said = _SAID[str(row["what"])][row["gradient"] < 0].format(**words)
    error = f" ± {shown(float(row['error']), 2)}" if np.isfinite(row["error"]) else ""
    size = f"{shown(abs(float(row['gradient'])))}{error} {row['unit']}"
    return f"{said} goes with higher {target}, composition held: {size} (mean of {count} samples)."
