"""Symmetry of property tensors: exchanging the axes of a structure exchanges those of its tensor.

The measured tensor of one structure therefore labels the structure in every order of its axes.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import permutations

import numpy as np
from numpy.typing import NDArray

__all__ = ["View", "component", "views"]

_COMPONENT = re.compile(r"(?P<quantity>.+)_(?P<row>\d)(?P<column>\d)(?P<rest>(_.*)?)")


@dataclass(frozen=True)
class View:
    """Structure with its axes in another order, and the target that holds its property.

    Attributes
    ----------
    axes : tuple of int
        Order of the axes of one structure.
    column : str
        Target of the structure in this order.

    Examples
    --------
    >>> View((1, 0), "k_11").see(np.array([[[0, 1]]], dtype=np.uint8)).tolist()
    [[[0], [1]]]
    """

    axes: tuple[int, ...]
    column: str

    def see(self, labels: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Return structures with the axes in this order.

        Parameters
        ----------
        labels : ndarray of uint8, shape (n, *space)
            Phase labels.

        Returns
        -------
        ndarray of uint8, shape (n, *space')
            Phase labels with exchanged axes.
        """
        return np.ascontiguousarray(labels.transpose(0, *(axis + 1 for axis in self.axes)))


def component(target: str) -> tuple[int, int] | None:
    """Read row and column of a tensor component from the name of a target.

    Parameters
    ----------
    target : str
        Name of a target, e.g. ``"k_01_c50"``.

    Returns
    -------
    (int, int) or None
        Row and column; None for a scalar.

    Examples
    --------
    >>> component("k_01_c50"), component("hardness")
    ((0, 1), None)
    """
    found = _COMPONENT.fullmatch(target)
    return (int(found["row"]), int(found["column"])) if found else None


def views(target: str, available: Sequence[str], ndim: int) -> list[View]:
    """List the orders of the axes under which another target holds the property; the first is the structure itself.

    Parameters
    ----------
    target : str
        Name of a target: ``k_00_c50`` is a component of a second-order tensor, ``C_01`` of a stiffness in Voigt
        notation (in 2-D 00, 11, 01; index 2 is the shear). A name without two digits is a scalar, for which no symmetry
        is assumed.
    available : sequence of str
        Targets with values.
    ndim : int
        Number of axes of a structure.

    Returns
    -------
    list of View
        Views whose target is available. In 3-D the axes are permuted cyclically, and for stiffnesses only the structure
        itself is used.

    Examples
    --------
    >>> [(view.axes, view.column) for view in views("k_00_c50", ["k_00_c50", "k_11_c50"], ndim=2)]
    [((0, 1), 'k_00_c50'), ((1, 0), 'k_11_c50')]
    >>> len(views("hardness", ["hardness"], ndim=2))
    1
    """
    itself = tuple(range(ndim))
    found = _COMPONENT.fullmatch(target)
    if found is None or (found["quantity"] == "C" and ndim == 3):
        return [View(itself, target)]
    seen = []
    turned = [tuple((axis + turn) % 3 for axis in itself) for turn in range(3)]
    for axes in permutations(itself) if ndim == 2 else turned:
        order = (*axes, 2) if found["quantity"] == "C" else axes  # the shear of two axes stays their shear
        places = (int(found["row"]), int(found["column"]))
        if max(places) >= len(order):
            return [View(itself, target)]
        # Axis i of the view is axis axes[i] of the structure.
        row, column = sorted(order[place] for place in places)
        name = f"{found['quantity']}_{row}{column}{found['rest']}"
        if name in available or axes == itself:
            seen.append(View(axes, name))
    return seen
