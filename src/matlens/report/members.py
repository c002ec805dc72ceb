"""Runs below a run: the parts of a demonstration, each with settings, status and report of its own."""

from __future__ import annotations

from typing import Any

from matlens.hooks import Progress
from matlens.report.build import REPORT, build_report
from matlens.runs.command import Command
from matlens.runs.directory import PREVIOUS, SETTINGS, RunDirectory
from matlens.runs.lifecycle import working
from matlens.runs.manifest import inside, is_inside

__all__ = ["reported_members", "work_on_member"]


def work_on_member(run: RunDirectory, name: str, command: Command, options: Any, progress: Progress) -> None:
    """Do a command, or the rest of it, in a run directory below a run; a finished one is left alone.

    Parameters
    ----------
    run : RunDirectory
        Open; its settings hold ``token``, by which its members are known, and ``environment``.
    name : str
        Folder of the member.
    command : Command
        What the member does.
    options : Any
        An instance of ``command.spec``.
    progress : Progress
        Shows how far the member is.

    Raises
    ------
    Interrupted
        On KeyboardInterrupt; what the member has done is kept.
    """
    member, found = _begun(run, name), None
    if member is None:
        environment = run.settings["environment"]
        prepared = command.prepare(options, environment)
        settings = {**command.settings(options, prepared, environment), "part_of": run.settings["token"]}
        # What lies there is of a run that --force replaced.
        member, found = RunDirectory.create(inside(run.path, name), command.name, settings, force=True), prepared.found
    if member.status == "finished":
        member.close()
        return
    with working(member):
        command.work(member, progress, found)
        report = build_report(member, command.page(member))
        progress.say(f"report of {name}: {report}")


def reported_members(run: RunDirectory) -> list[str]:
    """List the runs below a run that have a report: first those in the settings, then all others.

    Parameters
    ----------
    run : RunDirectory
        Run directory, open.

    Returns
    -------
    list of str
        Names of their folders.

    Examples
    --------
    >>> import tempfile
    >>> with RunDirectory.create(tempfile.mkdtemp(), "demo", {"members": ["gravel"]}) as run:
    ...     reported_members(run)
    []
    """
    there = sorted(file.parent.name for file in run.path.glob(f"*/{REPORT}"))
    there = [name for name in there if is_inside(run.path, f"{name}/{REPORT}")]  # links are not followed
    named = [str(name) for name in run.settings["members"]]
    return [name for name in dict.fromkeys((*named, *there)) if name in there and name != PREVIOUS]


def _begun(run: RunDirectory, name: str) -> RunDirectory | None:
    """Open a member that this very run has begun."""
    if not inside(run.path, f"{name}/{SETTINGS}").is_file():
        return None
    member = RunDirectory(run.path / name)
    if member.settings.get("part_of") == run.settings["token"]:
        return member
    member.close()
    return None
