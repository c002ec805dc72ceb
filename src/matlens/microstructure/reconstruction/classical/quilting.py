"""Image quilting: blocks of the exemplar are laid side by side and joined along the cuts of least mismatch."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import product
from typing import ClassVar, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import fft

from matlens.errors import InputError
from matlens.microstructure.reconstruction.classical.base import Classical
from matlens.microstructure.reconstruction.method import Made, Maker, Task
from matlens.microstructure.statistics import covariance_reach
from matlens.microstructure.structure import Microstructure

__all__ = ["Quilting"]

Labels = NDArray[np.uint8]

_REACHES = 6  # width of a block in reaches of the covariance; a quilt has no structure beyond a block
_DRAWN = 8  # candidates drawn, of which the volume fractions choose one
_SMALLEST = 16  # pixels; the cut needs room


@dataclass(frozen=True)
class Quilting(Classical):
    """Lay blocks of the exemplar side by side, each drawn from those that fit best to the blocks around.

    Parameters
    ----------
    block : int
        Side of a block in pixels; 0 chooses six times the reach of the covariance, at least 16 pixels and at most a
        quarter of the exemplar. It shrinks a little where that makes the blocks fit the result's sides.
    overlap : float
        Share of a block's side that overlaps its neighbours, above 0 and at most 0.5.
    tolerance : float
        A block fits if its mismatch exceeds that of the best one by at most this share; one of them is drawn.

    Notes
    -----
    Efros and Freeman, SIGGRAPH (2001). Two labels differ or agree, so that the squared difference of one-hot phases is
    twice the number of different pixels; they are counted at all places of the exemplar by FFT. Unlike there, the quilt
    is periodic, and the block that continues a neighbour in the exemplar is left out: it always fits perfectly, and the
    quilt would be the exemplar. A quilt still consists of pieces of the exemplar and fails the copy test; it shows how
    well a copy does in each statistic.

    Examples
    --------
    >>> from matlens.microstructure.problems import bicontinuous
    >>> exemplar = bicontinuous((64, 64), wavelength=16, fraction=0.4, seed=1)
    >>> make = Quilting().learn([exemplar], (48, 40), seed=0)
    >>> made = make(Task((48, 40), exemplar.volume_fractions, seed=0))
    >>> made.labels.shape, made.periodic
    ((48, 40), True)
    """

    name: ClassVar[str] = "quilting"
    citations: ClassVar[tuple[str, ...]] = ("efros2001image",)

    block: int = 0
    overlap: float = 0.2
    tolerance: float = 0.1

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
            raise InputError("quilting makes no volumes; give two-dimensional exemplars, and height x width.")
        smallest = min(side for m in exemplars for side in m.shape)
        if self.block and not 4 <= self.block <= smallest // 2:
            raise InputError(f"block={self.block} px is out of range; give 4 to {smallest // 2} px, or 0 to choose it.")
        if not 0 < self.overlap <= 0.5 or not self.tolerance >= 0:
            raise InputError(
                f"overlap={self.overlap:g} and tolerance={self.tolerance:g} cannot be used; give an overlap above 0 "
                "and at most 0.5, and a tolerance of 0 or more."
            )
        return ()

    def learn(self, exemplars: Sequence[Microstructure], shape: Sequence[int], seed: int) -> Maker:
        """Choose the size of the blocks and transform the exemplars.

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
        block = self.block or _block_side(exemplars)
        rows, columns = (_Row.from_size(side, block, self.overlap) for side in shape)
        books = [_Book.from_microstructure(m, (rows.block, columns.block)) for m in exemplars]
        note = f"blocks of {rows.block} x {columns.block} px of the exemplar, overlapping by {rows.overlap} px"

        def make(task: Task) -> Made:
            labels = _Quilt(rows, columns, books, self.tolerance, task).labels
            return Made(labels, "all blocks laid", True, len(rows.places) * len(columns.places), notes=(note,))

        return make


