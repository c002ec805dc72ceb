"""What the public door adds to the functions behind it: a bar where somebody watches."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, TypeVar

__all__ = ["with_bar"]

P = ParamSpec("P")
T = TypeVar("T")


def with_bar(function: Callable[P, T]) -> Callable[P, T]:
    """Decorate a function with the parameter ``progress``, so that by default it shows a bar where somebody watches.

    Parameters
    ----------
    function : callable
        A public function; its ``progress`` is given by name.

    Returns
    -------
    callable
        The same function; itself if it has no such parameter.

    Examples
    --------
    >>> def solve(steps: int, *, progress: object = None) -> str:
    ...     return type(progress).__name__
    >>> with_bar(solve)(3)  # nobody watches a test
    'Silent'
    >>> with_bar(len) is len
    True
    """
    if "progress" not in inspect.signature(function).parameters:
        return function

    @wraps(function)
    def shown(*args: P.args, **kwargs: P.kwargs) -> T:
        if kwargs.get("progress") is None:
            from matlens.runs.progress import progress_for_person

            kwargs["progress"] = progress_for_person()
        return function(*args, **kwargs)

    return shown
