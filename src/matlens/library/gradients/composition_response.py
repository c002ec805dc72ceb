"""Spectra as functions of composition, with the residual that composition does not explain."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.linalg import eigh

from matlens.errors import InputError
from matlens.library.gradients.emsc import emsc
from matlens.library.gradients.trend import Design, Trend, design_of, fit_trend, gradient_covariances
from matlens.library.table import MaterialsLibrary

__all__ = ["CompositionResponse", "channel_noise", "fit_composition_response"]

Array = NDArray[np.float64]
_MOST = 40  # principal components of the spectra that are modelled
_ROUNDS = 2  # of correcting the spectra by those predicted in the round before
_LEAST = 0.01  # share of a component's variance that composition must predict, held out, for it to be modelled


@dataclass(frozen=True)
class CompositionResponse:
    """Spectra as smooth functions of composition. Use `fit_composition_response` to make one.

    Parameters
    ----------
    mean : ndarray, shape (C,)
        Mean spectrum.
    basis : ndarray, shape (C, R)
        Principal components that composition predicts in part.
    trend : Trend
        Scores of these components as functions of composition.
    corrected : ndarray, shape (n, C)
        Training spectra after EMSC.
    residual : ndarray, shape (n, C)
        Corrected spectra minus leave-one-composition-out predictions.
    within : ndarray, shape (C,)
        Variance of the corrected spectra within samples of equal composition; NaN without replicates.
    noise : ndarray, shape (C,)
        Standard deviation of the noise of each channel.
    free_basis : ndarray, shape (C, Q)
        Principal components of the mean spectra of compositions that composition does not predict.
    free_trend : Trend
        Scores of these as functions of composition. What they say is chance, but how large this chance is counts for
        the error of total gradients.
    design : Design
        Decomposition of the training compositions, for other functions of the same ones.

    Examples
    --------
    >>> x, peak = np.linspace(0, 1, 21), np.exp(-((np.arange(40) - 20) ** 2) / 20)
    >>> library = MaterialsLibrary(np.stack([x, 1 - x], 1), ("A", "B"), {}, {}, x[:, None] * peak, np.arange(40))
    >>> fit_composition_response(library).predict([[0.5, 0.5]])[0, 20].round(3)
    np.float64(0.5)
    """

    mean: Array
    basis: Array
    trend: Trend
    corrected: Array
    residual: Array
    within: Array
    noise: Array
    free_basis: Array
    free_trend: Trend
    design: Design

    @property
    def variance(self) -> Array:
        """Variance of each channel of the corrected spectra, shape (C,); NaN for channels that do not vary."""
        found = self.corrected.var(0)
        result: Array = np.where(found > 1e-12 * found.max(), found, np.nan)
        return result

    @property
    def unexplained_share(self) -> Array:
        """Share of each channel's variance that composition does not predict, held out, shape (C,)."""
        result: Array = np.minimum((self.residual**2).mean(0) / self.variance, 1)
        return result

    @property
    def noise_share(self) -> Array:
        """Share of each channel's variance that is noise, shape (C,)."""
        result: Array = np.minimum(self.noise**2 / self.variance, 1)
        return result

    @property
    def free_share(self) -> Array:
        """Share of each channel's variance without noise that composition does not predict, held out, shape (C,)."""
        left = self.variance - self.noise**2
        free = (self.residual**2).mean(0) - self.noise**2
        result: Array = np.clip(free / np.where(left > 0, left, np.inf), 0, 1)
        return result

    def predict(self, compositions: ArrayLike) -> Array:
        """Predict spectra at other compositions of shape (n, D), shape (n, C)."""
        result: Array = self.mean + self.trend.predict(compositions) @ self.basis.T
        return result

    def bounded(self, spectra: ArrayLike) -> Array:
        """Bring predicted intensities into the range that was measured in each channel, shape (n, C).

        Far from the data a smooth function may leave any range: spectra scaled to a maximum of 1 would exceed 5.
        """
        return np.clip(np.asarray(spectra, np.float64), self.corrected.min(0), self.corrected.max(0))

    def carried(self, spectral: ArrayLike, compositions: ArrayLike, spectra: ArrayLike | None = None) -> Array:
        """Carry spectral gradients to composition by the chain rule: sum_j dP/dI_j dI_j/dx_k.

        Added to partial composition gradients this gives total ones.

        Parameters
        ----------
        spectral : array_like, shape (m, n, C)
            Derivatives of the predictions of m models with respect to intensities.
        compositions : array_like, shape (n, D)
            Fractions.
        spectra : array_like, shape (n, C), optional
            Recorded spectra; dI_j/dx_k is scaled by the factor of each one (see `emsc`).

        Returns
        -------
        ndarray, shape (m, n, D)
            Derivatives per unit fraction, valid along directions on the simplex.
        """
        through = self._through(spectral, compositions, spectra, self.basis)
        found: Array = np.einsum("mnr,nrk->mnk", through, self.trend.gradients(compositions), optimize=True)
        return found

    def carried_covariance(
        self, spectral: ArrayLike, compositions: ArrayLike, spectra: ArrayLike | None = None
    ) -> Array:
        """Compute the covariance of the mean over models of `carried` that is due to the uncertainty of dI_j/dx_k.

        It includes what composition does not predict: a state that spectra show goes with composition by chance, and a
        model that reads it takes the chance for an effect of composition.

        Parameters
        ----------
        spectral : array_like, shape (m, n, C)
            Derivatives of the predictions of m models with respect to intensities.
        compositions : array_like, shape (n, D)
            Fractions.
        spectra : array_like, shape (n, C), optional
            Recorded spectra, as in `carried`.

        Returns
        -------
        ndarray, shape (n, D, D)
            Covariances; the variance along a direction d is d.covariance.d.
        """
        found = np.zeros((*np.shape(compositions), np.shape(compositions)[1]))
        both = gradient_covariances([self.trend, self.free_trend], compositions)
        for basis, covariances in zip((self.basis, self.free_basis), both, strict=True):
            weight = self._through(spectral, compositions, spectra, basis).mean(0) ** 2
            found += np.einsum("nr,nrkl->nkl", weight, covariances, optimize=True)
        return found

    def _through(self, spectral: ArrayLike, compositions: ArrayLike, spectra: ArrayLike | None, basis: Array) -> Array:
        """Derivatives with respect to the scores of R components, shape (m, n, R)."""
        gradients = np.asarray(spectral)
        through: Array = (gradients @ basis.astype(gradients.dtype)).astype(np.float64)
        if spectra is not None:
            through *= emsc(spectra, self.predict(compositions))[1][:, None]
        return through


