"""Ranked suggestions of compositions to make next, with predictions and support by the data."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import NDArray

from matlens.core.arguments import checked_arguments
from matlens.core.labelled import ShownTable
from matlens.errors import InputError
from matlens.hooks import Progress, Silent
from matlens.library.model import Response
from matlens.library.suggestions.limits import Limits
from matlens.library.suggestions.moves import (
    ENOUGH_ALONG,
    Moves,
    distances,
    first_moves,
    move_support,
    second_moves,
    words,
)
from matlens.library.suggestions.predictive import measured_merit, predictive_distribution
from matlens.library.table import PRESENT, MaterialsLibrary

__all__ = ["Campaign", "Predictive", "Suggestions", "plan_moves", "plate_list", "suggest"]

Array = NDArray[np.float64]
# docs/decisions/0041-suggestions.md
_REACH = 0.35  # share of the median range of a component
_STARTS = 40  # measured compositions that moves start from
_BEAM = 60  # first moves that are followed by a second one
_SHORT = 400  # moves that are ranked by draws from the predictive distribution
_DRAWS = 400
_ROW, _WELLS = 12, 96


@dataclass(frozen=True)
class Campaign:
    """Options for choosing suggestions.

    Parameters
    ----------
    limits : Limits
        Limits of the compositions.
    moves : {1, 2}
        Greatest number of components that a suggestion changes.
    least_support : {0, 1, 2}
        Least support of a suggestion: 0 allows any, 1 needs weak support, 2 needs measured compositions along the move.
    minimise : bool
        Whether a small figure of merit is better.
    reach : float, optional
        Greatest distance of a suggestion from a measured composition, as a share of atoms exchanged; by default about a
        third of the median range of a component, because models do not extrapolate far.
    apart : float, optional
        Least distance between suggestions, as a share of atoms exchanged; by default two increments.
    coverage : float
        Nominal coverage of the prediction intervals, 0 to 1.
    seed : int
        Seed of the draws from the predictive distribution.

    Raises
    ------
    InputError
        If a value is out of range.

    Examples
    --------
    >>> Campaign(least_support=2).moves
    2
    """

    limits: Limits = field(default_factory=Limits)
    moves: int = 2
    least_support: int = 0
    minimise: bool = False
    reach: float | None = None
    apart: float | None = None
    coverage: float = 0.9
    seed: int = 0

    def __post_init__(self) -> None:
        if self.moves not in (1, 2) or self.least_support not in (0, 1, 2):
            raise InputError("suggestions change 1 or 2 components, and ask for a support of 0, 1 or 2 at least.")
        if (self.reach is not None and self.reach <= 0) or (self.apart is not None and self.apart < 0):
            raise InputError("the reach of suggestions must be positive, and what they are apart not negative.")
        if not 0 < self.coverage < 1:
            raise InputError(f"coverage is {self.coverage:g}, expected a share between 0 and 1, e.g. 0.9.")


class Suggestions(ShownTable):
    """Suggested compositions, a table of pandas with a row for each; `suggest` describes its columns.

    Parameters
    ----------
    data, index, columns
        As for `pandas.DataFrame`; `suggest` makes it.

    Examples
    --------
    >>> found = Suggestions({"rank": [1], "Ga": [62.5]})
    >>> found.attrs = {"components": ["Ga"], "target": "P", "unit": "mW", "best": 1.5}
    >>> found.components, found.target, found.unit, found.best
    (('Ga',), 'P', 'mW', 1.5)
    """

    @property
    def components(self) -> tuple[str, ...]:
        """Names of the components, which are columns, in hundredths."""
        return tuple(self.attrs["components"])

    @property
    def target(self) -> str:
        """Name of the figure of merit."""
        return str(self.attrs["target"])

    @property
    def unit(self) -> str:
        """Unit of the figure of merit."""
        return str(self.attrs["unit"])

    @property
    def best(self) -> float:
        """Prediction for the best measured composition."""
        return float(self.attrs["best"])

    @property
    def increment(self) -> float:
        """Smallest step of a fraction."""
        return float(self.attrs["increment"])

    @property
    def fraction_name(self) -> str:
        """Name of a hundredth of a fraction: "at%" or "%"."""
        return str(self.attrs["fraction_name"])


@checked_arguments
def suggest(
    model: Response,
    library: MaterialsLibrary,
    insight: xr.Dataset | None = None,
    n: int = 10,
    *,
    campaign: Campaign | None = None,
    progress: Progress | None = None,
) -> Suggestions:
    """Suggest compositions to make next, each as a move from a measured one.

    A move changes one or two components, also ones that are absent at its start, at the cost of all others (dilution)
    or of one other (exchange). Spectra follow the composition as in the library. Suggestions are chosen one by one:
    each adds the greatest expected improvement (Jones, Schonlau and Welch, J. Glob. Optim. 13, 455, 1998) to those
    before it, over joint draws from the predictive distribution. They therefore do not all depend on the same guess.

    Parameters
    ----------
    model : Response
        Model fitted to the library.
    library : MaterialsLibrary
        Measured samples.
    insight : xarray.Dataset, optional
        Gradients from `explain_library`; adds the gradient along each move to the table.
    n : int
        Number of suggestions.
    campaign : Campaign, optional
        Options; by default those of `Campaign`.
    progress : Progress, optional
        Called with stages done and total.

    Returns
    -------
    Suggestions
        A table with one row per suggestion, the most valuable first: ``rank``, ``move`` (in words), ``scheme``,
        ``sample`` (id of a sample of the composition at the start), ``system`` (of that sample), ``step`` (hundredths
        of atoms exchanged), ``start`` (predicted figure of merit at the start), ``expected``, ``low``, ``high``
        (prediction at the end with its interval), ``gain``, ``gain_low``, ``gain_high`` (their difference with its
        interval), ``chance`` (that the best measured composition is exceeded), ``support`` (2 supported, 1 weak, 0
        unsupported), ``reason``, ``gradient`` and ``gradient_spread`` (total gradient of the component changed first,
        per hundredth, with its standard deviation over members; NaN without insight), then the components in
        hundredths. ``attrs`` also contain ``measured`` (the best mean of the measured values of a composition),
        ``measured_samples`` (number of these) and ``measured_expected`` (prediction for that composition).

    Raises
    ------
    InputError
        If components or limits do not fit the library, or no move is left.

    Notes
    -----
    Intervals come from the ensemble and its held-out errors. Suggestions are selected for high predictions and lead
    beyond the data, so that intervals contain fewer true values than their nominal coverage;
    `benchmarks/suggestion_regret.py` measures how many.

    Examples
    --------
    >>> from matlens.library.baselines import BASELINES
    >>> a = np.linspace(0, 0.5, 21)
    >>> library = MaterialsLibrary(np.stack([1 - a, a], 1), ("Fe", "Ga"), {"P": 3 * a})
    >>> found = suggest(BASELINES["ridge"]().fit(library), library, n=2, campaign=Campaign(moves=1))
    >>> found[["rank", "Ga"]].round(1).to_dict("list")
    {'rank': [1, 2], 'Ga': [62.5, 57.5]}
    """
    campaign, report = campaign or Campaign(), progress or Silent()
    if n < 1:
        raise InputError(f"found {n} suggestions to make, expected at least 1.")
    if library.components != tuple(model.components_):
        raise InputError(
            f"the model knows {', '.join(model.components_)}, the library has {', '.join(library.components)}."
        )
    report.begin(3, "suggestions")
    predictive = predictive_distribution(model, library)
    starts, row = _starts(library)
    moves, facts = _supported(plan_moves(predictive, library, campaign), starts, campaign)
    report.update(1, f"{len(moves)} moves looked at")
    used, place = np.unique([*moves.start, _best(predictive, starts, campaign)], return_inverse=True)
    draws = predictive.draws(np.concatenate([moves.compositions, starts[used]]), _DRAWS, campaign.seed)
    after, before, best = draws[:, : len(moves)], draws[:, len(moves) + place[:-1]], draws[:, len(moves) + place[-1]]
    report.update(2, "expectations drawn")
    increment = campaign.limits.resolved(library)[2]
    apart = 2 * increment if campaign.apart is None else campaign.apart
    sign = -1 if campaign.minimise else 1
    chosen = _batch(sign * after, sign * before, sign * best, moves, n, apart)
    moves = moves.select(chosen)
    table = _table(after[:, chosen], before[:, chosen], best[:, None], campaign)
    table.insert(1, "step", 50 * np.abs(moves.compositions - starts[moves.start]).sum(1))
    table = _with_words(table, moves, starts, row, facts[:, chosen], library, increment)
    table = _with_gradient(table, moves, library, insight)
    table[list(library.components)] = (100 * moves.compositions).round(6)
    found = Suggestions(table)
    measured = _best_measured(measured_merit(model, library), library, predictive, starts, sign)
    found.attrs = {
        "components": list(library.components),
        "target": model.target_,
        "unit": model.unit_,
        "best": float(best.mean()),
        "increment": increment,
        "fraction_name": library.fraction_name,
        **measured,
    }
    report.update(3, f"{len(table)} chosen")
    report.end()
    return found


@checked_arguments
def plate_list(suggestions: pd.DataFrame, components: Sequence[str] | None = None) -> pd.DataFrame:
    """Assign suggestions to the wells of a plate.

    Parameters
    ----------
    suggestions : DataFrame
        Suggestions from `suggest`.
    components : sequence of str, optional
        Names of the columns with fractions; by default ``suggestions.attrs["components"]``.

    Returns
    -------
    DataFrame
        ``rank``, ``well`` (of plates with 8 x 12 wells, "A1" onwards), ``move``, and the components in hundredths.

    Examples
    --------
    >>> found = pd.DataFrame({"rank": [1], "move": ["+1 at% W"], "Bi": [99.0], "W": [1.0]})
    >>> plate_list(found, ["Bi", "W"]).values.tolist()
    [[1, 'A1', '+1 at% W', 99.0, 1.0]]
    """
    names = list(components if components is not None else suggestions.attrs["components"])
    wells = []
    for number in range(len(suggestions)):
        plate, place = divmod(number, _WELLS)
        wells.append(f"{plate + 1}-" * (len(suggestions) > _WELLS) + f"{'ABCDEFGH'[place // _ROW]}{place % _ROW + 1}")
    about = pd.DataFrame({"rank": suggestions["rank"], "well": wells, "move": suggestions["move"]})
    return pd.concat([about, suggestions[names]], axis=1)


def _starts(library: MaterialsLibrary) -> tuple[Array, NDArray[np.intp]]:
    """Return the measured compositions, each once, with the row of one of its samples."""
    _, row = np.unique(library.replicates(), return_index=True)
    return library.compositions[row], row


class Predictive(Protocol):
    """Interface of predictions that moves are ranked by, e.g. `PredictiveDistribution`."""

    def expected(self, compositions: Array) -> Array:
        """Return the mean of the figure of merit, shape (n,)."""

    def confidence_bound(self, compositions: Array, sign: int) -> Array:
        """Return the upper (sign 1) or lower (sign -1) confidence bound, shape (n,)."""


def plan_moves(predictive: Predictive, library: MaterialsLibrary, campaign: Campaign) -> Moves:
    """Find the moves with the best confidence bounds.

    Moves start from the best measured compositions and from the best one of each co-alloy system, and change one or two
    components.

    Parameters
    ----------
    predictive : Predictive
        Predictions that moves are ranked by.
    library : MaterialsLibrary
        Measured samples.
    campaign : Campaign
        Limits, and number of components that may change.

    Returns
    -------
    Moves
        Moves from compositions numbered by `MaterialsLibrary.replicates`.

    Raises
    ------
    InputError
        If the limits do not fit the library.

    Examples
    --------
    >>> from matlens.library.baselines import BASELINES
    >>> a = np.linspace(0, 0.5, 21)
    >>> library = MaterialsLibrary(np.stack([1 - a, a], 1), ("Fe", "Ga"), {"P": 3 * a})
    >>> known = predictive_distribution(BASELINES["ridge"]().fit(library), library)
    >>> plan_moves(known, library, Campaign(moves=1)).compositions[0].round(3).tolist()
    [0.375, 0.625]
    """
    starts, row = _starts(library)
    sign = -1 if campaign.minimise else 1
    order = np.argsort(-sign * predictive.expected(starts), kind="stable")
    firsts = order[np.sort(np.unique(library.systems()[row][order].astype(str), return_index=True)[1])]
    chosen = np.unique(np.concatenate([order[:_STARTS], firsts[:_STARTS]]))

    span = np.ptp(starts, axis=0)
    usual = float(np.median(span[span > PRESENT])) if (span > PRESENT).any() else 1.0
    reach = campaign.reach if campaign.reach is not None else _REACH * usual

    def kept(moves: Moves, count: int) -> Moves:
        moves = moves.select(distances(moves.compositions, starts) <= reach + PRESENT)
        values = sign * predictive.confidence_bound(moves.compositions, sign)
        return moves.select(np.argsort(-values, kind="stable")[:count])

    one = first_moves(starts[chosen], library, campaign.limits)
    one = Moves(chosen[one.start], one.compositions, one.steps)
    if campaign.moves == 1:
        return kept(one, _SHORT)
    short = kept(one, _SHORT // 2)
    two = kept(second_moves(short.select(np.arange(min(_BEAM, len(short)))), library, campaign.limits), _SHORT)
    alone = np.concatenate([short.steps, np.full((len(short), 1, 2), -1, np.intp)], axis=1)
    every = Moves(
        np.concatenate([short.start, two.start]),
        np.concatenate([short.compositions, two.compositions]),
        np.concatenate([alone, two.steps]) if len(two) else alone,
    )
    cells = np.unique(every.compositions.round(9), axis=0, return_index=True)[1]
    return every.select(np.sort(cells))


def _best(predictive: Predictive, starts: Array, campaign: Campaign) -> int:
    return int(((-1 if campaign.minimise else 1) * predictive.expected(starts)).argmax())


def _supported(moves: Moves, starts: Array, campaign: Campaign) -> tuple[Moves, NDArray[np.intp]]:
    """Keep moves with enough support; with their flags and compositions along, near and together, shape (4, k)."""
    flags, along, near, together = move_support(starts[moves.start], moves.compositions, starts)
    kept = np.flatnonzero(flags >= campaign.least_support)
    if not len(kept):
        raise InputError("no move is left within the limits and the support asked for; widen them.")
    return moves.select(kept), np.stack([flags, along, near, together])[:, kept].astype(np.intp)


def _batch(after: Array, before: Array, best: Array, moves: Moves, n: int, apart: float) -> NDArray[np.intp]:
    """Choose moves one by one by expected improvement on those chosen before, over draws of shape (draws, k).

    The first move is compared with the best measured composition within each draw, so that errors common to all
    compositions cancel. Moves without an expected gain over their start come last.
    """
    free, gains = np.ones(len(moves), bool), (after - before).mean(0) > 0
    chosen: list[int] = []
    reached, mean = best, after.mean(0)
    while len(chosen) < n and free.any():
        open_rows = np.flatnonzero(free & gains) if (free & gains).any() else np.flatnonzero(free)
        added = np.maximum(after[:, open_rows] - reached[:, None], 0).mean(0)
        worth = added + 1e-6 * mean[open_rows]  # where nothing is left to add, the best expectation decides
        pick = int(open_rows[worth.argmax()])
        chosen.append(pick)
        reached = np.maximum(reached, after[:, pick])
        far = 0.5 * np.abs(moves.compositions - moves.compositions[pick]).sum(1)
        free &= far > apart - 1e-9
        free[pick] = False
    return np.array(chosen, np.intp)


def _table(after: Array, before: Array, best: Array, campaign: Campaign) -> pd.DataFrame:
    """Summarise draws, shape (draws, n), of moves, of where they start, and of the best measured, shape (draws, 1)."""
    ends = ((1 - campaign.coverage) / 2, (1 + campaign.coverage) / 2)
    low, high = np.quantile(after, ends, axis=0)
    gain_low, gain_high = np.quantile(after - before, ends, axis=0)
    beats = after < best if campaign.minimise else after > best
    return pd.DataFrame(
        {
            "rank": np.arange(1, after.shape[1] + 1),
            "start": before.mean(0),
            "expected": after.mean(0),
            "low": low,
            "high": high,
            "gain": (after - before).mean(0),
            "gain_low": gain_low,
            "gain_high": gain_high,
            "chance": beats.mean(0),
        }
    )


def _with_words(
    table: pd.DataFrame,
    moves: Moves,
    starts: Array,
    row: NDArray[np.intp],
    facts: NDArray[np.intp],
    library: MaterialsLibrary,
    increment: float,
) -> pd.DataFrame:
    """Add the columns in words, in the order of reading."""
    systems = library.systems()
    described = [
        words(starts[s], x, steps, library, increment)
        for s, x, steps in zip(moves.start, moves.compositions, moves.steps)
    ]
    rows = row[moves.start]
    table.insert(1, "move", [f"{move} (from sample {library.samples[r]})" for (move, _), r in zip(described, rows)])
    table.insert(2, "scheme", [scheme for _, scheme in described])
    table.insert(3, "sample", [library.samples[r] for r in rows])
    table.insert(4, "system", list(systems[rows]))
    table["support"] = facts[0].astype(int)
    table["reason"] = [_reason(*(int(value) for value in values)) for values in facts.T]
    return table


def _reason(support: int, along: int, near: int, together: int) -> str:
    """Why a move has its support, by the rule of `move_support`."""
    if together == 0:
        return "its components were never measured together: beyond the data"
    lie = f"{along or 'no'} measured {'composition lies' if along <= 1 else 'compositions lie'} along the move"
    if support == 2:
        return lie
    if near == 0:
        return "no measured composition lies along the move or near it: beyond the data"
    if along < ENOUGH_ALONG:
        lie += f", {near - along} near it"
    if support == 1 and along < ENOUGH_ALONG:
        return lie
    return f"{lie}, but only {together} contain{'s' if together == 1 else ''} its rarest pair of components"


def _best_measured(
    values: Array, library: MaterialsLibrary, predictive: Predictive, starts: Array, sign: int
) -> dict[Hashable, float]:
    """Best mean of the measured values of a composition, with their number: that of one sample may be best by luck."""
    group = library.replicates()
    known = np.isfinite(values)
    count = np.bincount(group[known], minlength=len(starts))
    sums = np.bincount(group[known], values[known], minlength=len(starts))
    mean = np.divide(sums, count, out=np.full(len(starts), -sign * np.inf), where=count > 0)
    best = int((sign * mean).argmax())
    expected = float(predictive.expected(starts[[best]])[0])
    return {"measured": float(mean[best]), "measured_samples": int(count[best]), "measured_expected": expected}


def _with_gradient(
    table: pd.DataFrame, moves: Moves, library: MaterialsLibrary, insight: xr.Dataset | None
) -> pd.DataFrame:
    table["gradient"], table["gradient_spread"] = np.nan, np.nan
    if insight is None:
        return table
    known = {str(name) for name in insight["sample"].values}
    hosts = insight["exchange_host"].to_series().to_dict() if "exchange_host" in insight else {}
    for place, (sample, steps) in enumerate(zip(table["sample"], moves.steps, strict=True)):
        k, host = steps[0]
        name = library.components[k]
        scheme = "dilution" if host < 0 else "exchange"
        if sample not in known or (host >= 0 and hosts.get(name) != library.components[host]):
            continue
        chosen = {"scheme": scheme, "kind": "total", "sample": sample, "component": name}
        for column, variable in (("gradient", ""), ("gradient_spread", "_spread")):
            table.loc[place, column] = float(insight[f"composition_gradient{variable}"].sel(chosen))
    return table
