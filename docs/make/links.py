"""Links of the pages, which are written to work in the repository, made to work in the site."""

import posixpath
import re
from pathlib import Path

from sphinx.errors import SphinxError

REPOSITORY = "https://github.com/matlens/matlens/blob/main/"
DATA = ("reconstruction_tables.md",)  # too long to be read as a page: a file to download
_LINK = re.compile(r"\]\(([^)#\s:]+)(#[^)\s]*)?\)")


def to_site(app, page, text):
    """Lead links to what the site does not hold, such as benchmarks, to the repository, and links to data to files."""
    here = posixpath.dirname(page)

    def place(link):
        path = posixpath.normpath(posixpath.join("docs", here, link[1]))
        if posixpath.basename(path) in DATA:
            return f"](path:{link[1]})"
        return link[0] if path.startswith("docs/") else f"]({REPOSITORY}{path}{link[2] or ''})"

    text[0] = _LINK.sub(place, text[0])


_ELSEWHERE = re.compile(
    r"<(?:script|img|iframe|source)\b[^>]*\bsrc=.?(?:https?:)?//"
    r"|<link\b(?![^>]*canonical)[^>]*\bhref=.?(?:https?:)?//"
    r"|url\(.?https?:"
)


def check_offline(app, failure):
    """Refuse a site that takes scripts, styles, fonts or pictures from other hosts; it must do without a network."""
    if failure is None and app.builder.format == "html":
        pages = (path for pattern in ("*.html", "*.css") for path in Path(app.outdir).rglob(pattern))
        found = [str(path) for path in pages if _ELSEWHERE.search(path.read_text(encoding="utf-8"))]
        if found:
            raise SphinxError(f"these files of the site load parts from other hosts: {', '.join(sorted(found))}")
