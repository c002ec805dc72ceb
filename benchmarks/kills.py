"""Kill commands with SIGKILL at random instants, resume them, and compare every byte with a run that was never stopped.

    python benchmarks/kills.py [--kills 8] [--seed 0] [--cases generate,prune] [--out kills]

Each command runs once to its end. Then it runs again and is killed when it has used a random share of the processor
time of that first run, at the earliest when its settings are written: time of the processor, so that the instants are
random on a busy machine too. A run that is over before its instant starts again with half of the share. Half of the
runs are killed again while they are resumed. At the end the SHA-256 of all files are compared (tables without columns
of seconds, labels, models, netCDF, figures), but for the preview and for report.html, provenance.json and log.txt,
which hold times.

All processes are forked from one that has loaded everything, because loading takes longer than most of these runs. The
state of unfinished work is saved every tenth of a second instead of every two seconds. Results are kept in
OUT/kills.jsonl, and the study goes on there; the table is printed at the end and written to OUT/kills.md.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import shutil
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd

PICTURE = "field.npy --shape 32x32 --threads 1 --seed 5"
FAST = "--encoder filterbank --preset fast"
FEW = "--models 2 --scoring-models 2 --folds 2 --repeats 1 --systems 1 --baselines ridge --threads 1"
CASES = {  # what is made first, and the command
    "reconstruct, matching": ((), f"reconstruct {PICTURE} {FAST} -n 2"),
    "reconstruct, annealing": ((), f"reconstruct {PICTURE} --method annealing -n 2 --set moves=20"),
    "reconstruct, gaussian-field": ((), f"reconstruct {PICTURE} --method gaussian-field -n 3"),
    "reconstruct, tree": ((), f"reconstruct {PICTURE} --method tree -n 3"),
    "reconstruct, quilting": ((), f"reconstruct {PICTURE} --method quilting -n 3"),
    "reconstruct, particles": (
        (),
        "reconstruct discs.npy --shape 48x48 --threads 1 --seed 5 --method particles -n 2",
    ),
    "prune": ((), f"prune field.npy --shape 32x32 --threads 1 {FAST} --depths none,scale1 -n 1"),
    "characterize of three": ((), "characterize field.npy second.npy third.npy --threads 1"),
    "generate": (
        (),
        "generate -n 36 --test 12 --size 32 --families fields,sheets --conductivity-contrast 50 "
        "--stiffness-contrast none --workers 1",
    ),
    "learn": (
        ("generate",),
        "learn generate/whole --target k_00_c50 --encoder filterbank --depth scale4 --head ridge --threads 1",
    ),
    "explain": (("learn",), "explain learn/whole generate/whole/test.h5 -n 2 --flips 6 --threads 1"),
    "library learn": ((), f"library learn library.csv --target P {FEW}"),
    "library explain": (
        ("library learn",),
        "library explain library_learn/whole --permutations 2 --permuted-models 2 --steps 4 --threads 1",
    ),
    "library suggest": (("library learn",), "library suggest library_learn/whole -n 3 --threads 1"),
}
TIMED = ("report.html", "provenance.json", "log.txt", "preview.png")
TICKS = os.sysconf("SC_CLK_TCK")


def folder_of(case: str) -> str:
    return case.replace(", ", "_").replace(" ", "_").replace("-", "_")


def make_inputs() -> None:
    from matlens.library.io import write_library
    from matlens.library.problems import photoanode
    from matlens.microstructure.io import write_microstructure
    from matlens.microstructure.problems import discs, gaussian_field

    for name, seed in (("field", 0), ("second", 1), ("third", 2)):
        write_microstructure(gaussian_field((64, 64), 3.0, 0.4, seed=seed), f"{name}.npy")
    write_microstructure(discs((96, 96), fraction=0.2, seed=0), "discs.npy")
    write_library(photoanode(40, seed=0).library, "library.csv")


def load_all() -> None:
    """Import what the commands use, and compile annealing, before any process is forked."""
    from matlens.cli.registry import commands
    from matlens.core.device import set_threads
    from matlens.microstructure.problems import white_noise
    from matlens.microstructure.reconstruction import Annealing, Task
    from matlens.report import build
    from matlens.runs import state_store

    state_store.INTERVAL = 0.1
    set_threads(1)
    for command in commands():
        command._late("run", "work")
        command._late("report", "PAGE", None)
    like = white_noise((24, 24), (0.5, 0.5), seed=0)
    Annealing(terms=("two-point", "lineal-path"), reach=4, moves=1).learn([like], (24, 24), 0)(
        Task((24, 24), like.volume_fractions, seed=0)
    )
    assert build


class Child:
    """A command in a process of its own, which leads its group."""

    def __init__(self, words: list[str], log: Path) -> None:
        self.pid = os.fork()
        if not self.pid:
            os.setsid()
            descriptor = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
            os.dup2(descriptor, 1)
            os.dup2(descriptor, 2)
            from matlens.cli.app import main

            try:
                main(words)
            except SystemExit as end:
                sys.stdout.flush()
                os._exit(int(end.code or 0))
            os._exit(99)

    def processor_time(self) -> float:
        fields = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        return sum(int(ticks) for ticks in fields[11:15]) / TICKS

    def run(self, stop: Callable[[float], bool] = lambda seconds: False) -> tuple[int, float]:
        """Wait for the end, or kill the group when asked to; the exit code, -9 if it was killed, and its time."""
        while True:
            seconds = self.processor_time()
            done, status = os.waitpid(self.pid, os.WNOHANG)
            if done:
                return os.waitstatus_to_exitcode(status), seconds
            if stop(seconds):
                os.killpg(self.pid, signal.SIGKILL)
                return os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1]), seconds
            time.sleep(0.002)


def untimed(file: Path) -> bytes:
    """The content of a file; of a table, without columns that say how long something took."""
    if file.suffix != ".csv" or b"seconds" not in file.read_bytes():
        return file.read_bytes()
    table = pd.read_csv(file, dtype=str, keep_default_na=False)
    return table.drop(columns=[name for name in table if "seconds" in name]).to_csv(index=False).encode()


def digests(run: Path) -> dict[str, str]:
    files = (file for file in sorted(run.rglob("*")) if file.is_file())
    named = {file.relative_to(run).as_posix(): file for file in files}
    return {
        name: hashlib.sha256(untimed(file)).hexdigest()
        for name, file in named.items()
        if name not in TIMED and not name.startswith(".state/")
    }


def reference(case: str) -> dict[str, float]:
    """Run a case to its end, unless that is done; its processor time, and that before its settings were there."""
    place = Path(folder_of(case))
    stored = place / "reference.json"
    if stored.is_file():
        return dict(json.loads(stored.read_text()))
    for needed in CASES[case][0]:
        reference(needed)
    place.mkdir(exist_ok=True)
    shutil.rmtree(place / "whole", ignore_errors=True)
    began = [0.0]

    def watch(seconds: float) -> bool:
        if not (place / "whole" / "settings.toml").exists():
            began[0] = seconds
        return False

    code, seconds = Child([*CASES[case][1].split(), "-o", str(place / "whole")], place / "log.txt").run(watch)
    if code:
        raise SystemExit(f"{case} ended with {code}; see {place / 'log.txt'}")
    facts = {"seconds": seconds, "began": began[0]}
    stored.write_text(json.dumps(facts))
    return facts


def one_kill(case: str, number: int, seed: int) -> dict[str, object]:
    facts, place = reference(case), Path(folder_of(case))
    random = np.random.default_rng([seed, list(CASES).index(case), number])
    run = place / f"kill_{number}"
    share, again, second = random.random(3)
    share *= 2
    code = 0
    while not code and share > 0.001:  # a run that was over before its instant, as one in warm caches can be
        share /= 2
        moment = facts["began"] + share * (facts["seconds"] - facts["began"])
        shutil.rmtree(run, ignore_errors=True)
        command = Child([*CASES[case][1].split(), "-o", str(run)], place / "log.txt")
        code, at = command.run(lambda seconds: seconds >= moment and (run / "settings.toml").exists())  # noqa: B023
    row: dict[str, object] = {"case": case, "number": number, "share": round(share, 4), "killed": code == -9, "at": at}
    resume = ["resume", str(run), "--quiet"]
    if code == -9 and again < 0.5:
        late = second * max(facts["seconds"] - at, 0.05)
        row["killed_again"] = Child(resume, place / "log.txt").run(lambda seconds: seconds >= late)[0] == -9
    row["resumed"] = Child(resume, place / "log.txt").run()[0]
    whole, made = digests(place / "whole"), digests(run)
    row["different"] = sorted(name for name in {*whole, *made} if whole.get(name) != made.get(name))
    row["leftovers"] = sorted(file.name for file in run.rglob(".matlens-*"))
    if not row["different"]:
        shutil.rmtree(run)
    return row


def table(rows: list[dict[str, object]]) -> str:
    lines = [
        "| command | killed in mid-run | killed again while resuming | run was over | same bytes |",
        "|---|---|---|---|---|",
    ]
    total = np.zeros(5, int)
    for case in CASES:
        own = [row for row in rows if row["case"] == case]
        if own:
            same = sum(not row["different"] and not row["leftovers"] and not row["resumed"] for row in own)
            counts = np.array(
                [sum(bool(row["killed"]) for row in own), sum(bool(row.get("killed_again")) for row in own),
                 sum(not row["killed"] for row in own), same, len(own)]
            )  # fmt: skip
            total += counts
            lines.append(f"| {case} | {' | '.join(map(str, counts[:3]))} | {counts[3]} of {counts[4]} |")
    return "\n".join([*lines, f"| all | {' | '.join(map(str, total[:3]))} | {total[3]} of {total[4]} |"]) + "\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=8, help="kills of each command")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--cases", default=",".join(folder_of(case) for case in CASES))
    parser.add_argument("--out", type=Path, default=Path("kills"))
    asked = parser.parse_args()
    asked.out.mkdir(parents=True, exist_ok=True)
    os.chdir(asked.out)
    os.environ["XDG_CACHE_HOME"] = str(Path.cwd() / "cache")
    if not Path("library.csv").is_file():
        make_inputs()
    load_all()
    kept = Path("kills.jsonl")
    rows = [json.loads(line) for line in kept.read_text().splitlines()] if kept.is_file() else []
    done = {(row["case"], row["number"], row["seed"]) for row in rows}
    chosen = [case for case in CASES if folder_of(case) in asked.cases.split(",")]
    for number in range(asked.kills):
        for case in chosen:
            if (case, number, asked.seed) not in done:
                rows.append(one_kill(case, number, asked.seed) | {"seed": asked.seed})
                with kept.open("a") as file:
                    file.write(json.dumps(rows[-1]) + "\n")
                print(json.dumps(rows[-1]), flush=True)
    Path("kills.md").write_text(table(rows))
    print(table(rows), end="")


if __name__ == "__main__":
    main()
