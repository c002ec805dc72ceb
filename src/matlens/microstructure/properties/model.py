"""A model from microstructures to a property, with conformal intervals, in the interface of scikit-learn."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, MutableMapping, Sequence
from pathlib import Path
from typing import Any, Literal, cast

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, RegressorMixin
from sklearn.utils.validation import check_is_fitted

from matlens.core.atomic import Writing, writing_into
from matlens.core.intervals import conformal_factor
from matlens.core.model_files import MODEL, guarded_model
from matlens.core.nearness import Nearness
from matlens.core.splits import grouped_folds
from matlens.errors import InputError
from matlens.hooks import Progress
from matlens.microstructure.encoders import Encoder, Padding, load_encoder
from matlens.microstructure.properties.data_sets.duality import with_exchanged_phases
from matlens.microstructure.properties.data_sets.labelling import as_set, labelled
from matlens.microstructure.properties.data_sets.structure_set import StructureSet
from matlens.microstructure.properties.data_sets.symmetry import View, component, views
from matlens.microstructure.properties.features import (
    EncoderFeatures,
    Features,
    Labels,
    TwoPointMap,
    VolumeFractions,
    layers_to,
    layers_within,
)
from matlens.microstructure.properties.heads import HEADS, HeadKind
from matlens.microstructure.properties.learners import FeatureLearner, Learner, Training
from matlens.microstructure.properties.lengths import CorrelationLengths
from matlens.microstructure.properties.network import FREEDOMS, NetworkLearner
from matlens.microstructure.properties.scales import Scale, ScaleKind
from matlens.microstructure.properties.selection import FOLDS, select
from matlens.microstructure.properties.storage import FittedState, StoredModel, write_state
from matlens.microstructure.pruning import read_recommendation

__all__ = ["StructurePropertyModel"]

Array = NDArray[np.float64]
Rows = tuple[Labels, Array, NDArray[Any]]  # structures, values on the scale, groups
FeatureKind = Literal["encoder", "two-point", "volume-fraction"]
_EXAMPLES = 2  # training structures that a stored model is checked with
_ELSEWHERE = ("encoder", "device", "cache")  # parameters that belong to the machine, not to the model
_PLAIN = (str, bool, int, float, tuple, dict)  # types of fitted attributes that JSON can represent
_GRAM = 32  # mixed channels of a compressed Gram matrix
_AUTO_HEADS: tuple[HeadKind, ...] = ("ridge", "gp")


class StructurePropertyModel(RegressorMixin, BaseEstimator):  # type: ignore[misc]
    """Predict a property of microstructures from few labelled ones.

    Activations of a pre-trained network are pooled and reduced to principal components, to which a regression is
    fitted; or the network itself is fine-tuned. Structures whose property tensor is known are learned in every order of
    their axes. Intervals are calibrated by errors on structures held out in groups.

    Parameters
    ----------
    encoder : str or Encoder
        ``"auto"``, a key of `matlens.microstructure.encoders.ENCODERS`, or an encoder.
    depth : str
        Layer after which the encoder is cut; the folder of a pruning study, which recommends one; or ``"auto"``, chosen
        by grouped cross-validation within the training structures.
    features : {"encoder", "two-point", "volume-fraction"}
        Features that the regression learns from; the latter two are the classical baselines.
    extras : sequence of str
        Further features beside the encoder's: ``"gram"`` (a compressed Gram matrix of each layer),
        ``"volume-fractions"``, ``"correlation-lengths"``.
    head : str
        ``"ridge"``, ``"gp"``, ``"boosting"``, ``"auto"`` (ridge or Gaussian process, by cross-validation), or the
        network itself: ``"network-frozen"``, ``"network-partly-frozen"``, ``"network-free"``, ``"network-scratch"``.
    scale : {"auto", "linear", "log", "bounds"}
        Scale on which the property is learned. ``"auto"`` is ``"bounds"`` if ``phase_values`` are given and the target
        lies on a tensor's diagonal; else ``"log"`` if all values are positive and range over more than a factor 3; else
        ``"linear"``.
    phase_values : sequence of float, optional
        Property of each phase alone, in the target's unit; by default unknown.
    coverage : float or None
        Share of new structures that should lie inside the intervals; None for no intervals, which saves the five fits
        on folds (useful for networks).
    symmetry : bool
        Whether structures are learned with their axes exchanged too, if the tensor is known, and in 2-D with their two
        phases exchanged, if the conductivities of the phases are known (`with_exchanged_phases`).
    seed : int
        Seed of folds and of training.
    device : {"auto", "cpu", "cuda"}
        Device of the encoder.
    cache : mutable mapping, optional
        Features computed before, by the content of their structure; by default, each fit computes them.

    Attributes
    ----------
    target_ : str
        Name of the property.
    chosen_ : dict
        Encoder, depth, head and scale as resolved.
    held_out_ : DataFrame
        For each training structure: value, prediction without its group, and whether that interval contains the value.
    selection_ : DataFrame
        Error of each candidate in cross-validation.

    Notes
    -----
    Li et al., Sci. Rep. 8, 13461 (2018), transfer the layers that pruning keeps. Intervals are split-conformal: Lei et
    al., J. Am. Stat. Assoc. 113, 1094 (2018).

    Examples
    --------
    >>> from matlens.microstructure.problems import gaussian_field
    >>> labels = np.stack([gaussian_field((32, 32), 4.0, fraction=0.2 + 0.02 * i, seed=i).labels for i in range(20)])
    >>> y = labels.mean((1, 2)) ** 2
    >>> model = StructurePropertyModel(features="volume-fraction").fit(labels, y)
    >>> bool(model.score(labels, y) > 0.99)
    True
    """

    def __init__(
        self,
        encoder: str | Encoder = "auto",
        *,
        depth: str = "auto",
        features: FeatureKind = "encoder",
        extras: Sequence[str] = (),
        head: str = "auto",
        scale: str = "auto",
        phase_values: Sequence[float] | None = None,
        coverage: float | None = 0.9,
        symmetry: bool = True,
        seed: int = 0,
        device: str = "auto",
        cache: MutableMapping[str, Any] | None = None,
    ) -> None:
        self.encoder, self.depth, self.features, self.head = encoder, depth, features, head
        self.extras = extras
        self.scale, self.phase_values, self.coverage = scale, phase_values, coverage
        self.symmetry, self.seed, self.device, self.cache = symmetry, seed, device, cache

    def fit(
        self,
        structures: StructureSet | ArrayLike,
        y: ArrayLike | Mapping[str, ArrayLike] | str | None = None,
        *,
        target: str | None = None,
        progress: Progress | None = None,
    ) -> StructurePropertyModel:
        """Fit the model to labelled structures.

        Parameters
        ----------
        structures : StructureSet or array_like of int, shape (n, *space)
            Structures; groups and periodicity are those of the set (for an array, each structure is its own group and
            not periodic).
        y : array_like of shape (n,), mapping of name to such, or str
            Values of the property; or a table of components (``k_00``, ``k_11``), of which ``target`` is learned and
            the others label the structures with exchanged axes; or the name of a target of the set.
        target : str, optional
            Name of the property in a table; by default the only one.
        progress : Progress, optional
            Called with structures done and total while features are computed, or with steps of training.

        Returns
        -------
        StructurePropertyModel
            This object.

        Raises
        ------
        InputError
            If labels are missing, not finite or constant, there are fewer groups than folds, or an option is unknown.
        """
        if self.coverage is not None and not 0 < self.coverage < 1:
            raise InputError(f"the coverage must lie between 0 and 1, found {self.coverage:g}; choose e.g. 0.9.")
        data, self.target_ = labelled(structures, y, target)
        self._remember(data)
        grown = with_exchanged_phases(data, self.target_, self.phase_values) if self.symmetry else data
        seen = _views(grown, self.target_) if self.symmetry else views(self.target_, [], len(data.shape))
        labels = np.concatenate([view.see(grown.labels) for view in seen])
        raw = np.concatenate([grown.targets[view.column].to_numpy(np.float64) for view in seen])
        groups = np.tile(grown.groups, len(seen))
        fractions = np.tile(grown.volume_fractions, (len(seen), 1))
        self.scale_ = self._scale(raw)
        values = self.scale_.forward(raw, fractions)
        self._choose(labels, values, groups, progress)
        natural = np.tile(np.arange(len(grown)) < len(data), len(seen))
        self._calibrate(data, (labels, values, groups), natural, progress)
        self.learner_ = self._learner().fit(labels, values, progress)
        # No interval was calibrated on derived structures: they do not widen what is known.
        self.domain_ = Nearness.fit(self.learner_.embed(labels[natural]), groups[natural])
        self.training_ = Training(self.learner_.rows(labels), values, groups, natural, labels[:_EXAMPLES])
        return self

    def predict(self, structures: StructureSet | ArrayLike, progress: Progress | None = None) -> Array:
        """Predict the property of structures.

        Parameters
        ----------
        structures : StructureSet or array_like of int, shape (n, *space)
            Structures of as many dimensions and phases as those the model was fitted to.
        progress : Progress, optional
            Called with structures done and total.

        Returns
        -------
        ndarray, shape (n,)
            Predictions in the target's unit.

        Raises
        ------
        NotFittedError
            If the model has not been fitted.
        InputError
            If the structures do not fit the model.
        """
        labels, fractions = self._prepared(structures)
        return self.scale_.inverse(self.learner_.predict(labels, progress)[0], fractions)

    def predict_interval(self, structures: StructureSet | ArrayLike, progress: Progress | None = None) -> pd.DataFrame:
        """Predict the property with intervals of the model's coverage.

        Parameters
        ----------
        structures : StructureSet or array_like of int, shape (n, *space)
            Structures of as many dimensions and phases as those the model was fitted to.
        progress : Progress, optional
            Called with structures done and total.

        Returns
        -------
        DataFrame
            ``predicted``, ``low`` and ``high`` in the target's unit; ``distance`` to the training structures, with 1
            as the limit, and ``in_domain``: if it is False, the coverage of the interval is not known. ``low`` and
            ``high`` are NaN if ``coverage`` is None.

        Raises
        ------
        NotFittedError
            If the model has not been fitted.
        InputError
            If the structures do not fit the model.

        Notes
        -----
        Lei et al., J. Am. Stat. Assoc. 113, 1094 (2018).
        """
        labels, fractions = self._prepared(structures)
        mean, std = self.learner_.predict(labels, progress)
        half = self.factor_ * np.hypot(std, self.floor_)
        limits = [mean, mean - half, mean + half]
        found = pd.DataFrame(
            dict(zip(("predicted", "low", "high"), (self.scale_.inverse(x, fractions) for x in limits)))
        )
        found["distance"] = self.domain_.distance(self.learner_.embed(labels))
        found["in_domain"] = found["distance"] <= 1
        return found

    def score(
        self,
        structures: StructureSet | ArrayLike,
        y: ArrayLike | str | None = None,
        sample_weight: ArrayLike | None = None,
    ) -> float:
        """Compute R squared; of the logarithm if the property was learned on the scale ``log`` or ``bounds``.

        Parameters
        ----------
        structures : StructureSet or array_like of int, shape (n, *space)
            Structures.
        y : array_like of shape (n,), or str, optional
            Values of the property, or the name of a target of the set; by default the one that was learned.
        sample_weight : array_like, shape (n,), optional
            Weights; by default equal.

        Returns
        -------
        float
            R squared.
        """
        from sklearn.metrics import r2_score

        if (y is None or isinstance(y, str)) and isinstance(structures, StructureSet):
            name = self.target_ if y is None else y
            if name not in structures.targets:
                raise InputError(
                    f"found no target {name!r}; this set has {', '.join(map(str, structures.targets)) or 'none'}."
                )
            y = structures.targets[name]
        pair = np.asarray(y, np.float64), self.predict(structures)
        if self.scale_.kind != "linear":
            pair = np.log(pair[0]), np.log(pair[1])
        return float(r2_score(*pair, sample_weight=sample_weight))

    def save(self, folder: str | os.PathLike[str]) -> Path:
        """Write the fitted model: ``model.json`` (settings and facts) and ``arrays.safetensors`` (data and weights).

        Parameters
        ----------
        folder : path-like
            Folder, which is made if it does not exist; a model in it is replaced.

        Returns
        -------
        Path
            The folder.

        Raises
        ------
        NotFittedError
            If the model has not been fitted.
        RunError
            If a file cannot be written.
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
        check_is_fitted(self, "learner_")
        parameters = {name: value for name, value in self.get_params(deep=False).items() if name not in _ELSEWHERE}
        fitted = {name.removesuffix("_"): value for name, value in vars(self).items() if name.endswith("_")}
        facts = {name: value for name, value in fitted.items() if isinstance(value, _PLAIN)}
        parts = self.scale_, self.learner_, self.training_, self.held_out_, self.selection_
        write_state(FittedState(parameters, facts, *parts), writing)

    @classmethod
    def load(
        cls,
        folder: str | os.PathLike[str],
        *,
        encoder: Encoder | None = None,
        device: str = "auto",
        cache: MutableMapping[str, Any] | None = None,
    ) -> StructurePropertyModel:
        """Read a model that `save` or ``matlens learn`` wrote, and check that it predicts as it did.

        Parameters
        ----------
        folder : path-like
            Folder of the model, e.g. the run directory of ``matlens learn``.
        encoder : Encoder, optional
            The encoder that the model was trained with; by default the registered one of its name.
        device : {"auto", "cpu", "cuda"}
            Device of the encoder.
        cache : mutable mapping, optional
            Features computed before, by the content of their structure.

        Returns
        -------
        StructurePropertyModel
            The fitted model.

        Raises
        ------
        InputError
            If the folder holds no model.
        ResourceError
            If the model is damaged, the encoder is missing or has other weights, or a prediction differs from the one
            stored.

        Examples
        --------
        >>> import tempfile
        >>> labels = (np.arange(16).reshape(1, 4, 4) < np.arange(2, 14)[:, None, None]) * 1
        >>> model = StructurePropertyModel(features="volume-fraction", head="ridge").fit(labels, np.arange(12.0))
        >>> again = StructurePropertyModel.load(model.save(tempfile.mkdtemp()))
        >>> bool(np.allclose(again.predict(labels), model.predict(labels)))
        True
        >>> StructurePropertyModel.load("nowhere")
        Traceback (most recent call last):
        matlens.errors.InputError: nowhere holds no model (no model.json); name a folder that 'matlens learn' wrote.
        """
        stored = StoredModel(folder)
        with guarded_model(stored.place / MODEL):
            parameters = stored.parameters() | ({} if encoder is None else {"encoder": encoder})
            model = cls(**parameters, device=device, cache=cache)
            for name, value in stored.attributes().items():
                setattr(model, name, value)
            model.learner_ = stored.learner(lambda depth: model._features(depth)[0], device)
            model.domain_ = stored.domain(model.learner_)
        return model

    def _remember(self, data: StructureSet) -> None:
        """Store the properties that later structures must share."""
        self.phases_, self.periodic_, self.ndim_ = len(data.phase_names), data.periodic, len(data.shape)
        self.spacing_, self.unit_, self.shape_ = data.spacing, data.unit, data.shape
        self.chosen_: dict[str, Any] = {}
        self._learner: Callable[[], Learner]
        self.selection_ = pd.DataFrame(columns=["depth", "head", "error"])

    def _scale(self, values: Array) -> Scale:
        kind = self.scale
        if kind == "auto":
            place = component(self.target_)
            diagonal = place is not None and place[0] == place[1]
            positive = bool(values.min() > 0)
            wide = positive and values.max() > 3 * values.min()
            known = bool(self.phase_values) and min(self.phase_values or (0,)) > 0
            kind = "bounds" if known and diagonal and positive else "log" if wide else "linear"
        if kind not in ("linear", "log", "bounds"):
            raise InputError(f"scale {kind!r} is not known; choose auto, linear, log or bounds.")
        self.chosen_["scale"] = kind
        return Scale(cast("ScaleKind", kind), tuple(map(float, self.phase_values or ())) if kind == "bounds" else ())

    def _choose(self, labels: Labels, values: Array, groups: NDArray[Any], progress: Progress | None) -> None:
        """Resolve features, depth and head; open choices are made by grouped cross-validation."""
        if self.head.startswith("network-"):
            freedom = self.head.removeprefix("network-")
            if freedom not in FREEDOMS:
                raise InputError(
                    f"a network of {self.head!r} is not known; choose network-{', network-'.join(FREEDOMS)}."
                )
            if self.features != "encoder":
                raise InputError(f"a network learns from pictures, not from {self.features}; use the head ridge or gp.")
            encoder, kind = self._encoder(), freedom
            depth = self._deepest(encoder, self.depth)
            self._learner = lambda: NetworkLearner(
                encoder, depth, kind, phases=self.phases_, periodic=self.periodic_, seed=self.seed
            )
            self.chosen_ |= {"encoder": encoder.name, "depth": depth, "head": self.head}
            return
        if self.head not in ("auto", *HEADS):
            raise InputError(f"head {self.head!r} is not known; choose auto, {', '.join(HEADS)} or a network.")
        features, depths = self._features()
        rows = features(labels, progress)
        columns = {"": np.ones(rows.shape[1], bool)}
        if isinstance(features, EncoderFeatures):
            columns = {depth: features.columns(depth, rows.shape[1]) for depth in depths}
            self.chosen_["encoder"] = features.encoder.name
        heads = _AUTO_HEADS if self.head == "auto" else (cast("HeadKind", self.head),)
        depth, head = next(iter(columns)), heads[0]
        if len(columns) * len(heads) > 1:
            self.selection_ = select(rows, values, groups, columns, heads, self.seed, not features.one_scale)
            depth, head = str(self.selection_.at[0, "depth"]), cast("HeadKind", self.selection_.at[0, "head"])
        self.chosen_ |= {"features": features.name, "depth": depth, "head": head}
        self._learner = lambda: FeatureLearner(features, head, columns[depth])

    def _encoder(self) -> Encoder:
        if isinstance(self.encoder, Encoder):
            return self.encoder
        return load_encoder(self.encoder, device=self.device).for_phases(self.phases_)

    def _features(self, depth: str = "") -> tuple[Features, list[str]]:
        """Return the features to a depth, by default the one asked for, and the depths to choose from."""
        if self.features == "volume-fraction":
            return VolumeFractions(self.phases_), []
        if self.features == "two-point":
            return TwoPointMap(self.phases_, self.periodic_), []
        if self.features != "encoder":
            raise InputError(f"features {self.features!r} are not known; choose encoder, two-point or volume-fraction.")
        encoder = self._encoder()
        asked = depth or self.depth
        deepest = self._deepest(encoder, asked)
        layers = layers_to(encoder, deepest)
        cache = {} if self.cache is None else self.cache
        padding: Padding = "circular" if self.periodic_ else "reflect"
        if asked == "auto":
            layers = layers_within(encoder, layers, padding, self.phases_, self.shape_)
        place = component(self.target_)
        along = place[0] if place is not None and place[0] == place[1] < self.ndim_ == 3 else 0
        gram = _GRAM if "gram" in self.extras else 0
        extras = self._extras()
        found = EncoderFeatures(
            encoder, layers, self.phases_, padding, axis=along, gram=gram, extras=extras, cache=cache
        )
        return found, list(layers) if asked == "auto" else [deepest]

    def _extras(self) -> tuple[Features, ...]:
        known = {
            "gram": None,
            "volume-fractions": VolumeFractions(self.phases_),
            "correlation-lengths": CorrelationLengths(self.phases_, self.periodic_),
        }
        if unknown := [name for name in self.extras if name not in known]:
            raise InputError(f"extra features {unknown[0]!r} are not known; choose among {', '.join(known)}.")
        return tuple(feature for name in self.extras if (feature := known[name]) is not None)

    def _deepest(self, encoder: Encoder, depth: str) -> str:
        """Return the layer after which the encoder is cut; ``depth`` may be a pruning study that recommends one."""
        if depth == "auto":
            return encoder.layers[-1].name
        names = [layer.name for layer in encoder.layers]
        return depth if depth in names or not Path(depth).is_dir() else read_recommendation(depth)

    def _calibrate(self, data: StructureSet, rows: Rows, natural: NDArray[np.bool_], progress: Progress | None) -> None:
        """Calibrate the width of the intervals on predictions by learners that did not see a structure's group."""
        self.factor_, self.floor_, self.held_out_ = float("nan"), 0.0, pd.DataFrame({"structure": data.names})
        if self.coverage is None:
            return
        labels, values, groups = rows
        mean, std = np.empty_like(values), np.empty_like(values)
        for train, held in grouped_folds(groups, FOLDS, self.seed + 1):
            learner = self._learner().fit(labels[train], values[train], progress)
            mean[held], std[held] = learner.predict(labels[held])
        # With few data the model's own standard deviation may be far too small; the median held-out error is its floor:
        # docs/decisions/0026-intervals-and-storage-of-property-models.md
        self.floor_ = float(np.median(np.abs(mean - values)[natural]))
        scores = np.abs(mean - values) / np.hypot(std, self.floor_)
        self.factor_ = conformal_factor(scores[natural], groups[natural], self.coverage)
        # The structures as they are come first; their other views follow.
        own = slice(0, len(data))
        self.held_out_["value"] = data.targets[self.target_].to_numpy(np.float64)
        self.held_out_["predicted"] = self.scale_.inverse(mean[own], data.volume_fractions)
        self.held_out_["inside"] = scores[own] <= self.factor_

    def _prepared(self, structures: StructureSet | ArrayLike) -> tuple[Labels, Array]:
        check_is_fitted(self, "learner_")
        data = as_set(structures)
        if len(data.shape) != self.ndim_ or int(data.labels.max(initial=0)) >= self.phases_:
            raise InputError(
                f"the model was trained on {self.ndim_}-D structures of {self.phases_} phases, found "
                f"{len(data.shape)}-D with labels up to {int(data.labels.max(initial=0))}; predict such structures."
            )
        if self.features == "two-point" and data.shape != self.shape_:
            raise InputError(
                f"a two-point map belongs to one size, found {_size(data.shape)} where the model was trained on "
                f"{_size(self.shape_)} pixels; crop to that size, or train on features of an encoder."
            )
        flat = data.labels.reshape(len(data), -1)
        return data.labels, np.stack([(flat == phase).mean(1) for phase in range(self.phases_)], 1)


def _views(data: StructureSet, target: str) -> list[View]:
    """List the orders of the axes to learn from: only one if another would change shape or spacing, or has no label."""
    if len(set(data.shape)) > 1 or len(set(data.spacing)) > 1:
        return views(target, [], len(data.shape))
    finite = np.isfinite(data.targets.to_numpy(np.float64)).all(0)
    return views(target, [str(name) for name in data.targets.columns[finite]], len(data.shape))


def _size(shape: Sequence[int]) -> str:
    return " x ".join(str(side) for side in shape)
