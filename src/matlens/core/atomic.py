"""Writing of a file as a whole or not at all, so that a crash or a full disk never harms an existing file.

Content is made in memory first. Libraries that keep a file open while they write, HDF5 above all, may end the process
when the disk is full; a write of bytes only fails.
"""

from __future__ import annotations

import errno
import os
import secrets
import stat
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from io import BytesIO
from pathlib import Path

from matlens.errors import RunError

__all__ = ["TEMPORARY", "Writing", "atomic_write", "open_plain", "replace_file", "write_error", "writing_into"]

TEMPORARY = ".matlens-????????????????.part"
"""Glob of the files that a killed process may leave behind."""

Writing = Callable[[str], AbstractContextManager[BytesIO]]
"""How a writer opens a file: from its name to a context that gives a file in
memory, which is kept when the block ends."""

# Windows has no O_NOFOLLOW, where only administrators can make links; O_BINARY keeps its line ends as they are.
_PLAIN = getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0)


@contextmanager
def atomic_write(path: str | os.PathLike[str]) -> Iterator[BytesIO]:
    """Provide a file in memory whose content replaces ``path`` when the block ends without an error.

    Parameters
    ----------
    path : path-like
        File to write. Its folder must exist.

    Yields
    ------
    BytesIO
        After an error it is forgotten, and an existing file at ``path`` stays as it was.

    Raises
    ------
    RunError
        If the disk is full or ``path`` cannot be written.

    Examples
    --------
    >>> import tempfile
    >>> folder = Path(tempfile.mkdtemp())
    >>> with atomic_write(folder / "note.txt") as file:
    ...     _ = file.write(b"42")
    >>> [(file.name, file.read_text()) for file in folder.iterdir()]
    [('note.txt', '42')]
    """
    content = BytesIO()
    yield content
    replace_file(path, content.getbuffer())


def replace_file(path: str | os.PathLike[str], content: bytes | memoryview) -> None:
    """Write a file under a name that nobody can guess, and then rename it to ``path``.

    Parameters
    ----------
    path : path-like
        File to write. Its folder must exist; a link there is replaced, not followed.
    content : bytes
        All of its content.

    Raises
    ------
    RunError
        If the disk is full or ``path`` cannot be written; what was there stays as it was.

    Examples
    --------
    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "note.txt"
    >>> replace_file(path, b"42")
    >>> path.read_text()
    '42'
    """
    target = Path(path)
    temporary = target.with_name(f".matlens-{secrets.token_hex(8)}.part")
    try:
        with open(open_plain(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL), "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, target)
        _synchronise_folder(target.parent)  # else a power cut could undo the renaming, though not the content
    except OSError as error:
        temporary.unlink(missing_ok=True)
        raise write_error(error, target) from error
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def writing_into(folder: str | os.PathLike[str]) -> Writing:
    """Return a function that writes files of a folder, which is made if it does not exist.

    Parameters
    ----------
    folder : path-like
        The folder.

    Returns
    -------
    callable
        Takes the name of a file and opens it as `atomic_write` does.

    Raises
    ------
    RunError
        If the folder cannot be made.

    Examples
    --------
    >>> import tempfile
    >>> with writing_into(tempfile.mkdtemp())("note.txt") as file:
    ...     _ = file.write(b"42")
    """
    place = Path(folder)
    try:
        place.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise RunError(f"{place} cannot be made a folder ({error.strerror or error}); name another.") from error
    return lambda name: atomic_write(place / name)


def open_plain(path: Path, flags: int) -> int:
    """Open a file that is neither a link nor has a second name, so that no file elsewhere is reached through it.

    Parameters
    ----------
    path : Path
        The file.
    flags : int
        Flags of `os.open`; with ``os.O_CREAT``, the file is made with the rights that new files of the user have.

    Returns
    -------
    int
        File descriptor.

    Raises
    ------
    OSError
        If the file cannot be opened.
    RunError
        If it is a link, has a second name, or is no file.

    Examples
    --------
    >>> import tempfile
    >>> link = Path(tempfile.mkdtemp()) / "lock"
    >>> link.symlink_to("elsewhere")
    >>> open_plain(link, os.O_RDWR | os.O_CREAT)  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    matlens.errors.RunError: ...lock is a link to another file, which MatLens does not follow here; remove it.
    """
    try:
        descriptor = os.open(path, flags | _PLAIN, 0o666)
    except OSError as error:
        if error.errno == errno.ELOOP:
            raise _linked(path) from None
        raise
    found = os.fstat(descriptor)
    if not stat.S_ISREG(found.st_mode) or found.st_nlink > 1:
        os.close(descriptor)
        raise _linked(path)
    return descriptor


def _linked(path: Path) -> RunError:
    return RunError(f"{path} is a link to another file, which MatLens does not follow here; remove it.")


def _synchronise_folder(folder: Path) -> None:
    if os.name == "nt":  # folders cannot be opened there, and os.replace is already durable enough
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def write_error(error: OSError, target: Path) -> RunError:
    """Say in one sentence why a file or folder could not be written, and what to do.

    Parameters
    ----------
    error : OSError
        What the system said.
    target : Path
        The file or folder.

    Returns
    -------
    RunError
        To be raised.

    Examples
    --------
    >>> print(write_error(OSError(errno.ENOSPC, "No space left on device"), Path("a.txt")))
    the disk is full, a.txt was not written; free some space and run the command again.
    """
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return RunError(f"the disk is full, {target} was not written; free some space and run the command again.")
    if error.errno == errno.EFBIG:
        return RunError(
            f"{target} was not written, because it would be larger than files may be here; raise that limit "
            "('ulimit -f') or choose another place with --output."
        )
    return RunError(f"{target} cannot be written ({error.strerror or error}); choose another place with --output.")
