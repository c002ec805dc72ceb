"""A phase given by number or by name."""

from __future__ import annotations

import numpy as np

from matlens.errors import InputError
from matlens.microstructure.structure import Microstructure

__all__ = ["listed_phases", "phase_index"]


def phase_index(microstructure: Microstructure, phase: int | str) -> int:
    """Return the label of a phase given by number or name.

    Parameters
    ----------
    microstructure : Microstructure
        The structure.
    phase : int or str
        Number or name of the phase.

    Returns
    -------
    int
        Label of the phase.

    Raises
    ------
    InputError
        If the phase does not exist; the message lists the phases.

    Examples
    --------
    >>> phase_index(Microstructure([[0, 1]], phase_names=["pore", "solid"]), "solid")
    1
    """
    if isinstance(phase, str) and phase in microstructure.phase_names:
        return microstructure.phase_names.index(phase)
    number = int(phase) if isinstance(phase, str) and phase.isdecimal() else phase
    if isinstance(number, int | np.integer) and not isinstance(number, bool) and 0 <= number < microstructure.n_phases:
        return int(number)
    raise InputError(f"phase {phase!r} does not exist; the microstructure has {listed_phases(microstructure)}.")


def listed_phases(microstructure: Microstructure) -> str:
    """List the phases by number and name, for a message.

    Parameters
    ----------
    microstructure : Microstructure
        The structure.

    Returns
    -------
    str
        The list.

    Examples
    --------
    >>> listed_phases(Microstructure([[0, 1]], phase_names=["pore", "solid"]))
    'phases 0 (pore), 1 (solid)'
    """
    return "phases " + ", ".join(f"{k} ({name})" for k, name in enumerate(microstructure.phase_names))
