"""The result of a reconstruction."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from matlens.core.display import Shown
from matlens.microstructure.structure import Microstructure

__all__ = ["Reconstruction", "realisation_key"]


@dataclass(frozen=True)
class Reconstruction(Shown):
    """Realisations, with settings and history.

    Attributes
    ----------
    microstructures : tuple of Microstructure
        The realisations, periodic if the shape allows it.
    history : DataFrame
        One row per iteration: realisation, level, evaluation, total, and the weighted mismatch of every term.
    fraction_before, fraction_after : ndarray, shape (n, K)
        Volume fractions of the nearest phases before decoding, and of the result.
    settings : dict of str to object
        Every setting with its resolved value, of plain types.
    notes : tuple of str
        Remarks, one sentence each: layers with reflected borders or left out, sizes that were cropped.
    status : tuple of str
        Reason why each realisation stopped.
    evaluations : tuple of int
        Number of evaluations of loss and gradient of each realisation.
    seconds : tuple of float
        Wall time of each realisation; NaN if an earlier run finished it.
    numbers : tuple of int
        Number of each realisation, from 0; one that failed is missing.

    Examples
    --------
    >>> from matlens.microstructure.problems import bicontinuous
    >>> from matlens.microstructure.reconstruction import reconstruct
    >>> result = reconstruct(bicontinuous((32, 32), seed=1), (24, 24), method="gaussian-field", n=2)
    >>> len(result.microstructures), result.fraction_after.shape, result.status
    (2, (2, 2), ('drawn', 'drawn'))
    >>> result
    Reconstruction(2 of Microstructure(24 x 24, 2 phases, 1 px, periodic); gaussian-field)
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
    numbers: tuple[int, ...]

    @property
    def microstructure(self) -> Microstructure:
        """The first realisation."""
        return self.microstructures[0]

    def __repr__(self) -> str:
        first = repr(self.microstructures[0]) if self.microstructures else "nothing yet"
        return f"Reconstruction({len(self.microstructures)} of {first}; {self._how()})"

    def _how(self) -> str:
        known = [str(self.settings[name]) for name in ("method", "encoder") if self.settings.get(name)]
        return ", ".join(known)


def realisation_key(index: int) -> str:
    """Return the key of a realisation in a state store.

    Parameters
    ----------
    index : int
        Number of the realisation, from 0.

    Returns
    -------
    str
        Key, and name of the realisation's files without extension.

    Examples
    --------
    >>> realisation_key(0)
    'realisation_0'
    """
    return f"realisation_{index}"
