"""A command that fills a run directory, declared once; what it does is loaded when it is done.

The command line, help, resume, reports and citations read a list of these. A command is a folder of its side:
``spec.py`` holds its options and its `Command`, ``run.py`` the functions ``prepare`` and ``work`` (and ``forecast``
where its cost is known), and ``report.py`` its ``PAGE``.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from importlib import import_module
from typing import TYPE_CHECKING, Any, TypeVar

from matlens.core.settings import read_options, to_settings
from matlens.errors import RunError

if TYPE_CHECKING:
    from matlens.hooks import Progress
    from matlens.runs.directory import RunDirectory

__all__ = ["Command", "Plan", "Prepared", "command_of", "options_of"]

T = TypeVar("T")


@dataclass(frozen=True)
class Plan:
    """What a command is going to take, estimated before the work.

    Parameters
    ----------
    size : str
        What is made or measured, in words.
    seconds : float, optional
        Wall time on this machine; None where it is not known.
    bytes : float, optional
        Largest memory at one time; None where it is not known.

    Examples
    --------
    >>> print(Plan("2 x 256x256 px", seconds=95, bytes=1.2e9))
    2 x 256x256 px; about 2 min and 1.2 GB
    >>> print(Plan("4 files"))
    4 files
    """

    size: str
    seconds: float | None = None
    bytes: float | None = None

    def __str__(self) -> str:
        parts = []
        if self.seconds is not None:
            parts.append(_duration(self.seconds))
        if self.bytes is not None:
            parts.append(_memory(self.bytes))
        return f"{self.size}; about {' and '.join(parts)}" if parts else self.size


def _duration(seconds: float) -> str:
    if seconds < 60:
        return f"{max(round(seconds), 1)} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"


def _memory(size: float) -> str:
    return f"{size / 1e9:.1f} GB" if size >= 1e9 else f"{max(round(size / 1e6), 1)} MB"


@dataclass(frozen=True)
class Prepared:
    """A command's options checked against its inputs, with what was left open filled in.

    Parameters
    ----------
    options : Any
        An instance of the command's ``spec``; ``auto`` has become what it stands for.
    said : str
        What is going to be done, in one line.
    settings : mapping
        What settings.toml keeps besides the options: ``inputs`` with hashes, ``resolved``.
    found : Any
        Inputs that have been read already, handed to ``work``.
    """

    options: Any
    said: str
    settings: Mapping[str, Any] = field(default_factory=dict)
    found: Any = None


@dataclass(frozen=True)
class Command:
    """A command: its name, its options, and the folder in which the rest of it stands.

    Parameters
    ----------
    name : str
        As typed: ``"reconstruct"``, ``"library learn"``.
    spec : type
        The options (see `matlens.core.settings.options`); the docstring is the help.
    folder : str
        The package that holds ``run`` and ``report``: ``__package__``.
    example : str
        One line that works, shown in the help.
    results : tuple of str
        The files that a finished run is made for.
    former : tuple of str
        Names under which earlier versions stored such runs.

    Examples
    --------
    >>> from matlens.core.settings import Seeded
    >>> Command("demo", Seeded, "matlens.microstructure.commands.demo", "matlens demo").name
    'demo'
    """

    name: str
    spec: type[Any]
    folder: str
    example: str
    results: tuple[str, ...] = ()
    former: tuple[str, ...] = ()

    def prepare(self, options: Any, environment: Mapping[str, Any]) -> Prepared:
        """Read the inputs, check the options against them, and fill in what was left open."""
        prepared: Prepared = self._late("run", "prepare")(options, environment)
        return prepared

    def forecast(self, prepared: Prepared) -> Plan | None:
        """Estimate time and memory; None where the command's folder has no ``forecast``."""
        made: Plan | None = self._late("run", "forecast", lambda prepared: None)(prepared)
        return made

    def work(self, run: RunDirectory, progress: Progress, found: Any = None) -> None:
        """Do what the run's settings say, or the rest of it; ``found`` holds inputs that have been read already."""
        self._late("run", "work")(run, progress, found)

    def page(self, run: RunDirectory) -> Any:
        """Give what the report of a run is made of (`matlens.report.parts.Page`): ``PAGE``, or ``page_of(run)``."""
        choose = self._late("report", "page_of", None)
        return self._late("report", "PAGE") if choose is None else choose(run)

    def settings(self, asked: Any, prepared: Prepared, environment: Mapping[str, Any]) -> dict[str, Any]:
        """Give everything that settings.toml holds; ``asked`` keeps what was left open and has been filled in."""
        before, after = to_settings(asked), to_settings(prepared.options)
        filled = {name: value for name, value in before.items() if after.get(name) != value}
        extra = {"asked": filled} if filled else {}
        return {"options": after, **extra, **prepared.settings, "environment": dict(environment)}

    def _late(self, module: str, name: str, *default: Any) -> Any:
        return getattr(import_module(f"{self.folder}.{module}"), name, *default)


def options_of(run: RunDirectory, spec: type[T]) -> T:
    """Read the options of a run.

    Raises
    ------
    InputError
        If they are not those of this command.
    """
    return read_options(spec, run.settings["options"])


def command_of(run: RunDirectory, commands: Iterable[Command]) -> Command:
    """Find the command that a run belongs to.

    Raises
    ------
    RunError
        If this version has no such command.
    """
    name = str(run.settings["command"])
    for command in commands:
        if name == command.name:
            return command
    raise RunError(f"{run.path} was made by the command {name!r}, which this version does not have.")
