"""Libraries of four more kinds whose truth is known, none of which served to build MatLens.

- ``hidden``: a band of the spectrum shows a state of each sample that composition does not know, and it counts.
- ``phases``: phases of a ternary with two or three diffraction peaks each; one peak counts besides a component.
- ``dopants``: traces of five dopants in a host, no spectra, replicates, noise that grows with the figure of merit.
- ``process``: a temperature shifts a band and raises the figure of merit; composition is drawn in two clusters.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from matlens.library.table import MaterialsLibrary

__all__ = ["FAMILIES", "Known"]

Array = NDArray[np.float64]
_STEP = 1e-5


@dataclass(frozen=True)
class Known:
    """A library with the expectation of its figure of merit as a function of composition."""

    library: MaterialsLibrary
    expected: Callable[[Array], Array]
    held: Callable[[Array], Array] | None = None
    """The law with the spectrum held, up to a constant; None where it is the expectation."""

    def response(self, compositions: Array, state: Array | None = None) -> Array:
        """The expectation, which averages over states already, shape (n,)."""
        return self.expected(compositions)

    def dilution(self, compositions: Array, *, partial: bool = False) -> Array:
        """True gradients per hundredth by dilution, shape (n, D): of the expectation, or with the spectrum held."""
        law = self.held if partial and self.held is not None else self.expected
        found = np.empty_like(compositions)
        for k in range(compositions.shape[1]):
            way = -compositions / (1 - compositions[:, [k]])
            way[:, k] = 1
            more, less = (law(compositions + sign * _STEP * way) for sign in (1, -1))
            found[:, k] = (more - less) / (2 * _STEP) / 100
        return found


def peak(axis: Array, centre: float | Array, width: float) -> Array:
    """A Gaussian band of height 1."""
    return np.exp(-0.5 * ((axis - centre) / width) ** 2)


def hidden(seed: int, n: int = 80) -> Known:
    """Recipe M6: a state h that only the spectrum shows."""
    random, axis = np.random.default_rng(200 + seed), np.linspace(100, 1000, 120)
    x, h = random.dirichlet([1, 1, 1], n), random.uniform(0.5, 1.5, n)
    bands = x[:, [0]] * peak(axis, 280, 22) + x[:, [1]] * peak(axis, 520, 25) + 0.3 * h[:, None] * peak(axis, 760, 20)
    spectra = 100 * bands + 2 * random.normal(size=bands.shape) + 20
    merit = 1.5 * x[:, 0] - x[:, 1] + 1.2 * (h - 1) + 0.03 * random.normal(size=n)
    library = MaterialsLibrary(x, ("Fe", "Co", "Ni"), {"P": merit}, {}, spectra, axis)
    return Known(library, lambda x: 1.5 * x[:, 0] - x[:, 1])


def phases(seed: int, n: int = 150) -> Known:
    """Recipe M1: phases with diffraction peaks; spectra are scaled to their maximum, and one peak counts."""
    random, axis = np.random.default_rng(7 + 1000 * seed), np.linspace(15, 60, 160)
    x = random.dirichlet([1, 1, 1], 4 * n)
    x = x[(x[:, 2] > 0.06) & (x[:, 0] > 0.05)][:n]
    corners = random.dirichlet([2, 2, 2], 4)
    places = [random.uniform(17, 58, random.integers(2, 4)) for _ in corners]
    heights = [random.uniform(0.3, 1, len(each)) for each in places]
    patterns = np.array([(h[:, None] * peak(axis, c[:, None], 0.6)).sum(0) for c, h in zip(places, heights)])

    def recorded(x: Array) -> Array:
        near = -((x[:, None] - corners) ** 2).sum(2) / 0.03
        shares = np.exp(near - near.max(1, keepdims=True))
        found = (shares / shares.sum(1, keepdims=True)) @ patterns
        result: Array = found / found.max(1, keepdims=True)
        return result

    window = np.abs(axis - places[0][0]) < 0.8
    own = recorded(x)[:, window].mean(1)
    level, scale = own.mean(), own.std()

    def merit(x: Array) -> Array:
        result: Array = 3 * x[:, 0] - 2 * x[:, 1] + (recorded(x)[:, window].mean(1) - level) / scale
        return result

    spectra = recorded(x) + 0.01 * random.normal(size=(len(x), len(axis)))
    library = MaterialsLibrary(
        x, ("Bi", "Cu", "V"), {"P": merit(x) + 0.1 * random.normal(size=len(x))}, {}, spectra, axis
    )
    return Known(library, merit, lambda x: 3 * x[:, 0] - 2 * x[:, 1])  # the peak is the spectrum's


def dopants(seed: int, n: int = 90) -> Known:
    """Traces of five dopants, one or two at a time, each with an optimum; every third composition is made twice."""
    random = np.random.default_rng(400 + seed)
    best, gain = random.uniform(0.01, 0.05, 5), random.uniform(-1, 2, 5)
    traces = np.zeros((n, 5))
    for row in traces:
        row[random.choice(5, random.integers(1, 3), replace=False)] = 1
    traces *= random.uniform(0, 0.07, traces.shape)

    def merit(x: Array) -> Array:
        share = x[:, 1:] / best
        result: Array = 2 + (gain * share * np.exp(1 - share)).sum(1)
        return result

    x = np.column_stack([1 - traces.sum(1), traces])
    x = np.concatenate([x, x[::3]])
    noise = 0.04 * np.abs(merit(x)) * random.normal(size=len(x))
    library = MaterialsLibrary(x, ("Ti", "Nb", "Ta", "Mn", "Co", "Zr"), {"P": merit(x) + noise})
    return Known(library, merit)


def process(seed: int, n: int = 100) -> Known:
    """Two clusters of compositions; a temperature that no column tells shifts a band and raises the figure of merit."""
    random, axis = np.random.default_rng(600 + seed), np.linspace(200, 900, 100)
    centres = np.array([[0.6, 0.2, 0.15, 0.05], [0.25, 0.25, 0.2, 0.3]])
    x = np.array([random.dirichlet(30 * centres[k]) for k in random.integers(0, 2, n)])
    heat = random.normal(size=n)
    middle = 400 + 60 * x[:, [1]] + 6 * heat[:, None]
    bands = (0.5 + x[:, [0]]) * peak(axis, middle, 25) + 0.7 * x[:, [3]] * peak(axis, 650, 40) + 0.3
    spectra = bands * random.uniform(0.8, 1.2, (n, 1)) + 0.01 * random.normal(size=bands.shape)

    def merit(x: Array) -> Array:
        result: Array = 4 * x[:, 0] * x[:, 1] + np.tanh(6 * (x[:, 3] - 0.15)) - x[:, 2]
        return result

    value = merit(x) + 0.3 * heat + 0.05 * random.normal(size=n)
    library = MaterialsLibrary(x, ("Fe", "Ni", "Cr", "Al"), {"P": value}, {}, spectra, axis)
    # With the band held at its place, more Ni means less heat: 60 / 6 standard deviations of it per unit of Ni.
    return Known(library, merit, lambda x: merit(x) - 3 * x[:, 1])


FAMILIES: dict[str, Callable[..., Known]] = {"hidden": hidden, "phases": phases, "dopants": dopants, "process": process}
"""Libraries by name: functions of a seed (and of the number of samples)."""
