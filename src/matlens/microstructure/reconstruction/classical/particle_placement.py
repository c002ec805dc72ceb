"""Descriptor-based reconstruction: ellipses with the sizes, aspect ratios, directions and gaps of the exemplar's
particles.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from matlens.errors import InputError
from matlens.microstructure.problems.stamping import FAR, patch
from matlens.microstructure.reconstruction.classical.base import Classical
from matlens.microstructure.reconstruction.classical.particle_shapes import (
    NEIGHBOURS,
    Particles,
    gaps,
    measure,
    separate,
    solidity,
    weighted_quantiles,
)
from matlens.microstructure.reconstruction.method import Made, Maker, Task
from matlens.microstructure.reconstruction.phases import decode
from matlens.microstructure.structure import Microstructure

__all__ = ["ParticlePlacement"]

_DENSEST = 0.7  # area fraction beyond which ellipses find no room
_FEWEST = 5  # particles that sizes and distances can be estimated from
_MOVES = 30  # proposals a particle
_MOST_MOVES = 12000
_MARGIN = 3.0  # pixels around an ellipse in which its edge may come to lie


@dataclass(frozen=True)
class ParticlePlacement(Classical):
    """Place ellipses with the statistics of the exemplar's particles until the fractions are exact.

    Parameters
    ----------
    solidity : float
        Least solidity of a particulate phase, 0 to 1: the area of particles over that of their convex hulls, mean by
        area.

    Notes
    -----
    After Xu, Dikin, Burkhart and Chen, Comput. Mater. Sci. 85, 206 (2014), who describe a microstructure by number,
    size, aspect ratio, direction and nearest-neighbour distances of its particles. The matrix is the most frequent
    phase. In the other phases, touching particles are separated at their throats; those cut by the border are not
    measured, and large ones are weighted more to correct for that. As many ellipses as the fraction needs are drawn
    from the measured ones, placed at random, the largest first and without overlap where there is room, and then moved
    one at a time while the gaps to their first three neighbours approach the measured ones. Phases are placed
    independently of one another, and all ellipses grow or shrink by the fraction of a pixel that makes the fractions
    exact. Distances beyond the third neighbour and shapes other than ellipses are not reproduced.

    Examples
    --------
    >>> from matlens.microstructure.problems import particles
    >>> exemplar = particles((96, 96), diameter=10, fraction=0.25, seed=1)
    >>> made = ParticlePlacement().learn([exemplar], (64, 64), seed=0)(Task((64, 64), np.array([0.75, 0.25]), seed=0))
    >>> int(made.labels.sum()) == 64 * 64 // 4
    True
    """

    name: ClassVar[str] = "particles"
    citations: ClassVar[tuple[str, ...]] = ("xu2014descriptor",)

    solidity: float = 0.85

    def check(self, exemplars: Sequence[Microstructure], shape: Sequence[int]) -> tuple[str, ...]:
        """Check that every phase but the matrix is particulate, and the option.

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
            If an exemplar is three-dimensional, a phase is not particulate or has too few particles, or there is no
            room for the particles.
        """
        if any(m.ndim != 2 for m in exemplars) or len(shape) != 2:
            raise InputError("method particles makes no volumes; give two-dimensional exemplars, and height x width.")
        if not 0 <= self.solidity <= 1:
            raise InputError(f"solidity={self.solidity:g} is out of range; give 0 to 1.")
        matrix = _matrix(exemplars)
        _check_room(1 - np.mean([m.volume_fractions[matrix] for m in exemplars]))
        for phase, name in enumerate(exemplars[0].phase_names):
            if phase != matrix:
                self._check_phase(exemplars, phase, name)
        return ()

    def _check_phase(self, exemplars: Sequence[Microstructure], phase: int, name: str) -> None:
        fields = [separate(m.labels == phase) for m in exemplars]
        found = float(np.average([solidity(f) for f in fields], weights=[max((f > 0).sum(), 1) for f in fields]))
        if found < self.solidity:
            raise InputError(
                f"phase {name!r} is not particulate: separated at its throats, its pieces fill {found:.2f} of their "
                f"convex hulls where {self.solidity:g} is asked; use another method, or lower the option solidity."
            )
        count = int(np.count_nonzero(measure(fields).weights))
        if count < _FEWEST:
            raise InputError(
                f"phase {name!r} has {count} particles clear of the border; at least {_FEWEST} are needed to tell "
                "their sizes: give a larger exemplar or use another method."
            )

    def learn(self, exemplars: Sequence[Microstructure], shape: Sequence[int], seed: int) -> Maker:
        """Measure the particles of every phase but the matrix.

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
        matrix = _matrix(exemplars)
        found = {
            phase: measure([separate(m.labels == phase) for m in exemplars])
            for phase in range(exemplars[0].n_phases)
            if phase != matrix
        }

        def make(task: Task) -> Made:
            _check_room(1 - task.fractions[matrix])
            return _placed(task, found, matrix)

        return make


