"""Ranked suggestions of compositions to make next, with predictions and support by the data."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import NDArray

from matlens.core.arguments import checked_arguments
from matlens.core.labelled import ShownTable
from matlens.errors import InputError
from matlens.hooks import Progress, Silent
from matlens.library.gradients import Neighbourhood, neighbourhood_support
from matlens.library.model import Response
from matlens.library.suggestions.limits import Limits
from matlens.library.suggestions.moves import Moves, distances, first_moves, second_moves, words
from matlens.library.suggestions.predictive import measured_merit, predictive_distribution
from matlens.library.table import PRESENT, MaterialsLibrary

__all__ = ["Campaign", "Predictive", "Suggestions", "plan_moves", "plate_list", "suggest"]

Array = NDArray[np.float64]
# docs/decisions/0041-suggestions.md
_REACH = 0.35  # share of the median range of a component
_STARTS = 40  # best measured compositions that moves start from; more, spread over the library, follow
_TRIED = 30_000  # first moves that are looked at, about
_SIZES = 7  # of the steps of a move
_BEAM = 60  # first moves that are followed by a second one
_SHORT = 400  # moves that are ranked by draws from the predictive distribution
_DRAWS = 400
_KAPPA = 2.0  # standard deviations of the bound that moves are chosen by
_ROUNDING = 1e-9  # share of the largest variance that is rounding
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
        Least support of a suggestion: 0 allows any, 1 needs weak support, 2 needs measured compositions around it.
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
        """Prediction for the best measured composition: the one with the best prediction."""
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
    or of one other (exchange). Spectra follow the composition as in the library. Moves start anywhere among the
    measured compositions. Suggestions are chosen one by one: each has the best upper confidence bound of the gain over
    the best measured composition, once those before it are measured (Desautels, Krause and Burdick, J. Mach. Learn.
    Res. 15, 4053, 2014). Similar compositions tell about each other, so that suggestions do not all depend on the same
    guess. Where nothing is expected to beat the best measured composition, half of them have the best expectations
    instead. They are ranked by the gain that is expected over the best measured composition: the one with the best
    prediction, not the one with the luckiest measurement.

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
        A table with one row per suggestion, the greatest expected gain first: ``rank``, ``move`` (in words),
        ``scheme``, ``sample`` (id of a sample of the composition at the start), ``system`` (of that sample), ``step``
        (hundredths of atoms exchanged), ``start`` (predicted figure of merit at the start), ``expected``, ``low``,
        ``high`` (prediction at the end with its interval), ``gain``, ``gain_low``, ``gain_high`` (difference to the
        prediction for the best measured composition, with its interval), ``chance`` (that this composition is
        exceeded), ``support`` (2 supported, 1 weak, 0 unsupported, by what was measured around the composition),
        ``reason``, ``gradient`` and ``gradient_spread`` (total gradient of the component changed first, per hundredth,
        with its standard deviation over members; NaN without insight), then the components in hundredths. Predictions
        are medians of the predictive distribution. ``attrs`` also contain ``best_sample`` (id of a sample of the best
        measured composition), ``measured`` (mean of its measured values), ``measured_samples`` (number of these),
        ``open`` (number of allowed compositions one increment from it that were not measured) and ``finer`` (a smaller
        increment with which a gain is expected, where this one leaves none; else NaN).

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
    moves, around = _supported(plan_moves(predictive, library, campaign), library, campaign)
    report.update(1, f"{len(moves)} moves looked at")
    measured, sign = measured_merit(model, library), -1 if campaign.minimise else 1
    incumbent = _best(predictive, starts, library.replicates()[np.isfinite(measured)], sign)
    used, place = np.unique([*moves.start, incumbent], return_inverse=True)
    draws = predictive.draws(np.concatenate([moves.compositions, starts[used]]), _DRAWS, campaign.seed)
    after, before, best = draws[:, : len(moves)], draws[:, len(moves) + place[:-1]], draws[:, len(moves) + place[-1]]
    report.update(2, "expectations drawn")
    increment = campaign.limits.resolved(library)[2]
    apart = 2 * increment if campaign.apart is None else campaign.apart
    chosen = batch(sign * (after - best[:, None]), moves.compositions, n, apart, predictive.noise)
    moves = moves.select(chosen)
    table = _table(after[:, chosen], before[:, chosen], best[:, None], campaign)
    table.insert(1, "step", 50 * np.abs(moves.compositions - starts[moves.start]).sum(1))
    table["support"] = around.flags[chosen].astype(int)
    table["reason"] = [_reason(around, number, library) for number in chosen]
    table = _with_words(table, moves, starts, row, library, increment)
    table = _with_gradient(table, moves, library, insight)
    table[list(library.components)] = (100 * moves.compositions).round(6)
    found = Suggestions(table)
    own = measured[(library.replicates() == incumbent) & np.isfinite(measured)]
    beaten = bool((sign * table["gain"] > 0).any())
    found.attrs = {
        "components": list(library.components),
        "target": model.target_,
        "unit": model.unit_,
        "best": float(np.median(best)),
        "increment": increment,
        "fraction_name": library.fraction_name,
        "best_sample": library.samples[row[incumbent]],
        "measured": float(own.mean()),
        "measured_samples": len(own),
        "open": _open_neighbours(starts[incumbent], library, campaign.limits),
        "finer": np.nan if beaten else _finer(predictive, starts[incumbent], library, campaign),
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

    Moves start from the best measured compositions, from the best one of each co-alloy system, and from others that
    are spread over the library, and change one or two components.

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
    size = starts.shape[1]
    chosen = _spread(starts, chosen, _TRIED // (_SIZES * size * (size + 1)))

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


def _spread(starts: Array, chosen: NDArray[np.intp], most: int) -> NDArray[np.intp]:
    """Add starts, each the farthest from those before it, up to ``most``."""
    if len(chosen) >= most or len(chosen) == len(starts):
        return chosen
    far, found = distances(starts, starts[chosen]), list(chosen)
    while len(found) < min(most, len(starts)):
        found.append(int(far.argmax()))
        far = np.minimum(far, 0.5 * np.abs(starts - starts[found[-1]]).sum(1))
        far[found] = -1
    return np.sort(np.array(found, np.intp))


def _best(predictive: Predictive, starts: Array, measured: NDArray[np.intp], sign: int) -> int:
    """Return the composition with a measured figure of merit that has the best expectation."""
    known = np.unique(measured)
    return int(known[(sign * predictive.expected(starts[known])).argmax()])


def _supported(moves: Moves, library: MaterialsLibrary, campaign: Campaign) -> tuple[Moves, Neighbourhood]:
    """Keep moves whose ends have enough support; with what was measured around these."""
    around = neighbourhood_support(moves.compositions, library)
    kept = np.flatnonzero(around.flags >= campaign.least_support)
    if not len(kept):
        raise InputError("no move is left within the limits and the support asked for; widen them.")
    return moves.select(kept), around.select(kept)


def batch(gains: Array, compositions: Array, n: int, apart: float, noise: float) -> NDArray[np.intp]:
    """Choose compositions one by one by upper confidence bound; the largest median gain is first.

    Gains, shape (draws, k), are those over the best measured composition within each draw, so that errors common to all
    compositions cancel. Bounds are mean plus two standard deviations of what is left uncertain once those chosen before
    are measured, with noise of this variance, as if they turned out as expected (GP-BUCB: Desautels, Krause and
    Burdick, J. Mach. Learn. Res. 15, 4053, 2014). Where no gain is expected, bounds would bet on what is known least;
    half of the suggestions are therefore those with the best medians.
    """
    free, median, mean = np.ones(len(compositions), bool), np.median(gains, axis=0), gains.mean(0)
    safe = 0 if (median > 0).any() else -(-n // 2)
    chosen: list[int] = []
    covariance = np.atleast_2d(np.cov(gains, rowvar=False))
    tiny = _ROUNDING * np.diag(covariance).max() + 1e-300  # what is known already must not be divided by
    while len(chosen) < n and free.any():
        bound = mean + _KAPPA * np.sqrt(np.maximum(np.diag(covariance), 0))
        pick = int(np.where(free, median if len(chosen) < safe else bound, -np.inf).argmax())
        chosen.append(pick)
        # The mean stays, since an outcome as expected changes none.
        shared = covariance[:, pick]
        covariance = covariance - np.outer(shared, shared) / (covariance[pick, pick] + noise + tiny)
        far = 0.5 * np.abs(compositions - compositions[pick]).sum(1)
        free &= far > apart - 1e-9
        free[pick] = False
    return np.array(sorted(chosen, key=lambda pick: -median[pick]), np.intp)


def _open_neighbours(best: Array, library: MaterialsLibrary, limits: Limits) -> int:
    """Count the allowed compositions one increment from the best measured one that were not measured."""
    around = first_moves(best[None], library, limits).compositions
    increment = limits.resolved(library)[2]
    return int((0.5 * np.abs(around - best).sum(1) <= 1.51 * increment).sum())


def _finer(predictive: Predictive, best: Array, library: MaterialsLibrary, campaign: Campaign) -> float:
    """Return a smaller increment with which a gain near the best measured composition is expected; NaN if none is."""
    sign, increment = -1 if campaign.minimise else 1, campaign.limits.resolved(library)[2]
    known = sign * predictive.expected(best[None])[0]
    for finer in (increment / 2, increment / 5):
        ends = first_moves(best[None], library, replace(campaign.limits, increment=finer)).compositions
        if len(ends) and (sign * predictive.expected(ends)).max() > known:
            return finer
    return float("nan")


def _table(after: Array, before: Array, best: Array, campaign: Campaign) -> pd.DataFrame:
    """Summarise draws, shape (draws, n), of moves, of where they start, and of the best measured, shape (draws, 1)."""
    ends = ((1 - campaign.coverage) / 2, (1 + campaign.coverage) / 2)
    low, high = np.quantile(after, ends, axis=0)
    gain_low, gain_high = np.quantile(after - best, ends, axis=0)
    beats = after < best if campaign.minimise else after > best
    return pd.DataFrame(
        {
            "rank": np.arange(1, after.shape[1] + 1),
            "start": np.median(before, axis=0),
            "expected": np.median(after, axis=0),
            "low": low,
            "high": high,
            "gain": np.median(after - best, axis=0),
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
    return table


def _reason(around: Neighbourhood, number: int, library: MaterialsLibrary) -> str:
    """Why a composition has its support."""
    if around.against[number]:
        return "; ".join(around.against[number])
    return (
        f"{around.near[number]} measured compositions are as near as neighbours usually are, the nearest "
        f"{100 * around.distance[number]:.2g} {library.fraction_name} away"
    )


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
