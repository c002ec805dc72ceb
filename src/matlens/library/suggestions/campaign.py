"""What to make next: ranked additions and moves, with what is expected of them and the support behind."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import NDArray

from matlens.errors import InputError
from matlens.hooks import Progress, Silent
from matlens.library.model import Response
from matlens.library.suggestions.limits import Limits
from matlens.library.suggestions.moves import Moves, distances, first_moves, move_support, second_moves, words
from matlens.library.suggestions.outlook import look_out
from matlens.library.table import PRESENT, MaterialsLibrary

__all__ = ["Campaign", "Expects", "plan_moves", "plate_list", "suggest"]

Array = NDArray[np.float64]
# docs/decisions/0041-suggestions.md
_REACH = 0.35  # of the usual range of a component
_STARTS = 40  # measured compositions that moves start from
_BEAM = 60  # moves that a second one follows
_SHORT = 400  # moves that are looked at closely
_DRAWS = 400
_ROW, _WELLS = 12, 96


@dataclass(frozen=True)
class Campaign:
    """How suggestions are chosen.

    Parameters
    ----------
    limits : Limits
        What may be made.
    moves : int
        Components changed at most, 1 or 2.
    least_support : int
        0: also where nothing was measured; 1: where little was; 2: only along measured compositions.
    minimise : bool
        Whether a small figure of merit is wanted.
    reach : float, optional
        Share of atoms to exchange, at most, to come from a suggestion to a measured composition; by default a third of
        the usual range of a component. No model is worth asking far from everything that was measured.
    apart : float, optional
        Share of atoms by which suggestions differ at least; by default two increments.
    coverage : float
        Of the intervals, as the ensemble and its held-out errors have it.
    seed : int
        Of the draws.

    Raises
    ------
    InputError
        If a value is impossible.

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


def suggest(
    model: Response,
    library: MaterialsLibrary,
    insight: xr.Dataset | None = None,
    n: int = 10,
    *,
    campaign: Campaign | None = None,
    progress: Progress | None = None,
) -> pd.DataFrame:
    """Suggest compositions to make next, each as a move from a measured one.

    Moves change one or two components, of those that are absent from a sample, too, at the cost of all others
    (dilution) or of one (exchange); the spectrum follows the composition as in the library. They are chosen together:
    each one adds most to the best that may be expected of those before it, over draws from the ensemble and from its
    errors at held-out compositions, so that they do not all bet on the same guess.

    Parameters
    ----------
    model : Response
        Fitted to the library.
    library : MaterialsLibrary
        What was measured.
    insight : xarray.Dataset, optional
        Of `explain_library`; adds the gradient that points along the move.
    n : int
        Suggestions.
    campaign : Campaign, optional
        Limits, increments, forbidden pairs, support asked for.
    progress : Progress, optional
        Called with stages done and total.

    Returns
    -------
    DataFrame
        One row a suggestion, the most valuable first: ``rank``, ``move`` (in words), ``scheme``, ``sample`` (one of the
        composition it starts from), ``system``, ``step`` (hundredths exchanged), ``start``, ``expected``, ``low``,
        ``high`` (figure of merit before and after, with interval), ``gain``, ``gain_low``, ``gain_high``, ``chance``
        (of beating the best measured composition), ``support`` (2, 1, 0), ``reason``, ``gradient`` and its ``spread``
        (per hundredth, total, of the first component changed; NaN without insight), then the components in hundredths.
        ``attrs`` hold ``components``, ``target``, ``unit``, ``best`` (expected of the best measured composition) and
        ``increment``.

    Raises
    ------
    InputError
        If components or limits do not fit the library, or nothing is left to suggest.

    Notes
    -----
    Intervals are of the ensemble and its held-out errors. Suggestions are chosen for looking good and lead beyond the
    data, so that fewer true values lie inside than asked; `benchmarks/suggestion_regret.py` measures how many, and on
    which side.

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
    outlook = look_out(model, library)
    starts, row = _starts(library)
    moves, facts = _supported(plan_moves(outlook, library, campaign), starts, campaign)
    report.update(1, f"{len(moves)} moves looked at")
    used, place = np.unique([*moves.start, _best(outlook, starts, campaign)], return_inverse=True)
    draws = outlook.draws(np.concatenate([moves.compositions, starts[used]]), _DRAWS, campaign.seed)
    after, before, best = draws[:, : len(moves)], draws[:, len(moves) + place[:-1]], draws[:, len(moves) + place[-1]]
    report.update(2, "expectations drawn")
    increment = campaign.limits.resolved(library)[2]
    apart = 2 * increment if campaign.apart is None else campaign.apart
    sign = -1 if campaign.minimise else 1
    chosen = _batch(sign * after, sign * before, sign * best, moves, n, apart)
    moves = moves.select(chosen)
    table = _table(after[:, chosen], before[:, chosen], best[:, None], campaign)
    table.insert(1, "step", 50 * np.abs(moves.compositions - starts[moves.start]).sum(1))
    table = _told(table, moves, starts, row, facts[:, chosen], library)
    table = _with_gradient(table, moves, library, insight)
    table[list(library.components)] = (100 * moves.compositions).round(6)
    table.attrs = {
        "components": list(library.components),
        "target": model.target_,
        "unit": model.unit_,
        "best": float(best.mean()),
        "increment": increment,
        "fraction_name": library.fraction_name,
    }
    report.update(3, f"{len(table)} chosen")
    report.end()
    return table


def plate_list(suggestions: pd.DataFrame, components: Sequence[str] | None = None) -> pd.DataFrame:
    """List what to make, one row a composition, ready to print.

    Parameters
    ----------
    suggestions : DataFrame
        As `suggest` gives them.
    components : sequence of str, optional
        Columns with the fractions; by default those that the suggestions tell of.

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
    """Give the measured compositions, each once, and a row of each."""
    _, row = np.unique(library.replicates(), return_index=True)
    return library.compositions[row], row


