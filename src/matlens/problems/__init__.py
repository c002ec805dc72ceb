"""Synthetic truths with known answers, and negative controls: textures, regular structures, one real photograph."""

from matlens.problems.discs import discs, discs_two_point
from matlens.problems.fields import bicontinuous, gaussian_field, level_cut_covariance
from matlens.problems.noise import blurred_noise, white_noise
from matlens.problems.photographs import gravel
from matlens.problems.regular import checkerboard, laminate

__all__ = [
    "bicontinuous",
    "blurred_noise",
    "checkerboard",
    "discs",
    "discs_two_point",
    "gaussian_field",
    "gravel",
    "laminate",
    "level_cut_covariance",
    "white_noise",
]
