"""The part of ``matlens demo`` on a library: learn, explain and suggest on photoanodes whose truth is known."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from matlens.cli.options import Talk
from matlens.cli.work import say

if TYPE_CHECKING:
    from matlens.hooks import Progress
    from matlens.runs.directory import RunDirectory

    Opened = Callable[[RunDirectory, str], RunDirectory | None]

__all__ = ["LIBRARY_RUNS", "library_demo_in"]

LIBRARY_RUNS = {"learn-library": "photoanode", "explain-library": "photoanode-insight", "suggest": "photoanode-plan"}
"""Folder of each run, by command."""
_SAMPLES, _MODELS = 300, 30


def library_demo_in(run: RunDirectory, progress: Progress, talk: Talk, opened: Opened) -> None:
    """Go through learn, explain and suggest below the run; what is finished is left alone.

    ``opened`` opens a folder that this very run has begun.
    """
    from matlens.library.commands.explain.run import explain_library_in
    from matlens.library.commands.learn.run import learn_library_in
    from matlens.library.commands.suggest.run import suggest_in
    from matlens.report.build import build_report, headlines
    from matlens.runs.directory import RunDirectory
    from matlens.runs.lifecycle import working

    steps: dict[str, Callable[[RunDirectory, Progress], None]] = {
        "learn-library": learn_library_in,
        "explain-library": explain_library_in,
        "suggest": suggest_in,
    }
    for command, name in LIBRARY_RUNS.items():
        member = opened(run, name)
        if member is None:
            settings = {**_settings(run, command), "part_of": run.settings["token"]}
            member = RunDirectory.create(run.path / name, command, settings, force=True)
        if member.status == "finished":
            member.close()
            continue
        with working(member):
            steps[command](member, progress)
            build_report(member)
        for line in headlines(member):
            say(talk, f"{name}: {line}")


def _settings(run: RunDirectory, command: str) -> dict[str, Any]:
    """What each of the runs is asked: few samples and models, so that it takes a minute."""
    from matlens.library.commands.explain.run import ExplainLibraryOrder
    from matlens.library.commands.learn.run import LearnLibraryOrder, LibraryModelOptions, Scoring
    from matlens.library.commands.source import LibrarySource
    from matlens.library.commands.suggest.run import SuggestOrder, Wishes

    seed, environment = run.settings["seed"], run.settings["environment"]
    common = {"seed": seed, "device": environment["device"]}
    model = str(run.path / LIBRARY_RUNS["learn-library"])
    if command == "learn-library":
        source = LibrarySource(str(_table(run, seed)), {"merits": ["P"]})
        options = LibraryModelOptions(n_models=_MODELS, prepare=("band-maximum:750:850",))
        scoring = Scoring(("grouped",), baselines=("ridge", "gaussian-process"), members=min(_MODELS, 10))
        order = LearnLibraryOrder(source, "P", options, scoring, **common)
        asked = order.resolved(source.read()).settings()
    elif command == "explain-library":
        hosts = {"": "Bi", "W": "V", "Mo": "V"}
        asked = ExplainLibraryOrder(model, hosts, permutations=0, **common).resolved().settings()
    else:
        insight = str(run.path / LIBRARY_RUNS["explain-library"])
        wishes = Wishes(support=1)
        asked = SuggestOrder(model, 5, wishes, insight, **common).resolved().settings()
    return {**asked, "environment": environment}


def _table(run: RunDirectory, seed: int) -> Path:
    """Write the library as a table, as a user would bring it."""
    from matlens.library.io import write_library
    from matlens.library.problems import photoanode

    path = run.claim("photoanode.csv")
    write_library(photoanode(_SAMPLES, seed=seed).library, path)
    return path
