"""The steps of ``library demo``: a table, and then learn, explain and suggest, each in a run directory of its own."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from matlens.hooks import Progress
from matlens.library.commands.demo.spec import DemoSpec
from matlens.library.commands.explain.spec import COMMAND as EXPLAIN
from matlens.library.commands.explain.spec import ExplainSpec
from matlens.library.commands.learn.spec import COMMAND as LEARN
from matlens.library.commands.learn.spec import LearnSpec
from matlens.library.commands.suggest.spec import COMMAND as SUGGEST
from matlens.library.commands.suggest.spec import SuggestSpec
from matlens.library.io import put_library
from matlens.library.problems import photoanode
from matlens.report.members import work_on_member
from matlens.runs.command import Prepared, options_of
from matlens.runs.directory import RunDirectory

__all__ = ["prepare", "work"]

MODEL, INSIGHT, PLAN = "photoanode", "photoanode-insight", "photoanode-plan"
_TABLE = "photoanode.csv"
_SAMPLES, _MODELS = 300, 30  # so few that it takes a minute or two


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
    said = f"a library of {_SAMPLES} photoanodes, {_MODELS} models, seed {spec.seed}"
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
        baselines=("ridge", "gaussian-process"),
        scoring_models=min(_MODELS, 10),
        seed=seed,
        device=device,
    )
    model, insight = str(run.path / MODEL), str(run.path / INSIGHT)
    hosts = {"": "Bi", "W": "V", "Mo": "V"}
    explain = ExplainSpec(model=model, hosts=hosts, permutations=0, seed=seed, device=device)
    suggest = SuggestSpec(model=model, n=5, least_support=1, insight=insight, seed=seed, device=device)
    for name, command, asked in ((MODEL, LEARN, learn), (INSIGHT, EXPLAIN, explain), (PLAN, SUGGEST, suggest)):
        work_on_member(run, name, command, asked, progress)


def _table(run: RunDirectory, seed: int) -> Path:
    """Write the library as a table, as a user would bring it."""
    with run.writing(_TABLE) as file:
        put_library(photoanode(_SAMPLES, seed=seed).library, file)
    return run.path / _TABLE
