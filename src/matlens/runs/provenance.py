"""What a result depends on besides its settings: versions, threads, device, and the hashes of its input files."""

from __future__ import annotations

import hashlib
import os
import platform
from collections.abc import Mapping
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from matlens._version import __version__
from matlens.core.registry import sha256_of
from matlens.errors import InputError

__all__ = ["environment", "mismatches", "now", "sha256"]

_PACKAGES = ("numpy", "scipy", "torch", "scikit-image", "scikit-learn", "tifffile", "pandas", "numba")


def sha256(path: str | os.PathLike[str]) -> str:
    """Compute the SHA-256 of a file as 64 hex digits; of a folder, that of the names and hashes of all files in it.

    Parameters
    ----------
    path : path-like
        A file, or a folder with the slices of a volume.

    Returns
    -------
    str
        The hash in lower case.

    Raises
    ------
    InputError
        If the file cannot be read.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> file = Path(tempfile.mkdtemp()) / "empty"
    >>> file.write_bytes(b"")
    0
    >>> sha256(file)[:12]
    'e3b0c44298fc'
    """
    place = Path(path)
    if place.is_dir():
        # chunks of a Zarr store lie in folders of the folder
        files = [file for file in sorted(place.rglob("*")) if file.is_file()]
        parts = [f"{file.relative_to(place).as_posix()} {sha256(file)}" for file in files]
        return hashlib.sha256("\n".join(parts).encode("utf-8", "surrogateescape")).hexdigest()
    try:
        return sha256_of(path)
    except OSError as error:
        raise InputError(f"{path} cannot be read ({error.strerror or error}); check the path.") from error


def environment(*, device: str, threads: int | None = None) -> dict[str, Any]:
    """Describe the versions, threads, device and processor that the bytes of a result depend on.

    Parameters
    ----------
    device : str
        Name of the device.
    threads : int, optional
        Number of threads of PyTorch; by default PyTorch computes nothing, and neither threads nor vector
        instructions are listed.

    Returns
    -------
    dict of str to object
        Versions of MatLens, Python and the packages that compute, threads, device, platform and the processor's vector
        instructions.

    Examples
    --------
    >>> environment(device="cpu", threads=1)["threads"]
    1
    """
    found = {
        "matlens": __version__,
        "python": platform.python_version(),
        **{name: _version(name) for name in _PACKAGES},
        "device": device,
        "platform": f"{platform.system()} {platform.machine()}",
    }
    return found if threads is None else {**found, "threads": threads, "processor": _instructions()}


def mismatches(then: Mapping[str, Any], now: Mapping[str, Any]) -> list[str]:
    """List the differences between two environments; a resumed run gives the same bytes if there is none.

    Parameters
    ----------
    then, now : mapping
        Results of `environment` at the start of the run and now.

    Returns
    -------
    list of str
        One phrase for each entry that differs.

    Examples
    --------
    >>> mismatches({"threads": 2, "torch": "2.6.0"}, {"threads": 1, "torch": "2.6.0"})
    ['threads 2 then, 1 now']
    """
    names = [*then, *(name for name in now if name not in then)]
    return [
        f"{name} {then.get(name, 'unknown')} then, {now.get(name, 'unknown')} now"
        for name in names
        if then.get(name) != now.get(name)
    ]


def now() -> str:
    """Return the present time as ISO 8601 text in UTC, to the second.

    Returns
    -------
    str
        For example ``"2026-01-31T12:00:00+00:00"``.

    Examples
    --------
    >>> len(now())
    25
    """
    return datetime.now(UTC).isoformat(timespec="seconds")


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "absent"


def _instructions() -> str:
    """Name the vector instructions that torch uses; the order of sums depends on them."""
    import torch

    return str(torch.backends.cpu.get_cpu_capability())
