"""The shapes that docstrings promise, read and held against arrays.

``name : Tensor, shape (B, K, *S)`` names sizes: a letter stands for the same size wherever a docstring has it, ``*S``
for any number of axes, ``...`` for axes that are not checked. Sizes may be worked out, as ``K - 1`` or
``2 half_1 + 1``, from letters that are known by then and from whole numbers among the arguments (``reach``; ``half_1``
is the first of ``half``).
"""

import inspect
import re
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

Sizes = dict[str, Any]
SECTION = r"^{}\n-+\n(.*?)(?=\n\n?\w[\w ]*\n-{{3,}}|\Z)"


def promised(function: Callable[..., Any], section: str) -> Iterator[tuple[str, str]]:
    """Name, or type of a result without one, and shape of each entry of a section that gives a shape."""
    text = inspect.getdoc(function) or ""
    found = re.search(SECTION.format(section), text, re.MULTILINE | re.DOTALL)
    for line in (found[1] if found else "").splitlines():
        if entry := re.match(r"(\w+)[^(]*?\bshape \((.*?)\)(?!\w)", line):
            yield entry[1], entry[2]


def whole(text: str, sizes: Sizes) -> int | None:
    """A size in numbers, or None where letters of it are not known."""
    terms = re.findall(r"([+-]?) *(\d+)? *([A-Za-z_]\w*)?", text)
    terms = [(sign, number, name) for sign, number, name in terms if number or name]
    if any(name and name not in sizes for _, _, name in terms):
        return None
    return sum((-1 if sign == "-" else 1) * int(number or 1) * sizes.get(name, 1) for sign, number, name in terms)


def hold(shape: str, found: tuple[int, ...], sizes: Sizes) -> None:
    """Raise AssertionError unless a shape is as promised; letters that are met first become known."""
    parts = [part.strip() for part in shape.split(",") if part.strip()]
    many = [k for k, part in enumerate(parts) if part.startswith("*") or part == "..."]
    assert len(found) >= len(parts) - len(many), f"({shape}) promised, {found} found"
    if many:
        (start,) = many
        stop = start + len(found) - len(parts) + 1
        if parts[start] != "...":
            assert sizes.setdefault(parts[start], found[start:stop]) == found[start:stop], (
                f"({shape}), {found}, {sizes}"
            )
        parts = parts[:start] + parts[start + 1 :]
        found = found[:start] + found[stop:]
    assert len(found) == len(parts), f"({shape}) promised, {found} found"
    for part, size in zip(parts, found):
        wanted = whole(part, sizes)
        if wanted is None:
            assert part.isidentifier() or "_" in part, f"{part} of ({shape}) is not known"
            sizes[part] = wanted = size
        assert wanted == size, f"({shape}) promised, {found} found, with {sizes}"


def hold_shapes(function: Callable[..., Any], *args: Any, **options: Any) -> int:
    """Call a function; hold arguments and results against its docstring, and return how many were held."""
    given = inspect.signature(function).bind(*args, **options).arguments
    sizes: Sizes = {name: value for name, value in given.items() if isinstance(value, int)}
    for name, value in given.items():
        if isinstance(value, tuple):
            sizes |= {f"{name}_{k}": size for k, size in enumerate(value, 1) if isinstance(size, int)}
    held = 0
    for name, shape in promised(function, "Parameters"):
        if given.get(name) is not None:
            hold(shape, tuple(np.shape(given[name])), sizes)
            held += 1
    result = function(*args, **options)
    results = result if isinstance(result, tuple) else (result,)
    for (_, shape), value in zip(promised(function, "Returns"), results):
        hold(shape, tuple(np.shape(value)), sizes)
        held += 1
    return held
