"""The report of a pruning study."""

from __future__ import annotations

import json
from typing import Any

import pandas as pd

from matlens.figures.units import typeset_unit
from matlens.microstructure import figures
from matlens.microstructure.commands import cites, sections
from matlens.microstructure.commands.inputs import numbered, stored_inputs
from matlens.microstructure.commands.prune.run import cell_folder
from matlens.microstructure.segmentation import read_microstructure
from matlens.microstructure.structure import Microstructure
from matlens.report.parts import Page, Section, picture, table
from matlens.report.standard import notes
from matlens.runs.directory import RunDirectory
from matlens.runs.tables import read_table

__all__ = ["PAGE"]

CONTROLS = ("white noise", "blurred noise")
_OUTCOME = {"depth": "cheapest equivalent depth", "best": "best depth", "joint": "against windows of the material"}
_RATIOS = (
    "R of each statistic against the depth and what it sees, with 90 % intervals; the recommended depth is shaded. No "
    "loss holds the Euler density or the chord length."
)
_SCALES = (
    "R of each curve by distance: how far results are from windows of the material, over how far these are from each "
    "other. Distances at which white noise does as well tell nothing."
)


def recommendation_in(run: RunDirectory) -> dict[str, Any]:
    """Read the recommendation of a study.

    Parameters
    ----------
    run : RunDirectory
        Run directory.

    Returns
    -------
    dict
        The recommendation; empty before the study has ended.
    """
    file = run.path / "recommendation.json"
    return dict(json.loads(file.read_text(encoding="utf-8"))) if file.is_file() else {}


def choices(run: RunDirectory) -> Section | None:
    """Show the recommendation in words, and the rule behind it.

    Parameters
    ----------
    run : RunDirectory
        Run directory, open.

    Returns
    -------
    Section or None
        The section; None if the run holds none of its tables.
    """
    found = recommendation_in(run)
    if not found:
        return None
    materials = found["materials"]
    points = [f"{name}: {sentence}" for name, facts in materials.items() for sentence in facts["sentences"]]
    rows = [{"material": name, **{key: facts[key] for key in _OUTCOME}} for name, facts in materials.items()]
    said = [
        "The network is cut after each layer of the loss, from the top down, and every material is reconstructed with "
        "what is left. Depth “none” is the same loss without a network: two-point function and total variation alone.",
        f"The rule, one for every material: {found['rule']}",
        f'A property model with depth="auto" ends at {found["layer"]}, the deepest layer that these materials need.',
        "What no statistic here tells apart, as the shapes of particles, decides nothing: look at the pictures too.",
    ]
    shown = table(pd.DataFrame(rows), "Recommended depths", {"material": "material", **_OUTCOME})
    return Section("Recommendation", [shown], said, points)


def depths_made(run: RunDirectory) -> Section | None:
    """Show the micrographs and the reconstruction at each depth.

    Parameters
    ----------
    run : RunDirectory
        Run directory, open.

    Returns
    -------
    Section or None
        The section; None if the run holds none of its tables.
    """
    exemplars, depths = stored_inputs(run), _depths(run)
    if not exemplars:
        return None
    rows: dict[str, list[tuple[str, Microstructure]]] = {}
    for name, exemplar in zip(sections.input_names(run), exemplars):
        made = [(depth, _first(run, name, depth)) for depth in depths]
        panels = [(depth, structure) for depth, structure in made if structure is not None]
        if panels:
            sides = [min(pair) for pair in zip(exemplar.shape, panels[0][1].shape)]
            rows[name] = [("exemplar", next(iter(exemplar.tiles(sides)))), *panels]
    if not rows:
        return None
    source = pd.DataFrame([{"material": name, "panel": title} for name, panels in rows.items() for title, _ in panels])
    chosen = {name: facts["depth"] for name, facts in recommendation_in(run).get("materials", {}).items()}
    caption = "A window of each micrograph, and its first realisation at each depth; the recommended depth is framed."
    figure = figures.depth_pictures(rows, chosen=chosen)
    return Section("Structures", [picture(run, "depths", figure, source, caption)])


