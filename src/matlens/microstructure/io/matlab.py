"""MAT files up to version 7.2; files of version 7.3 are HDF5 and are read as such."""

from __future__ import annotations

from pathlib import Path

import numpy as np

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
    arrays = {key: value for key, value in variables.items() if isinstance(value, np.ndarray) and value.size > 1}
    if dataset in arrays and arrays[dataset].dtype.kind not in "buif":
        raise InputError(f"{path.name} holds {dataset!r} as {arrays[dataset].dtype}; save a plain numeric array.")
    shapes = {key: value.shape for key, value in arrays.items() if value.dtype.kind in "buif" and min(value.shape) > 1}
    return Image(arrays[pick(shapes, dataset, path.name)])
