"""A synthetic library of five-component blends without spectra, like doped P3HT, with strong pair interactions."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from itertools import combinations

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from torch import Tensor

from matlens.library.problems.known import KnownLibrary, Truth, checked_size, derive, layout_support, scattered
from matlens.library.table import MaterialsLibrary

__all__ = ["blend"]

Floats = NDArray[np.float64]
_COMPONENTS = ("P3HT", "D1", "D2", "D6", "D8")
_GRID = 0.05  # step of the fractions of binary blends
_DISTINCT = 0.76  # share of samples with a composition of their own; the others are replicates
_KINDS = np.array(
    [0.2, 0.3, 0.5]
)  # shares of distinct compositions: binary, with three or four constituents, with five
_MIDDLE, _WIDTH = 2.0, 0.7  # mean and standard deviation of log10(S/cm) over the library
_REACH = 0.2


@dataclass(frozen=True, eq=False)
class _BlendLaw:
    """log10 of the conductivity: linear terms, pairs x_k x_l, saturating doping tanh(x_k / 0.15), a local maximum."""

    linear: Tensor  # (5,)
    pairs: Tensor  # (5, 5), upper triangle
    doping: Tensor  # (5,)
    ridge: Tensor  # (5,) composition in its middle
    height: float
    scale: tuple[float, float] = (0.0, 1.0)
    state_names: tuple[str, ...] = field(default=(), init=False)

    def record(self, compositions: Tensor, state: Tensor) -> None:
        return None

    def logarithm(self, x: Tensor) -> Tensor:
        smooth = x @ self.linear + ((x @ self.pairs) * x).sum(dim=1) + torch.tanh(x / 0.15) @ self.doping
        near = torch.exp(-0.5 * ((x - self.ridge) ** 2).sum(dim=1) / 0.15**2)
        return self.scale[0] + self.scale[1] * (smooth + self.height * near)

    def merit(self, compositions: Tensor, spectra: Tensor | None) -> Tensor:
        return 10 ** self.logarithm(compositions)


def blend(n: int = 233, *, seed: int = 0, noise: float = 1.0) -> KnownLibrary:
    """Make a library of blends with pair interactions, exact zeros and replicates, and its truth.

    A fifth of the distinct compositions are binaries of the host on a grid of 5 %, a third have three or four
    constituents, the others all five, many of them close to one composition as a search leaves them; a quarter of the
    samples are replicates. The conductivity spans two to three decades and is best modelled as its logarithm, on which
    the replicate scatter is additive and unbiased. The figure of merit itself is in S/cm, as are the true derivatives.

    Parameters
    ----------
    n : int
        Number of samples, at least 20.
    seed : int
        Seed of the law, the layout and the noise.
    noise : float
        Factor of the replicate scatter; at 1 the truth reaches an R2 of 0.93 against the measured logarithm.

    Returns
    -------
    KnownLibrary
        The library has no spectra and the law no states, so ``partial`` and ``total`` are equal.

    Raises
    ------
    InputError
        If the size or the noise is out of range.

    Notes
    -----
    After the library of Liang et al., npj Comput. Mater. 7, 188 (2021).

    Examples
    --------
    >>> blend(80).library
    MaterialsLibrary(80 samples, P3HT-D1-D2-D6-D8, conductivity in S/cm, no spectra)
    """
    n = checked_size(n, 20, noise)
    nature, layout, chance = (np.random.default_rng(one) for one in np.random.SeedSequence(seed).spawn(3))
    compositions = _compositions(n, layout)
    law = _draw_law(nature, compositions)
    state = np.zeros((n, 0))
    merit, partial, total, _ = derive(law, compositions, state)
    logarithm = np.log10(merit)
    lifted = logarithm - logarithm.min() + 4 * logarithm.std()  # nearly the same scatter everywhere
    measured, ceiling = scattered(lifted, noise, chance)
    supported = layout_support(compositions, _REACH, least=0.01)
    truth = Truth(merit, partial, total, None, supported, ceiling=ceiling)
    library = MaterialsLibrary(
        compositions,
        _COMPONENTS,
        pd.DataFrame({"conductivity": 10 ** (logarithm + measured - lifted)}),
        {"conductivity": "S/cm"},
        fraction_name="%",
    )
    return KnownLibrary(f"blend {seed}", library, truth, law, state)


def _draw_law(rng: np.random.Generator, compositions: Floats) -> _BlendLaw:
    """Draw the coefficients, and scale the law to the published mean and standard deviation of the library."""
    pairs = np.triu(rng.normal(0, 2.5, (5, 5)), 1)
    doping = np.concatenate([[0.0], rng.normal(0.2, 0.4, 4)])
    ridge = np.concatenate([[0.5], 0.5 * rng.dirichlet(np.array([2.0, 0.7, 0.7, 0.7]))])
    law = _BlendLaw(
        linear=torch.as_tensor(rng.normal(0, 1, 5)),
        pairs=torch.as_tensor(pairs),
        doping=torch.as_tensor(doping),
        ridge=torch.as_tensor(ridge),
        height=float(rng.uniform(0.5, 1.0)),
    )
    raw = law.logarithm(torch.as_tensor(compositions)).numpy()
    stretch = _WIDTH / float(raw.std())
    return replace(law, scale=(_MIDDLE - stretch * float(raw.mean()), stretch))


def _compositions(n: int, rng: np.random.Generator) -> Floats:
    count = int(np.ceil(_DISTINCT * n))
    binaries, some = (_KINDS[:2] * count).astype(int)
    grid = [(k, level) for k in range(1, 5) for level in range(1, int(0.9 / _GRID))]
    rows = [_binary(*grid[turn]) for turn in rng.permutation(len(grid))[:binaries]]
    systems = [one for size in (2, 3) for one in combinations(range(1, 5), size)]
    rows += [_several(systems[turn % len(systems)], rng) for turn in range(some)]
    crowded = rng.dirichlet(np.array([12.0, 8.0, 3.0, 3.0, 3.0]))
    for turn in range(count - len(rows)):
        weights = 40 * crowded + 0.3 if turn % 2 else np.array([2.0, 1.2, 0.8, 0.8, 0.8])
        rows.append(rng.dirichlet(weights))
    distinct = np.round(np.array(rows), 4)
    distinct[:, 0] += 1 - distinct.sum(axis=1)
    distinct = np.clip(distinct, 0, None)
    distinct /= distinct.sum(axis=1, keepdims=True)
    again = rng.integers(count, size=n - count)
    return np.asarray(np.concatenate([distinct, distinct[again]])[rng.permutation(n)])


def _binary(component: int, level: int) -> Floats:
    row = np.zeros(5)
    row[[0, component]] = 1 - _GRID * level, _GRID * level
    return row


def _several(others: tuple[int, ...], rng: np.random.Generator) -> Floats:
    row = np.zeros(5)
    row[[0, *others]] = rng.dirichlet(np.array([3.0] + [1.2] * len(others)))
    return row
