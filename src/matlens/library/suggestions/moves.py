"""Moves from measured compositions to new ones."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from matlens.core.nearness import nearest
from matlens.library.suggestions.limits import Limits, decimals, on_grid
from matlens.library.table import PRESENT, MaterialsLibrary

__all__ = ["Moves", "distances", "first_moves", "second_moves", "words"]

Array = NDArray[np.float64]
Index = NDArray[np.intp]
_SIZES = (1, 2, 3, 5, 8, 13, 21)  # in increments
_SAME = 0.51  # increments from a measured composition up to which a new one counts as that one


@dataclass(frozen=True)
class Moves:
    """New compositions with the measured ones that they start from and the steps that lead to them.

    Parameters
    ----------
    start : ndarray of int, shape (k,)
        Row of the composition that each move starts from.
    compositions : ndarray, shape (k, D)
        Composition that each move leads to, in fractions.
    steps : ndarray of int, shape (k, s, 2)
        Component that changes and its host, for each of up to s steps. The host is -1 for dilution (all others change
        in proportion); the component is -1 if there is no further step.

    Examples
    --------
    >>> moves = Moves(np.array([0, 0]), np.array([[0.9, 0.1], [0.8, 0.2]]), np.array([[[1, -1]], [[1, 0]]]))
    >>> moves.select([1]).compositions.tolist()
    [[0.8, 0.2]]
    """

    start: Index
    compositions: Array
    steps: Index

    def __len__(self) -> int:
        return len(self.start)

    def select(self, rows: ArrayLike) -> Moves:
        """Return some of the moves.

        Parameters
        ----------
        rows : array_like of int or bool
            Numbers of the moves, or a mask.

        Returns
        -------
        Moves
            The chosen moves in the given order.
        """
        chosen = np.arange(len(self))[np.asarray(rows)]
        return Moves(self.start[chosen], self.compositions[chosen], self.steps[chosen])


def first_moves(starts: ArrayLike, library: MaterialsLibrary, limits: Limits) -> Moves:
    """Change one component of each start, at the cost of all others (dilution) or of one other (exchange).

    Parameters
    ----------
    starts : array_like, shape (s, D)
        Compositions to start from, in fractions.
    library : MaterialsLibrary
        Measured samples; new compositions within half an increment of a measured one are left out.
    limits : Limits
        Limits of the new compositions.

    Returns
    -------
    Moves
        Moves to compositions on the grid of increments; each composition occurs once, with its shortest move.

    Raises
    ------
    InputError
        If the limits do not fit the library.

    Examples
    --------
    >>> library = MaterialsLibrary([[1.0, 0.0], [0.5, 0.5]], ("Fe", "Ga"), {"P": [1, 2]})
    >>> first_moves(library.compositions[:1], library, Limits(increment=0.1)).compositions.round(1).tolist()
    [[0.9, 0.1], [0.8, 0.2], [0.7, 0.3]]
    """
    x = np.asarray(starts, np.float64)
    none = np.full((len(x), 1, 2), -1, np.intp)
    return _moved(Moves(np.arange(len(x)), x, none[:, :0]), library, limits)


def second_moves(moves: Moves, library: MaterialsLibrary, limits: Limits) -> Moves:
    """Change one further component of the composition that each move leads to.

    Parameters
    ----------
    moves : Moves
        First moves, from `first_moves`.
    library : MaterialsLibrary
        Measured samples; new compositions within half an increment of a measured one are left out.
    limits : Limits
        Limits of the new compositions.

    Returns
    -------
    Moves
        Moves with one more step.

    Raises
    ------
    InputError
        If the limits do not fit the library.

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
    sites = library.site_numbers
    before = moves.steps[:, :, 0]
    found: list[Moves] = []
    for units in _SIZES:
        for k in np.flatnonzero(high - low >= units * increment / 2):
            free = ~(before == k).any(1) & (units * increment <= (high - low)[k] / 2 + PRESENT)
            there = sites == sites[k]
            for host in (-1, *(int(h) for h in np.flatnonzero(there) if h != k)):
                for sign in (1, -1) if host < 0 else (1,):
                    found.append(_one(moves, free, int(k), host, sign * units * increment, there))
    if not found:
        return Moves(
            moves.start[:0], moves.compositions[:0], np.concatenate([moves.steps[:0], np.empty((0, 1, 2), np.intp)], 1)
        )
    every = Moves(
        np.concatenate([one.start for one in found]),
        _on_grids(np.concatenate([one.compositions for one in found]), increment, sites),
        np.concatenate([one.steps for one in found]),
    )
    _, first = np.unique(np.rint(every.compositions / increment), axis=0, return_index=True)
    every = every.select(np.sort(first))
    kept = limits.allowed(every.compositions, library)
    kept &= distances(every.compositions, library.compositions) > increment * _SAME
    return every.select(kept)


