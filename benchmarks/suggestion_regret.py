"""How good ten suggestions are where the truth is known: regret against random moves and a Gaussian process."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Protocol

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from matlens.errors import InputError
from matlens.hooks import Progress, Silent
from matlens.library.gradients import Trend, fit_trend
from matlens.library.suggestions.campaign import Campaign, plan_moves, suggest
from matlens.library.suggestions.moves import Moves, first_moves, second_moves
from matlens.library.suggestions.predictive import measured_merit
from matlens.library.table import MaterialsLibrary

__all__ = ["STRATEGIES", "Bound", "Rival", "Truth", "suggestion_regret", "upper_confidence"]

Array = NDArray[np.float64]
STRATEGIES = ("suggest", "gp-ucb", "random")
_STATES = 24  # latent states over which the truth is averaged
_TOP = 50  # moves that are looked up in every state
_KAPPA = 2.0  # standard deviations of the upper confidence bound
_CANDIDATES = 1000  # compositions that a rival chooses from
Rival = Callable[[Array, Array, Array, int, bool, int], Array]
"""Chooses rows of candidates from measured compositions, their figures of merit, the candidates, how many, whether
little is wanted, and a seed."""


class Truth(Protocol):
    """A library of which the truth is known (`matlens.library.problems.KnownLibrary`)."""

    @property
    def library(self) -> MaterialsLibrary:
        """What was measured."""

    def response(self, compositions: Array, state: Array | None = None) -> Array:
        """Exact figure of merit at compositions, in a state that no file tells, shape (n,)."""


def suggestion_regret(
    known: Truth,
    make: Callable[[], Any],
    *,
    n: int = 10,
    share: float = 0.25,
    below: float = 0.8,
    repeats: int = 1,
    campaign: Campaign | None = None,
    rivals: Mapping[str, Rival] | None = None,
    seed: int = 0,
    progress: Progress | None = None,
) -> pd.DataFrame:
    """Compare strategies by the best of the n compositions that each of them would make.

    Each repeat measures a random share of the compositions; what is then suggested is looked up in the truth. Regret is
    the best that moves can reach within the limits, planned with the truth, less the best of the n.

    Parameters
    ----------
    known : KnownLibrary
    make : callable
        Makes the model, which has yet to learn.
    n : int
        Suggestions.
    share : float
        Of the compositions, measured before.
    below : float
        Quantile of the truth from which on no composition has been measured: there is something left to find.
    repeats : int
        Random choices of these.
    campaign : Campaign, optional
        How `suggest` chooses; all strategies keep its limits.
    rivals : mapping, optional
        More strategies, which choose from what GP-UCB looks at and from moves at random.
    seed : int
        Of the choices.
    progress : Progress, optional
        Called with repeats done and total.

    Returns
    -------
    DataFrame
        ``repeat``, ``strategy``, ``measured`` (truth of the best composition measured before), ``reached`` (of the best
        suggestion), ``mean`` (of all), ``possible``, ``regret``; for ``suggest`` also ``inside``, the share of true
        values inside the intervals, and ``better``, the share beyond them on the side that is wanted.

    Raises
    ------
    InputError
        If too few compositions are left to learn from.
    """
    campaign, report = campaign or Campaign(), progress or Silent()
    report.begin(repeats, "regret of suggestions")
    tables = []
    for repeat in range(repeats):
        random, model = np.random.default_rng([seed, repeat]), make()
        truth = _Knowing(known, str(getattr(model, "transform", "none")), -1 if campaign.minimise else 1)
        seen = truth.measured(share, below, random)
        model.fit(seen, seen.merit_name())
        own = replace(campaign, seed=seed + repeat)
        made, table = _strategies(seen, model, n, own, rivals or {}, random)
        tables.append(_scores(truth, seen, made, table, campaign).assign(repeat=repeat))
        report.update(repeat + 1)
    report.end()
    return pd.concat(tables, ignore_index=True)


@dataclass(frozen=True)
class _Knowing:
    """The truth, on the scale that is learned; it stands in place of an expectation, too."""

    known: Truth
    transform: str
    sign: int

    def expected(self, compositions: Array) -> Array:
        """Return the truth in the nominal state, shape (n,)."""
        return self._scaled(self.known.response(compositions))

    def confidence_bound(self, compositions: Array, sign: int) -> Array:
        """Return the same."""
        return self.expected(compositions)

    def average(self, compositions: Array) -> Array:
        """Average over states as they occur in the library: what making a composition gives on average."""
        state = getattr(self.known, "state", None)
        if state is None or not np.size(state):
            return self.expected(compositions)
        rows = np.linspace(0, len(state) - 1, min(_STATES, len(state))).astype(np.intp)
        shape = (len(compositions), state.shape[1])
        each = [self._scaled(self.known.response(compositions, np.broadcast_to(state[row], shape))) for row in rows]
        found: Array = np.mean(each, axis=0)
        return found

    def best(self, values: Array) -> float:
        """Return the best of some values."""
        return self.sign * float((self.sign * values).max())

    def measured(self, share: float, below: float, random: np.random.Generator) -> MaterialsLibrary:
        """Draw the compositions that have been measured."""
        library, group = self.known.library, self.known.library.replicates()
        truth = self.sign * self.expected(library.compositions[np.unique(group, return_index=True)[1]])
        usual = np.flatnonzero(truth <= np.quantile(truth, below))
        count = round(share * len(truth))
        if not 10 <= count <= len(usual):
            raise InputError(
                f"found {count} compositions to suggest from, expected 10 to {len(usual)}; change the share."
            )
        return library.select(np.isin(group, random.choice(usual, count, replace=False)))

    def _scaled(self, values: Array) -> Array:
        found: Array = np.log10(values) if self.transform == "log10" else values
        return found


def _scores(
    truth: _Knowing, seen: MaterialsLibrary, made: dict[str, Array], table: pd.DataFrame, campaign: Campaign
) -> pd.DataFrame:
    values = {name: truth.average(x) for name, x in made.items()}
    start = truth.best(truth.average(np.unique(seen.compositions, axis=0)))
    reach = plan_moves(truth, seen, campaign).compositions
    top = np.argsort(-truth.sign * truth.expected(reach), kind="stable")[:_TOP]
    possible = truth.best(np.concatenate([truth.average(reach[top]), *values.values()]))
    inside = (values["suggest"] >= table["low"]) & (values["suggest"] <= table["high"])
    better = values["suggest"] > table["high"] if truth.sign > 0 else values["suggest"] < table["low"]
    rows = [
        {
            "strategy": name,
            "measured": start,
            "reached": truth.best(found),
            "mean": float(found.mean()),
            "possible": possible,
            "regret": truth.sign * (possible - truth.best(found)),
            "inside": float(inside.mean()) if name == "suggest" else np.nan,
            "better": float(better.mean()) if name == "suggest" else np.nan,
        }
        for name, found in values.items()
    ]
    return pd.DataFrame(rows)


def _strategies(
    seen: MaterialsLibrary,
    model: Any,
    n: int,
    campaign: Campaign,
    rivals: Mapping[str, Rival],
    random: np.random.Generator,
) -> tuple[dict[str, Array], pd.DataFrame]:
    table = suggest(model, seen, n=n, campaign=campaign)
    values = measured_merit(model, seen)
    bound = Bound(fit_trend(seen.compositions, values[:, None], seen.replicates()), -1 if campaign.minimise else 1)
    planned = plan_moves(bound, seen, campaign).compositions
    made = {
        "suggest": table[list(seen.components)].to_numpy() / 100,
        "gp-ucb": planned[upper_confidence(bound, planned, n)],
        "random": _random_moves(seen, campaign, random)[:n],
    }
    known = np.isfinite(values)
    for name, choose in rivals.items():
        more = _random_moves(seen, campaign, random)[: max(0, _CANDIDATES - len(planned))]
        candidates = np.unique(np.concatenate([planned, more]).round(9), axis=0)
        rows = choose(seen.compositions[known], values[known], candidates, n, campaign.minimise, campaign.seed)
        made[name] = candidates[rows]
    return made, table


@dataclass(frozen=True)
class Bound:
    """The upper confidence bound, in place of an expectation."""

    trend: Trend
    sign: int

    def expected(self, compositions: Array) -> Array:
        """Mean and two standard deviations in the direction that is wanted, shape (n,)."""
        return self.confidence_bound(compositions, self.sign)

    def confidence_bound(self, compositions: Array, sign: int) -> Array:
        """Return the same."""
        mean, deviation = self.trend.predict(compositions)[:, 0], self.trend.deviation(compositions)
        return mean + sign * _KAPPA * deviation


def upper_confidence(bound: Bound, x: Array, n: int) -> list[int]:
    """Choose by the upper confidence bound, one by one, as if each choice were measured as expected (GP-BUCB)."""
    mean, covariance = bound.trend.joint(x)
    chosen: list[int] = []
    for _ in range(min(n, len(x))):
        worth = bound.sign * mean + _KAPPA * np.sqrt(np.maximum(np.diag(covariance), 0))
        worth[chosen] = -np.inf
        pick = int(worth.argmax())
        chosen.append(pick)
        seen = covariance[:, pick]
        covariance = covariance - np.outer(seen, seen) / max(covariance[pick, pick] + bound.trend.noise, 1e-300)
    return chosen


def _random_moves(seen: MaterialsLibrary, campaign: Campaign, random: np.random.Generator) -> Array:
    starts = np.unique(seen.compositions, axis=0)
    starts = starts[random.permutation(len(starts))[:40]]
    one = first_moves(starts, seen, campaign.limits)
    every = one.compositions
    if campaign.moves == 2 and len(one):
        some: Moves = one.select(random.permutation(len(one))[:60])
        every = np.concatenate([every, second_moves(some, seen, campaign.limits).compositions])
    return every[random.permutation(len(every))]
