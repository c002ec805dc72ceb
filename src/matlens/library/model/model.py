"""Ensemble model of a materials library, with the interface of scikit-learn estimators."""

from __future__ import annotations

import os
from collections.abc import MutableMapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, RegressorMixin
from sklearn.utils.validation import check_is_fitted
from torch import Tensor

from matlens.core.atomic import Writing, writing_into
from matlens.core.device import chosen_device
from matlens.core.intervals import conformal_factor
from matlens.core.model_files import MODEL, guarded_model
from matlens.errors import InputError
from matlens.hooks import Progress, Silent, StateStore
from matlens.library.model.ensemble import Ensemble, train
from matlens.library.model.given import LibraryLike, as_library, with_values
from matlens.library.model.kernel.covariance import find_covariances
from matlens.library.model.kernel.kernel_parts import KernelParts
from matlens.library.model.mixture import HeldOut, Mixture, side_by_side_inputs
from matlens.library.model.networks.training import TrainingSet
from matlens.library.model.output_warping import OutputWarping, find_output_warping
from matlens.library.model.preprocessing_choice import Choice, choose_preprocessing
from matlens.library.model.presets.preset import Preset
from matlens.library.model.presets.registry import PRESETS
from matlens.library.model.resampling import member_rows
from matlens.library.model.response import GradientErrors, Gradients
from matlens.library.model.storage import FittedState, read_state, write_state
from matlens.library.model.targets import Target, learned_target, resolve_task
from matlens.library.spectra import Preprocessing
from matlens.library.table import MaterialsLibrary

__all__ = ["LibraryModel"]

Array = NDArray[np.float64]
# docs/decisions/0044-learned-sums-of-components.md
_SUMS = 3  # weighted sums of fractions, in which components with similar effects have similar weights
_SEARCHES = 4  # searches for sums; members are divided among their results, so that chance findings average out
_MEMBERS, _MANY = 5, 500  # of many samples, on which a search takes long, there is one for each five members
_ELSEWHERE = ("preprocessing", "device", "cache")  # parameters that are stored otherwise, or depend on the machine
_FITTED = ("ensemble_", "warp_", "library_", "target_", "unit_", "chains_tried_", "held_out_", "held_out_spread_")
_ROUNDS = 3  # of replacing censored values by predictions beyond the limit; each round moves predictions further


