"""The families of materials libraries whose truth is known, by name."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

from matlens.problems.libraries.blend import blend
from matlens.problems.libraries.diffraction import diffraction
from matlens.problems.libraries.known import KnownLibrary
from matlens.problems.libraries.photoanode import photoanode

__all__ = ["LIBRARIES"]

LIBRARIES: Mapping[str, Callable[..., KnownLibrary]] = MappingProxyType(
    {"photoanode": photoanode, "diffraction": diffraction, "blend": blend}
)
"""Makers of libraries: each takes the number of samples, ``seed``, ``noise``, and options of its own."""
