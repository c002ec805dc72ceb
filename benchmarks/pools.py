"""What pools cost, and what survives kills: four measurements, each a word of the command line.

    python benchmarks/pools.py overhead [--tasks 10000] [--pool processes|dask]
    python benchmarks/pools.py speed                       # 8 reconstructions of 128 x 128 on one worker and on two
    python benchmarks/pools.py kills [--kills 50] [--pools processes,dask,slurm-array]
    python benchmarks/pools.py study [--n 200]             # a study that is killed twice

``overhead``: (workers x wall - work) / tasks of tasks that write one file, with fsync and without. ``kills``: a run of
the command ``draws`` is killed at a random instant: a worker (the process of a task), for Dask also the process that
carries it, the scheduler (of Dask, one that runs by itself; of Slurm, slurmctld, which is started again), or the
client. A run that ends by it is resumed, and SHA-256 of all outputs are compared with those of a serial run. Results
are appended to OUT/pools.jsonl.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "examples"))

from pool_runs import dask_here, digests, left_over, start, worker_of

from draws import environment
from slurm_here import kill_controller, slurm

WORKERS = 2


def overhead(asked: argparse.Namespace) -> dict[str, object]:
    os.environ.update(environment())
    sys.path.insert(0, str(Path(__file__).parent))
    facts: dict[str, object] = {"tasks": asked.tasks, "pool": asked.pool, "workers": WORKERS}
    for name, sync in (("without fsync", "0"), ("with fsync", "1")):
        os.environ["DRAWS_FSYNC"] = sync
        few = min(asked.tasks, 1000)
        work, own = (taken / few for taken in _mapped("serial", few))
        wall, processor = _mapped(asked.pool, asked.tasks)
        facts[name] = {
            "work of a task, ms": 1000 * work,
            "wall, s": wall,
            "overhead of a task, ms": 1000 * (WORKERS * wall / asked.tasks - work),
            # On a machine that others use too, wall time says little.
            "overhead of a task in processor time, ms": 1000 * (processor / asked.tasks - own),
        }
    return facts


def _mapped(pool: str, tasks: int) -> tuple[float, float]:
    """Seconds of wall and processor that a pool takes for tasks that write one file each, without what comes after."""
    code = f"""
import os, sys, tempfile, time
if os.environ["DRAWS_FSYNC"] == "0":
    os.fsync = lambda descriptor: None
from draws.spec import COMMAND, DrawsSpec
from matlens.cli.work import machine_settings
from matlens.hooks import Silent
from matlens.runs.directory import RunDirectory
from matlens.runs.pool import Serial
if __name__ == "__main__":
    class Timed:
        def __init__(self, pool): self.pool = pool
        def map(self, *words):
            begun, before = time.perf_counter(), sum(os.times()[:4])
            try:
                return self.pool.map(*words)
            finally:
                print(time.perf_counter() - begun, sum(os.times()[:4]) - before, flush=True)
    if {pool!r} == "serial":
        made = Serial()
    elif {pool!r} == "dask":
        from matlens.runs.dask_pool import DaskPool
        made = DaskPool({WORKERS})
    else:
        from matlens.runs.processes import Processes
        made = Processes({WORKERS})
    spec = DrawsSpec(n={tasks})
    settings = COMMAND.settings(spec, COMMAND.prepare(spec, {{}}), machine_settings(COMMAND, spec))
    with tempfile.TemporaryDirectory() as folder, RunDirectory.create(folder + "/run", "draws", settings) as run:
        run.pool = Timed(made)
        COMMAND.work(run, Silent())
