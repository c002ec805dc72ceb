"""The few conclusions of an explanation, each with what it would take to reverse its sign."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import NDArray

from matlens.library.evidence.flips import Flip, flip_loss
from matlens.library.evidence.verdict import SUPPORTED, UNSUPPORTED
from matlens.library.gradients.summaries import enough_support

__all__ = ["conclusions", "flip_of", "samples_of"]

Array = NDArray[np.float64]
# docs/decisions/0057-what-would-change-a-conclusion.md
_MOST = 5
_HALF = 0.5  # docs/decisions/0045-standard-errors-of-gradients.md
_FIRM = 2.0  # loss from which a sign holds; that of two standard errors
_COLUMNS = ["about", "subject", "sentence", "status", "reason", "effect", "error", "unit", "flip", "flip_mixture",
            "firm", "rival"]  # fmt: skip


def conclusions(insight: xr.Dataset, said: pd.DataFrame, *, most: int = _MOST) -> pd.DataFrame:
    """Choose the strongest statements on components and bands, and compute what would reverse each.

    A statement that is not supported, for example because a Gaussian process on composition disagrees or the model
    fails in regions left out, stands behind all that are; unsupported ones are left out.

    Parameters
    ----------
    insight : Dataset
        Gradients from `explain_library`; those of a mixture hold the gradients of each of its models.
    said : DataFrame
        Statements from `statements`.
    most : int
        Number of conclusions.

    Returns
    -------
    DataFrame
        Columns of ``said``, where ``error`` also counts half of what a Gaussian process on composition alone differs
        by, with ``flip`` (least loss of held-out log-likelihood at which the sign changes, see `flip_loss`),
        ``flip_mixture`` (the same if only the weights of the models change; infinite if no mixture reverses the sign),
        ``firm`` (whether ``flip`` exceeds 2) and ``rival`` (the rival explanation in words). The supported ones stand
        first, of each kind those with the largest loss.

    Examples
    --------
    >>> dims = ("scheme", "kind", "sample", "component")
    >>> data = xr.Dataset({"composition_gradient": (dims, np.full((1, 1, 4, 1), 3.0))},
    ...                   {"scheme": ["dilution"], "kind": ["total"], "component": ["W"]})
    >>> row = {"about": "composition", "subject": "W", "region": "all samples", "status": "supported", "effect": 3.0}
    >>> said = pd.DataFrame([row | {"sentence": "More W raises P.", "reason": "", "error": 1.0, "unit": "mW per at%"}])
    >>> conclusions(data, said)[["subject", "flip", "firm"]].values.tolist()
    [['W', 4.5, True]]
    """
    kept = said[
        said["about"].isin(["composition", "peak"])
        & (said["region"] == "all samples")
        & (said["status"] != UNSUPPORTED)
        & np.isfinite(said["effect"].astype(float))
    ]
    rows = []
    for row in kept.to_dict("records"):
        row["error"] = _error(insight, row)
        flip = flip_of(insight, row["about"], row["subject"], float(row["effect"]), row["error"])
        more = {"flip": flip.loss, "flip_mixture": flip.mixture_loss, "firm": flip.loss > _FIRM}
        rows.append(row | more | {"rival": _rival(insight, flip)})
    found = pd.DataFrame(rows, columns=_COLUMNS)
    order = np.lexsort([-found["flip"].to_numpy(float), found["status"].ne(SUPPORTED).to_numpy()])
    return found.iloc[order[:most]].reset_index(drop=True)


def flip_of(insight: xr.Dataset, about: str, subject: str, effect: float, error: float) -> Flip:
    """Compute what it takes to reverse the sign of a mean effect over samples.

    Parameters
    ----------
    insight : Dataset
        Gradients from `explain_library`.
    about : {"composition", "peak"}
        Whether it is the effect of a component (dilution, total) or of a change of a band.
    subject : str
        Name of the component, or of the change.
    effect, error : float
        The effect, a mean or median over samples, and its standard error.

    Returns
    -------
    Flip
        Loss of held-out log-likelihood, and the rival explanation.

    Examples
    --------
    >>> dims = ("scheme", "kind", "sample", "component")
    >>> data = xr.Dataset({"composition_gradient": (dims, np.full((1, 1, 4, 1), 3.0))},
    ...                   {"scheme": ["dilution"], "kind": ["total"], "component": ["W"]})
    >>> flip_of(data, "composition", "W", 3.0, 1.0).loss
    4.5
    """
    name = f"{about}_gradient_by_part"
    if name not in insight:
        return flip_loss([effect], error, [[1.0]], 1)
    values = samples_of(insight, name, about, subject)
    # medians of parts do not add up to that of the mixture; means do, and stand where both are of about one size
    mixed = samples_of(insight, f"{about}_gradient", about, subject)
    middle = np.nanmedian if abs(effect - np.nanmean(mixed)) > abs(effect - np.nanmedian(mixed)) else np.nanmean
    each = np.array([middle(part) for part in values])
    moments = insight["held_out_moments"].to_numpy()
    flip = flip_loss(each, error, moments, int(insight.attrs["held_out_compositions"]))
    if float(np.dot(flip.fitted, each)) * effect <= 0:  # the models that predict best say otherwise already
        return Flip(0.0, 0.0, flip.fitted, flip.fitted, 0.0)
    return flip


def samples_of(insight: xr.Dataset, name: str, about: str, subject: str) -> Array:
    """Return the gradients of all samples with data along the direction, in the last dimension.

    Parameters
    ----------
    insight : Dataset
        Gradients from `explain_library`.
    name : str
        Name of the variable.
    about : {"composition", "peak"}
        Whether it is the effect of a component (dilution, total) or of a change of a band.
    subject : str
        Name of the component, or of the change.

    Returns
    -------
    ndarray, shape (..., n)
        Gradients; NaN without data.

    Examples
    --------
    >>> dims = ("scheme", "kind", "sample", "component")
    >>> data = xr.Dataset({"composition_gradient": (dims, np.full((1, 1, 4, 1), 3.0))},
    ...                   {"scheme": ["dilution"], "kind": ["total"], "component": ["W"]})
    >>> samples_of(data, "composition_gradient", "composition", "W").tolist()
    [3.0, 3.0, 3.0, 3.0]
    """
    if about == "peak":
        found = insight[name].sel(peak=subject)
    else:
        enough = enough_support(insight, "composition_gradient", 1)
        found = insight[name].sel(scheme="dilution", kind="total").where(enough).sel(component=subject)
    return np.asarray(found.transpose(..., "sample").to_numpy(), np.float64)


def _error(insight: xr.Dataset, row: dict[Any, Any]) -> float:
    """Standard error of a mean effect, with half of what that of composition alone differs by."""
    error = float(row["error"])
    if row["about"] != "composition" or "composition_only_gradient" not in insight:
        return error
    total = insight["composition_gradient"].sel(scheme="dilution", kind="total")
    apart = (total - insight["composition_only_gradient"].sel(scheme="dilution")).where(
        enough_support(insight, "composition_gradient", 1)
    )
    mean = float(apart.sel(component=row["subject"]).mean())
    return float(np.hypot(error, np.nan_to_num(_HALF * mean)))


def _rival(insight: xr.Dataset, flip: Flip) -> str:
    """The rival explanation in words."""
    names = [str(name) for name in insight["part"].values] if "part" in insight.coords else []
    if len(names) < 2:
        return "the error of the effect itself"
    if not flip.reversible:
        return "no mixture of these models reverses it; only their own errors do"
    gained = [name for name, now, then in zip(names, flip.flipped, flip.fitted) if now > then + 0.05]
    if not gained:
        return "the error of the effect itself"
    return f"more weight for {' and '.join(gained)}"
