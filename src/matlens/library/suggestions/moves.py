"""Moves from measured compositions to ones that may be made next, and whether anything was measured there."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from matlens.core.nearness import nearest
from matlens.library.gradients import ENOUGH_PAIRS, ENOUGH_SAMPLES, component_pairs, count_level
from matlens.library.suggestions.limits import Limits, on_grid
from matlens.library.table import PRESENT, MaterialsLibrary

__all__ = ["Moves", "distances", "first_moves", "move_support", "second_moves", "words"]

Array = NDArray[np.float64]
Index = NDArray[np.intp]
_SIZES = (1, 2, 3, 5, 8, 13, 21)  # increments
_NARROW, _WIDE = 0.4, 1.0  # how far beside a move measured compositions may lie, in lengths of it
_ENOUGH = 2  # measured compositions along the move


@dataclass(frozen=True)
class Moves:
    """Compositions with where they come from and how.

    Parameters
    ----------
    start : ndarray of int, shape (k,)
        Row of the composition that each one starts from.
    compositions : ndarray, shape (k, D)
        Where it leads.
    steps : ndarray of int, shape (k, s, 2)
        For each of at most s steps the component that changes and its host; the host is -1 where the others change in
        proportion (dilution), the component is -1 where there is no further step.
    """

    start: Index
    compositions: Array
    steps: Index

    def __len__(self) -> int:
        return len(self.start)

    def select(self, rows: ArrayLike) -> Moves:
        """Keep some, by index or mask."""
        chosen = np.arange(len(self))[np.asarray(rows)]
        return Moves(self.start[chosen], self.compositions[chosen], self.steps[chosen])


def first_moves(starts: ArrayLike, library: MaterialsLibrary, limits: Limits) -> Moves:
    """Change one component of each start: diluting the others, or replacing one of them.

    Parameters
    ----------
    starts : array_like, shape (s, D)
        Compositions, mostly measured ones.
    library : MaterialsLibrary
        What was measured; compositions no more than an increment away from these are left out.
    limits : Limits
        What may be made.

    Returns
    -------
    Moves
        On the grid of increments, each composition once: by the shortest way.

    Examples
    --------
    >>> library = MaterialsLibrary([[1.0, 0.0], [0.5, 0.5]], ("Fe", "Ga"), {"P": [1, 2]})
    >>> first_moves(library.compositions[:1], library, Limits(increment=0.1)).compositions.round(1).tolist()
    [[0.8, 0.2], [0.7, 0.3]]
    """
    x = np.asarray(starts, np.float64)
    none = np.full((len(x), 1, 2), -1, np.intp)
    return _moved(Moves(np.arange(len(x)), x, none[:, :0]), library, limits)


def second_moves(moves: Moves, library: MaterialsLibrary, limits: Limits) -> Moves:
    """Change one more component of each composition that moves lead to.

    Examples
    --------
    >>> library = MaterialsLibrary([[1.0, 0.0, 0.0], [0.5, 0.5, 0.0], [0.7, 0, 0.3]], ("A", "B", "C"), {"P": [1, 2, 3]})
    >>> one = first_moves(library.compositions[:1], library, Limits(increment=0.1))
    >>> two = second_moves(one, library, Limits(increment=0.1))
    >>> bool((two.compositions > 0).all(1).any()), two.steps.shape[1]
    (True, 2)
    """
    return _moved(moves, library, limits)


def _moved(moves: Moves, library: MaterialsLibrary, limits: Limits) -> Moves:
    low, high, increment = limits.resolved(library)
    size = moves.compositions.shape[1]
    before = moves.steps[:, :, 0]
    found: list[Moves] = []
    for units in _SIZES:
        for k in np.flatnonzero(high - low >= units * increment / 2):
            free = ~(before == k).any(1) & (units * increment <= (high - low)[k] / 2 + PRESENT)
            for host in (-1, *(h for h in range(size) if h != k)):
                for sign in (1, -1) if host < 0 else (1,):
                    found.append(_one(moves, free, int(k), host, sign * units * increment))
    if not found:
        return Moves(
            moves.start[:0], moves.compositions[:0], np.concatenate([moves.steps[:0], np.empty((0, 1, 2), np.intp)], 1)
        )
    every = Moves(
        np.concatenate([one.start for one in found]),
        on_grid(np.concatenate([one.compositions for one in found]), increment),
        np.concatenate([one.steps for one in found]),
    )
    _, first = np.unique(np.rint(every.compositions / increment), axis=0, return_index=True)
    every = every.select(np.sort(first))
    kept = limits.allowed(every.compositions, library)
    kept &= distances(every.compositions, library.compositions) > increment * 1.01
    return every.select(kept)


def _one(moves: Moves, free: NDArray[np.bool_], k: int, host: int, step: float) -> Moves:
    """Move by one step where it is possible."""
    x = moves.compositions
    room = x[:, host] >= step - PRESENT if host >= 0 else x[:, k] < 1 - 1e-6
    rows = np.flatnonzero(free & room & (x[:, k] + step >= -PRESENT) & (x[:, k] + step <= 1 + PRESENT))
    made = x[rows].copy()
    if host >= 0:
        made[:, host] -= step
    else:
        made *= 1 - step / (1 - made[:, [k]])
        made[:, k] = x[rows, k]
    made[:, k] += step
    own = np.broadcast_to(np.array([k, host], np.intp), (len(rows), 1, 2))
    steps = np.concatenate([moves.steps[rows], own], axis=1)
    return Moves(moves.start[rows], np.clip(made, 0, 1), steps)


def distances(compositions: Array, measured: Array) -> Array:
    """Share of atoms to exchange to come to the nearest measured composition, shape (n,).

    Examples
    --------
    >>> distances(np.array([[0.5, 0.5], [0.9, 0.1]]), np.array([[1.0, 0.0], [0.6, 0.4]])).round(2).tolist()
    [0.1, 0.1]
    """
    return 0.5 * nearest(compositions, np.unique(measured, axis=0), "cityblock")[0]


def move_support(starts: ArrayLike, ends: ArrayLike, measured: ArrayLike) -> tuple[NDArray[np.int8], Index, Index]:
    """Judge moves by the compositions that were measured, and by nothing else.

    A move is supported when at least two measured compositions lie along it, half of its way or further, and enough
    hold each component and each pair of components of the composition that it leads to.

    Parameters
    ----------
    starts, ends : array_like, shape (n, D)
    measured : array_like, shape (N, D)
        Each composition once.

    Returns
    -------
    flags : ndarray of int8, shape (n,)
        2 supported, 1 weak, 0 unsupported.
    along : ndarray of int, shape (n,)
        Measured compositions along the move.
    together : ndarray of int, shape (n,)
        Measured compositions with the rarest pair of components.

    Examples
    --------
    >>> line = np.array([[1 - w, w, 0] for w in np.linspace(0, 0.1, 11)])
    >>> move_support(line[[2, 2]], [[0.955, 0.045, 0], [0.93, 0.02, 0.05]], line)[0].tolist()
    [2, 0]
    """
    x, y, points = (np.asarray(each, np.float64) for each in (starts, ends, measured))
    pairs = component_pairs(points)
    flags = np.zeros(len(x), np.int8)
    along, together = np.zeros(len(x), np.intp), np.zeros(len(x), np.intp)
    for row, (start, end) in enumerate(zip(x, y, strict=True)):
        way = end - start
        length = 0.5 * np.abs(way).sum()
        share = (points - start) @ way / max(float(way @ way), 1e-300)
        beside = 0.5 * np.abs(points - start - share[:, None] * way).sum(1)
        ahead = (share >= 0.5) & (share <= 2.5)
        along[row] = int((ahead & (beside <= _NARROW * share * length)).sum())
        weak = bool((ahead & (beside <= _WIDE * share * length)).any())
        held = np.flatnonzero(end > PRESENT)
        alone = int(pairs[held, held].min())
        together[row] = min((int(pairs[a, b]) for a, b in combinations(held, 2)), default=alone)
        counted = min(int(count_level(alone, ENOUGH_SAMPLES)), int(count_level(together[row], ENOUGH_PAIRS)))
        flags[row] = min(2 if along[row] >= _ENOUGH else int(weak), counted)
    return flags, along, together


def words(start: Array, end: Array, steps: Index, library: MaterialsLibrary) -> tuple[str, str]:
    """Say what a move does, and at whose cost: "+2 at% W for V", "exchange with V".

    Examples
    --------
    >>> library = MaterialsLibrary([[0.5, 0.5, 0]], ("Bi", "V", "W"), {"P": [1]})
    >>> words(np.array([0.5, 0.5, 0]), np.array([0.5, 0.48, 0.02]), np.array([[2, 1]]), library)
    ('+2 at% W for V', 'exchange with V')
    """
    names, said, schemes = library.components, [], []
    for k, host in steps[steps[:, 0] >= 0]:
        change = 100 * (end[k] - start[k])
        said.append(f"{change:+.3g} {library.fraction_name} {names[k]}" + (f" for {names[host]}" if host >= 0 else ""))
        schemes.append(f"exchange with {names[host]}" if host >= 0 else "dilution")
    return " and ".join(said).replace("-", "−"), ", ".join(dict.fromkeys(schemes))
