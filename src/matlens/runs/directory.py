"""The run directory: settings, provenance, state and results of one execution of a command."""

from __future__ import annotations

import json
import os
import shutil
import sys
import tomllib
from collections.abc import Mapping
from contextlib import suppress
from datetime import date
from pathlib import Path
from types import TracebackType
from typing import Any

import tomli_w

from matlens._version import __version__
from matlens.core.atomic import TEMPORARY, atomic_write
from matlens.errors import RunError
from matlens.runs.former import LAYOUT, in_present_layout
from matlens.runs.lock import Lock
from matlens.runs.provenance import now

__all__ = ["RunDirectory"]

SETTINGS = "settings.toml"
PROVENANCE = "provenance.json"
STATE = ".state"  # lock, list of files, state and results to resume from: nothing a user needs
PREVIOUS = "previous"  # what --force replaces, kept until the new run has finished


# docs/decisions/0005-run-directories.md
class RunDirectory:
    """Directory of one run, locked while this object is open (use it in a ``with`` block).

    ``settings.toml`` is the first file; once it exists, the run can be resumed. A list of the files that MatLens wrote
    is
    kept, so that ``force`` never touches another file.

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
        self.settings = _read_settings(self.path)
        self._made: list[Path] = []  # directories that creating this run made
        self._lock = lock or _locked(self.path)
        self._files = set(_listing(self.path))
        self._clear_leftovers()

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
            Use a directory that is not empty. Files of an earlier run are moved to ``previous/`` until this run has
            finished.
        root : path-like
            Parent directory where ``output`` is None.

        Returns
        -------
        RunDirectory
            The new run, locked.

        Raises
        ------
        RunError
            If the directory is in use, is not empty (without ``force``), or cannot be written.
        """
        made = _missing(Path(root) if output is None else Path(output))
        path = _unique(Path(root), command.replace(" ", "-")) if output is None else Path(output)
        made += [path] if output is None else []
        _make(path)
        if force and (path / SETTINGS).exists():
            _read_settings(path)  # another program's settings.toml is not ours to replace
        lock = _locked(path)
        try:
            if not force and any(entry.name != STATE for entry in path.iterdir()):
                raise RunError(
                    f"{path} is not empty; choose another --output, go on with 'matlens resume {path}', or replace its "
                    "results with --force."
                )
            _set_aside(path)
            _write_settings(path, {"command": command, "version": __version__, "layout": LAYOUT, **settings})
            run = cls(path, lock)
        except BaseException:
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
        try:
            content = json.loads((self.path / PROVENANCE).read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return {}
        return content if isinstance(content, dict) else {}

    @property
    def has_results(self) -> bool:
        """Whether the run holds computed results that would be lost if it were removed."""
        kinds = (f"{STATE}/", "realisation_", "partial_", "model.", "gradients.")
        return any(name.startswith(kinds) and (self.path / name).is_file() for name in self._files)

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
            shutil.rmtree(self.path / PREVIOUS, ignore_errors=True)

    def claim(self, name: str) -> Path:
        """Return the path of a file of this run and list the file as written by MatLens; its folder is created.

        Parameters
        ----------
        name : str
            Path within the run.

        Returns
        -------
        Path
            Path of the file, which the caller writes.

        Raises
        ------
        RunError
            If the folder or the list of files cannot be written.
        """
        path = self.path / name
        try:
            path.parent.mkdir(parents=True, exist_ok=True)  # the user may have deleted figures/
            if name not in self._files:
                with open(self.path / STATE / "files.txt", "a", encoding="utf-8") as file:
                    file.write(name + "\n")
                self._files.add(name)
        except OSError as error:
            raise RunError(f"{path} cannot be written ({error.strerror or error}); free or choose a place.") from error
        return path

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
        path = self.claim(name)
        with atomic_write(path) as temporary:
            temporary.write_text(text, encoding="utf-8", newline="\n")
        return path

    def remove(self, name: str) -> None:
        """Remove a file of this run if it exists.

        Parameters
        ----------
        name : str
            Path within the run.
        """
        (self.path / name).unlink(missing_ok=True)

    def drop(self, key: str) -> None:
        """Remove the files below ``.state/KEY``: states and results of work whose outcome is stored elsewhere.

        Parameters
        ----------
        key : str
            Name of the work, e.g. the ``key`` of `matlens.runs.resumable.each`.
        """
        for name in self._files:
            if name.startswith(f"{STATE}/{key}/"):
                self.remove(name)

    def discard(self) -> None:
        """Undo :meth:`create`: remove the files of this run, and restore those that ``force`` set aside."""
        for name in (SETTINGS, *self._files):
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

    def _clear_leftovers(self) -> None:
        """Remove half-written files of a process that was killed; the lock shows that it has ended."""
        folders = {self.path, self.path / STATE, *((self.path / name).parent for name in self._files)}
        for folder in folders:
            for file in folder.glob(TEMPORARY):
                file.unlink(missing_ok=True)


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
        (path / STATE).mkdir(exist_ok=True)
        return Lock(path / STATE / "lock")
    except OSError as error:
        raise RunError(f"{path} cannot be written ({error.strerror or error}); name another --output.") from error


def _read_settings(path: Path) -> dict[str, Any]:
    file = path / SETTINGS
    if not file.is_file():
        raise RunError(f"{path} is not a run directory: it has no {SETTINGS}; name one that a command wrote.")
    try:
        settings = tomllib.loads(file.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise RunError(f"{file} is damaged ({error}); remove it and start the run again.") from error
    if not {"command", "version"} <= settings.keys():
        raise RunError(f"{file} was not written by MatLens; name another directory.")
    return in_present_layout(settings)


def _write_settings(path: Path, settings: Mapping[str, Any]) -> None:
    with atomic_write(path / SETTINGS) as temporary:
        temporary.write_text(tomli_w.dumps(_without_none(settings)), encoding="utf-8", newline="\n")


def _without_none(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(key): _without_none(item) for key, item in value.items() if item is not None}
    if isinstance(value, list | tuple):
        return [_without_none(item) for item in value]
    return value


def _listing(path: Path) -> list[str]:
    try:
        names = (path / STATE / "files.txt").read_text(encoding="utf-8").splitlines()
    except FileNotFoundError:
        return []
    return list(dict.fromkeys(names))


def _set_aside(path: Path) -> None:
    """Move an earlier run's files to ``previous/``; remove them if that folder still holds the last finished run."""
    names = [name for name in (SETTINGS, *_listing(path)) if (path / name).is_file()]
    keep = not (path / PREVIOUS).exists()
    for name in names:
        if keep and not name.startswith(STATE):
            (path / PREVIOUS / name).parent.mkdir(parents=True, exist_ok=True)
            os.replace(path / name, path / PREVIOUS / name)
        else:
            (path / name).unlink()
    (path / STATE / "files.txt").unlink(missing_ok=True)


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
    previous = path / PREVIOUS
    if not previous.exists():
        return
    files = [file for file in previous.rglob("*") if file.is_file()]
    for file in files:
        os.replace(file, path / file.relative_to(previous))
    shutil.rmtree(previous, ignore_errors=True)
    names = (file.relative_to(previous).as_posix() for file in files)
    (path / STATE / "files.txt").write_text("".join(f"{name}\n" for name in names), encoding="utf-8")
