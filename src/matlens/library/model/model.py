"""A model of a materials library: an ensemble of small networks, in scikit-learn's manners."""

from __future__ import annotations

import os
from collections.abc import MutableMapping
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, RegressorMixin
from sklearn.utils.validation import check_is_fitted
from torch import Tensor

from matlens.core.device import chosen_device
from matlens.core.intervals import conformal_factor
from matlens.errors import InputError
from matlens.hooks import Progress, Silent, StateStore
from matlens.library.model.ensemble import Ensemble, train
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
_SUMS = 3  # of fractions, in which components that act alike weigh the same
_SEARCHES = 4  # for them, each of which gives a share of the members: what one finds by chance others do not
_ELSEWHERE = ("preprocessing", "device", "cache")  # parameters stored otherwise, or of the machine and not of the model
_FITTED = ("ensemble_", "warp_", "library_", "target_", "unit_", "chains_tried_", "held_out_", "held_out_spread_")
_ROUNDS = 3  # of believing the model beyond a limit, each of which moves it further


class LibraryModel(RegressorMixin, BaseEstimator):  # type: ignore[misc]
    """Predict a figure of merit from composition and spectrum, and say what it depends on.

    In the preset ``"default"`` inputs are scaled to where they matter, and each member is a network and a Gaussian
    process of its samples, weighed by held-out errors. All members of the ensemble are trained side by side. They
    differ in their random numbers and, unless ``resample="none"``, in the compositions they have seen; those they have
    not seen give the intervals.

    Parameters
    ----------
    preset : {"default", "umehara2019"}
        Networks and training: what measured best, or those of Umehara et al. (2019), exactly.
    inputs : {"auto", "composition", "spectrum", "both"}
        What the networks see; ``"auto"``: everything the library has.
    n_models : int
        Members.
    resample : {"auto", "none", "bootstrap", "groups"}
        What members see: all rows; compositions drawn with replacement; all but a tenth of the compositions.
        ``"auto"`` is the preset's own.
    preprocessing : Preprocessing, optional
        From the intensities of the file to those learned from; ``Preprocessing()`` for none. Without, the preset's
        own: in ``"default"`` whichever of a few chains predicts held-out compositions best (`chains_tried_`).
    transform : {"none", "log10"}
        Scale on which the figure of merit is predicted and differentiated. Within, ``"default"`` learns on a bent one
        where the data make that much more likely (`warp_`).
    seed : int
        Of everything drawn.
    device : {"auto", "cpu", "cuda"}
        Where the networks are trained.
    cache : mutable mapping, optional
        Remembers which preprocessing was chosen for which samples; models that are compared share one.

    Attributes
    ----------
    target_, unit_ : str
        Figure of merit and its unit on the learned scale.
    library_ : MaterialsLibrary
        The samples it was fitted to.
    held_out_ : ndarray, shape (n,)
        For each of these samples the mean of the members that did not see its composition; NaN where all did or the
        figure of merit is missing.
    chains_tried_ : dict
        R squared, on compositions held out, of a Gaussian process with each chain that was tried; empty where none was.
    warp_ : OutputWarping
        From that scale to the one within, and back.
    components_, axis_, members_, uses_composition_, uses_spectrum_, preprocessing_
        As in `Response`.

    Notes
    -----
    Umehara et al., npj Comput. Mater. 5, 34 (2019), train 150 such networks one after the other.

    Examples
    --------
    >>> random = np.random.default_rng(0)
    >>> x = random.dirichlet([1, 1, 1], 60)
    >>> library = MaterialsLibrary(x, ("Fe", "Ga", "Pd"), {"P": x[:, 0] + 2 * x[:, 1] * x[:, 2]})
    >>> model = LibraryModel(n_models=4).fit(library)
    >>> bool(model.score(library) > 0.9)
    True
    """

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
        library: MaterialsLibrary,
        target: str | None = None,
        *,
        progress: Progress | None = None,
        checkpoint: StateStore | None = None,
    ) -> LibraryModel:
        """Train on all samples that have the figure of merit.

        Parameters
        ----------
        library : MaterialsLibrary
            What to learn from.
        target : str, optional
            Figure of merit; not needed where there is only one.
        progress, checkpoint : optional
            `progress`: called with epochs done and total. `checkpoint`: stores the state of each chunk of members, so
            that training can resume where it stopped and ends with the same bytes.

        Raises
        ------
        InputError
            If an option is not known, spectra are asked for and missing, or the figure of merit cannot be learned.
        Interrupted
            On KeyboardInterrupt, with the state saved.
        """
        preset, device = self._checked()
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

    def predict(self, library: MaterialsLibrary) -> Array:
        """Mean of the members, shape (n,)."""
        mean: Array = self.predict_members(library).mean(0)
        return mean

    def predict_members(self, library: MaterialsLibrary) -> Array:
        """Prediction of each member, shape (m, n).

        Raises
        ------
        InputError
            If the library has other components, or no spectra on the axis of those learned from.
        """
        self._check_library(library)
        return self.respond(library.compositions, library.spectra if self.uses_spectrum_ else None)

    def predict_interval(self, library: MaterialsLibrary, coverage: float = 0.9) -> Array:
        """Lower and upper end, shape (n, 2), of intervals that hold a new composition's value as often as asked.

        The spread of the members, with the usual error as its floor, is scaled by what it takes to hold the samples
        that members did not see (conformal; each composition counts the same).

        Raises
        ------
        InputError
            If all members saw all samples, so that nothing says how far they are off; or ``coverage`` is no share.
        """
        members = self.predict_members(library)
        if not 0 < coverage < 1:
            raise InputError(f"coverage {coverage!r} must lie between 0 and 1, e.g. 0.9.")
        known = np.isfinite(self.held_out_) & (self.library_.censoring(self.target_) == 0)
        if not known.any():
            raise InputError(
                "all members of this ensemble saw all samples, so that nothing tells how far off they are; fit with "
                "resample='groups' for intervals."
            )
        errors = np.abs(self._values() - self.held_out_)[known]
        floor = float(np.median(errors))
        scores = errors / np.hypot(self.held_out_spread_[known], floor)
        factor = conformal_factor(scores, self.library_.replicates()[known], coverage)
        mean, half = members.mean(0), factor * np.hypot(members.std(0), floor)
        return np.stack([mean - half, mean + half], axis=1)

    def score(self, library: MaterialsLibrary) -> float:
        """R squared on the samples whose figure of merit was measured, and is not censored."""
        value = learned_target(self).values(library)
        there = ~np.isnan(value) & (library.censoring(self.target_) == 0)
        error = np.square(value - self.predict(library))[there].sum()
        return float(1 - error / np.square(value[there] - value[there].mean()).sum())

    def respond(self, compositions: ArrayLike, spectra: ArrayLike | None) -> Array:
        """Prediction of each member, shape (m, n), at fractions (n, D) and file intensities (n, C)."""
        check_is_fitted(self, "ensemble_")
        values = self.ensemble_.values(self.inputs_(compositions, spectra, chosen_device(self.device)))
        return self.warp_.values(values.double().cpu().numpy())

    def gradients(
        self, compositions: ArrayLike, spectra: ArrayLike | None, *, progress: Progress | None = None
    ) -> Gradients:
        """Predictions and their partial derivatives with respect to fractions and file intensities, of each member."""
        check_is_fitted(self, "ensemble_")
        inputs = self.inputs_(compositions, spectra, chosen_device(self.device))
        values, slopes = self.ensemble_.gradients(inputs, progress or Silent())
        standard = values.double().cpu().numpy()
        steep = torch.from_numpy(self.warp_.gradient(standard)).to(values)[..., None]
        of_fractions, of_spectra = self.inputs_.back(
            {name: slope.mul_(steep) for name, slope in slopes.items()}, compositions, spectra
        )
        return Gradients(self.warp_.values(standard), of_fractions, of_spectra)

    def gradient_errors(self, compositions: ArrayLike, spectra: ArrayLike | None) -> GradientErrors | None:
        """How well the gradients are known, shape of `gradients`; None in presets that do not tell.

        Notes
        -----
        Posterior covariance of a Gaussian process's value and slopes (Rasmussen and Williams, Gaussian Processes for
        Machine Learning, 2006, section 9.4), and how far its mean and the networks' lie apart.
        """
        check_is_fitted(self, "ensemble_")
        inputs = self.inputs_(compositions, spectra, chosen_device(self.device))
        known = self.ensemble_.known(inputs)
        if known is None:
            return None
        found, errors = (each.cpu().numpy() for each in known)
        standard, mean = found[:, 0], found[:, 1:]
        steep, bent = self.warp_.gradient(standard), self.warp_.curvature(standard)
        # of the slopes' product with that of the warp, which itself depends on the value
        turn = np.concatenate([(bent[:, None] * mean)[:, :, None], steep[:, None, None] * np.eye(mean.shape[1])], 2)
        covariance = turn @ errors @ turn.transpose(0, 2, 1)
        each = torch.eye(mean.shape[1])[:, None].expand(-1, len(mean), -1)
        parts = torch.split(each, [x.shape[1] for x in inputs.values()], 2)
        features = side_by_side_inputs(inputs).T.double().cpu().numpy()
        return GradientErrors(
            Gradients(features, *self.inputs_.back(dict(zip(inputs, parts)), compositions, spectra)), covariance
        )

    def save(self, folder: str | os.PathLike[str]) -> Path:
        """Write the fitted model: ``model.json`` (what it is) and ``arrays.safetensors`` (weights, and the library).

        Parameters
        ----------
        folder : path-like
            Made if missing; a model in it is replaced.

        Returns
        -------
        Path
            The folder.
        """
        check_is_fitted(self, "ensemble_")
        parameters = {name: value for name, value in self.get_params().items() if name not in _ELSEWHERE}
        own = self.preprocessing is not None
        values = {name.removesuffix("_"): getattr(self, name) for name in _FITTED}
        return write_state(FittedState(parameters, own, self.inputs_, **values), folder)

    @classmethod
    def load(cls, folder: str | os.PathLike[str], *, device: str = "auto") -> LibraryModel:
        """Read a model that `save` or ``matlens learn`` wrote, and check that it predicts as it did.

        Parameters
        ----------
        folder : path-like
            Where it lies.
        device : {"auto", "cpu", "cuda"}
            Where it is to predict.

        Returns
        -------
        LibraryModel

        Raises
        ------
        InputError
            If there is no model.
        ResourceError
            If it is damaged, or predicts otherwise than when it was written.

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
        chain = state.inputs.preprocessing if state.own_preprocessing else None
        model = cls(**state.parameters, preprocessing=chain, device=device)
        model.inputs_, model.resample_ = state.inputs, PRESETS[model.preset].resampling(model.resample)
        for name in _FITTED:
            setattr(model, name, getattr(state, name.removesuffix("_")))
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
        """As asked; else the preset's own, or whichever of those that it tries does best."""
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
        """Set what follows from the library and the trained networks."""
        self.components_ = self.library_.components
        self.axis_ = self.inputs_.axis
        self.members_ = self.ensemble_.members
        self.uses_composition_ = self.inputs_.uses_composition
        self.uses_spectrum_ = self.inputs_.uses_spectrum
        self.preprocessing_ = self.inputs_.preprocessing

    def _warp(self, preset: Preset, seen: MaterialsLibrary, values: Array) -> OutputWarping:
        """As it stands, or as evidence says if the preset looks for any."""
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
        """Scale the inputs to where they matter and fit each member's sum over its samples, if the preset has one.

        Where a figure of merit is censored, what members that did not see it say beyond the limit takes its place.
        """
        if preset.sharpness is None:
            return None, standard
        plain = self.inputs_(seen.compositions, seen.spectra, standard.device)
        fractions = plain["composition"].shape[1] if "composition" in plain else 0
        inputs = side_by_side_inputs(plain)
        found = find_covariances(inputs, standard, fractions, self.seed, sums=_SUMS, times=_SEARCHES, progress=progress)
        shared = _shared_length_scales([one.length_scales for one in found])
        self.inputs_ = self.inputs_.with_sums(found[0].weights).rescaled(preset.sharpness / shared)
        covariances = [replace(one, length_scales=preset.sharpness * one.length_scales / shared) for one in found]
        inputs = side_by_side_inputs(self.inputs_(seen.compositions, seen.spectra, standard.device))
        kernel, censored = KernelParts.fit(covariances, inputs, standard, drawn), seen.censoring(target)
        if not censored.any():
            return kernel, standard
        sign, start, held = torch.tensor(censored).to(standard), standard, HeldOut.from_rows(drawn, len(seen))
        for _ in range(_ROUNDS):
            said = torch.from_numpy(held.summary(kernel.values(inputs).double().cpu().numpy())[0]).to(standard)
            standard = start + sign * (sign * (said - start)).nan_to_num(0).clamp(min=0)
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

    def _check_library(self, library: MaterialsLibrary) -> None:
        check_is_fitted(self, "ensemble_")
        if library.components != self.components_:
            raise InputError(
                f"the model learned from the components {', '.join(self.components_)} and the library has "
                f"{', '.join(library.components)}; give the same ones in the same order."
            )
        if self.axis_ is not None and (library.axis is None or not np.allclose(library.axis, self.axis_)):
            raise InputError(
                "the spectra of this library are missing or on another axis than those learned from; give spectra on "
                "the same axis."
            )


def _shared_length_scales(each: list[Array]) -> Array:
    """Lengths of the networks' inputs: typical ones; a sum that one in K searches found counts for one in K."""
    length_scales = np.array(each)
    there = np.isfinite(length_scales)
    typical = np.exp(np.where(there, np.log(length_scales), 0).sum(0) / there.sum(0))
    return np.asarray(typical * np.sqrt(len(length_scales) / there.sum(0)))
