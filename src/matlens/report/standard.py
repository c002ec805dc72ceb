"""The sections that every report ends with: notes, sources, settings and provenance."""

from __future__ import annotations

import json
from collections.abc import Sequence

from matlens.report.parts import Section, Text
from matlens.runs.citations import bibtex
from matlens.runs.directory import RunDirectory

__all__ = ["notes", "provenance", "sources", "unfinished"]


def notes(run: RunDirectory) -> Section | None:
    """List what the work has to say about how it went."""
    facts = run.provenance
    points = [str(note) for note in facts.get("notes", [])]
    points += [f"Resumed inexactly: {difference}." for difference in facts.get("inexact", [])]
    return Section("Notes", points=points) if points else None


def sources(keys: Sequence[str]) -> Section:
    """Give the BibTeX entries of the methods used."""
    return Section("Sources", [Text(bibtex(list(dict.fromkeys(keys))))], ["Please cite the methods this run used."])


def provenance(run: RunDirectory) -> Section:
    """Show settings and provenance as they are stored."""
    settings = (run.path / "settings.toml").read_text(encoding="utf-8")
    kept = {name: value for name, value in run.provenance.items() if name not in ("notes", "status")}
    texts = [Text(settings, "settings.toml"), Text(json.dumps(kept, indent=2), "provenance.json")]
    return Section("Settings and provenance", texts)


def unfinished(run: RunDirectory) -> str:
    """Say in a line that a run without results has not ended; empty where it has."""
    return {"running": "This run has not finished.", "finished": ""}.get(run.status, f"This run is {run.status}.")
