"""The report of ``learn``, and the sections that it shares with ``predict``."""

from __future__ import annotations

from typing import Any

import pandas as pd

from matlens.figures.scores import score_bars
from matlens.microstructure import figures
from matlens.microstructure.commands.learn.tables import read_predictions
from matlens.report.parts import Page, Section, picture, table
from matlens.report.standard import unfinished
from matlens.runs.directory import RunDirectory
from matlens.runs.tables import read_table

__all__ = ["PAGE", "intervals", "model_facts", "model_subtitle", "predictions"]

_SCORES = {
    "set": "structures",
    "model": "model",
    "n": "n",
    "r2": "R²",
    "r2_low": "low",
    "r2_high": "high",
    "median_relative_error": "median relative error",
    "skill": "skill",
    "behind": "behind the model",
    "behind_low": "from",
    "behind_high": "to",
    "coverage": "inside intervals",
    "width": "their relative width",
}
_COVERED = {
    "set": "structures",
    "by": "by",
    "which": "which",
    "n": "n",
    "coverage": "inside",
    "width": "relative width",
}
_FAMILIES = {
    "family": "family left out",
    "model": "model",
    "n": "n",
    "r2": "R²",
    "r2_low": "low",
    "r2_high": "high",
    "median_relative_error": "median relative error",
    "behind": "behind the model",
    "behind_low": "from",
    "behind_high": "to",
    "in_domain": "share in the domain",
}
_SETS = {"predictions": "cross-validation", "test_predictions": "test"}
_MOST = 30  # predictions listed


def findings(run: RunDirectory) -> Section | None:
    """Show the model, its predictions of structures it has not seen, and the baselines.

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
    target = str(run.settings["options"]["target"])
    found = {name: word for name, word in _SETS.items() if (run.path / f"{name}.csv").is_file()}
    panels = pd.concat([read_predictions(run.path / f"{name}.csv").assign(set=word) for name, word in found.items()])
    caption = (
        "Predictions of structures that the model had not seen, with their intervals. In cross-validation a model is "
        "made anew without each fifth of the groups, its depth and head chosen within the rest."
    )
    items: list[Any] = [picture(run, "parity", figures.parity(panels, label=target), panels, caption)]
    caption = "R squared of the model and the baselines on the same structures, with 90 % intervals."
    items.append(picture(run, "scores", score_bars(scores), scores, caption))
    scale = "logarithm" if scores["scale"].iloc[0] == "log" else "value"
    items.append(table(scores, f"R squared and skill are those of the {scale}", _SCORES))
    said = [
        "Baselines learn the same property on the same scale and folds: the volume fractions alone, and principal "
        "components of two-point statistics. Intervals of scores resample groups of structures, the same for all, so "
        "that “behind the model” is a paired difference. Skill is 1 less the mean square error over that of the volume "
        "fraction."
    ]
    return Section("Findings", items, said, run.provenance.get("sentences", ()))


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
        "Error of each candidate in grouped cross-validation over all structures; the best is used. What is said "
        "under Findings does not rest on it: there the choice is made within each training part."
    )
    return Section("Depth and head", [picture(run, "depths", figures.depth_errors(found), found, caption)])


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
    return Section("Learning curve", [picture(run, "learning_curve", figures.learning_curves(found), found, caption)])


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
        said = [str(note)[0].upper() + str(note)[1:] for note in run.provenance.get("notes", [])]
        return Section(title, paragraphs=said) if said else None
    models = list(dict.fromkeys(found["model"]))
    drawn = found[found["model"].isin([*models[:2], models[-1]])]  # the model, volume fractions, two-point statistics
    bars = drawn.rename(columns={"model": "set", "family": "model"})
    caption = "R squared within each family, predicted from the others alone, with 90 % intervals."
    items: list[Any] = [picture(run, "families", score_bars(bars), drawn, caption)]
    items.append(table(found, "Each family predicted by models of the other families", _FAMILIES))
    said = [
        "Each family in turn is left out and predicted by models of the others: what to expect of a kind of structure "
        "that was not learned from. No coverage is claimed for left-out families. R squared is against the variance "
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
        "Intervals are conformal: the model's own spread, widened as errors on structures held out in groups demand. "
        "The share promised holds for new structures of the same kind as those learned from; for kinds left out, and "
        "outside the domain, nothing is claimed."
    ]
    return Section("Intervals", [table(found, "Share of structures inside their intervals", _COVERED)], said)


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
    if "value" in found:
        known = found[found["value"].notna()].assign(set="labelled structures")
        known["inside"] = known["inside"].astype(str) == "True"
        caption = "Predictions with intervals against the labels."
        items.append(picture(run, "parity", figures.parity(known, label=target), known, caption))
        scores = read_table(run, "scores")
        if scores is not None:
            items.append(table(scores, "Scores", _SCORES))
    caption = "Predictions with intervals; structures unlike those learned from are grey."
    figure = figures.prediction_intervals(found, label=target)
    items.append(picture(run, "intervals", figure, found, caption))
    shown = found.drop(columns=[] if (found["family"] != "").any() else ["family"])
    more = f"; the first {_MOST} of {len(found)}" if len(found) > _MOST else ""
    items.append(table(shown.head(_MOST), f"predictions.csv: distance 1 is the limit of the domain{more}"))
    said = [str(note)[0].upper() + str(note)[1:] for note in run.provenance.get("notes", [])]
    return Section("Predictions", items, said, run.provenance.get("sentences", ()))


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
        return unfinished(run)
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
    (findings, depths, curve, families, intervals),
    lambda run: ("li2018transfer", "simonyan2014very", "torquato2002random", "lei2018distribution"),
    facts=model_facts,
)
