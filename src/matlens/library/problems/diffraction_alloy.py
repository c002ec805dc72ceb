"""A synthetic library of a ternary alloy with diffraction patterns, like Fe-Ga-Pd."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from torch import Tensor

from matlens.library.problems.known import KnownLibrary, Truth, checked_size, derive, layout_support, scattered
from matlens.library.table import MaterialsLibrary

__all__ = ["diffraction"]

Floats = NDArray[np.float64]
_COMPONENTS = ("Fe", "Ga", "Pd")
_AXIS: Floats = 37.0 + 0.02 * np.arange(551, dtype=np.float64)  # degrees 2 theta
_CORNER = np.array([0.04, 0.04])  # smallest fractions of Ga and Pd
_SPAN = 0.5  # largest sum of Ga and Pd, above the corner
_REPLICATES = 0.1  # share of the samples
_REACH = 0.06
_HOMES = np.array([[0.14, 0.12], [0.09, 0.42], [0.42, 0.10], [0.27, 0.27]])  # Ga and Pd in the centre of each phase
_PEAKS = (((44.5, 1.0),), ((41.4, 0.8), (47.2, 0.35)), ((42.7, 0.7), (45.8, 0.4)), ((39.2, 0.6), (43.4, 0.5)))
_MAIN = (44.5, 41.4, 42.7, 39.2)  # degrees, the main peak of each phase
_WIDTH = 0.16  # degrees, half width at half maximum
_WINDOW = 0.45  # degrees, wider than the shift of a peak
_COUNTS = 400.0
_LIMIT = 0.93  # share of samples below the saturation of the sensor


@dataclass(frozen=True, eq=False)
class _DiffractionLaw:
    """Phase fractions are a softmax of the distances to each phase's centre; peaks shift with Ga and Pd (Vegard's law).

    The property is a sigmoid of S times a function with a maximum in Ga and linear in Pd. S is the intensity in a
    Gaussian window around the main peak of one phase, relative to the mean of the whole pattern.
    """

    homes: Tensor  # (4, 3) fractions
    move: Tensor  # (4, 2) degrees per unit fraction of Ga and Pd
    numbers: dict[str, float]
    phase: int
    state_names: tuple[str, ...] = field(default=("anneal", "texture", "gain", "background"), init=False)

    def shares(self, compositions: Tensor, anneal: Tensor) -> Tensor:
        squares = ((compositions[:, None, :] - self.homes) ** 2).sum(dim=2)
        favour = torch.nn.functional.one_hot(torch.tensor(self.phase), len(self.homes))
        return torch.softmax(-squares / self.numbers["mixing"] + anneal[:, None] * favour, dim=1)

    def record(self, compositions: Tensor, state: Tensor) -> Tensor:
        """Compute noise-free patterns, as `Law.record`."""
        anneal, texture, gain, background = (state[:, k, None] for k in range(4))
        shares = self.shares(compositions, anneal[:, 0])
        axis = torch.as_tensor(_AXIS)
        total = 0.015 * torch.exp(background) * (1 + 0.02 * (axis - 42.0)) + torch.zeros_like(anneal)
        for phase, peaks in enumerate(_PEAKS):
            for number, (place, height) in enumerate(peaks):
                centre = place + ((compositions[:, 1:] - self.homes[phase, 1:]) @ self.move[phase])[:, None]
                oriented = torch.exp((0.25 if number == 0 else -0.25) * texture)
                profile = 1 / (1 + ((axis - centre) / _WIDTH) ** 2)
                total = total + shares[:, phase, None] * height * oriented * profile
        return _COUNTS * torch.exp(gain) * total

    def merit(self, compositions: Tensor, spectra: Tensor | None) -> Tensor:
        """Compute the noise-free property, as `Law.merit`."""
        if spectra is None:
            raise ValueError("the property of a diffracting alloy needs its pattern")
        axis, c = torch.as_tensor(_AXIS), self.numbers
        window = torch.exp(-0.5 * ((axis - _MAIN[self.phase]) / _WINDOW) ** 2)
        share = spectra @ (window / window.sum()) / spectra.mean(dim=1)
        gallium = torch.exp(-0.5 * ((compositions[:, 1] - c["best_ga"]) / c["wide_ga"]) ** 2)
        chemistry = 0.5 + gallium - c["per_pd"] * compositions[:, 2]
        return c["floor"] + c["most"] * torch.sigmoid((share - c["half"]) / c["step"]) * chemistry


def diffraction(
    n: int = 278, *, seed: int = 0, noise: float = 1.0, anneal: float = 1.0, censored: bool = False
) -> KnownLibrary:
    """Make a ternary library with diffraction patterns, and its truth.

    Compositions fill the Fe-rich half of Fe-Ga-Pd; patterns have 551 channels from 37 to 48 degrees 2 theta. Each of
    four phases has peaks that shift with Ga and Pd and that appear in one region. A magnetic signal follows the
    composition and the share of one phase (drawn by the seed) in the noise-free pattern.

    Parameters
    ----------
    n : int
        Number of samples, at least 20; a tenth are replicates.
    seed : int
        Seed of the law (the phase that matters, centres, peak shifts, coefficients), the layout and the noise.
    noise : float
        Factor of replicate scatter and counting noise; at 1 the truth reaches an R2 of 0.93.
    anneal : float
        Strength of changes of the pattern at fixed composition: heat treatment that favours the phase, and texture.
        With 0 partial gradients are not identifiable.
    censored : bool
        Whether the sensor saturates, at the level that 7 % of the samples exceed; the values of these are that level.

    Returns
    -------
    KnownLibrary
        With the states "anneal", "texture", "gain", "background".

    Raises
    ------
    InputError
        If the size or a strength is out of range.

    Notes
    -----
    After the library of Kusne et al., Nat. Commun. 11, 5966 (2020).

    Examples
    --------
    >>> known = diffraction(50, censored=True)
    >>> known.library
    MaterialsLibrary(50 samples, Fe-Ga-Pd, signal in V, 551 channels 37 to 48 degree)
    >>> int(known.library.censoring().sum())
    4
    """
    n = checked_size(n, 20, noise, anneal)
    nature, layout, chance = (np.random.default_rng(one) for one in np.random.SeedSequence(seed).spawn(3))
    law = _draw_law(nature)
    compositions = _compositions(n, layout)
    state = chance.standard_normal((n, 4)) * [anneal, anneal, 0.3, 0.3]
    merit, partial, total, spectral = derive(law, compositions, state)
    measured, ceiling = scattered(merit, noise, chance)
    limit = np.quantile(measured, _LIMIT) if censored else np.inf
    above = measured > limit
    main = _MAIN[law.phase]
    truth = Truth(
        merit=merit,
        partial=partial,
        total=total,
        spectral=spectral,
        supported=layout_support(compositions, _REACH),
        bands=((main - 2 * _WINDOW, main + 2 * _WINDOW),),
        ceiling=ceiling,
    )
    library = MaterialsLibrary(
        compositions,
        _COMPONENTS,
        pd.DataFrame({"signal": np.minimum(measured, limit)}),
        {"signal": "V"},
        _patterns(law, compositions, state, noise, chance),
        _AXIS,
        axis_name="2theta",
        axis_unit="degree",
        spectrum_unit="counts",
        censored=pd.DataFrame({"signal": above.astype(np.int8)}) if censored else None,
    )
    return KnownLibrary(f"diffraction {seed}", library, truth, law, state)


def _draw_law(rng: np.random.Generator) -> _DiffractionLaw:
    homes = _HOMES + rng.uniform(-0.03, 0.03, _HOMES.shape)
    move = np.stack([rng.uniform(-1.5, 0.5, 4), rng.uniform(-2.5, -1.0, 4)], axis=1)  # Pd widens the lattice most
    phase = int(rng.integers(len(homes)))
    numbers = {
        "mixing": rng.uniform(0.012, 0.02),
        "best_ga": homes[phase, 0] + rng.uniform(-0.08, 0.08),
        "wide_ga": rng.uniform(0.08, 0.15),
        "per_pd": rng.uniform(-0.8, 0.8),
        "floor": rng.uniform(0.2, 0.6),
        "most": rng.uniform(5, 8),
        "half": rng.uniform(1.2, 2.0),
        "step": rng.uniform(0.5, 0.8),
    }
    every = np.concatenate([1 - homes.sum(axis=1, keepdims=True), homes], axis=1)
    return _DiffractionLaw(torch.as_tensor(every), torch.as_tensor(move), numbers, phase)


def _compositions(n: int, rng: np.random.Generator) -> Floats:
    """Points of a low-discrepancy sequence (powers of the inverse plastic number), folded into the triangle."""
    distinct = n - int(_REPLICATES * n)
    golden = 1.32471795724474602596
    points = (rng.uniform(size=2) + np.arange(1, distinct + 1)[:, None] / golden ** np.array([1, 2])) % 1
    over = points.sum(axis=1) > 1
    points[over] = 1 - points[over]
    points = _CORNER + _SPAN * points
    points = np.concatenate([points, points[rng.integers(distinct, size=n - distinct)]])[rng.permutation(n)]
    return np.concatenate([1 - points.sum(axis=1, keepdims=True), points], axis=1)


def _patterns(law: _DiffractionLaw, x: Floats, state: Floats, noise: float, rng: np.random.Generator) -> Floats:
    """Add counting noise, whose standard deviation is the square root of the counts."""
    with torch.no_grad():
        clean = law.record(torch.as_tensor(x), torch.as_tensor(state)).numpy()
    return np.asarray(np.maximum(clean + noise * np.sqrt(clean) * rng.standard_normal(clean.shape), 0.0))
