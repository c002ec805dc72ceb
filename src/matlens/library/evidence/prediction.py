"""Support of predictions by measured samples nearby, judged from the data alone."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from matlens.core.nearness import Nearness
from matlens.library.gradients import component_pairs, farness, neighbourhood_support
from matlens.library.model import Response
from matlens.library.table import PRESENT, MaterialsLibrary

__all__ = ["prediction_support"]

Array = NDArray[np.float64]
# docs/decisions/0037-marks-of-support.md
_USUAL = 0.95  # share of measured samples with another composition within the usual distance
_FAR = 3.0  # times the usual distance, up to which support is weak
_TRACE = 1e-9


@dataclass(frozen=True, eq=False)
class _Distances:
    """Distances of spectra to the nearest measured one, with the usual distance between those of compositions."""

    distance: Array
    usual: float

    @classmethod
    def from_arrays(cls, places: Array, measured: Array, groups: NDArray[np.intp]) -> _Distances:
        known = Nearness.fit(measured, groups, share=_USUAL)
        return cls(known.nearest(places)[0], known.reach if np.isfinite(known.reach) else 0.0)

    @property
    def levels(self) -> NDArray[np.int8]:
        near, far = (self.distance <= times * self.usual + _TRACE for times in (1.0, _FAR))
        return np.select([near, far], [2, 1], 0).astype(np.int8)


def prediction_support(model: Response, measured: MaterialsLibrary, library: MaterialsLibrary) -> pd.DataFrame:
    """Judge how well measured samples support predictions for other samples.

    The judgement uses the training data, not the predictions. Compositions are judged by what was measured around them
    (`neighbourhood_support`), preprocessed spectra by their distance from the nearest measured one: support is full
    within the distance in which 95 % of the measured samples have the spectrum of another composition, and weak up to
    three times that. Prediction intervals were calibrated on left-out measured compositions and are therefore valid for
    supported samples.

    Parameters
    ----------
    model : Response
        Fitted model; its inputs and its preprocessing of spectra are used.
    measured : MaterialsLibrary
        Training samples of the model.
    library : MaterialsLibrary
        Samples to predict, with the same components in the same order and spectra on the same axis.

    Returns
    -------
    DataFrame
        One row per sample: ``support`` (2 supported, 1 weak, 0 unsupported), ``nearest`` (id of the measured sample of
        the nearest composition), ``distance`` (hundredths of the atoms that must be exchanged to reach it),
        ``question`` ("interpolation" among measured compositions, "new region" away from them, or "new system" of
        components that were never measured together) and ``note`` (reasons against support).

    Examples
    --------
    >>> from matlens.library.baselines import BaselineModel
    >>> a = np.linspace(0, 0.5, 26)
    >>> measured = MaterialsLibrary(np.stack([a, 1 - a, 0 * a], 1), ("Fe", "Ga", "Pd"), {"P": a})
    >>> asked = MaterialsLibrary([[0.21, 0.79, 0], [0.55, 0.45, 0], [0.2, 0.7, 0.1]], ("Fe", "Ga", "Pd"), {})
    >>> found = prediction_support(BaselineModel("ridge").fit(measured), measured, asked)
    >>> found["support"].tolist(), found["distance"].tolist()
    ([2, 0, 0], [1.0, 5.0, 10.0])
    >>> found["question"].tolist()
    ['interpolation', 'new region', 'new system']
    >>> found["note"][2]
    'nothing was measured with Pd; 10 at% from the nearest measured composition (neighbours there are 2 apart)'
    """
    groups, found = measured.replicates(), neighbourhood_support(library.compositions, measured)
    levels = np.full(len(library), 2, np.int8)
    notes: list[list[str]] = [[] for _ in range(len(library))]
    if model.uses_composition_:
        levels, notes = found.flags.copy(), [list(against) for against in found.against]
    if model.uses_spectrum_ and library.spectra is not None and measured.spectra is not None:
        spectra = _spectra(model, library, measured, groups)
        levels = np.minimum(levels, spectra.levels)
        for row in np.flatnonzero(spectra.levels < 2).tolist():
            times = spectra.distance[row] / max(spectra.usual, 1e-300)
            notes[row].append(f"its spectrum is {times:.2g} times as far from the nearest measured one as is usual")
    return pd.DataFrame(
        {
            "support": levels,
            "nearest": [measured.samples[row] for row in found.nearest],
            "distance": (100 * found.distance).round(6),
            "question": _questions(library, measured),
            "note": ["; ".join(each) for each in notes],
        }
    )


def _questions(library: MaterialsLibrary, measured: MaterialsLibrary) -> list[str]:
    """What each prediction answers: errors differ between these, and are calibrated each by themselves."""
    _, first = np.unique(measured.replicates(), return_index=True)
    points = measured.compositions[first]
    never = component_pairs(points) == 0
    held = np.asarray(library.compositions > PRESENT)
    new = np.einsum("nj,jk,nk->n", held.astype(float), never.astype(float), held.astype(float)) > 0
    away = farness(library.compositions, points) > 0
    return ["new system" if one else "new region" if far else "interpolation" for one, far in zip(new, away)]


def _spectra(
    model: Response, library: MaterialsLibrary, measured: MaterialsLibrary, groups: NDArray[np.intp]
) -> _Distances:
    """Distances between preprocessed spectra."""
    chain = model.preprocessing_
    here, there = (
        one.spectra if chain is None else chain.transform(one.spectra, model.axis_)[0] for one in (library, measured)
    )
    return _Distances.from_arrays(np.asarray(here), np.asarray(there), groups)
