"""The report of ``library suggest``."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pandas as pd

from matlens.figures.units import name_with_unit, typeset_unit
from matlens.library import figures
from matlens.library.commands.words import (
    MARKS,
    interval_text,
    notes_of,
    sentence,
    sizes,
    subtitle,
    target_of,
)
from matlens.library.figures.style import SUPPORT
from matlens.report.parts import Page, Section, picture, table
from matlens.runs.directory import RunDirectory
from matlens.runs.tables import read_table

__all__ = ["CITES", "PAGE"]

_COLUMNS = {
    "rank": "rank",
    "move": "what to do",
    "expected_text": "expected",
    "gain_text": "gain",
    "chance_text": "chance to beat the best",
    "support_text": "trust",
    "reason": "why",
}
_TESTS = {
    "model": "model",
    "way": "told by",
    "component": "component added",
    "system": "co-alloy system left out",
    "n": "n",
    "pairs": "n",
    "sign": "sign right",
    "size": "correlation of sizes",
}


def suggestions(run: RunDirectory) -> Section | None:
    """Show the ranked suggestions with expected gain and support.

    Parameters
    ----------
    run : RunDirectory
        Run directory, open.

    Returns
    -------
    Section or None
        The section; None if the run holds none of its tables.
    """
    found = read_table(run, "suggestions")
    if found is None or not len(found):
        said = notes_of(run) or ["No move is expected to raise the figure of merit within the limits that were given."]
        return Section("Suggestions", (), said) if run.status == "finished" else None
    name, unit = target_of(run)
    items: list[Any] = []
    shares = _shares(read_table(run, "plate"), found)
    if shares is not None:
        best = run.provenance.get("resolved", {}).get("best")
        label = name_with_unit(name, unit)
        figure = figures.suggestion_chart(found, shares, label=label, best=None if best is None else float(best))
        caption = (
            "Suggestions in their order: the composition to make, and what is expected of it, with its interval. "
            "Filled: measured compositions lie along the move; open: few do; a grey cross: none do, the model goes "
            "beyond what was measured, and the number is a guess."
        )
        items.append(picture(run, "suggestions", figure, found, caption))
    shown = found.assign(support_text=[SUPPORT[int(level)].removesuffix(" support") for level in found["support"]])
    shown["expected_text"] = _text(found, "expected", "low", "high")
    shown["gain_text"] = _text(found, "gain", "gain_low", "gain_high")
    if "chance" in found:
        shown["chance_text"] = [f"{100 * share:.0f} %" for share in found["chance"]]
    caption = f"Suggestions, {name} in {typeset_unit(unit)}" if typeset_unit(unit) else "Suggestions"
    items.append(table(shown, caption, _COLUMNS))
    said = [
        "Each move is made on the simplex: what is added, and at whose cost. Expected values are of the ensemble at "
        "the suggested composition, not of its gradient alone; what no data support is marked."
    ]
    sentences = [sentence(str(text)) for text in run.provenance.get("sentences", ())]
    return Section("Suggestions", items, [*said, *notes_of(run)], sentences)


def _text(found: pd.DataFrame, value: str, low: str, high: str) -> list[str]:
    if value not in found:
        return ["–"] * len(found)
    none = pd.Series(np.nan, index=found.index)
    rows = zip(found[value], found.get(low, none), found.get(high, none))
    return [_rounded(float(v), float(lo), float(hi)) for v, lo, hi in rows]


def _rounded(value: float, low: float, high: float) -> str:
    r"""Write a number to as many digits as its interval allows.

    Examples
    --------
    >>> _rounded(2.34567, 2.31, 2.38), _rounded(1234.5, 1100, 1400)
    ('2.346\xa0(2.310\xa0to\xa02.380)', '1234\xa0(1100\xa0to\xa01400)')
    """
    if not high > low:
        return f"{value:.3g}".replace("-", "−")
    return interval_text(value, low, high, max(0, 1 - math.floor(math.log10(high - low))))


def _shares(plate_table: pd.DataFrame | None, found: pd.DataFrame) -> pd.DataFrame | None:
    """Fractions of the suggested compositions, one row a suggestion."""
    if plate_table is None or len(plate_table) != len(found):
        return None
    known = {"rank", "well", "plate", "sample", "row", "column", "step"}
    values = plate_table[[name for name in plate_table.columns if name not in known]].select_dtypes("number")
    total = values.sum(axis=1)
    return values.div(total, axis=0) if len(values.columns) and (total > 0).all() else None


def plate(run: RunDirectory) -> Section | None:
    """List the compositions to make, ready to print.

    Parameters
    ----------
    run : RunDirectory
        Run directory, open.

    Returns
    -------
    Section or None
        The section; None if the run holds none of its tables.
    """
    found = read_table(run, "plate")
    if found is None or not len(found):
        return None
    kept = [name for name in found.columns if not (found[name].dtype.kind in "if" and (found[name] == 0).all())]
    caption = "plate.csv: one row a composition; components that no suggestion holds are left out here"
    return Section("To make", [table(found[kept], caption)])


def beyond(run: RunDirectory) -> Section | None:
    """Show how such suggestions did on co-alloy systems that were held out.

    Parameters
    ----------
    run : RunDirectory
        Run directory, open.

    Returns
    -------
    Section or None
        The section; None if the run holds none of its tables.
    """
    found = read_table(run, "beyond")
    if found is None or not len(found):
        return None
    known = {key: word for key, word in _TESTS.items() if key in found}
    caption = "Adding a component to a co-alloy system that no model had seen: is the sign right?"
    return Section("How far such suggestions can be trusted", [table(found, caption, known or None)])


def _facts(run: RunDirectory) -> dict[str, Any]:
    return {"suggestions": run.settings["options"].get("n", ""), **sizes(run)}


CITES = ("umehara2019analyzing", "cox1971note", "meredig2018can")
PAGE = Page("What to make next", subtitle, (suggestions, plate, beyond), lambda run: CITES, facts=_facts, marks=MARKS)
