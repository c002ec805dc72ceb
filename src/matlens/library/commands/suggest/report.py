"""The report of ``library suggest``."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pandas as pd

from matlens.core.numbers import shown
from matlens.figures.units import name_with_unit, typeset_unit
from matlens.library import figures
from matlens.library.commands.words import (
    MARKS,
    interval_text,
    notes_of,
    sizes,
    subtitle,
    target_of,
)
from matlens.library.suggestions import decimals
from matlens.report.numbers import interval
from matlens.report.parts import Answer, Drawing, Page, Section, Tile, table
from matlens.runs.directory import RunDirectory
from matlens.runs.tables import read_table

__all__ = ["CITES", "PAGE"]

_COLUMNS = {
    "rank": "rank",
    "move": "change",
    "expected_text": "expected",
    "gain_text": "gain",
    "chance": "chance to beat the best",
    "support_text": "support",
    "reason": "why",
}
_HARDLY = 0.05  # chance to beat the best measured composition
_TESTS = {
    "model": "model",
    "way": "way",
    "component": "component added",
    "system": "system left out",
    "n": "additions",
    "pairs": "additions",
    "sign": "sign right",
    "size": "correlation of sizes",
}


def suggestions(run: RunDirectory) -> Section | None:
    """List the ranked suggestions with expected value, gain and support.

    Parameters
    ----------
    run : RunDirectory
        Run directory, open.

    Returns
    -------
    Section or None
        The section; None if there is no suggestion.
    """
    found = read_table(run, "suggestions")
    if found is None or not len(found):
        return None
    name, unit = target_of(run)
    listed = found.assign(support_text=_marks(found))
    listed["expected_text"] = _text(found, "expected", "low", "high")
    listed["gain_text"] = _text(found, "gain", "gain_low", "gain_high")
    written = f" ({typeset_unit(unit)})" if typeset_unit(unit) else ""
    columns = _COLUMNS | {"expected_text": f"expected{written}", "gain_text": f"change from the best measured{written}"}
    said = [
        "Fractions of all components sum to 100 %: a change names every component that grows or shrinks by half a step "
        "or more. Expected values are medians of what the model predicts at the suggested composition, with 90 % "
        "intervals. The rank is by the expected gain over the best measured composition: the one of which the model "
        "expects most, however lucky single measurements were. The change from it is the median over draws at both, "
        "which can differ from the difference of two medians. Support says only how well measured compositions "
        "surround the suggestion."
    ]
    items = [table(listed, f"Suggestions for {name}", columns, ["chance"])]
    return Section("Suggestions", items, [*said, *notes_of(run)])


def answer(run: RunDirectory) -> Answer | None:
    """Show what is expected of the first suggestion, and all of them in a figure.

    Parameters
    ----------
    run : RunDirectory
        Run directory, open.

    Returns
    -------
    Answer or None
        What stands on top of the report; None before there are suggestions.
    """
    found = read_table(run, "suggestions")
    if found is None or not len(found):
        return Answer() if run.status == "finished" else None
    name, unit = target_of(run)
    known, first = run.provenance.get("resolved", {}), found.iloc[0]
    unit = typeset_unit(unit)
    tiles = [Tile("expected of the first", shown(float(first["expected"])), unit, _interval(first, ""))]
    if "gain" in found:
        tiles.append(
            Tile("change from the best measured", shown(float(first["gain"])), unit, _interval(first, "gain_"))
        )
    if "chance" in found:
        tiles.append(Tile("chance to beat the best", shown(100 * float(first["chance"])), "%"))
    if "measured" in known:
        count = int(known["measured_samples"])
        samples = f"mean of {count} samples" if count > 1 else "one sample"
        if "best" in known:  # the gain is over this
            samples += f"; the model expects {shown(float(known['best']))}"
        tiles.append(Tile("best measured", shown(float(known["measured"])), unit, samples))
    supported = int((found["support"] > 0).sum())
    tiles.append(Tile("with support", f"{supported} of {len(found)}", "suggestions"))
    return Answer(tiles, _drawn(run, found, name_with_unit(name, unit)))


def _interval(row: pd.Series, kind: str) -> str:
    return interval(row[f"{kind}low"], row[f"{kind}high"]) if f"{kind}low" in row else ""


def _drawn(run: RunDirectory, found: pd.DataFrame, label: str) -> Drawing | None:
    shares = _shares(read_table(run, "plate"), found)
    if shares is None:
        return None
    best = run.provenance.get("resolved", {}).get("measured")
    figure = figures.suggestion_chart(found, shares, label=label, best=None if best is None else float(best))
    caption = (
        "Suggestions in their order: the composition to make, and what is expected of it, with its interval. Filled: "
        "supported, two measured compositions or more are as near as neighbours usually are; open: weak support; a "
        "grey cross: unsupported, the model goes beyond what was measured, and the number is a guess."
    )
    moves = "; ".join(
        f"{move}, {shown(float(value))} expected" for move, value in zip(found["move"][:3], found["expected"][:3])
    )
    return Drawing("suggestions", figure, found, caption, f"{len(found)} suggestions for {label}. First: {moves}.")


def _marks(found: pd.DataFrame) -> list[str]:
    """Support in words; a suggestion that will hardly beat the best is not praised for its support."""
    hardly = found["chance"] < _HARDLY if "chance" in found else pd.Series(False, index=found.index)
    marks = [MARKS[2 - int(level)] for level in found["support"]]
    return [f"{mark}, but hardly better" if no and mark == MARKS[0] else mark for mark, no in zip(marks, hardly)]


def _headlines(run: RunDirectory) -> list[str]:
    said = [str(text) for text in run.provenance.get("sentences", ())]
    none = ["No move is expected to raise the figure of merit within the limits that were given."]
    return said or (none if run.status == "finished" else [])


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
    known = run.provenance.get("resolved", {})
    digits = decimals(float(known.get("increment", 0.0001)))
    unit = str(known.get("fraction_name", "%"))
    fractions = [name for name in kept if found[name].dtype.kind == "f"]
    written = found.assign(**{name: [f"{value:.{digits}f}" for value in found[name]] for name in fractions})
    names = {name: f"{name} ({unit})" if name in fractions else name for name in kept}
    caption = "plate.csv: one row a composition; components that no suggestion holds are left out here"
    return Section("To make", [table(written, caption, names)])


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
    return Section("How far such suggestions can be trusted", [table(found, caption, known or None, ["sign"])])


def _facts(run: RunDirectory) -> dict[str, Any]:
    return {"suggestions": run.settings["options"].get("n", ""), **sizes(run)}


CITES = ("umehara2019analyzing", "cox1971note", "meredig2018can")
PAGE = Page(
    "What to make next",
    subtitle,
    (plate, suggestions, beyond),
    lambda run: CITES,
    answer=answer,
    headlines=_headlines,
    facts=_facts,
    marks=MARKS,
)
