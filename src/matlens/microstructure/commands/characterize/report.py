"""The report of a characterisation: what the phases are like in single numbers, curves and sizes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from matlens.core.numbers import percent, shown
from matlens.figures.units import typeset_unit
from matlens.microstructure import figures
from matlens.microstructure.commands import cites, sections
from matlens.microstructure.commands.characterize.representative_report import representative
from matlens.microstructure.commands.inputs import stored_inputs
from matlens.microstructure.commands.opened import understood_volume
from matlens.microstructure.statistics import display_of, displayed, find_statistics, sources_of
from matlens.report.parts import Answer, Drawing, Page, Section, Tile, table
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
    return Section("Sizes", [Drawing("distributions", figure, found, caption)])


def statistics(run: RunDirectory) -> Section | None:
    """List every single number with its unit and meaning, and why some are not known.

    Parameters
    ----------
    run : RunDirectory
        Run directory, open.

    Returns
    -------
    Section or None
        The section; None if the run holds none of its tables.
    """
    found = _measures(run)
    if found is None:
        return None
    known = found[found["value"].notna()]
    meaning = {variable.name: variable.long_name for one in find_statistics() for variable in one.variables}
    rows: dict[tuple[str, str], dict[str, str]] = {}
    several = known["source"].nunique() > 1
    for row in known.to_dict("records"):
        name = _spelled(row["statistic"]) + (f" along {row['axis']}" if row["axis"] else "")
        cells = rows.setdefault(
            (row["statistic"], row["axis"]), {"statistic": name, "unit": typeset_unit(row["unit"]) or "1"}
        )
        column = ", ".join(word for word in (row["source"] if several else "", row["phase"]) if word) or "value"
        share = row["unit"] == "1" and row["statistic"] in _SHARES
        cells["unit"] = "%" if share else cells["unit"]
        cells[column] = _value(row, 100.0 if share else 1.0)
    table_of = pd.DataFrame(list(rows.values()))
    table_of["meaning"] = [meaning.get(statistic, "") for statistic, _ in rows]
    caption = (
        "Single numbers; in brackets the range of values when the thresholds move over their plateau. Curves are in "
        "statistics.nc"
    )
    names = {name: f"{name} (in the unit of its row)" if name not in _WORDS else name for name in map(str, table_of)}
    return Section("Statistics", [table(table_of, caption, names)], points=_reasons(found))


def _value(row: Mapping[Any, Any], factor: float) -> str:
    """A number, with its range where thresholds were moved; whether a phase percolates is a truth."""
    if row["statistic"] == "percolates":
        return shown(bool(row["value"]))
    value = shown(factor * float(row["value"]))
    low, high = (factor * float(row.get(f"threshold_{end}", np.nan)) for end in ("low", "high"))
    return f"{value} ({shown(low)} to {shown(high)})" if high > low else value


def _measures(run: RunDirectory) -> pd.DataFrame | None:
    found = read_table(run, "measures")
    if found is not None:
        words = ["phase", "axis", "missing"]
        found[words] = found[words].astype(object).fillna("")  # a column without words is read as numbers
    return found


def subtitle(run: RunDirectory) -> str:
    """Describe the run's micrographs, or its volume, in a line.

    Parameters
    ----------
    run : RunDirectory
        Run directory, open.

    Returns
    -------
    str
        Subtitle of the report.
    """
    volume = understood_volume(run)
    if volume is None:
        return sections.micrographs_subtitle(run)
    size = " × ".join(map(str, volume.shape))
    fractions = ", ".join(f"{phase.name} {percent(phase.share)}" for phase in volume.phases)
    return f"Volume of {size} px, measured in blocks, {len(volume.phases)} phases: {fractions}."


def _fractions(run: RunDirectory) -> list[Tile]:
    volume, exemplars = understood_volume(run), stored_inputs(run)
    if volume is None:
        return sections.fraction_tiles(exemplars[0]) if exemplars else []
    return [Tile(f"volume fraction of {one.name}", shown(100 * one.share), "%") for one in volume.phases[1:3]]


def _pictures(run: RunDirectory) -> Drawing | None:
    found = sections.pictures(run)
    if found is None or understood_volume(run) is None:
        return found
    return replace(found, caption=f"The middle of the volume as phases; all numbers are of the whole. {found.caption}")


def answer(run: RunDirectory) -> Answer | None:
    """Show the phases, their most telling numbers, and what limits their meaning.

    Parameters
    ----------
    run : RunDirectory
        Run directory, open.

    Returns
    -------
    Answer or None
        What stands on top of the report; None before anything was measured.
    """
    found, exemplars = _measures(run), stored_inputs(run)
    if not exemplars or not (run.path / "statistics.nc").is_file():
        return None
    if found is None:  # curves alone were asked for
        return Answer(_fractions(run), _pictures(run), _too_small(run))
    own = found[(found["source"] == found["source"].iloc[0]) & found["value"].notna()]
    tiles = _fractions(run)
    for statistic in _TILES:
        rows = own[own["statistic"] == statistic]
        if len(rows):
            row = rows.iloc[-1]
            of = f" of {row['phase']}" if rows["value"].nunique() > 1 else ""
            along = f" along {row['axis']}" if row["axis"] else ""
            name = f"{_spelled(statistic)}{of}{along}"
            tiles.append(Tile(name, shown(float(row["value"])), typeset_unit(row["unit"])))
    return Answer(tiles[:5], _pictures(run), _too_small(run))


def _too_small(run: RunDirectory) -> list[str]:
    """Statistics that a picture of this size does not know to the precision wanted."""
    needed, exemplars = read_table(run, "representative_windows"), stored_inputs(run)
    if needed is None or not exemplars:
        return []
    sides = {name: min(m.shape) for name, m in zip(sections.input_names(run), exemplars)}
    said = []
    for file, rows in needed[needed["n_windows"] == needed["n_windows"].min()].groupby("file", sort=False):
        large = rows[rows["pixels"] > sides.get(str(file), np.inf)]
        if len(large):
            worst = large.loc[large["pixels"].idxmax()]
            phase = "" if worst["phase"] == "all" else f" of {worst['phase']}"
            name = _STUDIED.get(str(worst["statistic"]), _spelled(str(worst["statistic"])))
            said.append(
                f"The picture {file} is too small for {len(large)} of {len(rows)} statistics to be known to "
                f"{percent(worst['precision'])}: for the {name}{phase} a side of "
                f"{worst['pixels']} px is needed."
            )
    return said


def headlines(run: RunDirectory) -> list[str]:
    """Say in a sentence a file what the phases are like.

    Parameters
    ----------
    run : RunDirectory
        Run directory, open.

    Returns
    -------
    list of str
        Sentences; none before anything was measured.
    """
    found = _measures(run)
    if found is None:
        return []
    several = found["source"].nunique() > 1
    return [
        (f"{source}: " if several else "") + _in_a_sentence(rows)
        for source, rows in found.groupby("source", sort=False)
    ]


def _in_a_sentence(rows: pd.DataFrame) -> str:
    fractions, lengths, through = (
        rows[rows["statistic"] == name] for name in ("volume_fraction", "correlation_length_radial", "percolates")
    )
    parts = []
    if len(fractions):
        parts.append(
            ", ".join(f"{percent(value)} {phase}" for phase, value in fractions[["phase", "value"]].to_numpy())
        )
    known = lengths.dropna(subset="value")
    if len(known):
        values = " and ".join(dict.fromkeys(shown(float(value)) for value in known["value"]))
        parts.append(f"correlation length {values} {typeset_unit(known['unit'].iloc[0])}")
    for phase, each in through[through["value"] == 1].groupby("phase", sort=False):
        parts.append(f"{phase} connects opposite sides along {' and '.join(each['axis'])}")
    if not parts:
        return f"{len(rows)} statistics were measured."
    text = "; ".join(parts)
    return f"{text[0].upper()}{text[1:]}."


def _spelled(name: str) -> str:
    name = name.replace("anisotropy_low", "anisotropy, least of windows of half the side")
    name = name.replace("anisotropy_high", "anisotropy, most of windows of half the side")
    words = name.removesuffix("_full").removesuffix("_radial").replace("_", " ").replace("euler", "Euler")
    return words + (", full connectivity" if name.endswith("_full") else "")


def _sentence(phrases: Sequence[str]) -> str:
    words = "; ".join(phrases)
    return f"{words[:1].upper()}{words[1:]}." if words else ""


def _reasons(found: pd.DataFrame) -> list[str]:
    """Why values are missing, once for each reason."""
    said = []
    for reason, rows in found[found["missing"] != ""].groupby("missing", sort=False):
        names = ", ".join(dict.fromkeys(map(_spelled, rows["statistic"])))
        of = ", ".join(word for word in dict.fromkeys(rows["phase"]) if word)
        why = _REASONS.get(str(reason), str(reason))
        said.append(f"Not listed: {names}{f' of {of}' if of else ''}, because {why}.")
    return said


_STUDIED = {"s2_error": "two-point correlation"}
_REASONS = {"known in three dimensions only": "it needs a 3-D image"}
_WORDS = ("statistic", "unit", "meaning")
_SHARES = ("volume_fraction", "connected_fraction")
_TILES = ("correlation_length_radial", "specific_surface", "mean_chord_length", "tortuosity_factor")

PAGE = Page(
    "Statistics of {}",
    subtitle,
    (sections.cleaning, statistics, sections.curves, sizes, representative),
    lambda run: (*sources_of(run.settings["options"].get("statistics")), *cites.of_thresholds(run)),
    answer=answer,
    headlines=headlines,
)
