"""Presets of feature matching, chosen by measurement (docs/results.md)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from matlens.errors import InputError

__all__ = ["PRESETS", "InSpace", "Preset", "find_preset", "settings_in_space"]


@dataclass(frozen=True)
class InSpace:
    """Settings of feature matching for volumes.

    Attributes
    ----------
    coarse, fine, coarsest : int
        Evaluations on each coarser level, on the full-size level, and on the first level of several.
    step : int
        Distance between the planes that are compared on levels of many planes; those between have their turn in the
        next of as many stages.
    swaps : int
        Evaluations for pixel swaps after decoding; they see all planes.

    Examples
    --------
    >>> InSpace().step
    4
    """

    coarse: int = 40
    fine: int = 80
    coarsest: int = 120
    step: int = 4
    swaps: int = 7


@dataclass(frozen=True)
class Preset:
    """Settings of feature matching.

    Attributes
    ----------
    name : str
        Name; the encoder's defaults depend on it.
    layers : mapping of str to float, optional
        Loss layers and their weights; by default the encoder's for this name
        (`matlens.microstructure.encoders.Encoder.losses`), or its ``"default"``.
    coarse, fine, coarsest : int, optional
        Evaluations on each coarser level, on the full-size level, and on the first level of several; by default the
        encoder's, or ``coarse`` for the first level where only that is given.
    gram : {"relative", "li2018"}
        Divisor of the squared Gram distances: the target's squared norm, or 4 C^2 as in Li et al., Sci. Rep. 8, 13461
        (2018).
    two_point, total_variation, phase_range, fraction : float
        Weights of the other terms; 0 leaves a term out.
    sharpening : tuple of (int, float)
        Stages at the end of the finest level: percentage of ``fine``, and weight of the double-well penalty.
    levels : bool
        Whether to optimise from coarse to fine.
    optimiser : {"lbfgs", "adam"}
        Optimiser of the field.
    bounded : bool
        Whether the field is kept within the exemplar's values by projection, instead of a penalty.
    decode : {"exact", "kmeans+anneal"}
        How phases are decoded from the field.
    swaps : int
        Evaluations for pixel swaps after decoding (`matlens.microstructure.reconstruction.matching.swaps`).
    mend : bool
        Whether throats are mended after decoding (`matlens.microstructure.reconstruction.matching.throats`).

    Examples
    --------
    >>> from dataclasses import replace
    >>> replace(PRESETS["default"], name="mine", swaps=0).gram
    'relative'
    """

    name: str
    layers: Mapping[str, float] | None = None
    coarse: int | None = None
    fine: int | None = None
    coarsest: int | None = None
    gram: Literal["relative", "li2018"] = "relative"
    # docs/decisions/0009-two-point-term.md
    two_point: float = 0.3
    total_variation: float = 0.1
    phase_range: float = 0.1
    fraction: float = 0.0
    # docs/decisions/0011-exact-decoding.md: with the encoder `matlens` it moves no statistic
    sharpening: tuple[tuple[int, float], ...] = ()
    levels: bool = True
    optimiser: Literal["lbfgs", "adam"] = "lbfgs"
    bounded: bool = False
    decode: Literal["exact", "kmeans+anneal"] = "exact"
    swaps: int = 30
    mend: bool = True
    space: InSpace | None = InSpace()


PRESETS: dict[str, Preset] = {
    "default": Preset("default"),
    "fast": Preset("fast", sharpening=((25, 0.3), (25, 1.0)), swaps=15, space=InSpace(fine=40, coarsest=80, swaps=5)),
    "li2018": Preset(
        "li2018",
        gram="li2018",
        two_point=0.0,
        total_variation=0.0,
        phase_range=0.0,
        levels=False,
        bounded=True,
        decode="kmeans+anneal",
        swaps=0,
        mend=False,
        space=None,
    ),
}


def find_preset(preset: str | Preset) -> Preset:
    """Return the preset of a name; a `Preset` is returned unchanged.

    Parameters
    ----------
    preset : str or Preset
        A key of ``PRESETS``, or a preset.

    Returns
    -------
    Preset
        The preset.

    Raises
    ------
    InputError
        If no preset has this name.

    Examples
    --------
    >>> find_preset("fast").levels
    True
    """
    if isinstance(preset, Preset):
        return preset
    if preset not in PRESETS:
        raise InputError(f"preset {preset!r} is not known; choose one of {', '.join(PRESETS)}.")
    return PRESETS[preset]


def settings_in_space(preset: Preset) -> InSpace:
    """Return a preset's settings for volumes.

    Parameters
    ----------
    preset : Preset
        A preset.

    Returns
    -------
    InSpace
        The settings.

    Raises
    ------
    InputError
        If the preset has none.

    Examples
    --------
    >>> settings_in_space(PRESETS["fast"]).fine
    40
    """
    if preset.space is None:
        raise InputError(f"preset {preset.name!r} is published for planes and makes no volumes; choose 'default'.")
    return preset.space
