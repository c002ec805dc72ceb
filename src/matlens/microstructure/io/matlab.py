"""MAT files up to version 7.2; files of version 7.3 are HDF5 and are read as such."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from matlens.errors import InputError
from matlens.microstructure.io.hdf5 import read_hdf5
from matlens.microstructure.io.image import Image, pick

__all__ = ["read_mat"]


def read_mat(path: Path, dataset: str | None = None) -> Image:
    """Read one numeric array of a MAT file.

    Parameters
    ----------
    path : Path
        The file.
    dataset : str, optional
        Name of the array; by default the only one.

    Returns
    -------
    Image
        The values in MATLAB's order of axes, without a spacing.

    Raises
    ------
    InputError
        If no array or more than one array fits, or the asked one is not numeric.

    Examples
    --------
    >>> import tempfile
    >>> from scipy.io import savemat
    >>> path = Path(tempfile.mkdtemp()) / "m.mat"
    >>> savemat(path, {"labels": np.eye(3)})
    >>> read_mat(path).values.shape
    (3, 3)
    """
    from scipy.io import loadmat

    try:
        variables = loadmat(path)
    except NotImplementedError:  # SciPy's answer to version 7.3
        image = read_hdf5(path, dataset)
        return Image(image.values.T)  # MATLAB keeps the first axis contiguous, HDF5 the last
    found = {key: value for key, value in variables.items() if isinstance(value, np.ndarray)}
    arrays = {key: value for key, value in _with_fields(found).items() if value.size > 1}
    if dataset in arrays and arrays[dataset].dtype.kind not in "buif":
        raise InputError(f"{path.name} holds {dataset!r} as {arrays[dataset].dtype}; save a plain numeric array.")
    shapes = {key: value.shape for key, value in arrays.items() if value.dtype.kind in "buif" and min(value.shape) > 1}
    return Image(arrays[pick(shapes, dataset, path.name)])


def _with_fields(arrays: dict[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
    """Add the fields of structs as ``struct/field``, also of structs in structs."""
    found: dict[str, NDArray[Any]] = {}
    for key, value in arrays.items():
        if value.dtype.names is None:
            found[key] = value
        elif value.size == 1:
            fields = {f"{key}/{name}": np.asarray(value[name].item()) for name in value.dtype.names}
            found.update(_with_fields(fields))
    return found
