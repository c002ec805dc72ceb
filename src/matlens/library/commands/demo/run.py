"""The steps of ``library demo``: a table, and then learn, explain and suggest, each in a run directory of its own."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from matlens.hooks import Progress
from matlens.library.commands.demo.spec import DemoSpec
from matlens.library.commands.explain.spec import COMMAND as EXPLAIN
from matlens.library.commands.explain.spec import ExplainSpec
from matlens.library.commands.learn.spec import COMMAND as LEARN
from matlens.library.commands.learn.spec import LearnSpec
from matlens.library.commands.suggest.spec import COMMAND as SUGGEST
from matlens.library.commands.suggest.spec import SuggestSpec
from matlens.library.gradients.simplex import along, directions
from matlens.library.io import put_library
from matlens.library.problems import example_photoanode
from matlens.report.members import work_on_member
from matlens.runs.codecs import DATASET, read_value
from matlens.runs.command import Prepared, options_of
from matlens.runs.directory import RunDirectory
from matlens.runs.tables import write_table

__all__ = ["TRUTH", "found_beside_truth", "prepare", "sentence_of_truth", "work"]

MODEL, INSIGHT, PLAN = "photoanode", "photoanode-insight", "photoanode-plan"
_TABLE = "photoanode.csv"
_SPREAD = "composition_gradient_spread"
_MODELS = 8  # so few that it takes less than a minute
TRUTH = "truth"


def prepare(spec: DemoSpec, environment: Mapping[str, Any]) -> Prepared:
    """Choose the runs that the demonstration consists of.

    Parameters
    ----------
    spec : DemoSpec
        Options of the command.
    environment : mapping
        Device, threads and versions that the run works with.

    Returns
    -------
    Prepared
        The options with every ``auto`` resolved, what is kept in settings.toml besides, and the inputs read.
    """
    settings = {
        "token": secrets.token_hex(4),  # tells members of this run from those of one that --force replaces
        "members": [MODEL, INSIGHT, PLAN],
    }
    said = f"a library of photoanodes, {_MODELS} models, seed {spec.seed}"
    return Prepared(spec, said, settings)


def work(run: RunDirectory, progress: Progress, found: None = None) -> None:
    """Learn, explain and suggest in runs below this one; finished ones are left alone.

    Parameters
    ----------
    run : RunDirectory
        Open; may hold the beginning of the same work.
    progress : Progress
        Shows how far each member is.
    found : None
        Members read their own inputs.
    """
    seed, device = options_of(run, DemoSpec).seed, run.settings["environment"]["device"]
    learn = LearnSpec(
        library=str(_table(run, seed)),
        target="P",
        merits=("P",),
        n_models=_MODELS,
        preprocessing=("band-maximum:750:850",),
        held_out=("grouped",),
        folds=2,
        baselines=("ridge",),
        scoring_models=min(_MODELS, 4),
        seed=seed,
        device=device,
    )
    model, insight = str(run.path / MODEL), str(run.path / INSIGHT)
    hosts = {"": "Bi", "W": "V", "Mo": "V"}
    explain = ExplainSpec(model=model, hosts=hosts, permutations=0, seed=seed, device=device)
    suggest = SuggestSpec(model=model, n=5, least_support=1, insight=insight, seed=seed, device=device)
    for name, command, asked in ((MODEL, LEARN, learn), (INSIGHT, EXPLAIN, explain), (PLAN, SUGGEST, suggest)):
        work_on_member(run, name, command, asked, progress)
        if name == INSIGHT:
            found_beside_truth(run, seed, progress)


def found_beside_truth(run: RunDirectory, seed: int, progress: Progress) -> None:
    """Write what the model found of each component beside the law that made the library, as ``truth.csv``.

    Parameters
    ----------
    run : RunDirectory
        Run directory, open; the member that explains the model is finished.
    seed : int
        Seed of the library.
    progress : Progress
        Shows the finding.
    """
    known = example_photoanode(seed)
    gradients = read_value(run, f"{INSIGHT}/gradients.nc", DATASET)
    found = gradients.sel(scheme="dilution", kind="total")
    truth = along(known.truth.total, directions("dilution", known.library.compositions)) / 100  # per at%
    supported = gradients["support"].to_numpy() > 0
    error = found["composition_gradient_error" if "composition_gradient_error" in found else _SPREAD].to_numpy()
    rows = []
    for index, name in enumerate(known.library.components):
        at = supported[:, index]
        if at.any():
            mean = float(found["composition_gradient"].to_numpy()[at, index].mean())
            half = 1.645 * float(error[at, index].mean())
            rows.append((name, int(at.sum()), mean, mean - half, mean + half, float(truth[at, index].mean())))
    table = pd.DataFrame(rows, columns=["component", "samples", "found", "low", "high", "truth"])
    write_table(run, TRUTH, table)
    progress.say(sentence_of_truth(table))


def sentence_of_truth(table: pd.DataFrame) -> str:
    """Put the comparison with the law into one sentence.

    Parameters
    ----------
    table : DataFrame
        Content of ``truth.csv``.

    Returns
    -------
    str
        The sentence.

    Examples
    --------
    >>> rows = {"component": ["W", "Mo"], "found": [0.2, -0.1], "low": [0.1, -0.2], "high": [0.3, 0.0]}
    >>> sentence_of_truth(pd.DataFrame({**rows, "truth": [0.25, 0.05]}))
    'The sign of the effect is right for 1 of 2 components, and the 90 % interval holds the true effect for 1 of 2.'
    """
    right = int((np.sign(table["found"]) == np.sign(table["truth"])).sum())
    held = int(((table["low"] <= table["truth"]) & (table["truth"] <= table["high"])).sum())
    return (
        f"The sign of the effect is right for {right} of {len(table)} components, and the 90 % interval holds the true "
        f"effect for {held} of {len(table)}."
    )


def _table(run: RunDirectory, seed: int) -> Path:
    """Write the library as a table, as a user would bring it."""
    with run.writing(_TABLE) as file:
        put_library(example_photoanode(seed).library, file)
    return run.path / _TABLE
