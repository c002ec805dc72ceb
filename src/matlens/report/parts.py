"""Parts of a report: the answer on top, and sections with paragraphs, figures, tables, texts and links."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

import pandas as pd
from matplotlib.figure import Figure

from matlens.core.numbers import shown
from matlens.report.numbers import is_number
from matlens.runs.directory import RunDirectory

__all__ = [
    "Answer",
    "Drawing",
    "Folded",
    "Item",
    "Links",
    "Page",
    "Picture",
    "Section",
    "Table",
    "Text",
    "Tile",
    "table",
]


@dataclass(frozen=True)
class Drawing:
    """A figure of a report, which is drawn and saved when the report is written.

    Parameters
    ----------
    name : str
        File name in the folder ``figures`` of the run, without suffix.
    figure : Figure
        The figure.
    source : DataFrame
        The numbers in the figure.
    caption : str
        Caption: how to read the figure.
    alt : str
        What the figure shows, for those who cannot see it; by default `matlens.figures.describe.described`.
    """

    name: str
    figure: Figure
    source: pd.DataFrame
    caption: str
    alt: str = ""


@dataclass(frozen=True)
class Picture:
    """A picture in a report, with links to its print version and its numbers.

    Parameters
    ----------
    image : str
        The picture as a data URI.
    caption : str
        Caption.
    alt : str
        What the picture shows.
    links : sequence of (str, str)
        Name and target of each link; targets are relative to the report.
    width : int
        Width in percent of the page.
    """

    kind: ClassVar[str] = "picture"
    image: str
    caption: str
    alt: str
    links: Sequence[tuple[str, str]] = ()
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
class Folded:
    """Parts of a report that are shown on request, and are not printed.

    Parameters
    ----------
    title : str
        What the reader can unfold.
    items : sequence of Drawing, Picture, Table, Text, Links or Folded
        The parts.
    """

    kind: ClassVar[str] = "folded"
    title: str
    items: Sequence[Item]


Item = Drawing | Picture | Table | Text | Links | Folded


@dataclass(frozen=True)
class Section:
    """A section of a report.

    Parameters
    ----------
    title : str
        Heading.
    items : sequence of Drawing, Picture, Table, Text, Links or Folded
        Content, in this order.
    paragraphs : sequence of str
        Paragraphs before the items.
    points : sequence of str
        Bullet points after the paragraphs.
    folded : bool
        Whether only the heading is shown until the reader unfolds the section.
    """

    title: str
    items: Sequence[Item] = ()
    paragraphs: Sequence[str] = ()
    points: Sequence[str] = field(default_factory=tuple)
    folded: bool = False


@dataclass(frozen=True)
class Tile:
    """A number at the top of a report.

    Parameters
    ----------
    name : str
        What it is.
    value : str
        The number as text, see `matlens.core.numbers.shown`.
    unit : str
        Its unit; empty for a pure number.
    interval : str
        Where it lies, in words, for example ``"90 %: 0.38 to 0.45"``; empty if that is not known.
    """

    name: str
    value: str
    unit: str = ""
    interval: str = ""


@dataclass(frozen=True)
class Answer:
    """What stands at the top of a report, below its headline.

    Parameters
    ----------
    tiles : sequence of Tile
        The three to five most important numbers.
    picture : Drawing, Picture or None
        The one figure to look at first.
    warnings : sequence of str
        What the reader must know before using the result, the most serious first.
    kind : str
        The verdict, which colours the headline: ``"equivalent"``, ``"different"``, ``"undecided"``, or empty.
    word : str
        The verdict in two or three words.
    """

    tiles: Sequence[Tile] = ()
    picture: Drawing | Picture | None = None
    warnings: Sequence[str] = ()
    kind: str = ""
    word: str = ""


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
    answer : callable
        Numbers, figure and warnings at the top of the report; None where the run holds none of its tables.
    headlines : callable
        The conclusions, which the command line prints at the end, the most important first: it heads the report. By
        default the sentences in provenance.json.
    facts : callable
        How the run was made, besides date, seed and device: names and values.
    marks : tuple of str
        Cells of tables with one of these words are coloured.
    """

    title: str
    subtitle: Callable[[RunDirectory], str]
    sections: tuple[Callable[[RunDirectory], Section | None], ...]
    cites: Callable[[RunDirectory], Sequence[str]]
    answer: Callable[[RunDirectory], Answer | None] = lambda run: None
    headlines: Callable[[RunDirectory], Sequence[str]] = _sentences
    facts: Callable[[RunDirectory], Mapping[str, Any]] = _no_facts
    marks: tuple[str, ...] = ()


def table(
    frame: pd.DataFrame, caption: str = "", names: Mapping[str, str] | None = None, shares: Collection[str] = ()
) -> Table:
    """Format a data frame as a table of a report: three significant digits, and a dash for an unknown value.

    Parameters
    ----------
    frame : DataFrame
        The values.
    caption : str
        Caption.
    names : mapping of str to str, optional
        Columns to show, in this order, with their headings; by default all columns under their own names. Columns that
        the frame does not have are left out, and so are columns and rows that hold nothing.
    shares : collection of str
        Columns of fractions, which are shown in percent.

    Returns
    -------
    Table
        The formatted table.

    Examples
    --------
    >>> found = pd.DataFrame({"R": [1.23456, float("nan")], "share": [0.5, 0.25], "of": [None, None]})
    >>> part = table(found, shares=["share"])
    >>> part.columns, part.rows
    (['R', 'share (%)'], [['1.23', '50'], ['–', '25']])
    """
    names = names or {str(name): str(name) for name in frame.columns}
    frame = frame[[name for name in names if name in frame.columns]]
    columns = {
        f"{names[name]} (%)" if name in shares else names[name]: [
            shown(100 * value if name in shares and isinstance(value, float) else value) for value in frame[name]
        ]
        for name in map(str, frame.columns)
    }
    columns = {name: cells for name, cells in columns.items() if not all(map(_empty, cells))}
    rows = [list(row) for row in zip(*columns.values())]
    rows = [row for row in rows if len(row) == 1 or not all(map(_empty, row[1:]))]
    numeric = frozenset(index for index in range(len(columns)) if all(is_number(row[index]) for row in rows))
    return Table(list(columns), rows, numeric, caption)


def _empty(cell: str) -> bool:
    return cell in ("", "–")
