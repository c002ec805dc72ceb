"""The sections of a characterisation's report: sizes, and what each phase is like in single numbers."""

from __future__ import annotations

import pandas as pd

from matlens.microstructure import figures
from matlens.microstructure.commands import cites, sections
from matlens.microstructure.commands.characterize.representative_report import representative
from matlens.microstructure.commands.inputs import stored_inputs
from matlens.report.parts import Page, Picture, Section, picture
from matlens.runs.directory import RunDirectory
from matlens.runs.tables import read_table

__all__ = ["PAGE"]

_SHAPE = {
    "volume_fraction": "share of the volume",
    "specific_surface": "interface per volume, by crossings of test lines",
    "mean_curvature": "integral of mean curvature per volume, positive where the phase bulges out",
    "euler_density": "pieces less tunnels (2-D: less holes) per volume, negative for a phase that hangs together",
    "correlation_length": "where the covariance has fallen below a tenth",
    "anisotropy": "longest over shortest correlation length; the line spans windows of half the side",
    "mean_chord_length": "mean length of a line's way through the phase",
    "mean_local_thickness": "mean diameter of the largest balls that fit in",
}
_CONNECTION = {
    "percolates": "1 if the phase connects both ends of the axis",
    "connected_fraction": "share of the phase that does so",
    "tortuosity_factor": "volume fraction over relative diffusivity, a dash where the phase does not percolate",
    "particle_density": "particles per volume, those that the border cuts made up for by weights",
    "mean_particle_size": "their mean equivalent diameter",
    "triple_phase_boundary": "lines (2-D: points) where three phases meet",
    "triple_phase_boundary_connected": "of these, where all three phases reach both ends of the axis",
}


def sizes(run: RunDirectory) -> Section | None:
    """Chords, local thickness, particles, and the interface around itself."""
    found, exemplars = read_table(run, "distributions"), stored_inputs(run)
    if found is None or not exemplars:
        return None
    caption = (
        "Chord lengths along each axis, corrected for the border; share of the phase in balls of at least a diameter "
        "that fit into it; share of particles of at least an equivalent diameter, where the phase has whole ones; "
        "probability that two points both lie at the phase's interface."
    )
    figure = figures.distributions(found, unit=exemplars[0].unit)
    return Section("Sizes", [picture(run, "distributions", figure, found, caption)])


def shape(run: RunDirectory) -> Section | None:
    """Minkowski functionals and mean sizes."""
    return _bars(run, "shape", "Shape", _SHAPE)


def connection(run: RunDirectory) -> Section | None:
    """Percolation, tortuosity, particles and triple-phase boundary."""
    return _bars(run, "connection", "Connection", _CONNECTION)


def _bars(run: RunDirectory, name: str, title: str, wanted: dict[str, str]) -> Section | None:
    found = read_table(run, "measures")
    if found is None:
        return None
    found = found.fillna({"phase": "", "axis": "", "missing": ""})
    shown = [statistic for statistic in wanted if _known(found, statistic)]
    if not shown:
        return None
    rows = found[found["statistic"].isin(shown)].assign(statistic=lambda t: pd.Categorical(t["statistic"], shown))
    rows = rows.sort_values("statistic", kind="stable").astype({"statistic": str})
    rows = _with_spread(rows, found)
    words = "; ".join(f"{statistic.replace('_', ' ')}: {wanted[statistic]}" for statistic in shown)
    item: Picture = picture(run, name, figures.measure_bars(rows), rows, words[0].upper() + words[1:] + ".")
    return Section(title, [item], points=_reasons(found, wanted))


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
    lambda run: (*cites.STATISTICS, *cites.of_thresholds(run)),
)
