"""Mixture of an ensemble, a Gaussian process, kernel ridge and ridge regression, weighted by left-out samples."""

from __future__ import annotations

import copy
import os
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, Self

import numpy as np
import pandas as pd
import torch
from numpy.typing import ArrayLike, NDArray
from threadpoolctl import threadpool_limits

from matlens.core.device import chosen_device
from matlens.core.threads import in_processes, side_by_side
from matlens.errors import InputError
from matlens.hooks import Progress, Silent, StateStore
from matlens.library.baselines import BASELINES, BaselineModel
from matlens.library.gradients import farness
from matlens.library.model import Gradients, LibraryModel
from matlens.library.model.given import LibraryLike, as_library
from matlens.library.model.response import GradientErrors
from matlens.library.model.targets import learned_target
from matlens.library.stacking.left_out_ensemble import LeftOutEnsemble
from matlens.library.stacking.trials import left_out
from matlens.library.stacking.weights import LeftOut, Stack, fit_stack
from matlens.library.table import MaterialsLibrary
from matlens.library.validation import PARTITIONS, Fold, held_out

__all__ = ["ENSEMBLE", "MEMBERS", "StackedModel"]

Array = NDArray[np.float64]
ENSEMBLE = "ensemble"
MEMBERS = (ENSEMBLE, "gaussian-process", "kernel-ridge", "ridge")
"""Kinds of models that are mixed, all of which have gradients."""
_SMALL = 6  # networks of the ensembles that are trained to find the weights
_FOLDS, _REGIONS = 5, 9  # nine regions calibrate 90 % intervals
_MANY = 400  # samples of which models take so long that processes are worth their start


