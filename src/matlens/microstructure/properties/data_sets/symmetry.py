"""Symmetry is free data: exchange the axes of a structure and its property tensor is exchanged with them.

A measured tensor of one structure therefore labels as many structures as its axes have orders.
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
    """A structure with its axes in another order, and where its property then stands.

    Attributes
    ----------
    axes : tuple of int
        Order of the axes; those of a batch of structures ``n x *space`` without the first.
    column : str
        The target that the structure seen this way has.
    """

    axes: tuple[int, ...]
    column: str

    def see(self, labels: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Structures of shape (n, *space) with the axes in this order."""
        return np.ascontiguousarray(labels.transpose(0, *(axis + 1 for axis in self.axes)))


def component(target: str) -> tuple[int, int] | None:
    """Row and column that a target's name tells, None for a scalar.

    Examples
    --------
    >>> component("k_01_c50"), component("hardness")
    ((0, 1), None)
    """
    found = _COMPONENT.fullmatch(target)
    return (int(found["row"]), int(found["column"])) if found else None


def views(target: str, available: Sequence[str], ndim: int) -> list[View]:
    """Orders of the axes under which another column holds what ``target`` would be; the first is the structure itself.

    Parameters
    ----------
    target : str
        Name of a target: ``k_00_c50`` is a component of a second-order tensor, ``C_01`` of a stiffness in Voigt's
        notation (in 2-D: 00, 11, 01; its index 2 is the shear). A name without two digits is a scalar, of which
        nothing is assumed.
    available : sequence of str
        Columns with values.
    ndim : int
        Axes of a structure.

    Returns
    -------
    list of View
        Views that ask for a column that is not available are left out. In 3-D the axes are turned cyclically, and of
        stiffnesses only the structure itself is used.

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
