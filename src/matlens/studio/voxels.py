"""Labels of whole structures for the page: the volume in space, its slices, and structures side by side."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

import numpy as np

from matlens.core.settings import read_options
from matlens.errors import InputError

__all__ = ["UNKNOWN", "voxels"]

UNKNOWN = 255
"""Label of voxels that are masked."""

_LARGEST = 512  # voxels of a side that are sent, unless fewer are asked for


def voxels(asked: Mapping[str, Any]) -> tuple[dict[str, Any], bytes]:
    """Read a structure, or segment a picture by the options of the page, and give its labels.

    Parameters
    ----------
    asked : mapping
        ``file``, a path; ``options`` of segmentation, for a file of grey values; ``most``, the largest side that is
        wanted. Of a larger structure every n-th voxel is given.

    Returns
    -------
    dict
        ``shape`` of what is sent, in the order (z, y, x); ``step``, which is n; ``spacing`` of what is sent, its
        ``unit``, and ``phases`` with name and share of the whole structure.
    bytes
        A byte for each voxel, x running fastest; `UNKNOWN` where it is masked.

    Raises
    ------
    InputError
        If the file or an option cannot be used.

    Examples
    --------
    >>> import tempfile
    >>> file = tempfile.mkdtemp() + "/a.npy"
    >>> np.save(file, np.array([[0, 0], [0, 1]], dtype=np.uint8))
    >>> found, labels = voxels({"file": file})
    >>> found["shape"], [phase["share"] for phase in found["phases"]], labels
    ([2, 2], [0.75, 0.25], b'\\x00\\x00\\x00\\x01')
    """
    from matlens.microstructure.io import read_image
    from matlens.microstructure.segmentation import CleaningOptions, segment

    file = str(asked["file"])
    most = asked.get("most", _LARGEST)
    if not isinstance(most, int) or most < 1:
        raise InputError(f"found {str(most)[:20]!r} as the largest side; expected a whole number above 0.")
    given = {name: value for name, value in dict(asked.get("options") or {}).items() if value not in ("", False)}
    dataset = given.pop("dataset", None)
    given.pop("segmentation", None)
    options: CleaningOptions = read_options(CleaningOptions, given)
    made = segment(read_image(file, dataset=dataset), options, name=os.path.basename(file), propose=True)
    structure = made.microstructure
    step = max(1, -(-max(structure.shape) // min(most, _LARGEST)))
    part = (slice(None, None, step),) * structure.ndim
    labels = np.ascontiguousarray(structure.labels[part], dtype=np.uint8)
    if structure.mask is not None:
        labels = np.where(structure.mask[part], labels, np.uint8(UNKNOWN))
    found = {
        "shape": list(labels.shape),
        "step": step,
        "spacing": [float(size) * step for size in structure.spacing],
        "unit": structure.unit,
        "phases": [
            {"name": name, "share": float(share)}
            for name, share in zip(structure.phase_names, structure.volume_fractions)
        ],
    }
    return found, labels.tobytes()