class StackedModel(LibraryModel):
    """Mixture of models of several kinds, weighted by what they predict of left-out samples.

    The members are an ensemble (`LibraryModel`), a Gaussian process, kernel ridge and ridge regression (stacked
    regressions: Breiman, Mach. Learn. 24, 49, 1996). There are two sets of weights, by compositions and by whole
    regions that were left out; which counts depends on how far a composition lies from the measured ones. Predictions,
    gradients and intervals are those of the mixture; gradients take the weights of a place as constant.

    Parameters are those of `LibraryModel`.

    Attributes
    ----------
    stack_ : Stack
        Weights, and factors of the intervals.
    alone_ : LibraryModel
        The ensemble.
    others_ : tuple of BaselineModel
        The other members.

    Examples
    --------
    >>> a = np.linspace(0, 1, 12)
    >>> library = MaterialsLibrary(np.stack([a, 1 - a], 1), ("Fe", "Pd"), {"P": 2 * a})
    >>> model = StackedModel(n_models=1, resample="groups").fit(library)
    >>> bool(model.score(library) > 0.99), float(model.shares().sum().round(6))
    (True, 1.0)
    """

    def fit(
        self,
        library: LibraryLike,
        target: str | ArrayLike | None = None,
        *,
        progress: Progress | None = None,
        checkpoint: StateStore | None = None,
    ) -> Self:
        """Train all members, and find their weights with samples that are left out in turn.

        Parameters
        ----------
        library, target, progress, checkpoint
            As in `LibraryModel.fit`.

        Returns
        -------
        StackedModel
            The fitted model itself.

        Raises
        ------
        InputError
            If an option is unknown, or nothing can be learned from the library.
        """
        report = progress or Silent()
        alone = LibraryModel(**self.get_params()).fit(library, target, progress=report, checkpoint=checkpoint)
        known = alone.library_.select(np.flatnonzero(np.isfinite(alone.library_.merit(alone.target_))))
        folds = _folds(known, alone.seed)
        params = {**alone.get_params(), "preprocessing": alone.preprocessing_, "inputs": _inputs(alone)}
        params["n_models"] = min(_SMALL, alone.n_models)
        if alone.resample_ == "none":
            params["resample"] = "groups"  # else nothing is left out to make intervals from
        makers: dict[str, Callable[..., Any]] = {ENSEMBLE: partial(LeftOutEnsemble, **params)}
        makers |= {name: partial(BASELINES[name], **_shared(alone)) for name in MEMBERS[1:]}
        trials = [(name, fold) for name in makers for fold in folds]
        tried = partial(_held_out, makers, known, alone.target_)
        # Each on one thread: models that are trained one after the other leave half of two processors idle.
        # Processes would each claim memory of a GPU.
        costly = len(known) > _MANY and chosen_device(alone.device).type == "cpu"
        tables = (in_processes if costly else side_by_side)(tried, trials)
        return self.mix(alone, left_out(pd.concat(tables), known, folds, MEMBERS))

    def mix(self, alone: LibraryModel, left: LeftOut) -> Self:
        """Make the mixture of a fitted ensemble and members of the other kinds, which are trained here.

        Parameters
        ----------
        alone : LibraryModel
            Fitted ensemble.
        left : LeftOut
            Predictions of left-out samples by all members, in the order of `MEMBERS`.

        Returns
        -------
        StackedModel
            The fitted model itself.
        """
        others = [BASELINES[name](**_shared(alone)).fit(alone.library_, alone.target_) for name in MEMBERS[1:]]
        return self._adopt(alone, others, fit_stack(left))

    def _adopt(self, alone: LibraryModel, others: list[BaselineModel], stack: Stack) -> Self:
        self.__dict__.update(alone.__dict__)
        self.alone_, self.others_, self.stack_ = alone, tuple(others), stack
        group = self.library_.replicates()
        self.points_ = self.library_.compositions[np.unique(group, return_index=True)[1]]
        parts = np.stack([alone.held_out_, *(each.held_out_ for each in self.others_)], 1)
        self.held_out_ = parts @ np.array(stack.near)
        return self

    @property
    def ensemble_alone(self) -> LibraryModel:
        """The ensemble, without the other members."""
        return self.alone_

    def again(self, library: MaterialsLibrary, **changed: Any) -> StackedModel:
        """Train the members of this mixture anew on other samples, and mix them with the same weights.

        To find the weights anew would take many times longer than the members.

        Parameters
        ----------
        library : MaterialsLibrary
            Library with the figure of merit that this model learned.
        **changed
            Options that differ, as of `LibraryModel`.

        Returns
        -------
        StackedModel
            The new mixture; this one is not changed.

        Examples
        --------
        >>> a = np.linspace(0, 1, 12)
        >>> first, second = (MaterialsLibrary(np.stack([a, 1 - a], 1), ("A", "B"), {"P": k * a}) for k in (1, 2))
        >>> model = StackedModel(n_models=1, resample="groups").fit(first)
        >>> other = model.again(second)
        >>> other.stack_ == model.stack_, bool(other.score(second) > 0.99)
        (True, True)
        """
        alone = self.alone_.again(library, **changed)
        others = [BASELINES[name](**_shared(alone)).fit(library, self.target_) for name in MEMBERS[1:]]
        return StackedModel(**alone.get_params())._adopt(alone, others, self.stack_)

    def shares(self) -> Array:
        """Return the weights of the members among measured compositions, in the order of `MEMBERS`."""
        return np.array(self.stack_.near)

    def respond(self, compositions: ArrayLike, spectra: ArrayLike | None) -> Array:
        """Predict the figure of merit; each member of the ensemble is mixed with the other models.

        Parameters
        ----------
        compositions : array_like, shape (n, D)
            Fractions.
        spectra : array_like, shape (n, C), or None
            Intensities as in the file; None if the model uses no spectra.

        Returns
        -------
        ndarray, shape (m, n)
            Predictions on the scale of ``transform``.
        """
        weights = self.stack_.weights(self._far(compositions))
        found: Array = weights[:, 0] * self.alone_.respond(compositions, spectra)
        for number, other in enumerate(self.others_, start=1):
            found = found + weights[:, number] * other.respond(compositions, spectra)
        return found

    def kinds(self, compositions: ArrayLike, spectra: ArrayLike | None) -> tuple[Array, Array]:
        """Predict the figure of merit by each kind of model.

        Parameters
        ----------
        compositions, spectra
            As in `respond`.

        Returns
        -------
        predicted, weights : ndarray, shape (K, n)
            Predictions on the scale of ``transform``, and the weights of the kinds, in the order of `MEMBERS`.
        """
        each = [model.respond(compositions, spectra).mean(0) for model in self._all]
        return np.stack(each), self.stack_.weights(self._far(compositions)).T

    def gradients(
        self, compositions: ArrayLike, spectra: ArrayLike | None, *, progress: Progress | None = None
    ) -> Gradients:
        """Return the predictions of each member with their partial derivatives, as `respond` mixes them.

        Parameters
        ----------
        compositions, spectra, progress
            As in `LibraryModel.gradients`.

        Returns
        -------
        Gradients
            Predictions and derivatives with respect to fractions and intensities.
        """
        weights = self.stack_.weights(self._far(compositions)).astype(np.float32)
        found = self.alone_.gradients(compositions, spectra, progress=progress)
        values = weights[:, 0] * found.values
        of_fractions = weights[:, :1] * found.composition
        of_spectra = found.spectrum
        if of_spectra is not None:
            of_spectra *= weights[:, :1]  # in place: these are the largest arrays
        for number, other in enumerate(self.others_, start=1):
            own, share = other.gradients(compositions, spectra), weights[:, number : number + 1]
            values = values + share[:, 0] * own.values
            of_fractions = of_fractions + share * own.composition
            if of_spectra is not None and own.spectrum is not None:
                of_spectra += share * own.spectrum
        return Gradients(values, of_fractions, of_spectra)

    def gradient_errors(
        self, compositions: ArrayLike, spectra: ArrayLike | None, *, by_part: Gradients | None = None
    ) -> GradientErrors | None:
        """Return the error covariance of the mean gradients.

        It is that of the ensemble plus that between the means of the members of the mixture, each of which stands as
        one more input.

        Parameters
        ----------
        compositions, spectra
            As in `LibraryModel.gradient_errors`.
        by_part : Gradients, optional
            What `gradients_by_part` returns for them, if it is known already.

        Returns
        -------
        GradientErrors or None
            Error covariance with respect to the inputs of the networks and the members of the mixture.
        """
        known = self.alone_.gradient_errors(compositions, spectra)
        if known is None:
            return None
        weights = self.stack_.weights(self._far(compositions))
        each = by_part or self.gradients_by_part(compositions, spectra)
        fractions = _apart(each.composition, weights)
        values = np.concatenate([known.features.values, np.zeros(each.values.shape)])
        of_spectra = known.features.spectrum
        if of_spectra is not None and each.spectrum is not None:
            of_spectra = np.concatenate([of_spectra, _apart(each.spectrum, weights)])
        features = Gradients(values, np.concatenate([known.features.composition, fractions]), of_spectra)
        size, more = known.covariance.shape[1], each.members
        covariance = np.zeros((len(weights), size + more, size + more))
        covariance[:, :size, :size] = known.covariance
        covariance[:, range(size, size + more), range(size, size + more)] = weights
        return GradientErrors(features, covariance)

    @property
    def parts_(self) -> tuple[str, ...]:
        """Names of the models that are mixed, `MEMBERS`."""
        return MEMBERS

    def respond_by_part(self, compositions: ArrayLike, spectra: ArrayLike | None) -> Array:
        """Predict the figure of merit by each model of the mixture.

        Parameters
        ----------
        compositions, spectra
            As in `respond`.

        Returns
        -------
        ndarray, shape (K, n)
            Predictions on the scale of ``transform``, in the order of `MEMBERS`.
        """
        return np.stack([np.asarray(model.respond(compositions, spectra)).mean(0) for model in self._all])

    def gradients_by_part(self, compositions: ArrayLike, spectra: ArrayLike | None) -> Gradients:
        """Return predictions and gradients of each model of the mixture, the mean over its members.

        Parameters
        ----------
        compositions, spectra
            As in `LibraryModel.gradients`.

        Returns
        -------
        Gradients
            Of K models in place of members, in the order of `MEMBERS`.
        """
        each = [self.alone_._mean_gradients(compositions, spectra)]
        each += [other.gradients(compositions, spectra) for other in self.others_]
        of_spectra = [one.spectrum for one in each if one.spectrum is not None]
        return Gradients(
            np.concatenate([one.values for one in each]),
            np.concatenate([one.composition for one in each]),
            np.concatenate(of_spectra) if of_spectra else None,
        )

    def left_out_moments(self) -> tuple[Array, int]:
        """Return how the models err for training samples whose compositions they were not trained on.

        Returns
        -------
        moments : ndarray, shape (K, K)
            Mean products of errors, each the mean over the samples of a composition.
        count : int
            Number of compositions.
        """
        value = learned_target(self).values(self.library_)
        errors = np.stack([value - model.held_out_ for model in self._all], 1)
        known = np.isfinite(errors).all(1) & (self.library_.censoring(self.target_) == 0)
        _, group = np.unique(self.library_.replicates()[known], return_inverse=True)
        means = np.stack([np.bincount(group, own) / np.bincount(group) for own in errors[known].T], 1)
        return means.T @ means / max(len(means), 1), len(means)

    def predict_interval(self, library: LibraryLike, coverage: float = 0.9) -> Array:
        """Return prediction intervals of the mixture.

        They are calibrated by left-out compositions among the measured ones, and by left-out regions away from them, if
        there were enough of these (`Stack.calibrated`).

        Parameters
        ----------
        library : MaterialsLibrary, DataFrame, or array_like of shape (n, D)
            Samples with the same components and spectral axis as the training samples.
        coverage : float
            Nominal coverage, 0 to 1; only 0.9 is calibrated.

        Returns
        -------
        ndarray, shape (n, 2)
            Lower and upper ends on the scale of ``transform``.
        """
        samples = as_library(library, self.components_)
        ends = [each.predict_interval(samples, coverage) for each in self._all]
        middle, half = (np.stack([each @ way for each in ends], 1) for way in ([0.5, 0.5], [-0.5, 0.5]))
        mean, width = self.stack_.interval(middle, half, self._far(samples.compositions))
        return np.stack([mean - width, mean + width], axis=1)

    def held_out_with(self, spectra: ArrayLike | None) -> Array:
        """Predict training samples, with other spectra, by members that were not trained on their compositions.

        Parameters
        ----------
        spectra : array_like, shape (n, C), or None
            As in `LibraryModel.held_out_with`.

        Returns
        -------
        ndarray, shape (n,)
            Predictions on the scale of ``transform``; NaN where `held_out_` is.
        """
        each = np.stack([model.held_out_with(spectra) for model in self._all], 1)
        found: Array = each @ np.array(self.stack_.near)
        return found

    @property
    def _all(self) -> tuple[LibraryModel | BaselineModel, ...]:
        return (self.alone_, *self.others_)

    def _far(self, compositions: ArrayLike) -> Array:
        return farness(compositions, self.points_)

    def _stored(self) -> dict[str, Any]:
        return {"held_out": self.alone_.held_out_}

    def _more(self) -> dict[str, Any]:
        settings = {name: other.chosen for name, other in zip(MEMBERS[1:], self.others_, strict=True)}
        return {"stack": self.stack_.settings(), "settings": settings}

    @classmethod
    def load(cls, folder: str | os.PathLike[str], *, device: str = "auto") -> Self:
        """Read a model written by `save` or ``matlens library learn``; see `LibraryModel.load`.

        Parameters
        ----------
        folder : path-like
            Folder with the model.
        device : {"auto", "cpu", "cuda"}
            Device for predictions.

        Returns
        -------
        StackedModel
            The fitted model.

        Raises
        ------
        InputError
            If there is no model, or it is an ensemble alone.
        ResourceError
            If the model is damaged, or its predictions differ from those when it was written.
        """
        alone = LibraryModel.load(folder, device=device)
        if not alone.more_:
            raise InputError(f"{folder} holds an ensemble alone; read it with LibraryModel.load.")
        return cls.of(alone, alone.more_)

    @classmethod
    def of(cls, alone: LibraryModel, more: Mapping[str, Any]) -> Self:
        """Make the mixture of an ensemble and what was stored with it.

        Parameters
        ----------
        alone : LibraryModel
            Fitted ensemble.
        more : mapping
            Weights, and hyperparameters of the other members.

        Returns
        -------
        StackedModel
            The fitted model.
        """
        others = [
            BASELINES[name](**_shared(alone), settings=more["settings"][name]).fit(alone.library_, alone.target_)
            for name in MEMBERS[1:]
        ]
        model = cls(**{**alone.get_params(), "preprocessing": alone.preprocessing})
        return model._adopt(copy.copy(alone), others, Stack.from_settings(more["stack"]))


