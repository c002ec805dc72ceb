"""Phase maps of electron backscatter diffraction: EDAX .ang, Oxford .ctf, and HDF5 files of EDAX, Bruker and Oxford."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from matlens.core.hdf5 import check_size
from matlens.errors import InputError
from matlens.microstructure.io.image import NOT_INDEXED, Image

__all__ = ["ebsd_scan", "read_ang", "read_ctf", "read_scan"]

_SHIFTED = (
    "The points lie on a hexagonal grid; each second row, which is shifted by half a step, was taken as straight."
)


def read_ang(path: Path, dataset: str | None = None) -> Image:
    """Read the phases of an .ang file, on a square or a hexagonal grid.

    Parameters
    ----------
    path : Path
        The file.
    dataset : str, optional
        Ignored, because phases are read.

    Returns
    -------
    Image
        Phase of each point with the step size in micrometres; points that were not indexed (a confidence of -1) have
        the value -1.

    Raises
    ------
    InputError
        If the header does not give the grid, or there are fewer points than it says.

    Examples
    --------
    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "m.ang"
    >>> head = "# GRID: SqrGrid\\n# XSTEP: 0.5\\n# YSTEP: 0.5\\n# NCOLS_ODD: 2\\n# NCOLS_EVEN: 2\\n# NROWS: 1\\n"
    >>> _ = path.write_text(head + "0 0 0 0 0 1 0.9 1\\n0 0 0 0.5 0 1 -1 1\\n")
    >>> read_ang(path).values.tolist()
    [[1, -1]]
    """
    lines = path.read_text(encoding="latin-1").splitlines()
    head = "\n".join(line for line in lines if line.startswith("#"))
    fields: dict[str, str] = dict(re.findall(r"^#\s*(\w+):\s*(\S+)", head, re.MULTILINE))
    missing = [name for name in ("XSTEP", "YSTEP", "NCOLS_ODD", "NROWS") if name not in fields]
    if missing:
        raise InputError(f"{path.name} gives no {missing[0]} in its header; export the scan with its header.")
    table = np.array([line.split()[:8] for line in lines if line.strip() and not line.startswith("#")], dtype=float)
    phase = np.where(table[:, 6] <= -1, -1, table[:, 7]).astype(int)
    odd, even = int(fields["NCOLS_ODD"]), int(fields.get("NCOLS_EVEN", fields["NCOLS_ODD"]))
    rows, hexagonal = int(fields["NROWS"]), fields.get("GRID", "").lower().startswith("hex")
    steps = (float(fields["YSTEP"]), float(fields["XSTEP"]))
    notes: tuple[str, ...] = ()
    placed = None if hexagonal or phase.size == rows * odd else _by_place(phase, table[:, 4], table[:, 3])
    if placed is None:
        grid = _rows(phase, rows, odd, even if hexagonal else odd, path.name)
    else:
        grid, steps = placed
        notes = (f"The header says {rows} x {odd} points; the grid was taken from the coordinates of the points.",)
    phases = re.findall(r"^#\s*Phase\s+(\d+)\s*\n#\s*MaterialName\s+(\S[^\n]*)", head, re.MULTILINE)
    names = {int(number): name.strip() for number, name in phases}
    if len(names) == 1 and set(np.unique(phase)) <= {-1, 0}:
        names = {0: next(iter(names.values()))}  # files of a single phase number it 0
    found = _image(grid, steps, names, -1, hexagonal=hexagonal)
    return replace(found, notes=(*notes, *found.notes))


def _by_place(
    phase: NDArray[np.int_], y: NDArray[np.float64], x: NDArray[np.float64]
) -> tuple[NDArray[np.int_], tuple[float, float]] | None:
    """Grid and step sizes of a scan that was thinned or cut after its header was written; None where points miss."""
    rows, columns = np.unique(y), np.unique(x)
    if min(rows.size, columns.size) < 2 or rows.size * columns.size != phase.size:
        return None
    steps = (np.diff(rows), np.diff(columns))
    if any(np.ptp(step) > 1e-3 * step.max() for step in steps):
        return None
    order = np.lexsort((x, y))
    return phase[order].reshape(rows.size, columns.size), (float(steps[0].mean()), float(steps[1].mean()))


def read_ctf(path: Path, dataset: str | None = None) -> Image:
    """Read the phases of a .ctf file.

    Parameters
    ----------
    path : Path
        The file.
    dataset : str, optional
        Ignored, because phases are read.

    Returns
    -------
    Image
        Phase of each point with the step size in micrometres; phase 0 is what was not indexed.

    Raises
    ------
    InputError
        If the header does not give the grid, or there are fewer points than it says.

    Examples
    --------
    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "m.ctf"
    >>> head = "Channel Text File\\nXCells\\t2\\nYCells\\t1\\nXStep\\t0.5\\nYStep\\t0.5\\nPhases\\t1\\n"
    >>> _ = path.write_text(head + "3;3;3\\t90;90;90\\tIron\\t11\\nPhase\\tX\\tY\\n1\\t0\\t0\\n0\\t0.5\\t0\\n")
    >>> read_ctf(path).value_names
    {1: 'Iron', 0: 'not indexed'}
    """
    lines = path.read_text(encoding="latin-1").splitlines()
    start = next((k for k, line in enumerate(lines) if line.split("\t")[:2] in (["Phase", "X"], ["phase", "x"])), None)
    fields = dict(line.split("\t")[:2] for line in lines[: start or 0] if line.count("\t") >= 1)
    missing = [name for name in ("XCells", "YCells", "XStep", "YStep") if name not in fields]
    if start is None or missing:
        raise InputError(f"{path.name} gives no {(missing or ['table of points'])[0]}; export the map with its header.")
    heads = [k for k, line in enumerate(lines) if line.startswith("Phases\t")]
    count = int(fields.get("Phases", 0))
    named = lines[heads[0] + 1 : heads[0] + 1 + count] if heads else []
    names = {number: line.split("\t")[2] for number, line in enumerate(named, start=1) if line.count("\t") >= 2}
    phase = np.array([line.split("\t")[0] for line in lines[start + 1 :] if line.strip()], dtype=int)
    grid = _rows(phase, int(fields["YCells"]), int(fields["XCells"]), int(fields["XCells"]), path.name)
    return _image(grid, (float(fields["YStep"]), float(fields["XStep"])), names, 0)


def ebsd_scan(file: Any) -> str | None:
    """Find the first EBSD scan in an open HDF5 file.

    Parameters
    ----------
    file : h5py.File
        The open file.

    Returns
    -------
    str or None
        Path of its group, which holds ``Data/Phase`` and ``Header``; None where there is none.

    Examples
    --------
    >>> import h5py
    >>> file = h5py.File("example", "w", driver="core", backing_store=False)
    >>> file["Scan 1/EBSD/Data/Phase"], file["Scan 1/EBSD/Header/nRows"] = np.ones(4), 2
    >>> ebsd_scan(file)
    'Scan 1/EBSD'
    """
    for scan in file:
        found = f"{scan}/EBSD"
        if found in file and "Data/Phase" in file[found] and "Header" in file[found]:
            return found
    return None


def read_scan(file: Any, scan: str, name: str) -> Image:
    """Read the phases of a scan in an open HDF5 file.

    Parameters
    ----------
    file : h5py.File
        The open file.
    scan : str
        Path of the scan, see `ebsd_scan`.
    name : str
        File name, for messages.

    Returns
    -------
    Image
        Phase of each point with the step size in micrometres.

    Raises
    ------
    InputError
        If the header does not give the grid, or there are fewer points than it says.

    Examples
    --------
    >>> import h5py
    >>> file = h5py.File("example", "w", driver="core", backing_store=False)
    >>> file["s/EBSD/Data/Phase"] = np.array([1, 2, 2, 1])
    >>> for key, value in {"nRows": 2, "nColumns": 2, "Step X": 0.5, "Step Y": 0.5}.items():
    ...     file[f"s/EBSD/Header/{key}"] = value
    >>> read_scan(file, "s/EBSD", "example.h5").values.tolist()
    [[1, 2], [2, 1]]
    """
    header, data = file[f"{scan}/Header"], file[f"{scan}/Data"]
    rows, columns, y, x = (
        _first(header, names, name)
        for names in (
            ("nRows", "Y Cells", "NROWS"),
            ("nColumns", "X Cells", "NCOLS"),
            ("Step Y", "Y Step", "YSTEP"),
            ("Step X", "X Step", "XSTEP"),
        )
    )
    check_size(data["Phase"], name)
    phase = np.asarray(data["Phase"][()]).ravel().astype(int)
    oxford = "X Cells" in header
    if not oxford and "CI" in data:
        phase = np.where(np.asarray(data["CI"][()]).ravel() <= -1, -1, phase)
    grid = _rows(phase, int(rows), int(columns), int(columns), name)
    names = {}
    for group in ("Phases", "Phase"):
        for number in header.get(group, {}):
            found = header[group][number]
            key = next((key for key in ("Phase Name", "MaterialName", "Name") if key in found), None)
            if str(number).isdigit() and key is not None:
                names[int(number)] = _text(found[key][()])
    return _image(grid, (y, x), names, 0 if oxford else -1)


def _first(header: Any, names: tuple[str, ...], file: str) -> float:
    for name in names:
        if name in header:
            return float(np.ravel(header[name][()])[0])
    raise InputError(f"{file} gives no {names[0]!r} in the header of its scan; export the scan again.")


def _text(value: Any) -> str:
    value = np.ravel(value)[0]
    return value.decode(errors="replace") if isinstance(value, bytes) else str(value)


def _rows(phase: NDArray[Any], rows: int, odd: int, even: int, name: str) -> NDArray[Any]:
    """Put points into rows of ``odd`` and ``even`` points in turn; the longer ones are cut."""
    lengths = [odd if row % 2 == 0 else even for row in range(rows)]
    if phase.size < sum(lengths):
        raise InputError(
            f"{name} holds {phase.size} points, and its header says {sum(lengths)}; copy it again, it is truncated."
        )
    starts = np.concatenate([[0], np.cumsum(lengths)])
    return np.stack([phase[start : start + min(odd, even)] for start in starts[:-1]])


def _image(
    grid: NDArray[Any], spacing: tuple[float, float], names: dict[int, str], out: int, *, hexagonal: bool = False
) -> Image:
    notes = (_SHIFTED,) if hexagonal else ()
    return Image(
        grid, spacing, "um", notes=notes, scale="step size of the scan", value_names={**names, out: NOT_INDEXED}
    )
