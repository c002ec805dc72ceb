"""Long tables out of the data set of statistics: what the report draws, with units and reasons."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import pandas as pd
import xarray as xr

__all__ = ["distributions_of_files", "measures_of_files"]

_RADIAL = ("chord_length", "local_thickness", "particle_size", "surface_surface")


def distributions_of_files(statistics: xr.Dataset, names: Sequence[str]) -> pd.DataFrame:
    """List chord lengths, local thickness, particle sizes and the surface-surface correlation, one point a row.

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
    parts = []
    for statistic in _RADIAL:
        for place, values in _places(statistics, statistic, names):
            distance = statistics["distance_radial"]
            if place["axis"] != "radial":
                distance = statistics["distance"].sel(axis=place["axis"])
            rows = pd.DataFrame({**place, "distance": distance.to_numpy(), "value": values.to_numpy()})
            first = 1 if statistic == "chord_length" else 0  # no chord has no pixels
            parts.append(rows.iloc[first:].dropna(subset="value"))
    return pd.concat([part for part in parts if len(part)], ignore_index=True)


def measures_of_files(statistics: xr.Dataset, names: Sequence[str]) -> pd.DataFrame:
    """List every single number, one a row, with its unit and, where it is NaN, the reason.

    Returns
    -------
    DataFrame
        Columns ``statistic``, ``phase`` and ``axis`` (empty where there is none), ``source``, ``value``, ``unit``,
        ``missing``.

    Examples
    --------
    >>> from matlens.microstructure.problems import checkerboard
    >>> from matlens.microstructure.statistics import characterize
    >>> table = measures_of_files(characterize(checkerboard((16, 16), cell=4)), ["board"])
    >>> table[table["statistic"] == "tortuosity_factor"]["missing"].unique().tolist()
    ['the phase does not percolate along the axis']
    """
    rows = []
    for statistic, variable in statistics.data_vars.items():
        if not {"r", "other"} & set(variable.dims):
            for place, value in _places(statistics, str(statistic), names):
                number = float(value)
                reason = variable.attrs.get("missing", "") if np.isnan(number) else ""
                rows.append({**place, "value": number, "unit": variable.attrs["units"], "missing": reason})
    return pd.DataFrame(rows)


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
