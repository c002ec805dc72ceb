"""Classical regressions of a library with the interface of `LibraryModel`, as baselines for comparison."""

from __future__ import annotations

from collections.abc import Callable, Mapping, MutableMapping, Sequence
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
from matlens.library.baselines.forest import RandomForest
from matlens.library.baselines.gaussian_process import GaussianProcess
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
_ROWS_TO_CHOOSE = 400  # rows on which hyperparameters are chosen; more change the choice little


class Regressor(Protocol):
    """Regression on rows of numbers; x has a total variance of 1 per block, y has mean 0 and variance 1."""

    def fit(self, x: Array, y: Array) -> Any:
        """Fit to targets ``y``, shape (n,), at rows ``x``, shape (n, F)."""

    def predict(self, x: Array) -> Array:
        """Return predictions, shape (n,)."""

    def gradient(self, x: Array) -> Array:
        """Return derivatives of the predictions, shape (n, F)."""

    def deviation(self, x: Array) -> Array:
        """Return the standard deviation of prediction errors up to a common factor, shape (n,)."""


def _ridge(blocks: Blocks, x: Array, y: Array, seed: int) -> Sequence[Regressor]:
    return Ridge.candidates(blocks)


def _pls(blocks: Blocks, x: Array, y: Array, seed: int) -> Sequence[Regressor]:
    return PartialLeastSquares.candidates(blocks)


def _forest(blocks: Blocks, x: Array, y: Array, seed: int) -> Sequence[Regressor]:
    return RandomForest.candidates(blocks, seed)


def _kernel_ridge(blocks: Blocks, x: Array, y: Array, seed: int) -> Sequence[Regressor]:
    return KernelRidge.candidates(blocks)


def _process(blocks: Blocks, x: Array, y: Array, seed: int) -> Sequence[Regressor]:
    return GaussianProcess.candidates(blocks, x, y)


METHODS: dict[str, Callable[[Blocks, Array, Array, int], Sequence[Regressor]]] = {
    "ridge": _ridge,
    "pls": _pls,
    "random-forest": _forest,
    "kernel-ridge": _kernel_ridge,
    "gaussian-process": _process,
}


_STORED: dict[str, Callable[..., Regressor]] = {
    "ridge": Ridge,
    "kernel-ridge": KernelRidge,
    "gaussian-process": GaussianProcess,
}


