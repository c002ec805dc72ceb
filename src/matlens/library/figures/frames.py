"""Tables for figures, from the data set of gradients: selections and averages."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import NDArray

from matlens.library.gradients import average_regions

__all__ = [
    "arrow_frame",
    "gradient_frame",
    "pair_frame",
    "spectrum_frame",
    "support_frame",
    "ternary_frame",
    "typical_samples",
]

_PRESENT = 1e-9
_LINE = 0.03  # ratio of the two singular values below which compositions lie on a line
_QUANTILES = {"low": 0.05, "lower": 0.25, "median": 0.5, "upper": 0.75, "high": 0.95}


def typical_samples(insight: xr.Dataset, count: int = 6) -> list[int]:
    """Select the best sample of each of the most frequent systems, then the samples farthest from all selected ones.

    Parameters
    ----------
    insight : Dataset
        Result of `matlens.library.gradients.explain_library`.
    count : int
        Largest number of samples.

    Returns
    -------
    list of int
        Indices of the samples, ascending.

    Examples
    --------
    >>> data = xr.Dataset({"composition": (("sample", "component"), [[1.0, 0.0], [0.5, 0.5], [0.4, 0.6]]),
    ...                    "merit": ("sample", [1.0, 3.0, 2.0])})
    >>> typical_samples(data, 2)
    [0, 1]
    """
    value = insight["merit"].to_numpy().astype(float)
    value = np.where(np.isfinite(value), value, -np.inf)
    there = insight["composition"].to_numpy() > _PRESENT
    systems = pd.Series([row.tobytes() for row in there])
    frequent = systems.value_counts(sort=False).sort_values(ascending=False, kind="stable").index[:count]
    chosen = [np.flatnonzero(systems == system) for system in frequent]
    picked = [int(rows[np.argmax(value[rows])]) for rows in chosen]
    composition = insight["composition"].to_numpy()
    while len(picked) < min(count, len(composition)):
        distance = np.linalg.norm(composition[:, None] - composition[picked], axis=2).min(axis=1)
        if not distance.max() > 0:
            break
        picked.append(int(distance.argmax()))
    return sorted(picked)


def arrow_frame(
    insight: xr.Dataset, rows: Sequence[int], *, scheme: str = "dilution", kind: str = "total"
) -> pd.DataFrame:
    """Tabulate compositions and gradients of some samples for `matlens.library.figures.composition_arrows`.

    Parameters
    ----------
    insight : Dataset
        Result of `matlens.library.gradients.explain_library`.
    rows : sequence of int
        Indices of the samples.
    scheme : str
        Compensation scheme of the gradients.
    kind : str
        ``"partial"`` or ``"total"``.

    Returns
    -------
    DataFrame
        ``sample``, ``component``, ``fraction`` (in hundredths), ``gradient``, ``error`` (the standard error; where the
        model gives none, the standard deviation over its members), ``support`` (the lower of the direction's and the
        kind's), ``undefined`` (why a gradient may be missing); ``attrs["caps"]`` names the error.

    Examples
    --------
    >>> dims = ("scheme", "kind", "sample", "component")
    >>> data = xr.Dataset({"composition": (("sample", "component"), [[0.5, 0.5]]),
    ...                    "composition_gradient": (dims, [[[[1.0, 2.0]]]]),
    ...                    "composition_gradient_spread": (dims, [[[[0.1, 0.1]]]]),
    ...                    "support": (("sample", "component"), [[2, 0]])},
    ...                   {"scheme": ["dilution"], "kind": ["total"], "sample": ["a"], "component": ["W", "Mo"]})
    >>> arrow_frame(data, [0])[["sample", "component", "gradient", "support"]].to_numpy().tolist()
    [['a: W-Mo', 'W', 1.0, 2], ['a: W-Mo', 'Mo', 2.0, 0]]
    """
    part = insight.isel(sample=list(rows)).sel(scheme=scheme, kind=kind)
    systems = [_system(insight, row) for row in rows]
    titles = [f"{name}: {system}" for name, system in zip(part["sample"].values, systems)]
    components = list(map(str, part["component"].values))
    known = "composition_gradient_error" in insight
    error = np.nan_to_num(part[f"composition_gradient_{'error' if known else 'spread'}"].to_numpy())
    hosts = insight["exchange_host"].values.astype(str) if "exchange_host" in insight else np.array(components)
    undefined = ["host" if name == host else f"no {host}" for name, host in zip(components, hosts)]
    table = pd.DataFrame(
        {
            "sample": np.repeat(titles, len(components)),
            "component": components * len(titles),
            "fraction": 100 * part["composition"].to_numpy().ravel(),
            "gradient": part["composition_gradient"].to_numpy().ravel(),
            "error": error.ravel(),
            "support": _support(part, kind).ravel(),
            "undefined": undefined * len(titles),
        }
    )
    table.attrs["caps"] = "standard error" if known else "standard deviation over the members"
    return table


def gradient_frame(insight: xr.Dataset, schemes: Sequence[str], *, kind: str = "total") -> pd.DataFrame:
    """Tabulate the range of each component's gradient over the samples where it has support.

    Parameters
    ----------
    insight : Dataset
        Result of `matlens.library.gradients.explain_library`.
    schemes : sequence of str
        Compensation schemes, one for each panel.
    kind : str
        ``"partial"`` or ``"total"``.

    Returns
    -------
    DataFrame
        Columns as `matlens.library.figures.component_gradients` draws them: the model, and where it exists the
        Gaussian process on composition alone.

    Examples
    --------
    >>> dims = ("scheme", "kind", "sample", "component")
    >>> data = xr.Dataset({"composition_gradient": (dims, [[[[1.0], [3.0]]]]),
    ...                    "support": (("sample", "component"), [[2], [2]])},
    ...                   {"scheme": ["dilution"], "kind": ["total"], "component": ["W"]})
    >>> gradient_frame(data, ["dilution"])[["component", "median", "share"]].to_numpy().tolist()
    [['W', 2.0, 1.0]]
    """
    sources = {"model": insight["composition_gradient"].sel(kind=kind)}
    if kind == "total" and "composition_only_gradient" in insight:
        sources["composition alone (Gaussian process)"] = insight["composition_only_gradient"]
    support, rows = _support(insight, kind), []
    for scheme in schemes:
        for model, values in sources.items():
            shown = np.where(support > 0, values.sel(scheme=scheme).to_numpy(), np.nan)
            for number, component in enumerate(insight["component"].values):
                known = shown[np.isfinite(shown[:, number]), number]
                defined = bool(values.sel(scheme=scheme).isel(component=number).notnull().any())
                ends = {name: np.quantile(known, q) if known.size else np.nan for name, q in _QUANTILES.items()}
                share = known.size / len(shown) if defined else np.nan
                rows.append({"scheme": scheme, "component": str(component), "model": model, **ends, "share": share})
    return pd.DataFrame(rows)


def support_frame(insight: xr.Dataset) -> pd.DataFrame:
    """Tabulate for each component the share of samples at which data support its direction.

    Parameters
    ----------
    insight : Dataset
        Result of `matlens.library.gradients.explain_library`.

    Returns
    -------
    DataFrame
        Columns ``component``, ``supported``, ``weak``, ``unsupported``.

    Examples
    --------
    >>> data = xr.Dataset({"support": (("sample", "component"), [[2], [0]])}, {"component": ["W"]})
    >>> support_frame(data).to_numpy().tolist()
    [['W', 0.5, 0.0, 0.5]]
    """
    support = insight["support"].to_numpy()
    shares = {name: (support == level).mean(axis=0) for name, level in (("supported", 2), ("weak", 1))}
    shares["unsupported"] = (support == 0).mean(axis=0)
    return pd.DataFrame({"component": insight["component"].values.astype(str), **shares})


def spectrum_frame(insight: xr.Dataset, rows: NDArray[np.bool_] | None = None) -> pd.DataFrame:
    """Average spectrum and spectral gradient over samples, for `matlens.library.figures.spectrum_gradient`.

    Parameters
    ----------
    insight : Dataset
        Result of `matlens.library.gradients.explain_library` for a model that uses spectra.
    rows : ndarray of bool, shape (n,), optional
        The samples; by default all.

    Returns
    -------
    DataFrame
        ``axis`` (ascending), ``intensity``, ``gradient``, ``low``, ``high`` (one standard deviation of the average over
        the ensemble either way) and ``support``: 2 or 1 where at least half of the samples have it.

    Examples
    --------
    >>> dims = ("sample", "channel")
    >>> data = xr.Dataset({"spectral_gradient": (dims, [[1.0, 2.0], [3.0, 4.0]]),
    ...                    "spectral_gradient_spread": (dims, [[0.1, 0.1], [0.1, 0.1]]),
    ...                    "spectrum": (dims, [[5.0, 6.0], [7.0, 8.0]]), "spectral_support": (dims, [[2, 2], [2, 2]])},
    ...                   {"axis": ("channel", [10.0, 20.0])})
    >>> spectrum_frame(data)[["axis", "intensity", "gradient"]].to_numpy().tolist()
    [[10.0, 6.0, 2.0], [20.0, 7.0, 3.0]]
    """
    mask = np.ones(insight.sizes["sample"], dtype=bool) if rows is None else rows
    found = average_regions(insight, {"shown": mask}).isel(region=0)
    gradient = found["spectral_gradient"].to_numpy()
    deviation = np.nan_to_num(found["spectral_gradient_spread"].to_numpy())
    levels = insight["spectral_support"].to_numpy()[mask]
    support = np.where((levels >= 1).mean(axis=0) >= 0.5, 1, 0) + np.where((levels == 2).mean(axis=0) >= 0.5, 1, 0)
    table = pd.DataFrame(
        {
            "axis": insight["axis"].to_numpy().astype(float),
            "intensity": insight["spectrum"].to_numpy()[mask].mean(axis=0),
            "gradient": gradient,
            "low": gradient - deviation,
            "high": gradient + deviation,
            "support": np.where(np.isfinite(gradient), support, 0),
        }
    )
    return table.sort_values("axis", ignore_index=True)


def pair_frame(insight: xr.Dataset, *, scheme: str = "dilution", kind: str = "total") -> pd.DataFrame:
    """Tabulate the gradients with support: one column for each component, one row for each sample.

    Parameters
    ----------
    insight : Dataset
        Result of `matlens.library.gradients.explain_library`.
    scheme : str
        Compensation scheme of the gradients.
    kind : str
        ``"partial"`` or ``"total"``.

    Returns
    -------
    DataFrame
        Gradients; NaN without support.

    Examples
    --------
    >>> dims = ("scheme", "kind", "sample", "component")
    >>> data = xr.Dataset({"composition_gradient": (dims, [[[[1.0, 2.0]]]]),
    ...                    "support": (("sample", "component"), [[2, 0]])},
    ...                   {"scheme": ["dilution"], "kind": ["total"], "component": ["W", "Mo"]})
    >>> pair_frame(data).to_numpy().tolist()
    [[1.0, nan]]
    """
    values = insight["composition_gradient"].sel(scheme=scheme, kind=kind).to_numpy()
    shown = np.where(_support(insight, kind) > 0, values, np.nan)
    return pd.DataFrame(shown, columns=insight["component"].values.astype(str))


def ternary_frame(insight: xr.Dataset, value: str = "predicted") -> tuple[pd.DataFrame, list[str]]:
    """Tabulate the ternary system with most samples, with arrows along which the prediction rises.

    Parameters
    ----------
    insight : Dataset
        Result of `matlens.library.gradients.explain_library`.
    value : str
        Variable that colours the samples: ``"predicted"`` or ``"merit"``.

    Returns
    -------
    table : DataFrame
        Columns as `matlens.library.figures.ternary_map` draws them; empty where no system has ten samples, and where
        components are on several sites, so that three of them make no triangle.
    components : list of str
        The three components.

    Examples
    --------
    >>> data = xr.Dataset({"composition": (("sample", "component"), [[0.5, 0.3, 0.2]])})
    >>> ternary_frame(data)[1]  # one sample is not enough
    []
    """
    if "site" in insight:
        return pd.DataFrame(), []
    composition = insight["composition"].to_numpy()
    there = composition > _PRESENT
    best: tuple[int, NDArray[np.intp]] = (0, np.zeros(0, dtype=int))
    for system in np.unique(there[there.sum(axis=1) == 3], axis=0):
        count = int((~there[:, ~system]).all(axis=1).sum())  # its binaries and its elements lie on its edges
        best = max(best, (count, np.flatnonzero(system)), key=lambda pair: pair[0])
    count, three = best
    if count < 10:
        return pd.DataFrame(), []
    rows = np.flatnonzero((~np.delete(there, three, axis=1)).all(axis=1))
    names = [str(name) for name in insight["component"].values[three]]
    tangent = insight["composition_gradient"].sel(scheme="tangent", kind="total").to_numpy()[np.ix_(rows, three)]
    table = pd.DataFrame(composition[np.ix_(rows, three)], columns=names)
    table["value"] = insight[value].to_numpy()[rows]
    table["support"] = _support(insight, "total")[np.ix_(rows, three)].max(axis=1)
    singular = np.linalg.svd(table[names] - table[names].mean(), compute_uv=False)
    if singular[1] < _LINE * singular[0]:
        return table, names  # data along a line determine no gradient across it
    ups = tangent - tangent.mean(axis=1, keepdims=True)
    return table.assign(**{f"up_{name}": ups[:, number] for number, name in enumerate(names)}), names


def _support(insight: xr.Dataset, kind: str) -> NDArray[np.int_]:
    """Support of each direction, at most that of the kind of gradient."""
    found = insight["support"].to_numpy().astype(int)
    if "kind_support" not in insight:
        return found
    levels = insight["kind_support"]
    level = levels.sel(kind=kind) if "kind" in levels.dims else levels
    lowest: NDArray[np.int_] = np.minimum(found, int(level))
    return lowest


def _system(insight: xr.Dataset, row: int) -> str:
    there = insight["composition"].to_numpy()[row] > _PRESENT
    return "-".join(str(name) for name in insight["component"].values[there])
