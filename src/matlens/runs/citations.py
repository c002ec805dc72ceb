"""The references that runs depend on, as BibTeX."""

from __future__ import annotations

import re
from collections.abc import Sequence
from importlib.resources import files

__all__ = ["bibtex"]


def bibtex(keys: Sequence[str]) -> str:
    """Return the BibTeX entries of these keys.

    Parameters
    ----------
    keys : sequence of str
        Keys of entries in runs/citations.bib.

    Returns
    -------
    str
        The entries, separated by empty lines.

    Examples
    --------
    >>> bibtex(["li2018transfer"]).splitlines()[0]
    '@article{li2018transfer,'
    """
    entries = _entries()
    return "\n\n".join(entries[key] for key in keys)


def _entries() -> dict[str, str]:
    text = files("matlens.runs").joinpath("citations.bib").read_text(encoding="utf-8")
    entries = [entry.strip() for entry in re.split(r"\n(?=@)", text)]
    return {entry.split("{", 1)[1].split(",", 1)[0]: entry for entry in entries}
