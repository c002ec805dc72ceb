"""What can go wrong, in a few kinds.

Every message is one sentence for the user: what was found, what was expected and what to do.
"""

from __future__ import annotations

from typing import Any

__all__ = ["InputError", "Interrupted", "MatlensError", "ResourceError", "RunError"]


class MatlensError(Exception):
    """Base of everything MatLens raises on purpose; the command line prints it and exits with 2."""


class InputError(MatlensError, ValueError):
    """A file, an array or an option that cannot be used as given."""


class ResourceError(MatlensError, RuntimeError):
    """Weights or data that are not at hand, not readable, or not the ones expected (hash)."""


class RunError(MatlensError, RuntimeError):
    """A run directory in use, not empty, incomplete, or written by other settings or versions."""


class Interrupted(MatlensError):
    """Work stopped by the user; ``result`` carries the best result so far (or None)."""

    def __init__(self, message: str, result: Any = None) -> None:
        super().__init__(message)
        self.result = result
