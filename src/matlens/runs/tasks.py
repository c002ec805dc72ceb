"""The files of tasks in a run directory: which there are, who is at work on which, and why some failed.

``.state/tasks/NAME/plan.json`` lists the tasks of a work. ``KEY.lease`` is the heartbeat of the worker that has a task:
a worker writes it when it begins, rewrites it every other second, and removes it at the end. A lease whose worker has
died, or that was not rewritten for half a minute, counts as a kill, and the next worker takes the task over.
``KEY.error.json`` tells why a task failed by an error of its own; it is tried again when the user resumes the run.
"""

from __future__ import annotations

import json
import os
import secrets
import shutil
import socket
import traceback
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from matlens.core.guard import reason_of
from matlens.errors import RunError
from matlens.runs.lock import alive
from matlens.runs.manifest import STATE
from matlens.runs.provenance import now

__all__ = [
    "BEAT",
    "EXPIRES",
    "TASKS",
    "TRIES",
    "Holder",
    "Lease",
    "claim",
    "failures",
    "folder_of",
    "forget_failures",
    "forget_tasks",
    "plans_of",
    "record_failure",
    "running",
    "write_plan",
]

TASKS = f"{STATE}/tasks"
BEAT = 2.0
"""Seconds between two heartbeats."""
EXPIRES = 30.0
"""Seconds without a heartbeat after which a worker on another machine counts as dead."""
TRIES = 5
"""How often a task is begun whose workers are killed: what needs more memory than there is kills every one."""

_HOST = socket.gethostname()


@dataclass(frozen=True)
class Holder:
    """The worker that has a task, as its lease says.

    Attributes
    ----------
    host, pid : str, int
        Machine and process.
    since : str
        When it began, in UTC.
    kills : int
        How many workers were killed at this task before.
    text : str
        How far it is.

    Examples
    --------
    >>> Holder("node7", 4711, "2026-01-31T12:00:00+00:00").kills
    0
    """

    host: str
    pid: int
    since: str
    kills: int = 0
    text: str = ""


class Lease:
    """The right to work on a task, kept by a heartbeat; made by `claim`.

    Parameters
    ----------
    file : Path
        The lease.
    holder : Holder
        This process.

    Examples
    --------
    >>> import tempfile
    >>> lease = claim(Path(tempfile.mkdtemp()), "draw_0")
    >>> lease.beat("loss 0.125")
    >>> read_holder(lease.file).text
    'loss 0.125'
    >>> lease.release()
    """

    def __init__(self, file: Path, holder: Holder) -> None:
        self.file, self.holder = file, holder

    def beat(self, text: str = "") -> None:
        """Show that the worker lives.

        Parameters
        ----------
        text : str
            How far it is.
        """
        _put(self.file, asdict(self.holder) | {"text": text})

    def release(self) -> None:
        """Give the task back; a lease that another worker took over meanwhile stays."""
        found = read_holder(self.file)
        if found is not None and (found.host, found.pid) == (self.holder.host, self.holder.pid):
            self.file.unlink(missing_ok=True)


def folder_of(root: Path, name: str) -> Path:
    """Return the folder with the files of the tasks of a work.

    Parameters
    ----------
    root : Path
        The run directory.
    name : str
        Name of the work.

    Returns
    -------
    Path
        The folder.

    Examples
    --------
    >>> folder_of(Path("run"), "trial").as_posix()
    'run/.state/tasks/trial'
    """
    return root / TASKS / name


def claim(folder: Path, key: str) -> Lease | Holder:
    """Take a task, unless a living worker has it.

    Parameters
    ----------
    folder : Path
        Folder of the tasks of this work.
    key : str
        Key of the task.

    Returns
    -------
    Lease or Holder
        The lease, or who has it.

    Raises
    ------
    RunError
        If the lease cannot be written, e.g. because the file system does not answer any more.

    Examples
    --------
    >>> import tempfile
    >>> folder = Path(tempfile.mkdtemp())
    >>> type(claim(folder, "draw_0")).__name__, type(claim(folder, "draw_0")).__name__
    ('Lease', 'Holder')
    """
    file, holder = folder / f"{key}.lease", Holder(_HOST, os.getpid(), now())
    fresh = folder / f".{secrets.token_hex(8)}.lease-part"
    try:
        fresh.write_text(json.dumps(asdict(holder)), encoding="utf-8")
        # A link appears at once with its content, and fails where one is there, on network file systems too.
        os.link(fresh, file)
        return Lease(file, holder)
    except FileExistsError:
        found = read_holder(file)
        if found is not None and not _is_dead(found, file, fresh):
            return found
        killed = Holder(_HOST, os.getpid(), holder.since, 1 + (found.kills if found is not None else 0))
        # Two that take it over at once both work on it, and write the same bytes.
        _put(file, asdict(killed))
        return Lease(file, killed)
    except OSError as error:
        raise RunError(_unwritable(file, error)) from error
    finally:
        with suppress(OSError):
            fresh.unlink(missing_ok=True)


