"""Groups of components whose gradients correlate across samples by more than closure and chance explain."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import ArrayLike, NDArray
from scipy.cluster.hierarchy import linkage

from matlens.core.bootstrap import drawn_counts
from matlens.errors import InputError
from matlens.library.evidence.family import permutation_family
from matlens.library.evidence.nulls import closure_null
from matlens.library.gradients import (
    composition_members,
    correlate_gradients,
    directions,
    relative_gradients,
    resampled_correlations,
)

__all__ = ["ComponentGroups", "component_groups", "group_components"]

Array = NDArray[np.float64]
Cluster = tuple[int, ...]
# docs/decisions/0038-groups-of-components.md
_JOINED = 0.1  # share of null pairs above the cut of the tree; it delimits groups, while p controls their error rate


@dataclass(frozen=True)
class ComponentGroups:
    """Groups of components with similar effects on the figure of merit.

    Use `component_groups` to find them.

    Parameters
    ----------
    correlation : DataFrame
        Correlation of the gradients of each pair of components across samples, averaged over models. `component_groups`
        uses gradients minus their mean over components, in samples where data support both.
    groups : DataFrame
        One row per group of two or more components, the largest first: ``components`` (for example "Bi, Dy"),
        ``size``, ``correlation`` (mean within the group), ``least`` (smallest of its pairs), ``null`` (exceeded by the
        best group of that size in 5 % of the null draws), ``p`` (family-wise over all groups) and ``stability`` (mean
        Jaccard overlap with the most similar group of a bootstrap resample, 0 to 1; stable above 0.75 after Hennig,
        Comput. Stat. Data Anal. 52, 258, 2007).
    together : DataFrame
        Share of the bootstrap resamples in which both components of a pair are in one group.
    threshold : float
        Correlation above which groups are joined; one in ten of the null pairs exceeds it.
    nulls : tuple of str
        Names of the null distributions.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> gradients = rng.normal(size=(1, 60, 4)) + 3 * rng.normal(size=(60, 2)) @ [[1, 1, 0, 0], [0, 0, 1, 1]]
    >>> null = [correlate_gradients([one])[0] for one in rng.normal(size=(99, 60, 4))]
    >>> group_components(gradients, ["W", "Mo", "Bi", "Dy"], {"noise": null}).groups["components"].tolist()
    ['W, Mo', 'Bi, Dy']
    """

    correlation: pd.DataFrame
    groups: pd.DataFrame
    together: pd.DataFrame
    threshold: float
    nulls: tuple[str, ...]


def component_groups(
    insight: xr.Dataset,
    null: xr.Dataset | None = None,
    *,
    scheme: str = "dilution",
    kind: str = "total",
    draws: int = 200,
    resamples: int = 200,
    level: float = 0.05,
    seed: int = 0,
) -> ComponentGroups:
    """Find groups of components with correlated gradients in an insight data set.

    The gradients are taken relative to their mean over components (`relative_gradients`), because a variation that all
    components share does not make a group. Each pair is compared over the samples in which data support the gradients
    of both; elsewhere the model extrapolates. Pairs with fewer than ten such samples are not compared. The null
    distributions are treated in the same way.

    Parameters
    ----------
    insight : Dataset
        Gradients from `explain_library`, with those of the members.
    null : Dataset, optional
        Gradients of ensembles with permuted labels, from `label_null`; used in addition to the null of closure.
    scheme : {"dilution", "exchange", "tangent"}
        Compensation scheme of the gradients.
    kind : {"partial", "total"}
        Whether spectra are held constant or follow the composition.
    draws : int
        Number of draws from the null of closure.
    resamples : int
        Number of bootstrap resamples.
    level : float
        Share of the null draws that exceed the reported ``null``.
    seed : int
        Seed of all random numbers.

    Returns
    -------
    ComponentGroups
        Groups with two more columns: ``supported`` (share of the gradients of a group that data support) and, if the
        insight has ``pair_count``, ``made`` (share of its pairs that were measured together).

    Raises
    ------
    InputError
        If fewer than two components can be compared, or the scheme or kind is unknown.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> x, modes = rng.dirichlet([1] * 5, 60), rng.normal(size=(60, 2))
    >>> gradients = modes @ np.array([[1, 1, 1, 0, 0], [0, 0, 0, 1, 1]]) + 0.2 * rng.normal(size=(3, 60, 5))
    >>> dims = ("scheme", "kind", "sample", "component")
    >>> data = xr.Dataset({"composition_gradient_members": (("model", *dims), gradients[:, None, None]),
    ...                    "composition": (("sample", "component"), x)},
    ...                   {"scheme": ["tangent"], "kind": ["total"], "component": ["Bi", "Dy", "Gd", "W", "Mo"]})
    >>> component_groups(data, scheme="tangent", draws=50).groups["components"].tolist()
    ['Bi, Dy, Gd', 'W, Mo']
    """
    names = [str(name) for name in insight["component"].values]
    gradients = composition_members(insight, scheme, kind).astype(np.float64)
    fractions = insight["composition"].transpose("sample", "component").to_numpy()
    hosts = None
    if scheme == "exchange" and "exchange_host" in insight:
        hosts = [names.index(str(name)) for name in insight["exchange_host"].values]
    there = np.ones(fractions.shape, bool)
    if "support" in insight:
        there = insight["support"].transpose("sample", "component").to_numpy() > 0
    sites = np.unique(insight["site"].values, return_inverse=True)[1] if "site" in insight else None
    ways = directions(scheme, fractions, hosts, sites)
    closure = closure_null(fractions, ways, draws=draws, there=there, relative=True, seed=seed)
    nulls: dict[str, ArrayLike] = {"closure": closure}
    if null is not None:
        nulls["permuted labels"] = null["correlation"].sel(scheme=scheme, kind=kind).to_numpy()
    same = np.unique(fractions.round(4), axis=0, return_inverse=True)[1]
    known = relative_gradients(gradients, there)
    found = group_components(known, names, nulls, replicates=same.ravel(), resamples=resamples, level=level, seed=seed)
    clusters = [[names.index(name) for name in group.split(", ")] for group in found.groups["components"]]
    more = {"supported": [there[:, cluster].mean() for cluster in clusters]}
    if "pair_count" in insight:
        made = insight["pair_count"].to_numpy() > 0
        more["made"] = [made[np.ix_(cluster, cluster)][np.triu_indices(len(cluster), 1)].mean() for cluster in clusters]
    return replace(found, groups=found.groups.assign(**more))


def group_components(
    gradients: ArrayLike,
    components: Sequence[str],
    nulls: Mapping[str, ArrayLike],
    *,
    replicates: ArrayLike | None = None,
    resamples: int = 200,
    level: float = 0.05,
    seed: int = 0,
) -> ComponentGroups:
    """Find groups of components by average linkage of the correlations of their gradients, and test them.

    The mean correlation within a group is compared with that of the best group of at least its size that the same
    search finds in each null draw. If several null distributions are given, the reported p is the largest one.

    Parameters
    ----------
    gradients : array_like, shape (m, n, D)
        Gradients of m models for n samples and D components, in one compensation scheme.
    components : sequence of str
        Names of the D components.
    nulls : mapping of str to array_like, shape (B, D, D)
        Correlations in B draws without groups, from `closure_null` or `label_null`.
    replicates : array_like of int, shape (n,), optional
        Number of the composition of each sample; samples of one composition are resampled together. By default each
        sample is a composition of its own.
    resamples : int
        Number of bootstrap resamples, of samples and models at once.
    level : float
        Share of the null draws that exceed the reported ``null``.
    seed : int
        Seed of the bootstrap.

    Returns
    -------
    ComponentGroups
        Groups with their tests and stability.

    Raises
    ------
    InputError
        If shapes do not match, no null is given, or fewer than two components can be compared.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> noise = rng.normal(size=(4, 60, 5))
    >>> null = [correlate_gradients([one])[0] for one in rng.normal(size=(99, 60, 5))]
    >>> gradients = noise + 3 * rng.normal(size=(60, 2)) @ np.array([[1, 1, 1, 0, 0], [0, 0, 0, 1, 1]])
    >>> found = group_components(gradients, ["Bi", "Dy", "Gd", "W", "Mo"], {"noise": null}).groups
    >>> found[["components", "p"]].to_numpy().tolist()
    [['Bi, Dy, Gd', 0.01], ['W, Mo', 0.01]]
    """
    values = np.asarray(gradients)
    draws = _draws(values, components, nulls)
    correlation = correlate_gradients(values)[0]
    usable = _usable(correlation)
    inside = np.ix_(usable, usable)
    draws = {name: null[:, usable][:, :, usable] for name, null in draws.items()}
    threshold = max(0.0, *(_pair_quantile(null, 1 - _JOINED) for null in draws.values()))
    best = {name: np.array([_best(one) for one in null]) for name, null in draws.items()}
    found = _cut(correlation[inside], threshold)
    boot = [
        _cut(one[inside], threshold)
        for one in resampled_correlations(values, *_resamples(values, replicates, resamples, seed))
    ]
    rows = [
        {"components": ", ".join(components[usable[k]] for k in group), "size": len(group)}
        | _judged(correlation[inside], group, best, level)
        | {"stability": float(np.mean([_overlap(group, other) for other in boot]))}
        for group in sorted(found, key=lambda group: (-len(group), group))
    ]
    names = list(components)
    return ComponentGroups(
        pd.DataFrame(correlation, names, names),
        pd.DataFrame(rows, columns=["components", "size", "correlation", "least", "null", "p", "stability"]),
        pd.DataFrame(_together(boot, usable, len(names)), names, names),
        threshold,
        tuple(draws),
    )


def _draws(values: NDArray[np.floating], components: Sequence[str], nulls: Mapping[str, ArrayLike]) -> dict[str, Array]:
    count = len(components)
    if values.ndim != 3 or values.shape[2] != count:
        raise InputError(
            f"found gradients of shape {values.shape} for {count} components; give (models, samples, components)."
        )
    if not nulls:
        raise InputError("found no null to judge groups by; give at least that of closure (closure_null).")
    draws = {name: np.nan_to_num(np.asarray(null, np.float64)) for name, null in nulls.items()}
    for name, null in draws.items():
        if null.ndim != 3 or null.shape[1:] != (count, count):
            raise InputError(f"null {name!r} has shape {null.shape}, expected (draws, {count}, {count}).")
    return draws


def _usable(correlation: Array) -> NDArray[np.intp]:
    """Components that have a correlation with any other; the host of an exchange has none."""
    off = correlation.copy()
    np.fill_diagonal(off, np.nan)
    usable = np.flatnonzero(np.isfinite(off).any(0))
    if usable.size < 2:
        raise InputError(
            "found fewer than two components whose gradients vary over at least ten samples in common; "
            "take another scheme, or more samples."
        )
    return usable


def _clusters(correlation: Array) -> list[tuple[Cluster, float, float]]:
    """Every join of average linkage: the cluster made, mean correlation between the two joined, and within it."""
    count = len(correlation)
    distance = 1 - np.nan_to_num(correlation)[np.triu_indices(count, 1)]
    made: list[Cluster] = [(k,) for k in range(count)]
    sums = [0.0] * count
    joins = []
    for first, second, height, _ in linkage(distance, "average"):
        a, b = int(first), int(second)
        sums.append(sums[a] + sums[b] + (1 - float(height)) * len(made[a]) * len(made[b]))
        made.append(tuple(sorted(made[a] + made[b])))
        joins.append((made[-1], 1 - float(height), sums[-1] / (len(made[-1]) * (len(made[-1]) - 1) / 2)))
    return joins


def _cut(correlation: Array, threshold: float) -> list[Cluster]:
    """Return the largest clusters joined above the threshold."""
    kept = [cluster for cluster, between, _ in _clusters(correlation) if between > threshold]
    return [one for one in kept if not any(set(one) < set(other) for other in kept)]


def _within(correlation: Array, cluster: Cluster) -> Array:
    pairs: Array = np.nan_to_num(correlation)[np.ix_(cluster, cluster)][np.triu_indices(len(cluster), 1)]
    return pairs


def _best(correlation: Array) -> Array:
    """Fisher's z of the best mean correlation within a cluster of at least 2, 3, ... components."""
    best = np.full(len(correlation) - 1, -1.0)
    for cluster, _, mean in _clusters(correlation):
        best[: len(cluster) - 1] = np.maximum(best[: len(cluster) - 1], mean)
    return _z(best)


