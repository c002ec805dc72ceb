"""Halves of sections, from which targets are measured anew: how much a section's size leaves open."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from matlens.errors import InputError
from matlens.microstructure.structure import Microstructure

__all__ = ["half_sections"]

_TRIES = 50


def half_sections(sections: Sequence[Microstructure], seed: int, number: int) -> list[Microstructure]:
    """Mask half of each section, the half that is left being a window at a random place.

    Targets from halves scatter about the whole section's as much as those of sections of its size about the material's:
    the variance of a half is twice that of the whole, and the half shares half of it with the whole.

    Parameters
    ----------
    sections : sequence of Microstructure
        Two-dimensional sections.
    seed, number : int
        Seed, and number of the half; random numbers depend on nothing else.

    Returns
    -------
    list of Microstructure
        The sections; all but the half is masked, so that sizes and levels stay.

    Raises
    ------
    InputError
        If a phase is so rare that no half was found that holds every phase of its section.

    Notes
    -----
    Blocks as large as half of the data, after Politis and Romano, Ann. Stat. 22, 2031 (1994).

    Examples
    --------
    >>> from matlens.microstructure.problems import discs
    >>> (half,) = half_sections([discs((64, 64), radius=4, seed=1)], seed=0, number=0)
    >>> half.shape, half.masked_share
    ((64, 64), 0.5)
    """
    random = np.random.default_rng([seed, number, 3])
    return [_half(section, random) for section in sections]


def _half(section: Microstructure, random: np.random.Generator) -> Microstructure:
    whole = np.count_nonzero(section.volume_fractions)
    for _ in range(_TRIES):
        axis = int(random.integers(2))
        side = section.shape[axis]
        start = int(random.integers(side - side // 2 + 1))
        kept = np.zeros(section.shape, dtype=bool)
        np.moveaxis(kept, axis, 0)[start : start + side // 2] = True
        if section.mask is not None:
            kept &= section.mask
        if kept.any():
            half = replace(section, mask=kept, periodic=False)
            if np.count_nonzero(half.volume_fractions) == whole:
                return half
    raise InputError(
        f"no half of the section was found in {_TRIES} tries that holds all of its {whole} phases; give a larger "
        "section, or no resampled targets."
    )
