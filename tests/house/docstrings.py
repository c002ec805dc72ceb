"""Sections that the docstrings of public names should have: Parameters, Returns and Examples, as NumPy writes them."""

import importlib
import inspect
import re
from collections.abc import Iterator
from types import FunctionType
from typing import Any

from circles import SRC


def public_names() -> Iterator[tuple[str, Any]]:
    """Functions and classes on the faces, under the shortest name that each has."""
    packages = {".".join(path.relative_to(SRC).parts[:-1]) for path in SRC.rglob("__init__.pyi")}
    names: dict[int, tuple[str, Any]] = {}
    for package in sorted(packages, key=lambda name: (name.count("."), name)):
        face = importlib.import_module(package)
        for name in face.__all__:
            value = getattr(face, name)
            if isinstance(value, (FunctionType, type)):
                names.setdefault(id(value), (f"{package}.{name}", value))
    yield from sorted(names.values(), key=lambda pair: pair[0])


def wanted_sections(value: Any) -> Iterator[str]:
    """The sections that a function or class owes its reader; an exception explains itself by its message."""
    if isinstance(value, type) and issubclass(value, BaseException):
        return
    try:
        signature = inspect.signature(value)
    except ValueError:  # a class whose arguments are those of a built-in
        signature = inspect.Signature()
    if any(not name.startswith("_") for name in signature.parameters):
        yield "Parameters"
    if not isinstance(value, type) and signature.return_annotation not in (None, "None"):
        yield "Returns"
    yield "Examples"


def has_section(text: str, section: str) -> bool:
    # Fields of a record are told as its parameters or as its attributes, and a generator yields what it returns.
    other = {"Parameters": "Parameters|Attributes", "Returns": "Returns|Yields"}.get(section, section)
    return re.search(rf"^(?:{other})\n-{{3,}}$", text, re.MULTILINE) is not None


def missing_sections() -> Iterator[str]:
    for name, value in public_names():
        text = inspect.getdoc(value) or ""
        yield from (f"{name}: {section}" for section in wanted_sections(value) if not has_section(text, section))