def read_holder(file: Path) -> Holder | None:
    """Read who has a task.

    Parameters
    ----------
    file : Path
        The lease.

    Returns
    -------
    Holder or None
        None if there is no lease, or a damaged one.

    Examples
    --------
    >>> read_holder(Path("nowhere.lease")) is None
    True
    """
    try:
        return Holder(**json.loads(file.read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return None


def running(root: Path, name: str) -> dict[str, Holder]:
    """List the tasks that living workers have.

    Parameters
    ----------
    root : Path
        The run directory.
    name : str
        Name of the work.

    Returns
    -------
    dict of str to Holder
        Who has which task.

    Examples
    --------
    >>> running(Path("nowhere"), "trial")
    {}
    """
    leases = {file: read_holder(file) for file in sorted(folder_of(root, name).glob("*.lease"))}
    return {
        file.name.removesuffix(".lease"): holder
        for file, holder in leases.items()
        if holder is not None and not _is_dead(holder, file)
    }


def record_failure(folder: Path, key: str, error: BaseException | str) -> str:
    """Write why a task failed.

    Parameters
    ----------
    folder : Path
        Folder of the tasks of this work.
    key : str
        Key of the task.
    error : BaseException or str
        The error, or the reason in words.

    Returns
    -------
    str
        The reason in words.

    Examples
    --------
    >>> import tempfile
    >>> folder = Path(tempfile.mkdtemp())
    >>> record_failure(folder, "draw_0", ValueError("no phase is left"))
    'no phase is left'
    """
    reason = error if isinstance(error, str) else reason_of(error)
    trace = "" if isinstance(error, str) else "".join(traceback.format_exception(error))
    content = {"error": reason, "host": _HOST, "pid": os.getpid(), "time": now(), "traceback": trace}
    _put(folder / f"{key}.error.json", content)
    return reason


def failures(root: Path, name: str) -> dict[str, str]:
    """List the tasks that failed by an error of their own.

    Parameters
    ----------
    root : Path
        The run directory.
    name : str
        Name of the work.

    Returns
    -------
    dict of str to str
        Their reasons.

    Examples
    --------
    >>> failures(Path("nowhere"), "trial")
    {}
    """
    return {
        file.name.removesuffix(".error.json"): str(_read(file).get("error", "its error file is damaged"))
        for file in sorted(folder_of(root, name).glob("*.error.json"))
    }


def write_plan(root: Path, name: str, label: str, files: Mapping[str, str]) -> None:
    """List the tasks of a work in its folder.

    Parameters
    ----------
    root : Path
        The run directory.
    name : str
        Name of the work.
    label : str
        What the tasks are, in words.
    files : mapping of str to str
        The file of each result, by key.

    Raises
    ------
    OSError
        If it cannot be written.
    """
    folder = folder_of(root, name)
    folder.mkdir(parents=True, exist_ok=True)
    _put(folder / "plan.json", {"label": label, "files": dict(files)})


def plans_of(root: Path) -> Iterator[tuple[str, str, dict[str, str]]]:
    """Read the lists of tasks of a run.

    Parameters
    ----------
    root : Path
        The run directory.

    Yields
    ------
    tuple of str, str and dict of str to str
        Name of the work, what its tasks are, and the file of each result by key.

    Examples
    --------
    >>> list(plans_of(Path("nowhere")))
    []
    """
    for file in sorted((root / TASKS).glob("*/plan.json")):
        content = _read(file)
        if isinstance(content.get("files"), dict):
            yield file.parent.name, str(content.get("label", "")), {str(k): str(v) for k, v in content["files"].items()}


def forget_failures(root: Path) -> None:
    """Forget errors and kills, so that a run that the user resumes tries every task again; living workers stay.

    Parameters
    ----------
    root : Path
        The run directory.
    """
    for file in (root / TASKS).glob("*/*.error.json"):
        file.unlink(missing_ok=True)
    for file in (root / TASKS).glob("*/*.lease"):
        holder = read_holder(file)
        if holder is None or _is_dead(holder, file):
            file.unlink(missing_ok=True)


def forget_tasks(root: Path) -> None:
    """Remove the files of all tasks of a run that has finished.

    Parameters
    ----------
    root : Path
        The run directory.
    """
    if not (root / TASKS).is_symlink():
        shutil.rmtree(root / TASKS, ignore_errors=True)


def _is_dead(holder: Holder, file: Path, fresh: Path | None = None) -> bool:
    """Whether a worker has died: its process is gone, or its heartbeat has stopped by the clock of the file system."""
    # A killed worker stays in the system's table until its parent asks for it.
    if holder.host == _HOST and (not alive(holder.pid) or _is_zombie(holder.pid)):
        return True
    probe = fresh or file.with_name(f".{secrets.token_hex(8)}.lease-part")
    try:
        if fresh is None:  # clocks of machines differ: a file written now has the file system's time
            probe.touch()
        return probe.stat().st_mtime - file.stat().st_mtime > EXPIRES
    except OSError:
        return False
    finally:
        if fresh is None:
            probe.unlink(missing_ok=True)


def _is_zombie(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except (OSError, IndexError):  # no Linux, or gone meanwhile
        return False


def _put(file: Path, content: Mapping[str, object]) -> None:
    """Write a small file whole, without waiting for the disk: after a power cut it counts for nothing."""
    part = file.with_name(f".{secrets.token_hex(8)}.lease-part")
    try:
        part.write_text(json.dumps(content), encoding="utf-8")
        os.replace(part, file)
    except OSError as error:
        with suppress(OSError):
            part.unlink(missing_ok=True)
        raise RunError(_unwritable(file, error)) from error


def _unwritable(file: Path, error: OSError) -> str:
    return f"{file} cannot be written ({error.strerror or error}); check the disk of the run, and resume it then."


def _read(file: Path) -> dict[str, Any]:
    try:
        content = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return content if isinstance(content, dict) else {}
