"""Conversion of structures and labels, in all forms that a model accepts, to one checked data set."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from matlens.errors import InputError
from matlens.microstructure.properties.data_sets.structure_set import StructureSet
from matlens.microstructure.properties.selection import FOLDS

__all__ = ["as_set", "labelled"]


def as_set(structures: StructureSet | ArrayLike) -> StructureSet:
    """Convert structures to a `StructureSet`; a set is returned unchanged.

    Parameters
    ----------
    structures : StructureSet or array_like of int, shape (n, *space)
        Structures; an array has as many phases as its largest label shows, at least two.

    Returns
    -------
    StructureSet
        The structures.

    Raises
    ------
    InputError
        If an array does not hold integer labels of three or four dimensions.

    Examples
    --------
    >>> as_set(np.zeros((3, 4, 4), int))
    StructureSet(3 structures of 4 x 4, 2 phases, targets none)
    """
    if isinstance(structures, StructureSet):
        return structures
    labels = np.asarray(structures)
    if labels.ndim not in (3, 4) or labels.dtype.kind not in "bui" or not labels.size:
        raise InputError(
            f"structures must be integer labels of shape (n, height, width) or (n, depth, height, width), found "
            f"{labels.dtype} of shape {labels.shape}; stack them along a first axis."
        )
    count = max(int(labels.max()) + 1, 2)
    return StructureSet.from_arrays(labels, phase_names=tuple(f"phase {k}" for k in range(count)))


def labelled(
    structures: StructureSet | ArrayLike, y: ArrayLike | Mapping[str, ArrayLike] | str | None, target: str | None
) -> tuple[StructureSet, str]:
    """Convert structures and labels to a set with targets, and check it.

    Parameters
    ----------
    structures : StructureSet or array_like of int, shape (n, *space)
        Structures.
    y : array_like of shape (n,), mapping of name to such, str, or None
        Values of the property; a table of properties; or the name of a target of the set.
    target : str or None
        Name of the property to learn; None chooses the only one.

    Returns
    -------
    data : StructureSet
        The labelled structures.
    target : str
        Name of the property.

    Raises
    ------
    InputError
        If the target is missing, labels are not finite or all equal, or there are fewer groups than folds.

    Examples
    --------
    >>> data, target = labelled(np.zeros((6, 4, 4), int), np.arange(6.0), None)
    >>> target, data.targets["y"].tolist()
    ('y', [0.0, 1.0, 2.0, 3.0, 4.0, 5.0])
    """
    data = as_set(structures)
    if isinstance(y, str):
        target, y = y, None
    if y is not None:
        table = (
            pd.DataFrame(y) if isinstance(y, (Mapping, pd.DataFrame)) else pd.DataFrame({target or "y": np.asarray(y)})
        )
        data = replace(data, targets=table.reset_index(drop=True))
    columns = [str(name) for name in data.targets.columns]
    target = target or (columns[0] if len(columns) == 1 else None)
    if target not in columns:
        raise InputError(f"there is no target {target!r}; the structures have {', '.join(columns) or 'no targets'}.")
    values = data.targets[target].to_numpy(np.float64)
    if (bad := np.flatnonzero(~np.isfinite(values))).size:
        raise InputError(
            f"{bad.size} of {values.size} labels of {target} are not numbers (first: structure {data.names[bad[0]]}); "
            "remove or correct these rows."
        )
    if np.ptp(values) == 0:
        raise InputError(f"all labels of {target} are {values[0]:g}; a model needs structures that differ.")
    count = len(np.unique(data.groups))
    if count < FOLDS:
        raise InputError(f"found {count} groups of structures, expected at least {FOLDS}, one a fold; label more.")
    return data, target
