"""Phrases that say nothing to a reader who was not there: each has a plain sentence to stand in its place."""

import re
from collections.abc import Iterator
from pathlib import Path

from circles import SRC

PHRASES = re.compile(
    r"Told how|Read it back|tells? apart|told apart|told from|is said\b|and said\b|said to be\b|say so of|"
    r"and prove it|as it must be|nothing is claimed|No loss knows|older ways|lest it|is a draw\.|leads nowhere|"
    r"shrinking in proportion|with the spectrum following|learned from too|unlike what was learned|known territory|"
    r"those learned from|coverage is claimed|"
    r"[\"'](Of|Not known:) \{|[\"']Of \d"
)
TEXTS = (
    "README.md",
    "docs/*.md",
    "docs/statistics/*.md",
    "docs/tutorials/*.py",
)  # docs/decisions and docs/results.md quote what was
_QUOTES = ("results.md",)


def phrases_found(src: Path = SRC) -> Iterator[str]:
    """Every line with such a phrase, without its file: so a list of them outlasts a move."""
    files = [*src.rglob("*.py"), *src.rglob("*.jinja"), *(file for text in TEXTS for file in src.parent.glob(text))]
    for path in sorted(file for file in files if file.name not in _QUOTES):
        for line in path.read_text(encoding="utf-8").splitlines():
            if PHRASES.search(line):
                yield " ".join(line.split())
