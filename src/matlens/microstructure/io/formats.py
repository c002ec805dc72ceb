"""The formats of files of images and volumes; importing this module loads none of their readers and writers."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from matlens.core.late import imported

__all__ = ["FORMATS", "FileFormat", "can_read", "find_format", "recognised", "suffixes_of"]

Carried = Literal["spacing", "names", "periodicity", "volumes", "masks"]


@dataclass(frozen=True)
class FileFormat:
    """A format of files of images or volumes.

    Attributes
    ----------
    name : str
        As users call it.
    suffixes : tuple of str
        Endings of file names, with the dot, in lower case.
    read : str or None
        Its reader as ``"module:function"``, imported when the first such file is read. The function takes the path and
        the name of the asked array (None where none is asked), and returns an `Image`.
    write : str or None
        Its writer as ``"module:function"``. The function takes a `Microstructure`, an open binary file, and its
        ``options``.
    carries : tuple of {"spacing", "names", "periodicity", "volumes", "masks"}
        What such a file can hold besides the labels of a plane: the spacing with its unit, names of phases, whether
        opposite borders continue each other, three axes, and which pixels are masked.
    magic : tuple of bytes
        What such a file begins with, one of these; empty where its beginning tells nothing.
    options : tuple of {"values", "phase"}
        Keyword arguments that its writer takes: the value of each phase in the file, or the phase whose surface is
        written.
    open : str or None
        Its opener as ``"module:function"``, for volumes that do not fit into memory. The function takes what a reader
        takes, and returns an `OpenImage`, of which blocks are read.
    folder : bool
        Whether such a file is a folder.

    Examples
    --------
    >>> find_format("sandstone.tif").carries
    ('spacing', 'names', 'periodicity', 'volumes', 'masks')
    """

    name: str
    suffixes: tuple[str, ...]
    read: str | None = None
    write: str | None = None
    carries: tuple[Carried, ...] = ()
    magic: tuple[bytes, ...] = ()
    options: tuple[Literal["values", "phase"], ...] = ()
    open: str | None = None
    folder: bool = False

    def recognises(self, head: bytes) -> bool:
        """Return whether a file begins as such files do.

        Parameters
        ----------
        head : bytes
            First bytes of the file.

        Returns
        -------
        bool
            Whether it does; False for a format without such a beginning.

        Examples
        --------
        >>> find_format("a.bmp").recognises(b"BM...")
        True
        """
        return head.startswith(self.magic) if self.magic else False

    def load(self, verb: Literal["read", "write", "open"]) -> Callable[..., Any] | None:
        """Import the reader, the writer or the opener; None where the format has none."""
        where: str | None = getattr(self, verb)
        if where is None:
            return None
        loaded: Callable[..., Any] = imported(where)
        return loaded


_HERE = "matlens.microstructure.io"
_ALL: tuple[Carried, ...] = ("spacing", "names", "periodicity", "volumes", "masks")

_HDF5, _ZIP = (b"\x89HDF\r\n\x1a\n",), (b"PK\x03\x04", b"PK\x05\x06")
_TIFF = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")

FORMATS: list[FileFormat] = [
    FileFormat(
        "PNG", (".png",), f"{_HERE}.pictures:read_picture", f"{_HERE}.pictures:write_png", _ALL[:3], (b"\x89PNG",)
    ),
    FileFormat("JPEG", (".jpg", ".jpeg"), f"{_HERE}.pictures:read_picture", magic=(b"\xff\xd8\xff",)),
    FileFormat("BMP", (".bmp",), f"{_HERE}.pictures:read_picture", magic=(b"BM",)),
    FileFormat("GIF", (".gif",), f"{_HERE}.pictures:read_picture", magic=(b"GIF8",)),
    FileFormat("WebP", (".webp",), f"{_HERE}.pictures:read_picture", magic=(b"RIFF",)),
    FileFormat(
        "PNM",
        (".pgm", ".pbm", ".ppm", ".pnm"),
        f"{_HERE}.pictures:read_picture",
        magic=tuple(b"P%d" % kind + blank for kind in range(1, 7) for blank in (b"\n", b" ", b"\r")),
    ),
    FileFormat(
        "TIFF",
        (".tif", ".tiff"),
        f"{_HERE}.tiff:read_tiff",
        f"{_HERE}.tiff:write_tiff",
        _ALL,
        _TIFF,
        ("values",),
        f"{_HERE}.tiff:open_tiff",
    ),
    FileFormat(
        "NPY",
        (".npy",),
        f"{_HERE}.numpy_files:read_npy",
        f"{_HERE}.numpy_files:write_npy",
        ("volumes",),
        (b"\x93NUMPY",),
        ("values",),
        f"{_HERE}.numpy_files:open_npy",
    ),
    FileFormat("NPZ", (".npz",), f"{_HERE}.numpy_files:read_npz", f"{_HERE}.numpy_files:write_npz", _ALL, _ZIP),
    FileFormat("MAT", (".mat",), f"{_HERE}.matlab:read_mat", carries=("volumes",), magic=(b"MATLAB",)),
    FileFormat(
        "HDF5",
        (".h5", ".hdf5"),
        f"{_HERE}.hdf5:read_hdf5",
        f"{_HERE}.hdf5:write_hdf5",
        _ALL,
        _HDF5,
        open=f"{_HERE}.hdf5:open_dataset",
    ),
    FileFormat(
        "Zarr",
        (".zarr",),
        f"{_HERE}.zarr_stores:read_zarr",
        carries=("spacing", "names", "periodicity", "volumes"),
        open=f"{_HERE}.zarr_stores:open_zarr",
        folder=True,
    ),
    FileFormat("DREAM3D", (".dream3d",), f"{_HERE}.hdf5:read_hdf5", carries=("spacing", "volumes"), magic=_HDF5),
    FileFormat(
        "VTI",
        (".vti",),
        f"{_HERE}.vti:read_vti",
        f"{_HERE}.vti:write_vti",
        ("spacing", "names", "volumes"),
        options=("values",),
    ),
    FileFormat(
        "STL", (".stl",), write=f"{_HERE}.stl:write_stl", carries=("spacing", "names", "volumes"), options=("phase",)
    ),
    FileFormat(
        "NRRD",
        (".nrrd", ".nhdr"),
        f"{_HERE}.nrrd:read_nrrd",
        carries=("spacing", "volumes"),
        magic=(b"NRRD",),
        open=f"{_HERE}.nrrd:open_nrrd",
    ),
    FileFormat(
        "MetaImage",
        (".mha", ".mhd"),
        f"{_HERE}.metaimage:read_metaimage",
        carries=("spacing", "volumes"),
        open=f"{_HERE}.metaimage:open_metaimage",
    ),
    FileFormat(
        "AmiraMesh",
        (".am",),
        f"{_HERE}.amira:read_amira",
        carries=("spacing", "names", "volumes"),
        magic=(b"# AmiraMesh", b"# Avizo"),
    ),
    FileFormat("NIfTI", (".nii", ".nii.gz"), f"{_HERE}.nifti:read_nifti", carries=("spacing", "volumes")),
    FileFormat("EBSD", (".h5ebsd", ".h5oina"), f"{_HERE}.hdf5:read_hdf5", carries=("spacing", "names"), magic=_HDF5),
    FileFormat("ANG", (".ang",), f"{_HERE}.ebsd:read_ang", carries=("spacing", "names")),
    FileFormat("CTF", (".ctf",), f"{_HERE}.ebsd:read_ctf", carries=("spacing", "names"), magic=(b"Channel Text File",)),
    FileFormat("raw", (".raw",), f"{_HERE}.raw:read_raw", carries=("volumes",), open=f"{_HERE}.raw:open_raw"),
    FileFormat("text", (".txt", ".csv"), f"{_HERE}.text_tables:read_text"),
    FileFormat("ZIP", (".zip",), f"{_HERE}.zipped:read_zip", carries=_ALL, magic=_ZIP),
]


def find_format(path: str | os.PathLike[str]) -> FileFormat | None:
    """Find the format of a file by its suffix.

    Parameters
    ----------
    path : path-like
        The file, which need not exist.

    Returns
    -------
    FileFormat or None
        None where no format has the suffix.

    Examples
    --------
    >>> find_format("a.TIFF").name, find_format("a.docx")
    ('TIFF', None)
    """
    name = Path(path).name.lower()
    return next((f for f in FORMATS for suffix in f.suffixes if name.endswith(suffix) and name != suffix), None)


def recognised(path: Path) -> FileFormat | None:
    """Find the format of a file by its first bytes, where they tell; where several formats begin alike, by its suffix.

    Parameters
    ----------
    path : Path
        The file.

    Returns
    -------
    FileFormat or None
        None where no format begins so: then the suffix has to tell.

    Examples
    --------
    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "a.tif"
    >>> _ = path.write_bytes(b"GIF89a")
    >>> recognised(path).name
    'GIF'
    """
    with path.open("rb") as file:
        head = file.read(512)
    fitting = [found for found in FORMATS if found.recognises(head)]
    by_name = find_format(path)
    return by_name if by_name in fitting else fitting[0] if fitting else None


def can_read(path: str | os.PathLike[str]) -> bool:
    """Return whether a file has the suffix of a format that is read, and is neither hidden nor a text.

    A text in a folder or an archive tells something about the pictures beside it; as a picture it has to be named.

    Parameters
    ----------
    path : path-like
        The file, which need not exist.

    Returns
    -------
    bool
        Whether it does; the content is not looked at.

    Examples
    --------
    >>> can_read("a.png"), can_read("a.docx"), can_read(".a.png")
    (True, False, False)
    """
    found = find_format(path)
    if found is None or found.read is None or found.name == "text":
        return False
    return not Path(path).name.startswith(".")


def suffixes_of(verb: Literal["read", "write", "open"], *, volumes: bool = False) -> str:
    """List the suffixes that can be read or written, for a message.

    Parameters
    ----------
    verb : {"read", "write", "open"}
        What is asked of the formats.
    volumes : bool
        Whether only those that hold volumes are listed.

    Returns
    -------
    str
        The suffixes with commas between them, in the order of ``FORMATS``.

    Examples
    --------
    >>> suffixes_of("write", volumes=True)
    '.tif, .tiff, .npy, .npz, .h5, .hdf5, .vti, .stl'
    """
    fitting = [found for found in FORMATS if getattr(found, verb) and (not volumes or "volumes" in found.carries)]
    return ", ".join(suffix for found in fitting for suffix in found.suffixes)
