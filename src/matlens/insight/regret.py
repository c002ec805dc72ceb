"""How good ten suggestions are where the truth is known: regret against random moves and a Gaussian process."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Protocol

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from matlens.errors import InputError
from matlens.hooks import Progress, Silent
from matlens.insight.moves import Moves, first_moves, second_moves
from matlens.insight.suggest import Campaign, plan_moves, suggest
from matlens.insight.surrogate import Surrogate, fit_surrogate
from matlens.library import MaterialsLibrary

__all__ = ["STRATEGIES", "Truth", "suggestion_regret"]

Array = NDArray[np.float64]
STRATEGIES = ("suggest", "gp-ucb", "random")
_STATES = 24  # latent states over which the truth is averaged
_KAPPA = 2.0  # standard deviations of the upper confidence bound


class Truth(Protocol):
    """A library of which the truth is known (`matlens.problems.KnownLibrary`)."""

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
    seed : int
        Of the choices.
    progress : Progress, optional
        Told of the repeats.

    Returns
    -------
    DataFrame
        ``repeat``, ``strategy``, ``measured`` (truth of the best composition measured before), ``reached`` (of the best
        suggestion), ``mean`` (of all), ``possible``, ``regret``; for ``suggest`` also ``inside``, the share of true
        values inside the intervals.

    Raises
    ------
    InputError
        If too few compositions are left to learn from.
    """
    campaign, report = campaign or Campaign(), progress or Silent()
    sign = -1 if campaign.minimise else 1
    library, group = known.library, known.library.replicates()
    report.begin(repeats, "regret of suggestions")
    rows: list[dict[str, object]] = []
    for repeat in range(repeats):
        random = np.random.default_rng([seed, repeat])
        seen = library.select(np.isin(group, _measured(known, share, below, sign, random)))
        made = _strategies(seen, make, n, replace(campaign, seed=seed + repeat), random)
        truth = {name: _expected(known, x) for name, x in made.compositions.items()}
        start = np.unique(seen.compositions, axis=0)
        reach = plan_moves(_Knowing(known), seen, campaign).compositions
        best = _expected(known, reach[np.argsort(-sign * known.response(reach), kind="stable")[: 5 * n]])
        possible = sign * max(float((sign * values).max()) for values in (best, *truth.values()))
        for name, values in truth.items():
            reached = float((sign * values).max()) * sign
            row = {
                "repeat": repeat,
                "strategy": name,
                "measured": float((sign * _expected(known, start)).max()) * sign,
                "reached": reached,
                "mean": float(values.mean()),
                "possible": possible,
                "regret": sign * (possible - reached),
                "inside": np.nan,
            }
            if name == "suggest":
                row["inside"] = float(((values >= made.table["low"]) & (values <= made.table["high"])).mean())
            rows.append(row)
        report.advance(repeat + 1, float("nan"), "")
    report.end()
    return pd.DataFrame(rows)


def _expected(known: Truth, compositions: Array) -> Array:
    """Average the truth over states as they occur in the library: what making a composition gives on average."""
    state = getattr(known, "state", None)
    if state is None or not np.size(state):
        return known.response(compositions)
    rows = np.linspace(0, len(state) - 1, min(_STATES, len(state))).astype(np.intp)
    each = [
        known.response(compositions, np.broadcast_to(state[row], (len(compositions), state.shape[1]))) for row in rows
    ]
    found: Array = np.mean(each, axis=0)
    return found


def _measured(known: Truth, share: float, below: float, sign: int, random: np.random.Generator) -> NDArray[np.intp]:
    """Draw the compositions that have been measured, by their number."""
    group = known.library.replicates()
    _, first = np.unique(group, return_index=True)
    truth = sign * known.response(known.library.compositions[first])
    usual = np.flatnonzero(truth <= np.quantile(truth, below))
    count = round(share * len(first))
    if not 10 <= count <= len(usual):
        raise InputError(f"found {count} compositions to suggest from, expected 10 to {len(usual)}; change the share.")
    return np.sort(random.choice(usual, count, replace=False))


@dataclass(frozen=True)
class _Made:
    compositions: dict[str, Array]
    table: pd.DataFrame


def _strategies(
    seen: MaterialsLibrary, make: Callable[[], Any], n: int, campaign: Campaign, random: np.random.Generator
) -> _Made:
    table = suggest(make().fit(seen), seen, n=n, campaign=campaign)
    bound = _Bound(fit_surrogate(seen.compositions, seen.merit(), seen.replicates()), -1 if campaign.minimise else 1)
    moves = plan_moves(bound, seen, campaign)
    found = {
        "suggest": table[list(seen.components)].to_numpy() / 100,
        "gp-ucb": moves.compositions[_upper_confidence(bound, moves.compositions, n)],
        "random": _random_moves(seen, campaign, n, random),
    }
    return _Made(found, table)


@dataclass(frozen=True)
class _Bound:
    """The upper confidence bound, in place of an expectation."""

    surrogate: Surrogate
    sign: int

    def expected(self, compositions: Array) -> Array:
        """Mean and two standard deviations in the direction that is wanted, shape (n,)."""
        return self.hoped(compositions, self.sign)

    def hoped(self, compositions: Array, sign: int) -> Array:
        """Return the same."""
        mean, spread = self.surrogate.predict(compositions), self.surrogate.spread(compositions)
        return mean + sign * _KAPPA * spread


@dataclass(frozen=True)
class _Knowing:
    """The truth, in place of an expectation."""

    known: Truth

    def expected(self, compositions: Array) -> Array:
        """Return the truth, shape (n,)."""
        return self.known.response(compositions)

    def hoped(self, compositions: Array, sign: int) -> Array:
        """Return the truth, shape (n,)."""
        return self.known.response(compositions)


def _upper_confidence(bound: _Bound, x: Array, n: int) -> list[int]:
    """Choose by the upper confidence bound, one by one, as if each choice were measured as expected (GP-BUCB)."""
    mean, covariance = bound.surrogate.joint(x)
    chosen: list[int] = []
    for _ in range(min(n, len(x))):
        worth = bound.sign * mean + _KAPPA * np.sqrt(np.maximum(np.diag(covariance), 0))
        worth[chosen] = -np.inf
        pick = int(worth.argmax())
        chosen.append(pick)
        seen = covariance[:, pick]
        covariance = covariance - np.outer(seen, seen) / max(covariance[pick, pick] + bound.surrogate.noise, 1e-300)
    return chosen


def _random_moves(seen: MaterialsLibrary, campaign: Campaign, n: int, random: np.random.Generator) -> Array:
    starts = np.unique(seen.compositions, axis=0)
    starts = starts[random.permutation(len(starts))[:40]]
    one = first_moves(starts, seen, campaign.limits)
    every = one.compositions
    if campaign.moves == 2 and len(one):
        some: Moves = one.select(random.permutation(len(one))[:60])
        every = np.concatenate([every, second_moves(some, seen, campaign.limits).compositions])
    return every[random.permutation(len(every))[:n]]
