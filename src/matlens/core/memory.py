"""Memory that is free, and the refusal of what does not fit before it is read or computed."""

from __future__ import annotations

import math
import os
import re
import shutil
from pathlib import Path

from matlens.errors import InputError

__all__ = ["check_disk", "check_memory", "free_memory", "parse_size", "size_text"]

_CGROUP = Path("/sys/fs/cgroup")


def free_memory() -> float:
    """Return the bytes that this process can still take: of the machine, its container, and its own limit.

    Returns
    -------
    float
        Bytes; infinity where the system does not tell.

    Examples
    --------
    >>> free_memory() > 0
    True
    """
    return min(_of_machine(), _of_container(), _of_process())


def check_memory(needed: float, what: str, advice: str) -> None:
    """Refuse what needs more memory than is free.

    Parameters
    ----------
    needed : float
        Bytes that are needed at most.
    what : str
        What needs them, as the beginning of the sentence.
    advice : str
        What would fit.

    Raises
    ------
    InputError
        If less is free.

    Examples
    --------
    >>> check_memory(1e18, "a.h5", "read a part of it")  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    matlens.errors.InputError: a.h5 needs about 1000000000.0 GB of memory, and ... are free; read a part of it.
    """
    free = free_memory()
    if needed > free:
        raise InputError(f"{what} needs about {size_text(needed)} of memory, and {size_text(free)} are free; {advice}.")


def parse_size(text: str) -> float:
    """Parse a number of bytes as people write it.

    Parameters
    ----------
    text : str
        A number with a unit: B, kB, MB, GB or TB, of powers of 1000, or KiB, MiB, GiB, TiB, of 1024.

    Returns
    -------
    float
        Bytes.

    Raises
    ------
    InputError
        If the text is not of this form, or the size is not positive.

    Examples
    --------
    >>> parse_size("1.5GB"), parse_size("800 MiB")
    (1500000000.0, 838860800.0)
    """
    found = re.fullmatch(r"\s*([\d.]+(?:e\d+)?)\s*([kmgt]?)(i?)b\s*", text, re.IGNORECASE)
    try:
        size = (
            float(found[1]) * (1024 if found[3] else 1000) ** " kmgt".index(found[2].lower() or " ") if found else 0.0
        )
    except ValueError:
        size = 0.0
    if not 0 < size < math.inf:
        raise InputError(f"the size {text!r} is not understood; write a number with its unit, e.g. 1.5GB or 800MB.")
    return size


def check_disk(
    needed: float, what: str, place: Path, advice: str = "free some space, or choose another place with --output"
) -> None:
    """Refuse what needs more room than a disk has.

    Parameters
    ----------
    needed : float
        Bytes that are written at most.
    what : str
        What needs them, as the beginning of the sentence.
    place : Path
        Where they are written; it need not exist yet.
    advice : str
        What to do, as the end of the sentence.

    Raises
    ------
    InputError
        If less is free.

    Examples
    --------
    >>> check_disk(1e18, "this work", Path("runs/new"))  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    matlens.errors.InputError: this work needs about 1000000000.0 GB on the disk of ..., and ... are free; free some ...
    """
    there = next((folder for folder in (place.absolute(), *place.absolute().parents) if folder.is_dir()), None)
    free = shutil.disk_usage(there).free if there is not None else math.inf
    if needed > free:
        raise InputError(
            f"{what} needs about {size_text(needed)} on the disk of {there}, and {size_text(free)} are free; {advice}."
        )


def size_text(size: float) -> str:
    """Write a number of bytes for a reader.

    Parameters
    ----------
    size : float
        Bytes.

    Returns
    -------
    str
        In megabytes below one gigabyte.

    Examples
    --------
    >>> size_text(5.3e9), size_text(2e6)
    ('5.3 GB', '2 MB')
    """
    return f"{size / 1e9:.1f} GB" if size >= 1e9 else f"{max(round(size / 1e6), 1)} MB"


def _of_machine() -> float:
    try:
        lines = dict(line.split(":") for line in Path("/proc/meminfo").read_text().splitlines())
        return float(lines["MemAvailable"].split()[0]) * 1024
    except (OSError, ValueError, KeyError):  # no Linux: what is built in, as nothing tells what is free
        return _built_in()


def _built_in() -> float:
    try:
        return float(os.sysconf("SC_PHYS_PAGES")) * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, ValueError, OSError):
        return math.inf


def _of_container() -> float:
    try:
        most = float((_CGROUP / "memory.max").read_text())  # "max" where there is no limit
        return most - float((_CGROUP / "memory.current").read_text())
    except (OSError, ValueError):
        return math.inf


def _of_process() -> float:
    try:
        import resource

        limit = resource.getrlimit(resource.RLIMIT_AS)[0]
        if limit == resource.RLIM_INFINITY:
            return math.inf
        taken = float(Path("/proc/self/statm").read_text().split()[0]) * os.sysconf("SC_PAGE_SIZE")
        return limit - taken
    except (ImportError, OSError, ValueError):
        return math.inf
