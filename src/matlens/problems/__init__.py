"""Synthetic truths with known answers: structures, materials libraries, and negative controls.

Those of libraries load on first use: they need torch, which structures do not.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from matlens.problems.cells import cell_walls
from matlens.problems.discs import discs, discs_two_point
from matlens.problems.ellipses import ellipses
from matlens.problems.families import FAMILIES, Family, draw_structure
from matlens.problems.fields import bicontinuous, gaussian_field, level_cut_covariance
from matlens.problems.noise import blurred_noise, white_noise
from matlens.problems.oriented import anisotropic_bicontinuous, anisotropic_field
from matlens.problems.particles import particles
from matlens.problems.photographs import gravel
from matlens.problems.regular import checkerboard, laminate
from matlens.problems.sheets import sheets

if TYPE_CHECKING:
    from matlens.problems.libraries import LIBRARIES, KnownLibrary, Truth, blend, diffraction, photoanode

_OF_LIBRARIES = ("LIBRARIES", "KnownLibrary", "Truth", "blend", "diffraction", "photoanode")

__all__ = [
    "FAMILIES",
    "LIBRARIES",
    "Family",
    "KnownLibrary",
    "Truth",
    "anisotropic_bicontinuous",
    "anisotropic_field",
    "bicontinuous",
    "blend",
    "blurred_noise",
    "cell_walls",
    "checkerboard",
    "diffraction",
    "discs",
    "discs_two_point",
    "draw_structure",
    "ellipses",
    "gaussian_field",
    "gravel",
    "laminate",
    "level_cut_covariance",
    "particles",
    "photoanode",
    "sheets",
    "white_noise",
]


def __getattr__(name: str) -> Any:
    if name not in _OF_LIBRARIES:
        raise AttributeError(f"module 'matlens.problems' has no attribute {name!r}")
    return getattr(import_module("matlens.problems.libraries"), name)
