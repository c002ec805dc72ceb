"""A worker: ``python -m matlens.cli.serve RUN WORK`` reads keys of tasks from its input and answers on its output."""

from __future__ import annotations

import json
import os
import platform
import signal
import sys
import threading
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from matlens.cli.registry import commands
from matlens.cli.work import machine_settings
from matlens.core.settings import OnDevice
from matlens.errors import Interrupted, MatlensError, RunError
from matlens.runs.command import command_of
from matlens.runs.serving import Answer, Served, Serving
from matlens.runs.signals import stoppable

if TYPE_CHECKING:
    from matlens.runs.shared import SharedRun

__all__ = ["main", "serve"]

_LOOK = 1.0  # seconds between two looks whether the process that waits is there


def serve(root: Path, name: str, asked: Iterable[str], answer: Callable[[Answer], None]) -> None:
    """Make tasks of a run.

    Parameters
    ----------
    root : Path
        The run directory.
    name : str
        Name of the work.
    asked : iterable of str
        Keys of the tasks.
    answer : callable
        Takes the `Answer` for each key.

    Raises
    ------
    RunError
        If there is no such run, or this machine would not give the run's bytes.
    KeyboardInterrupt, Interrupted
        On an interrupt; the state of the task is kept.
    """
    from matlens.runs.shared import SharedRun

    serving = Serving(name, asked, answer)
    run = SharedRun(root, serving)
    command = command_of(run, commands())
    _check_machine(run)
    try:
        command.work(run, serving.progress)
    except Served:
        return
    raise RunError(f"{root} has no work {name!r}; see 'matlens status {root}'.")


def _check_machine(run: SharedRun) -> None:
    """Refuse to work where the results would differ from those of the process that waits."""
    from matlens.runs.provenance import mismatches

    then = run.settings["environment"]
    command = command_of(run, commands())
    threads = int(then["threads"]) if command.torch else None
    here = machine_settings(command, OnDevice(device=str(then["device"]), threads=threads))  # type: ignore[arg-type]
    if differences := mismatches(then, here):
        raise RunError(
            f"a worker on {platform.node()} would not give the bytes of {run.path} ({'; '.join(differences)}); "
            "install the same versions there."
        )


def main() -> None:
    """Answer keys until the input ends; the process ends when the one that waits for it does."""
    root, name = Path(sys.argv[1]), sys.argv[2]
    # What libraries print is no answer.
    out = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)

    def answer(found: Answer) -> None:
        out.write(json.dumps(found) + "\n")
        out.flush()

    threading.Thread(target=_end_with_parent, args=(os.getppid(),), daemon=True).start()
    with stoppable(last=True):
        try:
            serve(root, name, _asked(), answer)
        except (KeyboardInterrupt, Interrupted, BrokenPipeError):
            sys.exit(130)
        except MatlensError as error:
            for key in _asked():
                answer(Answer(key, "refused", str(error)))


def _asked() -> Iterator[str]:
    for line in sys.stdin:
        yield json.loads(line)


def _end_with_parent(parent: int) -> None:
    """Save and end when the process that waits has gone: nobody would take the answer."""
    over = threading.Event()
    while os.getppid() == parent:
        over.wait(_LOOK)
    os.kill(os.getpid(), signal.SIGTERM)


if __name__ == "__main__":
    main()
