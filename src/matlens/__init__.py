"""MatLens: learn from small materials data.

The public names below load on first use, so ``import matlens`` stays quick and loads no torch.
"""

from importlib import import_module
from typing import Any

from matlens._version import __version__

_EXPORTS = {
    "Microstructure": "microstructure",
    "map_labels": "microstructure",
    "LibraryModel": "learning.library",
    "MaterialsLibrary": "library",
    "MatlensError": "errors",
    "InputError": "errors",
    "Interrupted": "errors",
    "ResourceError": "errors",
    "RunError": "errors",
    "LibraryOptions": "io",
    "read_library": "io",
    "read_microstructure": "io",
    "write_library": "io",
    "write_microstructure": "io",
    "characterize": "statistics",
    "compare": "statistics",
    "reconstruct": "reconstruction",
    "reconstruct_from_statistics": "reconstruction",
    "Recipe": "learning",
    "StructurePropertyModel": "learning",
    "StructureSet": "learning",
    "generate_structures": "learning",
    "read_labelled": "learning",
    "read_library_model": "learning.library",
    "write_library_model": "learning.library",
    "read_model": "learning",
    "read_structures": "learning",
    "Campaign": "insight",
    "Limits": "insight",
    "explain": "insight",
    "plate_list": "insight",
    "suggest": "insight",
    "homogenize": "physics",
    "prune": "reconstruction",
}

__all__ = ["__version__", *_EXPORTS]


def __getattr__(name: str) -> Any:
    if name not in _EXPORTS:
        raise AttributeError(f"module 'matlens' has no attribute {name!r}")
    value = getattr(import_module(f"matlens.{_EXPORTS[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
