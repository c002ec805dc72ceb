"""The sections that every report ends with: notes, sources, settings and provenance."""

from __future__ import annotations

import json
from collections.abc import Sequence

from matlens.report.parts import Section, Text
from matlens.runs.citations import bibtex
from matlens.runs.directory import RunDirectory

__all__ = ["notes", "provenance", "sources", "unfinished"]


def notes(run: RunDirectory) -> Section | None:
    """List the notes that the work left on how it went.

    Parameters
    ----------
    run : RunDirectory
        Run directory, open.

    Returns
    -------
    Section or None
        The section; None if the run holds none of its tables.
    """
    facts = run.provenance
    points = [str(note) for note in facts.get("notes", [])]
    points += [f"Resumed inexactly: {difference}." for difference in facts.get("inexact", [])]
    return Section("Notes", points=points) if points else None


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
    return Section("Sources", [Text(bibtex(list(dict.fromkeys(keys))))], ["Please cite the methods this run used."])


def provenance(run: RunDirectory) -> Section:
    """Show settings and provenance as they are stored.

    Parameters
    ----------
    run : RunDirectory
        Run directory, open.

    Returns
    -------
    Section
        The section.
    """
    settings = (run.path / "settings.toml").read_text(encoding="utf-8")
    kept = {name: value for name, value in run.provenance.items() if name not in ("notes", "status")}
    texts = [Text(settings, "settings.toml"), Text(json.dumps(kept, indent=2), "provenance.json")]
    return Section("Settings and provenance", texts)


def unfinished(run: RunDirectory) -> str:
    """Return a line that says that a run has not ended.

    Parameters
    ----------
    run : RunDirectory
        Run directory, open.

    Returns
    -------
    str
        The line; empty if the run has ended.
    """
    return {"running": "This run has not finished.", "finished": ""}.get(run.status, f"This run is {run.status}.")
