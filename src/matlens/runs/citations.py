"""The references that a run depends on, as BibTeX entries, chosen by the methods it used."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cache
from importlib.resources import files

from matlens.microstructure.encoders import find_encoder
from matlens.microstructure.reconstruction import method_entry
from matlens.microstructure.statistics import sources_of

__all__ = ["bibtex", "citation_keys"]

_JUDGED = ("two_point", "lineal_path", "cluster", "euler_density")  # what results are compared by
_CONDUCTION = ("wiegmann2006ejheat",)
_BOUNDS = ("hashin1962variational", "murat1985calcul")
_OF_COMMAND = {
    "generate": ("cahn1965phase", "torquato2002random", *_CONDUCTION, "willot2015fourier"),
    "learn": ("li2018transfer", "simonyan2014very", "torquato2002random", "lei2018distribution"),
    "explain": ("li2018transfer", *_CONDUCTION),
    "predict": ("li2018transfer", "simonyan2014very", "lei2018distribution"),
    "learn-library": ("umehara2019analyzing", "lakshminarayanan2017simple", "meredig2018can", "lei2018distribution"),
    "predict-library": ("umehara2019analyzing", "lakshminarayanan2017simple", "lei2018distribution"),
    "explain-library": (
        "umehara2019analyzing",
        "cox1971note",
        "sundararajan2017axiomatic",
        "adebayo2018sanity",
        "maris2007nonparametric",
    ),
    "suggest": ("umehara2019analyzing", "cox1971note", "meredig2018can"),
    "homogenize": (*_CONDUCTION, *_BOUNDS, "cooper2016taufactor"),
    "homogenize stiffness": ("willot2015fourier", "hill1963elastic"),
}


def citation_keys(
    *,
    encoder: str = "",
    threshold: str = "",
    command: str = "",
    method: str = "",
    statistics: Sequence[str] | None = None,
) -> tuple[str, ...]:
    """List the BibTeX keys of the methods that a run used.

    Parameters
    ----------
    encoder : str
        Name of the encoder; empty if none was used.
    threshold : str
        Description of how grey images were segmented.
    command : str
        Name of the command.
    method : str
        Method of reconstruction; empty if nothing was reconstructed.

    Returns
    -------
    tuple of str
        Keys of entries in runs/citations.bib.

    Examples
    --------
    >>> citation_keys(encoder="filterbank", method="matching")[2:4]
    ('liu1989limited', 'ustyuzhaninov2016texture')
    """
    if command in _OF_COMMAND:
        return _OF_COMMAND[command]
    keys: list[str] = []
    if method:
        keys += method_entry(method).load_class().citations
    if encoder:
        keys += find_encoder(encoder).load_class().citations
    keys += sources_of(statistics if command == "characterize" else _JUDGED)
    if command in ("reconstruct", "compare", "prune"):
        keys += _CONDUCTION
    if "otsu" in threshold:
        keys += ["otsu1979threshold", "vanderwalt2014scikit"]
    return tuple(keys)


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
    return "\n\n".join(_entries()[key] for key in keys)


@cache
def _entries() -> dict[str, str]:
    text = files("matlens.runs").joinpath("citations.bib").read_text(encoding="utf-8")
    entries = [entry.strip() for entry in re.split(r"\n(?=@)", text)]
    return {entry.split("{", 1)[1].split(",", 1)[0]: entry for entry in entries}
