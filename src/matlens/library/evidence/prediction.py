"""Support of predictions by measured samples nearby, judged from the data alone."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from matlens.core.nearness import Metric, Nearness
from matlens.library.gradients import ENOUGH_PAIRS, ENOUGH_SAMPLES, component_pairs
from matlens.library.model import Response
from matlens.library.table import PRESENT, MaterialsLibrary, named

__all__ = ["prediction_support"]

Array = NDArray[np.float64]
# docs/decisions/0037-marks-of-support.md
_USUAL = 0.95  # share of measured samples with another composition within the usual distance
_FAR = 3.0  # times the usual distance, up to which support is weak
_TRACE = 1e-9


@dataclass(frozen=True, eq=False)
class _Distances:
    """Distances of samples to the nearest measured one, with the usual distance between measured compositions."""

    distance: Array
    nearest: NDArray[np.intp]
    usual: float

    @classmethod
    def from_arrays(cls, places: Array, measured: Array, groups: NDArray[np.intp], metric: Metric) -> _Distances:
        known = Nearness.fit(measured, groups, share=_USUAL, metric=metric)
        return cls(*known.nearest(places), known.reach if np.isfinite(known.reach) else 0.0)

    @property
    def levels(self) -> NDArray[np.int8]:
        near, far = (self.distance <= times * self.usual + _TRACE for times in (1.0, _FAR))
        return np.select([near, far], [2, 1], 0).astype(np.int8)


def prediction_support(model: Response, measured: MaterialsLibrary, library: MaterialsLibrary) -> pd.DataFrame:
    """Judge how well measured samples support predictions for other samples.

    The judgement uses the training data, not the predictions. The usual distance is the one within which 95 % of the
    measured samples have another composition. A sample is supported if its composition and its preprocessed spectrum
    are within the usual distance of a measured one, and if enough compositions contain each of its components and pairs
    of components. Up to three times the usual distance, support is weak. Prediction intervals were calibrated on
    left-out measured compositions and are therefore valid for supported samples.

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
        the nearest composition), ``distance`` (hundredths of the atoms that must be exchanged to reach it) and ``note``
        (reasons against support).

    Examples
    --------
    >>> from matlens.library.baselines import BaselineModel
    >>> a = np.linspace(0, 0.5, 26)
    >>> measured = MaterialsLibrary(np.stack([a, 1 - a, 0 * a], 1), ("Fe", "Ga", "Pd"), {"P": a})
    >>> asked = MaterialsLibrary([[0.21, 0.79, 0], [0.55, 0.45, 0], [0.2, 0.7, 0.1]], ("Fe", "Ga", "Pd"), {})
    >>> found = prediction_support(BaselineModel("ridge").fit(measured), measured, asked)
    >>> found["support"].tolist(), found["distance"].tolist()
    ([2, 1, 0], [1.0, 5.0, 10.0])
    >>> found["note"][2]
    'nothing was measured with Pd; 10 at% from the nearest measured composition (usually 2 at most)'
    """
    groups = measured.replicates()
    compositions = _Distances.from_arrays(library.compositions, measured.compositions, groups, "cityblock")
    levels = np.full(len(library), 2, np.int8)
    notes: list[list[str]] = [[] for _ in range(len(library))]
    if model.uses_composition_:
        counted, rare = _counted(library, measured)
        far = compositions.levels
        levels = np.minimum(counted, far)
        for row, why in enumerate(rare):
            notes[row] += why
            if far[row] < 2:
                notes[row].append(
                    f"{50 * compositions.distance[row]:.3g} {library.fraction_name} from the nearest measured "
                    f"composition (usually {50 * compositions.usual:.2g} at most)"
                )
    if model.uses_spectrum_ and library.spectra is not None and measured.spectra is not None:
        spectra = _spectra(model, library, measured, groups)
        levels = np.minimum(levels, spectra.levels)
        for row in np.flatnonzero(spectra.levels < 2).tolist():
            times = spectra.distance[row] / max(spectra.usual, 1e-300)
            notes[row].append(f"its spectrum is {times:.2g} times as far from the nearest measured one as is usual")
    return pd.DataFrame(
        {
            "support": levels,
            "nearest": [measured.samples[row] for row in compositions.nearest],
            "distance": (50 * compositions.distance).round(6),
            "note": ["; ".join(each) for each in notes],
        }
    )


def _spectra(
    model: Response, library: MaterialsLibrary, measured: MaterialsLibrary, groups: NDArray[np.intp]
) -> _Distances:
    """Distances between preprocessed spectra."""
    chain = model.preprocessing_
    here, there = (
        one.spectra if chain is None else chain.transform(one.spectra, model.axis_)[0] for one in (library, measured)
    )
    return _Distances.from_arrays(np.asarray(here), np.asarray(there), groups, "euclidean")


def _counted(library: MaterialsLibrary, measured: MaterialsLibrary) -> tuple[NDArray[np.int8], list[list[str]]]:
    """Greatest level of support by the counts of components and pairs, shape (n,), and reasons in words."""
    _, first = np.unique(measured.replicates(), return_index=True)
    pairs = component_pairs(measured.compositions[first])
    names, levels, words = library.components, [], []
    for own in library.compositions > PRESENT:
        held = np.flatnonzero(own)
        counts = {names[k]: (int(pairs[k, k]), ENOUGH_SAMPLES) for k in held}
        both = combinations([k for k in held if pairs[k, k]], 2)
        counts |= {f"{names[a]}-{names[b]}": (int(pairs[a, b]), ENOUGH_PAIRS) for a, b in both}
        none = [name for name, (count, _) in counts.items() if not count]
        few = [name for name, (count, enough) in counts.items() if 0 < count < enough]
        levels.append(0 if none else 1 if few else 2)
        said = (("nothing was", none), ("little was", few))
        words.append([f"{how} measured with {named(which, 3)}" for how, which in said if which])
    return np.array(levels, np.int8), words
