"""Phase exchange in two dimensions: a conductivity tensor determines that of the structure with exchanged phases."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pandas as pd

from matlens.microstructure.properties.data_sets.structure_set import StructureSet, join_structures
from matlens.microstructure.properties.data_sets.symmetry import component

__all__ = ["with_exchanged_phases"]


def with_exchanged_phases(data: StructureSet, target: str, phase_values: Sequence[float] | None) -> StructureSet:
    """Add every structure with its two phases exchanged if its conductivity follows from Keller's relation.

    Parameters
    ----------
    data : StructureSet
        Structures with targets; periodic, as the relation does not hold for the apparent conductivity of a window.
    target : str
        A diagonal component of a conductivity, ``k_00...``; the set must hold ``k_00``, ``k_11`` and ``k_01`` with the
        same ending. For any other target the set is returned unchanged.
    phase_values : sequence of float, optional
        Conductivities of the two phases, both positive; by default, the set is returned unchanged.

    Returns
    -------
    StructureSet
        The structures, followed by those with exchanged phases in the same groups.

    Notes
    -----
    In two dimensions K' = k_1 k_2 K / det K (Keller, J. Math. Phys. 5, 548 (1964); Mendelson, J. Appl. Phys. 46, 917
    (1975)). On a pixel grid it holds up to the error of discretisation.

    Examples
    --------
    >>> layers = np.repeat([0, 0, 0, 1], 4).reshape(1, 4, 4)  # one in four conducts 3, the others 1
    >>> k = pd.DataFrame({"k_00": [1.2], "k_11": [1.5], "k_01": [0.0]})
    >>> data = StructureSet.from_arrays(layers, targets=k, periodic=True)
    >>> with_exchanged_phases(data, "k_00", (1, 3)).targets["k_00"].tolist()
    [1.2, 2.0]
    """
    place = component(target)
    if place is None or place[0] != place[1] or not target.startswith("k_") or len(phase_values or ()) != 2:
        return data
    if min(phase_values or ()) <= 0:  # the twin's conductivity would be zero or unknown
        return data
    ending = target.removeprefix(f"k_{place[0]}{place[1]}")
    names = [f"k_{index}{ending}" for index in ("00", "11", "01")]
    if (
        not data.periodic
        or len(data.shape) != 2
        or len(data.phase_names) != 2
        or not set(names) <= set(data.targets.columns)
    ):
        return data
    tensor = data.targets[names].astype(float)
    determinant = tensor[names[0]] * tensor[names[1]] - tensor[names[2]] ** 2
    exchanged = tensor.mul(float(np.prod(phase_values or ())) / determinant, axis=0)
    if not np.isfinite(exchanged.to_numpy()).all() or bool((determinant <= 0).any()):
        return data
    own = replace(data, targets=tensor, parameters=pd.DataFrame(index=range(len(data))))
    twins = replace(own, labels=(1 - data.labels).astype(np.uint8), targets=exchanged)
    return join_structures([own, twins])
