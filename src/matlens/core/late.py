"""Names that are declared now and imported when they are first used, so that a registry loads nothing heavy."""

from __future__ import annotations

from importlib import import_module
from typing import Any

__all__ = ["imported"]


def imported(where: str) -> Any:
    """Import what a registry names.

    Parameters
    ----------
    where : str
        ``"module:name"``, with the module's full name.

    Returns
    -------
    Any
        The function, class or object.

    Examples
    --------
    >>> imported("math:sqrt")(4.0)
    2.0
    """
    module, _, name = where.partition(":")
    return getattr(import_module(module), name)
