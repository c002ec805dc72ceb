"""Labelled results: data sets of xarray and tables of pandas that draw themselves."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pandas as pd
import xarray as xr
from pandas.plotting import PlotAccessor
from xarray.core.utils import UncachedAccessor
from xarray.plot.accessor import DatasetPlotAccessor

from matlens.core.display import drawn, picture

__all__ = ["ShownDataset", "ShownTable"]

_ROWS = 60  # of a table in a notebook


class _DatasetPlots(DatasetPlotAccessor):
    """The plots of xarray, such as ``plot.scatter``; a call draws the result as a whole, which xarray leaves open."""

    __slots__ = ()

    def __call__(self, *args: Any, **options: Any) -> Any:
        return drawn(self._ds, *args, **options)


class ShownDataset(xr.Dataset):  # type: ignore[no-untyped-call]
    """A data set of xarray with a figure, by ``plot()`` and in notebooks; all else is xarray's.

    Examples
    --------
    >>> data = ShownDataset({"a": ("x", [1, 2])})
    >>> type(data.isel(x=[0])).__name__, callable(data.plot.scatter)
    ('ShownDataset', True)
    """

    __slots__ = ()

    plot: Any = UncachedAccessor(_DatasetPlots)

    def _repr_html_(self) -> str:
        """The picture above the variables, for notebooks."""
        return f"{picture(self, type(self).__name__)}{super()._repr_html_()}"


class _TablePlots:
    """The plots of pandas, such as ``plot.scatter``; a call without arguments draws the result as a whole."""

    def __init__(self, table: pd.DataFrame) -> None:
        self._table = table

    def __call__(self, *args: Any, **options: Any) -> Any:
        return PlotAccessor(self._table)(*args, **options) if args or options else drawn(self._table)

    def __getattr__(self, name: str) -> Any:
        return getattr(PlotAccessor(self._table), name)


class ShownTable(pd.DataFrame):
    """A table of pandas with a figure, by ``plot()`` and in notebooks; parts of it are plain tables.

    Examples
    --------
    >>> table = ShownTable({"a": [1, 2]})
    >>> type(table.head(1)).__name__, callable(table.plot.scatter)
    ('DataFrame', True)
    """

    @property
    def _constructor(self) -> Callable[..., pd.DataFrame]:
        return pd.DataFrame

    @property
    def plot(self) -> Any:
        """The plots of pandas; a call without arguments draws the result as a whole."""
        return _TablePlots(self)

    def _repr_html_(self) -> str:
        """The picture above the rows, for notebooks."""
        return f"{picture(self, type(self).__name__)}{self.to_html(max_rows=_ROWS)}"
