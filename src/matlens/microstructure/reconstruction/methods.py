"""The methods of reconstruction by name. Importing this module loads no method, and neither torch nor scipy."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

from matlens.core.late import imported
from matlens.errors import InputError

if TYPE_CHECKING:
    from matlens.microstructure.reconstruction.method import Method

__all__ = [
    "METHODS",
    "METHOD_NAMES",
    "MethodEntry",
    "find_method",
    "method_entry",
    "option_names",
    "options_of",
    "with_options",
]


@dataclass(frozen=True)
class MethodEntry:
    """Entry of a method in the registry; options and citations stand with the method's class.

    Attributes
    ----------
    name : str
        Value of ``method=`` and ``--method``.
    where : str
        Class of the method, a subclass of `Method`, as ``"module:Class"``; imported when the method is first used.
    from_statistics : bool
        Whether the method can reconstruct from statistics alone, without an exemplar.

    Examples
    --------
    >>> method_entry("annealing").from_statistics
    True
    """

    name: str
    where: str
    from_statistics: bool = False

    def load_class(self) -> type[Method[Any]]:
        """Import the class of the method.

        Returns
        -------
        type
            Subclass of `Method`.
        """
        found: type[Method[Any]] = imported(self.where)
        return found


_HERE = "matlens.microstructure.reconstruction"

# The first of them is the default.
METHODS: dict[str, MethodEntry] = {
    entry.name: entry
    for entry in (
        MethodEntry("matching", f"{_HERE}.matching.method:Matching"),
        MethodEntry("annealing", f"{_HERE}.classical.annealing:Annealing", from_statistics=True),
        MethodEntry("gaussian-field", f"{_HERE}.classical.gaussian_field:GaussianField"),
        MethodEntry("tree", f"{_HERE}.classical.tree:TreeSynthesis"),
        MethodEntry("quilting", f"{_HERE}.classical.quilting:Quilting"),
        MethodEntry("particles", f"{_HERE}.classical.particle_placement:ParticlePlacement"),
    )
}
METHOD_NAMES: tuple[str, ...] = tuple(METHODS)


def method_entry(name: str) -> MethodEntry:
    """Return the entry of a method.

    Parameters
    ----------
    name : str
        A key of ``METHODS``.

    Returns
    -------
    MethodEntry
        The entry.

    Raises
    ------
    InputError
        If no method has this name.

    Examples
    --------
    >>> method_entry("tree").load_class().__name__
    'TreeSynthesis'
    """
    if name not in METHODS:
        raise InputError(f"method {name!r} is not known; choose one of {', '.join(METHODS)}.")
    return METHODS[name]


def find_method(name: str, options: Mapping[str, Any] | None = None) -> Method[Any]:
    """Create a method with options, which may be given as values or as text.

    Parameters
    ----------
    name : str
        A key of ``METHODS``.
    options : mapping, optional
        Fields of the method by name; text is read as the type of the field's default, lists are comma-separated.

    Returns
    -------
    Method
        The method.

    Raises
    ------
    InputError
        If the method or an option is unknown, or a value cannot be read.

    Examples
    --------
    >>> find_method("gaussian-field", {"reach": "12"})
    GaussianField(reach=12)
    """
    return with_options(method_entry(name).load_class()(), options or {})


def with_options(method: Method[Any], options: Mapping[str, Any]) -> Method[Any]:
    """Return a method with some options changed.

    Parameters
    ----------
    method : Method
        The method, which is not changed.
    options : mapping
        Fields of the method by name; text is read as the type of the field's default, lists are comma-separated.

    Returns
    -------
    Method
        The method with these options.

    Raises
    ------
    InputError
        If an option is unknown, or a value cannot be read.

    Examples
    --------
    >>> with_options(find_method("gaussian-field"), {"reach": 4})
    GaussianField(reach=4)
    """
    fields = {item.name: item.default for item in dataclasses.fields(cast("Any", method))}
    values = {}
    for key, value in options.items():
        if key not in fields:
            known = ", ".join(fields) or "none"
            raise InputError(f"method {method.name!r} has no option {key!r}; it has: {known}.")
        values[key] = _read(f"{method.name} option {key}", value, fields[key])
    changed: Method[Any] = dataclasses.replace(cast("Any", method), **values)
    return changed


def option_names(name: str) -> tuple[str, ...]:
    """List the options of a method.

    Parameters
    ----------
    name : str
        A key of ``METHODS``.

    Returns
    -------
    tuple of str
        Names of the options.

    Raises
    ------
    InputError
        If no method has this name.

    Examples
    --------
    >>> option_names("gaussian-field")
    ('reach',)
    """
    return tuple(item.name for item in dataclasses.fields(cast("Any", method_entry(name).load_class())))


def options_of(method: Method[Any]) -> dict[str, Any]:
    """Return the options of a method as plain values.

    Parameters
    ----------
    method : Method
        The method.

    Returns
    -------
    dict of str to object
        Values by name; tuples become lists.

    Examples
    --------
    >>> options_of(find_method("gaussian-field"))
    {'reach': 0}
    """
    items = {item.name: getattr(method, item.name) for item in dataclasses.fields(cast("Any", method))}
    return {key: list(value) if isinstance(value, tuple) else value for key, value in items.items()}


def _read(what: str, value: Any, like: Any) -> Any:
    """Read a value, perhaps text, as the type of ``like``."""
    if isinstance(like, tuple):
        parts = value.split(",") if isinstance(value, str) else value
        return tuple(str(part).strip() for part in parts)
    if like is None or isinstance(like, str):
        return value  # text, or an object that stands for it: a preset, a path, a loaded encoder
    if isinstance(like, bool):
        words = {"true": True, "yes": True, "false": False, "no": False}
        if str(value).lower() not in words:
            raise InputError(f"{what} is {value!r}; give true or false.")
        return words[str(value).lower()]
    try:
        return type(like)(value)
    except (TypeError, ValueError):
        raise InputError(f"{what} is {value!r}, which is not {type(like).__name__}.") from None
