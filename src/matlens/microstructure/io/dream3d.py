"""DREAM3D files of both generations: ``DataContainers`` (SIMPL, to version 6.5) and ``DataStructure`` (DREAM3D-NX).

Both keep cell arrays as (z, y, x, components) and the geometry in the order x, y, z: SIMPL as datasets of the group
``_SIMPL_GEOMETRY`` beside the cell data, NX as attributes of the image geometry that holds the cell data.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from matlens.core.hdf5 import check_size
from matlens.errors import InputError
from matlens.microstructure.io.image import Image, pick

__all__ = ["is_dream3d", "read_dream3d"]

_PREFERRED = ("Phases", "FeatureIds")
_Geometry = tuple[tuple[int, ...], tuple[float, ...]]  # shape and spacing, both (z, y, x)


def is_dream3d(file: Any) -> bool:
    """Return whether an open HDF5 file was written by DREAM3D.

    Parameters
    ----------
    file : h5py.File
        The open file.

    Returns
    -------
    bool
        True for either generation of the format.

    Examples
    --------
    >>> is_dream3d({"labels": None})
    False
    """
    return "DataContainers" in file or "DataStructure" in file


def read_dream3d(file: Any, dataset: str | None, name: str) -> Image:
    """Read a cell array with one component from an open DREAM3D file.

    Parameters
    ----------
    file : h5py.File
        The open file.
    dataset : str, optional
        Name of the array; by default ``Phases``, else ``FeatureIds``, else the only one.
    name : str
        File name, for messages.

    Returns
    -------
    Image
        Values of shape (z, y, x), with the spacing of their geometry. The unit is assumed to be micrometres.

    Raises
    ------
    InputError
        If the file holds no image geometry, or no array or more than one array fits.

    Examples
    --------
    >>> import h5py
    >>> file = h5py.File("example", "w", driver="core", backing_store=False)
    >>> cells = file.create_group("DataStructure/Image")
    >>> cells.attrs["_DIMENSIONS"], cells.attrs["_SPACING"] = [4, 3, 2], [0.5, 0.5, 1.0]
    >>> cells["Cell Data/Phases"] = np.ones((2, 3, 4, 1), dtype=np.int32)
    >>> image = read_dream3d(file, None, "example.dream3d")
    >>> image.values.shape, image.spacing
    ((2, 3, 4), (1.0, 0.5, 0.5))
    """
    geometries = _geometries(file)
    if not geometries:
        raise InputError(f"{name} holds no image geometry; export one, MatLens reads regular grids of voxels only.")
    shapes = _cell_arrays(file, geometries, components=1)
    colour = not shapes
    shapes = shapes or _cell_arrays(file, geometries, components=3)
    preferred = _PREFERRED if dataset is None else ()
    key = pick(shapes, dataset, name, preferred)
    shape, spacing = _owner(key, geometries)
    note = "The DREAM3D file gives no unit of length; micrometres were assumed."
    check_size(file[key], name)
    values = file[key][()].reshape((*shape, 3) if colour else shape)
    if colour and shape[0] == 1:
        values, spacing = values[0], spacing[1:]
    names = _phase_names(file) if key.rsplit("/", 1)[-1] == "Phases" else {}
    return Image(values, spacing, "um", colour=colour, notes=(note,), scale="DREAM3D geometry", value_names=names)


def _phase_names(file: Any) -> dict[int, str]:
    """Names of the phases by their numbers; number 0 stands for what is unknown."""
    found: dict[int, str] = {}

    def note(key: str, item: Any) -> None:
        if key.rsplit("/", 1)[-1] in ("PhaseName", "MaterialName") and getattr(item, "shape", None):
            texts = np.ravel(item[()])
            found.update(
                {k: t.decode(errors="replace") if isinstance(t, bytes) else str(t) for k, t in enumerate(texts) if k}
            )

    file.visititems(note)
    return found


def _geometries(file: Any) -> dict[str, _Geometry]:
    """Path of each group that holds cell data -> its grid."""
    found: dict[str, _Geometry] = {}

    def note(key: str, item: Any) -> None:
        if key.endswith("/_SIMPL_GEOMETRY") and "DIMENSIONS" in item and "SPACING" in item:
            found[key.rsplit("/", 1)[0]] = _reversed(item["DIMENSIONS"][()], item["SPACING"][()])
        elif "_DIMENSIONS" in item.attrs and "_SPACING" in item.attrs:
            found[key] = _reversed(item.attrs["_DIMENSIONS"], item.attrs["_SPACING"])

    file.visititems(note)
    return found


def _cell_arrays(file: Any, geometries: dict[str, _Geometry], components: int) -> dict[str, tuple[int, ...]]:
    """Arrays with one number a voxel, or with three bytes, which are red, green and blue."""
    shapes: dict[str, tuple[int, ...]] = {}

    def note(key: str, item: Any) -> None:
        sides = getattr(item, "shape", None)
        owner = _owner(key, geometries)
        if sides is not None and owner is not None and "_SIMPL_GEOMETRY" not in key and item.dtype.kind in "buif":
            grid = owner[0]
            single = tuple(sides) in (grid, (*grid, 1)) or sides == (int(np.prod(grid)),)
            if single if components == 1 else tuple(sides) == (*grid, components) and item.dtype == np.uint8:
                shapes[key] = grid

    file.visititems(note)
    return shapes


def _owner(key: str, geometries: dict[str, _Geometry]) -> Any:
    """Grid of the nearest geometry above a path, None outside all of them."""
    above = [path for path in geometries if key.startswith(f"{path}/")]
    return geometries[max(above, key=len)] if above else None


def _reversed(dimensions: Any, spacing: Any) -> _Geometry:
    shape = tuple(int(side) for side in np.ravel(dimensions)[::-1])
    return shape, tuple(float(step) for step in np.ravel(spacing)[::-1])
