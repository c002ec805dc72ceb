"""What the report of a volume says of the third dimension."""

from __future__ import annotations

import numpy as np
import pandas as pd

from matlens.core.numbers import percent, shown
from matlens.core.user_text import listed
from matlens.microstructure import figures
from matlens.microstructure.axes import AXES
from matlens.microstructure.commands import sections
from matlens.microstructure.commands.reconstruct.spec import PLANES, PROPOSED, RESAMPLED
from matlens.microstructure.commands.verdict_report import named as named_statistic
from matlens.report.parts import Drawing, Item, Section, table
from matlens.runs.directory import RunDirectory
from matlens.runs.tables import read_table

__all__ = ["proposed"]


def proposed(run: RunDirectory) -> Section | None:
    """Show the volumes, and the statistics that their sections do not determine.

    Parameters
    ----------
    run : RunDirectory
        Run directory, open.

    Returns
    -------
    Section or None
        The section; None if the run made no volume.
    """
    found = read_table(run, PROPOSED)
    volumes = [result for result in sections.results_of(run) if result.ndim == 3]
    if found is None or not volumes:
        return None
    oriented = "plane" in run.settings["options"]
    determined = (
        "On planes that have a section, the sections determine the volume fraction and, in the plane, the two-point "
        "probability, lineal path and chords: R below compares them with windows of their own sections."
        if oriented
        else "If the material is isotropic, as a single section cannot show, the section determines volume fraction, "
        "surface per volume, two-point probability, lineal path and chords: the evidence above compares them, plane by "
        "plane."
    )
    said = [
        determined,
        "Euler number, connection and transport are proposed by the model: no section determines them. Where they "
        "matter, compare them with a measurement, such as a formation factor.",
    ]
    if known := run.settings["options"].get("anchor"):
        said.append(f"Known planes were given at {listed(list(known))}, which the rest of the volume continues.")
    points = [_spread(found)] if found["realisation"].nunique() > 1 else []
    resampled = read_table(run, RESAMPLED)
    points.append(_ABOUT_HALVES if resampled is None else _spread_of_targets(resampled))
    panels = [(f"realisation {index}", volume) for index, volume in enumerate(volumes[:2])]
    rows = [
        {"panel": title, "phase": name, "volume_fraction": share}
        for title, volume in panels
        for name, share in zip(volume.phase_names, volume.volume_fractions)
    ]
    size = " × ".join(map(str, volumes[0].shape))
    caption = f"The volume of {size} px, with its three middle planes."
    shares = ", ".join(f"{percent(row['volume_fraction'])} {row['phase']}" for row in rows[: volumes[0].n_phases])
    drawing = Drawing("volume", figures.volume_views(panels), pd.DataFrame(rows), caption, f"{caption} {shares}.")
    items: list[Item] = [drawing, table(_wide(found), "Proposed by the model")]
    judged = read_table(run, PLANES)
    if judged is not None and len(judged):
        items.insert(1, table(_beside(judged), "R of the planes normal to each axis, against their sections"))
    return Section("In space", items, said, points)


def _beside(judged: pd.DataFrame) -> pd.DataFrame:
    """One row for each statistic and size of windows, with R along each axis."""
    named = judged.assign(statistic=judged["statistic"].map(named_statistic))
    wide = named.pivot_table(index=["window", "statistic"], columns="planes", values="R", sort=False)
    return wide.reset_index().rename_axis(columns=None)


def _wide(found: pd.DataFrame) -> pd.DataFrame:
    """One row for each statistic, phase and realisation, with a column for each axis, or one where there is none."""
    several = found["realisation"].nunique() > 1
    rows = []
    for (realisation, statistic, phase), own in found.groupby(["realisation", "statistic", "phase"], sort=False):
        unit = next((str(unit) for unit in own["unit"] if isinstance(unit, str) and unit), "")
        row = {"statistic": f"{statistic} ({unit})" if unit else statistic, "phase": phase}
        if several:
            row["realisation"] = realisation
        named = [axis if isinstance(axis, str) and axis else "all" for axis in own["axis"]]
        values = dict(zip(named, own["value"]))
        row |= {axis: values.get(axis, np.nan) for axis in ("all", *AXES)}
        rows.append(row)
    return pd.DataFrame(rows).rename(columns={axis: f"along {axis}" for axis in AXES} | {"all": "of the volume"})


_ABOUT_HALVES = (
    "What the size of the section leaves open is not included in these numbers; --target-resamples 5 would make five "
    "volumes from halves of the section to show it."
)


def _spread(found: pd.DataFrame) -> str:
    """How much the formation factor differs between realisations."""
    return (
        f"Formation factor, mean over axes, over realisations: {_range(found, 'realisation')}. This is the spread at "
        "fixed targets; a second section of the material would change the targets, too."
    )


def _spread_of_targets(resampled: pd.DataFrame) -> str:
    """How much the formation factor differs between volumes from halves of the section."""
    return (
        f"Formation factor, mean over axes, over {resampled['target'].nunique()} volumes from other random numbers and "
        f"targets, each of another half of the section: {_range(resampled, 'target')}. Such targets scatter as much as "
        "those of other sections of this size would."
    )


def _range(found: pd.DataFrame, over: str) -> str:
    """Smallest and largest formation factor of each phase."""
    rows = found[(found["statistic"] == "formation factor") & np.isfinite(found["value"])]
    each = rows.groupby(["phase", over])["value"].mean().unstack()
    parts = [
        f"{phase} {shown(float(values.min()))} to {shown(float(values.max()))}"
        for phase, values in each.dropna().iterrows()
    ]
    return "; ".join(parts) or "no phase leads from face to face in all of them"
