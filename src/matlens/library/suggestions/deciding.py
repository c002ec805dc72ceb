"""The sample that would tell most about a conclusion: where rival explanations predict different values."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import NDArray

from matlens.errors import InputError
from matlens.library.evidence import flip_of, samples_of
from matlens.library.gradients import CompositionResponse, neighbourhood_support
from matlens.library.model import Response
from matlens.library.suggestions.limits import Limits, decimals
from matlens.library.suggestions.moves import first_moves
from matlens.library.suggestions.predictive import measured_merit
from matlens.library.table import PRESENT, MaterialsLibrary

__all__ = ["Candidates", "candidates", "with_deciding_samples"]

Array = NDArray[np.float64]
# docs/decisions/0057-what-would-change-a-conclusion.md
_MOST = 1500  # compositions that are looked at


@dataclass(frozen=True, eq=False)
class Candidates:
    """Compositions that could be made, with what each model expects of them. Use `candidates` to make them.

    Parameters
    ----------
    compositions : ndarray, shape (c, D)
        Fractions on the grid of the synthesis.
    parts : ndarray, shape (K, c)
        Expectation of each model of a mixture.
    members : ndarray, shape (m, c)
        Expectation of each member of the model as a whole.
    noise : float
        Standard deviation of a measurement about the model.
    increment : float
        Smallest step of a fraction.

    Examples
    --------
    >>> one = np.array([[0.5, 0.5]])
    >>> Candidates(one, np.zeros((1, 1)), np.zeros((3, 1)), 0.1, 0.01).members.shape
    (3, 1)
    """

    compositions: Array
    parts: Array
    members: Array
    noise: float
    increment: float

    def separation(self, fitted: Sequence[float], flipped: Sequence[float], left: float, effects: Array) -> Array:
        """Return how far two explanations are apart at each composition, in standard deviations of a measurement.

        Parameters
        ----------
        fitted, flipped : sequence of float, length K
            Weights of the models in both explanations.
        left : float
            What of the effect the flipped explanation takes away within the models.
        effects : ndarray, shape (m,)
            Effect by each member.

        Returns
        -------
        ndarray, shape (c,)
            Difference of the expectations over the standard deviation of a measurement and of what members differ by
            for other reasons.
        """
        apart = (np.asarray(flipped) - np.asarray(fitted)) @ self.parts
        own, spread = self.members - self.members.mean(0), effects - effects.mean()
        power = float(spread @ spread)
        # members that say more of the effect predict so much more: what they predict if they said nothing of it
        per_effect = spread @ own / power if power > 0 else np.zeros(self.members.shape[1])
        apart = apart - left * per_effect
        rest = own - per_effect * spread[:, None]
        result: Array = np.abs(apart) / np.sqrt(self.noise**2 + rest.var(0))
        return result


def candidates(
    model: Response,
    library: MaterialsLibrary,
    response: CompositionResponse | None = None,
    limits: Limits | None = None,
) -> Candidates | None:
    """List compositions one change away from measured ones, with what each model expects of them.

    Parameters
    ----------
    model : Response
        Fitted model.
    library : MaterialsLibrary
        Measured samples.
    response : CompositionResponse, optional
        Spectra as functions of composition, for a model of spectra.
    limits : Limits, optional
        Limits of the compositions.

    Returns
    -------
    Candidates or None
        Compositions with at least weak support; None if there is none, or the model has no held-out errors.

    Examples
    --------
    >>> from matlens.library.baselines import BASELINES
    >>> a = np.linspace(0, 0.5, 6)
    >>> library = MaterialsLibrary(np.stack([1 - a, a], 1), ("Fe", "Ga"), {"P": a + 0.01 * (-1) ** np.arange(6)})
    >>> found = candidates(BASELINES["ridge"]().fit(library), library)
    >>> found.members.shape[1] == len(found.compositions) > 0, found.noise < 0.03
    (True, True)
    """
    limits = limits or Limits()
    held_out = np.asarray(getattr(model, "held_out_", np.nan), np.float64)
    known = np.isfinite(held_out) if held_out.shape == (len(library),) else np.zeros(len(library), bool)
    if not known.any():
        return None
    starts = library.compositions[np.unique(library.replicates(), return_index=True)[1]]
    try:
        moves = first_moves(starts, library, limits)
    except InputError:  # limits that leave nothing; conclusions stand without a sample that decides
        return None
    found = moves.compositions[np.linspace(0, len(moves) - 1, min(_MOST, len(moves))).astype(np.intp)]
    found = found[neighbourhood_support(found, library).flags >= 1] if len(found) else found
    if not len(found):
        return None
    spectra = None
    if model.uses_spectrum_ and response is not None:
        spectra = response.bounded(response.predict(found))
    split = getattr(model, "respond_by_part", None)
    members = np.asarray(model.respond(found, spectra), np.float64)
    parts = members.mean(0)[None] if split is None else np.asarray(split(found, spectra), np.float64)
    errors = (measured_merit(model, library) - held_out)[known]
    return Candidates(found, parts, members, float(np.sqrt(np.nanmean(errors**2))), limits.resolved(library)[2])


def with_deciding_samples(
    table: pd.DataFrame, insight: xr.Dataset, known: Candidates | None, library: MaterialsLibrary
) -> pd.DataFrame:
    """Add to conclusions the composition at which the rival explanation predicts most differently.

    Parameters
    ----------
    table : DataFrame
        Conclusions from `matlens.library.evidence.conclusions`.
    insight : Dataset
        Gradients from `explain_library`, with those of all members.
    known : Candidates or None
        Compositions that could be made.
    library : MaterialsLibrary
        Measured samples.

    Returns
    -------
    DataFrame
        The table with ``next`` (the composition in words; empty if there is none), ``separation`` (difference of the
        two expectations in standard deviations of a measurement) and the components in hundredths.

    Examples
    --------
    >>> library = MaterialsLibrary([[0.5, 0.5], [0.4, 0.6]], ("Fe", "Ga"), {"P": [1.0, 2.0]})
    >>> found = with_deciding_samples(pd.DataFrame({"subject": ["Fe"]}), xr.Dataset(), None, library)
    >>> found["next"].tolist()
    ['']
    """
    found = table.assign(next="", separation=np.nan)
    names = list(library.components)
    for name in names:
        found[name] = np.nan
    if known is None:
        return found
    for place, row in enumerate(table.to_dict("records")):
        flip = flip_of(insight, row["about"], row["subject"], float(row["effect"]), float(row["error"]))
        variable = f"{row['about']}_gradient_members"
        if variable not in insight:
            continue
        effects = np.nanmean(samples_of(insight, variable, row["about"], row["subject"]), axis=1)
        apart = known.separation(flip.fitted, flip.flipped, flip.left, effects)
        best = int(apart.argmax())
        found.loc[place, "separation"] = apart[best]
        found.loc[place, names] = 100 * known.compositions[best]
        found.loc[place, "next"] = _words(known.compositions[best], names, known.increment, library.fraction_name)
    return found


def _words(composition: Array, names: Sequence[str], increment: float, unit: str) -> str:
    digits = decimals(increment)
    parts = [f"{name} {100 * x:.{digits}f}" for name, x in zip(names, composition) if x > PRESENT]
    return f"{', '.join(parts)} {unit}"