def _check_room(share: float) -> None:
    if share > _DENSEST:
        raise InputError(
            f"particles would fill {share:.2f} of the plane, where ellipses grow together; ask for {_DENSEST:g} at "
            "most or use another method."
        )


def _matrix(exemplars: Sequence[Microstructure]) -> int:
    return int(np.sum([m.volume_fractions * m.labels.size for m in exemplars], axis=0).argmax())


def _placed(task: Task, found: dict[int, Particles], matrix: int) -> Made:
    """Place the particles of all phases, and decode their scores into labels."""
    area = float(np.prod(task.shape))
    drawn = {phase: _drawn(p, task.fractions[phase] * area, task.random(phase)) for phase, p in found.items()}
    total = sum(min(_MOVES * len(half), _MOST_MOVES) for half, _ in drawn.values())
    task.progress.begin(total, f"placing particles, realisation {task.realisation + 1}")
    scores = np.full((len(task.fractions), *task.shape), FAR)
    scores[matrix] = 0.0
    done, notes = 0, []
    for phase, (half, angles) in drawn.items():
        work = _Placing(half, angles, found[phase], np.array(task.shape, dtype=float), task.random(phase, 1))
        moves = min(_MOVES * len(half), _MOST_MOVES)
        for move in range(moves):
            work.move()
            if move % 100 == 0:
                task.progress.update(done + move, f"loss {work.energy:.3g}, phase {phase}: {len(half)} particles")
        done += moves
        notes.append(f"phase {phase}: {len(half)} ellipses, gaps to neighbours off by {work.energy:.2g} px on average")
        for centre, axes, angle in zip(work.centres, half, angles):
            _stamp(scores[phase], centre, axes, angle)
    labels = decode(scores, task.counts)
    return Made(labels, "all particles placed", True, total, notes=tuple(notes))


def _drawn(found: Particles, area: float, random: np.random.Generator) -> tuple[NDArray[np.float64], ...]:
    """Draw ellipses from the measured ones until they have a total area; largest first."""
    areas = np.pi * found.half.prod(axis=1)
    count = max(1, round(area / float(found.weights @ areas)))
    # Systematic drawing: sizes scatter no more than they must.
    ticks = (random.random() + np.arange(count)) / count
    order = np.argsort(areas, kind="stable")[::-1]
    chosen = order[np.searchsorted(np.cumsum(found.weights[order]), ticks).clip(max=len(order) - 1)]
    scale = np.sqrt(area / areas[chosen].sum())
    return found.half[chosen] * scale, found.angles[chosen]