"""
    with tempfile.NamedTemporaryFile("w", suffix=".py") as script:
        script.write(code)
        script.flush()
        ended = subprocess.run([sys.executable, script.name], env=dict(os.environ), capture_output=True, text=True)
    if ended.returncode:
        raise SystemExit(ended.stderr)
    wall, processor = ended.stdout.split()[:2]
    return float(wall), float(processor)


def speed(asked: argparse.Namespace) -> dict[str, object]:
    words = ["reconstruct", "field.npy", "--shape", "128x128", "-n", "8", "--threads", "1", "--seed", "5", "--quiet"]
    facts: dict[str, object] = {}
    with tempfile.TemporaryDirectory() as folder, contextlib.chdir(folder):
        _field()
        for workers in (1, 2):
            run = Path(f"workers_{workers}")
            process = start(*words, "--pool", "processes", "--workers", workers, "-o", run)
            begun = time.perf_counter()
            plan = run / ".state/tasks/realisation/plan.json"
            while not plan.is_file() and process.poll() is None:
                time.sleep(0.05)
            first = time.perf_counter()
            while len(list((run / ".state").glob("realisation_*.result.npz"))) < 8 and process.poll() is None:
                time.sleep(0.05)
            ended = time.perf_counter()
            process.communicate()
            facts[f"{workers} workers"] = {"realisations, s": ended - first, "all, s": time.perf_counter() - begun}
        facts["same bytes"] = digests(Path("workers_1")) == digests(Path("workers_2"))
    one, two = (facts[f"{workers} workers"]["realisations, s"] for workers in (1, 2))  # type: ignore[index]
    return facts | {"times as fast": one / two}


def _field() -> None:
    from matlens.microstructure.io import write_microstructure
    from matlens.microstructure.problems import gaussian_field

    write_microstructure(gaussian_field((256, 256), 3.0, 0.4, seed=0), "field.npy")


DRAWS = ("draws", "-n", "8", "--steps", "4", "--seconds", "0.05")


KINDS = {
    "processes": ("worker", "client"),
    "dask": ("worker", "client", "carrier", "scheduler"),
    "slurm-array": ("worker", "client", "scheduler"),
}


def kills(asked: argparse.Namespace) -> dict[str, object]:
    draw = random.Random(asked.seed)
    counts: dict[str, dict[str, int]] = {}
    with tempfile.TemporaryDirectory() as folder, contextlib.ExitStack() as stack:
        place = Path(folder)
        start(*DRAWS, "-o", place / "serial").communicate()
        whole = digests(place / "serial")
        for pool in asked.pools.split(","):
            variables = environment()
            if pool == "slurm-array":
                variables = stack.enter_context(slurm(environment()))
            for kind in KINDS[pool]:
                row = counts.setdefault(f"{pool}, {kind}", {"kills": 0, "same bytes": 0})
                for _ in range(asked.kills):
                    run = place / "run"
                    killed = _killed(pool, kind, run, variables, draw.random())
                    same = digests(run) == whole and not left_over(run)
                    row["kills"] += killed
                    row["same bytes"] += killed and same
                    if not same:
                        print("different:", pool, kind, file=sys.stderr)
                    shutil.rmtree(run)
                print(pool, kind, row, flush=True)
    return dict(counts)


def _killed(pool: str, kind: str, run: Path, variables: dict[str, str], share: float) -> bool:
    """Run, kill, and go on until the run has ended; whether there was something to kill."""
    words = ["--pool", pool, "--workers", str(WORKERS)]
    if (pool, kind) != ("dask", "scheduler"):
        return _survived(run, words, words, kind, variables, share, None)
    with dask_here(run.parent) as (scheduler, address):  # whose scheduler dies: the run goes on in processes
        more = ["--workers", str(WORKERS)]
        return _survived(run, ["--scheduler", address], more, kind, variables, share, scheduler)


def _survived(
    run: Path,
    words: list[str],
    more: list[str],
    kind: str,
    variables: dict[str, str],
    share: float,
    scheduler: subprocess.Popen[bytes] | None,
) -> bool:
    process = start(*DRAWS, *words, "-o", run, variables=variables)
    target = None
    while target is None and process.poll() is None:  # the instant counts from the first task
        target = worker_of(run)
        time.sleep(0.01)
    time.sleep(share * 0.8)
    target = worker_of(run) or target
    killed = False
    with contextlib.suppress(ProcessLookupError, FileNotFoundError, TypeError):
        if kind == "client":
            os.kill(process.pid, signal.SIGKILL)
        elif kind == "scheduler" and scheduler is not None:
            os.kill(scheduler.pid, signal.SIGKILL)
        elif kind == "scheduler":
            kill_controller(variables)
        elif kind == "carrier":
            parent = int(Path(f"/proc/{target}/stat").read_text().rpartition(")")[2].split()[1])
            os.kill(parent, signal.SIGKILL)
        else:
            os.kill(target, signal.SIGKILL)
        killed = True
    process.communicate(timeout=300)
    for _ in range(5):
        if process.returncode == 0:
            break
        process = start("resume", run, *more, variables=variables)
        process.communicate(timeout=300)
    return killed


def study(asked: argparse.Namespace) -> dict[str, object]:
    with tempfile.TemporaryDirectory() as folder, contextlib.chdir(folder):
        _field()
        words = ["reconstruct", "field.npy", "--shape", "32x32", "--method", "gaussian-field", "-n", str(asked.n)]
        words += ["--threads", "1", "--seed", "5", "--quiet"]
        process = start(*words, "-o", "serial")
        process.communicate()
        run, marks = Path("pool"), [asked.n // 3, 2 * asked.n // 3]
        process = start(*words, "--workers", WORKERS, "-o", run)
        killed = 0
        for mark in marks:
            while len(list((run / ".state").glob("realisation_*.result.npz"))) < mark and process.poll() is None:
                time.sleep(0.02)
            if process.poll() is None:
                process.kill()
                killed += 1
            process.communicate()
            process = start("resume", run, "--workers", WORKERS, "--quiet")
        process.communicate()
        same = digests(Path("serial")) == digests(run)
    return {"realisations": asked.n, "killed": killed, "exit code": process.returncode, "same bytes": same}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["overhead", "speed", "kills", "study"])
    parser.add_argument("--tasks", type=int, default=10_000)
    parser.add_argument("--pool", default="processes")
    parser.add_argument("--pools", default="processes,dask,slurm-array")
    parser.add_argument("--kills", type=int, default=50, help="kills of each kind")
    parser.add_argument("--n", type=int, default=200)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, default=Path("pools"))
    asked = parser.parse_args()
    asked.out.mkdir(parents=True, exist_ok=True)
    facts = {"what": asked.what, **globals()[asked.what](asked)}
    with (asked.out / "pools.jsonl").open("a") as file:
        file.write(json.dumps(facts) + "\n")
    print(json.dumps(facts, indent=2))


if __name__ == "__main__":
    main()
