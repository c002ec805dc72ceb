"""The guard at each border: whatever goes wrong in reading a file becomes one sentence that names it."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path

from matlens.errors import InputError, Interrupted, MatlensError

__all__ = ["reading", "reason_of"]

_log = logging.getLogger(__name__)
_SHOWN = 200  # characters of a library's own words
# The files that were read within the guard around a whole folder, so that it can say which of them did not fit.
_READ: ContextVar[list[str] | None] = ContextVar("files read", default=None)


@contextmanager
def reading(
    place: str | os.PathLike[str],
    expected: str,
    remedy: str = "it may be truncated or damaged: copy or save it again",
    error: type[MatlensError] = InputError,
) -> Iterator[None]:
    """Turn any exception of the block into one sentence: which file, what was found, what was expected, what to do.

    Libraries of file formats fail on damaged files in every imaginable way, so that no list of exceptions is whole.
    The exception remains as the cause, and is logged with its traceback for ``--verbose``. An error of MatLens keeps
    its class and words; the file is named before them where they do not name it. A guard of a folder names the files
    that guards within it have read last.

    Parameters
    ----------
    place : path-like
        File or folder that is read.
    expected : str
        What it should be, with its article.
    remedy : str
        What the user can do.
    error : type of MatlensError
        Class of the error.

    Yields
    ------
    None
        The block runs once.

    Raises
    ------
    MatlensError
        In place of any exception of the block.

    Examples
    --------
    >>> with reading("model.json", "a model", "copy it again"):
    ...     {}["target"]
    Traceback (most recent call last):
    matlens.errors.InputError: model.json cannot be read as a model (no entry 'target'); copy it again.
    >>> with reading("table.csv", "a table"):
    ...     raise InputError("the column P is missing; add it.")
    Traceback (most recent call last):
    matlens.errors.InputError: table.csv: the column P is missing; add it.
    """
    outer, inner = _READ.get(), list[str]()
    token = _READ.set(inner)
    try:
        yield
    except Interrupted:
        raise
    except MatlensError as found:
        if Path(place).name in str(found) or any(Path(file).name in str(found) for file in inner):
            raise
        raise type(found)(f"{place}: {found}") from found
    except Exception as found:
        _log.debug("%s was not read.", place, exc_info=found)
        last = f"; read last: {', '.join(dict.fromkeys(inner[-3:]))}" if inner else ""
        # contextlib raises a StopIteration itself again where it is the cause of a RuntimeError, as these errors are.
        cause = None if isinstance(found, StopIteration) else found
        raise error(f"{place} cannot be read as {expected} ({reason_of(found)}{last}); {remedy}.") from cause
    finally:
        _READ.reset(token)
        if outer is not None:
            outer.append(Path(place).name)


def reason_of(error: BaseException) -> str:
    """Word an exception of Python or a library, in one line.

    Parameters
    ----------
    error : BaseException
        The exception.

    Returns
    -------
    str
        Its text; for a missing key or attribute, what is missing.

    Examples
    --------
    >>> reason_of(KeyError("steps")), reason_of(EOFError()), reason_of(OSError(28, "No space left on device"))
    ("no entry 'steps'", 'EOFError', 'No space left on device')
    """
    if isinstance(error, KeyError) and error.args:
        return f"no entry {str(error.args[0])[:_SHOWN]!r}"
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    if isinstance(error, MemoryError):
        return f"too large for the memory: {error}" if str(error) else "too large for the memory"
    return " ".join(str(error).split())[:_SHOWN] or type(error).__name__
