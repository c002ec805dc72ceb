"""Tables that a run keeps as CSV: the same numbers give the same bytes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import NDArray

from matlens.core.atomic import atomic_write
from matlens.runs.directory import RunDirectory

__all__ = ["curves_of_comparison", "curves_of_files", "read_table", "write_table"]

_CURVES = {"two_point": "two_point_radial", "lineal_path": "lineal_path", "cluster": "cluster_radial"}
_COLUMNS = ["statistic", "phase", "axis", "source", "distance", "value", "low", "high"]


def write_table(run: RunDirectory, name: str, table: pd.DataFrame) -> None:
    """Write ``name.csv`` with every digit needed to read the same numbers back."""
    with atomic_write(run.claim(f"{name}.csv")) as temporary:
        table.to_csv(temporary, index=False, lineterminator="\n")


def read_table(run: RunDirectory, name: str) -> pd.DataFrame | None:
    """Read ``name.csv`` of a run; None when the run has no such table, or an empty one."""
    file = run.path / f"{name}.csv"
    if not file.is_file() or not file.read_text(encoding="utf-8").strip():
        return None
    return pd.read_csv(file)


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
        (exemplar, windows, result I), ``distance`` (in the exemplar's unit), ``value`` and, for windows, ``low`` and
        ``high`` (5 % and 95 %). As far as the results' curves go.

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
    for key, place in _places(bands):
        name, distance = _CURVES[key[0]], _distance(bands, key[2])
        results = bands[f"{name}_result"].isel(place).to_numpy()
        reach = int((~np.isnan(results)).all(axis=0).sum())
        band = {end: bands[f"{name}_{end}"].isel(place).to_numpy()[:reach] for end in ("low", "high")}
        if not np.isnan(band["low"]).all():
            rows.append(_rows(key, "windows", distance[:reach], np.full(reach, np.nan)).assign(**band))
        exemplar = bands[f"{name}_exemplar"].isel(place).to_numpy()
        rows.append(_rows(key, "exemplar", distance[:reach], exemplar[:reach]))
        for index, curve in enumerate(results):
            rows.append(_rows(key, f"result {index}", distance[:reach], curve[:reach]))
    return pd.concat(rows, ignore_index=True).reindex(columns=_COLUMNS)


def curves_of_files(statistics: xr.Dataset, names: Sequence[str]) -> pd.DataFrame:
    """List the curves of characterized files, one point a row; ``source`` is the file.

    Examples
    --------
    >>> from matlens.microstructure.problems import checkerboard
    >>> from matlens.microstructure.statistics import characterize
    >>> table = curves_of_files(characterize(checkerboard((16, 16), cell=4)), ["board"])
    >>> table["source"].unique().tolist(), len(table)
    (['board'], 72)
    """
    files = statistics if "file" in statistics.dims else statistics.expand_dims("file")
    rows = []
    for key, place in _places(statistics):
        values = files[_CURVES[key[0]]].isel(place).to_numpy()
        for name, curve in zip(names, values):
            reach = int((~np.isnan(curve)).sum())
            rows.append(_rows(key, name, _distance(statistics, key[2])[:reach], curve[:reach]))
    return pd.concat(rows, ignore_index=True).reindex(columns=_COLUMNS)


def _places(dataset: xr.Dataset) -> Iterator[tuple[tuple[str, str, str], dict[str, int]]]:
    """Statistic, phase and axis of every curve, with where it stands in the data set."""
    for statistic in _CURVES:
        for phase, name in enumerate(dataset["phase_name"].values):
            if statistic == "lineal_path":
                for index, axis in enumerate(dataset["axis"].values):
                    yield (statistic, str(name), str(axis)), {"phase": phase, "axis": index}
            else:
                yield (statistic, str(name), "radial"), {"phase": phase}


def _distance(dataset: xr.Dataset, axis: str) -> NDArray[np.float64]:
    chosen = dataset["distance_radial"] if axis == "radial" else dataset["distance"].sel(axis=axis)
    return np.asarray(chosen.to_numpy(), dtype=np.float64)


def _rows(
    key: tuple[str, str, str], source: str, distance: NDArray[np.float64], values: NDArray[np.float64]
) -> pd.DataFrame:
    statistic, phase, axis = key
    columns = {"statistic": statistic, "phase": phase, "axis": axis, "source": source}
    return pd.DataFrame({**columns, "distance": distance, "value": values})
