"""Sensitivity of a predicted property to each pixel of a structure, and its agreement with physics."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
import torch
from numpy.typing import ArrayLike, NDArray

from matlens.core.display import Shown
from matlens.errors import InputError
from matlens.hooks import Progress, Silent
from matlens.microstructure.properties.data_sets.structure_set import StructureSet
from matlens.microstructure.properties.data_sets.symmetry import component
from matlens.microstructure.properties.differentiable import predicted_property, property_gradient
from matlens.microstructure.properties.features import phase_indicators
from matlens.microstructure.properties.model import StructurePropertyModel
from matlens.microstructure.properties.sensitivity.flips import (
    Conduction,
    draw_flips,
    flip_effects,
    interface,
    linearised_map,
    toggled,
    towards,
)
from matlens.microstructure.properties.sensitivity.scores import score_flips

__all__ = [
    "SensitivityStudy",
    "conduction_of",
    "difference_map",
    "sensitivity_map",
    "sensitivity_scores",
    "study_sensitivity",
]

Array = NDArray[np.float64]
_PIXELS = 2**17  # of one batch of flipped structures


@dataclass(frozen=True, eq=False, repr=False)
class SensitivityStudy(Shown):
    """Sensitivities of a model and of the solved property to the pixels of structures.

    Parameters
    ----------
    gradient : ndarray, shape (n, \\*space)
        Derivative of the prediction with respect to each pixel's share of phase 1, in the target's unit.
    linearised : ndarray, shape (n, \\*space)
        The same derivative of the solved property.
    flips : DataFrame
        One row per flip (or swap of two pixels): ``structure``, ``move`` ("0 to 1", "1 to 0", "swap"), ``place`` and,
        for swaps, ``partner`` (flat indices), and the change of the property: solved (``truth``), by the model's
        ``gradient``, by the ``difference`` of the model's two predictions, and ``linearised``.
    values : DataFrame
        One row per structure: ``structure``, ``solved`` and ``predicted`` property.

    Examples
    --------
    >>> one = np.zeros((1, 4, 4))
    >>> SensitivityStudy(one, one, pd.DataFrame(), pd.DataFrame({"structure": ["a"]})).gradient.shape
    (1, 4, 4)
    """

    gradient: Array
    linearised: Array
    flips: pd.DataFrame
    values: pd.DataFrame

    def __repr__(self) -> str:
        return f"SensitivityStudy({len(self.values)} structures, {len(self.flips)} flips and swaps)"


def sensitivity_map(
    model: StructurePropertyModel, structures: StructureSet | ArrayLike, progress: Progress | None = None
) -> Array:
    """Compute the derivative of a model's prediction with respect to each pixel's share of phase 1.

    Parameters
    ----------
    model : StructurePropertyModel
        Fitted to structures of two phases, with any head but trees.
    structures : StructureSet or array_like of int, shape (n, \\*space)
        As for ``model.predict``.
    progress : Progress, optional
        Called with structures done and total.

    Returns
    -------
    ndarray, shape (n, \\*space)
        First-order change of the predicted property, in the target's unit, when a pixel turns from phase 0 to phase 1;
        it includes the effect of the volume fraction.

    Raises
    ------
    InputError
        If there are more than two phases, or the model has no gradient.

    Examples
    --------
    >>> labels = (np.arange(16).reshape(1, 4, 4) < np.arange(2, 14)[:, None, None]).astype(np.uint8)
    >>> model = StructurePropertyModel(features="volume-fraction", head="ridge", scale="linear")
    >>> model = model.fit(labels, 3 * labels.mean((1, 2)))
    >>> sensitivity_map(model, labels[:1])[0, 0].round(3).tolist()  # three sixteenths
    [0.187, 0.187, 0.187, 0.187]
    """
    if model.phases_ != 2:
        raise InputError(
            f"maps are of models of two phases, found {model.phases_}; property_gradient gives one map a phase."
        )
    gradient = property_gradient(model, structures, progress)
    result: Array = gradient[:, 1] - gradient[:, 0]
    return result


def difference_map(model: StructurePropertyModel, labels: NDArray[np.uint8]) -> Array:
    """Predict the effect of flipping each interface pixel; slower than the gradient, and usually more accurate.

    Parameters
    ----------
    model : StructurePropertyModel
        Fitted to structures of two phases, with any head but trees.
    labels : ndarray of uint8, shape (\\*space)
        One structure.

    Returns
    -------
    ndarray, shape (\\*space)
        Change of the prediction when the pixel becomes phase 1; for pixels of phase 1, the negative of the change when
        they become phase 0. NaN off the interface.

    Raises
    ------
    InputError
        If the model has no differentiable prediction.

    Examples
    --------
    >>> labels = (np.arange(16).reshape(1, 4, 4) < np.arange(2, 14)[:, None, None]).astype(np.uint8)
    >>> model = StructurePropertyModel(features="volume-fraction", head="ridge", scale="linear")
    >>> model = model.fit(labels, 3 * labels.mean((1, 2)))
    >>> difference_map(model, labels[0])[0].round(3).tolist()
    [0.187, 0.187, 0.187, nan]
    """
    places = np.flatnonzero(interface(labels, periodic=model.periodic_))
    found = np.full(labels.size, np.nan)
    found[places] = _differences(model, labels, places)[1] * towards(labels, places)
    return found.reshape(labels.shape)


def conduction_of(model: StructurePropertyModel, phase_values: Sequence[float] | None = None) -> Conduction:
    """Return the conduction problem whose solution a model has learned.

    Parameters
    ----------
    model : StructurePropertyModel
        Fitted model; its target is named as a component of a conductivity: ``k_00``, ``k_11_c50``.
    phase_values : sequence of float, optional
        Conductivity of each phase; by default the model's own.

    Returns
    -------
    Conduction
        Conduction problem.

    Raises
    ------
    InputError
        If the target is another property, or the phases' values are not known.

    Examples
    --------
    >>> labels = (np.arange(16).reshape(1, 4, 4) < np.arange(2, 14)[:, None, None]).astype(np.uint8)
    >>> model = StructurePropertyModel(features="volume-fraction", head="ridge", phase_values=(1, 9))
    >>> conduction_of(model.fit(labels, {"k_00": 1 + 8 * labels.mean((1, 2))}, target="k_00")).phase_values
    (1.0, 9.0)
    """
    place = component(model.target_)
    if place is None or not re.match(r"k_\d\d", model.target_):
        raise InputError(
            f"the truth of single pixels is solved for components of conductivity (k_00, k_11, ...), and this model "
            f"predicts {model.target_}; only its own map can be drawn."
        )
    given = phase_values if phase_values is not None else model.phase_values
    if given is None:
        raise InputError(
            "the conductivity of each phase is not known to this model; give phase_values, e.g. (1, 50) "
            "(--conductivity 0=1,1=50)."
        )
    return Conduction(tuple(map(float, given)), place, tuple(model.spacing_), bool(model.periodic_))


def study_sensitivity(
    model: StructurePropertyModel,
    structures: StructureSet | ArrayLike,
    *,
    phase_values: Sequence[float] | None = None,
    flips_per_structure: int = 40,
    seed: int = 0,
    progress: Progress | None = None,
) -> SensitivityStudy:
    """Flip interface pixels of structures one at a time, and compare the model's predictions with the solved changes.

    Parameters
    ----------
    model : StructurePropertyModel
        Fitted to a component of conductivity of two phases.
    structures : StructureSet or array_like of int, shape (n, \\*space)
        Structures, preferably not those the model was trained on.
    phase_values : sequence of float, optional
        Conductivity of each phase; by default the model's own.
    flips_per_structure : int
        Number of pixels to flip, half from each phase. Then as many pairs as there are pixels of one phase are swapped,
        which keeps the volume fraction.
    seed : int
        Seed of the choice of pixels.
    progress : Progress, optional
        Called with structures done and total.

    Returns
    -------
    SensitivityStudy
        Maps, flips and values.

    Raises
    ------
    InputError
        If the target is no component of a conductivity, the phases' values are not known, or the head is made of trees.

    Examples
    --------
    >>> from matlens.microstructure.problems import gaussian_field
    >>> labels = np.stack([gaussian_field((16, 16), 3.0, fraction=0.3 + i / 50, seed=i).labels for i in range(12)])
    >>> k = {"k_00": np.exp(3 * labels.mean((1, 2)))}
    >>> model = StructurePropertyModel(features="volume-fraction", phase_values=(1, 20)).fit(labels, k, target="k_00")
    >>> study = study_sensitivity(model, labels[:2], flips_per_structure=6)
    >>> study.flips.groupby("move").size().to_dict()
    {'0 to 1': 6, '1 to 0': 6, 'swap': 6}
    """
    conduction = conduction_of(model, phase_values)
    gradient = sensitivity_map(model, structures, progress)
    data = structures if isinstance(structures, StructureSet) else StructureSet.from_arrays(np.asarray(structures))
    linear = linearised_map(data.labels, conduction)
    progress = progress or Silent()
    progress.begin(len(data), "flips")
    tables, values = [], []
    for row, labels in enumerate(data.labels):
        pixels = draw_flips(labels, flips_per_structure, periodic=conduction.periodic, seed=(seed, row))
        moves = _moves(pixels)
        value, truth = flip_effects(labels, moves, conduction)
        predicted, difference = _differences(model, labels, moves)
        found = pd.DataFrame(
            {"structure": str(data.names[row]), "move": _names(len(pixels) // 2), "place": moves[:, 0]}
        )
        found["partner"] = np.where(found["move"] == "swap", moves[:, 1], -1)
        found["truth"], found["difference"] = truth, difference
        found["gradient"], found["linearised"] = (_first_order(m[row], labels, moves) for m in (gradient, linear))
        tables.append(found)
        values.append({"structure": str(data.names[row]), "solved": value, "predicted": predicted})
        progress.update(row + 1, "structures")
    progress.end()
    return SensitivityStudy(gradient, linear, pd.concat(tables, ignore_index=True), pd.DataFrame(values))


def sensitivity_scores(
    model: StructurePropertyModel,
    structures: StructureSet | ArrayLike,
    *,
    phase_values: Sequence[float] | None = None,
    flips_per_structure: int = 40,
    seed: int = 0,
    progress: Progress | None = None,
) -> pd.DataFrame:
    """Score a model's sensitivity maps against solved flips.

    Parameters
    ----------
    model, structures, phase_values, flips_per_structure, seed, progress
        As in `study_sensitivity`.

    Returns
    -------
    DataFrame
        Result of `matlens.microstructure.properties.score_flips`: one row per structure, kind of flip and map.

    Raises
    ------
    InputError
        As in `study_sensitivity`.

    Examples
    --------
    >>> from matlens.microstructure.problems import gaussian_field
    >>> labels = np.stack([gaussian_field((16, 16), 3.0, fraction=0.3 + i / 50, seed=i).labels for i in range(12)])
    >>> k = {"k_00": np.exp(3 * labels.mean((1, 2)))}
    >>> model = StructurePropertyModel(features="two-point", phase_values=(1, 20)).fit(labels, k, target="k_00")
    >>> scores = sensitivity_scores(model, labels[:2], flips_per_structure=8)
    >>> sorted(set(scores["map"]))
    ['difference', 'gradient', 'linearised', 'phase']
    """
    study = study_sensitivity(
        model,
        structures,
        phase_values=phase_values,
        flips_per_structure=flips_per_structure,
        seed=seed,
        progress=progress,
    )
    return score_flips(study.flips)


def _moves(pixels: NDArray[np.intp]) -> NDArray[np.intp]:
    """List the pixels to exchange together, shape (m, 2): each alone, then pairs with one of each phase.

    A pixel alone stands twice in its row; the exchange is an assignment, so that it changes once.
    """
    half = len(pixels) // 2
    alone = np.stack([pixels, pixels], 1)
    # A pair of neighbours in the list is no pair in space: each half is sorted by place, one is turned half round.
    pairs = np.stack([pixels[:half], np.roll(pixels[half:], half // 2)], 1)
    return np.concatenate([alone, pairs])


def _names(half: int) -> list[str]:
    return ["0 to 1"] * half + ["1 to 0"] * half + ["swap"] * half


def _first_order(gradient: Array, labels: NDArray[np.uint8], moves: NDArray[np.intp]) -> Array:
    change = gradient.ravel()[moves] * towards(labels, moves)
    found: Array = np.where(moves[:, 0] == moves[:, 1], change[:, 0], change.sum(1))
    return found


@torch.no_grad()
def _differences(
    model: StructurePropertyModel, labels: NDArray[np.uint8], moves: NDArray[np.intp]
) -> tuple[float, Array]:
    """Predict a structure and its change by each move; these features are not cached."""
    many = np.concatenate([labels[None], toggled(labels, moves)])
    step = max(1, _PIXELS // labels.size)
    parts = [phase_indicators(many[i : i + step], model.phases_).double() for i in range(0, len(many), step)]
    found = torch.cat([predicted_property(model, part).cpu() for part in parts]).numpy()
    return float(found[0]), found[1:] - found[0]
