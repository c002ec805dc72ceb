"""Families of two-phase structures with random parameters, from which labelled data sets are made."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np

from matlens.errors import InputError
from matlens.microstructure.problems.cells import cell_walls
from matlens.microstructure.problems.lamellae import sheets
from matlens.microstructure.problems.oriented import anisotropic_bicontinuous, anisotropic_field, checked_plane
from matlens.microstructure.problems.packings import particles
from matlens.microstructure.problems.scattered_ellipses import ellipses
from matlens.microstructure.structure import Microstructure

__all__ = ["FAMILIES", "FRACTIONS", "Family", "draw_structure", "family_shape"]

Parameters = dict[str, float | int | bool]
FRACTIONS = (0.15, 0.65)  # volume fraction of phase 1, the stiff or conducting phase
# docs/decisions/0027-labelled-data-sets.md
_SHORTEST = 4.0  # pixels: the smallest feature that a pixel grid resolves
_SMALLEST_SIDE = 32  # a quarter of it is twice the smallest feature


@dataclass(frozen=True)
class Family:
    """A family of structures: how a structure is made, and how its parameters are drawn.

    Attributes
    ----------
    name : str
        Name of the family.
    make : callable
        ``make(shape, fraction=..., seed=..., **parameters)`` returns a structure; its docstring explains the
        parameters.
    draw : callable
        ``draw(rng, longest)`` returns random parameters, with features from 4 to ``longest`` pixels.

    Examples
    --------
    >>> FAMILIES["fields"].make((32, 32), correlation_length=5, fraction=0.5, seed=0).n_phases
    2
    """

    name: str
    make: Callable[..., Microstructure]
    draw: Callable[[np.random.Generator, float], Parameters]


def draw_structure(family: str, shape: Sequence[int], rng: np.random.Generator) -> tuple[Microstructure, Parameters]:
    """Draw random parameters of a family, and make a structure with them.

    Parameters
    ----------
    family : str
        One of `FAMILIES`.
    shape : sequence of int
        Pixels along each of the two axes, at least 32.
    rng : Generator
        Source of all random numbers.

    Returns
    -------
    structure : Microstructure
        Two phases, periodic; phase 1 has a volume fraction of 0.15 to 0.65.
    parameters : dict
        All parameters of the family's function, with the seed, so that it makes the same structure again.

    Raises
    ------
    InputError
        If the family is unknown, or a side is shorter than 32 pixels.

    Examples
    --------
    >>> structure, parameters = draw_structure("sheets", (64, 64), np.random.default_rng(0))
    >>> again = FAMILIES["sheets"].make((64, 64), **parameters)
    >>> bool((structure.labels == again.labels).all())
    True
    """
    if family not in FAMILIES:
        raise InputError(f"there is no family {family!r}; choose from {', '.join(FAMILIES)}.")
    sides = family_shape(shape)
    kind = FAMILIES[family]
    parameters = kind.draw(rng, min(sides) / 4)
    parameters["seed"] = int(rng.integers(2**53))  # a floating-point column of a table holds it exactly
    return kind.make(sides, **parameters), parameters


def _field(rng: np.random.Generator, longest: float) -> Parameters:
    aspect = _between(rng, 1, 4)
    length = _length(rng, _SHORTEST, longest / np.sqrt(aspect))
    return {"correlation_length": length, "aspect": aspect, "angle": _angle(rng), "fraction": _between(rng, *FRACTIONS)}


def _bicontinuous(rng: np.random.Generator, longest: float) -> Parameters:
    aspect = _between(rng, 1, 3) if rng.uniform() < 0.5 else 1.0
    wavelength = _length(rng, 2 * _SHORTEST, max(1.5 * longest / np.sqrt(aspect), 2.5 * _SHORTEST))
    return {"wavelength": wavelength, "aspect": aspect, "angle": _angle(rng), "fraction": _between(rng, *FRACTIONS)}


def _particles(rng: np.random.Generator, longest: float) -> Parameters:
    included = int(rng.integers(2))
    return {
        "diameter": _length(rng, _SHORTEST, longest),
        "spread": _between(rng, 0, 0.4),
        "gap": _between(rng, 0, 2),
        "included": included,
        "fraction": _between(rng, 0.15, 0.65) if included else _between(rng, 0.25, 0.65),
    }


def _ellipses(rng: np.random.Generator, longest: float) -> Parameters:
    included, overlap = int(rng.integers(2)), bool(rng.integers(2))
    aspect = _between(rng, 1.5, 5)
    if overlap:
        fraction = _between(rng, *FRACTIONS)
    else:  # ellipses without overlap fill half the plane at most
        fraction = _between(rng, 0.15, 0.45) if included else _between(rng, 0.55, 0.65)
    return {
        "length": _length(rng, max(_SHORTEST, 3.0 * np.sqrt(aspect)), max(longest / aspect**0.25, 1.5 * _SHORTEST)),
        "aspect": aspect,
        "angle": _angle(rng),
        "disorder": float(rng.choice([0.0, 15.0, 40.0, 90.0])),
        "overlap": overlap,
        "included": included,
        "fraction": fraction,
    }


def _sheets(rng: np.random.Generator, longest: float) -> Parameters:
    included = int(rng.integers(2))
    fraction = _between(rng, 0.15, 0.5) if included else _between(rng, 0.4, 0.65)
    share = fraction if included else 1 - fraction
    shortest = max(1.5 * _SHORTEST, 2.0 / share)  # so that a lamella is at least two pixels thick
    return {
        "period": _length(rng, shortest, max(longest, 1.2 * shortest)),
        "angle": _angle(rng),
        "waviness": _between(rng, 0, 0.4),
        "interruption": _between(rng, 0, 0.3) if rng.uniform() < 0.75 else 0.0,
        "included": included,
        "fraction": fraction,
    }


def _cells(rng: np.random.Generator, longest: float) -> Parameters:
    included = int(rng.integers(2))
    fraction = _between(rng, 0.15, 0.5) if included else _between(rng, 0.4, 0.65)
    share = fraction if included else 1 - fraction
    shortest = min(max(2 * _SHORTEST, 4.0 / share), 1.6 * longest)  # so that walls are at least two pixels thick
    return {
        "diameter": _length(rng, shortest, max(1.5 * longest, 1.2 * shortest)),
        "regularity": _between(rng, 0, 1),
        "aspect": _between(rng, 1, 2.5),
        "angle": _angle(rng),
        "included": included,
        "fraction": fraction,
    }


def _between(rng: np.random.Generator, low: float, high: float) -> float:
    return float(rng.uniform(low, high))


def _length(rng: np.random.Generator, shortest: float, longest: float) -> float:
    """Draw a length whose logarithm is uniformly distributed."""
    return float(np.exp(rng.uniform(np.log(shortest), np.log(max(longest, shortest)))))


def _angle(rng: np.random.Generator) -> float:
    return float(rng.uniform(0, 180))


FAMILIES: Mapping[str, Family] = MappingProxyType(
    {
        family.name: family
        for family in (
            Family("fields", anisotropic_field, _field),
            Family("bicontinuous", anisotropic_bicontinuous, _bicontinuous),
            Family("particles", particles, _particles),
            Family("ellipses", ellipses, _ellipses),
            Family("sheets", sheets, _sheets),
            Family("cell_walls", cell_walls, _cells),
        )
    }
)


def family_shape(shape: Sequence[int]) -> tuple[int, int]:
    """Check the shape of structures of a family.

    Parameters
    ----------
    shape : sequence of int
        Pixels along each of the two axes.

    Returns
    -------
    tuple of int
        The shape.

    Raises
    ------
    InputError
        If there are not two sides, or one is shorter than 32 pixels.

    Examples
    --------
    >>> family_shape([64, 96])
    (64, 96)
    """
    height, width = checked_plane(shape)
    if min(height, width) < _SMALLEST_SIDE:
        raise InputError(
            f"structures of a family need sides of at least {_SMALLEST_SIDE} pixels, found {height} x {width}."
        )
    return height, width