def _held_out(
    makers: Mapping[str, Callable[..., Any]], library: MaterialsLibrary, target: str, trial: tuple[str, Fold]
) -> pd.DataFrame:
    """Predictions of one kind of model for the samples that a fold leaves out."""
    name, fold = trial
    # A Gaussian process finds its parameters by gradients, which `side_by_side` switches off.
    with torch.enable_grad(), threadpool_limits(1, user_api="blas"):
        return held_out(makers[name], library, [fold], name=name, target=target)


def _shared(alone: LibraryModel) -> dict[str, Any]:
    """Options of the other members: the inputs, spectra and scale of the ensemble."""
    return {
        "inputs": _inputs(alone),
        "preprocessing": alone.preprocessing_,
        "transform": alone.transform,
        "seed": alone.seed,
    }


def _inputs(alone: LibraryModel) -> str:
    if alone.uses_composition_ and alone.uses_spectrum_:
        return "both"
    return "spectrum" if alone.uses_spectrum_ else "composition"


def _folds(library: MaterialsLibrary, seed: int) -> list[Fold]:
    """Compositions and regions to leave out, as many as there are."""
    there = len(np.unique(library.replicates()))
    if there < 2:
        raise InputError("all samples have one composition; a mixture of models is weighted by compositions left out.")
    found = PARTITIONS["grouped"](library, min(_FOLDS, there), 1, seed)
    return found + PARTITIONS["regions"](library, min(_REGIONS, there), 1, seed)


def _apart(each: NDArray[np.floating], weights: Array) -> NDArray[np.float32]:
    """Gradients of members less their weighted mean, shape (K, n, ...)."""
    shares = weights.T.reshape(*weights.T.shape, *(1,) * (each.ndim - 2))
    found: NDArray[np.float32] = (each - (shares * each).sum(0)).astype(np.float32)
    return found
