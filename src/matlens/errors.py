"""The exceptions that MatLens raises.

Every message is one sentence for the user: what was found, what was expected and what to do.
"""

from __future__ import annotations

from typing import Any

__all__ = ["InputError", "Interrupted", "MatlensError", "ResourceError", "RunError", "SomeFailed"]


class MatlensError(Exception):
    """Base class of the errors that MatLens raises on purpose; the command line prints the message and exits with 2."""


class InputError(MatlensError, ValueError):
    """A file, an array or an option cannot be used as given."""


class ResourceError(MatlensError, RuntimeError):
    """Weights or data are missing, unreadable, or not the expected ones (by their hash)."""


class RunError(MatlensError, RuntimeError):
    """A run directory is in use, not empty, incomplete, or was written with other settings or by another version."""


class SomeFailed(MatlensError, RuntimeError):
    """Some items of a run failed by errors of their own, and all others are finished; the command line exits with 1."""


class Interrupted(MatlensError):
    """The user stopped the work.

    Parameters
    ----------
    message : str
        What was interrupted, and how to continue.
    result : object, optional
        The best result so far; None where there is none.
    """

    def __init__(self, message: str, result: Any = None) -> None:
        super().__init__(message)
        self.result = result
