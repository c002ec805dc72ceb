"""What an ensemble must beat: ridge, partial least squares, random forest, kernel ridge, Gaussian process."""

from __future__ import annotations

from collections.abc import Callable, MutableMapping, Sequence
from copy import copy
from functools import partial
from typing import Any, Protocol, Self

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, RegressorMixin

from matlens.core.intervals import conformal_factor
from matlens.core.splits import draw_groups, grouped_folds
from matlens.errors import InputError
from matlens.hooks import Progress, Silent
from matlens.library.baselines.forest import Forest
from matlens.library.baselines.gaussian_process import Process
from matlens.library.baselines.kernel_ridge import KernelRidge
from matlens.library.baselines.linear import PartialLeastSquares, Ridge
from matlens.library.model import Gradients
from matlens.library.model.inputs import Blocks, Inputs
from matlens.library.model.preprocessing_choice import Choice, choose_preprocessing
from matlens.library.model.targets import learned_target, resolve_task
from matlens.library.spectra import Preprocessing
from matlens.library.table import MaterialsLibrary

__all__ = ["BASELINES", "BaselineModel", "Regressor"]

Array = NDArray[np.float64]
_FOLDS = 5
_ROWS_TO_CHOOSE = 400  # on which hyperparameters are chosen; more change the choice little


class Regressor(Protocol):
    """A regression on rows of numbers; x has a total variance of 1 a block, y has mean 0 and variance 1."""

    def fit(self, x: Array, y: Array) -> Any:
        """Learn ``y`` of shape (n,) from ``x`` of shape (n, F)."""

    def predict(self, x: Array) -> Array:
        """Return predictions, shape (n,)."""

    def gradient(self, x: Array) -> Array:
        """Return derivatives of the predictions, shape (n, F)."""

    def spread(self, x: Array) -> Array:
        """Return how far the truth may lie off, up to one factor, shape (n,)."""


def _ridge(blocks: Blocks, x: Array, y: Array, seed: int) -> Sequence[Regressor]:
    return Ridge.candidates(blocks)


def _pls(blocks: Blocks, x: Array, y: Array, seed: int) -> Sequence[Regressor]:
    return PartialLeastSquares.candidates(blocks)


def _forest(blocks: Blocks, x: Array, y: Array, seed: int) -> Sequence[Regressor]:
    return Forest.candidates(blocks, seed)


def _kernel_ridge(blocks: Blocks, x: Array, y: Array, seed: int) -> Sequence[Regressor]:
    return KernelRidge.candidates(blocks)


def _process(blocks: Blocks, x: Array, y: Array, seed: int) -> Sequence[Regressor]:
    return Process.candidates(blocks, x, y)


METHODS: dict[str, Callable[[Blocks, Array, Array, int], Sequence[Regressor]]] = {
    "ridge": _ridge,
    "pls": _pls,
    "random-forest": _forest,
    "kernel-ridge": _kernel_ridge,
    "gaussian-process": _process,
}


