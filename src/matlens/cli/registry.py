"""All commands that fill a run directory: a line each."""

from __future__ import annotations

from importlib import import_module

from matlens.runs.command import Command

__all__ = ["FOLDERS", "commands"]

FOLDERS = [
    "matlens.microstructure.commands.segment",
    "matlens.microstructure.commands.characterize",
    "matlens.microstructure.commands.reconstruct",
    "matlens.microstructure.commands.compare",
    "matlens.microstructure.commands.prune",
    "matlens.microstructure.commands.homogenize",
    "matlens.microstructure.commands.generate",
    "matlens.microstructure.commands.learn",
    "matlens.microstructure.commands.predict",
    "matlens.microstructure.commands.explain",
    "matlens.microstructure.commands.demo",
    "matlens.microstructure.commands.batch.characterize",
    "matlens.microstructure.commands.batch.reconstruct",
    "matlens.microstructure.commands.batch.homogenize",
    "matlens.microstructure.commands.batch.predict",
    "matlens.library.commands.prepare",
    "matlens.library.commands.learn",
    "matlens.library.commands.predict",
    "matlens.library.commands.explain",
    "matlens.library.commands.suggest",
    "matlens.library.commands.demo",
]


def commands() -> tuple[Command, ...]:
    """Return the commands in the order of the help, as ``FOLDERS`` lists them now; nothing heavy is loaded.

    Returns
    -------
    tuple of Command
        The ``COMMAND`` of each folder's ``spec.py``.

    Examples
    --------
    >>> "reconstruct" in [command.name for command in commands()]
    True
    """
    found: list[Command] = [import_module(f"{folder}.spec").COMMAND for folder in FOLDERS]
    return tuple(found)