class BaselineModel(RegressorMixin, BaseEstimator):  # type: ignore[misc]
    """Classical regression of a figure of merit with the interface of `LibraryModel`, including gradients.

    Hyperparameters, among them the number of principal components of the spectrum, are chosen by cross-validation with
    held-out compositions; kernel parameters of the Gaussian process maximise its log marginal likelihood. Censored
    values are replaced by held-out predictions that lie beyond the limit.

    Parameters
    ----------
    method : {"ridge", "pls", "random-forest", "kernel-ridge", "gaussian-process"}
        Regression method.
    inputs : {"auto", "composition", "spectrum", "both"}
        Inputs of the model; ``auto`` uses everything that the library has.
    preprocessing : Preprocessing, optional
        Preprocessing of spectra; ``Preprocessing()`` for none. By default the one of a few chains that predicts
        held-out compositions best, as in the preset ``"default"`` of `LibraryModel`.
    transform : {"none", "log10"}
        Scale of the figure of merit; predictions and gradients are on the same scale.
    seed : int
        Seed of folds and trees.
    cache : mutable mapping, optional
        Stores which preprocessing was chosen for which samples, so that models that are compared share the choice.
    settings : mapping, optional
        Hyperparameters, from `chosen`; by default they are chosen anew.

    Attributes
    ----------
    held_out_ : ndarray, shape (n,)
        Predictions of the training samples by models that were not trained on their compositions; NaN where the figure
        of merit is missing.
    chains_tried_ : dict
        R squared on held-out compositions of a Gaussian process with each preprocessing that was tried; empty if none
        was tried.

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
        settings: Mapping[str, Any] | None = None,
    ) -> None:
        self.settings = settings
        self.method = method
        self.inputs = inputs
        self.preprocessing = preprocessing
        self.transform = transform
        self.seed = seed
        self.cache = cache

    def fit(self, library: MaterialsLibrary, target: str | None = None, *, progress: Progress | None = None) -> Self:
        """Train on the samples that have the figure of merit.

        Parameters
        ----------
        library : MaterialsLibrary
            Library with the samples.
        target : str, optional
            Name of the figure of merit; needed only if there are several.
        progress : Progress, optional
            Called with the three steps of training done and total.

        Returns
        -------
        BaselineModel
            The fitted model itself.

        Raises
        ------
        InputError
            If an option is unknown, or nothing can be learned from the library.
        """
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
        held = self._learn(x, y, known.replicates(), known.censoring(found.name), progress or Silent())
        self.rows_, self.held_out_ = task.rows, np.full(len(library), np.nan)
        self.held_out_[task.rows] = self.level_ + self.scale_ * held
        return self

    @property
    def chosen(self) -> dict[str, Any]:
        """Hyperparameters that were chosen, for ``settings``; empty for methods that are not stored."""
        describe = getattr(self.regressor_, "settings", None)
        return {} if describe is None else dict(describe())

    def held_out_with(self, spectra: ArrayLike | None) -> Array:
        """Predict training samples, with other spectra, by models that were not trained on their compositions.

        Parameters
        ----------
        spectra : array_like, shape (n, C) or that of the samples with the figure of merit, or None
            Intensities that take the place of those recorded.

        Returns
        -------
        ndarray, shape (n,)
            Predictions; NaN where `held_out_` is.
        """
        known, found = self.library_.select(self.rows_), np.full(len(self.library_), np.nan)
        given = None if spectra is None else np.asarray(spectra)
        if given is not None and len(given) != len(known):
            given = given[self.rows_]
        x = self.inputs_.rows(known.compositions, known.spectra)
        other = self.inputs_.rows(known.compositions, given)
        y = (learned_target(self).values(known) - self.level_) / self.scale_
        held = _out_of_fold(self.regressor_, x, y, known.replicates(), self.seed, other)[0]
        found[self.rows_] = self.level_ + self.scale_ * held
        return found

    def predict(self, library: MaterialsLibrary) -> Array:
        """Predict the figure of merit.

        Parameters
        ----------
        library : MaterialsLibrary
            Samples with the same components and spectral axis as the training samples.

        Returns
        -------
        ndarray, shape (n,)
            Predictions on the scale of ``transform``.
        """
        found: Array = self.respond(library.compositions, library.spectra)[0]
        return found

    def predict_members(self, library: MaterialsLibrary) -> Array:
        """Predict the figure of merit by each member of the ensemble; a baseline has one.

        Parameters
        ----------
        library : MaterialsLibrary
            Samples with the same components and spectral axis as the training samples.

        Returns
        -------
        ndarray, shape (1, n)
            Predictions on the scale of ``transform``.
        """
        return self.respond(library.compositions, library.spectra)

    def predict_interval(self, library: MaterialsLibrary, coverage: float = 0.9) -> Array:
        """Return prediction intervals by split-conformal calibration on held-out compositions.

        Lei et al., J. Am. Stat. Assoc. 113, 1094 (2018).

        Parameters
        ----------
        library : MaterialsLibrary
            Samples with the same components and spectral axis as the training samples.
        coverage : float
            Nominal coverage, 0 to 1.

        Returns
        -------
        ndarray, shape (n, 2)
            Lower and upper ends on the scale of ``transform``.

        Raises
        ------
        InputError
            If ``coverage`` is not between 0 and 1.
        """
        if not 0 < coverage < 1:
            raise InputError(f"coverage is {coverage:g}, expected a share between 0 and 1, e.g. 0.9.")
        x = self._encoded(library.compositions, library.spectra)
        factor = conformal_factor(self.errors_ / self.deviations_, self.groups_, coverage)
        half: Array = factor * np.maximum(self.regressor_.deviation(x), self.floor_) * self.scale_
        middle = self.level_ + self.scale_ * self.regressor_.predict(x)
        ends: Array = np.stack([middle - half, middle + half], axis=1)
        return ends

    def score(self, library: MaterialsLibrary) -> float:
        """Return R squared of the predictions over the measured, uncensored samples of a library."""
        value = learned_target(self).values(library)
        known = ~np.isnan(value) & (library.censoring(self.target_) == 0)
        missed = np.mean((self.predict(library)[known] - value[known]) ** 2)
        return float(1 - missed / max(float(value[known].var()), 1e-300))

    def respond(self, compositions: ArrayLike, spectra: ArrayLike | None) -> Array:
        """Predict the figure of merit from arrays.

        Parameters
        ----------
        compositions : array_like, shape (n, D)
            Fractions.
        spectra : array_like, shape (n, C), or None
            Intensities as in the file; None if the model uses no spectra.

        Returns
        -------
        ndarray, shape (1, n)
            Predictions on the scale of ``transform``.
        """
        x = self._encoded(compositions, spectra)
        return self.level_ + self.scale_ * self.regressor_.predict(x)[None]

    def gradients(
        self, compositions: ArrayLike, spectra: ArrayLike | None, *, progress: Progress | None = None
    ) -> Gradients:
        """Return predictions with their gradients, by finite differences for the random forest and else analytically.

        Parameters
        ----------
        compositions : array_like, shape (n, D)
            Fractions.
        spectra : array_like, shape (n, C), or None
            Intensities as in the file; None if the model uses no spectra.
        progress : Progress, optional
            Ignored; gradients of a baseline are quick.

        Returns
        -------
        Gradients
            Predictions and derivatives with respect to fractions and intensities.
        """
        x = self._encoded(compositions, spectra)
        gradient = self.scale_ * self.regressor_.gradient(x)
        count = self.inputs_.blocks.composition
        parts = {"composition": gradient[:, :count], "spectrum": gradient[:, count:]}
        single = {name: torch.from_numpy(part[None].astype(np.float32)) for name, part in parts.items()}
        values = self.level_ + self.scale_ * self.regressor_.predict(x)[None]
        return Gradients(values, *self.inputs_.back(single, compositions, spectra))

    def _chain(self, known: MaterialsLibrary, values: Array) -> Preprocessing:
        """Return the given preprocessing, or else the chain that predicts best, as in the preset ``default``."""
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

    def _chosen(self, x: Array, y: Array, groups: NDArray[np.intp]) -> Regressor:
        if self.settings is not None:
            return _STORED[self.method](self.inputs_.blocks, **self.settings)
        return _choose(METHODS[self.method](self.inputs_.blocks, x, y, self.seed), x, y, groups, self.seed)

    def _learn(
        self, x: Array, y: Array, groups: NDArray[np.intp], censored: NDArray[np.int8], progress: Progress
    ) -> Array:
        """Fit to the values; return the held-out predictions."""
        chosen = self._chosen(x, y, groups)
        progress.update(1, "hyperparameters chosen")
        held, deviation = _out_of_fold(chosen, x, y, groups, self.seed)
        progress.update(2, "held-out errors known")
        # A censored value is a limit; where a held-out prediction lies beyond it, that is the better guess.
        beyond = np.where(censored > 0, np.maximum(y, held), np.where(censored < 0, np.minimum(y, held), y))
        self.regressor_ = copy(chosen.grown() if isinstance(chosen, RandomForest) else chosen).fit(x, beyond)
        measured = censored == 0
        error = np.abs(held - y)[measured]
        self.floor_ = max(float(np.median(error)), 1e-12)
        self.errors_, self.groups_ = error, groups[measured]
        self.deviations_ = np.maximum(deviation[measured], self.floor_)
        progress.end()
        return held


BASELINES: dict[str, Callable[..., BaselineModel]] = {name: partial(BaselineModel, name) for name in METHODS}
"""Baselines by name: functions that take the options of `BaselineModel` and return a new model."""


def _choose(candidates: Sequence[Regressor], x: Array, y: Array, groups: NDArray[np.intp], seed: int) -> Regressor:
    """Return the candidate with the smallest mean squared error on held-out compositions."""
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


def _out_of_fold(
    chosen: Regressor, x: Array, y: Array, groups: NDArray[np.intp], seed: int, other: Array | None = None
) -> tuple[Array, Array]:
    """Prediction and standard deviation of each row, or other rows, by models not trained on its composition."""
    asked = x if other is None else other
    held_out, deviation = np.empty(len(y)), np.empty(len(y))
    for train, held in _folds(groups, seed + 1):
        model = copy(chosen).fit(x[train], y[train])
        held_out[held], deviation[held] = model.predict(asked[held]), model.deviation(asked[held])
    return held_out, deviation


def _folds(groups: NDArray[np.intp], seed: int) -> list[tuple[NDArray[np.intp], NDArray[np.intp]]]:
    """Folds that keep compositions together; rows by themselves where all samples have the same one."""
    there = len(np.unique(groups))
    names = groups if there > 1 else np.arange(len(groups))
    return list(grouped_folds(names, min(_FOLDS, len(np.unique(names))), seed))
