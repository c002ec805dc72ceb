"""Summary statistics of gradients, computed in the same way for real and permuted labels."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike, NDArray

from matlens.errors import InputError
from matlens.library.gradients.correlations import correlate_gradients

__all__ = [
    "ERROR_FACTOR",
    "composition_members",
    "error_factor",
    "gradient_correlations",
    "gradient_statistics",
    "spectral_members",
]

# docs/decisions/0039-bands-of-spectral-gradients.md
ERROR_FACTOR: Mapping[str, float] = {"bootstrap": 1.0, "groups": 3.0}
"""Ratio of the standard error to the standard deviation over members, by how their training samples were drawn.

Models that each leave out a share f of the samples differ less than bootstrap resamples would, by a factor
sqrt(f / (1 - f)) (delete-d jackknife: Shao and Wu, Ann. Stat. 17, 1176, 1989). For the tenth that `resample="groups"`
leaves out this is a third. Variation by random numbers alone is multiplied too, so that the error is rather too large.
Models trained on the same rows give no standard error.
"""


def composition_members(insight: xr.Dataset, scheme: str = "dilution", kind: str = "total") -> NDArray[np.floating]:
    """Return the composition gradients of all members.

    Parameters
    ----------
    insight : Dataset
        Gradients from `explain_library`.
    scheme : {"dilution", "exchange", "tangent"}
        Compensation scheme.
    kind : {"partial", "total"}
        Whether spectra are held constant or follow the composition.

    Returns
    -------
    ndarray, shape (m, n, D)
        Gradients of each member; only their mean (m = 1) if members were not kept.

    Raises
    ------
    InputError
        If there is no such scheme or kind.

    Examples
    --------
    >>> values = np.ones((1, 1, 4, 2))
    >>> data = xr.Dataset({"composition_gradient": (("scheme", "kind", "sample", "component"), values)},
    ...                   {"scheme": ["dilution"], "kind": ["total"]})
    >>> composition_members(data).shape
    (1, 4, 2)
    """
    for name, value in (("scheme", scheme), ("kind", kind)):
        if value not in insight[name].values:
            there = ", ".join(map(str, insight[name].values))
            raise InputError(f"found no {name} {value!r} in this insight; it has {there}.")
    name = "composition_gradient_members" if "composition_gradient_members" in insight else "composition_gradient"
    values = insight[name].sel(scheme=scheme, kind=kind)
    values = values if "model" in values.dims else values.expand_dims("model")
    return values.transpose("model", "sample", "component").to_numpy()


def spectral_members(insight: xr.Dataset) -> NDArray[np.floating]:
    """Return the spectral gradients of all members.

    Parameters
    ----------
    insight : Dataset
        Gradients from `explain_library`.

    Returns
    -------
    ndarray, shape (m, n, C)
        Gradients of each member; only their mean (m = 1) if members were not kept.

    Raises
    ------
    InputError
        If the model uses no spectra.

    Examples
    --------
    >>> data = xr.Dataset({"spectral_gradient": (("sample", "axis"), np.ones((4, 9)))})
    >>> spectral_members(data).shape
    (1, 4, 9)
    """
    if "spectral_gradient" not in insight:
        raise InputError("this insight has no spectral gradients: its model uses no spectra.")
    name = "spectral_gradient_members" if "spectral_gradient_members" in insight else "spectral_gradient"
    values = insight[name] if "model" in insight[name].dims else insight[name].expand_dims("model")
    return values.transpose("model", "sample", "axis").to_numpy()


def error_factor(insight: xr.Dataset) -> float:
    """Return the ratio of the standard error to the standard deviation over members (see `ERROR_FACTOR`).

    Parameters
    ----------
    insight : Dataset
        Gradients from `explain_library`; the attribute ``resample`` tells how training samples of members were drawn.

    Returns
    -------
    float
        The ratio; NaN if the standard deviation over members gives no standard error.

    Examples
    --------
    >>> error_factor(xr.Dataset(attrs={"resample": "bootstrap"})), error_factor(xr.Dataset(attrs={"resample": "none"}))
    (1.0, nan)
    """
    return ERROR_FACTOR.get(str(insight.attrs.get("resample", "none")), float("nan"))


def gradient_correlations(insight: xr.Dataset, scheme: str = "dilution", kind: str = "partial") -> xr.DataArray:
    """Correlate all composition and spectral gradients with each other across samples.

    Such correlations were introduced by Umehara et al., npj Comput. Mater. 5, 34 (2019).

    Parameters
    ----------
    insight : Dataset
        Gradients from `explain_library`; with those of members, correlations are computed within each member and
        averaged.
    scheme : {"dilution", "exchange", "tangent"}
        Compensation scheme.
    kind : {"partial", "total"}
        Whether spectra are held constant or follow the composition.

    Returns
    -------
    DataArray
        Correlations with the dimensions ``variable`` and ``other``: names of components, then positions of channels as
        text. NaN if a gradient does not vary.

    Raises
    ------
    InputError
        If there is no such scheme or kind.

    Examples
    --------
    >>> gradient = np.linspace(-1, 1, 12)[:, None]
    >>> dims = ("scheme", "kind", "sample", "component")
    >>> data = xr.Dataset({"spectral_gradient": (("sample", "axis"), gradient * [1, -1]),
    ...                    "composition_gradient": (dims, (gradient * [2])[None, None])},
    ...                   {"scheme": ["dilution"], "kind": ["partial"], "component": ["W"], "axis": [325.0, 365.0]})
    >>> gradient_correlations(data).sel(variable="W").to_series().round(3).to_dict()
    {'W': 1.0, '325.0': 1.0, '365.0': -1.0}
    """
    composition = composition_members(insight, scheme, kind)
    names = [str(name) for name in insight["component"].values]
    if "spectral_gradient" in insight:
        spectral = spectral_members(insight)
        names += [str(float(position)) for position in insight["axis"].values]

        def both() -> Iterator[NDArray[np.floating]]:
            # model by model: all at once would double a gigabyte
            for one, other in zip(composition, spectral, strict=True):
                yield np.concatenate([one, other], axis=1, dtype=np.float32)

        found, _ = correlate_gradients(both())
    else:
        found, _ = correlate_gradients(composition)
    return xr.DataArray(
        found,
        {"variable": names, "other": names},
        ("variable", "other"),
        "gradient_correlation",
        {"units": "1", "scheme": scheme, "kind": kind, "long_name": "correlation of gradients across samples"},
    )


def gradient_statistics(insight: xr.Dataset, *, least_support: int = 1) -> xr.Dataset:
    """Compute averages and correlations of gradients that are compared with those of permuted labels.

    Parameters
    ----------
    insight : Dataset
        Gradients from `explain_library`; with those of members, correlations are computed within each member and
        averaged.
    least_support : int
        Least support of the samples that are averaged. Support does not depend on labels.

    Returns
    -------
    Dataset
        ``composition_gradient`` itself, ``correlation`` (scheme, kind, component, other) over all samples,
        ``composition_mean`` (scheme, kind, component), and, where the model uses spectra, ``spectral_mean`` (axis).

    Examples
    --------
    >>> values = np.stack([np.arange(12.0), -np.arange(12.0)], 1)[None, None]
    >>> data = xr.Dataset({"composition_gradient": (("scheme", "kind", "sample", "component"), values)},
    ...                   {"scheme": ["dilution"], "kind": ["total"], "component": ["W", "Mo"]})
    >>> found = gradient_statistics(data)
    >>> found.composition_mean.values.ravel().tolist(), round(float(found.correlation[0, 0, 0, 1]), 3)
    ([5.5, -5.5], -1.0)
    """
    enough = enough_support(insight, "composition_gradient", least_support)
    composition = insight["composition_gradient"].where(enough)
    schemes, kinds = insight["scheme"].values, insight["kind"].values
    correlation = [[correlate_gradients(composition_members(insight, s, k))[0] for k in kinds] for s in schemes]
    found = xr.Dataset(
        {
            "composition_gradient": insight["composition_gradient"].drop_vars("sample", errors="ignore"),
            "correlation": (("scheme", "kind", "component", "other"), np.array(correlation)),
            "composition_mean": composition.mean("sample"),
        },
        {name: insight[name] for name in ("scheme", "kind", "component")} | {"other": insight["component"].values},
    )
    if "spectral_gradient" in insight:
        found["spectral_mean"] = supported_spectra(insight, least_support).mean("sample")
    return found


def member_means(insight: xr.Dataset, name: str, enough: xr.DataArray, rows: ArrayLike | None = None) -> xr.DataArray:
    """Average the gradients of each member over samples with enough support.

    Members are averaged one by one, because a masked copy of all can take another gigabyte.

    Parameters
    ----------
    insight : Dataset
        Gradients from `explain_library`, with those of the members.
    name : {"composition_gradient", "spectral_gradient"}
        Kind of gradient.
    enough : DataArray of bool
        Mask of the values to average, from `enough_support`.
    rows : array_like of int, optional
        Numbers of the samples; by default all.

    Returns
    -------
    DataArray
        Averages, without the dimension ``sample``; NaN if no value counts.

    Examples
    --------
    >>> data = xr.Dataset({"spectral_gradient_members": (("model", "sample", "axis"), np.arange(8.0).reshape(2, 2, 2))})
    >>> enough = xr.DataArray([[True, False], [True, True]], dims=("sample", "axis"))
    >>> member_means(data, "spectral_gradient", enough).values.tolist()
    [[1.0, 3.0], [5.0, 7.0]]
    """
    members = insight[f"{name}_members"]
    chosen = slice(None) if rows is None else np.asarray(rows)
    kept = enough.isel(sample=chosen)
    means = [members.isel(model=k, sample=chosen).where(kept).mean("sample") for k in range(members.sizes["model"])]
    return xr.concat(means, "model")


def supported_spectra(insight: xr.Dataset, least_support: int) -> xr.DataArray:
    """Return spectral gradients, with NaN where channels have less support."""
    return insight["spectral_gradient"].where(enough_support(insight, "spectral_gradient", least_support))


def enough_support(insight: xr.Dataset, name: str, least: int) -> xr.DataArray:
    """Return a mask of gradients with at least this support; all True if the data set does not give support."""
    support = "support" if name == "composition_gradient" else "spectral_support"
    if support in insight:
        return insight[support] >= least
    dims = ("sample", "component" if support == "support" else "axis")
    return xr.DataArray(np.ones([insight[name].sizes[dim] for dim in dims], bool), dims=dims)
