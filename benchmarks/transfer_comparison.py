"""R squared of encoders and its paired differences, from the predictions that `transfer.py compare` keeps."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike, NDArray

from matlens.core.bootstrap import bootstrap_weights, drawn_counts
from transfer_data import TARGET, UNSEEN, data, real_windows

COMPARED_WITH = "vgg19-oxford"
RESAMPLES = 2000
ENDS = (0.05, 0.95)
Array = NDArray[np.float64]


def r_squared(truth: Array, missed: Array, weights: Array) -> Array:
    """R squared of each draw (d) with each weighting (w) of structures (s).

    Parameters
    ----------
    truth : ndarray, shape (s,)
        Logarithm of the property.
    missed : ndarray, shape (d, s)
        Error of the logarithm for each draw of training structures.
    weights : ndarray, shape (w, s)
        How often each structure counts.

    Returns
    -------
    ndarray, shape (w, d)
    """
    total = weights.sum(1)
    centred = truth - truth.mean()  # else the difference of squares loses digits
    variance = weights @ centred**2 / total - (weights @ centred / total) ** 2
    return 1 - (weights @ (missed**2).T) / (total * variance)[:, None]


def paired_difference(
    truth: ArrayLike, missed: ArrayLike, reference: ArrayLike, strata: ArrayLike | None = None
) -> dict[str, float]:
    """How much R squared is above that of a reference on the same draws and structures, with 90 % intervals.

    Parameters
    ----------
    truth : array_like, shape (s,)
        Logarithm of the property of each structure.
    missed, reference : array_like, shape (d, s)
        Errors of the logarithm by both, for each draw of training structures.
    strata : array_like, shape (s,), optional
        Kinds of structures, within each of which structures are resampled.

    Returns
    -------
    dict of str to float
        ``r2``, the median over draws; ``difference``, the mean over draws; ``draws_low`` and ``draws_high``, its
        interval over draws on these very structures; ``low`` and ``high``, that over draws and structures.
    """
    truth, missed, reference = (np.asarray(values, np.float64) for values in (truth, missed, reference))
    structures = bootstrap_weights(np.arange(truth.size), strata=strata, draws=RESAMPLES)
    found = r_squared(truth, missed, structures)
    above = found - r_squared(truth, reference, structures)
    draws = drawn_counts(np.arange(len(missed)), RESAMPLES, np.random.default_rng(1)) / len(missed)
    narrow, wide = draws @ above[0], (draws * above[1:]).sum(1)
    return {
        "r2": float(np.median(found[0])),
        "difference": float(above[0].mean()),
        **dict(zip(("draws_low", "draws_high"), np.quantile(narrow, ENDS).tolist())),
        **dict(zip(("low", "high"), np.quantile(wide, ENDS).tolist())),
    }


class Comparison:
    """Predictions that `transfer.py compare` kept, of test structures and real windows, beside the truth."""

    def __init__(self, place: Path) -> None:
        self.rows = {file.stem: json.loads(file.read_text()) for file in sorted((place / "compare").glob("*.json"))}
        sets = {"test": data()[1], "real": real_windows()} if self.rows else {}
        self.kinds = {name: one.families for name, one in sets.items()}
        self.truth = {
            (name, target): np.log(one.targets[target].to_numpy())
            for name, one in sets.items()
            for target in (TARGET, UNSEEN)
        }

    def label(self, name: str) -> str:
        facts = self.rows[name]["encoder"]
        marks = ["has seen conductivities"] * facts["seen_conductivities"]
        marks += [f"trained without {' and '.join(facts['left_out'])}"] * bool(facts["left_out"])
        return name + (f" ({', '.join(marks)})" if marks else "")

    def errors(self, name: str, where: str, target: str, n: int) -> dict[int, np.ndarray]:
        """Errors of ln k in the test structures or real windows, by draw."""
        truth, test = self.truth[where, target], self.truth["test", target].size
        part = slice(0, test) if where == "test" else slice(test, None)
        keys = [key for key in self.rows[name] if key.startswith(f"{target}|{n}|")]
        return {int(key.split("|")[2]): np.array(self.rows[name][key]["predicted"])[part] - truth for key in keys}

    def cell(self, name: str, where: str, target: str, n: int, kinds: tuple[str, ...] = ()) -> str:
        """R squared, and how far it is above that of the reference on the draws that both have."""
        own, reference = (self.errors(one, where, target, n) for one in (name, COMPARED_WITH))
        if not (both := sorted({*own} & {*reference})):
            return ""
        which = np.isin(self.kinds[where], kinds or self.kinds[where])
        missed, other = (np.stack([errors[draw][which] for draw in both]) for errors in (own, reference))
        found = paired_difference(self.truth[where, target][which], missed, other, self.kinds[where][which])
        if name == COMPARED_WITH:
            return f"{found['r2']:.3f}"
        ends = f"{found['low']:+.3f} .. {found['high']:+.3f} ({found['draws_low']:+.3f} .. {found['draws_high']:+.3f})"
        return f"{found['r2']:.3f} [{found['difference']:+.3f}, {ends}]"
