"""Properties of phases, given by number or by name, in the order of the labels."""

from __future__ import annotations

from collections.abc import Mapping
from numbers import Real

import numpy as np
from numpy.typing import NDArray

from matlens.errors import InputError
from matlens.microstructure.phase_choice import listed_phases, phase_index
from matlens.microstructure.structure import Microstructure

__all__ = ["phase_index", "phase_values"]


def phase_values(
    microstructure: Microstructure,
    values: Mapping[int | str, float],
    what: str,
    *,
    limits: tuple[float, float] = (0.0, float("inf")),
) -> NDArray[np.float64]:
    """Return the values of a property in the order of the labels.

    Parameters
    ----------
    microstructure : Microstructure
        The structure.
    values : mapping of int or str to float
        Value of each phase, by number or name. Phases without cells may be left out.
    what : str
        Name of the property, for messages.
    limits : tuple of (float, float)
        Smallest and largest allowed value.

    Returns
    -------
    ndarray of float, shape (K,)
        NaN for phases that have neither cells nor a value.

    Raises
    ------
    InputError
        If a phase is unknown, given twice or missing, or a value is not a number within the limits.

    Examples
    --------
    >>> m = Microstructure([[0, 1]], phase_names=["pore", "solid"])
    >>> phase_values(m, {"solid": 2.5, 0: 0.0}, "conductivity")
    array([0. , 2.5])
    """
    result = np.full(microstructure.n_phases, np.nan)
    given: set[int] = set()
    for phase, value in values.items():
        index = phase_index(microstructure, phase)
        if index in given:
            raise InputError(f"{what} of phase {index} is given twice, by number and by name; give it once.")
        given.add(index)
        result[index] = _checked(value, phase, what, limits)
    missing = [k for k in np.flatnonzero(microstructure.volume_fractions) if int(k) not in given]
    if missing:
        names = " and ".join(f"{k} ({microstructure.phase_names[k]})" for k in missing)
        raise InputError(f"{what} of phase {names} is missing; the microstructure has {listed_phases(microstructure)}.")
    return result


def _checked(value: object, phase: int | str, what: str, limits: tuple[float, float]) -> float:
    low, high = limits
    if not isinstance(value, Real) or not np.isfinite(float(value)) or not low <= float(value) <= high:
        allowed = f"of {low:g} or more" if np.isinf(high) else f"between {low:g} and {high:g}"
        raise InputError(f"{what} of phase {phase} is {value!r}; give a finite number {allowed}.")
    return float(value)