class BaselineModel(RegressorMixin, BaseEstimator):  # type: ignore[misc]
    """A classical regression behind the same interface as `LibraryModel`, gradients included.

    Hyperparameters (and the number of principal components of the spectrum) are those that predict compositions best
    that are held out within the training samples; the parameters of the Gaussian process's kernel are those of
    greatest evidence. Where a figure of merit is censored, held-out predictions beyond the limit take its place.

    Parameters
    ----------
    method : {"ridge", "pls", "random-forest", "kernel-ridge", "gaussian-process"}
        The regression.
    inputs : {"auto", "composition", "spectrum", "both"}
        What it sees; ``auto`` is all there is.
    preprocessing : Preprocessing, optional
        What is done to spectra first; ``Preprocessing()`` for nothing. Without, whichever of a few chains predicts
        held-out compositions best, as in the preset ``"default"`` of `LibraryModel`.
    transform : {"none", "log10"}
        Of the figure of merit; predictions and gradients are on its scale.
    seed : int
        Of folds and trees.
    cache : mutable mapping, optional
        Remembers which preprocessing was chosen for which samples; models that are compared share one.

    Attributes
    ----------
    chains_tried_ : dict
        R squared, on compositions held out, of a Gaussian process with each chain that was tried; empty where none was.

    Raises
    ------
    InputError
        If an option is not known, or (by `fit`) nothing can be learned from the library.

    Examples
    --------
    >>> a = np.linspace(0, 1, 21)
    >>> library = MaterialsLibrary(np.stack([a, 1 - a], 1), ("A", "B"), {"P": 3 * a})
    >>> model = BaselineModel("ridge").fit(library)
    >>> round(model.score(library), 3), model.gradients(library.compositions, None).composition[0, 0].round(2).tolist()
    (1.0, [1.5, -1.5])
    """

    members_ = 1

    def __init__(
        self,
        method: str = "gaussian-process",
        *,
        inputs: str = "auto",
        preprocessing: Preprocessing | None = None,
        transform: str = "none",
        seed: int = 0,
        cache: MutableMapping[str, Choice] | None = None,
    ) -> None:
        self.method = method
        self.inputs = inputs
        self.preprocessing = preprocessing
        self.transform = transform
        self.seed = seed
        self.cache = cache

    def fit(self, library: MaterialsLibrary, target: str | None = None, *, progress: Progress | None = None) -> Self:
        """Learn a figure of merit (without a name, the only one) from the samples that have it."""
        if self.method not in METHODS:
            raise InputError(f"baseline {self.method!r} is not known; choose one of {', '.join(METHODS)}.")
        (progress or Silent()).begin(3, f"baseline {self.method}")
        task = resolve_task(library, target, inputs=self.inputs, transform=self.transform)
        found, self.uses_composition_, self.uses_spectrum_ = task.target, task.composition, task.spectrum
        known = library.select(task.rows)
        self.library_, self.components_, self.target_, self.unit_ = library, library.components, found.name, found.unit
        values = found.values(known)
        self.preprocessing_ = self._chain(known, values)
        self.inputs_ = Inputs.standardised(known, self.uses_composition_, self.uses_spectrum_, self.preprocessing_)
        self.axis_ = self.inputs_.axis
        self.level_, self.scale_ = float(values.mean()), float(values.std())
        x, y = self.inputs_.rows(known.compositions, known.spectra), (values - self.level_) / self.scale_
        self._learn(x, y, known.replicates(), known.censoring(found.name), progress or Silent())
        return self

    def predict(self, library: MaterialsLibrary) -> Array:
        """Predict the figure of merit, shape (n,)."""
        found: Array = self.respond(library.compositions, library.spectra)[0]
        return found

    def predict_members(self, library: MaterialsLibrary) -> Array:
        """Predict with every member, shape (1, n)."""
        return self.respond(library.compositions, library.spectra)

    def predict_interval(self, library: MaterialsLibrary, coverage: float = 0.9) -> Array:
        """Ends of intervals, shape (n, 2), that covered as asked on compositions held out in training."""
        if not 0 < coverage < 1:
            raise InputError(f"coverage is {coverage:g}, expected a share between 0 and 1, e.g. 0.9.")
        x = self._encoded(library.compositions, library.spectra)
        factor = conformal_factor(self.errors_ / self.spreads_, self.groups_, coverage)
        half: Array = factor * np.maximum(self.regressor_.spread(x), self.floor_) * self.scale_
        middle = self.level_ + self.scale_ * self.regressor_.predict(x)
        ends: Array = np.stack([middle - half, middle + half], axis=1)
        return ends

    def score(self, library: MaterialsLibrary) -> float:
        """R squared of the predictions, over the samples that were measured."""
        value = learned_target(self).values(library)
        known = ~np.isnan(value) & (library.censoring(self.target_) == 0)
        missed = np.mean((self.predict(library)[known] - value[known]) ** 2)
        return float(1 - missed / max(float(value[known].var()), 1e-300))

    def respond(self, compositions: ArrayLike, spectra: ArrayLike | None) -> Array:
        """Predict, shape (1, n), at fractions of shape (n, D) and file intensities of shape (n, C)."""
        x = self._encoded(compositions, spectra)
        return self.level_ + self.scale_ * self.regressor_.predict(x)[None]

    def gradients(
        self, compositions: ArrayLike, spectra: ArrayLike | None, *, progress: Progress | None = None
    ) -> Gradients:
        """Predict, and differentiate: analytically, for the forest by finite differences."""
        x = self._encoded(compositions, spectra)
        slopes = self.scale_ * self.regressor_.gradient(x)
        count = self.inputs_.blocks.composition
        parts = {"composition": slopes[:, :count], "spectrum": slopes[:, count:]}
        single = {name: torch.from_numpy(part[None].astype(np.float32)) for name, part in parts.items()}
        values = self.level_ + self.scale_ * self.regressor_.predict(x)[None]
        return Gradients(values, *self.inputs_.back(single, compositions, spectra))

    def _chain(self, known: MaterialsLibrary, values: Array) -> Preprocessing:
        """As asked; else whichever does best, as in the preset ``default``."""
        self.chains_tried_: dict[str, float] = {}
        if self.preprocessing is not None or not self.uses_spectrum_:
            return self.preprocessing or Preprocessing()
        choice = choose_preprocessing(
            known, values, composition=self.uses_composition_, seed=self.seed, cache=self.cache
        )
        self.chains_tried_ = choice.tried
        return choice.chain

    def _encoded(self, compositions: ArrayLike, spectra: ArrayLike | None) -> Array:
        if not hasattr(self, "regressor_"):
            raise InputError("this baseline has not learned anything yet; call fit first.")
        if np.shape(compositions)[-1] != len(self.components_):
            raise InputError(
                f"found {np.shape(compositions)[-1]} fractions, expected those of {', '.join(self.components_)}."
            )
        return self.inputs_.rows(compositions, spectra)

    def _learn(
        self, x: Array, y: Array, groups: NDArray[np.intp], censored: NDArray[np.int8], progress: Progress
    ) -> None:
        chosen = _choose(METHODS[self.method](self.inputs_.blocks, x, y, self.seed), x, y, groups, self.seed)
        progress.update(1, "hyperparameters chosen")
        held, spread = _out_of_fold(chosen, x, y, groups, self.seed)
        progress.update(2, "held-out errors known")
        # The true value lies beyond a limit: where the model, not having seen the sample, says how far, it is believed.
        beyond = np.where(censored > 0, np.maximum(y, held), np.where(censored < 0, np.minimum(y, held), y))
        self.regressor_ = copy(chosen.grown() if isinstance(chosen, Forest) else chosen).fit(x, beyond)
        measured = censored == 0
        error = np.abs(held - y)[measured]
        self.floor_ = max(float(np.median(error)), 1e-12)
        self.errors_, self.groups_ = error, groups[measured]
        self.spreads_ = np.maximum(spread[measured], self.floor_)
        progress.end()


