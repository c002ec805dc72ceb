"""The report of a pruning study."""

from __future__ import annotations

from typing import Any

import pandas as pd

from matlens.figures.units import typeset_unit
from matlens.microstructure import figures
from matlens.microstructure.commands import cites, sections
from matlens.microstructure.commands.inputs import numbered, stored_inputs
from matlens.microstructure.commands.prune.run import cell_folder
from matlens.microstructure.commands.verdict_report import named
from matlens.microstructure.pruning.recommendation import is_control
from matlens.microstructure.segmentation import read_microstructure
from matlens.microstructure.structure import Microstructure
from matlens.report.parts import Answer, Drawing, Page, Section, Tile, table
from matlens.report.standard import notes
from matlens.runs.codecs import DATASET, JSON, read_file, read_value
from matlens.runs.directory import RunDirectory
from matlens.runs.tables import read_table

__all__ = ["page_of"]

_RATIOS = (
    "R of each statistic against the {axis} and {size}, with 90 % intervals; the recommended {axis} is shaded. No "
    "loss holds the Euler density or the chord length."
)
_SCALES = (
    "R of each curve by distance: how far results are from windows of the material, over how far these are from each "
    "other. Distances at which white noise does as well tell nothing."
)
_SIZES = {"depth": "what it sees", "width": "the channels that it keeps"}
_HOW = {
    "depth": (
        "The network is cut after each layer of the loss, from the top down, and every material is reconstructed with "
        "what is left. Depth “none” is the same loss without a network: two-point function and total variation alone."
    ),
    "width": (
        "Each width keeps a share of the channels of every layer, and every material is reconstructed with a network "
        "of its own. The channels kept are those from which the others follow best on the micrograph; linear "
        "regressions on the micrograph and on noise, without any training, make the narrow network compute them. Width "
        "“none” is the same loss without a network: two-point function and total variation alone."
    ),
}
_NEEDED = {
    "depth": 'A property model with depth="auto" ends at {}, the deepest layer that these materials need.',
    "width": "Width {} is the widest that these materials need.",
}
_ORDERS = (
    "Geometric mean of R over the statistics (R below 1 counts as 1) against the share of channels kept. Where "
    "channels removed at random do as well as the least important ones, importance carries nothing."
)
_BREAKS = (
    "Statistics that break, by the channels that were removed first: the widest network at which R exceeds its limit. "
    "The limit is the upper end of the 90 % interval of the widest network studied, or 1.25 where that is more."
)
_MAPS = (
    "{name}: activations of the three most important channels of each layer, from zero (dark) to the largest of each "
    "map (bright), with the boundaries of the phases in white. Each value stands at the centre of what it sees; grey "
    "rims would see beyond the micrograph."
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
    return dict(read_file(file, JSON)) if file.is_file() else {}


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
    points = [f"{name}: {sentence}" for name, facts in materials.items() for sentence in facts["sentences"][1:]]
    axis = _axis(run)
    outcome = {axis: f"cheapest equivalent {axis}", "best": f"best {axis}", "joint": "against windows of the material"}
    rows = [{"material": name, **{key: facts[key] for key in outcome}} for name, facts in materials.items()]
    said = [
        _HOW[axis],
        f"The rule, one for every material: {found['rule']}",
        _NEEDED[axis].format(found["layer" if axis == "depth" else "width"]),
    ]
    shown = table(pd.DataFrame(rows), f"Recommended {axis}s", {"material": "material", **outcome})
    return Section("Recommendation", [shown], said, points)


def answer(run: RunDirectory) -> Answer | None:
    """Show what is recommended, and the reconstruction at each depth or width beside the micrographs.

    Parameters
    ----------
    run : RunDirectory
        Run directory, open.

    Returns
    -------
    Answer or None
        What stands on top of the report; None before anything was reconstructed.
    """
    exemplars, names, axis = stored_inputs(run), _names(run), _axis(run)
    if not exemplars:
        return None
    rows: dict[str, list[tuple[str, Microstructure]]] = {}
    for name, exemplar in zip(sections.input_names(run), exemplars):
        made = [(each, _first(run, name, each)) for each in names]
        panels = [(each, structure) for each, structure in made if structure is not None]
        if panels:
            sides = [min(pair) for pair in zip(exemplar.shape, panels[0][1].shape)]
            rows[name] = [("exemplar", next(iter(exemplar.tiles(sides)))), *panels]
    if not rows:
        return None
    source = pd.DataFrame([{"material": name, "panel": title} for name, panels in rows.items() for title, _ in panels])
    caption = (
        f"A window of each micrograph, and its first realisation at each {axis}; the recommended {axis} is framed."
    )
    figure = figures.pruned_pictures(rows, chosen=_chosen(run))
    alt = f"{', '.join(rows)}: a window of the micrograph beside what was made at {axis} {', '.join(names)}."
    found = recommendation_in(run)
    tiles = [
        Tile(f"recommended {axis}, {name}", str(facts[axis]), "", f"best: {facts['best']}")
        for name, facts in found.get("materials", {}).items()
    ]
    warning = "What no statistic here distinguishes, as the shapes of particles, decides nothing: look at the pictures."
    return Answer(tiles[:5], Drawing(f"{axis}s", figure, source, caption, alt), [warning] if found else [])


def quality(run: RunDirectory) -> Section | None:
    """Show R against depth or width, R against distance, and the cost of each network.

    Parameters
    ----------
    run : RunDirectory
        Run directory, open.

    Returns
    -------
    Section or None
        The section; None if the run holds none of its tables.
    """
    facts, ratios, scales = (_read(run, name) for name in ("pruning", "ratios", "scales"))
    if facts is None or ratios is None or scales is None:
        return None
    axis = _axis(run)
    sizes = _channels(facts) if axis == "width" else _sees(facts)
    ratios = ratios[~ratios[axis].map(is_control)]
    ratios = ratios.assign(statistic=ratios["statistic"].map(named))
    scales = scales[~scales[axis].map(is_control) | (scales[axis] == "white noise")]
    figure = figures.pruned_ratios(ratios, sizes=sizes, chosen=_chosen(run), axis=axis)
    caption = _RATIOS.format(axis=axis, size=_SIZES[axis])
    items: list[Any] = [Drawing(f"{axis}_ratios", figure, ratios, caption)]
    figure = figures.pruned_scales(scales, sizes=sizes, axis=axis)
    items.append(Drawing(f"{axis}_scales", figure, scales, _SCALES))
    items += [_costs(facts, axis), table(facts, "R of each statistic, controls last", _columns(facts, axis, "R_"))]
    errors = _columns(facts, axis, "error_")
    items.append(table(facts, "Errors against the micrograph, mean over realisations", errors))
    return Section(f"{axis.capitalize()}s", items)


def channels(run: RunDirectory) -> Section | None:
    """Show which statistics break when channels are removed, and what the most important channels answer to.

    Parameters
    ----------
    run : RunDirectory
        Run directory, open.

    Returns
    -------
    Section or None
        The section; None if the run studies depths or holds none of its tables.
    """
    ranking, exemplars = _read(run, "channels"), stored_inputs(run)
    if ranking is None or exemplars is None:
        return None
    items: list[Any] = []
    facts, broken = _read(run, "pruning"), _read(run, "breaks")
    if facts is not None and broken is not None:
        shown = facts[["material", "width", "share", "removed", "R_mean"]]
        items.append(Drawing("removal_orders", figures.removal_orders(facts), shown, _ORDERS))
        if len(broken):
            broken = broken.assign(statistic=broken["statistic"].map(named))
            heads = {"material": "material", "removed": "removed first", "statistic": "statistic", "width": "width"}
            items.append(table(broken, _BREAKS, heads | {"R": "R", "limit": "limit"}))
    for number, (name, exemplar) in enumerate(zip(sections.input_names(run), exemplars)):
        if not (run.path / f"activations_{number}.nc").is_file():
            continue
        maps = read_value(run, f"activations_{number}.nc", DATASET)
        window = exemplar.crop(*(slice(0, int(side)) for side in maps.attrs["window"]))
        own = ranking[(ranking["material"] == name) & ranking["varies"] & (ranking["rank"] <= 3)]
        figure = figures.channel_maps(window, maps)
        items.append(Drawing(f"channels_{number}", figure, own, _MAPS.format(name=name)))
    said = [
        "Importance: the activations of all channels of a layer on the micrograph are standardised, and channels are "
        "taken one after the other, each time the one that, with those taken before it, explains most of the variance "
        "of all channels of the layer (principal variables). Channels that do not vary come last.",
        "Controls: at each width, channels removed at random, and the most important ones removed first.",
    ]
    return Section("Channels", items, said)


def _costs(facts: pd.DataFrame, axis: str) -> Any:
    names = {
        "material": "material",
        axis: axis,
        **({"channels": "channels"} if axis == "width" else {}),
        "receptive_field_px": "sees (px)",
        "gflop": "work of an evaluation (GFLOP)",
        "kept_mb": "kept for the gradient (MB)",
        "seconds_per_evaluation": "time of an evaluation (s)",
        "evaluations": "evaluations",
        "seconds": "time of a realisation (s)",
        "fraction_error_before": "fraction error before decoding",
        "copy_share": "copied patches",
        "copies": "copies",
        "joint": "verdict",
    }
    return table(
        facts[~facts[axis].map(is_control)],
        f"What each {axis} sees, costs and gives",
        names,
        ["copy_share", "fraction_error_before"],
    )


def _columns(facts: pd.DataFrame, axis: str, prefix: str) -> dict[str, str]:
    found = [str(name) for name in facts.columns if str(name).startswith(prefix)]
    return {"material": "material", axis: axis} | {name: _of(name.removeprefix(prefix)) for name in found}


def _of(column: str) -> str:
    """Name of the statistic of a column, which stands there without the word error."""
    return {"mean": "geometric mean", "cluster_full": named("cluster_error_full")}.get(column, named(f"{column}_error"))


def _channels(facts: pd.DataFrame) -> dict[str, str]:
    """Number of channels by width."""
    kept = facts[facts["channels"] > 0]
    return {str(width): f"{int(count)} ch." for width, count in zip(kept["width"], kept["channels"])}


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


def _axis(run: RunDirectory) -> str:
    return "depth" if run.settings["options"].get("widths") is None else "width"


def _names(run: RunDirectory) -> list[str]:
    """Depths or widths of the study, without controls."""
    names = run.settings.get("resolved", {}).get(f"{_axis(run)}s", [])
    return [str(name) for name in names if not is_control(str(name))]


def _chosen(run: RunDirectory) -> dict[str, str]:
    materials = recommendation_in(run).get("materials", {})
    return {name: str(facts[_axis(run)]) for name, facts in materials.items()}


def _read(run: RunDirectory, name: str) -> pd.DataFrame | None:
    found = read_table(run, name)
    if found is not None and "width" in found:
        found["width"] = found["width"].astype(str)  # "1" alone would be a number
    return found


def _first(run: RunDirectory, material: str, name: str) -> Microstructure | None:
    files = numbered(run.path / cell_folder(material, name), "realisation", ".tif")
    return read_microstructure(files[0]) if files else None


def _headlines(run: RunDirectory) -> list[str]:
    materials = recommendation_in(run).get("materials", {})
    return [f"{name}: {facts['sentences'][0]}" for name, facts in materials.items()]


def page_of(run: RunDirectory) -> Page:
    """Describe the report of a study of depth or of width.

    Parameters
    ----------
    run : RunDirectory
        Run directory, open.

    Returns
    -------
    Page
        The report.
    """
    extra = cites.PRUNING if _axis(run) == "width" else ()
    return Page(
        f"{_axis(run).capitalize()} of the network for {{}}",
        sections.micrographs_subtitle,
        (sections.cleaning, choices, quality, channels, notes),
        lambda run: (*cites.of_engine(run), *extra, *cites.of_judging(), *cites.CONDUCTION, *cites.of_thresholds(run)),
        answer=answer,
        headlines=_headlines,
        facts=sections.engine_facts,
    )
