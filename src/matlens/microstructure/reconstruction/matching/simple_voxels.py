"""Simple voxels: those that can leave or join a phase without a change of its topology."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

__all__ = ["simple_voxels"]

_CENTRE = (slice(None), 1, 1, 1)
_FACES = ((0, 1, 1), (2, 1, 1), (1, 0, 1), (1, 2, 1), (1, 1, 0), (1, 1, 2))
_ENDS = slice(None, None, 2)  # the first and the last of three
_MANY = 200_000  # neighbourhoods that are labelled at a time: 20 MB


def simple_voxels(phase: NDArray[np.bool_], places: NDArray[np.intp]) -> NDArray[np.bool_]:
    """Find the voxels of a periodic volume that can change sides without joining, separating, piercing or closing.

    Parameters
    ----------
    phase : ndarray of bool, shape (D, H, W)
        Voxels of the phase.
    places : ndarray of int, shape (n,)
        Flat indices of the voxels in question, inside the phase or outside.

    Returns
    -------
    ndarray of bool, shape (n,)
        Whether each is simple, both if the phase connects over faces and its complement over corners, and the other
        way round.

    Notes
    -----
    A voxel is simple if the phase around it has one component, and so has the complement (Bertrand and Malandain,
    Pattern Recogn. Lett. 15, 169 (1994)): of 26 neighbours where corners connect, and of the 18 that share an edge
    where faces connect, counting the components that share a face with the voxel.

    Examples
    --------
    >>> bar = np.zeros((5, 5, 5), dtype=bool)
    >>> bar[2, 2, 1:4] = True
    >>> end, middle, side = (np.ravel_multi_index(at, bar.shape) for at in ((2, 2, 3), (2, 2, 2), (2, 3, 2)))
    >>> simple_voxels(bar, np.array([end, middle, side])).tolist()
    [True, False, True]
    """
    padded = np.pad(phase, 1, mode="wrap")
    around = np.lib.stride_tricks.sliding_window_view(padded, (3, 3, 3))
    found = np.empty(len(places), dtype=bool)
    for begun in range(0, len(places), _MANY):
        some = slice(begun, begun + _MANY)
        inside = around[np.unravel_index(places[some], phase.shape)]
        outside = ~inside
        inside[_CENTRE] = outside[_CENTRE] = False
        # The cheapest question comes first, and the next is asked of what is left.
        left = np.arange(len(inside))
        for count in (_over_faces, _over_corners):
            for side in (inside, outside):
                left = left[count(side[left]) == 1]
        found[some] = False
        found[begun + left] = True
    return found


def _over_corners(around: NDArray[np.bool_]) -> NDArray[np.intp]:
    """Count the components of 3 x 3 x 3 neighbourhoods, shape (n, 3, 3, 3), that connect over corners."""
    return _distinct(_labelled(around, 3).reshape(len(around), 27))


def _over_faces(around: NDArray[np.bool_]) -> NDArray[np.intp]:
    """Count the components that connect over faces, within the 18 neighbours, and share a face with the centre."""
    around = around.copy()
    around[:, _ENDS, _ENDS, _ENDS] = False
    labelled = _labelled(around, 1)
    return _distinct(np.stack([labelled[(slice(None), *face)] for face in _FACES], axis=1))


def _labelled(around: NDArray[np.bool_], connectivity: int) -> NDArray[np.int32]:
    structure = np.zeros((3, 3, 3, 3), dtype=bool)
    structure[1] = ndimage.generate_binary_structure(3, connectivity)  # neighbourhoods do not touch each other
    labelled: NDArray[np.int32] = ndimage.label(around, structure, output=np.int32)[0]
    return labelled


def _distinct(labels: NDArray[np.int32]) -> NDArray[np.intp]:
    """Count the different labels above 0 in each row."""
    ordered = np.sort(labels, axis=1)
    found: NDArray[np.intp] = np.count_nonzero(np.diff(ordered, axis=1, prepend=0) > 0, axis=1)
    return found
