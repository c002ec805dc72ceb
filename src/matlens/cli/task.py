"""``matlens work``: make single tasks of a run, as the jobs of a batch system do."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from matlens.cli.terminal import echo
from matlens.core.settings import option, options
from matlens.errors import InputError, Interrupted, RunError, SomeFailed

__all__ = ["TaskSpec", "work"]


@options
class TaskSpec:
    """Make single tasks of a run that shares its work, on any machine that sees the run's folder.

    A task whose result is there takes no time, and one that another worker has is waited for. SIGTERM saves the state
    of the task, from which the next worker goes on. 'matlens status RUN' lists what there is to do.
    """

    run: Annotated[Path, option("Folder of the run (run directory).", argument=True, metavar="RUN")]
    task: Annotated[
        tuple[str, ...],
        option("Task to make, e.g. realisation/0; may be given several times.", metavar="WORK/KEY", many=True),
    ]


def work(spec: TaskSpec) -> None:
    """Make tasks.

    Parameters
    ----------
    spec : TaskSpec
        Options of the command.

    Raises
    ------
    InputError
        If a task is unknown.
    Interrupted
        On an interrupt; the state of the task is kept.
    RunError
        If the run cannot be used, or this machine would not give its bytes.
    SomeFailed
        If tasks failed.
    """
    from matlens.cli.serve import serve
    from matlens.runs.directory import read_provenance, read_settings
    from matlens.runs.serving import Answer
    from matlens.runs.tasks import plans_of

    read_settings(spec.run)
    if read_provenance(spec.run).get("status") == "finished":
        echo(f"{spec.run} is finished; there is nothing to do.")
        return
    plans = {name: files for name, _, files in plans_of(spec.run)}
    asked: dict[str, list[str]] = {}
    for task in spec.task:
        name, _, key = task.partition("/")
        if key not in plans.get(name, {}):
            known = [f"{one}/{first}" for one, files in plans.items() for first in list(files)[:1]]
            named = f"its tasks are named as {', '.join(known)}" if known else "no work of it is shared now"
            raise InputError(f"{spec.run} has no task {task!r}; {named}, see 'matlens status {spec.run}'.")
        asked.setdefault(name, []).append(key)
    failed: dict[str, str] = {}

    def answer(found: Answer) -> None:
        if found.state == "refused":
            raise RunError(found.reason)
        if found.state == "failed":
            failed[found.key] = found.reason
        echo(f"{found.key}: {found.state}")

    for name, keys in asked.items():
        try:
            serve(spec.run, name, keys, answer)
        except (KeyboardInterrupt, Interrupted):
            raise Interrupted(f"interrupted; what was done so far is in {spec.run}.") from None
    if failed:
        words = "; ".join(f"{key}: {reason.rstrip('.')}" for key, reason in failed.items())
        raise SomeFailed(f"{len(failed)} of {len(spec.task)} tasks failed ({words}).")
