"""Percolation: whether a phase connects opposite faces, through shared faces of cells."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import ndimage

from matlens.errors import InputError

__all__ = ["percolates", "spanning_cells", "winds"]


def percolates(conductor: ArrayLike, *, periodic: bool = False) -> tuple[bool, ...]:
    """Determine along which axes a path of connected cells leads from one end to the other.

    Parameters
    ----------
    conductor : array_like of bool
        True for cells of the phase, in any dimension.
    periodic : bool
        Whether the array is periodic. A path then counts if it arrives, one period further, at the cell where it began,
        because only such a path conducts through the periodic structure.

    Returns
    -------
    tuple of bool
        One value for each array axis.

    Raises
    ------
    InputError
        If the array is not of booleans, or has no axes.

    Examples
    --------
    >>> percolates(np.array([[True, True, False], [False, True, True]]))
    (True, True)
    >>> percolates(np.array([[True, True, False], [False, True, True]]), periodic=True)
    (True, False)
    """
    cells = _checked(conductor)
    if periodic:
        labels, _ = ndimage.label(cells)
        faces = [(labels.take(-1, axis), labels.take(0, axis)) for axis in range(cells.ndim)]
        return tuple(winds(faces, axis) for axis in range(cells.ndim))
    return tuple(bool(spanning_cells(cells, axis).any()) for axis in range(cells.ndim))


def spanning_cells(conductor: ArrayLike, axis: int) -> NDArray[np.bool_]:
    """Find the cells that are connected to both faces of an axis.

    Parameters
    ----------
    conductor : array_like of bool
        True for cells of the phase.
    axis : int
        Array axis.

    Returns
    -------
    ndarray of bool
        True for connected cells, same shape; False for isolated clusters and those that reach only one face.

    Raises
    ------
    InputError
        If the array is not of booleans, or has no axes.

    Examples
    --------
    >>> spanning_cells(np.array([[1, 0, 1], [1, 0, 0]], dtype=bool), axis=0).astype(int)
    array([[1, 0, 0],
           [1, 0, 0]])
    """
    labels, count = ndimage.label(_checked(conductor))
    both = np.zeros(count + 1, dtype=bool)
    both[np.intersect1d(labels.take(0, axis), labels.take(-1, axis))] = True
    both[0] = False
    spanning: NDArray[np.bool_] = both[labels]
    return spanning


def _checked(conductor: ArrayLike) -> NDArray[np.bool_]:
    cells = np.asarray(conductor)
    if cells.dtype != np.bool_ or cells.ndim == 0:
        raise InputError(
            f"percolation needs an array of booleans, found {cells.dtype} of shape {cells.shape}; compare the labels "
            "with the phase."
        )
    return cells


def winds(faces: Sequence[tuple[NDArray[np.int32], NDArray[np.int32]]], axis: int) -> bool:
    """Determine whether a closed path through clusters and the faces of a periodic cell winds around an axis.

    Parameters
    ----------
    faces : sequence of (ndarray, ndarray)
        For each axis, the numbers of the clusters at the last and at the first face across it; 0 is in none.
    axis : int
        The axis.

    Returns
    -------
    bool
        Whether one does.

    Examples
    --------
    >>> row, column = np.array([1], dtype=np.int32), np.array([0, 1], dtype=np.int32)
    >>> winds([(column, column), (row, 0 * row)], 0), winds([(column, column), (row, 0 * row)], 1)
    (True, False)
    """
    neighbours: dict[int, set[tuple[int, int]]] = defaultdict(set)
    for wrapped, ends in enumerate(faces):
        pairs = np.stack([end.ravel() for end in ends], 1)
        turns = int(wrapped == axis)
        for a, b in np.unique(pairs[(pairs > 0).all(1)], axis=0).tolist():
            neighbours[a].add((b, turns))
            neighbours[b].add((a, -turns))
    turns_to: dict[int, int] = {}
    for root in neighbours:
        waiting = [] if root in turns_to else [root]
        turns_to.setdefault(root, 0)
        while waiting:
            here = waiting.pop()
            for there, turns in neighbours[here]:
                if there not in turns_to:
                    turns_to[there] = turns_to[here] + turns
                    waiting.append(there)
                elif turns_to[there] != turns_to[here] + turns:
                    return True
    return False
