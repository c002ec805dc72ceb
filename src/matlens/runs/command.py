"""Declaration of a command that fills a run directory; its work is imported when it is executed.

Command line, help, resume, reports and citations read a list of these declarations. A command is a folder of its side:
``spec.py`` holds its options and its `Command`, ``run.py`` the functions ``prepare`` and ``work`` (and ``forecast`` if
its cost is known), and ``report.py`` its ``PAGE``.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from matlens.core.guard import reading
from matlens.core.memory import check_disk, check_memory, free_memory, size_text
from matlens.core.settings import read_options, to_settings
from matlens.errors import RunError
from matlens.runs.directory import SETTINGS

if TYPE_CHECKING:
    from matlens.hooks import Progress
    from matlens.runs.directory import RunDirectory

__all__ = ["LIBRARIES", "Command", "Plan", "Prepared", "command_of", "options_of"]

T = TypeVar("T")
LIBRARIES = 0.4e9
"""Bytes of Python, numpy, scipy and torch before anything is computed."""


@dataclass(frozen=True)
class Plan:
    """Estimate of a command's time and memory before the work.

    Parameters
    ----------
    size : str
        Size of the work, in words.
    seconds : float, optional
        Wall time on this machine in seconds; by default unknown.
    bytes : float, optional
        Peak memory in bytes; by default unknown.
    sides : tuple of int
        Pixels along each axis that the memory is proportional to; empty where it is to something else.
    disk : float, optional
        Bytes that are written; by default too few to matter.
    advice : str
        Options that make the work smaller: ``{factor}`` stands for the number of pixels to join along each axis, and
        ``{shape}`` for the shape that fits.

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
    sides: tuple[int, ...] = ()
    advice: str = "free some memory, or ask for less in one run"
    disk: float | None = None

    def check(self, place: Path | None = None) -> None:
        """Refuse work that does not fit the free memory, and say what would, or that does not fit the disk.

        Parameters
        ----------
        place : Path, optional
            Where results are written; by default the current folder.

        Raises
        ------
        InputError
            If it does not fit.

        Examples
        --------
        >>> Plan("1 x 10000000x10000000 px", bytes=1e18, sides=(10**7, 10**7), advice="use --shape {shape}").check()
        Traceback (most recent call last):
        matlens.errors.InputError: this work (1 x 10000000x10000000 px) needs about 1000000000.0 GB of memory, and
        ... are free; use --shape ...
        """
        if self.disk is not None:
            check_disk(self.disk, f"this work ({self.size})", place or Path())
        if self.bytes is None:
            return
        factor, room = 2, free_memory()
        while self.sides and factor < min(self.sides) and self.bytes / factor ** len(self.sides) > room:
            factor += 1
        shape = "x".join(str(side // factor) for side in self.sides)
        check_memory(self.bytes, f"this work ({self.size})", self.advice.format(factor=factor, shape=shape))

    def __str__(self) -> str:
        parts = []
        if self.seconds is not None:
            parts.append(_duration(self.seconds))
        if self.bytes is not None:
            parts.append(size_text(self.bytes))
        return f"{self.size}; about {' and '.join(parts)}" if parts else self.size


def _duration(seconds: float) -> str:
    if seconds < 60:
        return f"{max(round(seconds), 1)} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"


@dataclass(frozen=True)
class Prepared:
    """Options of a command, checked against its inputs and completed.

    Parameters
    ----------
    options : Any
        Instance of the command's ``spec``, with ``auto`` resolved.
    said : str
        The work in one line.
    settings : mapping
        Entries of settings.toml besides the options: ``inputs`` with hashes, ``resolved``.
    found : Any
        Inputs that have been read, passed to ``work``.
    understood : tuple of str
        What was understood of the inputs, a line a fact; printed before anything else.

    Examples
    --------
    >>> Prepared(options=None, said="2 structures of 64 x 64 px").settings
    {}
    """

    options: Any
    said: str
    settings: Mapping[str, Any] = field(default_factory=dict)
    found: Any = None
    understood: tuple[str, ...] = ()


@dataclass(frozen=True)
class Command:
    """Declaration of a command: its name, its options, and the folder of its other parts.

    Parameters
    ----------
    name : str
        Name as typed: ``"reconstruct"``, ``"library learn"``.
    spec : type
        Class of the options (see `matlens.core.settings.options`); its docstring is the help.
    folder : str
        Package that holds ``run`` and ``report``: ``__package__``.
    example : str
        One line that works, shown in the help.
    results : tuple of str
        Main files of a finished run.
    workers : int or None
        Number of processes that work by default where the work is many items, which a pool can share out; None where it
        is not.
    torch : bool
        Whether results depend on PyTorch, whose threads and device are then chosen at the start and kept. Without it
        the command starts sooner, as loading PyTorch takes longer than reading a micrograph.

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
    workers: int | None = None
    torch: bool = True

    def prepare(self, options: Any, environment: Mapping[str, Any]) -> Prepared:
        """Read the inputs, check the options against them, and resolve options that are left open.

        Parameters
        ----------
        options : Any
            Instance of ``spec``.
        environment : mapping
            Threads, device and versions.

        Returns
        -------
        Prepared
            The completed options.

        Raises
        ------
        InputError
            If an input or an option cannot be used.
        """
        prepared: Prepared = self._late("run", "prepare")(options, environment)
        return prepared

    def forecast(self, prepared: Prepared) -> Plan | None:
        """Estimate time and memory.

        Parameters
        ----------
        prepared : Prepared
            Result of `prepare`.

        Returns
        -------
        Plan or None
            None if the command has no ``forecast``.
        """
        made: Plan | None = self._late("run", "forecast", lambda prepared: None)(prepared)
        return made

    def work(self, run: RunDirectory, progress: Progress, found: Any = None) -> None:
        """Execute the run as its settings say; finished parts are not repeated.

        Parameters
        ----------
        run : RunDirectory
            The run, locked.
        progress : Progress
            Shows the work.
        found : Any
            Inputs that have been read already; by default, they are read.
        """
        self._late("run", "work")(run, progress, found)

    def page(self, run: RunDirectory) -> Any:
        """Return the description of the run's report (`matlens.report.parts.Page`): ``PAGE``, or ``page_of(run)``.

        Parameters
        ----------
        run : RunDirectory
            The run.

        Returns
        -------
        Page
            Title and sections.
        """
        choose = self._late("report", "page_of", None)
        return self._late("report", "PAGE") if choose is None else choose(run)

    def settings(self, asked: Any, prepared: Prepared, environment: Mapping[str, Any]) -> dict[str, Any]:
        """Return the content of settings.toml.

        Parameters
        ----------
        asked : Any
            Options as given.
        prepared : Prepared
            Options as completed.
        environment : mapping
            Threads, device and versions.

        Returns
        -------
        dict of str to object
            ``options`` as completed, ``asked`` with those that were left open, ``environment``, and the settings of
            ``prepared``.
        """
        before, after = to_settings(asked), to_settings(prepared.options)
        filled = {name: value for name, value in before.items() if after.get(name) != value}
        extra = {"asked": filled} if filled else {}
        return {"options": after, **extra, **prepared.settings, "environment": dict(environment)}

    def _late(self, module: str, name: str, *default: Any) -> Any:
        return getattr(import_module(f"{self.folder}.{module}"), name, *default)


def options_of(run: RunDirectory, spec: type[T]) -> T:
    """Read the options of a run.

    Parameters
    ----------
    run : RunDirectory
        The run.
    spec : type
        Class of the options.

    Returns
    -------
    object
        Instance of ``spec``.

    Raises
    ------
    InputError
        If they are not those of this command.
    """
    with reading(run.path / SETTINGS, "settings of a run", "remove it and start the run again", RunError):
        return read_options(spec, run.settings["options"])


def command_of(run: RunDirectory, commands: Iterable[Command]) -> Command:
    """Find the command that made a run.

    Parameters
    ----------
    run : RunDirectory
        The run.
    commands : iterable of Command
        All commands.

    Returns
    -------
    Command
        The command.

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
