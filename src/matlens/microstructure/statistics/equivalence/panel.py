"""What results for one material are judged by: its windows, its copy test and noise, prepared once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from matlens.errors import InputError
from matlens.microstructure.problems import blurred_noise, white_noise
from matlens.microstructure.statistics.correlation.correlation_length import covariance_reach
from matlens.microstructure.statistics.equivalence.copying import CopyTest
from matlens.microstructure.statistics.equivalence.curves import Curves, errors
from matlens.microstructure.statistics.equivalence.scales import scale_ratios
from matlens.microstructure.statistics.equivalence.variability import MIN_WINDOWS, Variability, joint_verdict
from matlens.microstructure.statistics.equivalence.windows import cut_windows, smaller_window
from matlens.microstructure.structure import Microstructure

__all__ = ["Judged", "Panel", "noises_like", "window_for"]


@dataclass(frozen=True)
class Judged:
    """Verdict of a `Panel` on some realisations.

    Attributes
    ----------
    errors : DataFrame
        One row a realisation: every error against the whole micrograph, and ``euler_density`` of the last phase.
    ratios : DataFrame
        R of each statistic by windows of ``window`` pixels (`matlens.microstructure.statistics.Variability.ratios`).
    scales : DataFrame
        R of each curve by distance (`matlens.microstructure.statistics.scale_ratios`).
    joint : str
        Joint verdict.
    copying : DataFrame
        The copy test, one row a realisation and patch side; empty where it was not asked.
    """

    errors: pd.DataFrame
    ratios: pd.DataFrame
    scales: pd.DataFrame
    joint: str
    copying: pd.DataFrame


class Panel:
    """Judge realisations of one shape against one micrograph.

    Parameters
    ----------
    exemplar : Microstructure
        The micrograph.
    shape : sequence of int
        Pixels of the realisations along each axis.
    seed : int
        Seed of the bootstrap.

    Raises
    ------
    InputError
        If the micrograph holds no 8 windows, of 16 pixels at least, of the shape or its halves.

    Examples
    --------
    >>> from matlens.microstructure.problems import gaussian_field
    >>> panel = Panel(gaussian_field((64, 64), 3.0, 0.4, seed=0), (32, 32))
    >>> panel.window, panel(panel.noises(2)["white noise"], copying=False).joint
    ((16, 16), 'different')
    """

    def __init__(self, exemplar: Microstructure, shape: Sequence[int], seed: int = 0) -> None:
        self.exemplar, self.shape, self.seed = exemplar, tuple(shape), seed
        self.window = window_for(exemplar, shape)
        self._windows = Variability(cut_windows([exemplar], self.window))
        self._curves, self._copies = Curves(exemplar), CopyTest([exemplar])

    @property
    def n_windows(self) -> int:
        """Number of windows of the micrograph that decide."""
        return len(self._windows.windows)

    def __call__(self, results: Sequence[Microstructure], *, copying: bool = True) -> Judged:
        """Judge realisations.

        Parameters
        ----------
        results : sequence of Microstructure
            Realisations of the panel's shape.
        copying : bool
            Whether to test for copying.

        Returns
        -------
        Judged
            Errors, ratios, verdict and copy test.
        """
        curves = [Curves(result) for result in results]
        rows = [{**errors(c, self._curves), "euler_density": float(c.euler_density[-1])} for c in curves]
        cut = curves if self.window == self.shape else cut_windows(results, self.window)
        ratios = self._windows.ratios(cut, seed=self.seed)
        ratios.insert(0, "window", "x".join(map(str, self.window)))
        scales = scale_ratios(cut, self._windows.windows)
        tests = [self._copies(m).assign(realisation=i) for i, m in enumerate(results)] if copying else []
        copies = pd.concat(tests, ignore_index=True) if tests else pd.DataFrame()
        return Judged(pd.DataFrame(rows), ratios, scales, joint_verdict(ratios), copies)

    def noises(self, n: int) -> dict[str, list[Microstructure]]:
        """Make the negative controls: noise of the same fractions, white and blurred as far as the covariance reaches.

        Parameters
        ----------
        n : int
            Number of realisations of each control.

        Returns
        -------
        dict of str to list of Microstructure
            Realisations of ``white noise`` and ``blurred noise``.
        """
        return noises_like(self.exemplar, self.shape, n, self.seed)


def noises_like(
    exemplar: Microstructure, shape: Sequence[int], n: int, seed: int = 0
) -> dict[str, list[Microstructure]]:
    """Make noise of the same fractions, white and blurred as far as the covariance reaches.

    Parameters
    ----------
    exemplar : Microstructure
        The micrograph.
    shape : sequence of int
        Pixels of the noise along each axis.
    n : int
        Number of realisations of each kind.
    seed : int
        Seed of the first of them.

    Returns
    -------
    dict of str to list of Microstructure
        Realisations of ``white noise`` and ``blurred noise``.

    Examples
    --------
    >>> found = noises_like(Microstructure([[0, 1], [1, 1]] * 4), (32, 32), 1)
    >>> {name: float(made[0].volume_fractions[0]) for name, made in found.items()}
    {'white noise': 0.25, 'blurred noise': 0.25}
    """
    fractions = exemplar.volume_fractions
    known = [length for length in covariance_reach(exemplar) if not np.isnan(length)]
    length = float(np.mean(known)) if known else min(shape) / 8
    seeds = range(seed, seed + n)
    return {
        "white noise": [white_noise(shape, fractions, s) for s in seeds],
        "blurred noise": [blurred_noise(shape, fractions, length, s) for s in seeds],
    }


def window_for(exemplar: Microstructure, shape: Sequence[int]) -> tuple[int, ...]:
    """Choose the windows for results of a shape: it is halved until the micrograph holds 8 windows.

    Parameters
    ----------
    exemplar : Microstructure
        The micrograph.
    shape : sequence of int
        Pixels of the results along each axis.

    Returns
    -------
    tuple of int
        Pixels of a window along each axis.

    Raises
    ------
    InputError
        If they would be smaller than 16 pixels.

    Examples
    --------
    >>> window_for(Microstructure(np.eye(128, dtype=int)), (64, 64))
    (32, 32)
    """
    like = exemplar.with_labels(np.zeros(tuple(shape), dtype=np.uint8))
    window = smaller_window(like.shape, [exemplar], MIN_WINDOWS)
    if window is None:
        raise InputError(
            f"{exemplar!r} holds no {MIN_WINDOWS} windows of 16 pixels or more, so depths cannot be judged by it; "
            "give a larger micrograph."
        )
    return window
