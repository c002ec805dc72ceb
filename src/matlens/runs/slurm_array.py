"""Pool of Slurm jobs: an array whose tasks run ``matlens work``, for sites that allow no processes that wait."""

from __future__ import annotations

import shlex
import shutil
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from matlens.core.atomic import replace_file
from matlens.errors import ResourceError, RunError
from matlens.hooks import Progress
from matlens.runs.manifest import STATE
from matlens.runs.pool import Work
from matlens.runs.serving import Answer
from matlens.runs.tally import Tally
from matlens.runs.tasks import failures, folder_of, running, write_plan

__all__ = ["SlurmArray"]

_MOST = 1000  # tasks of an array; sites allow 1001 unless they set MaxArraySize
_POLL = 2.0  # seconds between two looks at the files
_ASK = 10.0  # seconds between two questions to Slurm
_ROUNDS = 2  # arrays in which not one task was begun, after which something is wrong with the jobs
_BEFORE = 120  # seconds before the end of its time at which a job is told to save

_SCRIPT = """#!/bin/bash
#SBATCH --job-name=matlens-{name}
#SBATCH --array=0-{last}{limit}
#SBATCH --cpus-per-task={threads}
#SBATCH --signal=TERM@{before}
#SBATCH --output={log}
cd {here}
exec {python} -m matlens work {root} $(sed -n "$((SLURM_ARRAY_TASK_ID + 1))p" {tasks})
"""


class SlurmArray:
    """Compute results in the tasks of arrays of jobs.

    Partition, account, time and memory are those that ``sbatch`` reads from its environment, e.g. ``SBATCH_PARTITION``.
    Tasks that were killed, or that saved at the end of their time, are submitted again. An interrupt leaves the jobs: a
    resumed run waits for them.

    Parameters
    ----------
    workers : int or None
        Number of jobs that run at the same time; None leaves it to Slurm.

    Raises
    ------
    ResourceError
        If there is no Slurm on this machine.
    """

    def __init__(self, workers: int | None) -> None:
        self._workers = workers
        if shutil.which("sbatch") is None:
            raise ResourceError("found no command 'sbatch'; start this on a machine that submits to Slurm.")

    def map(self, work: Work, keys: Sequence[str], progress: Progress) -> dict[str, str]:
        """Submit the tasks and wait for their files."""
        if not keys:
            return {}
        write_plan(work.root, work.name, work.label, work.files)
        tally = _Waiting(work, keys, progress)
        job = _present_job(work)
        idle = 0
        try:
            while tally.left:
                job = job or self._submit(work, tally.left)
                begun = tally.wait(job)
                idle = 0 if begun else idle + 1
                if tally.left and idle >= _ROUNDS:
                    raise RunError(
                        f"jobs of Slurm end before they begin their tasks (job {job}: {_last_words(work)}); see "
                        f"{_folder(work)}, and go on with 'matlens resume {work.root}'."
                    )
                job = ""
        except KeyboardInterrupt:
            if job:
                progress.say(
                    f"The tasks of job {job} go on ('scancel {job}' ends them); 'matlens resume {work.root} --pool "
                    "slurm-array' waits for them again."
                )
            raise
        finally:
            tally.end()
        _job_file(work).unlink(missing_ok=True)
        return tally.failed

    def _submit(self, work: Work, keys: Sequence[str]) -> str:
        folder = _folder(work)
        folder.mkdir(parents=True, exist_ok=True)
        rows = min(len(keys), _MOST)
        lines = [" ".join(f"--task {work.name}/{key}" for key in keys[row::rows]) for row in range(rows)]
        tasks = folder / "tasks.txt"
        replace_file(tasks, ("\n".join(lines) + "\n").encode())
        script = _SCRIPT.format(
            name=work.name,
            last=rows - 1,
            limit=f"%{self._workers}" if self._workers else "",
            threads=_threads(work),
            before=_BEFORE,
            log=str(folder.absolute() / "%A_%a.txt"),
            here=shlex.quote(str(Path.cwd())),
            python=shlex.quote(sys.executable),
            root=shlex.quote(str(work.root.absolute())),
            tasks=shlex.quote(str(tasks.absolute())),
        )
        replace_file(folder / "array.sh", script.encode())
        job = _asked("sbatch", "--parsable", str(folder / "array.sh")).split(";")[0].strip()
        replace_file(_job_file(work), job.encode())
        return job


class _Waiting:
    """The tasks that are left, counted by their files."""

    def __init__(self, work: Work, keys: Sequence[str], progress: Progress) -> None:
        self.left = list(keys)
        self._work, self._tally = work, Tally(work, len(keys), progress)
        self.end = self._tally.end

    @property
    def failed(self) -> dict[str, str]:
        return self._tally.failed

    def wait(self, job: str) -> bool:
        """Count files until the job has left the queue; return whether any task was begun."""
        begun, asked, gone = False, 0.0, False
        while self.left:
            begun = self._count() or begun or bool(running(self._work.root, self._work.name))
            self._tally.show()
            if gone or not self.left:  # one count after the end: the last files may be of the last second
                break
            if time.monotonic() - asked > _ASK:
                asked, gone = time.monotonic(), not _is_queued(job)
            time.sleep(_POLL)
        return begun or any(folder_of(self._work.root, self._work.name).glob("*.lease"))

    def _count(self) -> bool:
        broken = failures(self._work.root, self._work.name)
        before = len(self.left)
        for key in list(self.left):
            if self._work.is_done(key):
                self._tally.add(Answer(key, "done"))
                self.left.remove(key)
            elif key in broken:
                self._tally.add(Answer(key, "failed", broken[key]))
                self.left.remove(key)
        return len(self.left) < before


def _folder(work: Work) -> Path:
    return folder_of(work.root, work.name) / "slurm"


def _job_file(work: Work) -> Path:
    return _folder(work) / "job.txt"


def _present_job(work: Work) -> str:
    """The array that an earlier process submitted and that is still queued or running, or nothing."""
    try:
        job = _job_file(work).read_text().strip()
    except OSError:
        return ""
    return job if job and _is_queued(job) else ""


def _is_queued(job: str) -> bool:
    ended = subprocess.run(["squeue", "--noheader", "--jobs", job], capture_output=True, text=True, check=False)
    if ended.returncode and "Invalid job id" not in ended.stderr:
        return True  # Slurm does not answer now, which says nothing of the job
    return bool(ended.stdout.strip())


def _asked(*words: str) -> str:
    ended = subprocess.run(words, capture_output=True, text=True, check=False)
    if ended.returncode:
        reason = " ".join((ended.stderr or ended.stdout).split()) or f"exit code {ended.returncode}"
        raise RunError(f"{words[0]} refused the jobs ({reason}); set what your site asks for, e.g. SBATCH_PARTITION.")
    return ended.stdout


def _threads(work: Work) -> int:
    from matlens.runs.directory import read_settings

    return int(read_settings(work.root).get("environment", {}).get("threads", 1))


def _last_words(work: Work) -> str:
    """The last line that a job wrote."""
    logs = sorted(_folder(work).glob("*_*.txt"), key=lambda file: file.stat().st_mtime)
    lines = logs[-1].read_text(errors="replace").split("\n") if logs else []
    said = [line.strip() for line in lines if line.strip()]
    return said[-1] if said else f"it wrote nothing below {STATE}"
