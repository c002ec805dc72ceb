"""The options of ``matlens learn``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator

from matlens.core.settings import OnDevice, Seeded, Whole, absolute, option, options
from matlens.errors import InputError
from matlens.microstructure.commands.options import Encoded, File
from matlens.microstructure.segmentation.options import CleaningOptions
from matlens.runs.command import Command

__all__ = ["COMMAND", "LearnSpec", "no_table", "parse_values"]

_TABLES = (".csv", ".tsv", ".txt", ".xls", ".xlsx")
_MODEL, _DATA = "Model", "Test and learning curve"


def no_table(path: str) -> str:
    """Refuse a table in place of structures, and name the command that takes it.

    Parameters
    ----------
    path : str
        Path from the command line.

    Returns
    -------
    str
        The path.

    Raises
    ------
    InputError
        If the path ends like that of a table.

    Examples
    --------
    >>> no_table("library.csv")
    Traceback (most recent call last):
    matlens.errors.InputError: library.csv is a table, as a library of compositions is, and structures are expected; \
use 'matlens library learn library.csv', or give structures and name their table with --labels.
    """
    if Path(path).suffix.lower() in _TABLES:
        raise InputError(
            f"{path} is a table, as a library of compositions is, and structures are expected; use 'matlens library "
            f"learn {path}', or give structures and name their table with --labels."
        )
    return path


def parse_values(value: Any) -> Any:
    """Parse ``1,50`` or ``none``; a value that is no text is returned unchanged.

    Parameters
    ----------
    value : Any
        Value from the command line, a settings file or Python.

    Returns
    -------
    Any
        Values of the phases, or the value.

    Raises
    ------
    InputError
        If the text is not of this form.

    Examples
    --------
    >>> parse_values("1,50"), parse_values("none"), parse_values(None)
    ((1.0, 50.0), (), None)
    """
    if not isinstance(value, str):
        return value
    try:
        return () if value == "none" else tuple(float(word) for word in value.split(","))
    except ValueError:
        raise InputError(
            f"the phase values {value!r} are not understood; write a number for each phase, as 1,50, or none."
        ) from None


@options
class LearnSpec(Encoded, CleaningOptions, Seeded, OnDevice):
    """Learn to predict a property of microstructures, and test the model on structures that it has not seen."""

    structures: Annotated[
        str,
        AfterValidator(no_table),
        AfterValidator(absolute),
        option(
            "Folder of images (with --labels), HDF5 file of structures, or run directory of 'matlens generate'.",
            argument=True,
            metavar="STRUCTURES",
            exists="path",
        ),
    ]
    target: Annotated[str, option("The property to learn: a column of the labels.", metavar="COLUMN")]
    labels: Annotated[
        File | None,
        option(
            "CSV table with a row for each structure: the name of its file, and its properties.",
            metavar="CSV",
            exists="file",
        ),
    ] = None
    depth: Annotated[
        str,
        option(
            "Last layer of the network whose features are used: its name; or a run directory of 'matlens prune', for "
            "the layer that it recommends; auto chooses by cross-validation.",
            metavar="LAYER|RUN",
        ),
    ] = "auto"
    head: Annotated[
        Literal[
            "auto",
            "ridge",
            "gp",
            "boosting",
            "network-frozen",
            "network-partly-frozen",
            "network-free",
            "network-scratch",
        ],
        option(
            "Regression on the features: ridge regression, Gaussian process (gp) or boosted trees; auto takes ridge "
            "or gp by cross-validation. network-...: the network itself is trained, with its convolutions fixed "
            "(frozen), the last two free, all free, or all started at random (scratch)."
        ),
    ] = "auto"
    test: Annotated[
        File | None,
        option(
            "More structures with known property, to test on: an HDF5 file, or a CSV table like that of --labels.",
            "--test",
            "--test-file",
            metavar="FILE",
            exists="file",
            group=_DATA,
        ),
    ] = None
    curve: Annotated[
        Whole,
        option(
            "Measure a learning curve, too: numbers of structures to learn from, e.g. 25,50,100.",
            metavar="N,...",
            group=_DATA,
        ),
    ] = ()
    draws: Annotated[
        int, option("Number of random draws of structures at each point of the learning curve.", group=_DATA, ge=1)
    ] = 3
    features: Annotated[
        Literal["encoder", "two-point", "volume-fraction"],
        option(
            "Description of a structure: features of the network, two-point correlations, or the volume fractions "
            "alone.",
            group=_MODEL,
        ),
    ] = "encoder"
    scale: Annotated[
        Literal["auto", "linear", "log", "bounds"],
        option(
            "Scale to learn on: as it is (linear), its logarithm, or its position between the bounds that "
            "--phase-values imply; auto takes bounds if it can, and log for positive values over more than a factor "
            "of 3.",
            group=_MODEL,
        ),
    ] = "auto"
    phase_values: Annotated[
        tuple[float, ...] | None,
        BeforeValidator(parse_values),
        option(
            "The property of each pure phase, e.g. 1,50; none if unknown. By default read from a name that 'matlens "
            "generate' gives: k_00_c50 means 1 and 50.",
            metavar="V,...",
            group=_MODEL,
        ),
    ] = None
    coverage: Annotated[
        float,
        option(
            "Probability with which the prediction intervals should contain the true value.", group=_MODEL, gt=0, lt=1
        ),
    ] = 0.9


COMMAND = Command(
    "learn",
    LearnSpec,
    __package__,
    example="matlens learn structures --target k_00_c50 -o model",
    results=("model.json", "scores.csv"),
    workers=1,
)
