"""Identifiability of partial gradients where the spectrum depends on the composition."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from matlens.library.gradients import CompositionResponse, channel_noise, local_tangent_spaces

__all__ = ["Identifiability", "identifiability"]

Array = NDArray[np.float64]
_SMALL, _ENOUGH = 0.1, 0.25  # unexplained share: unsupported below the first value, supported above the second


@dataclass(frozen=True)
class Identifiability:
    """Identifiability of the separate effects of spectrum and composition in a model.

    Use `identifiability` to compute it.

    Parameters
    ----------
    unexplained : float
        Share of the variance of the spectral features used by the model that composition does not predict, without
        noise.
    noise : float
        Share of this variance that is noise of the channels.
    support : {0, 1, 2}
        Support of partial gradients: 2 supported, 1 weak, 0 unsupported.
    sentence : str
        The same in words.

    Examples
    --------
    >>> Identifiability(0.05, 0.01, 0, "partial gradients are not identifiable").support
    0
    """

    unexplained: float
    noise: float
    support: int
    sentence: str


def identifiability(response: CompositionResponse, gradient: ArrayLike) -> Identifiability:
    """Estimate how much of the spectral information used by a model the composition does not predict.

    The model uses the deviations of the corrected spectra from their mean, weighted by its spectral gradient. If
    composition predicts these features on held-out samples except for noise, a function of composition could replace
    the spectrum, and partial gradients are arbitrary.

    Parameters
    ----------
    response : CompositionResponse
        Spectra as functions of composition.
    gradient : array_like, shape (k, C)
        Spectral gradients (mean over members) at any k samples.

    Returns
    -------
    Identifiability
        Unexplained share of the variance, with a verdict.

    Examples
    --------
    >>> from matlens.library.gradients import fit_composition_response
    >>> from matlens.library.table import MaterialsLibrary
    >>> x, other = np.linspace(0, 1, 41), np.sin(9 * np.arange(41) ** 2)
    >>> host, band, second = np.exp(-((np.arange(60) - [[10], [30], [50]]) ** 2) / 20)
    >>> spectra = 9 * host + np.outer(x, band) + np.outer(x + other / 2, second)  # the last not by composition alone
    >>> library = MaterialsLibrary(np.stack([x, 1 - x], 1), ("A", "B"), {}, {}, spectra, np.arange(60))
    >>> response = fit_composition_response(library)
    >>> [identifiability(response, gradient[None]).support for gradient in (band, second)]
    [0, 2]
    """
    gradients = np.asarray(gradient, np.float64)
    features = (response.corrected - response.mean) @ gradients.T
    left = response.residual @ gradients.T
    noise = float((channel_noise(response.residual) ** 2 * gradients**2).sum(1).mean())
    whole = float(features.var(0).mean())
    unexplained = float(np.clip((left.var(0).mean() - noise) / max(whole - noise, 1e-300), 0, 1))
    support = 2 if unexplained > _ENOUGH else 1 if unexplained > _SMALL else 0
    if not _varies(response):
        support = 0  # the residual, however large its share, is noise that networks have fitted
    verdict = (
        "partial gradients are not identifiable, only total ones",
        "partial gradients are weakly identifiable; trust total ones",
        "partial gradients are identifiable",
    )[support]
    sentence = (
        f"of what the spectrum tells the model, {100 * unexplained:.0f} % cannot be predicted from composition (held "
        f"out, noise taken off): {verdict}"
    )
    return Identifiability(unexplained, min(noise / max(whole, 1e-300), 1.0), support, sentence)


def _varies(response: CompositionResponse) -> bool:
    """Whether the residual spectra vary by more than noise."""
    left = response.residual
    anywhere = np.zeros((1, 1)), np.zeros((len(left), 1))  # all at one point, so that any spectra are neighbours
    return bool(local_tangent_spaces(left, *anywhere, noise=response.noise).dimension[0] > 0)
