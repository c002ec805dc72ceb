"""DREAM3D files of both generations: ``DataContainers`` (SIMPL, to version 6.5) and ``DataStructure`` (DREAM3D-NX).

Both keep cell arrays as (z, y, x, components) and the geometry in the order x, y, z: SIMPL as datasets of the group
``_SIMPL_GEOMETRY`` beside the cell data, NX as attributes of the image geometry that holds the cell data.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from matlens.errors import InputError
from matlens.microstructure.io.image import Image, pick

__all__ = ["is_dream3d", "read_dream3d"]

_PREFERRED = ("Phases", "FeatureIds")
_Geometry = tuple[tuple[int, ...], tuple[float, ...]]  # shape and spacing, both (z, y, x)


def is_dream3d(file: Any) -> bool:
    """Whether an open HDF5 file is one of DREAM3D's."""
    return "DataContainers" in file or "DataStructure" in file


def read_dream3d(file: Any, dataset: str | None, name: str) -> Image:
    """Read a cell array with one component: the asked one, else ``Phases``, else ``FeatureIds``, else the only one."""
    geometries = _geometries(file)
    if not geometries:
        raise InputError(f"{name} holds no image geometry; MatLens reads regular grids of voxels only.")
    shapes = _cell_arrays(file, geometries)
    preferred = _PREFERRED if dataset is None else ()
    key = pick(shapes, dataset, name, preferred)
    shape, spacing = _owner(key, geometries)
    note = "The DREAM3D file gives no unit of length; micrometres were assumed."
    return Image(file[key][()].reshape(shape), spacing, "um", notes=(note,))


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


def _cell_arrays(file: Any, geometries: dict[str, _Geometry]) -> dict[str, tuple[int, ...]]:
    shapes: dict[str, tuple[int, ...]] = {}

    def note(key: str, item: Any) -> None:
        sides = getattr(item, "shape", None)
        owner = _owner(key, geometries)
        if sides is not None and owner is not None and "_SIMPL_GEOMETRY" not in key and item.dtype.kind in "buif":
            grid = owner[0]
            if tuple(sides) in (grid, (*grid, 1)) or (sides == (int(np.prod(grid)),)):
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
