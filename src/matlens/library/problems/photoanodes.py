"""Synthetic photoanodes like those of Umehara et al. (2019): composition and Raman spectrum determine the power."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray

from matlens.errors import InputError
from matlens.library.problems.known import KnownLibrary, Truth, checked_size, derive, layout_support, scattered
from matlens.library.problems.photoanode_law import A_SITE, AXIS, COMPONENTS, V_SITE, PhotoanodeLaw, draw_law
from matlens.library.table import MaterialsLibrary

__all__ = ["photoanode"]

Floats = NDArray[np.float64]
_SERIES = (1.083, 1.006, 0.926)  # Bi:V
_LEVELS = np.array([1, 2, 3, 4, 5, 6, 7.78, 8.89, 10, 11.11])  # loadings, in units of the smallest
_STEP = np.array([0.00733, 0.00707, 0.00753])  # the smallest loading of each series, relative to Bi + V
_DISTINCT = 0.78  # share of samples with a composition of their own; the others are replicates
_MOST = 11  # largest sum of the levels of two elements in a co-alloy
_REACH = 0.02
_PLATE = 529  # samples on a plate, 23 x 23


def photoanode(
    n: int = 1379,
    *,
    seed: int = 0,
    noise: float = 1.0,
    anneal: float = 1.0,
    alloying: Sequence[str] = ("W", "Dy", "Gd", "Mo", "Tb"),
    missing: int = 2,
) -> KnownLibrary:
    """Make a library of photoanodes with the published columns and layout, and its truth.

    The layout has three series of Bi:V, ten loadings of each alloying element, co-alloys of two elements, bare hosts
    and replicates. The spectra are raw intensities as an instrument writes them (counts, with gain, drifting
    fluorescence and channel noise), *not* yet divided by their maximum in 750 to 850 cm-1. The power follows the
    composition and two functionals of the noise-free spectrum: the filling of the valley at 345 cm-1 between the
    325/365 doublet, and the height of one more band (drawn by the seed) relative to the V-O stretch at 826 cm-1.
    Neither depends on a factor or a linear baseline, so that the truth of normalised spectra is the same. See
    `PhotoanodeLaw`.

    Parameters
    ----------
    n : int
        Number of samples, at least 20.
    seed : int
        Seed of the law (coefficients, interactions, the further band), the layout and the noise.
    noise : float
        Factor of replicate scatter and channel noise; at 1 the truth reaches an R2 of 0.93 against the measured power.
    anneal : float
        Strength of changes of the spectrum at fixed composition (splitting, texture, crystallinity, orientation). With
        0 the spectrum is a function of composition, and partial gradients are not identifiable.
    alloying : sequence of str
        Elements that are alloyed; the columns of the others are zero.
    missing : int
        Number of pairs of alloying elements that do not occur together.

    Returns
    -------
    KnownLibrary
        With the states "anneal", "texture", "crystallinity", "orientation", "gain", "fluorescence", "decay".

    Raises
    ------
    InputError
        If the size, a strength or an element is out of range.

    Notes
    -----
    Layout after Umehara et al., npj Comput. Mater. 5, 34 (2019).

    Examples
    --------
    >>> known = photoanode(60, seed=3)
    >>> known.library
    MaterialsLibrary(60 samples, Bi-V-W-Dy-Gd-Mo-Tb, P in mW/cm2, 1015 channels 78.025 to 1339.9 cm-1)
    >>> known.truth.spectral.shape
    (60, 1015)
    """
    n = checked_size(n, 20, noise, anneal)
    elements = _alloying(alloying)
    pairs = list(combinations(elements, 2))
    if int(missing) != missing or not 0 <= missing <= max(0, len(pairs) - 1):
        raise InputError(f"missing must be a whole number from 0 to {max(0, len(pairs) - 1)}, found {missing!r}.")
    nature, layout, chance = (np.random.default_rng(one) for one in np.random.SeedSequence(seed).spawn(3))
    law = draw_law(nature)
    made = [pairs[k] for k in sorted(layout.permutation(len(pairs))[int(missing) :])]
    compositions = _compositions(n, elements, made, layout)
    places = _places(n)
    state = _state(places, anneal, chance)
    merit, partial, total, spectral = derive(law, compositions, state)
    measured, ceiling = scattered(merit, noise, chance)
    present = {*elements, "Bi", "V"}
    truth = Truth(
        merit=merit,
        partial=partial,
        total=total,
        spectral=spectral,
        supported=layout_support(compositions, _REACH),
        groups=tuple(group & present for group in (A_SITE, V_SITE) if len(group & present) > 1),
        bands=law.bands,
        ceiling=ceiling,
    )
    library = MaterialsLibrary(
        compositions,
        COMPONENTS,
        pd.DataFrame({"P": measured}),
        {"P": "mW/cm2"},
        _spectra(law, compositions, state, noise, chance),
        AXIS,
        axis_name="Raman shift",
        axis_unit="cm-1",
        spectrum_unit="counts",
        covariates=places,
    )
    return KnownLibrary(f"photoanode {seed}", library, truth, law, state)


def _alloying(names: Sequence[str]) -> tuple[str, ...]:
    wrong = [name for name in names if name not in COMPONENTS[2:]]
    if wrong or not names or len(set(names)) < len(names):
        raise InputError(f"alloying elements must be some of {', '.join(COMPONENTS[2:])}, found {', '.join(names)!r}.")
    return tuple(names)


def _compositions(n: int, elements: tuple[str, ...], pairs: list[tuple[str, str]], rng: np.random.Generator) -> Floats:
    """Bare hosts, single elements, the same number of co-alloys of each pair, and replicates, in random order."""
    count = int(np.ceil(_DISTINCT * n))
    rows: list[dict[str, int]] = [{}]
    rows += [{element: int(level)} for element in elements for level in range(10)]
    plain = [_composition(series, loads) for series in range(3) for loads in rows]
    if count < len(plain):
        plain = [plain[k] for k in rng.permutation(len(plain))[:count]]
    grid = [(i, j, s) for i in range(10) for j in range(10) for s in range(3) if i + j + 2 <= _MOST]
    shuffled = [rng.permutation(len(grid)) for _ in pairs]
    mixed = [
        _composition(grid[order[turn]][2], dict(zip(pair, grid[order[turn]][:2])))
        for turn in range(len(grid))
        for pair, order in zip(pairs, shuffled)
    ]
    distinct = np.array(plain + mixed[: count - len(plain)])
    again = rng.integers(len(distinct), size=n - len(distinct))
    return np.concatenate([distinct, distinct[again]])[rng.permutation(n)]


def _composition(series: int, loads: dict[str, int]) -> Floats:
    amounts = np.zeros(len(COMPONENTS))
    amounts[:2] = np.array([_SERIES[series], 1.0]) / (1 + _SERIES[series])
    for element, level in loads.items():
        amounts[COMPONENTS.index(element)] = _STEP[series] * _LEVELS[level]
    return np.asarray(amounts / amounts.sum())


def _places(n: int) -> pd.DataFrame:
    """Place the samples row by row on square plates, 5 mm apart."""
    number = np.arange(n)
    side = int(np.sqrt(_PLATE))
    spot = number % _PLATE
    return pd.DataFrame({"plate": number // _PLATE + 1, "x": 5.0 * (spot % side), "y": 5.0 * (spot // side)})


def _state(places: pd.DataFrame, anneal: float, rng: np.random.Generator) -> Floats:
    """Draw the states of the samples; gain and fluorescence also drift over each plate."""
    n = len(places)
    state = rng.standard_normal((n, 7)) * [*[anneal] * 4, 0.25, 0.25, 0.2]
    drift = rng.standard_normal((int(places["plate"].max()), 3))[places["plate"] - 1]
    across = places[["x", "y"]].to_numpy() / 55.0 - 1
    state[:, 5] += 0.3 * (drift[:, 0] + drift[:, 1] * across[:, 0] + drift[:, 2] * across[:, 1])
    state[:, 4] += 0.15 * drift[:, 0]
    return np.asarray(state)


def _spectra(law: PhotoanodeLaw, x: Floats, state: Floats, noise: float, rng: np.random.Generator) -> Floats:
    """Intensities with shot noise, which grows with them, and read noise: 1 % of the highest peak at noise 1."""
    with torch.no_grad():
        clean = law.record(torch.as_tensor(x), torch.as_tensor(state)).numpy()
    peak = clean.max(axis=1, keepdims=True)
    return np.asarray(
        clean + rng.standard_normal(clean.shape) * 0.01 * noise * np.sqrt(0.3 * peak**2 + 0.7 * clean * peak)
    )
