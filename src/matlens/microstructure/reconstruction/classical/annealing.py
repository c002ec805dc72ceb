"""Simulated annealing after Yeong and Torquato (1998): pixels are swapped until correlation functions match."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from importlib.util import find_spec
from typing import TYPE_CHECKING, ClassVar

import numpy as np
from numpy.typing import NDArray

from matlens.errors import InputError, ResourceError
from matlens.hooks import Arrays
from matlens.microstructure.reconstruction.classical.base import Classical
from matlens.microstructure.reconstruction.classical.sections_in_space import along_axes, plane_maps
from matlens.microstructure.reconstruction.classical.targets import (
    at_fraction,
    mean_fractions,
    mean_map,
    offsets,
    reach_of,
)
from matlens.microstructure.reconstruction.method import Made, Maker, Task
from matlens.microstructure.statistics import cluster_map, lineal_path, two_point_map
from matlens.microstructure.structure import Microstructure

if TYPE_CHECKING:
    from matlens.microstructure.reconstruction.classical.pixel_swaps import Counts, Goal, Sample

__all__ = ["Annealing"]

Array = NDArray[np.float64]

_TERMS = ("two-point", "lineal-path", "cluster")
# docs/decisions/0017-annealing-targets.md
_POWERS = {"any": -1.0, "interface": 0.0, "dpn": 2.0}  # exponent of the share of neighbours in other phases
_CHUNKS = 200  # each at one temperature
_FIRST_RATE, _LAST_RATE = 0.1, 3e-4  # share of swaps accepted, in the first and the last chunk


@dataclass(frozen=True)
class Annealing(Classical):
    """Swap pairs of pixels of different phases by the Metropolis rule until correlation functions match.

    Parameters
    ----------
    terms : tuple of str
        Terms of the energy: "two-point", "lineal-path", "cluster"; each is a sum of squared differences from the
        exemplar, relative to that of a structure without correlation.
    directions : {"all", "axes"}
        Offsets of the two-point term: the whole map, weighted by 1 / |r| so that every distance has equal weight; or
        only those along the axes with equal weights, as in 1998. Lineal paths and clusters are measured along the axes.
    selection : {"dpn", "interface", "any"}
        Choice of the proposed pixels: interface pixels, with a probability that grows with the number of neighbours of
        other phases; interface pixels alike; or any pixels.
    reach : int
        Largest offset in pixels; 0 chooses three times the reach of the covariance, at least 16.
    moves : int
        Swaps proposed per pixel.
    tolerance : float
        Energy at which annealing stops.

    Notes
    -----
    Yeong and Torquato, Phys. Rev. E 57, 495 (1998); selection by neighbours of other phases after Tang et al., J.
    Microsc. 234, 262 (2009). The temperature follows the share of accepted swaps, which is controlled from 10 % down to
    0.03 %. The sample is measured in the same way as the exemplar: as a window, unless the exemplar is periodic; then
    so is the result. A volume is periodic and matches the two-point probability of its sections along its three axes:
    Yeong and Torquato, Phys. Rev. E 58, 224 (1998).

    Examples
    --------
    >>> from matlens.microstructure.problems import gaussian_field
    >>> m = gaussian_field((48, 48), 5, 0.3, seed=0)
    >>> made = Annealing(moves=20).learn([m], (48, 48), seed=0)(Task((48, 48), m.volume_fractions, seed=0))
    >>> bool(made.history[-1, 2] < 2e-3), int(made.labels.sum()) == int(m.labels.sum())
    (True, True)
    """

    name: ClassVar[str] = "annealing"
    citations: ClassVar[tuple[str, ...]] = ("yeong1998reconstructing", "yeong1998three", "tang2009pixel")
    seconds_per_pixel: ClassVar[float] = 2.7e-4
    takes_masks: ClassVar[bool] = True
    from_sections: ClassVar[bool] = True

    terms: tuple[str, ...] = ("two-point",)
    directions: str = "all"
    selection: str = "dpn"
    reach: int = 0
    moves: int = 100
    tolerance: float = 1e-6

    def check(self, exemplars: Sequence[Microstructure], shape: Sequence[int]) -> tuple[str, ...]:
        """Check the options, and that numba is installed.

        Parameters
        ----------
        exemplars : sequence of Microstructure
            Exemplars.
        shape : sequence of int
            Pixels of the result along each axis.

        Returns
        -------
        tuple of str
            A remark on what is matched in a volume.

        Raises
        ------
        InputError
            If an option is out of range, or a volume should match more than the two-point probability.
        ResourceError
            If numba is missing.
        """
        if not self.terms or (unknown := set(self.terms) - set(_TERMS)):
            found = ", ".join(sorted(unknown)) if self.terms else "nothing"
            raise InputError(f"annealing option terms holds {found}; choose from {', '.join(_TERMS)}.")
        if self.directions not in ("all", "axes"):
            raise InputError(f"annealing option directions is {self.directions!r}; choose all or axes.")
        if self.selection not in _POWERS:
            raise InputError(f"annealing option selection is {self.selection!r}; choose {', '.join(_POWERS)}.")
        if self.reach < 0 or self.moves < 1 or not self.tolerance >= 0:
            raise InputError(
                f"annealing takes reach >= 0, moves >= 1 and tolerance >= 0, found {self.reach}, {self.moves} and "
                f"{self.tolerance:g}."
            )
        # docs/decisions/0016-annealing-is-compiled.md
        if find_spec("numba") is None:
            raise ResourceError(
                "method 'annealing' needs numba, which is not installed; install matlens[baselines] or choose another "
                "method."
            )
        if len(shape) == 2:
            return ()
        if self.terms != ("two-point",):
            raise InputError(
                f"annealing option terms holds {', '.join(self.terms)}, and a volume is annealed to two-point "
                "probabilities alone; leave the others out."
            )
        return ("in a volume, two-point probabilities are matched along the three axes",)

    def learn(self, exemplars: Sequence[Microstructure], shape: Sequence[int], seed: int) -> Maker:
        """Measure the exemplars' correlation functions.

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
        return self.towards(learned(self, exemplars, shape), exemplars[0].n_phases)

    def learn_volume(
        self, exemplars: Sequence[Microstructure], sections: Sequence[Sequence[int]], shape: Sequence[int], seed: int
    ) -> Maker:
        """Measure the sections' two-point probabilities along the axes of the volume.

        Parameters
        ----------
        exemplars : sequence of Microstructure
            Sections; rows and columns are axes of the volume in their order.
        sections : sequence of sequence of int
            For each axis of the volume, the numbers of the sections normal to it.
        shape : sequence of int
            Depth, height and width of the result in pixels.
        seed : int
            Seed of random choices.

        Returns
        -------
        callable
            Takes a `Task` and returns a `Made`.
        """
        reach, own = reach_of(exemplars, shape, self.reach), mean_fractions(exemplars)
        wanted = along_axes(plane_maps(exemplars, sections, reach))
        return lambda task: _anneal_volume(self, task, at_fraction(wanted, own, task.counts / task.counts.sum()))

    def towards(self, target: Target, n_phases: int) -> Maker:
        """Return the function that anneals to given correlation functions.

        Parameters
        ----------
        target : Target
            Correlation functions wanted.
        n_phases : int
            Number of phases K.

        Returns
        -------
        callable
            Takes a `Task` and returns a `Made`.
        """
        return lambda task: _anneal(self, task, target, n_phases)


