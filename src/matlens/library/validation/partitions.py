"""Which samples are held out: whole compositions, whole regions of composition, or whole co-alloy systems."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sklearn.cluster import KMeans

from matlens.core.splits import grouped_folds
from matlens.errors import InputError
from matlens.library.table import PRESENT, MaterialsLibrary

__all__ = ["PARTITIONS", "Fold", "grouped", "regions", "shuffled", "systems"]

Rows = NDArray[np.intp]


@dataclass(frozen=True, eq=False)
class Fold:
    """Rows to learn from and rows held out.

    Attributes
    ----------
    partition : str
        ``"grouped"``, ``"regions"``, ``"systems"`` or ``"shuffled"``.
    repeat : int
        Number of the repetition with other random numbers.
    name : str
        Of the fold: its number, or the co-alloy system.
    train, held : ndarray of int
        Rows; a row may be in neither.
    """

    partition: str
    repeat: int
    name: str
    train: Rows
    held: Rows


def grouped(library: MaterialsLibrary, folds: int = 10, repeats: int = 1, seed: int = 0) -> list[Fold]:
    """Hold out whole compositions: replicates are never on both sides.

    Raises
    ------
    InputError
        If there are fewer different compositions than folds.

    Examples
    --------
    >>> library = MaterialsLibrary([[1, 0], [1, 0], [0, 1], [0.5, 0.5]], ("A", "B"), {"P": [1, 1, 2, 3]})
    >>> sorted(fold.held.tolist() for fold in grouped(library, folds=3))
    [[0, 1], [2], [3]]
    """
    return _numbered("grouped", library.replicates(), folds, repeats, seed)


def shuffled(library: MaterialsLibrary, folds: int = 10, repeats: int = 1, seed: int = 0) -> list[Fold]:
    """Hold out single rows: for information only, since replicates and neighbours stay on the other side.

    Examples
    --------
    >>> library = MaterialsLibrary([[1, 0], [1, 0], [0, 1], [0.5, 0.5]], ("A", "B"), {"P": [1, 1, 2, 3]})
    >>> [len(fold.held) for fold in shuffled(library, folds=2)]
    [2, 2]
    """
    return _numbered("shuffled", np.arange(len(library)), folds, repeats, seed)


def regions(library: MaterialsLibrary, folds: int = 8, repeats: int = 5, seed: int = 0) -> list[Fold]:
    """Hold out whole regions of composition, found by k-means; each repetition divides the library anew.

    Parameters
    ----------
    library : MaterialsLibrary
        Distances are between fractions as they are; each composition counts once, however often it was made.
    folds : int
        Regions of a partition.
    repeats : int
        Partitions, each from its own random start.
    seed : int
        Of the starts.

    Raises
    ------
    InputError
        If there are fewer different compositions than regions.

    Examples
    --------
    >>> library = MaterialsLibrary([[1, 0], [0.9, 0.1], [0, 1], [0.1, 0.9]], ("A", "B"), {"P": [1, 1, 2, 3]})
    >>> sorted(fold.held.tolist() for fold in regions(library, folds=2, repeats=1))
    [[0, 1], [2, 3]]
    """
    number = library.replicates()
    _, first = np.unique(number, return_index=True)
    _check(len(first), folds, repeats)
    found = []
    for repeat in range(repeats):
        start = int(np.random.default_rng([seed, repeat]).integers(2**31))
        means = KMeans(folds, n_init=1, random_state=start).fit(library.compositions[first])
        region = means.labels_[number]
        found += [
            Fold("regions", repeat, str(k), np.flatnonzero(region != k), np.flatnonzero(region == k))
            for k in range(folds)
        ]
    return found


def systems(library: MaterialsLibrary, least: int = 1) -> list[Fold]:
    """Hold out co-alloy systems: what a model that never saw A and B together says of A + B.

    A system is held out with every larger one that contains it, which are in neither set: otherwise the model would
    have seen the components together after all. Systems with a component that is then left nowhere are passed over.

    Parameters
    ----------
    library : MaterialsLibrary
        With several sets of components present.
    least : int
        Samples that a system needs.

    Raises
    ------
    InputError
        If no system can be held out in this way.

    Examples
    --------
    >>> fractions = [[0.5, 0.5, 0, 0], [0.4, 0.5, 0.1, 0], [0.4, 0.5, 0, 0.1], [0.4, 0.4, 0.1, 0.1]]
    >>> library = MaterialsLibrary(fractions, ("Bi", "V", "W", "Mo"), {"P": [1, 2, 3, 4]})
    >>> [(fold.name, fold.train.tolist(), fold.held.tolist()) for fold in systems(library)]
    [('Bi-V-W-Mo', [0, 1, 2], [3])]
    """
    there = np.asarray(library.compositions > PRESENT)
    names = library.systems()
    found = []
    for name in dict.fromkeys(names):
        held = np.flatnonzero(names == name)
        present = there[held[0]]
        contains = np.asarray(there[:, present].all(axis=1))
        seen = np.asarray(there[~contains].any(axis=0))
        if len(held) >= least and seen[present].all():
            found.append(Fold("systems", 0, str(name), np.flatnonzero(~contains), held))
    if not found:
        raise InputError(
            f"none of the {len(set(names))} co-alloy systems can be left out so that each of its components is still "
            "seen in others; hold out regions of composition instead."
        )
    return found


# docs/decisions/0032-held-out-compositions.md
PARTITIONS: dict[str, Callable[..., list[Fold]]] = {
    "grouped": grouped,
    "regions": regions,
    "systems": systems,
    "shuffled": shuffled,
}


def _numbered(partition: str, groups: Rows, folds: int, repeats: int, seed: int) -> list[Fold]:
    _check(len(np.unique(groups)), folds, repeats)
    return [
        Fold(partition, repeat, str(number), train, held)
        for repeat in range(repeats)
        for number, (train, held) in enumerate(grouped_folds(groups, folds, seed=seed + repeat))
    ]


def _check(there: int, folds: int, repeats: int) -> None:
    if not 2 <= folds <= there:
        raise InputError(
            f"found {there} different compositions to hold out in {folds} folds, expected at least 2 folds and no "
            "more than there are compositions; choose another number of folds."
        )
    if repeats < 1:
        raise InputError(f"found {repeats} repeats, expected at least 1.")
