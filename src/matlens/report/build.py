"""From a run directory to one self-contained HTML file."""

from __future__ import annotations

import base64
import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from jinja2 import Environment, PackageLoader, StrictUndefined

from matlens.figures.describe import described
from matlens.figures.save import save_figure
from matlens.figures.style import DOUBLE
from matlens.report.numbers import sentence
from matlens.report.parts import Answer, Drawing, Folded, Item, Page, Picture
from matlens.report.standard import made, sources, status, warnings
from matlens.runs.directory import RunDirectory
from matlens.runs.sources import short_names

__all__ = ["build_report", "data_uri"]

REPORT = "report.html"
_MARKS = ("equivalent", "different", "undecided", "open", "passed", "failed")
_MOST = 5  # conclusions that are not folded


def build_report(run: RunDirectory, page: Page, *, pdf: bool = False) -> Path:
    """Write ``report.html`` and the figures of a run from the tables it holds.

    Parameters
    ----------
    run : RunDirectory
        Open; its tables are there as far as the command came.
    page : Page
        What the report of the run's command is made of.
    pdf : bool
        Whether each figure is written as PDF too, which takes as long as the rest.

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
    headline, *points = map(sentence, page.headlines(run) or [""])
    answer = page.answer(run)
    found = [section for section in (make(run) for make in page.sections) if section is not None]
    found = [
        replace(section, items=[_saved(run, item, pdf) for item in section.items])
        for section in (*found, made(run, page.facts(run)), sources(page.cites(run)))
    ]
    environment = Environment(
        loader=PackageLoader("matlens.report", "."),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    shown = answer or Answer()
    told = map(sentence, [*shown.warnings, *warnings(run)])
    if isinstance(shown.picture, Drawing):
        shown = replace(shown, picture=_drawn(run, shown.picture, pdf))
    html = environment.get_template("report.html.jinja").render(
        title=_title(run, page),
        subtitle=page.subtitle(run),
        command=str(run.settings["command"]),
        version=run.settings.get("version", ""),
        status=status(run, begun=answer is not None),
        headline=headline,
        answer=shown,
        warnings=[text for text in told if text != headline],
        points=points,
        most=_MOST,
        sections=[(f"{_slug(section.title)}-{index}", section) for index, section in enumerate(found)],
        marks=(*_MARKS, *page.marks),
    )
    return run.write_text(REPORT, html.lstrip())


def data_uri(png: Path) -> str:
    """Encode a PNG file as a data URI, which an HTML file can hold.

    Parameters
    ----------
    png : Path
        The file.

    Returns
    -------
    str
        ``data:image/png;base64,...``

    Examples
    --------
    >>> import tempfile
    >>> png = Path(tempfile.mkdtemp()) / "a.png"
    >>> _ = png.write_bytes(b"PNG")
    >>> data_uri(png)
    'data:image/png;base64,UE5H'
    """
    return "data:image/png;base64," + base64.b64encode(png.read_bytes()).decode("ascii")


def _saved(run: RunDirectory, item: Item, pdf: bool) -> Item:
    if isinstance(item, Drawing):
        return _drawn(run, item, pdf)
    return replace(item, items=[_saved(run, part, pdf) for part in item.items]) if isinstance(item, Folded) else item


def _drawn(run: RunDirectory, drawing: Drawing, pdf: bool) -> Picture:
    """Save a figure in the folder ``figures`` of the run."""
    alt = drawing.alt or described(drawing.figure)
    suffixes = ("png", "pdf") if pdf else ("png",)
    files = save_figure(drawing.figure, f"figures/{drawing.name}", drawing.source, run.writing, suffixes)
    names = {"pdf": "PDF", "csv": "data (CSV)"}
    links = [(names[suffix], f"figures/{file.name}") for file in files if (suffix := file.suffix[1:]) in names]
    width = round(100 * drawing.figure.get_figwidth() / DOUBLE)
    return Picture(data_uri(run.path / files[0]), drawing.caption, alt, links, width)


def _title(run: RunDirectory, page: Page) -> str:
    names: Sequence[str] = short_names(run.settings.get("inputs", {}).get("sources", ()))
    return page.title.format(", ".join(names[:3]) + (" and others" if len(names) > 3 else ""))


def _slug(title: str) -> str:
    """Write a heading as the name of an anchor."""
    return re.sub(r"[^a-z0-9]+", "-", title.lower()).strip("-")