def learned(options: Annealing, exemplars: Sequence[Microstructure], shape: Sequence[int]) -> Target:
    """Measure the correlation functions that the terms need.

    Parameters
    ----------
    options : Annealing
        The method with its options.
    exemplars : sequence of Microstructure
        Exemplars.
    shape : sequence of int
        Pixels of the result along each axis.

    Returns
    -------
    Target
        Correlation functions wanted.

    Examples
    --------
    >>> from matlens.microstructure.problems import gaussian_field
    >>> m = gaussian_field((48, 48), 5, 0.3, seed=0)
    >>> {name: values.shape for name, values in learned(Annealing(reach=8), [m], (48, 48)).wanted.items()}
    {'two-point': (2, 17, 17), 'lineal-path': (2, 2, 9)}
    """
    reach = reach_of(exemplars, shape, options.reach)
    areas = np.array([m.n_known for m in exemplars], dtype=float)
    segments = sum(area * lineal_path(m)[..., : reach + 1] for area, m in zip(areas / areas.sum(), exemplars))
    wanted = {"two-point": mean_map(exemplars, two_point_map, reach), "lineal-path": np.asarray(segments)}
    if "cluster" in options.terms:
        wanted["cluster"] = _on_axes(mean_map(exemplars, cluster_map, reach))
    return Target(options, wanted, mean_fractions(exemplars), reach, all(m.periodic for m in exemplars))


