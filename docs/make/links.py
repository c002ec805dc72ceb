"""Links of the pages, which are written to work in the repository, made to work in the site."""

import posixpath
import re

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
