"""Check of arguments at the public front: one of a wrong type gets a sentence there, not an error deep inside."""

from __future__ import annotations

import collections.abc
import inspect
import re
import types
import typing
from collections.abc import Callable
from functools import cache, wraps
from numbers import Integral, Real
from typing import Any, Literal, ParamSpec, TypeVar, Union

import numpy as np

from matlens.errors import InputError

__all__ = ["checked_arguments", "fits"]

P = ParamSpec("P")
T = TypeVar("T")
_MANY = 100  # members of a sequence or mapping that are looked at


def checked_arguments(function: Callable[P, T]) -> Callable[P, T]:
    """Decorate a public function, so that each argument is of the type that its annotation names.

    Parameters
    ----------
    function : callable
        Function with annotations and a NumPy docstring.

    Returns
    -------
    callable
        The same function; it raises InputError for an argument of another type.

    Examples
    --------
    >>> @checked_arguments
    ... def solve(conductivity: dict[int, float]) -> float:
    ...     '''Solve.
    ...
    ...     Parameters
    ...     ----------
    ...     conductivity : dict of int to float
    ...     '''
    >>> solve([1, 10])
    Traceback (most recent call last):
    matlens.errors.InputError: found [1, 10] for the argument conductivity of solve, expected dict of int to float;
    pass such a value.
    """
    signature = inspect.signature(function)
    name = getattr(function, "__qualname__", "").removesuffix(".__init__")

    @cache  # annotations are resolved when they are needed, as they may name what is imported later
    def hints() -> dict[str, Any]:
        return typing.get_type_hints(function)

    @wraps(function)
    def checked(*args: P.args, **kwargs: P.kwargs) -> T:
        try:
            given = signature.bind(*args, **kwargs).arguments
        except TypeError:  # one is missing or unknown, which Python says itself
            return function(*args, **kwargs)
        for argument, value in given.items():
            kind = signature.parameters[argument].kind
            if kind in (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD) or argument not in hints():
                continue
            if argument == "device":  # a torch.device serves too; what it is given to checks it
                continue
            if not fits(value, hints()[argument]):
                found = " ".join(repr(value).split())
                raise InputError(
                    f"found {found[:80]}{'...' * (len(found) > 80)} for the argument {argument} of {name}, expected "
                    f"{_expected(function, argument)}; pass such a value."
                )
        return function(*args, **kwargs)

    return checked


def fits(value: Any, hint: Any) -> bool:
    """Return whether a value is of the type that an annotation names.

    Parameters
    ----------
    value : object
        The value.
    hint : object
        The annotation, resolved; of one that cannot be checked, such as a protocol, any value is.

    Returns
    -------
    bool
        Whether it is. A text is no sequence, and a truth value no number.

    Examples
    --------
    >>> fits(np.int64(3), int | None), fits(True, float), fits("ab", list[str]), fits([1, "a"], tuple[int, ...])
    (True, False, False, False)
    """
    origin, parts = typing.get_origin(hint), typing.get_args(hint)
    if origin in (Union, types.UnionType):
        return any(fits(value, part) for part in parts)
    if origin is Literal:
        return any(type(value) is type(part) and value == part for part in parts)
    if hint is float or hint is int:
        return isinstance(value, Real if hint is float else Integral) and not isinstance(value, bool | np.bool_)
    if hint is bool:
        return isinstance(value, bool | np.bool_)
    if hint is None:
        return value is None
    if origin is not None and isinstance(origin, type):
        return _fits_generic(value, origin, parts)
    if getattr(hint, "_is_protocol", False):  # which members are needed depends on the use
        return True
    try:
        return isinstance(value, hint)
    except TypeError:  # protocols and type variables
        return True


def _fits_generic(value: Any, origin: Any, parts: tuple[Any, ...]) -> bool:
    if origin is tuple and parts and parts[-1] is not Ellipsis:
        return isinstance(value, tuple) and len(value) == len(parts) and all(map(fits, value, parts))
    if issubclass(origin, collections.abc.Mapping):
        if not isinstance(value, collections.abc.Mapping):
            return False
        pairs = list(value.items())[:_MANY]
        return not parts or all(fits(key, parts[0]) and fits(item, parts[1]) for key, item in pairs)
    if issubclass(origin, collections.abc.Sequence):
        if isinstance(value, str | bytes) or not isinstance(value, collections.abc.Sequence | np.ndarray):
            return False
        return not parts or all(fits(item, parts[0]) for item in list(value[:_MANY]))
    if origin is collections.abc.Callable:
        return callable(value)
    try:
        return isinstance(value, origin)
    except TypeError:
        return True


def _expected(function: Callable[..., Any], argument: str) -> str:
    """What the docstring says that an argument is, else its annotation."""
    listed = re.search(rf"^ *(?:\w+, )*{argument}(?:, \w+)* : (.+)$", function.__doc__ or "", re.MULTILINE)
    return listed[1].removesuffix(", optional") if listed else str(function.__annotations__[argument])
