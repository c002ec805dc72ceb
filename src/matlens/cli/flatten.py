"""Options that several commands share, written once as dataclasses and spread over each command's signature."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import MISSING, fields, is_dataclass
from functools import wraps
from typing import Any, get_type_hints

__all__ = ["flattened"]


def flattened(function: Callable[..., None]) -> Callable[..., None]:
    """Replace each parameter that is a dataclass by one option for each of its fields.

    Typer reads a command's options from its signature. ``def f(file: Path, common: Common)`` becomes, for typer,
    ``def f(file: Path, *, seed: int = 0, ...)``, and ``f`` is called with a ``Common`` again.

    Examples
    --------
    >>> from dataclasses import dataclass
    >>> @dataclass
    ... class Common:
    ...     seed: int = 0
    >>> @flattened
    ... def command(name: str, common: Common) -> None:
    ...     print(name, common)
    >>> list(inspect.signature(command).parameters)
    ['name', 'seed']
    >>> command("a", seed=3)
    a Common(seed=3)
    """
    hints = get_type_hints(function, include_extras=True)
    signature = inspect.signature(function)
    groups: dict[str, Any] = {name: hint for name, hint in hints.items() if is_dataclass(hint)}
    parameters = [
        parameter.replace(annotation=hints[name], kind=inspect.Parameter.KEYWORD_ONLY if index else parameter.kind)
        for index, (name, parameter) in enumerate(signature.parameters.items())
        if name not in groups
    ]
    for group in groups.values():
        parameters += _options(group)

    @wraps(function)
    def command(*args: Any, **options: Any) -> None:
        for name, group in groups.items():
            options[name] = group(
                **{field.name: options.pop(field.name) for field in fields(group) if field.name in options}
            )
        function(*args, **options)

    command.__signature__ = signature.replace(parameters=parameters, return_annotation=None)  # type: ignore[attr-defined]
    command.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
    del command.__wrapped__  # or inspect would look through to the grouped signature
    return command


def _options(group: Any) -> list[inspect.Parameter]:
    hints = get_type_hints(group, include_extras=True)
    return [
        inspect.Parameter(
            field.name,
            inspect.Parameter.KEYWORD_ONLY,
            default=inspect.Parameter.empty if field.default is MISSING else field.default,
            annotation=hints[field.name],
        )
        for field in fields(group)
    ]
