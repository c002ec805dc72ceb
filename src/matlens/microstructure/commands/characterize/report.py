"""The sections of a characterisation's report: sizes, and what each phase is like in single numbers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import pandas as pd

from matlens.microstructure import figures
from matlens.microstructure.commands import cites, sections
from matlens.microstructure.commands.characterize.representative_report import representative
from matlens.microstructure.commands.inputs import stored_inputs
from matlens.microstructure.statistics import display_of, displayed, sources_of
from matlens.report.parts import Page, Picture, Section, picture
from matlens.runs.directory import RunDirectory
from matlens.runs.tables import read_table

__all__ = ["PAGE"]


def sizes(run: RunDirectory) -> Section | None:
    """Show chord lengths, local thickness, particle sizes and the surface-surface correlation.

    Parameters
    ----------
    run : RunDirectory
        Run directory, open.

    Returns
    -------
    Section or None
        The section; None if the run holds none of its tables.
    """
    found, exemplars = read_table(run, "distributions"), stored_inputs(run)
    if found is None or not exemplars:
        return None
    shown = set(found["statistic"])
    captions = [display_of(statistic.name).caption for statistic, _ in displayed("sizes") if statistic.name in shown]
    caption = _sentence([caption for caption in captions if caption])
    figure = figures.distributions(found, unit=exemplars[0].unit)
    return Section("Sizes", [picture(run, "distributions", figure, found, caption)])


def shape(run: RunDirectory) -> Section | None:
    """List the Minkowski functionals and the mean sizes.

    Parameters
    ----------
    run : RunDirectory
        Run directory, open.

    Returns
    -------
    Section or None
        The section; None if the run holds none of its tables.
    """
    return _bars(run, "shape", "Shape")


def connection(run: RunDirectory) -> Section | None:
    """List percolation, tortuosity, numbers of particles and triple-phase boundary.

    Parameters
    ----------
    run : RunDirectory
        Run directory, open.

    Returns
    -------
    Section or None
        The section; None if the run holds none of its tables.
    """
    return _bars(run, "connection", "Connection")


def _bars(run: RunDirectory, name: Literal["shape", "connection"], title: str) -> Section | None:
    found = read_table(run, "measures")
    if found is None:
        return None
    wanted = {variable.name: variable.display.caption for _, variable in displayed(name) if variable.display}
    words = ["phase", "axis", "missing"]
    found[words] = found[words].astype(object).fillna("")  # a column without words is read as numbers
    shown = [statistic for statistic in wanted if _known(found, statistic)]
    if not shown:
        return None
    rows = found[found["statistic"].isin(shown)].assign(statistic=lambda t: pd.Categorical(t["statistic"], shown))
    rows = rows.sort_values("statistic", kind="stable").astype({"statistic": str})
    rows = _with_spread(rows, found)
    caption = _sentence([f"{statistic.replace('_', ' ')}: {wanted[statistic]}" for statistic in shown])
    item: Picture = picture(run, name, figures.measure_bars(rows), rows, caption)
    return Section(title, [item], points=_reasons(found, wanted))


def _sentence(phrases: Sequence[str]) -> str:
    words = "; ".join(phrases)
    return f"{words[:1].upper()}{words[1:]}." if words else ""


def _with_spread(rows: pd.DataFrame, found: pd.DataFrame) -> pd.DataFrame:
    """Give rows whose spread is stored beside them columns ``low`` and ``high``."""
    place = ["statistic", "phase", "axis", "source"]
    for end in ("low", "high"):
        of = found[found["statistic"].str.endswith(f"_{end}")].copy()
        of["statistic"] = of["statistic"].str.removesuffix(f"_{end}")
        rows = rows.merge(of[[*place, "value"]].rename(columns={"value": end}), on=place, how="left")
    return rows


def _known(found: pd.DataFrame, statistic: str) -> bool:
    return bool(found.loc[found["statistic"] == statistic, "value"].notna().any())


def _reasons(found: pd.DataFrame, wanted: dict[str, str]) -> list[str]:
    """Why values are missing, once for each reason."""
    unknown = found[found["statistic"].isin(list(wanted)) & (found["missing"] != "")]
    said = []
    for reason, rows in unknown.groupby("missing", sort=False):
        names = ", ".join(dict.fromkeys(rows["statistic"].str.replace("_", " ")))
        of = ", ".join(word for word in dict.fromkeys(rows["phase"]) if word)
        said.append(f"Not known: {names}{f' of {of}' if of else ''}: {reason}.")
    return said


PAGE = Page(
    "Statistics of {}",
    sections.micrographs_subtitle,
    (
        sections.structures,
        sections.curves,
        sizes,
        shape,
        connection,
        sections.statistics,
        representative,
        sections.cleaning,
    ),
    lambda run: (*sources_of(run.settings["options"].get("statistics")), *cites.of_thresholds(run)),
)
