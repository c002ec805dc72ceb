"""``matlens status``: how far a run is, and which of its tasks run where."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from matlens.cli.terminal import echo
from matlens.core.settings import option, options

__all__ = ["StatusSpec", "status"]

_SHOWN = 10  # tasks of a kind that are listed


@options
class StatusSpec:
    """Show how far a run is: of work that a pool shares, how many tasks are done, running, failed and left."""

    run: Annotated[Path, option("Folder of the run (run directory).", argument=True, metavar="RUN")]


def status(spec: StatusSpec) -> None:
    """Print the state of a run, which may be at work; nothing is written.

    Parameters
    ----------
    spec : StatusSpec
        Options of the command.

    Raises
    ------
    RunError
        If there is no run.
    """
    from matlens.runs.directory import read_provenance, read_settings
    from matlens.runs.tasks import failures, plans_of, running

    settings, provenance = read_settings(spec.run), read_provenance(spec.run)
    state = str(provenance.get("status", "running"))
    since = provenance.get("finished" if state == "finished" else "updated", provenance.get("started", ""))
    echo(f"{spec.run}: {settings['command']}, {state} ({since})")
    if reason := provenance.get("reason") if state == "failed" else None:
        echo(f"reason: {reason}")
    failed = provenance.get("failed")
    for key, words in (failed if isinstance(failed, dict) else {}).items():
        echo(f"  failed: {key}: {words}")
    for name, label, files in plans_of(spec.run):
        done = sum((spec.run / file).is_file() for file in files.values())
        at_work, broken = running(spec.run, name), failures(spec.run, name)
        left = len(files) - done - len(broken) - sum(not (spec.run / files[key]).is_file() for key in at_work)
        echo(
            f"{label} ({name}): {done} of {len(files)} done, {len(at_work)} running, {len(broken)} failed, "
            f"{max(left, 0)} left"
        )
        _list(
            "running",
            {
                key: f"on {one.host} (process {one.pid}) since {one.since}" + (f", {one.text}" if one.text else "")
                for key, one in at_work.items()
            },
        )
        _list("failed", broken)


def _list(kind: str, found: dict[str, str]) -> None:
    for key, words in list(found.items())[:_SHOWN]:
        echo(f"  {kind}: {key}: {words}")
    if len(found) > _SHOWN:
        echo(f"  and {len(found) - _SHOWN} more are {kind}")
