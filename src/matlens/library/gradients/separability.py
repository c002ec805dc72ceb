"""Whether the effect of the composition can be told from that of the spectrum, which follows the composition."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from matlens.library.gradients import CompositionResponse, channel_noise, local_tangent_spaces

__all__ = ["Identifiability", "identifiability"]

Array = NDArray[np.float64]
_SMALL, _ENOUGH = 0.1, 0.25  # share that composition does not explain: below, unsupported; above, supported


@dataclass(frozen=True)
class Identifiability:
    """How far spectrum and composition can be told apart, in what the model reads of the spectrum.

    Parameters
    ----------
    unexplained : float
        Share of the variance of what the spectrum tells the model that composition does not predict, noise taken off.
    noise : float
        Share of it that is noise from channel to channel.
    support : int
        Of partial gradients: 2 supported, 1 weak, 0 unsupported.
    sentence : str
        The same in words.
    """

    unexplained: float
    noise: float
    support: int
    sentence: str


def identifiability(response: CompositionResponse, gradient: ArrayLike) -> Identifiability:
    """Ask how much of what the spectrum tells a model its composition could not have told.

    The spectra's deviations from their mean, weighted by the model's spectral gradient, are what the model reads (less
    their factors and backgrounds: an instrument's); what composition predicts of them, held out, is what the
    composition could have told. Where little is left but noise,
    another function of the composition does as well as the spectrum, and partial gradients are arbitrary.

    Parameters
    ----------
    response : CompositionResponse
        Fitted to the spectra.
    gradient : array_like, shape (k, C)
        Derivative of the prediction with respect to the intensities, mean over members, at any k samples.

    Returns
    -------
    Identifiability

    Examples
    --------
    >>> from matlens.library.gradients import fit_composition_response
    >>> from matlens.library.table import MaterialsLibrary
    >>> x, other = np.linspace(0, 1, 41), np.sin(9 * np.arange(41) ** 2)
    >>> host, band, second = np.exp(-((np.arange(60) - [[10], [30], [50]]) ** 2) / 20)
    >>> spectra = 9 * host + np.outer(x, band) + np.outer(x + other / 2, second)  # the last not by composition alone
    >>> library = MaterialsLibrary(np.stack([x, 1 - x], 1), ("A", "B"), {}, {}, spectra, np.arange(60))
    >>> response = fit_composition_response(library)
    >>> [identifiability(response, slope[None]).support for slope in (band, second)]
    [0, 2]
    """
    slopes = np.asarray(gradient, np.float64)
    told = (response.corrected - response.mean) @ slopes.T
    left = response.residual @ slopes.T
    noise = float((channel_noise(response.residual) ** 2 * slopes**2).sum(1).mean())
    whole = float(told.var(0).mean())
    unexplained = float(np.clip((left.var(0).mean() - noise) / max(whole - noise, 1e-300), 0, 1))
    support = 2 if unexplained > _ENOUGH else 1 if unexplained > _SMALL else 0
    if not _varies(response):
        support = 0  # what is left, however large its share, is noise that networks have learned
    verdict = (
        "partial gradients are not identifiable, only total ones",
        "partial gradients are weakly identifiable; trust total ones",
        "partial gradients are identifiable",
    )[support]
    sentence = (
        f"of what the spectrum tells the model, {unexplained:.0%} cannot be predicted from composition (held out, "
        f"noise taken off): {verdict}"
    )
    return Identifiability(unexplained, min(noise / max(whole, 1e-300), 1.0), support, sentence)


def _varies(response: CompositionResponse) -> bool:
    """Whether spectra vary, beyond what composition predicts, by more than channels at random would show."""
    left = response.residual
    anywhere = np.zeros((1, 1)), np.zeros((len(left), 1))  # a neighbourhood of any spectra
    return bool(local_tangent_spaces(left, *anywhere, noise=response.noise).dimension[0] > 0)
