"""The report of ``learn``, and the sections that it shares with ``predict``."""

from __future__ import annotations

from typing import Any

import pandas as pd

from matlens.core.numbers import shown
from matlens.figures.scores import score_bars
from matlens.microstructure import figures
from matlens.microstructure.commands.learn.tables import read_predictions
from matlens.report.numbers import interval, sentence
from matlens.report.parts import Answer, Drawing, Folded, Item, Page, Section, Tile, table
from matlens.runs.directory import RunDirectory
from matlens.runs.tables import read_table

__all__ = ["PAGE", "intervals", "model_facts", "model_subtitle", "predicted", "predictions"]

_SCORES = {
    "set": "structures",
    "model": "model",
    "n": "structures tested",
    "r2_text": "R² (90 % interval)",
    "r2": "R²",
    "median_relative_error": "median relative error",
    "skill": "skill",
    "behind_text": "R² of the model less its own (90 % interval)",
    "coverage": "inside intervals",
    "width": "their relative width",
}
_SHARES = ("median_relative_error", "coverage", "width", "in_domain")
_COVERED = {
    "set": "structures",
    "by": "grouped by",
    "which": "group",
    "n": "structures tested",
    "coverage": "inside their intervals",
    "width": "relative width",
}
_FAMILIES = {
    "family": "family left out",
    "model": "model",
    "n": "structures tested",
    "r2_text": "R² (90 % interval)",
    "median_relative_error": "median relative error",
    "behind_text": "R² of the model less its own (90 % interval)",
    "in_domain": "inside the domain",
}
_SCORES_OF_MODELS = {name: word for name, word in _SCORES.items() if name != "r2"}
_SETS = {"predictions": "cross-validation", "test_predictions": "test"}
_MOST = 30  # predictions listed


def answer(run: RunDirectory) -> Answer | None:
    """Show how well the model predicts structures it has not seen, in numbers and in a figure.

    Parameters
    ----------
    run : RunDirectory
        Run directory, open.

    Returns
    -------
    Answer or None
        What stands on top of the report; None before the model was judged.
    """
    scores = read_table(run, "scores")
    if scores is None:
        return None
    target = str(run.settings["options"]["target"])
    found = {name: word for name, word in _SETS.items() if (run.path / f"{name}.csv").is_file()}
    panels = pd.concat([read_predictions(run.path / f"{name}.csv").assign(set=word) for name, word in found.items()])
    caption = (
        "Predictions of structures that the model had not seen, with their intervals. In cross-validation a model is "
        "made anew without each fifth of the groups, its depth and head chosen within the rest."
    )
    own = scores[scores["model"] == scores["model"].iloc[0]]
    tiles = [
        Tile(f"R², {row['set']}", shown(row["r2"]), "", interval(row["r2_low"], row["r2_high"]))
        for row in own.to_dict("records")
    ]
    last = own.iloc[-1]
    best = scores[(scores["set"] == last["set"]) & (scores["model"] != last["model"])]
    if len(best):
        other = best.iloc[int(best["r2"].argmax())]
        tiles.append(Tile(f"R² of the best baseline: {other['model']}", shown(float(other["r2"]))))
    for column, name in (("median_relative_error", "median error"), ("coverage", "inside intervals")):
        if column in last and not pd.isna(last[column]):
            tiles.append(Tile(name, shown(100 * float(last[column])), "%"))
    words = ", ".join(f"{tile.name} {tile.value}" for tile in tiles[:2])
    alt = f"Predicted against true {target} of {len(panels)} structures: {words}."
    return Answer(tiles, Drawing("parity", figures.parity(panels, label=target), panels, caption, alt))


def findings(run: RunDirectory) -> Section | None:
    """Show the scores of the model and of the baselines on structures they have not seen.

    Parameters
    ----------
    run : RunDirectory
        Run directory, open.

    Returns
    -------
    Section or None
        The section; None if the run holds none of its tables.
    """
    scores = read_table(run, "scores")
    if scores is None:
        return None
    caption = "R² of the model and the baselines on the same structures, with 90 % intervals."
    scale = "logarithm" if scores["scale"].iloc[0] == "log" else "value"
    items: list[Item] = [
        Drawing("scores", score_bars(scores), scores, caption),
        table(_with_intervals(scores), f"R² and skill are those of the {scale}", _SCORES_OF_MODELS, _SHARES),
    ]
    said = [
        "Baselines learn the same property on the same scale and folds: the volume fractions alone, and principal "
        "components of two-point statistics. Intervals of scores resample groups of structures, the same for all, so "
        "that differences are paired. Skill is 1 less the mean square error over that of the volume fraction."
    ]
    return Section("Scores", items, said)


