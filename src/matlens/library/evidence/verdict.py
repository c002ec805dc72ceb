"""Verdicts on statements: supported, weak or unsupported, by the criteria that each meets."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pandas as pd

__all__ = ["LEVEL", "SAME_SIGN", "SUPPORTED", "UNSUPPORTED", "WEAK", "WEAK_LEVEL", "Row", "Verdict"]

SUPPORTED, WEAK, UNSUPPORTED = "supported", "weak", "unsupported"
LEVEL, WEAK_LEVEL = 0.05, 0.32  # family-wise: two and one standard deviation
SAME_SIGN = 0.75  # least share of samples that have the sign of their mean
_FATAL = {
    "finite differences": 0.2,
    "random weights": 0.8,
    "permuted labels": 0.8,
}  # values of failed checks above which statements are unsupported; below, and for other checks, they are weak
Row = dict[str, object]


@dataclass
class Verdict:
    """Collects criteria of a statement; the worst one decides.

    Parameters
    ----------
    against, doubts, grounds : list of str
        Criteria that make it unsupported, that make it weak, and that are met.

    Examples
    --------
    >>> verdict = Verdict()
    >>> verdict.need(True, "data there")
    >>> verdict.want(False, "few samples")
    >>> verdict.conclude()
    {'status': 'weak', 'reason': 'few samples'}
    """

    against: list[str] = field(default_factory=list)
    doubts: list[str] = field(default_factory=list)
    grounds: list[str] = field(default_factory=list)

    def need(self, holds: bool, what: str) -> None:
        """Add a criterion without which the statement is unsupported."""
        (self.grounds if holds else self.against).append(what)

    def want(self, holds: bool, what: str) -> None:
        """Add a criterion without which the statement is weak."""
        (self.grounds if holds else self.doubts).append(what)

    def graded(self, firm: bool, faint: bool, what: str) -> None:
        """Add a criterion with a strict form (else the statement is weak) and a loose one (else unsupported)."""
        (self.grounds if firm else self.doubts if faint else self.against).append(what)

    def copy(self) -> Verdict:
        """Return a verdict with the same criteria, to which others can be added."""
        return Verdict([*self.against], [*self.doubts], [*self.grounds])

    def with_checks(self, checks: pd.DataFrame | None, what: str) -> Verdict:
        """Add the sanity checks of one kind of gradient."""
        verdict = self.copy()
        if checks is not None:
            own = checks[checks["what"] == what]
            if own["passed"].any():
                verdict.grounds.append(f"{int(own['passed'].sum())} checks of {what} gradients passed")
            for row in own[~own["passed"].astype(bool)].itertuples():
                bearable = float(row.value) <= _FATAL.get(str(row.check), np.inf)  # type: ignore[arg-type]
                verdict.graded(False, bearable, str(row.sentence).rstrip("."))
        return verdict

    def conclude(self) -> dict[str, object]:
        """Return the status with its reason in one line."""
        status = UNSUPPORTED if self.against else WEAK if self.doubts else SUPPORTED
        return {"status": status, "reason": "; ".join([*self.against, *self.doubts] or self.grounds)}
