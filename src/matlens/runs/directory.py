"""The run directory: settings, provenance, state and results of one execution of a command."""

from __future__ import annotations

import json
import math
import os
import shutil
import sys
import time
import tomllib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import date
from io import BytesIO
from pathlib import Path
from types import TracebackType
from typing import Any

import tomli_w

from matlens._version import __version__
from matlens.core.atomic import TEMPORARY, replace_file, write_error
from matlens.core.guard import reading
from matlens.errors import RunError
from matlens.runs.former import LAYOUT, in_present_layout
from matlens.runs.lock import Lock
from matlens.runs.manifest import SETTINGS, STATE, Manifest, inside, own_folder
from matlens.runs.pool import Pool, Serial
from matlens.runs.provenance import now
from matlens.runs.replacing import (
    LOCK,
    PREVIOUS,
    bring_back,
    check_replaceable,
    forget_previous,
    is_interrupted,
    previous_waits,
    set_aside,
)
from matlens.runs.tasks import EXPIRES, TASKS, forget_tasks

__all__ = ["PREVIOUS", "PROVENANCE", "SETTINGS", "STATE", "RunDirectory", "read_settings"]

PROVENANCE = "provenance.json"


# docs/decisions/0005-run-directories.md
class RunDirectory:
    """Directory of one run, locked while this object is open (use it in a ``with`` block).

    ``settings.toml`` is the first file; once it exists, the run can be resumed. Every file is written by `writing`,
    which notes its hash, so that ``force`` never touches another file. The directory may come from somebody else: no
    name in it leads to a file outside.

    Parameters
    ----------
    path : path-like
        An existing run directory. Use :meth:`create` for a new one.
    lock : Lock, optional
        The lock of that directory if it is already held; by default, it is acquired.

    Raises
    ------
    RunError
        If the directory holds no run, its settings cannot be read, or another process has locked it.

    Examples
    --------
    >>> import tempfile
    >>> folder = Path(tempfile.mkdtemp()) / "run"
    >>> with RunDirectory.create(folder, "compare", {"seed": 0}) as run:
    ...     run.write_text("errors.csv", "statistic,error\\n").name
    'errors.csv'
    >>> with RunDirectory(folder) as run:
    ...     run.settings["seed"], run.status
    (0, 'running')
    """

    def __init__(self, path: str | os.PathLike[str], lock: Lock | None = None) -> None:
        self.path = Path(path)
        interrupted = is_interrupted(self.path)
        self.settings = {} if interrupted else read_settings(self.path)
        self._made: list[Path] = []  # directories that creating this run made
        self._spent: list[str] = []  # names of works whose results go when the run is finished
        self.pool: Pool = Serial()
        self._lock = lock or _locked(self.path)
        try:
            if interrupted:
                _bring_back(self.path)
                self.settings = read_settings(self.path)
            self._manifest = Manifest(self.path)
            self._clear_leftovers()
        except BaseException:
            if lock is None:
                self._lock.release()
            raise

    @classmethod
    def create(
        cls,
        output: str | os.PathLike[str] | None,
        command: str,
        settings: Mapping[str, Any],
        *,
        force: bool = False,
        root: str | os.PathLike[str] = "runs",
    ) -> RunDirectory:
        """Create a run directory and write its first file, settings.toml.

        Parameters
        ----------
        output : path-like or None
            Directory of the run; None makes ``root/DATE-COMMAND``, with a number appended if that exists.
        command : str
            Name of the command.
        settings : mapping
            Settings of the run, which :attr:`settings` returns when the run is opened again; None values are left out.
        force : bool
            Use a directory that holds an earlier run. Its files are moved to ``previous/`` until this run has finished;
            files that are not as that run wrote them are an error.
        root : path-like
            Parent directory where ``output`` is None.

        Returns
        -------
        RunDirectory
            The new run, locked.

        Raises
        ------
        RunError
            If the directory is in use, is not empty (without ``force``), holds other files than those of a run where
            this one writes, or cannot be written.
        """
        made = _missing(Path(root) if output is None else Path(output))
        path = _unique(Path(root), command.replace(" ", "-")) if output is None else Path(output)
        made += [path] if output is None else []
        _make(path)
        if force and (path / SETTINGS).exists():
            read_settings(path)  # another program's settings.toml is not ours to replace
        lock, begun = _locked(path), False
        try:
            _bring_back(path)  # of a replacement that was interrupted
            if not force and any(entry.name != STATE for entry in path.iterdir()):
                raise RunError(
                    f"{path} is not empty; choose another --output, go on with 'matlens resume {path}', or replace its "
                    "results with --force."
                )
            check_replaceable(path)
            try:
                set_aside(path, finished=read_provenance(path).get("status") == "finished")
            except OSError as error:
                raise RunError(
                    f"the run in {path} cannot be replaced ({error.strerror or error}); choose another --output."
                ) from error
            begun = True
            _write_settings(path, {"command": command, "version": __version__, "layout": LAYOUT, **settings})
            run = cls(path, lock)
        except BaseException:
            if begun:
                (path / SETTINGS).unlink(missing_ok=True)  # of the new run; without it, the earlier one comes back
            _bring_back(path)
            lock.release()
            _sweep(path, made)
            raise
        run._made = made
        return run

    @property
    def status(self) -> str:
        """Status of the run: ``running`` (or killed while running), ``interrupted``, ``failed`` or ``finished``."""
        return str(self.provenance.get("status", "running"))

    @property
    def provenance(self) -> dict[str, Any]:
        """Content of provenance.json; empty while that file does not exist."""
        return read_provenance(self.path)

    @property
    def failed(self) -> dict[str, str]:
        """Items of the run that failed while others did not, each with its reason."""
        found = self.provenance.get("failed")
        return {str(name): str(reason) for name, reason in found.items()} if isinstance(found, dict) else {}

    @property
    def has_results(self) -> bool:
        """Whether the run holds computed results that would be lost if it were removed."""
        kinds = (f"{STATE}/", "realisation_", "partial_", "model.", "gradients.")
        return any(name.startswith(kinds) and (self.path / name).is_file() for name in self._manifest)

    def mark(self, status: str, **facts: Any) -> None:
        """Write the status and further facts to provenance.json; ``finished`` also removes the files that ``force`` set
        aside.

        Parameters
        ----------
        status : {"running", "interrupted", "failed", "finished"}
            Status of the run.
        **facts
            Entries of provenance.json that JSON can represent; they replace those of the same name.

        Raises
        ------
        RunError
            If the file cannot be written.
        """
        content = {"started": now(), **self.provenance, **facts, "argv": sys.argv, "status": status}
        content["finished" if status == "finished" else "updated"] = now()
        self.write_text(PROVENANCE, json.dumps(content, indent=2) + "\n")
        if status == "finished":
            forget_previous(self.path)

    @property
    def replaces(self) -> bool:
        """Whether an earlier run waits in ``previous/`` until this one has finished."""
        return previous_waits(self.path)

    @contextmanager
    def writing(self, name: str) -> Iterator[BytesIO]:
        """Provide a file in memory that becomes a file of this run when the block ends without an error.

        Its folder is made. Its hash is noted before it is written, and then it is written as a whole or not at all.

        Parameters
        ----------
        name : str
            Path within the run.

        Yields
        ------
        BytesIO
            To write to.

        Raises
        ------
        RunError
            If the name leads out of the run, if a file is there that MatLens did not write, or if the file cannot be
            written.
        """
        path = inside(self.path, name)
        if os.path.lexists(path) and self._manifest.exists and not self._knows(name):
            raise RunError(
                f"{path} is not a file that MatLens wrote; move it away, and go on with 'matlens resume {self.path}'."
            )
        file = BytesIO()
        yield file
        content = file.getbuffer()
        try:
            if not (self.path / STATE).is_dir():
                raise RunError(f"{self.path} is no longer there or no longer complete; start the command again.")
            path.parent.mkdir(parents=True, exist_ok=True)  # the user may have deleted figures/
            self._manifest.record(name, content)
        except OSError as error:
            raise write_error(error, path) from error
        replace_file(path, content)

    def write_text(self, name: str, text: str) -> Path:
        """Write a text file of this run atomically.

        Parameters
        ----------
        name : str
            Path within the run.
        text : str
            Content, written as UTF-8.

        Returns
        -------
        Path
            Path of the file.

        Raises
        ------
        RunError
            If the file cannot be written.
        """
        with self.writing(name) as file:
            file.write(text.encode())
        return self.path / name

    def remove(self, name: str) -> None:
        """Remove a file of this run if it exists.

        Parameters
        ----------
        name : str
            Path within the run.

        Raises
        ------
        RunError
            If the name leads out of the run.
        """
        inside(self.path, name).unlink(missing_ok=True)

    def spend(self, key: str) -> None:
        """Let `drop` remove the files below ``.state/KEY`` when the run is finished; a kill before that needs them.

        Parameters
        ----------
        key : str
            Name of the work, e.g. the ``key`` of `matlens.runs.resumable.each`.
        """
        self._spent.append(key)

    def finish(self) -> None:
        """Mark the run as finished, and remove what only unfinished work needs (see `spend`)."""
        self._manifest.join_workers()
        self.mark("finished")
        for key in self._spent:
            self.drop(key)
        if (self.path / TASKS).is_dir():
            forget_tasks(self.path)
            self._clear_leftovers()

    def drop(self, key: str) -> None:
        """Remove the files below ``.state/KEY``: states and results of work whose outcome is stored elsewhere.

        Parameters
        ----------
        key : str
            Name of the work, e.g. the ``key`` of `matlens.runs.resumable.each`.
        """
        for name in self._manifest:
            if name.startswith(f"{STATE}/{key}/"):
                self.remove(name)

    def discard(self) -> None:
        """Undo :meth:`create`: remove the files of this run, and restore those that ``force`` set aside."""
        forget_tasks(self.path)
        self._manifest.join_workers()
        for name in (SETTINGS, *self._manifest.ours()):
            self.remove(name)
        _bring_back(self.path)
        self.close()
        _sweep(self.path, self._made)

    def close(self) -> None:
        """Release the lock, so that other processes can use the directory."""
        self._lock.release()

    def __enter__(self) -> RunDirectory:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _knows(self, name: str) -> bool:
        """Whether a name is in the manifest, perhaps of a worker that has written it since."""
        if name not in self._manifest:
            self._manifest.read_workers()
        return name in self._manifest

    def _clear_leftovers(self) -> None:
        """Remove half-written files of a process that was killed; the lock shows that it has ended.

        Workers have no lock: those of a process that was killed may live a little longer than it.
        """
        spared = time.time() - EXPIRES if (self.path / TASKS).is_dir() else math.inf
        for folder in {self.path, self.path / STATE, *self._manifest.folders()}:
            for file in folder.glob(TEMPORARY):
                with suppress(OSError):
                    if file.stat().st_mtime < spared:
                        file.unlink()


