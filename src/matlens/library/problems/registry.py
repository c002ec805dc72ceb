"""The families of synthetic libraries whose law is known, by name."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

from matlens.library.problems.blends import blend
from matlens.library.problems.diffraction_alloy import diffraction
from matlens.library.problems.known import KnownLibrary
from matlens.library.problems.photoanodes import photoanode

__all__ = ["LIBRARIES"]

LIBRARIES: Mapping[str, Callable[..., KnownLibrary]] = MappingProxyType(
    {"photoanode": photoanode, "diffraction": diffraction, "blend": blend}
)
"""Functions that make a library: each takes the number of samples, ``seed``, ``noise``, and options of its own."""
