"""Recognition of the components of a table: the largest set of columns whose rows sum to 1 or to 100 %."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from matlens.library.io.elements import ELEMENTS
from matlens.library.io.names import component_names, is_element, pattern

__all__ = ["MOST_ROUNDING", "TOLERANCE", "Components", "find_components", "last_place"]

# docs/decisions/0029-reading-a-library.md
TOLERANCE = 0.005  # allowed relative deviation of a row's sum from 1
MOST_ROUNDING = 0.05  # largest relative deviation of a sum that rounding is allowed to explain
_ROWS = 256  # number of rows that are used
_MOST = 0.5  # share of the rows that must sum to 1, for adjacent columns
_SCATTERED = 0.9  # ... and for columns that are not adjacent, where chance finds more sets
_LONGEST = 60  # largest number of adjacent columns
_HUGE = 1e9
_NODES = 20_000  # largest number of steps of the search among columns that are not adjacent

_DECIMALS = re.compile(r"\d*(?:\.(\d*))?")

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Components:
    """Columns of the components.

    Parameters
    ----------
    columns : tuple of int
        Indices of the components, ascending, including those that are zero in all rows.
    total : float
        Sum of a row: 1 or 100.
    others : tuple of tuple of int
        Further sets of columns that sum to 1 or 100, such as nominal beside measured compositions.
    balance : str or None
        Name of the component that is the rest to ``total`` and has no column of numbers.
    """

    columns: tuple[int, ...]
    total: float
    others: tuple[tuple[int, ...], ...] = ()
    balance: str | None = None


@dataclass(frozen=True)
class _Closing:
    """A set of columns that sums to ``total`` in a share of the rows, with a mean relative ``deviation`` there."""

    columns: frozenset[int]
    total: float
    share: float
    deviation: float
    kinds: int  # number of patterns of their names

    def better_than(self, other: _Closing) -> bool:
        """Whether this set replaces another one, of which it is a subset or a superset."""
        if not (self.columns > other.columns or self.columns < other.columns):
            return False
        if self.share != other.share:
            return self.share > other.share
        # columns of tiny numbers (a current in A) may join without changing the sums, but do not improve them
        rounding = 1e-6
        if self.columns > other.columns:
            return self.deviation <= max(other.deviation, rounding)
        return self.deviation < other.deviation and other.deviation > rounding

    @property
    def rank(self) -> tuple[float, ...]:
        """Sort key: most components, then names of one kind, then the best sums, then the order in the file."""
        return len(self.columns), -self.kinds, self.share, -self.deviation, -min(self.columns)


def find_components(names: Sequence[str], values: Floats, steps: Floats | None = None) -> Components | None:
    """Find the components among columns of numbers.

    All runs of adjacent columns are tried, and sets of columns that are not adjacent. Columns that are zero (or nearly
    so) everywhere do not change the sums; they are components if they are between components, or next to them with a
    name of the same kind. Where no set sums to 1 or 100, columns named as elements are taken, so that a message can
    name the faulty rows.

    Parameters
    ----------
    names : sequence of str
        Names of the columns, in the order of the file.
    values : ndarray of float, shape (rows, columns)
        Values; NaN where a cell is not a number.
    steps : ndarray of float, shape (columns,), optional
        Largest error of rounding of each column, which sums may deviate by where no set closes otherwise.

    Returns
    -------
    Components or None
        None if no columns qualify.

    Examples
    --------
    >>> values = np.array([[7, 0.5, 0.5, 0, 3], [8, 0.4, 0.6, 0, 4.0]])
    >>> find_components(["Sample", "Bi", "V", "W", "P"], values)
    Components(columns=(1, 2, 3), total=1.0, others=(), balance=None)
    """
    part = np.clip(values[:: -(-len(values) // _ROWS)], -_HUGE, _HUGE)  # sums of what is no fraction must not overflow
    sets = [found for total in (1.0, 100.0) for found in _closing_sets(names, part, total)]
    if not sets and steps is not None:
        sets = [found for total in (1.0, 100.0) for found in _closing_sets(names, part, total, steps)]
    kept = [one for one in sets if not any(other.better_than(one) for other in sets)]
    if not kept:
        return _by_elements(names, part)
    best = max(kept, key=lambda one: one.rank)
    chosen = _with_small(names, part / best.total, best.columns)
    rivals = [one for one in kept if not one.columns & set(chosen)]
    others = tuple(_with_small(names, part / one.total, one.columns) for one in rivals)
    return Components(chosen, best.total, others)


def last_place(cell: str) -> float:
    """Return a unit of the last decimal that a cell shows.

    Parameters
    ----------
    cell : str
        A number with a decimal point.

    Returns
    -------
    float
        0.01 for "0.25"; 0 for zero, which is not rounded, and for what is no plain decimal number.

    Examples
    --------
    >>> last_place("0.25"), last_place("33"), last_place("0")
    (0.01, 1.0, 0.0)
    """
    match = _DECIMALS.fullmatch(cell.strip())
    return 0.0 if match is None or not match[0].strip("0.") else 10.0 ** -len(match[1] or "")


def _closing_sets(names: Sequence[str], values: Floats, total: float, steps: Floats | None = None) -> list[_Closing]:
    fitting = np.mean((values >= 0) & (values <= total * (1 + TOLERANCE)), axis=0) >= _MOST
    small = np.array([_negligible(values[:, k], total) for k in range(values.shape[1])], dtype=bool)
    usable = [int(k) for k in np.flatnonzero(fitting & ~small)]
    scaled = np.nan_to_num(values) / total
    found: dict[frozenset[int], _Closing] = {}
    loose = TOLERANCE if steps is None else MOST_ROUNDING
    for columns in [*_together(scaled, fitting, small, loose), *(_anywhere(scaled, usable) if steps is None else ())]:
        sums = scaled[:, sorted(columns)].sum(axis=1)
        allowed = TOLERANCE if steps is None else min(float(steps[sorted(columns)].sum()) / total, MOST_ROUNDING)
        closes = np.abs(sums - 1) <= allowed + 1e-9
        if len(columns) > 1 and closes.mean() >= _MOST:
            kinds = len({pattern(names[k]) for k in columns})
            deviation = float(np.abs(sums[closes] - 1).mean())
            found[columns] = _Closing(columns, total, float(closes.mean()), deviation, kinds)
    return list(found.values())


def _together(
    scaled: Floats, fitting: NDArray[np.bool_], small: NDArray[np.bool_], tolerance: float
) -> list[frozenset[int]]:
    """List the runs of adjacent columns that sum to 1, without negligible columns."""
    upto = np.concatenate([np.zeros((len(scaled), 1)), np.cumsum(np.where(fitting, scaled, 0), axis=1)], axis=1)
    runs = set()
    for first in map(int, np.flatnonzero(fitting)):
        stop = first + int(np.argmin([*fitting[first : first + _LONGEST], False]))
        sums = upto[:, first + 1 : stop + 1] - upto[:, [first]]
        for length in np.flatnonzero(np.mean(np.abs(sums - 1) <= 2 * tolerance, axis=0) >= _MOST):
            runs.add(frozenset(k for k in range(first, first + int(length) + 1) if not small[k]))
    return list(runs)


def _anywhere(scaled: Floats, usable: list[int]) -> list[frozenset[int]]:
    """Search sets of columns, adjacent or not, that sum to 1 in most rows, by depth first from the largest columns."""
    order = sorted(usable, key=lambda k: -float(scaled[:, k].mean()))
    rows = scaled[:, order]
    left = np.cumsum(rows[:, ::-1], axis=1)[:, ::-1]  # largest sum that the columns from k on can still add
    found, nodes = [], 0
    stack: list[tuple[int, tuple[int, ...], Floats]] = [(0, (), np.zeros(len(rows)))]
    while stack and nodes < _NODES:
        nodes += 1
        k, taken, sums = stack.pop()
        if np.mean(sums <= 1 + TOLERANCE) < _SCATTERED:
            continue
        if k == len(order):
            if np.mean(sums >= 1 - TOLERANCE) >= _SCATTERED:
                found.append(frozenset(order[j] for j in taken))
            continue
        if np.mean(sums + left[:, k] >= 1 - TOLERANCE) < _SCATTERED:
            continue
        stack.append((k + 1, taken, sums))
        stack.append((k + 1, (*taken, k), sums + rows[:, k]))
    return found


def _with_small(names: Sequence[str], scaled: Floats, columns: frozenset[int]) -> tuple[int, ...]:
    """Add the negligible columns that belong to the components."""
    kinds, block = {pattern(names[k]) for k in columns}, [names[k] for k in sorted(columns)]
    sums = np.nan_to_num(scaled[:, sorted(columns)]).sum(axis=1)
    closes = np.abs(sums - 1) <= TOLERANCE

    def belongs(k: int, between: bool) -> bool:
        """Whether a negligible column is a component: by its name and place, and by the sums unless it is zero."""
        column = np.nan_to_num(scaled[:, k])
        alike = pattern(names[k]) in kinds or set(component_names([*block, names[k]])[0]) <= ELEMENTS
        if not column.any():
            return between or alike
        helps = np.abs(sums + column - 1)[closes].mean() < np.abs(sums - 1)[closes].mean()
        return alike and (between or bool(helps))

    small = [k for k in range(len(names)) if k not in columns and _negligible(scaled[:, k], 1.0)]
    chosen = set(columns) | {k for k in small if min(columns) < k < max(columns) and belongs(k, True)}
    for step, k in ((1, max(columns) + 1), (-1, min(columns) - 1)):
        while k in small and belongs(k, False):
            chosen.add(k)
            k += step
    return tuple(sorted(chosen))


def _negligible(column: Floats, total: float) -> bool:
    known = column[np.isfinite(column)]
    return bool(known.size and (known >= 0).all() and known.max() <= TOLERANCE * total)


def _by_elements(names: Sequence[str], values: Floats) -> Components | None:
    proper = component_names(list(names))[0] if len(names) else []
    columns = [k for k, name in enumerate(names) if is_element(name) or proper[k] in ELEMENTS]
    columns = [k for k in columns if np.isfinite(values[:, k]).any()]
    if len(columns) < 2:
        return None
    known, best = np.nan_to_num(values), (np.inf, columns, 1.0)
    for left_out in (None, *columns):  # a figure of merit may be named P or V, like an element
        kept = [k for k in columns if k != left_out]
        for total in (1.0, 100.0):
            middle = float(np.median(known[:, kept].sum(axis=1))) / total
            miss = abs(np.log(middle)) if middle > 0 else np.inf
            if len(kept) > 1 and miss < best[0]:
                best = miss, kept, total
    return Components(tuple(best[1]), best[2])
