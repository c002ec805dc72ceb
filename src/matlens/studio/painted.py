"""Masks that are painted on the page: runs of pixels between page and file, and a file of its own for each mask."""

from __future__ import annotations

import hashlib
import io
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from matlens.core.atomic import replace_file
from matlens.errors import InputError

__all__ = ["drawn", "is_painted", "runs_of", "write_mask"]

_NAME = re.compile(r".\.mask-[0-9a-f]{10}\.(png|tif)$")
_LARGEST = 1 << 24  # pixels that are painted on


def is_painted(name: str) -> bool:
    """Tell the file of a painted mask by its name.

    Parameters
    ----------
    name : str
        Name of a file.

    Returns
    -------
    bool
        Whether `write_mask` names files so.

    Examples
    --------
    >>> is_painted("sem.mask-0123456789.png"), is_painted("sem.png")
    (True, False)
    """
    return _NAME.search(name) is not None


def drawn(runs: Any, rows: int, columns: int) -> NDArray[np.bool_]:
    """Draw runs of pixels as the page sends them.

    Parameters
    ----------
    runs : list of int
        Start and length of each run in turn; the start is counted row by row from the top left.
    rows, columns : int
        Size of what was painted on.

    Returns
    -------
    ndarray of bool, shape (rows, columns)
        True where it was painted.

    Raises
    ------
    InputError
        If these are no runs of that picture.

    Examples
    --------
    >>> drawn([1, 2], 2, 3).tolist()
    [[False, True, True], [False, False, False]]
    """
    if not 0 < rows * columns <= _LARGEST or min(rows, columns) < 1:
        raise InputError(f"found a mask of {rows} x {columns} pixels; paint on a picture of at most 16 million.")
    whole = isinstance(runs, list) and len(runs) % 2 == 0 and all(type(number) is int for number in runs)
    pairs = list(zip(runs[::2], runs[1::2])) if whole else []
    if not whole or any(start < 0 or length < 1 or start + length > rows * columns for start, length in pairs):
        raise InputError("found no runs of pixels; send start and length of each within the picture.")
    flat = np.zeros(rows * columns, dtype=bool)
    for start, length in pairs:
        flat[start : start + length] = True
    return flat.reshape(rows, columns)


def runs_of(painted: NDArray[np.bool_]) -> list[int]:
    """Write what was painted as runs of pixels.

    Parameters
    ----------
    painted : ndarray of bool, shape (rows, columns)
        True where it was painted.

    Returns
    -------
    list of int
        See `drawn`.

    Examples
    --------
    >>> runs_of(np.array([[False, True], [True, False]]))
    [1, 2]
    """
    edges = np.flatnonzero(np.diff(painted.ravel().astype(np.int8), prepend=0, append=0))
    starts, ends = edges[::2], edges[1::2]
    return np.column_stack([starts, ends - starts]).ravel().tolist()


def write_mask(picture: Path, painted: NDArray[np.bool_], shape: Sequence[int], step: int) -> Path:
    """Write a mask beside its picture: black where it was painted, as the option ``--mask`` reads it.

    Its name holds the hash of its content, so that the mask of a run is never changed by painting on.

    Parameters
    ----------
    picture : Path
        The picture or volume.
    painted : ndarray of bool, shape (rows, columns)
        True where it was painted; every ``step``-th pixel of the picture. In a volume it holds for all slices along z.
    shape : sequence of int
        Shape of the picture.
    step : int
        Pixels of the picture along a side of a pixel that was painted.

    Returns
    -------
    Path
        The file.

    Raises
    ------
    InputError
        If the sizes do not agree.
    RunError
        If the file cannot be written.

    Examples
    --------
    >>> import tempfile
    >>> picture = Path(tempfile.mkdtemp()) / "sem.png"
    >>> write_mask(picture, np.eye(2, dtype=bool), (4, 4), 2).name
    'sem.mask-0dd83d1424.png'
    """
    rows, columns = shape[-2:]
    if step < 1 or painted.shape != (-(-rows // step), -(-columns // step)):
        raise InputError(
            f"the mask was painted on {painted.shape[0]} x {painted.shape[1]} pixels, and the picture has {rows} x "
            f"{columns}; open the picture again."
        )
    plane = np.where(painted, 0, 255).astype(np.uint8).repeat(step, 0).repeat(step, 1)[:rows, :columns]
    digest = hashlib.sha256(repr(tuple(shape)).encode() + plane.tobytes()).hexdigest()[:10]
    content = io.BytesIO()
    if len(shape) == 3:
        import tifffile

        volume = np.broadcast_to(plane, tuple(shape))
        tifffile.imwrite(content, volume, photometric="minisblack", compression="zlib", metadata={"axes": "ZYX"})
    else:
        from PIL import Image

        Image.fromarray(plane).save(content, format="PNG")
    place = picture.with_name(f"{picture.name.split('.')[0]}.mask-{digest}.{'tif' if len(shape) == 3 else 'png'}")
    replace_file(place, content.getvalue())
    return place