class _Placing:
    """Ellipses on a torus, moved one at a time until the gaps between them are distributed as measured."""

    def __init__(
        self,
        half: NDArray[np.float64],
        angles: NDArray[np.float64],
        like: Particles,
        period: NDArray[np.float64],
        random: np.random.Generator,
    ) -> None:
        self.half, self.angles, self.period, self.random = half, angles, period, random
        count = len(half)
        shares = (np.arange(count) + 0.5) / count
        known = [k for k in range(min(NEIGHBOURS, count - 1)) if like.gap_weights[k].any()]
        self._ranks = np.array(known, dtype=np.intp)
        targets = [weighted_quantiles(like.gap_values[k], like.gap_weights[k], shares) for k in known]
        self._target = np.array(targets).reshape(len(known), count).T
        self.centres = random.uniform(size=(count, 2)) * period
        self._gaps = np.full((count, count), np.inf)
        for i in range(count):
            self._lay(i)
        self._nearest = self._sorted(np.arange(count))
        self.energy = self._mismatch(self._nearest)

    def _lay(self, i: int) -> None:
        """Find a place for ellipse ``i`` without overlap with those before it, if a few attempts suffice."""
        best = np.full(i, -np.inf)
        place = self.centres[i].copy()
        for _ in range(50):
            row = self._row(i)[:i]
            if i == 0 or row.min() > (best.min() if best.size else -np.inf):
                best, place = row, self.centres[i].copy()
            if i == 0 or row.min() > 0:
                break
            self.centres[i] = self.random.uniform(size=2) * self.period
        self.centres[i] = place
        self._gaps[i, :i] = self._gaps[:i, i] = best

    def move(self) -> None:
        """Propose another place for one ellipse, near or far, and take it if the gaps fit better."""
        i = int(self.random.integers(len(self.half)))
        before, row = self.centres[i].copy(), self._gaps[i].copy()
        if self.random.random() < 0.5:
            self.centres[i] = self.random.uniform(size=2) * self.period
        else:
            step = self.random.normal(size=2) * np.sqrt(self.half[i].prod())
            self.centres[i] = (before + step) % self.period
        new = self._row(i)
        # Only those have other neighbours now that had this one among their nearest, or get it.
        touched = np.minimum(row, new) <= self._nearest[:, -1] if self._ranks.size else np.zeros(len(new), dtype=bool)
        touched[i] = True
        self._gaps[i], self._gaps[:, i] = new, new
        nearest = self._nearest.copy()
        nearest[touched] = self._sorted(np.flatnonzero(touched))
        energy = self._mismatch(nearest)
        if energy <= self.energy:
            self.energy, self._nearest = energy, nearest
        else:
            self.centres[i] = before
            self._gaps[i], self._gaps[:, i] = row, row

    def _row(self, i: int) -> NDArray[np.float64]:
        found = gaps(i, self.centres, self.half, self.angles, self.period)
        found[i] = np.inf
        return found

    def _sorted(self, rows: NDArray[np.intp]) -> NDArray[np.float64]:
        """Return the gaps to the nearest neighbours of some ellipses, shape (rows, ranks)."""
        return np.partition(self._gaps[rows], self._ranks, axis=1)[:, self._ranks]

    def _mismatch(self, nearest: NDArray[np.float64]) -> float:
        """Compute the mean distance between the distributions of gaps here and those measured, in pixels."""
        return float(np.abs(np.sort(nearest, axis=0) - self._target).mean()) if self._ranks.size else 0.0


def _stamp(scores: NDArray[np.float64], centre: NDArray[np.float64], half: NDArray[np.float64], angle: float) -> None:
    """Raise the scores around a centre to the depth under an ellipse's edge."""
    reach = min(float(half[0]) + _MARGIN, (min(scores.shape) - 3) / 2)
    index, values = patch(scores.shape, centre, reach, partial(_depth, half=half, angle=angle))
    scores[index] = np.maximum(scores[index], values)


def _depth(
    rows: NDArray[np.float64], columns: NDArray[np.float64], *, half: NDArray[np.float64], angle: float
) -> NDArray[np.float64]:
    along = columns * np.cos(angle) + rows * np.sin(angle)
    across = rows * np.cos(angle) - columns * np.sin(angle)
    return np.asarray((1 - np.hypot(along / half[0], across / half[1])) * np.sqrt(half.prod()))
