"""What a model expects at compositions that were not measured, and how sure that is."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from matlens.insight.composition_response import CompositionResponse, fit_composition_response
from matlens.insight.surrogate import Surrogate, fit_surrogate
from matlens.learning.library.response import Response
from matlens.learning.library.targets import target_of
from matlens.library import MaterialsLibrary

__all__ = ["Outlook", "look_out", "measured_merit"]

Array = NDArray[np.float64]
_CHUNK = 2000  # compositions whose spectra are in memory at once
_FOLLOWED = 8  # measured spectra whose own part is tried at a composition


@dataclass(frozen=True)
class Outlook:
    """Expectations at other compositions; made by `look_out`.

    Where the model uses spectra, these follow the composition as they do in the library. What members of the ensemble
    have in common they may have in common wrongly: errors at held-out compositions are therefore followed with
    composition by a Gaussian process, which corrects the mean and adds what it does not know to the spread.

    Parameters
    ----------
    model : Response
    following : CompositionResponse or None
        The spectrum as a function of composition.
    errors : Surrogate or None
        Of the model at held-out compositions; None where the model keeps none.
    """

    model: Response
    following: CompositionResponse | None
    errors: Surrogate | None

    def members(self, compositions: ArrayLike, *, varied: bool = False) -> Array:
        """Predict with each member, shape (m, n).

        With ``varied``, predictions are averaged over spectra as they differ at equal composition.
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
                found[:, part] += self.model.respond(x[part], spectra + own) / len(extra)
        return found

    def expected(self, compositions: ArrayLike) -> Array:
        """Expected figure of merit, shape (n,)."""
        x = np.asarray(compositions, np.float64)
        mean: Array = self.members(x).mean(0)
        return mean if self.errors is None else mean + self.errors.predict(x)

    def draws(self, compositions: ArrayLike, count: int, seed: int = 0) -> Array:
        """Draw the true figure of merit jointly at compositions, shape (count, n); members take turns.

        Raises
        ------
        InputError
            By the model.
        """
        x = np.asarray(compositions, np.float64)
        members = self.members(x, varied=True)
        found: Array = members[np.arange(count) % len(members)]
        if self.errors is None:
            return found
        mean, covariance = self.errors.joint(x)
        values, vectors = np.linalg.eigh(covariance)
        root = vectors * np.sqrt(np.maximum(values, 0))
        normal = np.random.default_rng(seed).standard_normal((count, len(x)))
        result: Array = found + mean + normal @ root.T
        return result


def look_out(model: Response, library: MaterialsLibrary) -> Outlook:
    """Make ready to ask a model for other compositions.

    Parameters
    ----------
    model : Response
        Fitted.
    library : MaterialsLibrary
        What it learned from.

    Examples
    --------
    >>> from matlens.learning.library.baselines import BASELINES
    >>> a = np.linspace(0, 1, 21)
    >>> library = MaterialsLibrary(np.stack([a, 1 - a], 1), ("A", "B"), {"P": 3 * a})
    >>> look_out(BASELINES["ridge"]().fit(library), library).expected([[0.5, 0.5]]).round(1)
    array([1.5])
    """
    following = fit_composition_response(library) if model.uses_spectrum_ else None
    held_out = getattr(model, "held_out_", None)
    if held_out is None or np.shape(held_out) != (len(library),) or not np.isfinite(held_out).any():
        # nothing tells how it does on compositions it has not seen; what it misses of those it has is less than that
        held_out = model.respond(library.compositions, library.spectra if model.uses_spectrum_ else None).mean(0)
    left = measured_merit(model, library) - held_out
    known = np.isfinite(left) & (library.censoring(model.target_) == 0)
    if known.sum() <= len(library.components):
        return Outlook(model, following, None)
    part = library.select(known)
    errors = fit_surrogate(part.compositions, left[known], part.replicates(), trend=False)
    return Outlook(model, following, errors)


def measured_merit(model: Response, library: MaterialsLibrary) -> Array:
    """Give the figure of merit on the model's scale, shape (n,); NaN where it was not measured."""
    return target_of(library, model.target_, getattr(model, "transform", "none")).values(library)
