"""Training rows of each member of an ensemble."""

from __future__ import annotations

from typing import Literal, get_args

import numpy as np
from numpy.typing import ArrayLike, NDArray

from matlens.core.splits import grouped_folds
from matlens.errors import InputError

__all__ = ["RESAMPLINGS", "Resampling", "member_rows"]

Resampling = Literal["none", "bootstrap", "groups"]
RESAMPLINGS: tuple[Resampling, ...] = get_args(Resampling)
_FOLDS = 10


def member_rows(
    groups: ArrayLike, members: int, resample: Resampling, seed: int, *, folds: int = _FOLDS
) -> list[NDArray[np.intp]]:
    """Draw the training rows of each member; rows of a group stay together.

    Parameters
    ----------
    groups : array_like, shape (n,)
        Group of each row, for example its composition.
    members : int
        Number of members.
    resample : {"none", "bootstrap", "groups"}
        All rows; bootstrap of the groups (Efron, Ann. Stat. 7, 1, 1979); or all groups but one of ``folds`` parts. Each
        part is left out by one of ``folds`` members in turn, and then groups are divided again.
    seed : int
        Seed of the draws.
    folds : int
        Number of parts for "groups".

    Returns
    -------
    list of ndarray of int
        Rows of each member; a bootstrap can repeat rows.

    Raises
    ------
    InputError
        If ``resample`` is unknown.

    Examples
    --------
    >>> [rows.tolist() for rows in member_rows([0, 0, 1, 2], 3, "groups", seed=0, folds=3)]
    [[2, 3], [0, 1, 2], [0, 1, 3]]
    """
    if resample not in RESAMPLINGS:
        raise InputError(f"resample {resample!r} is not known; choose one of {', '.join(RESAMPLINGS)}.")
    names, number = np.unique(np.asarray(groups), return_inverse=True)
    everything = np.arange(len(number))
    if resample == "none" or len(names) < 2:
        return [everything] * members
    if resample == "bootstrap":
        rows_of = [np.flatnonzero(number == group) for group in range(len(names))]
        draws = (
            np.random.default_rng([seed, member]).integers(len(names), size=len(names)) for member in range(members)
        )
        return [np.concatenate([rows_of[group] for group in draw]) for draw in draws]
    count = min(folds, len(names))
    parts: list[NDArray[np.intp]] = []
    for repeat in range(-(-members // count)):
        division = int(np.random.SeedSequence([seed, repeat]).generate_state(1)[0])
        parts += [kept for kept, _ in grouped_folds(number, count, division)]
    return parts[:members]
