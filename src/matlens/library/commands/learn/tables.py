"""The tables that ``learn`` writes for a library, and what they say in words."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from matlens.library.model import LibraryModel
from matlens.library.model.targets import Target
from matlens.library.table import MaterialsLibrary
from matlens.library.validation import LibraryChecks, check_library, paired, summarise
from matlens.runs.directory import RunDirectory
from matlens.runs.tables import parse_table, write_table

__all__ = ["MODEL", "read_held_out", "write_checks", "write_library_evidence"]

MODEL = "model"
_TEXTS = ("model", "partition", "fold", "sample")
_WHOLE = ("repeat", "group", "censored")
_BY_FOLD = ("regions", "systems")  # errors within one of these go together: whole ones are drawn anew
_WORDS = {
    "grouped": "compositions left out",
    "regions": "regions of composition left out",
    "systems": "co-alloy systems left out",
    "shuffled": "single rows left out, which flatters",
}


def read_held_out(file: Path) -> pd.DataFrame:
    """Read held-out predictions with every digit, ids as text.

    Parameters
    ----------
    file : Path
        CSV file.

    Returns
    -------
    DataFrame
        The table.

    Examples
    --------
    >>> import tempfile
    >>> file = Path(tempfile.mkdtemp()) / "held_out.csv"
    >>> _ = file.write_text("sample,repeat,predicted\\n0001,0,0.1\\n")
    >>> read_held_out(file).to_dict("records")
    [{'sample': '0001', 'repeat': 0, 'predicted': 0.1}]
    """
    table = parse_table(file)
    kinds = dict.fromkeys(table, np.float64) | dict.fromkeys(_WHOLE, np.int64) | dict.fromkeys(_TEXTS, "str")
    return table.astype({name: kinds[name] for name in table})


def write_library_evidence(
    run: RunDirectory, model: LibraryModel, predictions: pd.DataFrame, contenders: Sequence[str]
) -> None:
    """Write the tables of the trials, ``scores.csv`` last: where it is, all are.

    Parameters
    ----------
    run : RunDirectory
        Run directory, open.
    model : LibraryModel
        The model of all samples.
    predictions : DataFrame
        Held-out predictions of all contenders.
    contenders : sequence of str
        Names of the model and the baselines, in the order of the tables.
    """
    found = pd.concat([predictions[predictions["model"] == name] for name in contenders], ignore_index=True)
    write_table(run, "held_out", found)
    scores, gains = [], []
    for partition, part in found.groupby("partition", sort=False):
        resample = "fold" if partition in _BY_FOLD and part["fold"].nunique() > 1 else "group"
        scores.append(summarise(part, resample=resample, seed=model.seed))
        if len(contenders) > 1:
            gains.append(paired(part, MODEL, resample=resample, seed=model.seed))
    table = pd.concat(scores, ignore_index=True)
    ahead = pd.concat(gains, ignore_index=True) if gains else pd.DataFrame()
    if len(ahead):
        write_table(run, "paired", ahead)
    run.mark("running", sentences=_sentences(model, table, ahead))
    write_table(run, "scores", table)


def _sentences(model: LibraryModel, scores: pd.DataFrame, ahead: pd.DataFrame) -> list[str]:
    """What the scores say."""
    inputs = " and ".join(
        word for word, used in (("composition", model.uses_composition_), ("spectrum", model.uses_spectrum_)) if used
    )
    unit = f" ({model.unit_})" if model.unit_ else ""
    said = [f"{model.target_}{unit} from {inputs}, {model.members_} models of preset {model.preset}."]
    for partition, part in scores.groupby("partition", sort=False):
        own = part[part["model"] == MODEL].iloc[0]
        sentence = (
            f"With {_WORDS.get(str(partition), partition)}: R² {own['r2']:.3f} (90 % interval {own['r2_low']:.3f} to "
            f"{own['r2_high']:.3f}) on {own['n']} samples"
        )
        others = part[part["model"] != MODEL]
        if len(others):
            best = others.sort_values("r2").iloc[-1]
            gain = ahead[(ahead["partition"] == partition) & (ahead["other"] == best["model"])].iloc[0]
            sentence += (
                f"; best baseline ({best['model']}) {best['r2']:.3f}, a gain of {gain['r2_gain']:.3f} over it "
                f"({gain['r2_gain_low']:.3f} to {gain['r2_gain_high']:.3f})"
            )
        if np.isfinite(own["coverage"]):
            sentence += f"; the nominal 90 % intervals contain {100 * own['coverage']:.0f} % of the measured values"
        said.append(f"{sentence}.")
        if own["censored"]:
            said.append(
                f"{100 * own['concordance']:.0f} % of the pairs of one of {own['censored']} censored samples and a "
                "measured one are predicted in the right order."
            )
    return said


def write_checks(run: RunDirectory, library: MaterialsLibrary, target: Target, seed: int) -> None:
    """Write the checks of the data before any model, ``checks.csv`` last: coverage, replicates, position.

    Parameters
    ----------
    run : RunDirectory
        Run directory, open.
    library : MaterialsLibrary
        The library.
    target : Target
        Figure of merit on the scale to learn on.
    seed : int
        Seed of the checks.
    """
    if (run.path / "checks.csv").is_file():
        return
    found = check_library(library, target.name, transform=target.transform, seed=seed)
    write_table(run, "components", found.components)
    write_table(run, "component_pairs", found.pairs.rename_axis("component").reset_index())
    write_table(run, "systems", found.systems)
    write_table(run, "replicates", _replicates(library, target))
    write_table(run, "reach", _reach(found))
    places = library.covariates.rename(columns=str.lower)
    if {"x", "y"} <= set(places):
        kept = places[[name for name in ("x", "y", "plate") if name in places]]
        write_table(run, "positions", kept.assign(sample=list(library.samples)))
    write_table(run, "checks", pd.DataFrame({"sentence": [*library.notes, *found.sentences]}))


def _replicates(library: MaterialsLibrary, target: Target) -> pd.DataFrame:
    """Samples of which there are several of the same composition."""
    table = pd.DataFrame(
        {"sample": list(library.samples), "group": library.replicates(), "value": target.values(library)}
    )
    measured = table["value"].notna() & (library.censoring(target.name) == 0)
    several: pd.DataFrame = table.loc[measured & table["group"].where(measured).duplicated(keep=False)]
    return several.assign(mean=several.groupby("group")["value"].transform("mean"))


def _reach(found: LibraryChecks) -> pd.DataFrame:
    """What a perfect model of composition could reach, and what other things reach by themselves."""
    noise = found.noise
    rows = [{"name": "noise ceiling", "r2": noise.ceiling, "low": noise.low, "high": noise.high}]
    rows += [
        {"name": f"{row['covariate']} alone", "r2": row["r2"], "low": np.nan, "high": np.nan}
        for row in found.confounding.to_dict("records")
    ]
    return pd.DataFrame(rows)
