"""The curves of a comparison as a long table."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import NDArray

from matlens.microstructure.statistics import displayed

__all__ = ["curves_of_comparison"]

_COLUMNS = ["statistic", "phase", "axis", "source", "distance", "value", "low", "high"]


class _Place(NamedTuple):
    statistic: str
    phase: str
    axis: str
    variable: str
    at: dict[str, int]


def curves_of_comparison(bands: xr.Dataset) -> pd.DataFrame:
    """List the curves of results, exemplar and windows, one point a row.

    Parameters
    ----------
    bands : Dataset
        `matlens.microstructure.statistics.Comparison.curves`.

    Returns
    -------
    DataFrame
        Columns ``statistic`` (two_point, lineal_path, cluster), ``phase``, ``axis`` (radial, z, y, x), ``source``
        (exemplar, windows, result I, result at z = I), ``distance`` (in the exemplar's unit), ``value`` and, for
        windows, ``low`` and ``high`` (5 % and 95 %). As far as the results' curves go.

    Examples
    --------
    >>> from matlens.microstructure.problems import gaussian_field
    >>> from matlens.microstructure.statistics import compare
    >>> field = gaussian_field((64, 64), 3.0, 0.4, seed=0)
    >>> found = compare(field.crop(slice(0, 32), slice(0, 32)), field, controls=False, copying=False)
    >>> sorted(set(curves_of_comparison(found.curves)["source"]))
    ['exemplar', 'result 0', 'windows']
    """
    rows: list[pd.DataFrame] = []
    for place in _places(bands):
        name, distance = place.variable, _distance(bands, place.axis)
        results = bands[f"{name}_result"].isel(place.at).to_numpy()
        reach = int((~np.isnan(results)).all(axis=0).sum())
        band = {end: bands[f"{name}_{end}"].isel(place.at).to_numpy()[:reach] for end in ("low", "high")}
        if not np.isnan(band["low"]).all():
            rows.append(_rows(place, "windows", distance[:reach], np.full(reach, np.nan)).assign(**band))
        exemplar = bands[f"{name}_exemplar"].isel(place.at).to_numpy()
        rows.append(_rows(place, "exemplar", distance[:reach], exemplar[:reach]))
        names = bands["realisation"].values  # numbers, or places of the planes of a volume
        for number, curve in zip(names, results):
            rows.append(_rows(place, f"result {number}", distance[:reach], curve[:reach]))
    return pd.concat(rows, ignore_index=True).reindex(columns=_COLUMNS)


def _places(bands: xr.Dataset) -> Iterator[_Place]:
    """Statistic, phase and axis of every curve, with where it stands in the data set."""
    for statistic, variable in displayed("curves"):
        if f"{variable.name}_result" not in bands:
            continue
        for phase, name in enumerate(bands["phase_name"].values):
            if "axis" in variable.dims:
                for index, axis in enumerate(bands["axis"].values):
                    at = {"phase": phase, "axis": index}
                    yield _Place(statistic.name, str(name), str(axis), variable.name, at)
            else:
                yield _Place(statistic.name, str(name), "radial", variable.name, {"phase": phase})


def _distance(bands: xr.Dataset, axis: str) -> NDArray[np.float64]:
    chosen = bands["distance_radial"] if axis == "radial" else bands["distance"].sel(axis=axis)
    return np.asarray(chosen.to_numpy(), dtype=np.float64)


def _rows(place: _Place, source: str, distance: NDArray[np.float64], values: NDArray[np.float64]) -> pd.DataFrame:
    columns = {"statistic": place.statistic, "phase": place.phase, "axis": place.axis, "source": source}
    return pd.DataFrame({**columns, "distance": distance, "value": values})
