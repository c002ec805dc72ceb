"""Figures: what both sides share below this package, and as its public names the figures of both sides.

The sides stand above this package, so that their names are looked up when they are asked for.
"""

from importlib import import_module
from typing import Any

_SIDES = ("matlens.library.figures", "matlens.microstructure.figures")


def __getattr__(name: str) -> Any:
    if name == "__all__":
        return __dir__()
    for side in _SIDES if not name.startswith("_") else ():
        if name in import_module(side).__all__:
            return getattr(import_module(side), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(name for side in _SIDES for name in import_module(side).__all__)
