"""The few numbers that an insight data set is judged by, taken in the same way from real and from permuted labels."""

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
"""What the spread over members is multiplied with to stand for an error, by how their samples were drawn.

Models that each leave out a share f of the samples differ less than resamples of all would: by sqrt(f / (1 - f))
(delete-d jackknife, Shao & Wu 1989), which is a third for the tenth that `resample="groups"` leaves out. What differs
by random numbers alone is multiplied too: the error is rather too large. Models of the same rows tell no error.
"""


def composition_members(insight: xr.Dataset, scheme: str = "dilution", kind: str = "total") -> NDArray[np.floating]:
    """Composition gradients of every model, shape (m, n, D); their mean as the only one where members were not kept.

    Parameters
    ----------
    insight : Dataset
        As of `explain_library`.
    scheme, kind : str

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
    """Spectral gradients of every model, shape (m, n, C); their mean as the only one where members were not kept.

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
    """What the spread over members is to be multiplied with to stand for an error; NaN where it stands for none.

    Parameters
    ----------
    insight : Dataset
        As of `explain_library`; its attribute ``resample`` says how the members' samples were drawn.

    Examples
    --------
    >>> error_factor(xr.Dataset(attrs={"resample": "bootstrap"})), error_factor(xr.Dataset(attrs={"resample": "none"}))
    (1.0, nan)
    """
    return ERROR_FACTOR.get(str(insight.attrs.get("resample", "none")), float("nan"))


def gradient_correlations(insight: xr.Dataset, scheme: str = "dilution", kind: str = "partial") -> xr.DataArray:
    """Correlations across samples of all gradients with all: components and channels.

    Parameters
    ----------
    insight : Dataset
        As of `explain_library`, with members for an average of correlations within models.
    scheme, kind : str
        Of the composition gradients.

    Returns
    -------
    DataArray
        Dimensions ``variable`` and ``other``: the names of the components, then the positions of the channels as
        text. NaN where a gradient does not vary. The rows of components and columns of channels are the
        component-by-axis map.

    Examples
    --------
    >>> slope = np.linspace(-1, 1, 12)[:, None]
    >>> dims = ("scheme", "kind", "sample", "component")
    >>> data = xr.Dataset({"spectral_gradient": (("sample", "axis"), slope * [1, -1]),
    ...                    "composition_gradient": (dims, (slope * [2])[None, None])},
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
    """Averages and correlations of gradients: what is to be compared with permuted labels.

    Parameters
    ----------
    insight : Dataset
        As of `explain_library`, with members for an average of correlations within models.
    least_support : int
        Averages are over samples of at least this support; it comes from the data without labels, and is thus the
        same for permuted ones.

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
    """Average gradients over samples in every model, where there is enough support.

    Model by model, for a masked copy of all would take another gigabyte.

    Parameters
    ----------
    insight : Dataset
        With members.
    name : str
        "composition_gradient" or "spectral_gradient".
    enough : DataArray of bool
        Which values count, of the dimensions of one model's gradients or fewer.
    rows : array_like of int, optional
        Which samples; by default all.

    Returns
    -------
    DataArray
        Without the dimension ``sample``; NaN where nothing counts.

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
    """Spectral gradients, NaN where the channel has less support."""
    return insight["spectral_gradient"].where(enough_support(insight, "spectral_gradient", least_support))


def enough_support(insight: xr.Dataset, name: str, least: int) -> xr.DataArray:
    """Where gradients have at least this support; everywhere in data sets that do not say."""
    support = "support" if name == "composition_gradient" else "spectral_support"
    if support in insight:
        return insight[support] >= least
    dims = ("sample", "component" if support == "support" else "axis")
    return xr.DataArray(np.ones([insight[name].sizes[dim] for dim in dims], bool), dims=dims)