def counted_phases(phases: int) -> NDArray[np.int64]:
    """Number the phases whose pairs are counted; of two phases, one determines the other.

    Parameters
    ----------
    phases : int
        Number of phases K.

    Returns
    -------
    ndarray of int, shape (K,)
        Number of each phase among those counted, or -1.

    Examples
    --------
    >>> counted_phases(2), counted_phases(3)
    (array([-1,  0]), array([0, 1, 2]))
    """
    return np.array([-1, 0]) if phases == 2 else np.arange(phases)


@dataclass(frozen=True)
class Target:
    """Correlation functions that the annealing aims at.

    Attributes
    ----------
    options : Annealing
        The method with its options.
    wanted : dict of str to ndarray
        Two-point probabilities, shape (K, 2 R + 1, 2 R + 1); lineal path and cluster function, shape (K, 2, R + 1).
    own : ndarray, shape (K,)
        Volume fractions of these functions.
    reach : int
        Largest offset R in pixels.
    periodic : bool
        Whether the sample is periodic.

    Examples
    --------
    >>> from matlens.microstructure.problems import gaussian_field
    >>> target = learned(Annealing(reach=8), [gaussian_field((48, 48), 5, 0.3, seed=0)], (48, 48))
    >>> target.reach, target.slots(2).tolist()
    (8, [-1, 0])
    """

    options: Annealing
    wanted: dict[str, Array]
    own: Array
    reach: int
    periodic: bool

    def goal(self, task: Task) -> Goal:
        """Compute the counts wanted in a sample, and the weights that make the energy of each term one without
        correlation.

        Parameters
        ----------
        task : Task
            Realisation, with shape and fractions.

        Returns
        -------
        Goal
            Counts and weights.
        """
        from matlens.microstructure.reconstruction.classical.pixel_swaps import Goal

        terms, asked = self.options.terms, task.counts / task.counts.sum()
        slot = self.slots(len(asked))
        seen = np.flatnonzero(slot >= 0)
        fits, on_axes = _fits(task.shape, self.reach, self.periodic)
        pairs = at_fraction(self.wanted["two-point"], self.own, asked)[seen][:, self.reach :]
        weights = self._pair_weights() * ("two-point" in terms)
        weights = weights / max(float((weights * (pairs - asked[seen, None, None] ** 2) ** 2).sum()), 1e-12)
        lines = []
        for name in ("lineal-path", "cluster"):
            # at other fractions than the exemplar's these functions are not known; scaling is the least change
            values = self.wanted.get(name, np.zeros((len(asked), 2, self.reach + 1)))
            values = values * np.divide(asked, self.own, where=self.own > 0, out=np.ones_like(asked))[:, None, None]
            scale = (name in terms) / max(float((values[..., 1:] ** 2).sum()), 1e-12)
            one = np.broadcast_to(scale / on_axes**2, values.shape).copy()
            one[..., 0] = 0.0  # the fraction, which no swap changes
            lines += [2 * values * on_axes, one]
        return Goal(
            slot,
            (2 * pairs * fits).astype(np.float32),
            np.broadcast_to(weights / fits**2, pairs.shape).astype(np.float32),
            lines[0],
            lines[1],
            lines[2],
            lines[3],
            "lineal-path" in terms,
            "cluster" in terms,
            self.periodic,
        )

    def slots(self, phases: int) -> NDArray[np.int64]:
        """Number the phases whose pairs are counted; of two phases, one determines the other.

        Parameters
        ----------
        phases : int
            Number of phases K.

        Returns
        -------
        ndarray of int, shape (K,)
            Number of each phase among those counted, or -1.
        """
        return counted_phases(phases)

    def _pair_weights(self) -> Array:
        """Compute the weights of the half plane's offsets, each pair of opposite ones once."""
        r = self.reach
        distance = offsets(r, 2)
        weights = np.where((distance > 0) & (distance <= r), 1 / np.maximum(distance, 1.0), 0.0)
        if self.options.directions == "axes":
            on_axis = np.zeros_like(weights)
            on_axis[r, :] = on_axis[:, r] = 1.0
            weights = on_axis * (weights > 0)
        weights[r, :r] = 0.0
        return np.asarray(weights[r:])


