"""Splits that keep a group, e.g. one structure with its windows and rotations, on one side."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import ArrayLike, NDArray

from matlens.errors import InputError

__all__ = ["draw_groups", "grouped_folds", "leave_one_out"]

Rows = NDArray[np.intp]


def grouped_folds(groups: ArrayLike, folds: int, seed: int) -> Iterator[tuple[Rows, Rows]]:
    """Yield (training rows, held-out rows) of each fold; every group is held out once, as a whole.

    Parameters
    ----------
    groups : array_like, shape (n,)
        The group of each row.
    folds : int
        How many; no more than there are groups.
    seed : int
        Of the order of the groups.

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
    """Yield (family, rows of all others, rows of that family).

    Examples
    --------
    >>> [(name, held.tolist()) for name, _, held in leave_one_out(["a", "b", "a"])]
    [('a', [0, 2]), ('b', [1])]
    """
    names = np.asarray(families)
    for name in np.unique(names):
        yield str(name), np.flatnonzero(names != name), np.flatnonzero(names == name)


def draw_groups(groups: ArrayLike, count: int, seed: int) -> Rows:
    """Draw ``count`` groups at random, and give their rows.

    Raises
    ------
    InputError
        If there are fewer groups.

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
