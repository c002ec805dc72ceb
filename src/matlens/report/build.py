"""From a run directory to one self-contained HTML file."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from matlens.report.parts import Page, Section
from matlens.report.standard import provenance, sources
from matlens.runs.directory import RunDirectory
from matlens.runs.sources import short_names

__all__ = ["build_report"]

REPORT = "report.html"
_VERDICTS = ("equivalent", "different", "undecided", "passed", "failed")


def build_report(run: RunDirectory, page: Page) -> Path:
    """Write ``report.html`` and the figures of a run from the tables it holds.

    Parameters
    ----------
    run : RunDirectory
        Open; its tables are there as far as the command came.
    page : Page
        What the report of the run's command is made of.

    Returns
    -------
    Path
        The report: images inlined, nothing loaded from elsewhere.

    Raises
    ------
    RunError
        If a file cannot be written.

    Examples
    --------
    >>> import tempfile
    >>> page = Page("Nothing", lambda run: "", (), lambda run: ("li2018transfer",))
    >>> with RunDirectory.create(tempfile.mkdtemp(), "demo", {}) as run:
    ...     build_report(run, page).name
    'report.html'
    """
    found = [section(run) for section in page.sections]
    environment = Environment(
        loader=PackageLoader("matlens.report", "."),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    html = environment.get_template("report.html.jinja").render(
        **_header(run, page),
        verdict=page.verdict(run),
        sections=[*(section for section in found if isinstance(section, Section)), *_end(run, page)],
        marks=(*_VERDICTS, *page.marks),
    )
    return run.write_text(REPORT, html)


def _end(run: RunDirectory, page: Page) -> Sequence[Section]:
    return sources(page.cites(run)), provenance(run)


def _header(run: RunDirectory, page: Page) -> dict[str, Any]:
    settings = run.settings
    names = short_names(settings.get("inputs", {}).get("sources", ()))
    facts = {
        "started": run.provenance.get("started", "").replace("T", " ").removesuffix("+00:00") + " UTC",
        **page.facts(run),
        "seed": settings["options"].get("seed", "") if "options" in settings else "",
        "device": settings.get("environment", {}).get("device", ""),
    }
    return {
        "title": page.title.format(", ".join(names[:3]) + (" and others" if len(names) > 3 else "")),
        "subtitle": page.subtitle(run),
        "command": str(settings["command"]),
        "version": settings.get("version", ""),
        "facts": [(name, value) for name, value in facts.items() if value not in ("", None)],
    }
