"""Phrases that say nothing to a reader who was not there: each has a plain sentence to stand in its place."""

import re
from collections.abc import Iterator
from pathlib import Path

from circles import SRC

PHRASES = re.compile(r"Told how|Read it back|told apart|told from|is said\b|and prove it|as it must be")


def phrases_found(src: Path = SRC) -> Iterator[str]:
    """Every line with such a phrase, without its file: so a list of them outlasts a move."""
    for path in sorted(src.rglob("*.py")):
        for line in path.read_text(encoding="utf-8").splitlines():
            if PHRASES.search(line):
                yield " ".join(line.split())
