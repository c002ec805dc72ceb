"""Curves of results, exemplars and the band between windows, ready to be drawn."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from matlens.microstructure.axes import AXES
from matlens.microstructure.large import LargeMicrostructure
from matlens.microstructure.statistics.equivalence.curves import Curves
from matlens.microstructure.structure import Microstructure

__all__ = ["curve_bands"]

CURVES: Mapping[str, tuple[str, ...]] = {
    "two_point_radial": ("phase", "r"),
    "covariance_radial": ("phase", "r"),
    "lineal_path": ("phase", "axis", "r"),
    "cluster_radial": ("phase", "r"),
    "cluster_radial_full": ("phase", "r"),
}


def curve_bands(
    results: Sequence[Curves], exemplars: Sequence[Curves], windows: Sequence[Curves], like: Microstructure
) -> xr.Dataset:
    """Collect S2, lineal-path and cluster curves.

    Parameters
    ----------
    results, exemplars, windows : sequence of Curves
        Curves of structures of one material.
    like : Microstructure
        Where spacing, unit and phase names are taken from.

    Returns
    -------
    Dataset
        For each of ``two_point_radial``, ``covariance_radial``, ``lineal_path``, ``cluster_radial`` and
        ``cluster_radial_full``: ``NAME_result`` (realisation, ...), ``NAME_exemplar`` (mean over exemplars),
        ``NAME_low`` and ``NAME_high`` (5 % and 95 % of the windows), over (phase, r) or (phase, axis, r); NaN beyond
        half of a side. Coordinates ``distance`` (axis, r) and ``distance_radial`` (r) in ``unit``.

    Examples
    --------
    >>> from matlens.microstructure.problems import gaussian_field
    >>> m = gaussian_field((32, 32), 3.0, 0.4, seed=0)
    >>> bands = curve_bands([Curves(m)], [Curves(m)], [Curves(w) for w in m.tiles((16, 16))], m)
    >>> dict(bands["lineal_path_result"].sizes)
    {'realisation': 1, 'phase': 2, 'axis': 2, 'r': 17}
    """
    length = max(max(curves.microstructure.shape) // 2 + 1 for curves in [*results, *exemplars])
    variables: dict[str, tuple[tuple[str, ...], NDArray[np.float64]]] = {}
    for name, dims in CURVES.items():
        of = {
            kind: np.stack([_padded(_curve(curves, name), length) for curves in group])
            for kind, group in (("result", results), ("exemplar", exemplars), ("window", windows))
            if group
        }
        variables[f"{name}_result"] = (("realisation", *dims), of["result"])
        variables[f"{name}_exemplar"] = (dims, of["exemplar"].mean(axis=0))
        for kind, level in (("low", 0.05), ("high", 0.95)):
            # windows are of one size, so NaN stands at the same places in all of them
            band = np.quantile(of["window"], level, axis=0) if windows else np.full(of["exemplar"].shape[1:], np.nan)
            variables[f"{name}_{kind}"] = (dims, band)
    dataset = xr.Dataset({name: xr.Variable(dims, values) for name, (dims, values) in variables.items()})
    return with_distance(dataset, like, length)


def with_distance(dataset: xr.Dataset, like: Microstructure | LargeMicrostructure, length: int) -> xr.Dataset:
    """Give a dataset its coordinates: phases, axes, offsets r and physical distances.

    Parameters
    ----------
    dataset : Dataset
        Curves over ``phase``, ``axis`` and ``r``.
    like : Microstructure or LargeMicrostructure
        Structure that gives spacing, unit and phase names.
    length : int
        Number of offsets.

    Returns
    -------
    Dataset
        The dataset with coordinates.

    Examples
    --------
    >>> m = Microstructure([[0, 1]] * 2, spacing=(0.5, 2), unit="um")
    >>> with_distance(xr.Dataset(), m, 3)["distance"].values.tolist()
    [[0.0, 0.5, 1.0], [0.0, 2.0, 4.0]]
    """
    r = np.arange(length)
    spacing = np.asarray(like.spacing)
    mean = float(np.exp(np.log(spacing).mean()))
    return dataset.assign_coords(
        phase=np.arange(like.n_phases),
        phase_name=("phase", list(like.phase_names)),
        axis=list(AXES[-like.ndim :]),
        r=("r", r, {"long_name": "offset", "units": "px"}),
        distance=(("axis", "r"), spacing[:, None] * r, {"long_name": "distance along the axis", "units": like.unit}),
        distance_radial=(
            "r",
            mean * r,
            {"long_name": "distance (geometric mean of the spacings)", "units": like.unit},
        ),
    )


def _curve(curves: Curves, name: str) -> NDArray[np.float64]:
    if name == "covariance_radial":
        return curves.covariance[:, 0]
    names = {"cluster_radial": "cluster", "cluster_radial_full": "cluster_full"}
    values: NDArray[np.float64] = getattr(curves, names.get(name, name))
    return values


def _padded(values: NDArray[np.float64], length: int) -> NDArray[np.float64]:
    missing = length - values.shape[-1]
    return np.pad(values, [(0, 0)] * (values.ndim - 1) + [(0, missing)], constant_values=np.nan)