def _unique(root: Path, command: str) -> Path:
    """Make and return ``root/DATE-COMMAND``, with -2, -3, ... if it exists; making it decides between two that start at
    once.
    """
    number = 1
    while True:
        path = root / (f"{date.today().isoformat()}-{command}" + (f"-{number}" if number > 1 else ""))
        try:
            path.mkdir(parents=True)
        except FileExistsError:
            number += 1
        except OSError as error:
            raise RunError(f"{path} cannot be made ({error.strerror or error}); name a place with --output.") from error
        else:
            return path


def _make(path: Path) -> None:
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise RunError(
            f"{path} cannot be made a directory ({error.strerror or error}); name another --output."
        ) from error


def _locked(path: Path) -> Lock:
    try:
        return Lock(own_folder(path, STATE) / LOCK)
    except OSError as error:
        raise write_error(error, path) from error


def read_settings(path: Path) -> dict[str, Any]:
    """Read the settings of a run, in the present layout.

    Parameters
    ----------
    path : Path
        The run directory.

    Returns
    -------
    dict of str to object
        Content of settings.toml.

    Raises
    ------
    RunError
        If there is no run, or its settings cannot be read.

    Examples
    --------
    >>> read_settings(Path("nowhere"))
    Traceback (most recent call last):
    matlens.errors.RunError: nowhere is not a run directory: it has no settings.toml; name one that a command wrote.
    """
    file = path / SETTINGS
    if not file.is_file():
        raise RunError(f"{path} is not a run directory: it has no {SETTINGS}; name one that a command wrote.")
    with reading(file, "settings of a run", "remove it and start the run again", RunError):
        settings = tomllib.loads(file.read_text(encoding="utf-8"))
        if not {"command", "version"} <= settings.keys():
            raise RunError(f"{file} was not written by MatLens; name another directory.")
        return in_present_layout(settings)


