"""Options that all batches share, and what a batch knows of the command that it repeats."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar

from matlens.core.settings import declared, option, options
from matlens.runs.command import Command

__all__ = ["FILES", "Batch", "batch_of", "inner_options"]

FILES = option(
    "Files to work on one by one, folders of them (a group each), or a CSV table with the columns 'file' and, if "
    "wanted, 'sample', 'group' and options of the command, e.g. 'spacing'.",
    argument=True,
    many=True,
    metavar="FILES",
    exists="path",
)
"""Declaration of the files of a batch."""


@options
class Batch:
    """Options of every batch."""

    INNER: ClassVar[Command]
    """The command that is repeated."""

    INPUT: ClassVar[str]
    """The option of that command that names its file."""

    update: Annotated[
        bool,
        option(
            "Go on in the folder of an earlier batch: files whose content and settings are as they were are not "
            "computed again.",
            "--update",
        ),
    ] = False

    def __post_init__(self) -> None:
        """Check nothing: a table may give what is missing here, and the options of each file are checked later."""

    @property
    def sources(self) -> tuple[str, ...]:
        """Files, folders and tables as they were given."""
        return tuple(getattr(self, self.INPUT))


def batch_of(spec: type[Batch], example: str) -> Command:
    """Declare the batch of a command.

    Parameters
    ----------
    spec : type
        Options of the batch, which name the command.
    example : str
        A call of it.

    Returns
    -------
    Command
        The command ``batch NAME``.
    """
    return Command(
        f"batch {spec.INNER.name}",
        spec,
        "matlens.microstructure.commands.batch",
        example=example,
        results=("values.csv", "groups.csv", "batch.xlsx"),
        workers=1,
    )


def inner_options(spec: Batch) -> dict[str, Any]:
    """Return the options that were given for the command that is repeated, by name.

    Parameters
    ----------
    spec : Batch
        Options of the batch.

    Returns
    -------
    dict of str to object
        Those that differ from their defaults, without the files.
    """
    given = {made.name: (getattr(spec, made.name), made.default) for made in declared(spec.INNER.spec)}
    return {name: value for name, (value, default) in given.items() if name != spec.INPUT and value != default}
