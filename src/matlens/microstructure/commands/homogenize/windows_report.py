"""The report of a homogenisation in windows."""

from __future__ import annotations

from dataclasses import replace

from matlens.core.numbers import percent, shown
from matlens.figures.units import typeset_unit
from matlens.microstructure.commands import cites, sections
from matlens.microstructure.commands.opened import understood_volume
from matlens.report.parts import Answer, Page, Section, Tile, table
from matlens.runs.directory import RunDirectory
from matlens.runs.tables import read_table

__all__ = ["WINDOWS"]


def _apparent(run: RunDirectory) -> Section | None:
    found, windows = read_table(run, "apparent"), read_table(run, "windows")
    if found is None or windows is None:
        return None
    unit = typeset_unit(str(run.settings["options"].get("unit", ""))) or "the unit of the values given"
    shown_columns = {name: name.replace("_", " ") for name in map(str, found.columns) if name != "unit"}
    items = [
        table(found, f"Means over windows, in {unit}", shown_columns),
        table(
            windows.drop(columns="unit"),
            f"Each window: its first pixel along each axis, its components in {unit}, and what the solver reached",
        ),
    ]
    words = (
        "Each window is solved by itself with the boundary conditions of the options. What it has is an apparent "
        "property: it depends on the size of the window and on these conditions, and tends to the effective property "
        "of the material as windows grow."
    )
    return Section("Apparent property of windows", items, [words])


def _answer(run: RunDirectory) -> Answer | None:
    found = read_table(run, "apparent")
    if found is None:
        return None
    unit = typeset_unit(str(run.settings["options"].get("unit", "")))
    tiles = [
        Tile(
            f"mean along {row['component']}",
            shown(row["mean"]),
            unit,
            f"standard deviation of {row['windows']} windows: {shown(row['standard_deviation'])}",
        )
        for row in found.to_dict("records")
    ]
    picture = sections.pictures(run)
    if picture is not None:
        picture = replace(picture, caption=f"The middle of the volume as phases. {picture.caption}")
    return Answer(tiles[:5], picture, list(map(str, run.provenance.get("warnings", ()))))


def _subtitle(run: RunDirectory) -> str:
    volume = understood_volume(run)
    if volume is None:
        return sections.micrographs_subtitle(run)
    fractions = ", ".join(f"{phase.name} {percent(phase.share)}" for phase in volume.phases)
    size = " × ".join(map(str, volume.shape))
    return f"Volume of {size} px, in windows, {len(volume.phases)} phases: {fractions}."


WINDOWS = Page(
    "Apparent property of windows of {}",
    _subtitle,
    (sections.cleaning, _apparent),
    lambda run: cites.ELASTICITY if "young" in run.settings["options"] else cites.CONDUCTION,
    answer=_answer,
)
