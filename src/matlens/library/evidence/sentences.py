"""Statements about a library in words, each with a verdict (supported, weak or unsupported) and its reason."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import NDArray
from scipy.stats import norm

from matlens.core.numbers import shown
from matlens.library.evidence.family import bootstrap_family
from matlens.library.evidence.groups import ComponentGroups
from matlens.library.evidence.peaks import peak_statements
from matlens.library.evidence.verdict import LEVEL, SAME_SIGN, UNSUPPORTED, WEAK_LEVEL, Row, Verdict
from matlens.library.gradients import average_regions, error_factor, merit_regions
from matlens.library.gradients.summaries import enough_support, member_means

__all__ = ["statements"]

_COLUMNS = ["about", "subject", "region", "sentence", "status", "reason", "effect", "error", "unit", "p"]
_COVERED = 0.5  # least share of samples with full support
_STABLE = 0.75  # clusters below this are not stable (Hennig, Comput. Stat. Data Anal. 52, 258, 2007)
_FEWEST = 3
_COST = {
    "dilution": "at the expense of all others",
    "exchange": "in place of {host}",
    "tangent": "at the expense of all that are present, in equal amounts",
}
_COST_ON_SITES = {  # where the fractions of each of several sites sum to 1 by themselves
    "dilution": "at the expense of all others on its site",
    "tangent": "at the expense of all that are present on its site, in equal amounts",
}
_KIND = {"partial": "spectrum held fixed", "total": "spectrum allowed to change"}
_ORDER = ("composition", "peak", "band", "group")
_TIMES = 5.0  # between mean and median, or model and Gaussian process, from which neither stands for the other
Mask = NDArray[np.bool_]


def statements(
    insight: xr.Dataset,
    *,
    checks: pd.DataFrame | None = None,
    groups: ComponentGroups | None = None,
    bands: pd.DataFrame | None = None,
    regions: Mapping[str, Mask] | None = None,
    scheme: str = "dilution",
    kind: str = "total",
    held_out: float | None = None,
    beyond: float | None = None,
) -> pd.DataFrame:
    """Write statements about gradients in words and judge how far each can be trusted.

    A statement is supported if no criterion fails, weak if one fails in part, and unsupported if the data do not cover
    it, its effect is not significant or a sanity check fails badly. The reason lists the criteria that failed, or else
    those that were met.

    Parameters
    ----------
    insight : Dataset
        Gradients from `explain_library`.
    checks : DataFrame, optional
        Sanity checks from `check_insight`; without them the statements do not depend on any.
    groups : ComponentGroups, optional
        Groups from `component_groups`.
    bands : DataFrame, optional
        Bands from `spectral_bands`.
    regions : mapping of str to array of bool, shape (n,), optional
        Samples to average over; by default all, and those with the best tenth of the figure of merit.
    scheme : {"dilution", "exchange", "tangent"}
        Compensation scheme of the composition gradients.
    kind : {"partial", "total"}
        Whether spectra are held constant or follow the composition.
    held_out : float, optional
        R squared of the model on held-out compositions; if it is not positive no statement is supported.
    beyond : float, optional
        R squared of the model on regions of composition left out; if it is not positive a statement is weak at best.

    Returns
    -------
    DataFrame
        One row per statement, for each kind the largest effect first: ``about`` ("composition", "peak", "band" or
        "group"), ``subject``, ``region``, ``sentence``,
        ``status`` ("supported", "weak" or "unsupported"), ``reason``, ``effect`` and its standard ``error`` (see
        `error_factor`) in ``unit``, and ``p`` (family-wise).

    Examples
    --------
    >>> dims = ("scheme", "kind", "sample", "component")
    >>> members = np.random.default_rng(0).normal([[2.0, 0.0]], 0.1, size=(30, 1, 1, 8, 2))
    >>> data = xr.Dataset({"composition_gradient_members": (("model", *dims), members),
    ...                    "composition_gradient": (dims, members.mean(0)),
    ...                    "support": (("sample", "component"), np.full((8, 2), 2))},
    ...                   {"scheme": ["dilution"], "kind": ["total"], "component": ["W", "Mo"]},
    ...                   {"target": "P", "unit": "mW/cm2", "fraction_name": "at%", "resample": "bootstrap"})
    >>> found = statements(data)
    >>> found[["subject", "status"]].to_numpy().tolist()
    [['W', 'supported'], ['Mo', 'unsupported']]
    >>> print(found.sentence[0])
    More W at the expense of all others raises P by 1.99 ± 0.045 (standard error) mW/cm2 per at% (mean of 8 samples; ...
    """
    common = Verdict()
    if held_out is not None:
        common.need(held_out > 0, f"R2 on held-out compositions is {held_out:.2f}")
    if beyond is not None:
        common.want(beyond > 0, f"R2 on regions of composition left out is {beyond:.2f}")
    chosen = dict(regions) if regions is not None else _default_regions(insight)
    rows = list(_composition(insight, chosen, scheme, kind, common.with_checks(checks, "composition")))
    if groups is not None:
        rows += _groups(groups, insight, common.with_checks(checks, "composition"))
    if bands is not None:
        rows += _bands(bands, insight, common.with_checks(checks, "spectrum"))
    if "peak_gradient" in insight:
        rows += peak_statements(insight, common.with_checks(checks, "spectrum"))
    rows.sort(key=lambda row: (_ORDER.index(str(row["about"])), -_size(row)))
    return pd.DataFrame(rows, columns=_COLUMNS)


def _size(row: Row) -> float:
    """Size of an effect, of a band its share of the gradient of the whole axis; below all where it is not known."""
    size = abs(float(row.get("share", row["effect"])))  # type: ignore[arg-type]
    return size if np.isfinite(size) else -1.0


def _default_regions(insight: xr.Dataset) -> dict[str, Mask]:
    found = {"all samples": np.ones(insight.sizes["sample"], bool)}
    return found | (merit_regions(insight) if "merit" in insight else {})


def _composition(
    insight: xr.Dataset, regions: Mapping[str, Mask], scheme: str, kind: str, common: Verdict
) -> Iterator[Row]:
    part = insight.sel(scheme=[scheme], kind=[kind])
    means = average_regions(part, regions).isel(scheme=0, kind=0)
    chances = _chances(part, means, regions)
    names = [str(name) for name in insight["component"].values]
    held = f"; {_KIND.get(kind, kind)}" if insight.attrs.get("uses_spectrum", 1) else ""  # there is no spectrum
    for place, (region, mask) in enumerate(regions.items()):
        for column, name in enumerate(names):
            mean = means.isel(region=place, component=column)
            if not np.isfinite(float(mean["composition_gradient"])):
                yield _without_data(name, region)
                continue
            verdict = common.copy()
            p = float(chances[place, column])
            verdict.graded(p <= LEVEL, p <= WEAK_LEVEL, _chance_words(p))
            if not np.isfinite(error_factor(insight)):
                verdict.want(
                    False, "all members were trained on the same data, so that they differ by random numbers alone"
                )
            own = part.isel(sample=np.flatnonzero(mask), component=column)
            _judge_support(verdict, own, float(mean["composition_gradient"]))
            median = _judge_size(verdict, own, float(mean["composition_gradient"]))
            costs = _COST | _COST_ON_SITES if "site" in insight else _COST
            cost = costs.get(scheme, scheme).format(host=_host(insight, name))
            yield (_composition_row(insight, mean, name, region, cost, held, p, median) | verdict.conclude())


def _chances(part: xr.Dataset, means: xr.Dataset, regions: Mapping[str, Mask]) -> NDArray[np.float64]:
    """Family-wise p of the mean in each region and for each component; NaN where no standard error is known."""
    shape = (len(regions), part.sizes["component"])
    if "composition_gradient_members" not in part:
        return _normal_chances(means, shape)
    enough = enough_support(part, "composition_gradient", 1)
    rows = [np.flatnonzero(mask) for mask in regions.values()]
    averages = [member_means(part, "composition_gradient", enough, some).isel(scheme=0, kind=0) for some in rows]
    profiles = [average.transpose("model", "component").to_numpy() for average in averages]
    with np.errstate(invalid="ignore", divide="ignore"):
        # the error of the means may count more than the members' spread, as that of the total gradient does
        t = means["composition_gradient"].to_numpy() / _error_of_sign(means)
    found = bootstrap_family(np.concatenate(profiles, axis=1)).chance(t).reshape(shape)
    if "composition_gradient_silent" not in means:
        return found
    silent = means["composition_gradient_silent"].transpose("region", "component").to_numpy()
    chances: NDArray[np.float64] = np.where(silent, _normal_chances(means, shape), found)
    return chances


def _normal_chances(means: xr.Dataset, shape: tuple[int, int]) -> NDArray[np.float64]:
    """Family-wise p by the samples' mean standard error, a bound on that of their mean, and Bonferroni's correction."""
    if "composition_gradient_error" not in means:
        return np.full(shape, np.nan)
    with np.errstate(invalid="ignore", divide="ignore"):
        t = np.abs(means["composition_gradient"].to_numpy() / _error_of_sign(means))
    p: NDArray[np.float64] = np.minimum(1, 2 * norm.sf(t) * t.size)
    return p


def _error_of_sign(means: xr.Dataset) -> NDArray[np.float64]:
    """Standard error of the means without that at edges, where data give the sign of a slope but not its size."""
    error = means["composition_gradient_error"].to_numpy()
    edge = means["composition_gradient_edge_error"].to_numpy() if "composition_gradient_edge_error" in means else 0.0
    found: NDArray[np.float64] = np.sqrt(np.maximum(error**2 - edge**2, 0))
    return found


def _chance_words(p: float) -> str:
    if not np.isfinite(p):
        return "a single model has no spread to judge the mean by"
    return f"family-wise p of the mean is {p:.2g}"


def _judge_support(verdict: Verdict, part: xr.Dataset, mean: float) -> None:
    """Add criteria: data along the direction, separability from the spectrum, agreement of samples in sign."""
    values = part["composition_gradient"].isel(scheme=0, kind=0)
    if "support" in part:
        support = part["support"].to_numpy()
        count = int((support > 0).sum())
        there = f"{count} sample{'s have' if count != 1 else ' has'} data along this direction"
        verdict.need(count >= _FEWEST, there)
        share = float((support == 2).mean())
        verdict.want(share >= _COVERED, f"{100 * share:.0f} % of the samples are fully supported by data")
        values = values.where(part["support"] >= 1)
    if "kind_support" in part and part.attrs.get("uses_spectrum", 1):
        kind = int(part["kind_support"].isel(kind=0))
        words = ("cannot be separated", "can hardly be separated", "can be separated")[kind]
        verdict.graded(kind == 2, kind == 1, f"effects of composition and spectrum {words}")
    same = float((np.sign(values) == np.sign(mean)).sum() / max(int(values.notnull().sum()), 1))
    verdict.want(same >= SAME_SIGN, f"the sign is the same in {100 * same:.0f} % of the samples")


def _judge_size(verdict: Verdict, part: xr.Dataset, mean: float) -> float:
    """Add criteria: the mean stands for most samples, and a Gaussian process on composition alone agrees with it."""
    there = part["support"] >= 1 if "support" in part else True
    values = part["composition_gradient"].isel(scheme=0, kind=0).where(there)
    median = float(values.median())
    verdict.want(_alike(mean, median), f"the median over samples is {shown(median)} where the mean is {shown(mean)}")
    if "composition_only_gradient" in part and str(part["kind"].values[0]) == "total":
        check = float(part["composition_only_gradient"].isel(scheme=0).where(there).median())
        if np.isfinite(check):
            verdict.want(
                _alike(median, check),
                f"the median of a Gaussian process on composition alone is {shown(check)}, of the model "
                f"{shown(median)}",
            )
    return median


def _alike(first: float, second: float) -> bool:
    """Whether two effects have one sign and about one size."""
    return first * second > 0 and max(first / second, second / first) < _TIMES


def _host(insight: xr.Dataset, name: str) -> str:
    if "exchange_host" not in insight:
        return "its host"
    return str(insight["exchange_host"].sel(component=name).item())


def _composition_row(
    insight: xr.Dataset, mean: xr.Dataset, name: str, region: str, cost: str, held: str, p: float, median: float
) -> Row:
    effect = float(mean["composition_gradient"])
    error = float(mean.get("composition_gradient_error", np.nan))
    unit = _unit(
        insight,
        "composition_gradient",
        f"{insight.attrs.get('unit') or '1'} per {insight.attrs.get('fraction_name', 'at%')}",
    )
    if not _alike(effect, median):  # a few samples make the mean, and the median stands for most
        mean_words, effect = f"the mean is {shown(effect)}", median
    else:
        mean_words = ""
    size = shown(abs(effect)) + (f" ± {shown(error, 2)} (standard error)" if np.isfinite(error) else "")
    count = int(mean["composition_gradient_samples"])
    where = "" if region == "all samples" else f", {region}"
    sentence = (
        f"More {name} {cost} {'raises' if effect > 0 else 'lowers'} {_target(insight)} by {size} {unit} "
        f"({'median' if mean_words else 'mean'} of {count} sample{'s' if count != 1 else ''}{where}{held}"
        f"{'; ' if mean_words else ''}{mean_words})."
    )
    return {
        "about": "composition", "subject": name, "region": region, "sentence": sentence,
        "effect": effect, "error": error, "unit": unit, "p": p,
    }  # fmt: skip


def _without_data(name: str, region: str) -> Row:
    return {
        "about": "composition", "subject": name, "region": region,
        "sentence": f"The effect of more {name} is unknown ({region}).",
        "status": UNSUPPORTED, "reason": "no sample has data along this direction",
        "effect": np.nan, "error": np.nan, "unit": "", "p": np.nan,
    }  # fmt: skip


def _groups(groups: ComponentGroups, insight: xr.Dataset, common: Verdict) -> Iterator[Row]:
    for row in groups.groups.to_dict("records"):
        verdict = common.copy()
        p, stability = float(row["p"]), float(row["stability"])
        nulls = " and ".join(groups.nulls)
        verdict.graded(p <= LEVEL, p <= WEAK_LEVEL, f"family-wise p against the null of {nulls} is {p:.2g}")
        verdict.graded(stability >= _STABLE, stability >= 0.5, f"stability under resampling is {stability:.2f}")
        if "permuted labels" not in groups.nulls:
            verdict.want(False, "no models of permuted labels were compared with")
        if "supported" in row:
            verdict.want(
                row["supported"] >= _COVERED, f"data lie along {100 * row['supported']:.0f} % of the directions"
            )
        if "made" in row:
            verdict.want(row["made"] >= _COVERED, f"{100 * row['made']:.0f} % of its pairs were measured together")
        sure = p <= LEVEL  # else no claim is made, not even a weak one
        sentence = (
            f"{row['components']} {'act alike' if sure else 'do not surely act alike'} on {_target(insight)}: their "
            f"gradients, less the mean over components, correlate by {row['correlation']:.2f} on average across "
            f"samples, where {row['null']:.2f} would be chance."
        )
        yield {
            "about": "group", "subject": row["components"], "region": "all samples", "sentence": sentence,
            "effect": row["correlation"], "error": np.nan, "unit": "1", "p": p,
        } | verdict.conclude()  # fmt: skip


def _bands(bands: pd.DataFrame, insight: xr.Dataset, common: Verdict) -> Iterator[Row]:
    axis = insight["axis"]
    unit = _unit(insight, "spectral_gradient", f"{insight.attrs.get('unit') or '1'} per unit of intensity")
    scale = f" {axis.attrs['units']}" if axis.attrs.get("units") else ""
    judge = str(bands.attrs.get("null", "the spread of models"))
    for row in bands.to_dict("records"):
        verdict = common.copy()
        p = float(row["p"])
        verdict.graded(p <= LEVEL, p <= WEAK_LEVEL, f"family-wise p over the axis is {p:.2g} ({judge})")
        if "the same samples" in judge:
            verdict.want(
                False, "all members were trained on the same data, so that they differ by random numbers alone"
            )
        part = insight.isel(axis=np.flatnonzero(((axis >= row["low"]) & (axis <= row["high"])).to_numpy()))
        if "spectral_support" in part:
            some, full = (float((part["spectral_support"] >= flag).mean()) for flag in (1, 2))
            words = f"in {100 * some:.0f} % of channels and samples the intensity varies beyond noise and composition"
            verdict.graded(some >= _COVERED and full > 0, some > 0, f"{words} ({100 * full:.0f} % clearly)")
        if "pinned" in part:
            pinned = float(part["pinned"].mean())
            verdict.need(pinned < 0.5, f"{100 * pinned:.0f} % of its channels are pinned by preprocessing or detector")
        where = f"{row['low']:g} to {row['high']:g}{scale}"
        sentence = (
            f"More intensity at {where} (most clearly at {row['peak']:g}) goes with "
            f"{'higher' if row['sign'] > 0 else 'lower'} {_target(insight)}, composition held: "
            f"{shown(float(row['gradient']))} {unit} in each channel"
            f"{_share_words(row.get('share'))}."
        )
        yield {
            "about": "band", "subject": where, "region": "all samples", "sentence": sentence,
            "effect": row["gradient"], "error": np.nan, "unit": unit, "p": p,
            "share": row.get("share", row["gradient"]),
        } | verdict.conclude()  # fmt: skip


def _share_words(share: float | None) -> str:
    if share is None:
        return ""
    found = "less than 1 %" if share < 0.01 else f"{100 * share:.0f} %"
    return f", which is {found} of the squared gradient over all channels"


def _unit(insight: xr.Dataset, name: str, otherwise: str) -> str:
    return str(insight[name].attrs.get("units", otherwise)) if name in insight else otherwise


def _target(insight: xr.Dataset) -> str:
    return str(insight.attrs.get("target", "the figure of merit"))
