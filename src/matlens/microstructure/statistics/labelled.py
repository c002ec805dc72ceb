"""Variables of the data set of statistics: dimensions, names, units, and why a value may be missing."""

from __future__ import annotations

import numpy as np
import xarray as xr
from numpy.typing import NDArray

__all__ = ["Named", "fitted", "variable"]

Named = dict[str, xr.Variable]


def fitted(values: NDArray[np.float64], size: int) -> NDArray[np.float64]:
    """Pad radial curves, which end at half the shortest side, with NaN.

    Examples
    --------
    >>> fitted(np.array([1.0, 0.5]), 3)
    array([1. , 0.5, nan])
    """
    return np.pad(values, [(0, 0)] * (values.ndim - 1) + [(0, size - values.shape[-1])], constant_values=np.nan)


def variable(
    dims: str, values: NDArray[np.generic] | float, name: str, units: str = "1", *, missing: str = ""
) -> xr.Variable:
    """Give an array its dimensions, written with spaces, and attributes; ``missing`` says what NaN in it means.

    Examples
    --------
    >>> variable("phase", np.array([0.4, 0.6]), "volume fraction").attrs["units"]
    '1'
    """
    reason = {"missing": missing} if missing else {}
    return xr.Variable(dims.split(), values, {"long_name": name, "units": units, **reason})
