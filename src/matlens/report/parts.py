"""What a report is made of: sections of paragraphs, figures, tables and texts."""

from __future__ import annotations

import base64
import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

import pandas as pd
from matplotlib.figure import Figure

from matlens.figures.save import save_figure
from matlens.figures.style import DOUBLE
from matlens.runs.directory import RunDirectory

__all__ = ["Links", "Picture", "Section", "Table", "Text", "picture", "table"]


@dataclass(frozen=True)
class Picture:
    """A figure inlined as a data URI, with links to its print version and its numbers; width in percent."""

    kind: ClassVar[str] = "picture"
    image: str
    caption: str
    pdf: str
    csv: str
    width: int = 100


@dataclass(frozen=True)
class Table:
    """Rows of text, with the columns that hold numbers."""

    kind: ClassVar[str] = "table"
    columns: Sequence[str]
    rows: Sequence[Sequence[str]]
    numeric: frozenset[int]
    caption: str = ""


@dataclass(frozen=True)
class Text:
    """A text shown as it is."""

    kind: ClassVar[str] = "text"
    text: str
    caption: str = ""


@dataclass(frozen=True)
class Links:
    """Names and where they lead, relative to the report."""

    kind: ClassVar[str] = "links"
    links: Sequence[tuple[str, str]]


@dataclass(frozen=True)
class Section:
    """A heading and what stands under it."""

    title: str
    items: Sequence[Picture | Table | Text | Links] = ()
    paragraphs: Sequence[str] = ()
    points: Sequence[str] = field(default_factory=tuple)


def picture(run: RunDirectory, name: str, figure: Figure, source: pd.DataFrame, caption: str) -> Picture:
    """Save a figure in the run's ``figures`` folder (PNG, PDF, CSV) and make it part of a report."""
    for suffix in ("png", "pdf", "csv"):
        run.claim(f"figures/{name}.{suffix}")
    png, pdf, csv = save_figure(figure, run.path / "figures" / name, source)
    width = round(100 * figure.get_figwidth() / DOUBLE)
    return Picture(data_uri(png), caption, f"figures/{pdf.name}", f"figures/{csv.name}", width)


def data_uri(png: Path) -> str:
    """Write a PNG file as text that an HTML file can hold."""
    return "data:image/png;base64," + base64.b64encode(png.read_bytes()).decode("ascii")


def table(frame: pd.DataFrame, caption: str = "", names: dict[str, str] | None = None) -> Table:
    """Show a data frame: three significant digits, a dash for what is unknown; ``names`` picks and renames columns.

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
    """Write a value for a reader.

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