def _fits(shape: Sequence[int], reach: int, periodic: bool) -> tuple[Array, Array]:
    """Count the positions where offsets fit, in the half plane, (R + 1, 2 R + 1), and along the axes, (2, R + 1)."""
    loss = 0.0 if periodic else 1.0
    across, along = np.abs(np.arange(-reach, reach + 1.0)), np.arange(reach + 1.0)
    half_plane = (shape[0] - loss * along)[:, None] * (shape[1] - loss * across)
    return half_plane, np.stack([(shape[0] - loss * along) * shape[1], shape[0] * (shape[1] - loss * along)])


def _on_axes(values: Array) -> Array:
    """Read a map (K, 2 R + 1, 2 R + 1) along the axes, shape (K, 2, R + 1)."""
    reach = values.shape[1] // 2
    return np.stack([values[:, reach:, reach], values[:, reach, reach:]], axis=1)


def started(
    target: Target, labels: NDArray[np.uint8], random: NDArray[np.uint64], n_phases: int
) -> tuple[Sample, Counts]:
    """Pad the sample and count all correlation functions once.

    Parameters
    ----------
    target : Target
        Correlation functions wanted.
    labels : ndarray of uint8, shape (H, W)
        Start.
    random : ndarray of uint64, shape (1,)
        State of the random generator.
    n_phases : int
        Number of phases K.

    Returns
    -------
    sample : Sample
        Padded sample.
    counts : Counts
        Counts of pairs, segments and clusters.

    Examples
    --------
    >>> from matlens.microstructure.problems import gaussian_field
    >>> m = gaussian_field((48, 48), 5, 0.3, seed=0)
    >>> target = learned(Annealing(reach=8), [m], (48, 48))
    >>> started(target, m.labels.copy(), np.zeros(1, np.uint64), 2)[1].pairs.shape
    (1, 9, 17)
    """
    from matlens.microstructure.reconstruction.classical.pixel_swaps import Counts, Sample, cluster_counts

    reach, slot = target.reach, target.slots(n_phases)
    m = Microstructure(labels, phase_names=[str(phase) for phase in range(n_phases)], periodic=target.periodic)
    seen = m.indicators()[slot >= 0]
    padding = [(0, 0), (reach, reach), (reach, reach)]
    ahead = np.pad(seen, padding, mode="wrap" if target.periodic else "constant").astype(np.float32)
    fits, on_axes = _fits(labels.shape, reach, target.periodic)
    pairs = np.rint(mean_map([m], two_point_map, reach)[slot >= 0][:, reach:] * fits)
    segments = np.rint(lineal_path(m)[..., : reach + 1] * on_axes)
    clusters = np.zeros_like(segments)
    if "cluster" in target.options.terms:
        cluster_counts(labels, clusters, target.periodic)
    behind = np.ascontiguousarray(ahead[:, ::-1, ::-1])
    return Sample(labels, ahead, behind, random), Counts(pairs.astype(np.float32), segments, clusters)


def _energies(counts: Counts, goal: Goal) -> Array:
    """Compute the energy of each term, in the order of all terms."""
    parts = (
        (counts.pairs, goal.pairs2, goal.pair_weights),
        (counts.segments, goal.segments2, goal.segment_weights),
        (counts.clusters, goal.clusters2, goal.cluster_weights),
    )
    return np.array([float((w.astype(float) * (c - t / 2.0) ** 2).sum()) for c, t, w in parts])


def _anneal(options: Annealing, task: Task, target: Target, n_phases: int) -> Made:
    from matlens.microstructure.reconstruction.classical.pixel_swaps import swap_pixels

    goal, state = target.goal(task), _resumed(task)
    labels, random = np.asarray(state["labels"], np.uint8), np.asarray(state["random"], np.uint64)
    sample, counts = started(target, labels, random, n_phases)
    kept = [name in options.terms for name in _TERMS]

    def swap(temperature: float, proposals: int) -> int:
        return swap_pixels(sample, counts, goal, _POWERS[options.selection], temperature, proposals)

    found = _cooled(options, task, state, _Chain(labels, random, swap, lambda: _energies(counts, goal), kept))
    return replace(found, periodic=target.periodic)


