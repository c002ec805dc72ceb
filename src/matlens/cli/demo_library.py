"""The part of ``matlens demo`` on a library: learn, explain and suggest on photoanodes whose truth is known."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from matlens.cli.options import Talk
from matlens.cli.work import say

if TYPE_CHECKING:
    from matlens.hooks import Progress
    from matlens.runs import RunDirectory

    Opened = Callable[[RunDirectory, str], RunDirectory | None]

__all__ = ["LIBRARY_RUNS", "library_demo_in"]

LIBRARY_RUNS = {"learn-library": "photoanode", "explain-library": "photoanode-insight", "suggest": "photoanode-plan"}
"""Folder of each run, by command."""
_SAMPLES, _MODELS = 300, 30


def library_demo_in(run: RunDirectory, progress: Progress, talk: Talk, opened: Opened) -> None:
    """Go through learn, explain and suggest below the run; what is finished is left alone.

    ``opened`` opens a folder that this very run has begun.
    """
    from matlens import runs
    from matlens.report import build_report, headlines

    steps: dict[str, Callable[[RunDirectory, Progress], None]] = {
        "learn-library": runs.learn_library_in,
        "explain-library": runs.explain_library_in,
        "suggest": runs.suggest_in,
    }
    for command, name in LIBRARY_RUNS.items():
        member = opened(run, name)
        if member is None:
            settings = {**_settings(run, command), "part_of": run.settings["token"]}
            member = runs.RunDirectory.create(run.path / name, command, settings, force=True)
        if member.status == "finished":
            member.close()
            continue
        with runs.working(member):
            steps[command](member, progress)
            build_report(member)
        for line in headlines(member):
            say(talk, f"{name}: {line}")


def _settings(run: RunDirectory, command: str) -> dict[str, Any]:
    """What each of the runs is asked: few samples and models, so that it takes a minute."""
    from matlens import runs

    seed, environment = run.settings["seed"], run.settings["environment"]
    common = {"seed": seed, "device": environment["device"]}
    model = str(run.path / LIBRARY_RUNS["learn-library"])
    if command == "learn-library":
        source = runs.LibrarySource(str(_table(run, seed)), {"merits": ["P"]})
        options = runs.LibraryModelOptions(n_models=_MODELS, prepare=("band-maximum:750:850",))
        scoring = runs.Scoring(("grouped",), baselines=("ridge", "gaussian-process"), members=min(_MODELS, 10))
        order = runs.LearnLibraryOrder(source, "P", options, scoring, **common)
        asked = order.resolved(source.read()).settings()
    elif command == "explain-library":
        hosts = {"": "Bi", "W": "V", "Mo": "V"}
        asked = runs.ExplainLibraryOrder(model, hosts, permutations=0, **common).resolved().settings()
    else:
        insight = str(run.path / LIBRARY_RUNS["explain-library"])
        wishes = runs.Wishes(support=1)
        asked = runs.SuggestOrder(model, 5, wishes, insight, **common).resolved().settings()
    return {**asked, "environment": environment}


def _table(run: RunDirectory, seed: int) -> Path:
    """Write the library as a table, as a user would bring it."""
    from matlens.io import write_library
    from matlens.problems import photoanode

    path = run.claim("photoanode.csv")
    write_library(photoanode(_SAMPLES, seed=seed).library, path)
    return path
