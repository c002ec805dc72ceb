"""Synthetic truths with known answers: structures, materials libraries, and negative controls."""

from matlens.problems.blend import blend
from matlens.problems.cells import cell_walls
from matlens.problems.diffraction import diffraction
from matlens.problems.discs import discs, discs_two_point
from matlens.problems.ellipses import ellipses
from matlens.problems.families import FAMILIES, Family, draw_structure
from matlens.problems.fields import bicontinuous, gaussian_field, level_cut_covariance
from matlens.problems.known import KnownLibrary, Truth
from matlens.problems.libraries import LIBRARIES
from matlens.problems.noise import blurred_noise, white_noise
from matlens.problems.oriented import anisotropic_bicontinuous, anisotropic_field
from matlens.problems.particles import particles
from matlens.problems.photoanode import photoanode
from matlens.problems.photographs import gravel
from matlens.problems.regular import checkerboard, laminate
from matlens.problems.sheets import sheets

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
