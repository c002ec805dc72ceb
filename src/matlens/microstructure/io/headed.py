"""Numbers that a header describes: behind it, or in a file beside it; read whole, or opened in blocks."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from matlens.errors import InputError
from matlens.microstructure.io.parts import MappedValues
from matlens.microstructure.io.raw import Packing, shaped, unpacked

__all__ = ["HeadedNumbers", "file_beside"]


@dataclass(frozen=True)
class HeadedNumbers:
    """Where numbers lie, and of what kind they are.

    Attributes
    ----------
    header : Path
        The file with the header, for messages.
    file : Path
        The file with the numbers, which may be the same.
    offset : int
        Bytes before the first number.
    dtype : dtype
        Type of the numbers.
    shape : tuple of int
        Shape, slices x rows x columns.
    packing : {"zlib", "gzip", "bz2"}, optional
        How they are packed.

    Examples
    --------
    >>> import tempfile
    >>> file = Path(tempfile.mkdtemp()) / "m.bin"
    >>> _ = file.write_bytes(bytes(range(8)))
    >>> numbers = HeadedNumbers(file, file, 2, np.dtype("u1"), (2, 3))
    >>> numbers.whole().tolist(), numbers.mapped()[0:1, 1:3].tolist()
    ([[2, 3, 4], [5, 6, 7]], [[3, 4]])
    """

    header: Path
    file: Path
    offset: int
    dtype: np.dtype[Any]
    shape: tuple[int, ...]
    packing: Packing | None = None

    def whole(self) -> NDArray[Any]:
        """Read all numbers.

        Returns
        -------
        ndarray
            The numbers.

        Raises
        ------
        InputError
            If there are fewer bytes than the header says, or they do not fit the memory.
        """
        needed = math.prod(self.shape) * self.dtype.itemsize
        with open(self.file, "rb") as file:
            file.seek(self.offset)
            content = file.read() if self.packing else file.read(needed)
        if self.packing:
            content = unpacked(content, self.packing, needed, self.header.name)
        return shaped(content, self.dtype, self.shape, self.header.name)

    def mapped(self) -> MappedValues:
        """Open the numbers, of which blocks are read.

        Returns
        -------
        MappedValues
            The numbers.

        Raises
        ------
        InputError
            If they are packed, or there are fewer bytes than the header says.
        """
        if self.packing:
            raise InputError(
                f"{self.header.name} holds packed numbers, which are read whole only; save it without compression to "
                "work on it in blocks."
            )
        return MappedValues(self.file, self.shape, self.dtype, self.offset)


def file_beside(path: Path, name: str) -> Path:
    """Return the file that a header names for its data; it must lie beside the header.

    Parameters
    ----------
    path : Path
        The file with the header.
    name : str
        What the header names.

    Returns
    -------
    Path
        That file.

    Raises
    ------
    InputError
        If the file is missing, or the name leads elsewhere: a file that was received could show any file of this
        machine as a picture.

    Examples
    --------
    >>> file_beside(Path("m.mhd"), "/etc/hostname")
    Traceback (most recent call last):
    matlens.errors.InputError: m.mhd takes its data from '/etc/hostname', which does not lie beside it; put the data
    into the folder of the header, and name it there without a folder.
    """
    if Path(name).name != name or not name.strip("."):
        raise InputError(
            f"{path.name} takes its data from {name!r}, which does not lie beside it; put the data into the folder of "
            "the header, and name it there without a folder."
        )
    if not (path.parent / name).is_file():
        raise InputError(f"{path.name} is a header whose values are in {name}; put that file beside it.")
    return path.parent / name
