"""Runs of the command ``draws`` in processes of their own, as pools start them, and what they leave."""

import contextlib
import hashlib
import json
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from draws import environment
from matlens.runs.tasks import read_holder

TIMED = ("report.html", "provenance.json", "log.txt")
DRAWS = ("draws", "-n", "6", "--steps", "4", "--seconds", "0.1")


def start(*words, variables=None):
    """Start MatLens."""
    command = [sys.executable, "-m", "matlens", *map(str, words)]
    return subprocess.Popen(
        command, env=variables or environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def outcome(*words, variables=None):
    """The exit code of MatLens, what it prints, and what it says of errors in one line."""
    process = start(*words, variables=variables)
    said, complaint = process.communicate(timeout=180)
    return process.returncode, said, " ".join(complaint.split())


def digests(run: Path) -> dict[str, str]:
    """The SHA-256 of every file of a run but those that hold times, or its state."""
    files = [file for file in run.rglob("*") if file.is_file()]
    named = {file.relative_to(run).as_posix(): file for file in files}
    return {
        name: hashlib.sha256(file.read_bytes()).hexdigest()
        for name, file in named.items()
        if named[name].name not in TIMED and ".state" not in named[name].parts
    }


def left_over(run: Path) -> list[str]:
    """What of workers is left below ``.state`` of a finished run."""
    names = [file.name for file in (run / ".state").rglob("*")]
    return [name for name in names if name.startswith((".", "files-", "tasks")) or name.endswith((".lease", ".part"))]


def wait_for(found, seconds=60.0):
    """Wait until a function returns something that counts as true, and return it."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if value := found():
            return value
        time.sleep(0.02)
    raise AssertionError("what was waited for did not come")


def leases(run: Path) -> list[Path]:
    """The leases of tasks at work."""
    return list((run / ".state/tasks/draw").glob("*.lease"))


def worker_of(run: Path) -> int | None:
    """The process of a task at work."""
    return next((found.pid for file in leases(run) if (found := read_holder(file)) is not None), None)


@contextlib.contextmanager
def dask_here(folder: Path, workers: int = 2) -> Iterator[tuple[subprocess.Popen, str]]:
    """A scheduler of Dask that runs by itself, with its workers; gives its process and its address."""
    file = folder / f"scheduler-{time.monotonic_ns()}.json"
    alone = ["--no-dashboard", "--scheduler-file", str(file)]
    of_scheduler = ["dask_scheduler", "--host", "127.0.0.1", "--port", "0", *alone]
    # Workers whose scheduler has died leave, as those of batch systems do.
    of_worker = ["dask_worker", "--nthreads", "1", "--death-timeout", "60", *alone]
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, "cwd": folder, "env": environment()}
    crew = []
    for program, *options in [of_scheduler, *[of_worker] * workers]:
        crew.append(subprocess.Popen([sys.executable, "-m", f"distributed.cli.{program}", *options], **quiet))
    try:
        # The scheduler opens its file before it writes it.
        wait_for(lambda: file.is_file() and file.read_text().rstrip().endswith("}"), 120)
        yield crew[0], json.loads(file.read_text())["address"]
    finally:
        for process in reversed(crew):
            process.terminate()
        for process in crew:
            process.wait(30)