def read_provenance(path: Path) -> dict[str, Any]:
    try:
        content = json.loads((path / PROVENANCE).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return content if isinstance(content, dict) else {}


def _write_settings(path: Path, settings: Mapping[str, Any]) -> None:
    content = tomli_w.dumps(_without_none(settings)).encode()
    try:
        Manifest(path).record(SETTINGS, content)
    except OSError as error:
        raise write_error(error, path) from error
    replace_file(path / SETTINGS, content)


def _without_none(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(key): _without_none(item) for key, item in value.items() if item is not None}
    if isinstance(value, list | tuple):
        return [_without_none(item) for item in value]
    return value


def _missing(path: Path) -> list[Path]:
    """List the directories that have to be made for ``path``, outermost first."""
    return [folder for folder in reversed([path, *path.parents]) if not folder.exists()]


def _sweep(path: Path, made: list[Path]) -> None:
    """Remove all traces of a run that did not start: its state, and the directories made for it."""
    if (path / SETTINGS).exists():
        return
    shutil.rmtree(path / STATE, ignore_errors=True)
    for folder in (path / "figures", *reversed(made)):
        with suppress(OSError):  # not empty: someone else's, or not there
            folder.rmdir()


def _bring_back(path: Path) -> None:
    try:
        bring_back(path)
    except OSError as error:
        raise RunError(
            f"the earlier run of {path} cannot be brought back from {path / PREVIOUS} ({error.strerror or error}); "
            "move its files from there."
        ) from error