class Expects(Protocol):
    """What expects a figure of merit at compositions."""

    def expected(self, compositions: Array) -> Array:
        """Return what is expected, shape (n,)."""

    def hoped(self, compositions: Array, sign: int) -> Array:
        """Return what may be hoped for, shape (n,): upwards for sign 1, downwards for -1."""


def plan_moves(outlook: Expects, library: MaterialsLibrary, campaign: Campaign) -> Moves:
    """Move from the best measured compositions, and each co-alloy system's best, once or twice; keep the best moves.

    Parameters
    ----------
    outlook : Expects
        An `Outlook`, or anything else that expects a figure of merit.
    library : MaterialsLibrary
        What was measured.
    campaign : Campaign
        Limits, and how many components may change.

    Returns
    -------
    Moves
        They start from compositions numbered by `MaterialsLibrary.replicates`.
    """
    starts, row = _starts(library)
    sign = -1 if campaign.minimise else 1
    order = np.argsort(-sign * outlook.expected(starts), kind="stable")
    firsts = order[np.sort(np.unique(library.systems()[row][order].astype(str), return_index=True)[1])]
    chosen = np.unique(np.concatenate([order[:_STARTS], firsts[:_STARTS]]))

    span = np.ptp(starts, axis=0)
    usual = float(np.median(span[span > PRESENT])) if (span > PRESENT).any() else 1.0
    reach = campaign.reach if campaign.reach is not None else _REACH * usual

    def kept(moves: Moves, count: int) -> Moves:
        moves = moves.select(distances(moves.compositions, starts) <= reach + PRESENT)
        values = sign * outlook.hoped(moves.compositions, sign)
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


def _best(outlook: Expects, starts: Array, campaign: Campaign) -> int:
    return int(((-1 if campaign.minimise else 1) * outlook.expected(starts)).argmax())


def _supported(moves: Moves, starts: Array, campaign: Campaign) -> tuple[Moves, NDArray[np.intp]]:
    """Keep the moves with the support asked for; with flag, compositions along and together, shape (3, k)."""
    flags, along, together = move_support(starts[moves.start], moves.compositions, starts)
    kept = np.flatnonzero(flags >= campaign.least_support)
    if not len(kept):
        raise InputError("no move is left within the limits and the support asked for; widen them.")
    return moves.select(kept), np.stack([flags, along, together])[:, kept].astype(np.intp)


def _batch(after: Array, before: Array, best: Array, moves: Moves, n: int, apart: float) -> NDArray[np.intp]:
    """Choose moves one by one, each for what it adds to the best of those before, over draws of shape (draws, k).

    The first must beat what the best measured composition reaches, in each draw by itself: what all have in common
    does not count. Moves that are not expected to gain on their start come last.
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


def _told(
    table: pd.DataFrame,
    moves: Moves,
    starts: Array,
    row: NDArray[np.intp],
    facts: NDArray[np.intp],
    library: MaterialsLibrary,
) -> pd.DataFrame:
    """Add what is said in words, in the order of reading."""
    systems = library.systems()
    said = [words(starts[s], x, steps, library) for s, x, steps in zip(moves.start, moves.compositions, moves.steps)]
    rows = row[moves.start]
    table.insert(1, "move", [f"{move} (from {systems[r]})" for (move, _), r in zip(said, rows, strict=True)])
    table.insert(2, "scheme", [scheme for _, scheme in said])
    table.insert(3, "sample", [library.samples[r] for r in rows])
    table.insert(4, "system", list(systems[rows]))
    table["support"] = facts[0].astype(int)
    table["reason"] = [_reason(*(int(value) for value in values)) for values in facts.T]
    return table


def _reason(support: int, along: int, together: int) -> str:
    if together == 0:
        return "components that were never measured together: beyond the data"
    found = f"{along or 'no'} measured composition{'' if along == 1 else 's'} along it"
    return f"{found}, {together} with its rarest pair of components"


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
