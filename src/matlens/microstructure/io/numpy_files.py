"""NumPy's own files: NPY holds labels alone, NPZ also spacing, unit, phase names and periodicity."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from matlens.core.atomic import atomic_write
from matlens.errors import InputError
from matlens.microstructure.io.image import Image, pick
from matlens.microstructure.structure import Microstructure

__all__ = ["read_npy", "read_npz", "write_npy", "write_npz"]


def read_npy(path: Path, dataset: str | None = None) -> Image:
    """Read the one array of an NPY file; objects (pickles) are refused."""
    values = np.load(path, allow_pickle=False)
    if not isinstance(values, np.ndarray):
        values.close()
        raise InputError(f"{path.name} is an NPZ archive; rename it to {path.stem}.npz.")
    return Image(values)


def read_npz(path: Path, dataset: str | None = None) -> Image:
    """Read one array of an NPZ file, with the attributes MatLens stores beside it."""
    archive = np.load(path, allow_pickle=False)
    if isinstance(archive, np.ndarray):
        raise InputError(f"{path.name} is an NPY file; rename it to {path.stem}.npy.")
    with archive:
        arrays = {key: archive[key] for key in archive.files}
    shapes = {key: array.shape for key, array in arrays.items() if array.ndim >= 2}
    values = arrays[pick(shapes, dataset, path.name, preferred=("labels",))]
    names = arrays.get("phase_names")
    return Image(
        values,
        tuple(np.atleast_1d(arrays["spacing"]).astype(float).tolist()) if "spacing" in arrays else None,
        str(arrays["unit"]) if "unit" in arrays else None,
        phase_names=None if names is None else tuple(str(name) for name in names),
        periodic=bool(arrays.get("periodic", False)),
    )


def write_npy(microstructure: Microstructure, path: Path) -> None:
    """Write the labels (uint8)."""
    with atomic_write(path) as temporary:
        np.save(temporary, microstructure.labels, allow_pickle=False)


def write_npz(microstructure: Microstructure, path: Path) -> None:
    """Write labels and all attributes, compressed."""
    with atomic_write(path) as temporary:
        np.savez_compressed(
            temporary,
            labels=microstructure.labels,
            spacing=np.array(microstructure.spacing),
            unit=np.array(microstructure.unit),
            phase_names=np.array(microstructure.phase_names),
            periodic=np.array(microstructure.periodic),
        )