class _Row(NamedTuple):
    """Blocks along one axis of the torus: corners, side, and overlap in pixels."""

    places: tuple[int, ...]
    block: int
    overlap: int
    side: int

    @classmethod
    def from_size(cls, side: int, block: int, share: float) -> _Row:
        overlap = max(2, round(share * block))
        count = max(2, -(-side // (block - overlap)))
        step = -(-side // count)
        overlap = min(overlap, step // 2)
        return cls(tuple(i * side // count for i in range(count)), step + overlap, overlap, side)

    def pixels(self, index: int) -> NDArray[np.intp]:
        return (self.places[index] + np.arange(self.block)) % self.side


class _Book(NamedTuple):
    """Exemplar with its spectrum, to count at all places the pixels that agree with a patch."""

    labels: Labels
    spectrum: NDArray[np.complex64]
    size: tuple[int, ...]
    valid: tuple[int, int]

    @classmethod
    def from_microstructure(cls, m: Microstructure, block: tuple[int, int]) -> _Book:
        size = tuple(fft.next_fast_len(side, real=True) for side in m.shape)
        spectrum = fft.rfft2(m.indicators().astype(np.float32), s=size)
        return cls(m.labels, spectrum, size, (m.shape[0] - block[0] + 1, m.shape[1] - block[1] + 1))

    def mismatches(self, patch: Labels, known: NDArray[np.bool_]) -> NDArray[np.float64]:
        """Count pixels that differ among the known ones of a patch, at all places of its corner."""
        phases = np.arange(len(self.spectrum), dtype=np.uint8)[:, None, None]
        shown = ((patch == phases) & known).astype(np.float32)
        agree = fft.irfft2((fft.rfft2(shown, s=self.size).conj() * self.spectrum).sum(axis=0), s=self.size)
        return np.asarray(np.rint(known.sum() - agree[: self.valid[0], : self.valid[1]]), dtype=np.float64)


class _Source(NamedTuple):
    """Place of a block in the exemplars."""

    book: int
    row: int
    column: int


@dataclass
class _Quilt:
    """Quilt in progress: blocks are laid row by row."""

    rows: _Row
    columns: _Row
    books: Sequence[_Book]
    tolerance: float
    task: Task
    labels: Labels = field(init=False)

    def __post_init__(self) -> None:
        self.labels = np.zeros(self.task.shape, dtype=np.uint8)
        self._known = np.zeros(self.task.shape, dtype=bool)
        self._sources: dict[tuple[int, int], _Source] = {}
        self._random = self.task.random()
        every = list(product(range(len(self.rows.places)), range(len(self.columns.places))))
        self.task.progress.begin(len(every), f"quilting, realisation {self.task.realisation + 1}")
        for done, index in enumerate(every, 1):
            self._lay(index)
            self.task.progress.update(done, "laying blocks")

    def _lay(self, index: tuple[int, int]) -> None:
        there = np.ix_(self.rows.pixels(index[0]), self.columns.pixels(index[1]))
        patch, known = self.labels[there], self._known[there]
        source = self._chosen(index, patch, known)
        new = self._block(source)
        self.labels[there] = np.where(_laid(known, patch != new, (self.rows.overlap, self.columns.overlap)), new, patch)
        self._known[there] = True
        self._sources[index] = source

    def _chosen(self, index: tuple[int, int], patch: Labels, known: NDArray[np.bool_]) -> _Source:
        """Draw a few blocks that fit nearly as well as the best; return the one that keeps the fractions best."""
        tables = [book.mismatches(patch, known) for book in self.books]
        for source in (*self._sources.values(), *self._continuing(index)):
            near = (slice(max(0, place - reach), place + reach + 1) for place, reach in self._around(source))
            table = tables[source.book][tuple(near)]
            table += patch.size  # worse than any unused block, but available when all are used
        counts = np.concatenate([table.ravel() for table in tables])
        fitting = np.flatnonzero(counts <= (1 + self.tolerance) * counts.min())
        drawn = [self._source(int(flat)) for flat in self._random.choice(fitting, min(_DRAWN, fitting.size), False)]
        return min(drawn, key=lambda source: self._unbalance(self._block(source), known))

    def _source(self, flat: int) -> _Source:
        firsts = np.cumsum([0, *(rows * columns for _, _, _, (rows, columns) in self.books)])
        number = int(np.searchsorted(firsts, flat, side="right")) - 1
        return _Source(number, *divmod(flat - int(firsts[number]), self.books[number].valid[1]))

    def _block(self, source: _Source) -> Labels:
        corner = np.s_[source.row : source.row + self.rows.block, source.column : source.column + self.columns.block]
        return self.books[source.book].labels[corner]

    def _unbalance(self, new: Labels, known: NDArray[np.bool_]) -> float:
        """Compute the squared error of the fractions with a new block."""
        phases = len(self.task.fractions)
        counts = np.bincount(self.labels[self._known], minlength=phases) + np.bincount(new[~known], minlength=phases)
        return float(np.square(counts / counts.sum() - self.task.fractions).sum())

    def _around(self, source: _Source) -> Iterator[tuple[int, int]]:
        return zip(source[1:], (self.rows.overlap // 2, self.columns.overlap // 2))

    def _continuing(self, index: tuple[int, int]) -> Iterator[_Source]:
        """List the places where the exemplar continues a neighbour that is laid already."""
        for down, right in product((-1, 0, 1), repeat=2):
            beside = ((index[0] + down) % len(self.rows.places), (index[1] + right) % len(self.columns.places))
            if beside in self._sources:
                source = self._sources[beside]
                row = source.row - down * (self.rows.block - self.rows.overlap)
                column = source.column - right * (self.columns.block - self.columns.overlap)
                if row >= 0 and column >= 0:
                    yield _Source(source.book, row, column)


def _laid(known: NDArray[np.bool_], differs: NDArray[np.bool_], overlap: tuple[int, int]) -> NDArray[np.bool_]:
    """Find the pixels of a block inside the cuts on its four sides."""
    laid = np.ones(known.shape, dtype=bool)
    for axis, end in product((0, 1), (False, True)):
        turned, shown, cost = (_to_the_left(a, axis, end=end) for a in (laid, known, differs))
        width = overlap[axis]
        if shown[len(shown) // 2, :width].all():
            turned[:, :width] &= np.arange(width) >= _cut(cost[:, :width] & shown[:, :width])[:, None]
    return laid | ~known


def _to_the_left(block: NDArray[np.bool_], axis: int, *, end: bool) -> NDArray[np.bool_]:
    """View a block so that the first or last side along an axis is the left one."""
    turned = block.T if axis == 0 else block
    return turned[:, ::-1] if end else turned


def _cut(cost: NDArray[np.bool_]) -> NDArray[np.intp]:
    """Find the path from the first row to the last that crosses least cost, moving one column a row at most.

    Examples
    --------
    >>> _cut(np.array([[1, 0, 1], [1, 1, 0], [1, 1, 0]], dtype=bool))
    array([1, 2, 2])
    """
    rows = len(cost)
    total = np.pad(cost.astype(float), ((0, 0), (1, 1)), constant_values=np.inf)
    for row in range(1, rows):
        before = total[row - 1]
        total[row, 1:-1] += np.minimum(np.minimum(before[:-2], before[1:-1]), before[2:])
    path = np.empty(rows, dtype=np.intp)
    path[-1] = int(total[-1].argmin())
    for row in range(rows - 2, -1, -1):
        path[row] = path[row + 1] - 1 + int(total[row, path[row + 1] - 1 : path[row + 1] + 2].argmin())
    return path - 1


def _block_side(exemplars: Sequence[Microstructure]) -> int:
    lengths = np.concatenate([covariance_reach(m) for m in exemplars])
    smallest = min(side for m in exemplars for side in m.shape)
    longest = float(np.nanmax(lengths)) if np.isfinite(lengths).any() else smallest / _REACHES
    return int(np.clip(round(_REACHES * longest), min(_SMALLEST, smallest // 4), smallest // 4))