def _with_intervals(scores: pd.DataFrame) -> pd.DataFrame:
    """Scores with their intervals as texts."""
    texts = {}
    for name in ("r2", "behind"):
        if f"{name}_low" in scores:
            rows = zip(scores[name], scores[f"{name}_low"], scores[f"{name}_high"])
            texts[f"{name}_text"] = [
                shown(value) + (f" ({shown(low)} to {shown(high)})" if low < high else "") for value, low, high in rows
            ]
    return scores.assign(**texts)


def depths(run: RunDirectory) -> Section | None:
    """Show the cross-validated error by depth and head, from which the best was chosen.

    Parameters
    ----------
    run : RunDirectory
        Run directory, open.

    Returns
    -------
    Section or None
        The section; None if the run holds none of its tables.
    """
    found = read_table(run, "selection")
    if found is None:
        return None
    found = found.assign(depth=found["depth"].fillna(""))
    caption = (
        "Error of each candidate in grouped cross-validation over all structures; the best is used. The "
        "scores do not rest on it: there the choice is made within each training part."
    )
    return Section("Depth and head", [Drawing("depths", figures.depth_errors(found), found, caption)])


def curve(run: RunDirectory) -> Section | None:
    """Show the learning curve: error against number of structures.

    Parameters
    ----------
    run : RunDirectory
        Run directory, open.

    Returns
    -------
    Section or None
        The section; None if the run holds none of its tables.
    """
    found = read_table(run, "learning_curve")
    if found is None:
        return None
    caption = "Median and range over draws; all models see the same draws and are judged on the same structures."
    return Section("Learning curve", [Drawing("learning_curve", figures.learning_curves(found), found, caption)])


def families(run: RunDirectory) -> Section | None:
    """Show the error on families that were left out of training.

    Parameters
    ----------
    run : RunDirectory
        Run directory, open.

    Returns
    -------
    Section or None
        The section; None if the run holds none of its tables.
    """
    found, title = read_table(run, "families"), "Families left out"
    if found is None:
        # of networks a note says why there are none
        said = [sentence(str(note)) for note in run.provenance.get("notes", [])]
        return Section(title, paragraphs=said) if said else None
    models = list(dict.fromkeys(found["model"]))
    drawn = found[found["model"].isin([*models[:2], models[-1]])]  # the model, volume fractions, two-point statistics
    bars = drawn.rename(columns={"model": "set", "family": "model"})
    caption = "R² within each family, predicted from the others alone, with 90 % intervals."
    items: list[Any] = [Drawing("families", score_bars(bars), drawn, caption)]
    every = table(_with_intervals(found), "Each family predicted by models of the other families", _FAMILIES, _SHARES)
    items.append(Folded("Scores of each family", [every]))
    said = [
        "Each family in turn is left out and predicted by models of the others: this shows what to expect of a kind "
        "of structure that is not in the training data. Intervals are not guaranteed there. R² is against the variance "
        "within the family, which may be small: below 0 the family's own mean would have been closer."
    ]
    return Section(title, items, said)


def intervals(run: RunDirectory) -> Section | None:
    """Show the coverage of the prediction intervals, overall and by kind of structure.

    Parameters
    ----------
    run : RunDirectory
        Run directory, open.

    Returns
    -------
    Section or None
        The section; None if the run holds none of its tables.
    """
    found = read_table(run, "coverage")
    if found is None:
        return None
    said = [
        "Intervals are conformal: the spread of the model is scaled by its errors on structures that were held out in "
        "groups. The nominal share holds for new structures of the kinds in the training data; it is not guaranteed "
        "for other kinds, nor outside the domain."
    ]
    return Section("Intervals", [table(found, "Structures inside their intervals", _COVERED, _SHARES)], said)


