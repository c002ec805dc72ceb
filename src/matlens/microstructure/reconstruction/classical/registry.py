"""The baselines by name, and their options read from plain values."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

from matlens.errors import InputError
from matlens.microstructure.reconstruction.classical.annealing import Annealing
from matlens.microstructure.reconstruction.classical.base import Baseline
from matlens.microstructure.reconstruction.classical.gaussian_field import GaussianField
from matlens.microstructure.reconstruction.classical.particle_placement import ParticlePlacement
from matlens.microstructure.reconstruction.classical.quilting import Quilting
from matlens.microstructure.reconstruction.classical.tree import TreeSynthesis

__all__ = ["BASELINES", "find_baseline", "options_of"]

_KINDS: tuple[type[Any], ...] = (
    Annealing,
    GaussianField,
    TreeSynthesis,
    Quilting,
    ParticlePlacement,
)

BASELINES: dict[str, type[Any]] = {kind.name: kind for kind in _KINDS}


def find_baseline(name: str, options: Mapping[str, Any] | None = None) -> Baseline:
    """Make a baseline with options, given as values or as text.

    Parameters
    ----------
    name : str
        A key of ``BASELINES``.
    options : mapping, optional
        Fields of the baseline by name; text is read as the type of the field's default, lists are comma-separated.

    Raises
    ------
    InputError
        If the name, an option or its value is unknown.

    Examples
    --------
    >>> find_baseline("gaussian-field", {"reach": "12"})
    GaussianField(reach=12)
    """
    if name not in BASELINES:
        raise InputError(f"method {name!r} is not known; choose matching, {', '.join(BASELINES)}.")
    kind = BASELINES[name]
    fields = {item.name: item.default for item in dataclasses.fields(kind)}
    values = {}
    for key, value in (options or {}).items():
        if key not in fields:
            known = ", ".join(fields) or "none"
            raise InputError(f"method {name!r} has no option {key!r}; it has: {known}.")
        values[key] = _read(f"{name} option {key}", value, fields[key])
    made: Baseline = kind(**values)
    return made


def options_of(baseline: Baseline) -> dict[str, Any]:
    """List a baseline's options as plain values.

    Examples
    --------
    >>> options_of(find_baseline("gaussian-field"))
    {'reach': 0}
    """
    items = dataclasses.asdict(baseline)  # type: ignore[call-overload]
    return {key: list(value) if isinstance(value, tuple) else value for key, value in items.items()}


def _read(what: str, value: Any, like: Any) -> Any:
    """Read a value, perhaps text, as the type of ``like``."""
    if isinstance(like, tuple):
        parts = value.split(",") if isinstance(value, str) else value
        return tuple(str(part).strip() for part in parts)
    if isinstance(like, bool):
        words = {"true": True, "yes": True, "false": False, "no": False}
        if str(value).lower() not in words:
            raise InputError(f"{what} is {value!r}; give true or false.")
        return words[str(value).lower()]
    try:
        return type(like)(value)
    except (TypeError, ValueError):
        raise InputError(f"{what} is {value!r}, which is not {type(like).__name__}.") from None
