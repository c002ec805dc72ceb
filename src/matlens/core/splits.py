"""Splits that keep each group on one side, e.g. a structure together with its windows and rotations."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import ArrayLike, NDArray

from matlens.errors import InputError

__all__ = ["draw_groups", "grouped_folds", "leave_one_out"]

Rows = NDArray[np.intp]


def grouped_folds(groups: ArrayLike, folds: int, seed: int) -> Iterator[tuple[Rows, Rows]]:
    """Yield the training and held-out rows of each fold of a grouped cross-validation.

    Every group is held out once, as a whole.

    Parameters
    ----------
    groups : array_like, shape (n,)
        Group of each row.
    folds : int
        Number of folds; at least 2 and at most the number of groups.
    seed : int
        Seed of the random order of the groups.

    Yields
    ------
    training : ndarray of int
        Rows to train on.
    held_out : ndarray of int
        Rows to test on.

    Raises
    ------
    InputError
        If there are fewer than 2 folds, or fewer groups than folds.

    Examples
    --------
    >>> [held.tolist() for _, held in grouped_folds([0, 0, 1, 1, 2], folds=3, seed=0)]
    [[4], [0, 1], [2, 3]]
    """
    names, number = np.unique(np.asarray(groups), return_inverse=True)
    if not 2 <= folds <= len(names):
        raise InputError(
            f"found {len(names)} groups of structures, expected at least as many as folds ({folds}, and 2 or more); "
            "give more structures, or fewer folds."
        )
    order = np.random.default_rng(seed).permutation(len(names))
    fold_of = np.empty(len(names), dtype=np.intp)
    fold_of[order] = np.arange(len(names)) % folds
    for fold in range(folds):
        held = fold_of[number] == fold
        yield np.flatnonzero(~held), np.flatnonzero(held)


def leave_one_out(families: ArrayLike) -> Iterator[tuple[str, Rows, Rows]]:
    """Yield the splits of a cross-validation that leaves out one family at a time.

    Parameters
    ----------
    families : array_like, shape (n,)
        Family of each row.

    Yields
    ------
    family : str
        The family that is left out; families come in sorted order.
    training : ndarray of int
        Rows of all other families.
    held_out : ndarray of int
        Rows of this family.

    Examples
    --------
    >>> [(name, held.tolist()) for name, _, held in leave_one_out(["a", "b", "a"])]
    [('a', [0, 2]), ('b', [1])]
    """
    names = np.asarray(families)
    for name in np.unique(names):
        yield str(name), np.flatnonzero(names != name), np.flatnonzero(names == name)


def draw_groups(groups: ArrayLike, count: int, seed: int) -> Rows:
    """Draw groups at random without replacement, and return their rows.

    Parameters
    ----------
    groups : array_like, shape (n,)
        Group of each row.
    count : int
        Number of groups to draw.
    seed : int
        Seed of the draw. With the same seed a larger count keeps all groups of a smaller one.

    Returns
    -------
    ndarray of int
        Rows of the drawn groups, in ascending order.

    Raises
    ------
    InputError
        If there are fewer groups than ``count``.

    Examples
    --------
    >>> draw_groups([0, 0, 1, 2], count=3, seed=0).tolist()
    [0, 1, 2, 3]
    """
    names = np.unique(np.asarray(groups))
    if count > len(names):
        raise InputError(f"cannot draw {count} structures, there are {len(names)}; ask for fewer or make more.")
    drawn = np.random.default_rng(seed).permutation(names)[:count]
    return np.flatnonzero(np.isin(groups, drawn))
