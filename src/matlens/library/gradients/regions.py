"""Regions of a library (boxes of composition, clusters, best samples) and averages of gradients over them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import NDArray

from matlens.errors import InputError
from matlens.library.gradients.summaries import enough_support, error_factor, member_means

__all__ = ["average_regions", "cluster_regions", "composition_box", "merit_regions"]

Array = NDArray[np.float64]
Mask = NDArray[np.bool_]
_SILENT = 0.03  # spread of the members over the errors of samples, below which they have next to no weight in a mixture


def composition_box(insight: xr.Dataset, **bounds: tuple[float, float]) -> dict[str, Mask]:
    """Select the samples whose fractions lie within bounds.

    Parameters
    ----------
    insight : Dataset
        Gradients from `explain_library`.
    **bounds : (float, float)
        Lowest and highest fraction (0 to 1) of a component, both included.

    Returns
    -------
    dict of str to ndarray of bool, shape (n,)
        One region, named by its bounds; combine dictionaries of regions by ``|``.

    Raises
    ------
    InputError
        If a component is unknown, or no sample lies in the box.

    Examples
    --------
    >>> data = xr.Dataset({"composition": (("sample", "component"), [[0.2, 0.8], [0.6, 0.4]])},
    ...                   {"component": ["Bi", "V"]})
    >>> {name: mask.tolist() for name, mask in composition_box(data, Bi=(0.5, 1)).items()}
    {'Bi 0.5 to 1': [False, True]}
    """
    composition = insight["composition"]
    names = [str(name) for name in insight["component"].values]
    inside = np.ones(insight.sizes["sample"], bool)
    for name, (low, high) in bounds.items():
        if name not in names:
            raise InputError(f"found no component {name!r}; this library has {', '.join(names)}.")
        fraction = composition.sel(component=name).to_numpy()
        inside &= (fraction >= low - 1e-9) & (fraction <= high + 1e-9)  # decimal bounds are not exact
    title = ", ".join(f"{name} {low:g} to {high:g}" for name, (low, high) in bounds.items()) or "all samples"
    if not inside.any():
        raise InputError(f"no sample lies in the box {title}; fractions go from 0 to 1.")
    return {title: inside}


def merit_regions(insight: xr.Dataset, quantiles: Sequence[float] = (0.9, 1.0)) -> dict[str, Mask]:
    """Divide the samples by quantiles of the measured figure of merit.

    Parameters
    ----------
    insight : Dataset
        Gradients from `explain_library`.
    quantiles : sequence of float
        Increasing borders between 0 and 1; by default the tenth with the largest values.

    Returns
    -------
    dict of str to ndarray of bool, shape (n,)
        Regions between neighbouring borders, named by them.

    Raises
    ------
    InputError
        If the borders do not increase from 0 to 1.

    Examples
    --------
    >>> data = xr.Dataset({"merit": ("sample", [3.0, 1.0, 2.0, np.nan])})
    >>> {name: mask.tolist() for name, mask in merit_regions(data, (0.5, 1)).items()}
    {'merit 50 to 100 %': [True, False, True, False]}
    """
    borders = list(quantiles)
    if len(borders) < 2 or borders != sorted(set(borders)) or borders[0] < 0 or borders[-1] > 1:
        raise InputError(f"quantiles must rise between 0 and 1, at least two of them; found {borders}.")
    merit = insight["merit"].to_numpy()
    cuts = np.nanquantile(merit, borders)
    found = {}
    for number, (low, high) in enumerate(pairwise(borders)):
        top = merit <= cuts[number + 1] if number == len(borders) - 2 else merit < cuts[number + 1]
        found[f"merit {100 * low:g} to {100 * high:g} %"] = (merit >= cuts[number]) & top
    return found


def cluster_regions(insight: xr.Dataset, count: int, *, seed: int = 0) -> dict[str, Mask]:
    """Divide the samples into clusters of similar composition by k-means.

    Parameters
    ----------
    insight : Dataset
        Gradients from `explain_library`.
    count : int
        Number of clusters.
    seed : int
        Seed of k-means.

    Returns
    -------
    dict of str to ndarray of bool, shape (n,)
        Regions, named by the mean composition of the cluster.

    Raises
    ------
    InputError
        If there are fewer different compositions than clusters.

    Examples
    --------
    >>> data = xr.Dataset({"composition": (("sample", "component"), [[0.1, 0.9], [0.8, 0.2], [0.2, 0.8]])},
    ...                   {"component": ["Bi", "V"]})
    >>> {name: mask.tolist() for name, mask in cluster_regions(data, 2).items()}
    {'cluster 1: Bi 0.15, V 0.85': [True, False, True], 'cluster 2: Bi 0.80, V 0.20': [False, True, False]}
    """
    from sklearn.cluster import KMeans  # loads slowly, and only here

    fractions = insight["composition"].transpose("sample", "component").to_numpy()
    different = len(np.unique(fractions, axis=0))
    if not 1 <= count <= different:
        raise InputError(
            f"found {count} clusters asked of {different} different compositions; ask for 1 to {different}."
        )
    labels = KMeans(count, n_init=10, random_state=seed).fit(fractions).labels_
    order = sorted(range(count), key=lambda number: int(np.argmax(labels == number)))
    found = {}
    for place, number in enumerate(order):
        mean = fractions[labels == number].mean(0)
        parts = [f"{name} {x:.2f}" for name, x in zip(insight["component"].values, mean) if x >= 0.005]
        found[f"cluster {place + 1}: {', '.join(parts)}"] = labels == number
    return found


def average_regions(
    insight: xr.Dataset, regions: Mapping[str, Mask] | None = None, *, least_support: int = 1
) -> xr.Dataset:
    """Average the gradients over regions.

    Parameters
    ----------
    insight : Dataset
        Gradients from `explain_library`. With gradients of members, standard deviations are those of the members'
        averages. Without, they are means over samples, which are upper bounds because errors of different samples are
        not fully correlated.
    regions : mapping of str to array of bool, shape (n,), optional
        Samples of each region; by default all samples, and those with the best tenth of the figure of merit.
    least_support : int
        Least support of the gradients that are averaged.

    Returns
    -------
    Dataset
        ``composition_gradient`` (region, scheme, kind, component) and, for models of spectra, ``spectral_gradient``
        (region, axis), each with ``_spread`` (standard deviation over members), ``_error`` (that times
        `error_factor`), ``_between`` (standard deviation between samples) and ``_samples`` (number of averaged
        samples); ``samples`` (region). Averages are NaN if no sample has enough support.

    Raises
    ------
    InputError
        If a region is not a mask of the samples.

    Examples
    --------
    >>> values = np.array([[1.0, 2.0], [3.0, np.nan]])[None, None]
    >>> data = xr.Dataset({"composition_gradient": (("scheme", "kind", "sample", "component"), values)})
    >>> found = average_regions(data, {"both": np.array([True, True])})
    >>> found.composition_gradient.values.ravel().tolist(), found.composition_gradient_samples.values.ravel().tolist()
    ([2.0, 2.0], [2, 1])
    """
    chosen = {"all samples": np.ones(insight.sizes["sample"], bool)} if regions is None else dict(regions)
    if regions is None and "merit" in insight:
        chosen |= merit_regions(insight)
    for name, mask in chosen.items():
        if np.asarray(mask).dtype != bool or np.shape(mask) != (insight.sizes["sample"],):
            raise InputError(f"region {name!r} must be one boolean for each of {insight.sizes['sample']} samples.")
    parts = [_averages(insight, np.flatnonzero(mask), least_support) for mask in chosen.values()]
    region = pd.Index(list(chosen), name="region")
    found = xr.concat(parts, region, coords="minimal", compat="override", join="override")
    found["samples"] = ("region", [int(np.sum(mask)) for mask in chosen.values()])
    return found.assign_attrs(
        {key: insight.attrs[key] for key in ("target", "unit", "fraction_name") if key in insight.attrs}
    )


def _averages(insight: xr.Dataset, rows: NDArray[np.intp], least_support: int) -> xr.Dataset:
    found = {}
    times = float(np.nan_to_num(error_factor(insight), nan=1.0))
    for name in ("composition_gradient", "spectral_gradient"):
        if name not in insight:
            continue
        enough = enough_support(insight, name, least_support)
        values = insight[name].isel(sample=rows).where(enough.isel(sample=rows))
        found[name] = values.mean("sample", keep_attrs=True)
        found[f"{name}_between"] = values.std("sample", keep_attrs=True)
        found[f"{name}_samples"] = values.notnull().sum("sample")
        if f"{name}_members" in insight:
            variance = member_means(insight, name, enough, rows).var("model", ddof=1)
            common = _common(insight, enough, rows) if name == "composition_gradient" else 0.0
            found[f"{name}_spread"] = (variance + common) ** 0.5
            found[f"{name}_error"] = (variance * times**2 + common) ** 0.5
        elif f"{name}_spread" in insight:
            spread = insight[f"{name}_spread"].isel(sample=rows).where(enough.isel(sample=rows))
            found[f"{name}_spread"] = spread.mean("sample")
            found[f"{name}_error"] = found[f"{name}_spread"] * times
    if "composition_gradient_error" in found and "composition_gradient_edge_error" in insight:
        edge = found["composition_gradient_edge_error"] = _edge(insight, rows, least_support)
        found["composition_gradient_error"] = (found["composition_gradient_error"] ** 2 + edge**2) ** 0.5
    if "composition_gradient_members" in insight and "composition_gradient_error" in insight:
        found |= _of_samples(insight, rows, least_support, found)
    return xr.Dataset(found)


def _of_samples(
    insight: xr.Dataset, rows: NDArray[np.intp], least_support: int, found: dict[str, xr.DataArray]
) -> dict[str, xr.DataArray]:
    """Errors of single samples, a bound, in place of a spread of members that have no weight in a mixture."""
    enough = enough_support(insight, "composition_gradient", least_support)
    bound = insight["composition_gradient_error"].isel(sample=rows).where(enough.isel(sample=rows)).mean("sample")
    members = member_means(insight, "composition_gradient", enough, rows).std("model", ddof=1)
    silent = members < _SILENT * bound
    error = found["composition_gradient_error"]
    return {"composition_gradient_silent": silent, "composition_gradient_error": error.where(~silent, bound)}


def _edge(insight: xr.Dataset, rows: NDArray[np.intp], least_support: int) -> xr.DataArray:
    """Mean error where components are absent: samples share it, since the first atoms do the same in all of them."""
    enough = enough_support(insight, "composition_gradient", least_support)
    error = insight["composition_gradient_edge_error"].isel(sample=rows).where(enough.isel(sample=rows)).mean("sample")
    shared = (insight["kind"] == "total") | (not insight.attrs.get("uses_spectrum", 1))
    return error * shared


def _common(insight: xr.Dataset, enough: xr.DataArray, rows: NDArray[np.intp]) -> xr.DataArray | float:
    """Variance common to all samples and members, e.g. that of the fit of spectra to composition."""
    if "composition_gradient_spread" not in insight:
        return 0.0
    shown = insight["composition_gradient_members"].isel(sample=rows).var("model", ddof=1)
    more = (insight["composition_gradient_spread"].isel(sample=rows) ** 2 - shown).clip(min=0) ** 0.5
    return more.where(enough.isel(sample=rows)).mean("sample") ** 2
