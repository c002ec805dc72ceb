"""Parts of a report: sections with paragraphs, figures, tables, texts and links."""

from __future__ import annotations

import base64
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

import pandas as pd
from matplotlib.figure import Figure

from matlens.figures.save import save_figure
from matlens.figures.style import DOUBLE
from matlens.runs.directory import RunDirectory

__all__ = ["Links", "Page", "Picture", "Section", "Table", "Text", "picture", "table"]


@dataclass(frozen=True)
class Picture:
    """A figure in a report, with links to its print version and its numbers.

    Parameters
    ----------
    image : str
        The figure as a data URI (see `data_uri`).
    caption : str
        Caption.
    pdf, csv : str
        Links to the PDF and to the numbers in the figure, relative to the report.
    width : int
        Width in percent of the page.
    """

    kind: ClassVar[str] = "picture"
    image: str
    caption: str
    pdf: str
    csv: str
    width: int = 100


@dataclass(frozen=True)
class Table:
    """A table of formatted text in a report.

    Parameters
    ----------
    columns : sequence of str
        Column headings.
    rows : sequence of sequence of str
        Cells, a row each.
    numeric : frozenset of int
        Indices of the columns that hold numbers, which are aligned to the right.
    caption : str
        Caption.
    """

    kind: ClassVar[str] = "table"
    columns: Sequence[str]
    rows: Sequence[Sequence[str]]
    numeric: frozenset[int]
    caption: str = ""


@dataclass(frozen=True)
class Text:
    """A preformatted text in a report.

    Parameters
    ----------
    text : str
        The text.
    caption : str
        Caption.
    """

    kind: ClassVar[str] = "text"
    text: str
    caption: str = ""


@dataclass(frozen=True)
class Links:
    """A list of links in a report.

    Parameters
    ----------
    links : sequence of (str, str)
        Name and target of each link; targets are relative to the report.
    """

    kind: ClassVar[str] = "links"
    links: Sequence[tuple[str, str]]


@dataclass(frozen=True)
class Section:
    """A section of a report.

    Parameters
    ----------
    title : str
        Heading.
    items : sequence of Picture, Table, Text or Links
        Content, in this order.
    paragraphs : sequence of str
        Paragraphs before the items.
    points : sequence of str
        Bullet points after the paragraphs.
    """

    title: str
    items: Sequence[Picture | Table | Text | Links] = ()
    paragraphs: Sequence[str] = ()
    points: Sequence[str] = field(default_factory=tuple)


def _no_facts(run: RunDirectory) -> Mapping[str, Any]:
    return {}


def _sentences(run: RunDirectory) -> Sequence[str]:
    return [str(sentence) for sentence in run.provenance.get("sentences", ())]


@dataclass(frozen=True)
class Page:
    """What the report of a command is made of.

    Parameters
    ----------
    title : str
        The heading; ``{}`` stands for the names of the run's inputs.
    subtitle : callable
        The line below the heading, from the run.
    sections : tuple of callable
        Each makes a section of the run, or None where its tables are missing.
    cites : callable
        BibTeX keys of what the run stands on.
    facts : callable
        What stands in the header besides date, seed and device: names and values.
    verdict : callable
        The joint verdict: ``kind``, ``word`` and ``sentence``; None where there is none.
    headlines : callable
        What the command line prints at the end; by default the sentences in provenance.json.
    marks : tuple of str
        Cells of tables with one of these words are coloured.
    """

    title: str
    subtitle: Callable[[RunDirectory], str]
    sections: tuple[Callable[[RunDirectory], Section | None], ...]
    cites: Callable[[RunDirectory], Sequence[str]]
    facts: Callable[[RunDirectory], Mapping[str, Any]] = _no_facts
    verdict: Callable[[RunDirectory], Mapping[str, str] | None] = lambda run: None
    headlines: Callable[[RunDirectory], Sequence[str]] = _sentences
    marks: tuple[str, ...] = ()


def picture(run: RunDirectory, name: str, figure: Figure, source: pd.DataFrame, caption: str) -> Picture:
    """Save a figure in the ``figures`` folder of a run, and return it as a part of the report.

    Parameters
    ----------
    run : RunDirectory
        The run.
    name : str
        File name without suffix.
    figure : Figure
        The figure.
    source : DataFrame
        The numbers in the figure.
    caption : str
        Caption in the report.

    Returns
    -------
    Picture
        The figure, with links to its PDF and CSV files.

    Raises
    ------
    RunError
        If a file cannot be written.

    Examples
    --------
    >>> import tempfile
    >>> numbers = pd.DataFrame({"r2": [0.9]})
    >>> with RunDirectory.create(Path(tempfile.mkdtemp()) / "run", "compare", {}) as run:
    ...     part = picture(run, "scores", Figure(figsize=(DOUBLE / 2, 1)), numbers, "Scores.")
    >>> part.pdf, part.width
    ('figures/scores.pdf', 50)
    """
    png, pdf, csv = save_figure(figure, f"figures/{name}", source, run.writing)
    width = round(100 * figure.get_figwidth() / DOUBLE)
    return Picture(data_uri(run.path / png), caption, f"figures/{pdf.name}", f"figures/{csv.name}", width)


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


def table(frame: pd.DataFrame, caption: str = "", names: dict[str, str] | None = None) -> Table:
    """Format a data frame as a table of a report: three significant digits, and a dash for an unknown value.

    Parameters
    ----------
    frame : DataFrame
        The values.
    caption : str
        Caption.
    names : dict of str to str, optional
        Columns to show, in this order, with their headings; by default all columns under their own names. Columns that
        the frame does not have are left out.

    Returns
    -------
    Table
        The formatted table.

    Examples
    --------
    >>> table(pd.DataFrame({"R": [1.23456, float("nan")]})).rows
    [['1.23'], ['–']]
    """
    names = names or {str(name): str(name) for name in frame.columns}
    frame = frame[[name for name in names if name in frame.columns]]
    rows = [[shown(value) for value in row] for row in frame.itertuples(index=False)]
    numeric = frozenset(i for i in range(frame.shape[1]) if all(_is_number(row[i]) for row in rows))
    return Table([names[str(name)] for name in frame.columns], rows, numeric, caption)


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return text == "–"
    return True


def shown(value: Any) -> str:
    """Format a value for a reader.

    Parameters
    ----------
    value : object
        Number, truth value, text or None.

    Returns
    -------
    str
        Three significant digits for a float (whole numbers from 1000 on), ``yes`` or ``no`` for a truth value, a dash
        for None and NaN.

    Examples
    --------
    >>> shown(0.123456), shown(12), shown(None), shown(True), shown("s2_error"), shown(1234.5)
    ('0.123', '12', '–', 'yes', 's2_error', '1234')
    """
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return "–"
    if isinstance(value, bool) or type(value).__name__ == "bool":
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:.0f}" if abs(value) >= 1000 else f"{value:.3g}"
    return str(value)
