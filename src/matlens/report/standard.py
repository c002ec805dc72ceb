"""What every report holds: status, notes, how the run was made, and sources."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import pandas as pd

from matlens.report.parts import Item, Links, Section, Text, table
from matlens.runs.citations import bibtex
from matlens.runs.directory import RunDirectory

__all__ = ["made", "notes", "sources", "status", "warnings"]


def notes(run: RunDirectory) -> Section | None:
    """List the notes that the work left on how it went.

    Parameters
    ----------
    run : RunDirectory
        Run directory, open.

    Returns
    -------
    Section or None
        The section; None if there are none.
    """
    points = [str(note) for note in run.provenance.get("notes", [])]
    return Section("Notes", points=points) if points else None


def warnings(run: RunDirectory) -> list[str]:
    """List what a run warns of: what its work found, items that failed, and a continuation on another machine.

    Parameters
    ----------
    run : RunDirectory
        Run directory, open.

    Returns
    -------
    list of str
        Sentences.
    """
    said = [str(text) for text in run.provenance.get("warnings", ())]
    said += [f"{name} failed: {reason}" for name, reason in run.failed.items()]
    return said + [f"Resumed inexactly: {difference}." for difference in run.provenance.get("inexact", [])]


def sources(keys: Sequence[str]) -> Section:
    """List the BibTeX entries of the methods used.

    Parameters
    ----------
    keys : sequence of str
        Keys of ``runs/citations.bib``.

    Returns
    -------
    Section
        The section.
    """
    said = ["Please cite the methods this run used."]
    return Section("Sources", [Text(bibtex(list(dict.fromkeys(keys))))], said, folded=True)


def made(run: RunDirectory, facts: Mapping[str, Any]) -> Section:
    """Show how the run was made: its facts and its settings, each once.

    Parameters
    ----------
    run : RunDirectory
        Run directory, open.
    facts : mapping
        What the command tells of itself.

    Returns
    -------
    Section
        The section.
    """
    settings, told = run.settings, run.provenance
    rows = {
        **facts,
        "seed": settings.get("options", {}).get("seed", ""),
        "device": settings.get("environment", {}).get("device", ""),
        "started": _time(told.get("started", "")),
        "finished": _time(told.get("finished", "")),
        "command line": shlex.join(map(str, told.get("argv", ()))),
    }
    known = [(name, str(value)) for name, value in rows.items() if value not in ("", None)]
    items: list[Item] = [
        table(pd.DataFrame(known, columns=["what", "value"])),
        Text((run.path / "settings.toml").read_text(encoding="utf-8"), "settings.toml"),
        Links([("provenance.json: times, versions and choices, as they were stored", "provenance.json")]),
    ]
    return Section("Settings and provenance", items, folded=True)


def _time(stamp: str) -> str:
    return f"{datetime.fromisoformat(stamp):%Y-%m-%d %H:%M:%S} UTC" if stamp else ""


def status(run: RunDirectory, *, begun: bool) -> str:
    """Return a line that says that a run has not ended.

    Parameters
    ----------
    run : RunDirectory
        Run directory, open.
    begun : bool
        Whether the run holds its result. A run writes its report before it is finished, so that a running one with a
        result is about to end.

    Returns
    -------
    str
        The line; empty if there is nothing to say.
    """
    if run.status == "finished" or (run.status == "running" and begun):
        return ""
    return "This run has not finished." if run.status == "running" else f"This run is {run.status}."
