"""MatLens: learn from small materials data.

The public names stand in ``__init__.pyi`` and load on first use, so ``import matlens`` stays quick and loads no torch.
"""

from inspect import isfunction
from typing import Any

import lazy_loader

_attached, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)


def __getattr__(name: str) -> Any:
    found = _attached(name)
    if isfunction(found):
        from matlens.front import with_bar

        found = globals()[name] = with_bar(found)
    return found
