"""Merging of states that are sums."""

from __future__ import annotations

from typing import Any

__all__ = ["added"]


def added(first: dict[str, Any] | None, second: dict[str, Any]) -> dict[str, Any]:
    """Add two states entry by entry.

    Parameters
    ----------
    first : dict of str to ndarray, optional
        A state; None for nothing counted yet.
    second : dict of str to ndarray
        Another with the same entries.

    Returns
    -------
    dict of str to ndarray
        The sums.

    Examples
    --------
    >>> added({"pixels": 2}, {"pixels": 3}), added(None, {"pixels": 3})
    ({'pixels': 5}, {'pixels': 3})
    """
    return second if first is None else {name: first[name] + value for name, value in second.items()}
