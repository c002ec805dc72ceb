"""Causal-neighbourhood synthesis: pixels are drawn one after the other from a tree that learned the exemplar."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray

from matlens.errors import InputError
from matlens.microstructure.reconstruction.classical.base import Classical
from matlens.microstructure.reconstruction.classical.causal_tree import (
    CausalTree,
    box_labels,
    grow,
    offsets,
    one_hot,
    samples,
)
from matlens.microstructure.reconstruction.matching.levels import coarse_factors
from matlens.microstructure.reconstruction.method import Made, Maker, Task
from matlens.microstructure.structure import Microstructure

__all__ = ["TreeSynthesis"]

Labels = NDArray[np.uint8]

_BURN_IN = 16  # least margin in pixels, beyond which the start has no effect
_MEMORY = 0.1  # weight of the wanted fractions at the start, as a share of the picture
_PARENTS = 2  # pixels: radius of the coarse neighbourhood


@dataclass(frozen=True)
class TreeSynthesis(Classical):
    """Draw every pixel from the probabilities of the phases given its causal neighbourhood in the exemplar.

    Parameters
    ----------
    radius : int
        Radius of the neighbourhood at every level, in pixels of that level.
    leaf : int
        Least number of places of the exemplar that a probability is estimated from.
    scales : int
        Number of levels, each of half the size of the next, as far as the exemplar keeps its structure on them.
    steering : float
        Strength of the preference for phases that were drawn too rarely so far; 0 leaves the fractions to the tree.

    Notes
    -----
    Bostanabad et al., Acta Mater. 103, 89 (2016): a classification tree learns P(phase | pixels above and to the left),
    and pixels are drawn from it in raster order. Here coarse levels are drawn first, and their pixels on all sides
    belong to the neighbourhood of the finer levels. The picture is drawn with a margin that is cropped, so that it
    shows no effect of the start, and it is not periodic. Probabilities are multiplied by (wanted / drawn so far) to the
    power ``steering``, as by the servo system of SNESIM (Strebelle, Math. Geol. 34, 1 (2002)).

    Examples
    --------
    >>> from matlens.microstructure.problems import bicontinuous
    >>> exemplar = bicontinuous((64, 64), wavelength=16, fraction=0.4, seed=1)
    >>> made = TreeSynthesis().learn([exemplar], (48, 40), seed=0)(Task((48, 40), exemplar.volume_fractions, seed=0))
    >>> made.labels.shape, abs(float(made.labels.mean()) - 0.4) < 0.1
    ((48, 40), True)
    """

    name: ClassVar[str] = "tree"
    citations: ClassVar[tuple[str, ...]] = ("bostanabad2016stochastic", "strebelle2002conditional")

    radius: int = 4
    leaf: int = 12
    scales: int = 2
    steering: float = 3.0

    def check(self, exemplars: Sequence[Microstructure], shape: Sequence[int]) -> tuple[str, ...]:
        """Check that exemplars are two-dimensional and the options are in range.

        Parameters
        ----------
        exemplars : sequence of Microstructure
            Exemplars.
        shape : sequence of int
            Pixels of the result along each axis.

        Returns
        -------
        tuple of str
            Empty.

        Raises
        ------
        InputError
            If an exemplar is three-dimensional, or an option is out of range.
        """
        if any(m.ndim != 2 for m in exemplars) or len(shape) != 2:
            raise InputError("method tree makes no volumes; give two-dimensional exemplars, and height x width.")
        largest = min(side for m in exemplars for side in m.shape) // 4
        if not 1 <= self.radius <= largest:
            raise InputError(f"radius={self.radius} px is out of range; give 1 to {largest} px for these exemplars.")
        if self.leaf < 1 or self.scales < 1 or not self.steering >= 0:
            raise InputError(
                f"leaf={self.leaf}, scales={self.scales} and steering={self.steering:g} cannot be used; give at least "
                "1, 1 and 0."
            )
        return ()

    def learn(self, exemplars: Sequence[Microstructure], shape: Sequence[int], seed: int) -> Maker:
        """Grow the trees of every level.

        Parameters
        ----------
        exemplars : sequence of Microstructure
            Exemplars.
        shape : sequence of int
            Pixels of the result along each axis.
        seed : int
            Seed of random choices.

        Returns
        -------
        callable
            Takes a `Task` and returns a `Made`.
        """
        images = [torch.from_numpy(m.indicators()).float()[None] for m in exemplars]
        factors = coarse_factors(images, shape)[-self.scales :]
        levels = [self._level(exemplars, factor, factor == factors[0], seed) for factor in factors]
        note = f"trees at {len(factors)} scale(s), the finest with {len(levels[-1].tree.feature)} nodes"

        def make(task: Task) -> Made:
            labels = _drawn(levels, task, self.steering)
            return Made(labels, "all pixels drawn", False, int(np.prod(task.shape)), notes=(note,))

        return make

    def _level(self, exemplars: Sequence[Microstructure], factor: int, coarsest: bool, seed: int) -> _Level:
        phases = exemplars[0].n_phases
        own, parent = offsets(self.radius, causal=True), offsets(_PARENTS, causal=False)
        fields = [
            (box_labels(m.labels, phases, factor), None if coarsest else box_labels(m.labels, phases, 2 * factor))
            for m in exemplars
        ]
        kinds = []
        for child in [(0, 0)] if coarsest else [(0, 0), (0, 1), (1, 0), (1, 1)]:
            parts = [samples(fine, coarse, factor, child, own, parent) for fine, coarse in fields]
            kinds.append((np.concatenate([x for x, _ in parts]), np.concatenate([y for _, y in parts])))
        starts = tuple(fine[::factor, ::factor] for fine, _ in fields) if coarsest else ()
        return _Level(factor, self.radius, grow(kinds, phases, self.leaf, seed), starts)


class _Level(NamedTuple):
    """Trees for the pixels of one size; at the coarsest also the exemplars, which start the margin."""

    factor: int
    radius: int
    tree: CausalTree
    starts: tuple[Labels, ...]


def _drawn(levels: Sequence[_Level], task: Task, steering: float) -> Labels:
    """Draw level after level, with a margin that is cropped."""
    top = levels[0]
    margin = -(-max(_BURN_IN, top.radius * top.factor) // top.factor) * top.factor
    sides = [-(-(side + 2 * margin) // top.factor) * top.factor for side in task.shape]
    sizes = [(sides[0] // level.factor, sides[1] // level.factor) for level in levels]
    task.progress.begin(sum(rows for rows, _ in sizes), f"drawing pixels, realisation {task.realisation + 1}")
    labels: Labels | None = None
    for number, (level, size) in enumerate(zip(levels, sizes)):
        scan = _Scan(level, size, labels, task, steering)
        scan.run(sum(rows for rows, _ in sizes[:number]))
        labels = scan.labels.reshape(size)
    assert labels is not None
    return np.ascontiguousarray(labels[tuple(slice(margin, margin + side) for side in task.shape)])


class _Scan:
    """Trees for the pixels of one size; at the coarsest also the exemplars, which fill the margin at the start."""

    def __init__(
        self, level: _Level, size: tuple[int, int], coarse: Labels | None, task: Task, steering: float
    ) -> None:
        self.level, self.size, self.task, self.steering = level, size, task, steering
        self.random = task.random(level.factor)
        self.phases = len(task.fractions)
        if coarse is None:
            self.labels = _piece(level.starts[self.random.integers(len(level.starts))], size, self.random).ravel()
        else:
            self.labels = np.repeat(np.repeat(coarse, 2, axis=0), 2, axis=1).ravel()
        self.coarse = None if coarse is None else coarse.ravel()
        self.chance = self.random.random(size)
        self.counts = task.fractions * (_MEMORY * self.labels.size)
        steps = offsets(level.radius, causal=True)
        self.rows, self.columns = _wrapped(size, steps, 1)
        if coarse is not None:
            self.coarse_rows, self.coarse_columns = _wrapped(
                (size[0] // 2, size[1] // 2), offsets(_PARENTS, causal=False), 2
            )

    def run(self, begun: int) -> None:
        """Draw all pixels but a border as wide as the neighbourhood, which stays what it is at the start."""
        border, slant = self.level.radius, self.level.radius + 1
        height, width = (side - 2 * border for side in self.size)
        for front in range(width + slant * (height - 1)):
            first, last = max(0, -(-(front - width + 1) // slant)), min(height - 1, front // slant)
            rows = np.arange(first, last + 1)
            if len(rows):
                self._draw(rows + border, front - slant * rows + border)
            if front % (16 * slant) == 0:
                self.task.progress.update(begun + first, f"scale 1/{self.level.factor}")

    def _draw(self, rows: NDArray[np.intp], columns: NDArray[np.intp]) -> None:
        seen = self.labels[self.rows[rows] + self.columns[columns]]
        kinds = np.zeros(len(rows), dtype=np.intp)
        if self.coarse is not None:
            around = self.coarse[self.coarse_rows[rows] + self.coarse_columns[columns]]
            seen, kinds = np.concatenate([seen, around], axis=1), 2 * (rows % 2) + columns % 2
        probability = self.level.tree(one_hot(seen, self.phases), kinds)
        probability = probability * (self.task.fractions * self.counts.sum() / self.counts) ** self.steering
        total = np.cumsum(probability, axis=1)
        drawn = (self.chance[rows, columns, None] * total[:, -1:] >= total).sum(axis=1)
        self.labels[rows * self.size[1] + columns] = drawn
        self.counts += np.bincount(drawn, minlength=self.phases)


def _piece(labels: Labels, size: tuple[int, int], random: np.random.Generator) -> Labels:
    """Crop a random piece of labels, mirrored where they are too small."""
    corner = [int(random.integers(max(0, have - want) + 1)) for have, want in zip(labels.shape, size)]
    piece = labels[tuple(slice(first, first + want) for first, want in zip(corner, size))]
    return np.pad(piece, [(0, want - have) for have, want in zip(piece.shape, size)], mode="symmetric")


def _wrapped(size: tuple[int, int], steps: NDArray[np.intp], cell: int) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Compute the row and column parts of the flat indices of all pixels' neighbours on a torus of cells."""
    rows = (np.arange(size[0] * cell)[:, None] // cell + steps[:, 0]) % size[0] * size[1]
    columns = (np.arange(size[1] * cell)[:, None] // cell + steps[:, 1]) % size[1]
    return rows, columns
