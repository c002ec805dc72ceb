"""Options that several commands on libraries share, each declared once."""

from __future__ import annotations

from dataclasses import fields
from typing import Annotated, Any

from pydantic import AfterValidator

from matlens.core.settings import absolute, option, options
from matlens.library.io import LibraryOptions

__all__ = ["LibraryFile", "ModelFolder", "Path", "Table", "reading"]

Path = Annotated[str, AfterValidator(absolute)]
"""Absolute, as a run may be resumed from another folder."""

LibraryFile = Annotated[
    Path,
    option(
        "Table of compositions, spectra and figures of merit (CSV, TSV, XLSX), or folder with one of the known "
        "layouts.",
        argument=True,
        metavar="LIBRARY",
        exists="path",
    ),
]

ModelFolder = Annotated[
    Path,
    option(
        "Run directory of 'matlens library learn', or folder of a saved model.",
        argument=True,
        metavar="MODEL",
        exists="folder",
    ),
]


@options
class Table(LibraryOptions):
    """Options of reading a table; a unit or limit without a name is that of the target.

    Parameters
    ----------
    **options
        Those of `matlens.library.io.LibraryOptions`.

    Examples
    --------
    >>> Table(merit_units=["mW/cm2"]).merit_units
    ('mW/cm2',)
    """

    def __post_init__(self) -> None:
        """Leave the check to `reading`, which knows the target."""


def reading(spec: Table, target: str | None, **defaults: Any) -> LibraryOptions:
    """Take the options of reading from those of a command.

    Parameters
    ----------
    spec : Table
        The command's options.
    target : str, optional
        Figure of merit that a unit or a limit without a name belongs to.
    **defaults
        What holds where the command's options say nothing.

    Returns
    -------
    LibraryOptions

    Raises
    ------
    InputError
        If an option is not understood.

    Examples
    --------
    >>> reading(Table(merit_units=["mW/cm2"], censored=[">10"]), "P", components=["Fe", "Pd"]).settings()
    {'components': ['Fe', 'Pd'], 'merit_units': ['P=mW/cm2'], 'censored': ['P>10']}
    """
    asked = {field.name: getattr(spec, field.name) for field in fields(LibraryOptions)}
    if target is not None:
        asked["merit_units"] = tuple(text if "=" in text else f"{target}={text}" for text in spec.merit_units)
        asked["censored"] = tuple(f"{target}{text}" if text[0] in "<>" else text for text in spec.censored)
    return LibraryOptions(**{name: value or defaults.get(name, value) for name, value in asked.items()})