def _on_grids(compositions: Array, increment: float, sites: Index) -> Array:
    """Round the fractions of each site to the increment."""
    found = np.empty_like(compositions)
    for site in np.unique(sites):
        found[:, sites == site] = on_grid(compositions[:, sites == site], increment)
    return found


def _one(moves: Moves, free: NDArray[np.bool_], k: int, host: int, step: float, there: NDArray[np.bool_]) -> Moves:
    """Move by one step where it is possible, at the cost of components that are ``there``, on the site of k."""
    x = moves.compositions
    room = x[:, host] >= step - PRESENT if host >= 0 else x[:, k] < 1 - 1e-6
    rows = np.flatnonzero(free & room & (x[:, k] + step >= -PRESENT) & (x[:, k] + step <= 1 + PRESENT))
    made = x[rows].copy()
    if host >= 0:
        made[:, host] -= step
    else:
        made[:, there] *= 1 - step / (1 - made[:, [k]])
        made[:, k] = x[rows, k]
    made[:, k] += step
    own = np.broadcast_to(np.array([k, host], np.intp), (len(rows), 1, 2))
    steps = np.concatenate([moves.steps[rows], own], axis=1)
    return Moves(moves.start[rows], np.clip(made, 0, 1), steps)


def distances(compositions: Array, measured: Array) -> Array:
    """Compute the share of atoms that must be exchanged to reach the nearest measured composition.

    Parameters
    ----------
    compositions : ndarray, shape (n, D)
        Fractions.
    measured : ndarray, shape (N, D)
        Measured fractions.

    Returns
    -------
    ndarray, shape (n,)
        Half the sum of absolute differences of the fractions.

    Examples
    --------
    >>> distances(np.array([[0.5, 0.5], [0.9, 0.1]]), np.array([[1.0, 0.0], [0.6, 0.4]])).round(2).tolist()
    [0.1, 0.1]
    """
    return 0.5 * nearest(compositions, np.unique(measured, axis=0), "cityblock")[0]


def words(start: Array, end: Array, steps: Index, library: MaterialsLibrary, increment: float) -> tuple[str, str]:
    """Describe a move by the components that change, from start to target, and by its compensation scheme.

    Parameters
    ----------
    start, end : ndarray, shape (D,)
        Compositions at both ends of the move, in fractions.
    steps : ndarray of int, shape (s, 2)
        Steps as in `Moves`.
    library : MaterialsLibrary
        Library with the names of the components.
    increment : float
        Increment of the fractions; components that change by less than half of it are not named.

    Returns
    -------
    move : str
        Changes of the components, the largest first.
    scheme : str
        Compensation schemes.

    Examples
    --------
    >>> library = MaterialsLibrary([[0.5, 0.5, 0]], ("Bi", "V", "W"), {"P": [1]})
    >>> words(np.array([0.5, 0.5, 0]), np.array([0.5, 0.48, 0.02]), np.array([[2, 1]]), library, 0.01)
    ('V 50 → 48, W 0 → 2 at%', 'exchange with V')
    """
    names = library.components
    change = np.abs(end - start)
    named = [k for k in np.argsort(-change, kind="stable") if change[k] >= increment / 2 - PRESENT]
    digits = decimals(increment)
    changes = [f"{names[k]} {100 * start[k]:.3g} → {100 * end[k]:.{digits}f}" for k in named]
    chosen = steps[steps[:, 0] >= 0]
    schemes = [f"exchange with {names[host]}" if host >= 0 else "dilution" for _, host in chosen]
    return f"{', '.join(changes)} {library.fraction_name}", ", ".join(dict.fromkeys(schemes))