def predictions(run: RunDirectory) -> Section | None:
    """Show predictions with intervals, against the true values where they are known.

    Parameters
    ----------
    run : RunDirectory
        Run directory, open.

    Returns
    -------
    Section or None
        The section; None if the run holds none of its tables.
    """
    file = run.path / "predictions.csv"
    if not file.is_file():
        return None
    found = read_predictions(file)
    target = str(run.provenance.get("resolved", {}).get("target", "property"))
    items: list[Any] = []
    if "value" in found and read_table(run, "scores") is not None:
        items.append(table(read_table(run, "scores"), "Scores", _SCORES, _SHARES))  # type: ignore[arg-type]
    names = {
        "structure": "structure",
        "family": "family",
        "predicted": f"predicted {target} (in its unit)",
        "low": "low end of the interval",
        "high": "high end of the interval",
        "value": f"known {target} (in its unit)",
        "inside": "inside its interval",
        "distance": "distance from the domain (limit: 1)",
        "in_domain": "inside the domain",
    }
    more = f"; the first {_MOST} of {len(found)}" if len(found) > _MOST else ""
    items.append(table(found.head(_MOST), f"predictions.csv{more}", names))
    return Section("Predictions", items, [sentence(str(note)) for note in run.provenance.get("notes", [])])


def predicted(run: RunDirectory) -> Answer | None:
    """Show the predictions in numbers and in a figure, and warn of structures that the model does not know.

    Parameters
    ----------
    run : RunDirectory
        Run directory, open.

    Returns
    -------
    Answer or None
        What stands on top of the report; None before anything was predicted.
    """
    file = run.path / "predictions.csv"
    if not file.is_file():
        return None
    found = read_predictions(file)
    target = str(run.provenance.get("resolved", {}).get("target", "property"))
    known = found["in_domain"].astype(str) == "True"
    tiles = [
        Tile(
            f"{target} of {row['structure']}",
            shown(row["predicted"]),
            "",
            f"{shown(row['low'])} to {shown(row['high'])}",
        )
        for row in found.head(1).to_dict("records")
    ]
    if len(found) > 1:
        ends = f"{shown(found['predicted'].min())} to {shown(found['predicted'].max())}"
        tiles = [Tile(f"median {target}", shown(found["predicted"].median()), "", f"all: {ends}")]
    tiles.append(Tile("like the training data", f"{int(known.sum())} of {len(found)}", "structures"))
    scores = read_table(run, "scores")
    if scores is not None and "r2" in scores and not pd.isna(scores["r2"].iloc[0]):
        tiles.append(Tile("R² on known values", shown(float(scores["r2"].iloc[0]))))
    labelled = found[found["value"].notna()] if "value" in found else found.head(0)
    if len(labelled):
        labelled = labelled.assign(set="labelled structures", inside=labelled["inside"].astype(str) == "True")
        figure, caption = figures.parity(labelled, label=target), "Predictions with intervals against the known values."
        drawn = Drawing("parity", figure, labelled, caption)
    else:
        caption = "Predictions with intervals; structures unlike the training data are grey."
        drawn = Drawing("intervals", figures.prediction_intervals(found, label=target), found, caption)
    strange = int((~known).sum())
    warning = f"{strange} of {len(found)} structures are unlike the training data; their intervals are not guaranteed."
    return Answer(tiles, drawn, [warning] if strange else [])


def model_subtitle(run: RunDirectory) -> str:
    """Describe the model in a line.

    Parameters
    ----------
    run : RunDirectory
        Run directory, open.

    Returns
    -------
    str
        Subtitle of the report.
    """
    resolved = run.provenance.get("resolved", {})
    if "target" not in resolved:
        return ""
    kind = f"{resolved.get('encoder', resolved.get('features', ''))} {resolved.get('depth', '')}".strip()
    return f"{resolved['target']} from {kind}, head {resolved.get('head', '')}, scale {resolved.get('scale', '')}."


def model_facts(run: RunDirectory) -> dict[str, Any]:
    """Return the model's encoder for the header.

    Parameters
    ----------
    run : RunDirectory
        Run directory, open.

    Returns
    -------
    dict
        Name and value of each fact.
    """
    resolved = run.provenance.get("resolved", {})
    return {"encoder": resolved.get("encoder", run.settings["options"].get("encoder", ""))}


PAGE = Page(
    "Model of a property",
    model_subtitle,
    (findings, intervals, families, depths, curve),
    lambda run: ("li2018transfer", "simonyan2014very", "torquato2002random", "lei2018distribution"),
    answer=answer,
    facts=model_facts,
)