def fit_composition_response(library: MaterialsLibrary) -> CompositionResponse:
    """Fit the spectra of a library as functions of composition.

    The scores of principal components of the spectra are Gaussian processes on composition, which give gradients with
    their covariances. Noise and variation at equal composition stay in the residual.

    Parameters
    ----------
    library : MaterialsLibrary
        Library with spectra and at least two compositions.

    Returns
    -------
    CompositionResponse
        The fitted functions.

    Raises
    ------
    InputError
        If there are no spectra, or all compositions are equal.

    Examples
    --------
    >>> x = np.linspace(0, 1, 21)
    >>> peak = np.exp(-((np.arange(40) - 20) ** 2) / 20)
    >>> library = MaterialsLibrary(np.stack([x, 1 - x], 1), ("A", "B"), {}, {}, x[:, None] * peak, np.arange(40))
    >>> response = fit_composition_response(library)
    >>> addition = response.carried(np.eye(40)[None, [20]], [[0.5, 0.5]])  # the gradient is 1 at the peak
    >>> float((addition[0, 0, 0] - addition[0, 0, 1]).round(3))
    1.0
    """
    if library.spectra is None:
        raise InputError("this library has no spectra; there is nothing that could follow composition.")
    x, groups = library.compositions, library.replicates()
    design = design_of(x, groups)
    found = _followed(x, library.spectra, groups, design)
    for _ in range(_ROUNDS):
        even, _ = emsc(library.spectra, found.predict(x))
        found = _followed(x, even, groups, design)
    return found


def channel_noise(spectra: ArrayLike) -> Array:
    """Estimate the standard deviation of the noise of each channel.

    Second differences of neighbouring channels suppress bands and remove linear backgrounds; subtracting their median
    over samples removes features that all spectra share. Variances are averaged over 15 channels, so that single sharp
    peaks have little effect.

    Parameters
    ----------
    spectra : array_like, shape (n, C)
        Spectra; fewer than three channels give zeros.

    Returns
    -------
    ndarray, shape (C,)
        Standard deviations in the unit of the intensities.

    Examples
    --------
    >>> noise = np.random.default_rng(0).normal(0, 0.1, (200, 50)) + np.linspace(0, 9, 50)
    >>> float(channel_noise(noise).mean().round(2))
    0.1
    """
    values = np.asarray(spectra, np.float64)
    if values.shape[1] < 3:
        return np.zeros(values.shape[1])
    bends = values[:, :-2] - 2 * values[:, 1:-1] + values[:, 2:]
    robust = (
        np.median((bends - np.median(bends, 0)) ** 2, 0) / 0.4549 / 6
    )  # the median of a squared normal number is 0.4549
    padded = np.pad(robust, 8, mode="reflect" if robust.size > 8 else "edge")
    return np.sqrt(np.convolve(padded, np.full(15, 1 / 15), mode="valid"))


def _followed(x: Array, spectra: Array, groups: NDArray[np.intp], design: Design) -> CompositionResponse:
    mean = spectra.mean(0)
    basis = _principal(spectra - mean, groups)
    scores = (spectra - mean) @ basis
    trend = fit_trend(x, scores, groups, design=design)
    kept, free = (np.flatnonzero(each) for each in (trend.explained > _LEAST, trend.explained <= _LEAST))
    known = trend.select(kept)
    residual = spectra - mean - (scores[:, kept] - known.residual) @ basis[:, kept].T
    noise, within = channel_noise(residual), _within(spectra, groups)
    return CompositionResponse(
        mean, basis[:, kept], known, spectra, residual, within, noise, basis[:, free], trend.select(free), design
    )


def _principal(centred: Array, groups: NDArray[np.intp]) -> Array:
    """Directions in which means over equal compositions vary most, shape (C, R): noise is averaged there."""
    counts = np.bincount(groups)
    means = np.zeros((len(counts), centred.shape[1]))
    np.add.at(means, groups, centred)
    means /= counts[:, None]
    channels = means.shape[1]
    most = min(_MOST, channels, len(means))
    if channels <= len(means):
        vectors = eigh(means.T @ means, subset_by_index=(channels - most, channels - 1))[1]
        return np.asarray(vectors[:, ::-1])
    values, vectors = eigh(means @ means.T, subset_by_index=(len(means) - most, len(means) - 1))
    kept = values > 1e-12 * values[-1]
    result: Array = means.T @ (vectors[:, kept] / np.sqrt(values[kept]))[:, ::-1]
    return result


def _within(spectra: Array, groups: NDArray[np.intp]) -> Array:
    counts = np.bincount(groups)
    if (counts == 1).all():
        return np.full(spectra.shape[1], np.nan)
    means = np.zeros((len(counts), spectra.shape[1]))
    np.add.at(means, groups, spectra)
    within: Array = ((spectra - (means / counts[:, None])[groups]) ** 2).sum(0) / (len(spectra) - len(counts))
    return within
