"""Predictive distribution of the figure of merit at compositions that were not measured."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import numpy as np
from numpy.typing import ArrayLike, NDArray

from matlens.library.gradients import (
    ERROR_FACTOR,
    AveragedTrend,
    CompositionResponse,
    design_of,
    fit_averaged_trend,
    fit_composition_response,
    without_spikes,
)
from matlens.library.model import Response
from matlens.library.model.targets import learned_target
from matlens.library.suggestions.left_out_regions import leave_regions_out, regions_of
from matlens.library.table import MaterialsLibrary

__all__ = ["PredictiveDistribution", "measured_merit", "predictive_distribution"]

Array = NDArray[np.float64]
_CHUNK = 2000  # compositions whose spectra are in memory at once
_FOLLOWED = 8  # residual spectra over which predictions at a composition are averaged


@runtime_checkable
class FollowsSpectra(Protocol):
    """Models that know how well they predict from spectra other than those recorded."""

    def held_out_with(self, spectra: ArrayLike | None) -> Array:
        """Return held-out predictions of the training samples with other spectra, shape (n,)."""


@runtime_checkable
class MixesKinds(Protocol):
    """Mixtures of models of several kinds."""

    def kinds(self, compositions: ArrayLike, spectra: ArrayLike | None) -> tuple[Array, Array]:
        """Return the prediction of each kind, shape (K, n), and its weight, shape (K, n)."""


@dataclass(frozen=True)
class PredictiveDistribution:
    """Predictive distribution of the figure of merit as a function of composition.

    Use `predictive_distribution` to make one. Spectra follow the composition as in the library. Because members of an
    ensemble can share errors, a Gaussian process of the errors at held-out compositions corrects the mean and adds its
    variance. The result is mixed with a second model, a Gaussian process on composition alone, weighted by held-out
    errors. Where both models differ the distribution is wider, and so it is where kinds of a mixture differ.

    Parameters
    ----------
    model : Response
        Fitted model.
    following : CompositionResponse or None
        Spectra as functions of composition; None if the model uses no spectra.
    errors : AveragedTrend or None
        Errors of the model at held-out compositions, as functions of composition.
    second : AveragedTrend or None
        Figure of merit as a function of composition alone; None if held-out errors of the model are unknown.
    weight : float
        Weight of the model, 0 to 1; the rest is the weight of ``second``.
    widening : float
        Ratio of the standard error to the standard deviation over members, see `ERROR_FACTOR`.
    stretch : float
        Factor by which errors in regions that were left out exceed what is expected of them (`LeftOutRegions.stretch`).

    Examples
    --------
    >>> from matlens.library.baselines import BASELINES
    >>> a = np.linspace(0, 1, 21)
    >>> library = MaterialsLibrary(np.stack([a, 1 - a], 1), ("A", "B"), {"P": 3 * a})
    >>> known = predictive_distribution(BASELINES["ridge"]().fit(library), library)
    >>> known.draws([[0.5, 0.5]], 100).mean().round(1)
    np.float64(1.5)
    """

    model: Response
    following: CompositionResponse | None
    errors: AveragedTrend | None
    second: AveragedTrend | None = None
    weight: float = 1.0
    widening: float = 1.0
    stretch: float = 1.0

    @property
    def noise(self) -> float:
        """Variance of one measured value about what `draws` draws: samples of equal composition differ."""
        scatter = self.second or self.errors
        return 0.0 if scatter is None else scatter.noise

    def members(self, compositions: ArrayLike, *, varied: bool = False) -> Array:
        """Predict with each member of the ensemble.

        Parameters
        ----------
        compositions : array_like, shape (n, D)
            Fractions.
        varied : bool
            Whether to average over spectra that vary as measured ones do at equal composition.

        Returns
        -------
        ndarray, shape (m, n)
            Predictions of m members.
        """
        x = np.asarray(compositions, np.float64)
        if self.following is None or not self.model.uses_spectrum_:
            return np.asarray(self.model.respond(x, None))
        residual = self.following.residual
        extra: Array = np.zeros((1, residual.shape[1]))
        if varied:
            extra = residual[np.linspace(0, len(residual) - 1, min(_FOLLOWED, len(residual))).astype(np.intp)]
        found = np.zeros((self.model.members_, len(x)))
        for first in range(0, len(x), _CHUNK):
            part = slice(first, first + _CHUNK)
            spectra = self.following.predict(x[part])
            for own in extra:
                found[:, part] += self.model.respond(x[part], self.following.bounded(spectra + own)) / len(extra)
        return found

    def expected(self, compositions: ArrayLike) -> Array:
        """Return the mean of the figure of merit at compositions of shape (n, D), shape (n,)."""
        return self.moments(compositions)[0]

    def moments(self, compositions: ArrayLike) -> tuple[Array, Array]:
        """Return mean and standard deviation of the figure of merit.

        Parameters
        ----------
        compositions : array_like, shape (n, D)
            Fractions.

        Returns
        -------
        mean, deviation : ndarray, shape (n,)
            Moments of the mixture of both models.
        """
        x = np.asarray(compositions, np.float64)
        members, (apart, shares) = self.members(x), self._apart(x)
        mean, variance = members.mean(0), self.widening**2 * members.var(0) + (shares * apart**2).sum(0)
        if self.errors is not None:
            mean, variance = mean + self.errors.predict(x), variance + self.errors.deviation(x) ** 2
        if self.second is None:
            return mean, self.stretch * np.sqrt(variance)
        other, share = self.second.predict(x), 1 - self.weight
        between = self.weight * share * (mean - other) ** 2
        both = self.weight * variance + share * self.second.deviation(x) ** 2 + between
        return self.weight * mean + share * other, self.stretch * np.sqrt(both)

    def confidence_bound(self, compositions: ArrayLike, sign: int = 1) -> Array:
        """Return the upper or lower confidence bound: the mean plus or minus one standard deviation.

        Srinivas et al., IEEE Trans. Inf. Theory 58, 3250 (2012).

        Parameters
        ----------
        compositions : array_like, shape (n, D)
            Fractions.
        sign : {1, -1}
            1 for the upper bound, -1 for the lower one.

        Returns
        -------
        ndarray, shape (n,)
            The bounds.
        """
        mean, deviation = self.moments(compositions)
        bound: Array = mean + sign * deviation
        return bound

    def draws(self, compositions: ArrayLike, count: int, seed: int = 0) -> Array:
        """Draw the true figure of merit (without measurement noise) jointly at several compositions.

        Parameters
        ----------
        compositions : array_like, shape (n, D)
            Fractions.
        count : int
            Number of draws; members of the ensemble take turns.
        seed : int
            Seed of the draws.

        Returns
        -------
        ndarray, shape (count, n)
            One row per draw.
        """
        x, random = np.asarray(compositions, np.float64), np.random.default_rng(seed)
        own = count if self.second is None else round(self.weight * count)
        members = self.members(x, varied=True)
        mean = members.mean(0)
        found: Array = mean + self.widening * (members - mean)[np.arange(own) % len(members)]
        apart, shares = self._apart(x)
        if len(apart) > 1:
            kind = (random.random(own)[:, None, None] > shares.cumsum(0)[:-1]).sum(1)
            found = found + np.take_along_axis(apart, kind, 0)
        if self.errors is not None:
            found = found + self.errors.draws(x, own, random)
        if self.second is not None:
            found = np.concatenate([found, self.second.draws(x, count - own, random)])
        middle = found.mean(0)
        stretched: Array = middle + self.stretch * (found - middle)
        return stretched

    def _apart(self, x: Array) -> tuple[Array, Array]:
        """How far each kind of a mixture is from their mean, and its weight, both of shape (K, n)."""
        if not isinstance(self.model, MixesKinds):
            return np.zeros((1, len(x))), np.ones((1, len(x)))
        found = []
        for first in range(0, len(x), _CHUNK):
            part = x[first : first + _CHUNK]
            spectra = None if self.following is None else self.following.bounded(self.following.predict(part))
            found.append(self.model.kinds(part, spectra))
        predicted, shares = (np.concatenate(each, 1) for each in zip(*found, strict=True))
        return predicted - (shares * predicted).sum(0), shares


def predictive_distribution(model: Response, library: MaterialsLibrary) -> PredictiveDistribution:
    """Fit the predictive distribution of a model at compositions that were not measured.

    Parameters
    ----------
    model : Response
        Fitted model.
    library : MaterialsLibrary
        Training samples of the model.

    Returns
    -------
    PredictiveDistribution
        Distribution as a function of composition.

    Examples
    --------
    >>> from matlens.library.baselines import BASELINES
    >>> a = np.linspace(0, 1, 21)
    >>> library = MaterialsLibrary(np.stack([a, 1 - a], 1), ("A", "B"), {"P": 3 * a})
    >>> predictive_distribution(BASELINES["ridge"]().fit(library), library).expected([[0.5, 0.5]]).round(1)
    array([1.5])
    """
    library = without_spikes(library, model.preprocessing_)
    following = fit_composition_response(library) if model.uses_spectrum_ else None
    # A composition that was not made has a predicted spectrum; errors with recorded ones would be too small.
    spectra = None if following is None else following.bounded(following.corrected - following.residual)
    held_out = np.asarray(getattr(model, "held_out_", np.nan), np.float64)
    honest = held_out.shape == (len(library),) and bool(np.isfinite(held_out).any())
    if not honest:
        # errors at unseen compositions are unknown; those at training compositions are a lower bound
        held_out = model.respond(library.compositions, spectra).mean(0)
    elif spectra is not None and isinstance(model, FollowsSpectra):
        held_out = model.held_out_with(spectra)
    values = measured_merit(model, library)
    left = values - held_out
    known = np.isfinite(left) & (library.censoring(model.target_) == 0)
    widening = _widening(model)
    if known.sum() <= len(library.components):
        return PredictiveDistribution(model, following, None, widening=widening)
    part, left = library.select(known), left[known]
    x, group = part.compositions, part.replicates()
    errors = fit_averaged_trend(x, left, design=design_of(x, group, linear=False))
    if not honest:
        return PredictiveDistribution(model, following, errors, widening=widening)
    second = fit_averaged_trend(x, values[known], group)
    count = np.bincount(group)
    missed = float(np.mean((np.bincount(group, left) / count) ** 2))
    also = float(np.mean(second.left_out**2))
    weight = also**2 / max(also**2 + missed**2, 1e-300)  # squares of mean squared errors: the better model dominates
    region = regions_of(x, group)
    far = None
    if region is not None and spectra is not None and isinstance(model, FollowsSpectra):
        far = values[known] - model.held_out_with(_predicted(library, np.flatnonzero(known), region, spectra))[known]
    regions = None if region is None else leave_regions_out(x, group, region, values[known], left, far)
    if regions is None:
        return PredictiveDistribution(model, following, errors, second, weight, widening)
    weight = min(weight, regions.weight())  # what a model is worth where there are neighbours may not hold beyond
    return PredictiveDistribution(model, following, errors, second, weight, widening, regions.stretch(weight))


def _predicted(library: MaterialsLibrary, rows: NDArray[np.intp], region: NDArray[np.intp], spectra: Array) -> Array:
    """Spectra of all samples; those of some rows are predicted from the other regions, shape (n, C)."""
    found = spectra.copy()
    for number in np.unique(region[region >= 0]):
        held, rest = rows[region == number], rows[(region >= 0) & (region != number)]
        known = fit_composition_response(library.select(rest))
        found[held] = known.bounded(known.predict(library.compositions[held]))
    return found


def _widening(model: Response) -> float:
    return ERROR_FACTOR.get(str(getattr(model, "resample_", "none")), 1.0)


def measured_merit(model: Response, library: MaterialsLibrary) -> Array:
    """Return the measured figure of merit on the scale of the model.

    Parameters
    ----------
    model : Response
        Fitted model.
    library : MaterialsLibrary
        Measured samples.

    Returns
    -------
    ndarray, shape (n,)
        Values; NaN where the figure of merit was not measured.

    Raises
    ------
    InputError
        If the library does not have the figure of merit.
    """
    return learned_target(model).values(library)