class LibraryModel(RegressorMixin, BaseEstimator):  # type: ignore[misc]
    """Ensemble that predicts a figure of merit from composition and spectrum, with gradients.

    In the preset ``"default"`` inputs are divided by ARD length scales, and each member is a weighted mean of a network
    and a Gaussian process. All members are trained in parallel. They differ in their random numbers and, unless
    ``resample="none"``, in their training compositions; left-out compositions calibrate the prediction intervals.

    Parameters
    ----------
    preset : {"default", "umehara2019"}
        Networks and training: the ones that performed best in benchmarks, or exactly those of Umehara et al. (2019).
    inputs : {"auto", "composition", "spectrum", "both"}
        Inputs of the model; ``"auto"`` uses everything that the library has.
    n_models : int
        Number of members.
    resample : {"auto", "none", "bootstrap", "groups"}
        Training samples of members: all; a bootstrap of the compositions; all but a tenth of the compositions.
        ``"auto"`` takes the choice of the preset.
    preprocessing : Preprocessing, optional
        Preprocessing of spectra; ``Preprocessing()`` for none. By default that of the preset: in ``"default"`` the one
        of a few chains that predicts held-out compositions best (`chains_tried_`).
    transform : {"none", "log10"}
        Scale of the figure of merit; predictions and gradients are on the same scale. The preset ``"default"`` also
        applies an output warping inside the model if the data clearly favour it (`warp_`).
    seed : int
        Seed of all random numbers.
    device : {"auto", "cpu", "cuda"}
        Device for training and prediction.
    cache : mutable mapping, optional
        Stores which preprocessing was chosen for which samples, so that models that are compared share the choice.

    Attributes
    ----------
    target_, unit_ : str
        Name of the figure of merit, and its unit on the scale of ``transform``.
    library_ : MaterialsLibrary
        Training samples.
    held_out_ : ndarray, shape (n,)
        Mean over the members that were not trained on the composition of a sample; NaN if there are none or the figure
        of merit is missing.
    chains_tried_ : dict
        R squared on held-out compositions of a Gaussian process with each preprocessing that was tried; empty if none
        was tried.
    resample_ : {"none", "bootstrap", "groups"}
        Resampling of training samples for the members, with ``"auto"`` resolved.
    warp_ : OutputWarping
        Output warping between the scale of ``transform`` and that of the networks.
    more_ : dict
        What a model that contains this ensemble kept beside it when it was stored; else empty.
    components_, axis_, members_, uses_composition_, uses_spectrum_, preprocessing_
        Attributes of the interface `Response`.

    Notes
    -----
    Umehara et al., npj Comput. Mater. 5, 34 (2019), trained 150 such networks one after the other.

    Examples
    --------
    >>> random = np.random.default_rng(0)
    >>> x = random.dirichlet([1, 1, 1], 60)
    >>> library = MaterialsLibrary(x, ("Fe", "Ga", "Pd"), {"P": x[:, 0] + 2 * x[:, 1] * x[:, 2]})
    >>> model = LibraryModel(n_models=4).fit(library)
    >>> bool(model.score(library) > 0.9)
    True

    Tables of pandas serve as well, also for ``fit(table, "P")`` and for `sklearn.model_selection.cross_val_score`.

    >>> model.predict(library.to_frame()[["Fe", "Ga", "Pd"]].head(2)).shape
    (2,)
    """

    _searched: int | None = None  # samples that length scales are found from; None: all

    def __init__(
        self,
        preset: str = "default",
        *,
        inputs: str = "auto",
        n_models: int = 50,
        resample: str = "auto",
        preprocessing: Preprocessing | None = None,
        transform: str = "none",
        seed: int = 0,
        device: str = "auto",
        cache: MutableMapping[str, Choice] | None = None,
    ) -> None:
        self.preset = preset
        self.inputs = inputs
        self.n_models = n_models
        self.resample = resample
        self.preprocessing = preprocessing
        self.transform = transform
        self.seed = seed
        self.device = device
        self.cache = cache

    def fit(
        self,
        library: LibraryLike,
        target: str | ArrayLike | None = None,
        *,
        progress: Progress | None = None,
        checkpoint: StateStore | None = None,
    ) -> LibraryModel:
        """Train on all samples that have the figure of merit.

        Parameters
        ----------
        library : MaterialsLibrary, DataFrame, or array_like of shape (n, D)
            The samples: a library; a table, which is understood as `matlens.read_library` understands a file; or an
            array of fractions.
        target : str, or array_like of shape (n,), optional
            Name of the figure of merit, which is needed only if there are several; or its values.
        progress : Progress, optional
            Called with epochs done and total.
        checkpoint : StateStore, optional
            Stores the state of each chunk of members, so that training can resume and ends with the same bytes.

        Returns
        -------
        LibraryModel
            The fitted model itself.

        Raises
        ------
        InputError
            If an option is unknown, spectra are needed and missing, or the figure of merit cannot be learned.
        Interrupted
            On KeyboardInterrupt, after the state was saved.
        """
        preset, device = self._checked()
        library, target = _given(library, target)
        task = resolve_task(library, target, inputs=self.inputs, transform=self.transform)
        goal, composition, spectrum, rows = task.target, task.composition, task.spectrum, task.rows
        seen = library.select(rows)
        chain = self._chain(preset, seen, goal, composition, spectrum)
        self.inputs_ = preset.network_inputs(seen, composition, spectrum, chain)
        values = goal.values(seen)
        self.warp_ = self._warp(preset, seen, values)
        self.resample_ = preset.resampling(self.resample)
        drawn = member_rows(seen.replicates(), self.n_models, self.resample_, self.seed)
        standard = torch.from_numpy(self.warp_.standard(values)).float().to(device)
        kernel, standard = self._kernel_part(preset, seen, standard, drawn, goal.name, progress)
        data = TrainingSet(self.inputs_(seen.compositions, seen.spectra, device), standard, drawn, self.seed)
        stages = preset.stages(tuple(data.inputs))
        networks = train(preset, stages, data, progress=progress, checkpoint=checkpoint)
        self._mix(networks, kernel, data, rows, library)
        self.library_, self.target_, self.unit_ = library, goal.name, goal.unit
        self._settle()
        return self

    def predict(self, library: LibraryLike) -> Array:
        """Predict the figure of merit: the mean over members.

        Parameters
        ----------
        library : MaterialsLibrary, DataFrame, or array_like of shape (n, D)
            Samples with the same components and spectral axis as the training samples.

        Returns
        -------
        ndarray, shape (n,)
            Predictions on the scale of ``transform``.
        """
        mean: Array = self.predict_members(library).mean(0)
        return mean

    def predict_members(self, library: LibraryLike) -> Array:
        """Predict the figure of merit by each member of the ensemble.

        Parameters
        ----------
        library : MaterialsLibrary, DataFrame, or array_like of shape (n, D)
            Samples with the same components and spectral axis as the training samples.

        Returns
        -------
        ndarray, shape (m, n)
            Predictions of m members on the scale of ``transform``.

        Raises
        ------
        InputError
            If the library has other components, or no spectra on the axis of the training samples.
        """
        samples = self._samples(library)
        return self.respond(samples.compositions, samples.spectra if self.uses_spectrum_ else None)

    def predict_interval(self, library: LibraryLike, coverage: float = 0.9) -> Array:
        """Return conformal prediction intervals for new compositions.

        The standard deviation over members, combined with the median held-out error, is scaled so that intervals cover
        held-out training samples as often as asked (Lei et al., J. Am. Stat. Assoc. 113, 1094, 2018). Each composition
        has the same weight.

        Parameters
        ----------
        library : MaterialsLibrary, DataFrame, or array_like of shape (n, D)
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
            If all members were trained on all samples, so that there are no held-out errors, or ``coverage`` is not
            between 0 and 1.
        """
        members = self.predict_members(library)
        if not 0 < coverage < 1:
            raise InputError(f"coverage {coverage!r} must lie between 0 and 1, e.g. 0.9.")
        known = np.isfinite(self.held_out_) & (self.library_.censoring(self.target_) == 0)
        if not known.any():
            raise InputError(
                "all members of this ensemble were trained on all samples, and no held-out errors are known to make "
                "intervals from; fit with resample='groups'."
            )
        errors = np.abs(self._values() - self.held_out_)[known]
        floor = float(np.median(errors))
        scores = errors / np.hypot(self.held_out_spread_[known], floor)
        factor = conformal_factor(scores, self.library_.replicates()[known], coverage)
        mean, half = members.mean(0), factor * np.hypot(members.std(0), floor)
        return np.stack([mean - half, mean + half], axis=1)

    def held_out_with(self, spectra: ArrayLike | None) -> Array:
        """Predict training samples, with other spectra, by the members that were not trained on their compositions.

        A composition that was not made has no spectrum but one that is predicted. How well the model does with such
        spectra is known from its training samples, each with a spectrum predicted from other compositions.

        Parameters
        ----------
        spectra : array_like, shape (n, C), or None
            Intensities that take the place of those recorded; None if the model uses no spectra.

        Returns
        -------
        ndarray, shape (n,)
            Predictions on the scale of ``transform``; NaN where `held_out_` is.
        """
        check_is_fitted(self, "ensemble_")
        library, found = self.library_, np.full(len(self.library_), np.nan)
        rows = np.flatnonzero(np.isfinite(self._values()))
        seen = library.select(rows)
        drawn = member_rows(seen.replicates(), self.n_models, self.resample_, self.seed)
        kernel = self.ensemble_.kernel
        mixture = replace(self.ensemble_, kernel=None if kernel is None else kernel.uncentred(len(rows), drawn))
        given = None if spectra is None else np.asarray(spectra)[rows]
        standard = mixture.values(self.inputs_(seen.compositions, given, chosen_device(self.device)))
        members = self.warp_.values(standard.double().cpu().numpy())
        found[rows] = HeldOut.from_rows(drawn, len(rows)).summary(members)[0]
        return found

    def score(self, library: LibraryLike, target: str | ArrayLike | None = None) -> float:
        """Return R squared of the predictions over the measured, uncensored samples.

        Parameters
        ----------
        library : MaterialsLibrary, DataFrame, or array_like of shape (n, D)
            Samples with the same components and spectral axis as the training samples.
        target : str, or array_like of shape (n,), optional
            The name of the figure of merit that was learned, or its values; by default those of the library.

        Returns
        -------
        float
            R squared, on the scale of ``transform``.

        Raises
        ------
        InputError
            If the library has no such figure of merit, or another one than was learned is named.
        """
        samples = self._samples(library)
        if isinstance(target, str) and samples.merit_name(target) != self.target_:
            raise InputError(f"the model learned {self.target_!r}, and {target!r} is asked for; name what it learned.")
        if target is not None and not isinstance(target, str):
            samples = with_values(samples, target, self.target_)
        value = learned_target(self).values(samples)
        there = ~np.isnan(value) & (samples.censoring(self.target_) == 0)
        error = np.square(value - self.predict(samples))[there].sum()
        return float(1 - error / np.square(value[there] - value[there].mean()).sum())

    def respond(self, compositions: ArrayLike, spectra: ArrayLike | None) -> Array:
        """Predict the figure of merit by each member from arrays.

        Parameters
        ----------
        compositions : array_like, shape (n, D)
            Fractions.
        spectra : array_like, shape (n, C), or None
            Intensities as in the file; None if the model uses no spectra.

        Returns
        -------
        ndarray, shape (m, n)
            Predictions of m members on the scale of ``transform``.
        """
        check_is_fitted(self, "ensemble_")
        values = self.ensemble_.values(self.inputs_(compositions, spectra, chosen_device(self.device)))
        return self.warp_.values(values.double().cpu().numpy())

    def gradients(
        self, compositions: ArrayLike, spectra: ArrayLike | None, *, progress: Progress | None = None
    ) -> Gradients:
        """Return the predictions of each member with their partial derivatives.

        Parameters
        ----------
        compositions : array_like, shape (n, D)
            Fractions.
        spectra : array_like, shape (n, C), or None
            Intensities as in the file; None if the model uses no spectra.
        progress : Progress, optional
            Called with members done and total.

        Returns
        -------
        Gradients
            Predictions and derivatives with respect to fractions and intensities.
        """
        values, gradients = self._by_inputs(compositions, spectra, progress or Silent())
        return Gradients(values, *self.inputs_.back(gradients, compositions, spectra))

    def _mean_gradients(self, compositions: ArrayLike, spectra: ArrayLike | None) -> Gradients:
        """Mean of `gradients` over the members, in place of one member; only it is carried back to intensities."""
        values, gradients = self._by_inputs(compositions, spectra, Silent())
        means = {name: each.mean(0, keepdim=True) for name, each in gradients.items()}
        return Gradients(values.mean(0, keepdims=True), *self.inputs_.back(means, compositions, spectra))

    def _by_inputs(
        self, compositions: ArrayLike, spectra: ArrayLike | None, progress: Progress
    ) -> tuple[Array, dict[str, Tensor]]:
        """Predictions of each member, shape (m, n), and derivatives with respect to the inputs of the networks."""
        check_is_fitted(self, "ensemble_")
        inputs = self.inputs_(compositions, spectra, chosen_device(self.device))
        values, gradients = self.ensemble_.gradients(inputs, progress)
        standard = values.double().cpu().numpy()
        steep = torch.from_numpy(self.warp_.gradient(standard)).to(values)[..., None]
        return self.warp_.values(standard), {name: each.mul_(steep) for name, each in gradients.items()}

    def gradient_errors(self, compositions: ArrayLike, spectra: ArrayLike | None) -> GradientErrors | None:
        """Return the error covariance of the mean gradients, or None for presets without Gaussian processes.

        It is the posterior covariance of value and gradient of a Gaussian process (Rasmussen and Williams, Gaussian
        Processes for Machine Learning, 2006, section 9.4) plus that between its mean and the mean of the networks.

        Parameters
        ----------
        compositions : array_like, shape (n, D)
            Fractions.
        spectra : array_like, shape (n, C), or None
            Intensities as in the file; None if the model uses no spectra.

        Returns
        -------
        GradientErrors or None
            Error covariance with respect to the inputs of the networks.
        """
        check_is_fitted(self, "ensemble_")
        inputs = self.inputs_(compositions, spectra, chosen_device(self.device))
        known = self.ensemble_.known(inputs)
        if known is None:
            return None
        found, errors = (each.cpu().numpy() for each in known)
        standard, mean = found[:, 0], found[:, 1:]
        steep, bent = self.warp_.gradient(standard), self.warp_.curvature(standard)
        # The gradient is multiplied by the derivative of the warping, which depends on the uncertain value.
        turn = np.concatenate([(bent[:, None] * mean)[:, :, None], steep[:, None, None] * np.eye(mean.shape[1])], 2)
        covariance = turn @ errors @ turn.transpose(0, 2, 1)
        each = torch.eye(mean.shape[1])[:, None].expand(-1, len(mean), -1)
        parts = torch.split(each, [x.shape[1] for x in inputs.values()], 2)
        features = side_by_side_inputs(inputs).T.double().cpu().numpy()
        return GradientErrors(
            Gradients(features, *self.inputs_.back(dict(zip(inputs, parts)), compositions, spectra)), covariance
        )

    @property
    def ensemble_alone(self) -> LibraryModel:
        """The ensemble, without what a mixture adds to it."""
        return self

    def again(self, library: MaterialsLibrary, **changed: Any) -> LibraryModel:
        """Train a new model of the same kind on other samples, with the same options.

        Parameters
        ----------
        library : MaterialsLibrary
            Library with the figure of merit that this model learned.
        **changed
            Options that differ, as of `LibraryModel`.

        Returns
        -------
        LibraryModel
            The new model; this one is not changed.

        Examples
        --------
        >>> a = np.linspace(0, 1, 12)
        >>> first, second = (MaterialsLibrary(np.stack([a, 1 - a], 1), ("A", "B"), {"P": k * a}) for k in (1, 2))
        >>> LibraryModel(n_models=2).fit(first).again(second, n_models=1).members_
        1
        """
        return LibraryModel(**self.get_params() | changed).fit(library, self.target_)

    def save(self, folder: str | os.PathLike[str]) -> Path:
        """Write the fitted model: ``model.json`` (settings) and ``arrays.safetensors`` (weights, training samples).

        Parameters
        ----------
        folder : path-like
            Folder to write to; it is created if missing, and a model in it is replaced.

        Returns
        -------
        Path
            The folder.
        """
        self.put(writing_into(folder))
        return Path(folder)

    def put(self, writing: Writing) -> None:
        """Write the files of the fitted model, as `save` does, where a function opens them.

        Parameters
        ----------
        writing : callable
            Opens a file of the model for writing, from its name.
        """
        check_is_fitted(self, "ensemble_")
        parameters = {name: value for name, value in self.get_params().items() if name not in _ELSEWHERE}
        own = self.preprocessing is not None
        values = {name.removesuffix("_"): getattr(self, name) for name in _FITTED}
        values |= self._stored()
        write_state(FittedState(parameters, own, self.inputs_, **values, more=self._more()), writing)

    def _stored(self) -> dict[str, Any]:
        """Attributes that are stored otherwise than they are here."""
        return {}

    def _more(self) -> dict[str, Any]:
        """What a model that contains this ensemble keeps beside it."""
        return {}

    @classmethod
    def load(cls, folder: str | os.PathLike[str], *, device: str = "auto") -> LibraryModel:
        """Read a model written by `save` or ``matlens library learn``, and check that its predictions are the same.

        Parameters
        ----------
        folder : path-like
            Folder with the model.
        device : {"auto", "cpu", "cuda"}
            Device for predictions.

        Returns
        -------
        LibraryModel
            The fitted model.

        Raises
        ------
        InputError
            If there is no model.
        ResourceError
            If the model is damaged, or its predictions differ from those when it was written.

        Examples
        --------
        >>> import tempfile
        >>> x = np.random.default_rng(0).dirichlet([1, 1], 20)
        >>> library = MaterialsLibrary(x, ("Fe", "Pd"), {"P": x[:, 0]})
        >>> model = LibraryModel(n_models=2).fit(library)
        >>> again = LibraryModel.load(model.save(tempfile.mkdtemp()))
        >>> bool(np.array_equal(again.predict(library), model.predict(library)))
        True
        >>> LibraryModel.load("nowhere")
        Traceback (most recent call last):
        matlens.errors.InputError: nowhere holds no model (no model.json); name a folder that 'matlens learn' wrote.
        """
        state = read_state(folder, device)
        with guarded_model(Path(folder) / MODEL):
            chain = state.inputs.preprocessing if state.own_preprocessing else None
            model = cls(**state.parameters, preprocessing=chain, device=device)
            model.inputs_, model.resample_ = state.inputs, PRESETS[model.preset].resampling(model.resample)
            for name in _FITTED:
                setattr(model, name, getattr(state, name.removesuffix("_")))
            model.more_ = state.more
            model._settle()
        return model

    def _checked(self) -> tuple[Preset, torch.device]:
        if self.preset not in PRESETS:
            raise InputError(f"preset {self.preset!r} is not known; choose one of {', '.join(PRESETS)}.")
        if self.n_models < 1:
            raise InputError(f"found n_models {self.n_models}, expected at least 1.")
        return PRESETS[self.preset], chosen_device(self.device)

    def _chain(
        self, preset: Preset, seen: MaterialsLibrary, goal: Target, composition: bool, spectrum: bool
    ) -> Preprocessing:
        """Return the given preprocessing, or else the preset's own or the best of its candidates."""
        self.chains_tried_: dict[str, float] = {}
        if self.preprocessing is not None:
            return self.preprocessing
        if not (spectrum and preset.chains):
            return preset.preprocessing(seen.axis if spectrum else None)
        choice = choose_preprocessing(
            seen,
            goal.values(seen),
            composition=composition,
            chains=preset.chains,
            seed=self.seed,
            cache=self.cache,
        )
        self.chains_tried_ = choice.tried
        return choice.chain

    def _settle(self) -> None:
        """Set the attributes that follow from the library and the trained networks."""
        self.components_ = self.library_.components
        self.axis_ = self.inputs_.axis
        self.members_ = self.ensemble_.members
        self.uses_composition_ = self.inputs_.uses_composition
        self.uses_spectrum_ = self.inputs_.uses_spectrum
        self.preprocessing_ = self.inputs_.preprocessing

    def _warp(self, preset: Preset, seen: MaterialsLibrary, values: Array) -> OutputWarping:
        """Return the output warping: linear, or chosen by log marginal likelihood if the preset has kernel models."""
        if preset.sharpness is None:
            return OutputWarping.fit(values)
        plain = self.inputs_(seen.compositions, seen.spectra)
        fractions = plain["composition"].shape[1] if "composition" in plain else 0
        return find_output_warping(side_by_side_inputs(plain), values, fractions, self.seed)

    def _kernel_part(
        self,
        preset: Preset,
        seen: MaterialsLibrary,
        standard: Tensor,
        drawn: list[NDArray[np.intp]],
        target: str,
        progress: Progress | None,
    ) -> tuple[KernelParts | None, Tensor]:
        """Divide the inputs by length scales and fit the kernel models, if the preset has them.

        Censored values are replaced by held-out predictions that lie beyond the limit.
        """
        if preset.sharpness is None:
            return None, standard
        plain = self.inputs_(seen.compositions, seen.spectra, standard.device)
        fractions = plain["composition"].shape[1] if "composition" in plain else 0
        inputs = side_by_side_inputs(plain)
        few = max(2, self.n_models // _MEMBERS) if len(seen) > _MANY else _SEARCHES
        times = min(_SEARCHES, few)
        rows = torch.arange(len(seen))
        if self._searched is not None and len(seen) > self._searched:
            times = 1
            rows = torch.from_numpy(np.random.default_rng(self.seed).permutation(len(seen))[: self._searched])
        found = find_covariances(
            inputs[rows], standard[rows], fractions, self.seed, sums=_SUMS, times=times, progress=progress
        )
        shared = _shared_length_scales([one.length_scales for one in found])
        self.inputs_ = self.inputs_.with_sums(found[0].weights).rescaled(preset.sharpness / shared)
        covariances = [replace(one, length_scales=preset.sharpness * one.length_scales / shared) for one in found]
        inputs = side_by_side_inputs(self.inputs_(seen.compositions, seen.spectra, standard.device))
        kernel, censored = KernelParts.fit(covariances, inputs, standard, drawn), seen.censoring(target)
        if not censored.any():
            return kernel, standard
        sign, start, held = torch.tensor(censored).to(standard), standard, HeldOut.from_rows(drawn, len(seen))
        for _ in range(_ROUNDS):
            predicted = torch.from_numpy(held.summary(kernel.values(inputs).double().cpu().numpy())[0]).to(standard)
            standard = start + sign * (sign * (predicted - start)).nan_to_num(0).clamp(min=0)
            kernel = KernelParts.fit(covariances, inputs, standard, drawn)
        return kernel, standard

    def _mix(
        self,
        networks: Ensemble,
        kernel: KernelParts | None,
        data: TrainingSet,
        rows: NDArray[np.intp],
        library: MaterialsLibrary,
    ) -> None:
        """Weigh the two parts by their held-out errors; keep what members say of samples that they did not see."""
        held = HeldOut.from_rows(data.rows, len(rows))
        values = networks.values(data.inputs).double().cpu().numpy()
        share = 0.0
        if kernel is not None:
            more = kernel.values(side_by_side_inputs(data.inputs)).double().cpu().numpy()
            share = held.share(more, values, data.target.double().cpu().numpy())
            values += share * (more - values)
            kernel = kernel.centred()
        self.ensemble_ = Mixture(networks, kernel, share)
        self.held_out_, self.held_out_spread_ = np.full((2, len(library)), np.nan)
        self.held_out_[rows], self.held_out_spread_[rows] = held.summary(self.warp_.values(values))

    def _values(self) -> Array:
        return learned_target(self).values(self.library_)

    def _samples(self, given: LibraryLike) -> MaterialsLibrary:
        """The samples to predict, which have the components and the axis of the training data."""
        check_is_fitted(self, "ensemble_")
        library = as_library(given, self.components_)
        if library.components != self.components_:
            raise InputError(
                f"the model learned from the components {', '.join(self.components_)} and the library has "
                f"{', '.join(library.components)}; give the same ones in the same order."
            )
        if self.axis_ is not None and (library.axis is None or not np.allclose(library.axis, self.axis_)):
            raise InputError(
                "the spectra of this library are missing or on another axis than the training data; give spectra on "
                "the same axis."
            )
        return library


def _given(library: LibraryLike, target: str | ArrayLike | None) -> tuple[MaterialsLibrary, str | None]:
    """The library with its figure of merit, and the name of this one where it is needed."""
    if target is None or isinstance(target, str):
        return as_library(library, target=target), target
    name = str(getattr(target, "name", None) or "target")
    return with_values(as_library(library, target=name), target, name), name


def _shared_length_scales(each: list[Array]) -> Array:
    """Lengths of the networks' inputs: typical ones; a sum that one in K searches found counts for one in K."""
    length_scales = np.array(each)
    there = np.isfinite(length_scales)
    typical = np.exp(np.where(there, np.log(length_scales), 0).sum(0) / there.sum(0))
    return np.asarray(typical * np.sqrt(len(length_scales) / there.sum(0)))
