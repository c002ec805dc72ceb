"""Partitions into training and held-out samples: by composition, region of composition or co-alloy system."""

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
    """Training rows and held-out rows of one fold.

    Attributes
    ----------
    partition : {"grouped", "regions", "systems", "shuffled"}
        Kind of partition.
    repeat : int
        Number of the repetition; each uses other random numbers.
    name : str
        Number of the fold, or name of the co-alloy system.
    train : ndarray of int
        Rows to train on.
    held : ndarray of int
        Held-out rows. A row can be in neither set.

    Examples
    --------
    >>> Fold("grouped", 0, "0", np.array([0, 1]), np.array([2])).held
    array([2])
    """

    partition: str
    repeat: int
    name: str
    train: Rows
    held: Rows


def grouped(library: MaterialsLibrary, folds: int = 10, repeats: int = 1, seed: int = 0) -> list[Fold]:
    """Hold out whole compositions, so that replicates are never in both sets.

    Parameters
    ----------
    library : MaterialsLibrary
        Library to be partitioned.
    folds : int
        Number of folds, at least 2.
    repeats : int
        Number of partitions.
    seed : int
        Seed of the first partition.

    Returns
    -------
    list of Fold
        ``folds`` for each of the ``repeats`` partitions.

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
    """Hold out single rows.

    Scores are for comparison only: they are too good, because replicates of held-out samples are trained on.

    Parameters
    ----------
    library : MaterialsLibrary
        Library to be partitioned.
    folds : int
        Number of folds, at least 2.
    repeats : int
        Number of partitions.
    seed : int
        Seed of the first partition.

    Returns
    -------
    list of Fold
        ``folds`` for each of the ``repeats`` partitions.

    Raises
    ------
    InputError
        If there are fewer samples than folds.

    Examples
    --------
    >>> library = MaterialsLibrary([[1, 0], [1, 0], [0, 1], [0.5, 0.5]], ("A", "B"), {"P": [1, 1, 2, 3]})
    >>> [len(fold.held) for fold in shuffled(library, folds=2)]
    [2, 2]
    """
    return _numbered("shuffled", np.arange(len(library)), folds, repeats, seed)


def regions(library: MaterialsLibrary, folds: int = 8, repeats: int = 5, seed: int = 0) -> list[Fold]:
    """Hold out whole regions of composition, found by k-means.

    This is leave-one-cluster-out cross-validation (Meredig et al., Mol. Syst. Des. Eng. 3, 819, 2018).

    Parameters
    ----------
    library : MaterialsLibrary
        Library to be partitioned. Distances are between fractions; each composition counts once, even with replicates.
    folds : int
        Number of regions of a partition.
    repeats : int
        Number of partitions, each from another random start of k-means.
    seed : int
        Seed of the random starts.

    Returns
    -------
    list of Fold
        ``folds`` for each of the ``repeats`` partitions.

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
    """Hold out one co-alloy system at a time.

    This tests predictions of A + B by models that never saw A and B together. Larger systems that contain the held-out
    one are in neither set, because they would show its components together. Systems are skipped if one of their
    components occurs in no training sample.

    Parameters
    ----------
    library : MaterialsLibrary
        Library with several co-alloy systems.
    least : int
        Least number of samples of a held-out system.

    Returns
    -------
    list of Fold
        One fold for each system that can be held out.

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
