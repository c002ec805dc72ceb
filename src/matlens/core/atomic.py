"""Writing of a file as a whole or not at all, so that a crash or a full disk never harms an existing file."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from matlens.errors import RunError

__all__ = ["TEMPORARY", "atomic_write"]

TEMPORARY = ".*.tmp-*"  # glob of the files a killed process may leave behind


@contextmanager
def atomic_write(path: str | os.PathLike[str]) -> Iterator[Path]:
    """Provide a temporary path that replaces ``path`` when the block ends without an error.

    Parameters
    ----------
    path : path-like
        File to write. Its folder must exist.

    Yields
    ------
    Path
        Path to write to, in the same folder and with the same suffix. After an error it is removed, and an existing
        file at ``path`` stays as it was.

    Raises
    ------
    RunError
        If the disk is full or ``path`` cannot be written.

    Examples
    --------
    >>> import tempfile
    >>> folder = Path(tempfile.mkdtemp())
    >>> with atomic_write(folder / "note.txt") as temporary:
    ...     _ = temporary.write_text("42")
    >>> [(file.name, file.read_text()) for file in folder.iterdir()]
    [('note.txt', '42')]
    """
    target = Path(path)
    temporary = target.with_name(f".{target.stem}.tmp-{os.getpid()}{target.suffix}")
    try:
        yield temporary
        _synchronise(temporary)
        os.replace(temporary, target)
        _synchronise_folder(target.parent)  # else a power cut could undo the renaming, though not the content
    except OSError as error:
        temporary.unlink(missing_ok=True)
        raise _explained(error, target) from error
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def _synchronise(path: Path) -> None:
    with open(path, "rb+") as file:
        os.fsync(file.fileno())


def _synchronise_folder(folder: Path) -> None:
    if os.name == "nt":  # folders cannot be opened there, and os.replace is already durable enough
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _explained(error: OSError, target: Path) -> RunError:
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return RunError(f"the disk is full, {target} was not written; free some space and run the command again.")
    return RunError(f"{target} cannot be written ({error.strerror or error}); choose another place with --output.")
