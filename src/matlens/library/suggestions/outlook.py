"""What a model expects at compositions that were not measured, and how sure that is."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from matlens.library.gradients import (
    ERROR_FACTOR,
    CompositionResponse,
    Trend,
    design_of,
    fit_composition_response,
    fit_trend,
)
from matlens.library.model import Response
from matlens.library.model.presets.registry import PRESETS
from matlens.library.model.targets import learned_target
from matlens.library.table import MaterialsLibrary

__all__ = ["Outlook", "look_out", "measured_merit"]

Array = NDArray[np.float64]
_CHUNK = 2000  # compositions whose spectra are in memory at once
_FOLLOWED = 8  # measured spectra whose own part is tried at a composition


@dataclass(frozen=True)
class Outlook:
    """Expectations at other compositions; made by `look_out`.

    Where the model uses spectra, these follow the composition as they do in the library. What members of the ensemble
    have in common they may have in common wrongly. Its errors at held-out compositions are therefore followed with
    composition by a Gaussian process, which corrects the mean and adds what it does not know to the spread. A second
    view, a Gaussian process of the figure of merit on composition alone, has a say by how well it predicts
    compositions left out. Where the two views differ, so do the draws.

    Parameters
    ----------
    model : Response
    following : CompositionResponse or None
        The spectrum as a function of composition.
    errors : Trend or None
        Of the model at held-out compositions.
    second : Trend or None
        The figure of merit on composition alone; None where nothing tells how the model does on what it has not seen.
    weight : float
        Of the model, from 0 to 1; the rest is that of the second view.
    widening : float
        From the spread of the members to an error, see `ERROR_FACTOR`.
    """

    model: Response
    following: CompositionResponse | None
    errors: Trend | None
    second: Trend | None = None
    weight: float = 1.0
    widening: float = 1.0

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
        return self.moments(compositions)[0]

    def moments(self, compositions: ArrayLike) -> tuple[Array, Array]:
        """Mean and standard deviation of the figure of merit, both views taken together, each of shape (n,)."""
        x = np.asarray(compositions, np.float64)
        members = self.members(x)
        mean, variance = members.mean(0), self.widening**2 * members.var(0)
        if self.errors is not None:
            mean, variance = mean + self.errors.predict(x)[:, 0], variance + self.errors.deviation(x) ** 2
        if self.second is None:
            return mean, np.sqrt(variance)
        other, share = self.second.predict(x)[:, 0], 1 - self.weight
        between = self.weight * share * (mean - other) ** 2
        both = self.weight * variance + share * self.second.deviation(x) ** 2 + between
        return self.weight * mean + share * other, np.sqrt(both)

    def hoped(self, compositions: ArrayLike, sign: int = 1) -> Array:
        """Mean and a standard deviation in the direction that is wanted, shape (n,)."""
        mean, spread = self.moments(compositions)
        hoped: Array = mean + sign * spread
        return hoped

    def draws(self, compositions: ArrayLike, count: int, seed: int = 0) -> Array:
        """Draw the true figure of merit jointly at compositions, shape (count, n); members take turns."""
        x, random = np.asarray(compositions, np.float64), np.random.default_rng(seed)
        own = count if self.second is None else round(self.weight * count)
        members = self.members(x, varied=True)
        mean = members.mean(0)
        found: Array = mean + self.widening * (members - mean)[np.arange(own) % len(members)]
        if self.errors is not None:
            found = found + _drawn(self.errors, x, own, random)
        if self.second is not None:
            found = np.concatenate([found, _drawn(self.second, x, count - own, random)])
        return found


def _drawn(trend: Trend, x: Array, count: int, random: np.random.Generator) -> Array:
    mean, covariance = trend.joint(x)
    values, vectors = np.linalg.eigh(covariance)
    root = vectors * np.sqrt(np.maximum(values, 0))
    result: Array = mean + random.standard_normal((count, len(x))) @ root.T
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
    >>> from matlens.library.baselines import BASELINES
    >>> a = np.linspace(0, 1, 21)
    >>> library = MaterialsLibrary(np.stack([a, 1 - a], 1), ("A", "B"), {"P": 3 * a})
    >>> look_out(BASELINES["ridge"]().fit(library), library).expected([[0.5, 0.5]]).round(1)
    array([1.5])
    """
    following = fit_composition_response(library) if model.uses_spectrum_ else None
    held_out = np.asarray(getattr(model, "held_out_", np.nan), np.float64)
    honest = held_out.shape == (len(library),) and bool(np.isfinite(held_out).any())
    if not honest:
        # nothing tells how it does on compositions it has not seen; what it misses of those it has is less than that
        held_out = model.respond(library.compositions, library.spectra if model.uses_spectrum_ else None).mean(0)
    values = measured_merit(model, library)
    left = values - held_out
    known = np.isfinite(left) & (library.censoring(model.target_) == 0)
    widening = _widening(model)
    if known.sum() <= len(library.components):
        return Outlook(model, following, None, widening=widening)
    part, left = library.select(known), left[known]
    x, group = part.compositions, part.replicates()
    errors = fit_trend(x, left[:, None], design=design_of(x, group, linear=False))
    if not honest:
        return Outlook(model, following, errors, widening=widening)
    second = fit_trend(x, values[known, None], group)
    count = np.bincount(group)
    missed = float(np.mean((np.bincount(group, left) / count) ** 2))
    also = float(np.mean(second.left_out**2))
    weight = also**2 / max(also**2 + missed**2, 1e-300)  # of mean squared errors, squared: the better view decides
    return Outlook(model, following, errors, second, weight, widening)


def _widening(model: Response) -> float:
    asked = str(getattr(model, "resample", "none"))
    asked = PRESETS[str(getattr(model, "preset", ""))].resample if asked == "auto" else asked
    return ERROR_FACTOR.get(asked, 1.0)


def measured_merit(model: Response, library: MaterialsLibrary) -> Array:
    """Give the figure of merit on the model's scale, shape (n,); NaN where it was not measured."""
    return learned_target(model).values(library)