def _z(correlation: ArrayLike) -> Array:
    z: Array = np.arctanh(np.clip(correlation, -1 + 1e-6, 1 - 1e-6))
    return z


def _judged(correlation: Array, group: Cluster, best: Mapping[str, Array], level: float) -> dict[str, float]:
    pairs = _within(correlation, group)
    place = len(group) - 2
    observed = _best(correlation)
    observed[place] = _z(pairs.mean())  # at most the best of its size: what is claimed is of this group
    null, p = -1.0, 0.0
    for draws in best.values():
        p = max(p, float(permutation_family(observed, draws, one_sided=True).p[place]))
        null = max(null, float(np.tanh(np.quantile(draws[:, place], 1 - level))))
    return {"correlation": float(pairs.mean()), "least": float(pairs.min()), "null": null, "p": p}


def _pair_quantile(null: Array, share: float) -> float:
    rows, columns = np.triu_indices(null.shape[1], 1)
    return float(np.quantile(null[:, rows, columns], share))


def _resamples(
    values: NDArray[np.floating], replicates: ArrayLike | None, count: int, seed: int
) -> tuple[Array, Array]:
    """How often each sample and each model counts in each resample; samples of one composition count together."""
    models, samples = values.shape[:2]
    units = np.arange(samples) if replicates is None else np.asarray(replicates)
    rng = np.random.default_rng(seed)
    return drawn_counts(units, count, rng), drawn_counts(np.arange(models), count, rng)


def _overlap(group: Cluster, others: Sequence[Cluster]) -> float:
    """Jaccard index with the nearest of the others."""
    return max((len({*group} & {*other}) / len({*group} | {*other}) for other in others), default=0.0)


def _together(boot: Sequence[Sequence[Cluster]], usable: NDArray[np.intp], count: int) -> Array:
    share = np.zeros((count, count))
    for groups in boot:
        for group in groups:
            share[np.ix_(usable[list(group)], usable[list(group)])] += 1 / len(boot)
    np.fill_diagonal(share, 1)
    return share