def depth_sections(run: RunDirectory) -> Section | None:
    """Show R against depth, R against distance, and the cost of each depth.

    Parameters
    ----------
    run : RunDirectory
        Run directory, open.

    Returns
    -------
    Section or None
        The section; None if the run holds none of its tables.
    """
    facts, ratios, scales = (read_table(run, name) for name in ("pruning", "ratios", "scales"))
    if facts is None or ratios is None or scales is None:
        return None
    chosen = {name: found["depth"] for name, found in recommendation_in(run).get("materials", {}).items()}
    sees = _sees(facts)
    ratios = ratios[~ratios["depth"].isin(CONTROLS)]
    ratios = ratios.assign(statistic=ratios["statistic"].map(lambda name: sections.NAMES.get(name, name)))
    scales = scales[scales["depth"] != "blurred noise"]
    figure = figures.depth_ratios(ratios, sees=sees, chosen=chosen)
    items: list[Any] = [picture(run, "depth_ratios", figure, ratios, _RATIOS)]
    items.append(picture(run, "depth_scales", figures.depth_scales(scales, sees=sees), scales, _SCALES))
    items += [_costs(facts), table(facts, "R of each statistic, controls last", _ratio_columns(facts))]
    items.append(table(facts, "Errors against the micrograph, mean over realisations", _error_columns(facts)))
    return Section("Depths", items)


def _costs(facts: pd.DataFrame) -> Any:
    names = {
        "material": "material",
        "depth": "depth",
        "receptive_field_px": "sees (px)",
        "gflop": "GFLOP an evaluation",
        "kept_mb": "kept for the gradient (MB)",
        "seconds_per_evaluation": "seconds an evaluation",
        "evaluations": "evaluations",
        "seconds": "seconds a realisation",
        "fraction_error_before": "fraction error before decoding",
        "copy_share": "copy share",
        "copies": "copies",
        "joint": "verdict",
    }
    return table(facts[~facts["depth"].isin(CONTROLS)], "What each depth sees, costs and gives", names)


def _ratio_columns(facts: pd.DataFrame) -> dict[str, str]:
    return _columns(facts, "R_")


def _error_columns(facts: pd.DataFrame) -> dict[str, str]:
    return _columns(facts, "error_")


def _columns(facts: pd.DataFrame, prefix: str) -> dict[str, str]:
    found = [str(name) for name in facts.columns if str(name).startswith(prefix)]
    return {"material": "material", "depth": "depth"} | {
        name: name.removeprefix(prefix).replace("_", " ") for name in found
    }


def _sees(facts: pd.DataFrame) -> dict[str, str]:
    """Receptive field by depth: in the unit where all materials agree, else in pixels."""
    one = len(set(zip(facts["unit"], facts["receptive_field"] / facts["receptive_field_px"].clip(lower=1)))) <= 2
    fields = {}
    for row in facts.to_dict("records"):
        if row["receptive_field_px"]:
            text = f"{row['receptive_field_px']} px"
            if one and row["unit"] != "px":
                text = f"{row['receptive_field']:.3g} {typeset_unit(row['unit'])}"
            fields[str(row["depth"])] = text
    return fields


def _depths(run: RunDirectory) -> list[str]:
    return [str(depth) for depth in run.settings.get("resolved", {}).get("depths", [])]


def _first(run: RunDirectory, material: str, depth: str) -> Microstructure | None:
    files = numbered(run.path / cell_folder(material, depth), "realisation", ".tif")
    return read_microstructure(files[0]) if files else None


def _headlines(run: RunDirectory) -> list[str]:
    materials = recommendation_in(run).get("materials", {})
    return [f"{name}: {facts['sentences'][0]}" for name, facts in materials.items()]


PAGE = Page(
    "Depth of the network for {}",
    sections.micrographs_subtitle,
    (choices, depths_made, depth_sections, sections.cleaning, notes),
    lambda run: (*cites.of_engine(run), *cites.of_judging(), *cites.CONDUCTION, *cites.of_thresholds(run)),
    facts=sections.engine_facts,
    headlines=_headlines,
)