def _anneal_volume(options: Annealing, task: Task, wanted: Array) -> Made:
    """Anneal a periodic volume to two-point probabilities along its axes, shape (K, 3, R + 1)."""
    from matlens.microstructure.reconstruction.classical.swaps_in_space import Lines, pairs_along_axes, swap_voxels

    state = _resumed(task)
    labels, random = np.asarray(state["labels"], np.uint8), np.asarray(state["random"], np.uint64)
    asked = task.counts / task.counts.sum()
    slot = counted_phases(len(asked))
    seen = np.flatnonzero(slot >= 0)
    pairs = np.stack([pairs_along_axes(labels, int(phase), wanted.shape[2] - 1) for phase in seen])
    weights = np.ones(pairs.shape)
    weights[..., 0] = 0.0  # the fraction, which no swap changes
    weights /= float((weights * (wanted[seen] - asked[seen, None, None] ** 2) ** 2).sum()) * labels.size**2
    lines = Lines(labels, random, slot, pairs, wanted[seen] * labels.size, weights)

    def swap(temperature: float, proposals: int) -> int:
        return swap_voxels(lines, _POWERS[options.selection], temperature, proposals)

    def energies() -> Array:
        return np.array([float((weights * (lines.pairs - lines.wanted) ** 2).sum())])

    return replace(_cooled(options, task, state, _Chain(labels, random, swap, energies, [True])), periodic=True)


@dataclass(frozen=True)
class _Chain:
    """Sample that is annealed in place, how it takes swaps at a temperature, and which of its energies count."""

    labels: NDArray[np.uint8]
    random: NDArray[np.uint64]
    swap: Callable[[float, int], int]
    energies: Callable[[], Array]
    kept: list[bool]


def _cooled(options: Annealing, task: Task, state: Arrays, chain: _Chain) -> Made:
    """Anneal from a state; the temperature follows the share of accepted swaps."""
    rows = [list(row) for row in state["history"]]
    first, temperature = int(state["chunk"]), float(state["temperature"])
    labels = chain.labels
    proposals = max(1, options.moves * labels.size // _CHUNKS)
    status = "used all its swaps; more moves may match more closely"
    task.progress.begin(_CHUNKS * proposals, f"realisation {task.realisation + 1}")
    if not temperature:
        temperature = float(chain.energies().sum()) / labels.size
    for chunk in range(first, _CHUNKS):
        accepted = chain.swap(temperature, proposals)
        energies = chain.energies()
        total = float(energies.sum())
        rate = max(accepted / proposals, 1e-5)
        wanted = _FIRST_RATE * (_LAST_RATE / _FIRST_RATE) ** (chunk / _CHUNKS)
        temperature *= float(np.clip(np.sqrt(wanted / rate), 0.3, 3.0))
        rows.append([0.0, (chunk + 1) * proposals, total, *energies[chain.kept]])
        text = f"loss {total:.3g}, {accepted / proposals:.1%} of swaps accepted"
        task.progress.update((chunk + 1) * proposals, text)
        task.save(_state(chain, rows, chunk + 1, temperature))
        if total <= options.tolerance:
            status = "reached its tolerance"
            break
    terms = tuple(name for name, keep in zip(_TERMS, chain.kept) if keep)
    return Made(labels, status, evaluations=int(rows[-1][1]), history=np.array(rows), terms=terms)


def _state(chain: _Chain, rows: list[list[float]], chunk: int, temperature: float) -> Callable[[], Arrays]:
    return lambda: {
        "labels": chain.labels.copy(),
        "random": chain.random.copy(),
        "history": np.array(rows),
        "chunk": np.array(chunk),
        "temperature": np.array(temperature),
    }


def _resumed(task: Task) -> Arrays:
    """Return the stored state, or a random arrangement of exactly the wanted pixels."""
    kept = task.load()
    if kept is not None:
        return kept
    random = task.random()
    labels = np.repeat(np.arange(len(task.counts), dtype=np.uint8), task.counts)
    random.shuffle(labels)
    return {
        "labels": labels.reshape(task.shape),
        "random": random.integers(2**63, size=1, dtype=np.uint64),
        "history": np.empty((0, 0)),
        "chunk": np.array(0),
        "temperature": np.array(0.0),
    }
