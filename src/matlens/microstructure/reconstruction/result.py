"""What a reconstruction returns."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from matlens.microstructure.structure import Microstructure

__all__ = ["Reconstruction", "realisation_key"]


@dataclass(frozen=True)
class Reconstruction:
    """Realisations and how they came about.

    Attributes
    ----------
    microstructures : tuple of Microstructure
        The realisations, periodic where the asked shape allows it.
    history : DataFrame
        One row an iteration: realisation, level, evaluation, total, and the weighted mismatch of every term.
    fraction_before, fraction_after : ndarray
        Volume fractions (realisation, phase) of the nearest phases before decoding, and of the result.
    settings : dict
        Every choice as it was resolved, of plain types.
    notes : tuple of str
        What a reader should know: layers taken with reflected borders or dropped, sizes cropped.
    status : tuple of str
        Why each realisation stopped.
    evaluations : tuple of int
        Evaluations of loss and gradient, each realisation.
    seconds : tuple of float
        Wall time of each realisation; NaN where it was finished by an earlier run.
    """

    microstructures: tuple[Microstructure, ...]
    history: pd.DataFrame
    fraction_before: NDArray[np.float64]
    fraction_after: NDArray[np.float64]
    settings: dict[str, Any]
    notes: tuple[str, ...]
    status: tuple[str, ...]
    evaluations: tuple[int, ...]
    seconds: tuple[float, ...]

    @property
    def microstructure(self) -> Microstructure:
        """The first realisation."""
        return self.microstructures[0]

    def __repr__(self) -> str:
        first = repr(self.microstructures[0]) if self.microstructures else "nothing yet"
        return f"Reconstruction({len(self.microstructures)} of {first}; {self.settings.get('encoder', '')})"


def realisation_key(index: int) -> str:
    """Return the key of a realisation in a state store.

    Parameters
    ----------
    index : int
        Number of the realisation, from 0.

    Returns
    -------
    str
        Also the stem of its files.

    Examples
    --------
    >>> realisation_key(0)
    'realisation_0'
    """
    return f"realisation_{index}"