BASELINES: dict[str, Callable[..., BaselineModel]] = {name: partial(BaselineModel, name) for name in METHODS}
"""Makers of baselines by name; options as of `BaselineModel`."""


def _choose(candidates: Sequence[Regressor], x: Array, y: Array, groups: NDArray[np.intp], seed: int) -> Regressor:
    """Take the candidate with the smallest error on compositions held out."""
    if len(candidates) == 1:
        return candidates[0]
    rows = np.arange(len(x))
    if len(rows) > _ROWS_TO_CHOOSE:
        there = len(np.unique(groups))
        rows = draw_groups(groups, max(_FOLDS, there * _ROWS_TO_CHOOSE // len(rows)), seed)
    folds = _folds(groups[rows], seed)

    def error(candidate: Regressor) -> float:
        missed = [
            y[rows[held]] - copy(candidate).fit(x[rows[train]], y[rows[train]]).predict(x[rows[held]])
            for train, held in folds
        ]
        return float(np.mean(np.concatenate(missed) ** 2))

    return min(candidates, key=error)


def _out_of_fold(chosen: Regressor, x: Array, y: Array, groups: NDArray[np.intp], seed: int) -> tuple[Array, Array]:
    """Prediction and spread of each row by models that saw nothing of its composition."""
    held_out, spread = np.empty(len(y)), np.empty(len(y))
    for train, held in _folds(groups, seed + 1):
        model = copy(chosen).fit(x[train], y[train])
        held_out[held], spread[held] = model.predict(x[held]), model.spread(x[held])
    return held_out, spread


def _folds(groups: NDArray[np.intp], seed: int) -> list[tuple[NDArray[np.intp], NDArray[np.intp]]]:
    """Folds that keep compositions together; rows by themselves where all samples have the same one."""
    there = len(np.unique(groups))
    names = groups if there > 1 else np.arange(len(groups))
    return list(grouped_folds(names, min(_FOLDS, len(np.unique(names))), seed))
