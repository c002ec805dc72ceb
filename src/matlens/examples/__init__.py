"""Examples to begin with, made without a network: ``gravel``, ``bicontinuous``, ``particles``, ``porous`` and others.

The functions stand on either side below this package, so that nothing heavy is loaded before one of them is asked for.
"""

from typing import Any

from matlens.core.late import imported
from matlens.examples.listed import EXAMPLES

__all__ = list(EXAMPLES)


def __getattr__(name: str) -> Any:
    if name in EXAMPLES:
        return imported(EXAMPLES[name].where)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}; choose one of {', '.join(EXAMPLES)}")


def __dir__() -> list[str]:
    return __all__
