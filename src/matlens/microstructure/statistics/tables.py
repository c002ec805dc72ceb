"""Long and wide tables out of the data set of statistics, with units and reasons for missing values."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
import pandas as pd
import xarray as xr

from matlens.microstructure.statistics.catalogue import displayed
from matlens.microstructure.statistics.statistic import CurveSection

__all__ = ["curves_of_files", "distributions_of_files", "measures_of_files", "scalars_of_files"]

_COLUMNS = ["statistic", "phase", "axis", "source", "distance", "value"]


def curves_of_files(
    statistics: xr.Dataset, names: Sequence[str], ranges: Mapping[str, xr.Dataset] | None = None
) -> pd.DataFrame:
    """List two-point probabilities, lineal paths and cluster functions, a row for each point.

    Parameters
    ----------
    statistics : Dataset
        What `matlens.microstructure.statistics.characterize` returned, for one file or several.
    names : sequence of str
        Name of each file.
    ranges : mapping of str to Dataset, optional
        What `matlens.microstructure.statistics.threshold_ranges` returned for the grey files among them, by name.

    Returns
    -------
    DataFrame
        Columns as in `distributions_of_files`, and ``low`` and ``high``, the range by the thresholds, which are empty
        for files without it; without rows where the data set has none of these statistics.

    Examples
    --------
    >>> from matlens.microstructure.problems import checkerboard
    >>> from matlens.microstructure.statistics import characterize
    >>> table = curves_of_files(characterize(checkerboard((16, 16), cell=4)), ["board"])
    >>> table["source"].unique().tolist(), len(table)
    (['board'], 72)
    """
    found = _points(statistics, "curves", names)
    ends = [
        pd.concat(
            [_points(of_file.sel(end=end), "curves", [name]) for name, of_file in (ranges or {}).items()] or [found[:0]]
        ).rename(columns={"value": end})
        for end in ("low", "high")
    ]
    for end in ends:
        found = found.merge(end, how="left")
    return found


def distributions_of_files(statistics: xr.Dataset, names: Sequence[str]) -> pd.DataFrame:
    """List chord lengths, local thickness, particle sizes and surface-surface correlation, a row for each point.

    Parameters
    ----------
    statistics : Dataset
        What `matlens.microstructure.statistics.characterize` returned, for one file or several.
    names : sequence of str
        Name of each file.

    Returns
    -------
    DataFrame
        Columns ``statistic``, ``phase``, ``axis`` (radial, z, y, x), ``source`` (the file), ``distance`` in the file's
        unit, ``value``; what is not known is left out.

    Examples
    --------
    >>> from matlens.microstructure.problems import checkerboard
    >>> from matlens.microstructure.statistics import characterize
    >>> table = distributions_of_files(characterize(checkerboard((16, 16), cell=4)), ["board"])
    >>> table["statistic"].unique().tolist()
    ['chord_length', 'local_thickness', 'particle_size', 'surface_surface']
    """
    return _points(statistics, "sizes", names)


def _points(statistics: xr.Dataset, section: CurveSection, names: Sequence[str]) -> pd.DataFrame:
    parts = []
    for statistic, variable in displayed(section):
        if variable.name not in statistics or variable.display is None:
            continue
        for place, values in _places(statistics, variable.name, names):
            distance = statistics["distance_radial"]
            if place["axis"] != "radial":
                distance = statistics["distance"].sel(axis=place["axis"])
            # tables of curves go by the statistic: "two_point", not "two_point_radial"
            columns = {**place, "statistic": statistic.name}
            rows = pd.DataFrame({**columns, "distance": distance.to_numpy(), "value": values.to_numpy()})
            parts.append(rows.iloc[variable.display.listed_from :].dropna(subset="value"))
    known = [part for part in parts if len(part)]
    return pd.concat(known, ignore_index=True) if known else pd.DataFrame(columns=_COLUMNS)


def scalars_of_files(statistics: xr.Dataset, names: Sequence[str]) -> pd.DataFrame:
    """List the single numbers of each file and phase, with a column for each axis of those that have axes.

    Parameters
    ----------
    statistics : Dataset
        What `matlens.microstructure.statistics.characterize` returned, for one file or several.
    names : sequence of str
        Name of each file.

    Returns
    -------
    DataFrame
        A row for each file and phase.

    Examples
    --------
    >>> from matlens.microstructure.problems import checkerboard
    >>> from matlens.microstructure.statistics import characterize
    >>> board = characterize(checkerboard((16, 16), cell=4), statistics=["chord_length", "specific_surface"])
    >>> list(scalars_of_files(board, ["board"]))
    ['file', 'phase', 'mean_chord_length_y', 'mean_chord_length_x', 'specific_surface']
    """
    files = statistics if "file" in statistics.dims else statistics.expand_dims("file").assign_coords(file=list(names))
    rows = []
    for name in names:
        for phase, phase_name in enumerate(statistics["phase_name"].values):
            row: dict[str, object] = {"file": name, "phase": str(phase_name)}
            part = files.sel(file=name).isel(phase=phase)
            for variable, values in part.data_vars.items():
                if values.dims == ():
                    row[str(variable)] = values.item()
                elif values.dims == ("axis",):
                    row |= {f"{variable}_{axis}": values.sel(axis=axis).item() for axis in statistics["axis"].values}
            rows.append(row)
    return pd.DataFrame(rows)


def measures_of_files(
    statistics: xr.Dataset, names: Sequence[str], ranges: Mapping[str, xr.Dataset] | None = None
) -> pd.DataFrame:
    """List every single number in a row of its own, with its unit and, where it is NaN, the reason.

    Parameters
    ----------
    statistics : Dataset
        What `matlens.microstructure.statistics.characterize` returned, for one file or several.
    names : sequence of str
        Name of each file.
    ranges : mapping of str to Dataset, optional
        What `matlens.microstructure.statistics.threshold_ranges` returned for the grey files among them, by name.

    Returns
    -------
    DataFrame
        Columns ``statistic``, ``phase`` and ``axis`` (empty where there is none), ``source``, ``value``, ``unit``,
        ``missing``, and with ranges ``threshold_low`` and ``threshold_high``.

    Examples
    --------
    >>> from matlens.microstructure.problems import checkerboard
    >>> from matlens.microstructure.statistics import characterize
    >>> table = measures_of_files(characterize(checkerboard((16, 16), cell=4)), ["board"])
    >>> table[table["statistic"] == "tortuosity_factor"]["missing"].unique().tolist()
    ['the phase does not percolate along the axis']
    """
    rows, columns = [], ["statistic", "phase", "axis", "source", "value", "unit", "missing"]
    for statistic, variable in statistics.data_vars.items():
        if not {"r", "other"} & set(variable.dims):
            for place, value in _places(statistics, str(statistic), names):
                number = float(value)
                reason = variable.attrs.get("missing", "") if np.isnan(number) else ""
                rows.append({**place, "value": number, "unit": variable.attrs["units"], "missing": reason})
    found = pd.DataFrame(rows, columns=columns)
    moved = [
        {**place, **{f"threshold_{end}": float(values.sel(end=end)) for end in ("low", "high")}}
        for name, of_file in (ranges or {}).items()
        for statistic, variable in of_file.data_vars.items()
        if "r" not in variable.dims
        for place, values in _places(of_file, str(statistic), [name])
    ]
    return found.merge(pd.DataFrame(moved), how="left") if moved else found


def _places(
    statistics: xr.Dataset, statistic: str, names: Sequence[str]
) -> Iterator[tuple[dict[str, str], xr.DataArray]]:
    """Where each curve or number stands, in words, and itself."""
    variable = statistics[statistic]
    phases = list(enumerate(statistics["phase_name"].values)) if "phase" in variable.dims else [(None, "")]
    axes = [str(axis) for axis in statistics["axis"].values] if "axis" in variable.dims else [None]
    alone = "radial" if "r" in variable.dims else ""
    for index, name in enumerate(names):
        for phase, phase_name in phases:
            for axis in axes:
                part = variable.isel(file=index) if "file" in variable.dims else variable
                part = part if phase is None else part.isel(phase=phase)
                part = part if axis is None else part.sel(axis=axis)
                words = {"statistic": statistic, "phase": str(phase_name), "axis": axis or alone, "source": str(name)}
                yield words, part
