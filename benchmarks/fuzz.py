"""Damage files of every kind that MatLens reads, and count what their readers make of them.

    python benchmarks/fuzz.py                                   # 1000 cases of each target, in runs/fuzz, in an hour
    python benchmarks/fuzz.py --cases 20000 --targets pictures,tables
    python benchmarks/fuzz.py --table                           # the counts so far, and where exceptions came from

A case is known by its target and number: the same numbers and the same MatLens give the same damage, and a call goes on
after the cases that are counted already (remove the folder after a change of the code). A case ends well (the file is
read, or the command is done), or with an error of MatLens that names a file. All else is a fault: another exception, no
answer for 5 s of processor time (60 s for commands on run folders), more than 1 GB, or the end of the process.
"""

from __future__ import annotations

import argparse
import contextlib
import hashlib
import io
import json
import multiprocessing
import os
import re
import resource
import shutil
import tempfile
import traceback
import unittest.mock
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image as Pillow

from fuzz_files import make_pictures, make_spectra, make_statistics, make_tables
from fuzz_mutations import damaged

GOLDEN = Path(__file__).parents[1] / "tests" / "golden" / "runs_0"
OUTCOMES = ("read", "refused", "exception", "nameless", "hang", "memory", "crash")
MOST_BYTES = 1e9
_ROUND = 500
_ADDRESS_SPACE = 12 * 2**30  # a reader that asks for more fails here instead of pressing the machine


@dataclass(frozen=True)
class Target:
    """What is damaged, and what reads it.

    ``sources`` makes the sound files or folders in a folder; of a folder, one file is damaged. ``attempt`` reads the
    damaged copy. ``seconds`` is the time after which no answer counts as a hang.
    """

    sources: Callable[[Path], Sequence[Path]]
    attempt: Callable[[Path, int], None]
    seconds: float = 5.0
    prepare: Callable[[Path, np.random.Generator], None] = lambda folder, random: None


def _read_picture(path: Path, case: int) -> None:
    from matlens.microstructure.io import read_image
    from matlens.microstructure.segmentation import CleaningOptions, load

    if case % 5:
        read_image(path)
    else:
        load(path, CleaningOptions(threshold="otsu"))


def _read_table(path: Path, case: int) -> None:
    from matlens import read_library

    read_library(path)


def _read_spectrum(path: Path, case: int) -> None:
    from matlens.library.io.spectra_files import read_spectra

    read_spectra(path, ("a",))


def _read_statistics(path: Path, case: int) -> None:
    from matlens.microstructure.reconstruction import plan_from_statistics

    plan_from_statistics(path, (16, 16))


def _read_model(path: Path, case: int) -> None:
    from matlens import LibraryModel, StructurePropertyModel

    (LibraryModel if "library" in path.name else StructurePropertyModel).load(path)


def _read_settings(path: Path, case: int) -> None:
    from matlens.cli.registry import commands
    from matlens.runs.command import command_of, options_of
    from matlens.runs.directory import RunDirectory

    with RunDirectory(path) as run:
        options_of(run, command_of(run, commands()).spec)


def _report(path: Path, case: int) -> None:
    _command("report", path)


def _resume(path: Path, case: int) -> None:
    _command("resume", path, "--force")


def _command(*words: object) -> None:
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()), _unrendered():
        _command_line()(list(map(str, words)), standalone_mode=False)


@cache
def _command_line() -> Any:
    import typer.main

    from matlens.cli.app import application

    return typer.main.get_command(application())


@contextlib.contextmanager
def _unrendered() -> Iterator[None]:
    """Draw and lay out figures, but write no pixels, which take most of a report and come after all that is read."""
    from matplotlib.figure import Figure

    def lay_out(figure: Figure, file: Any, *, format: str, **_: object) -> None:
        if format == "png":
            figure.draw_without_rendering()
        file.write(b"figure")

    with unittest.mock.patch.object(Figure, "savefig", lay_out):
        yield


def _copied(names: Sequence[str]) -> Callable[[Path], Sequence[Path]]:
    def copy(folder: Path) -> Sequence[Path]:
        return [Path(shutil.copytree(GOLDEN / name, folder / name, dirs_exist_ok=True)) for name in names]

    return copy


def _refresh_hash(folder: Path, random: np.random.Generator) -> None:
    """Give the damaged arrays of a model their own hash, in most cases: what lies behind the hash is read too."""
    model = folder / "model.json"
    with contextlib.suppress(OSError, ValueError, TypeError):
        content = json.loads(model.read_bytes())
        content["arrays_sha256"] = hashlib.sha256((folder / "arrays.safetensors").read_bytes()).hexdigest()
        if random.random() < 0.8:
            model.write_text(json.dumps(content))


def stopped_runs(folder: Path, names: Sequence[str] = ()) -> Sequence[Path]:
    """Run quick commands: each once to its end, and stopped early and late, with the state of its work."""
    picture = folder / "picture.npy"
    with Pillow.open(GOLDEN / "exemplar.tif") as whole:
        np.save(picture, np.asarray(whole)[:32, :32])
    words = {
        "characterize": ("characterize", picture, "--statistics", "volume_fraction,two_point"),
        "compare": ("compare", picture, picture),
        "homogenize": ("homogenize", picture, "--conductivity", "0=1,1=50"),
        "segment": ("segment", picture),
        "generate": ("generate", "-n", 6, "--test", 3, "--size", 32, "--families", "fields", "--conductivity-contrast",
                     50, "--stiffness-contrast", "none", "--workers", 1),
        "matching": ("reconstruct", picture, "--shape", "16x16", "--encoder", "filterbank", "--preset", "fast"),
        "annealing": ("reconstruct", picture, "--shape", "16x16", "--method", "annealing", "--set", "moves=4"),
    }  # fmt: skip
    made = []
    for name in names or words:
        arguments = words[name]
        made += [folder / f"{name}_{part}" for part in ("whole", "early", "late")]
        done = folder / f"{name}_made"
        if done.exists():
            continue
        for run in made[-3:]:  # of a call that was stopped among them
            shutil.rmtree(run, ignore_errors=True)
        files = _written(*arguments, "-o", folder / f"{name}_whole")
        for part, share in (("early", 0.4), ("late", 0.8)):
            _written(*arguments, "-o", folder / f"{name}_{part}", stop_at=int(share * files))
        done.touch()
    return made


def _written(*words: object, stop_at: int | None = None) -> int:
    """Run a command, which an interrupt may stop at the writing of a file; return how many files it wrote."""
    from matlens.errors import Interrupted
    from matlens.runs import state_store
    from matlens.runs.directory import RunDirectory

    written, writing = 0, RunDirectory.writing

    def counted(run: RunDirectory, name: str) -> Any:
        nonlocal written
        written += 1
        if written == stop_at:
            raise KeyboardInterrupt
        return writing(run, name)

    with (
        unittest.mock.patch.object(RunDirectory, "writing", counted),
        unittest.mock.patch.object(state_store, "INTERVAL", 0.0),
        contextlib.suppress(Interrupted),
    ):
        _command(*words, *(() if words[0] == "segment" else ("--threads", 1)))
    return written


def _stop(folder: Path, random: np.random.Generator) -> None:
    """Mark a run as running, and take away one of its results, so that resuming it has to work."""
    with contextlib.suppress(OSError, ValueError, AttributeError, TypeError):
        content = json.loads((folder / "provenance.json").read_bytes())
        content["status"] = "running"
        (folder / "provenance.json").write_text(json.dumps(content))
    (folder / "report.html").unlink(missing_ok=True)
    tables = sorted(folder.glob("*.csv"))
    if tables and random.random() < 0.5:
        tables[int(random.integers(0, len(tables)))].unlink()


_REPORTED = ("characterize", "compare", "homogenize", "generate", "learn", "explain", "predict", "prune", "rebuild",
             "reconstruct", "annealing", "suggest", "learn_library", "explain_library", "predict_library", "demo",
             "half_reconstruct", "half_learn_library")  # fmt: skip
TARGETS = {
    "pictures": Target(make_pictures, _read_picture),
    "tables": Target(make_tables, _read_table),
    "spectra": Target(make_spectra, _read_spectrum),
    "statistics": Target(make_statistics, _read_statistics),
    "library models": Target(_copied(["learn_library"]), _read_model, prepare=_refresh_hash),
    "structure models": Target(_copied(["learn"]), _read_model, prepare=_refresh_hash),
    "settings": Target(_copied(_REPORTED), _read_settings),
    "report": Target(_copied(_REPORTED), _report, 60.0),
    "resume": Target(stopped_runs, _resume, 60.0, _stop),
}
_DAMAGED_ONLY = {
    "library models": ("model.json", "arrays.safetensors"),
    "structure models": ("model.json", "arrays.safetensors"),
    "settings": ("settings.toml",),
}
_UNTOUCHED = (".pdf", ".html", ".tif", ".png")  # results that no command reads again


def make_case(target: str, source: Path, place: Path, seed: int, case: int) -> tuple[Path, str]:
    """Copy a sound file or folder and damage it; return the copy, and the name of the damaged file."""
    random = np.random.default_rng([seed, list(TARGETS).index(target), case])
    if source.is_file():
        copy = place / source.name
        copy.write_bytes(damaged(source.read_bytes(), source.suffix, random))
        return copy, source.name
    copy = place / source.name
    shutil.copytree(source, copy)
    only = _DAMAGED_ONLY.get(target)
    files = sorted(
        file for file in copy.rglob("*")
        if file.is_file() and (file.name in only if only else file.suffix not in _UNTOUCHED and file.name != "lock"
                               and file.parent.name != "figures")
    )  # fmt: skip
    chosen = files[int(random.integers(0, len(files)))]
    chosen.write_bytes(damaged(chosen.read_bytes(), chosen.suffix, random))
    TARGETS[target].prepare(copy, random)
    return copy, chosen.relative_to(copy).as_posix()


def attempt(target: str, source: Path, seed: int, case: int) -> dict[str, Any]:
    """Make a case, have it read, and say how that ended."""
    from matlens import MatlensError

    with tempfile.TemporaryDirectory() as place:
        path, name = make_case(target, source, Path(place), seed, case)
        said = {"target": target, "case": case, "file": f"{source.name}/{name}" if path.is_dir() else name}
        before = _peak(reset=True)
        try:
            TARGETS[target].attempt(path, case)
        except MatlensError as error:
            text = str(error)
            names = path.name in text or Path(name).name in text
            said |= {"outcome": "refused" if names and "\n" not in text else "nameless", "message": text[:400]}
        except (Exception, SystemExit) as error:
            said |= {"outcome": "exception", "where": _where(error), "message": repr(error)[:300]}
        else:
            said["outcome"] = "read"
        taken = _peak() - before
        return {**said, "outcome": "memory", "message": f"{taken / 1e9:.1f} GB"} if taken > MOST_BYTES else said


def _where(error: BaseException) -> str:
    ours = [frame for frame in traceback.extract_tb(error.__traceback__) if "/matlens/" in frame.filename]
    last = f"{ours[-1].filename.split('/matlens/')[-1]}:{ours[-1].lineno}" if ours else "outside"
    return f"{type(error).__name__} {last}"


def _peak(*, reset: bool = False) -> float:
    """Bytes that this process holds at most since the last reset."""
    if reset:
        with contextlib.suppress(OSError):
            Path("/proc/self/clear_refs").write_text("5")
    found = re.search(r"VmHWM:\s*(\d+)", Path("/proc/self/status").read_text())
    return float(found[1]) * 1024 if found else 0.0


def _worker(connection: Any) -> None:
    import torch

    import matlens.cli.registry
    import matlens.library.model
    import matlens.microstructure.properties  # noqa: F401

    torch.set_num_threads(1)
    resource.setrlimit(resource.RLIMIT_AS, (_ADDRESS_SPACE, _ADDRESS_SPACE))
    connection.send("ready")
    while True:
        connection.send(attempt(*connection.recv()))


class Worker:
    """A process that reads one case after the other, and is replaced where it hangs or dies."""

    def __init__(self) -> None:
        self._context = multiprocessing.get_context("spawn")
        self._process: Any = None

    def attempt(self, target: str, source: Path, seed: int, case: int) -> dict[str, Any]:
        if self._process is None:
            self._start()
        self._here.send((target, source, seed, case))
        said = {"target": target, "case": case, "file": source.name}
        start = _seconds_of(self._process.pid)
        try:
            while not self._here.poll(0.5):
                if _seconds_of(self._process.pid) - start > TARGETS[target].seconds:
                    self.close()
                    return {**said, "outcome": "hang"}
            found: dict[str, Any] = self._here.recv()
            return found
        except EOFError:
            self.close()
            return {**said, "outcome": "crash"}

    def close(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.join()
            self._process = None

    def _start(self) -> None:
        self._here, there = self._context.Pipe()
        self._process = self._context.Process(target=_worker, args=(there,), daemon=True)
        self._process.start()
        there.close()
        self._here.recv()  # its libraries are loaded


def _seconds_of(pid: int) -> float:
    """Processor time of a process: other work on the machine must not make a case a hang."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0.0
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def run(target: str, cases: int, seed: int, out: Path, worker: Worker) -> None:
    """Do the cases of a target that are not counted yet, and write a line of counts after each hundred."""
    kept = out / f"{target.replace(' ', '_')}.jsonl"
    lines = [json.loads(line) for line in kept.read_text().splitlines()] if kept.is_file() else []
    done = lines[-1]["to"] if lines else 0
    sources = _sources(target, out.resolve())
    while done < cases:
        end = min(done + 100, cases)
        found = [worker.attempt(target, sources[case % len(sources)], seed, case) for case in range(done, end)]
        counts = Counter(one["outcome"] for one in found)
        odd = [one for one in found if one["outcome"] not in ("read", "refused")]
        with kept.open("a") as file:
            file.write(json.dumps({"from": done, "to": end, "counts": counts, "odd": odd}) + "\n")
        print(target, end, dict(counts), flush=True)
        done = end


@cache
def _sources(target: str, out: Path) -> Sequence[Path]:
    folder = out / "sources" / target.replace(" ", "_")
    folder.mkdir(parents=True, exist_ok=True)
    return TARGETS[target].sources(folder)


def table(out: Path) -> str:
    """Return the counts of all targets as a table in Markdown, and below it where the faults came from."""
    rows = [f"| target | cases | {' | '.join(OUTCOMES)} |", "|---|" + "---|" * (len(OUTCOMES) + 1)]
    total, odd = Counter[str](), []
    for target in TARGETS:
        kept = out / f"{target.replace(' ', '_')}.jsonl"
        if kept.is_file():
            lines = [json.loads(line) for line in kept.read_text().splitlines()]
            counts = sum((Counter(line["counts"]) for line in lines), Counter[str]())
            odd += [one for line in lines for one in line["odd"]]
            total += counts
            rows.append(_row(target, counts))
    rows.append(_row("all", total))
    buckets: dict[str, list[dict[str, Any]]] = {}
    for one in odd:
        message = one.get("message", "") if one["outcome"] == "nameless" else ""
        key = f"{one['target']}: {one['outcome']} {one.get('where', '')} {message[:90]}"
        buckets.setdefault(key, []).append(one)
    for key, found in sorted(buckets.items(), key=lambda item: -len(item[1])):
        one = found[0]
        rows.append(
            f"- {len(found)} x {key}; first case {one['case']} of {one['file']}: {one.get('message', '')[:160]}"
        )
    return "\n".join(rows)


def _row(name: str, counts: Counter[str]) -> str:
    return f"| {name} | {counts.total()} | {' | '.join(str(counts[one]) for one in OUTCOMES)} |"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=Path("runs/fuzz"))
    parser.add_argument("--cases", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--targets", default=",".join(TARGETS))
    parser.add_argument("--table", action="store_true")
    asked = parser.parse_args()
    if not asked.table:
        worker = Worker()
        try:
            for end in (*range(_ROUND, asked.cases, _ROUND), asked.cases):  # all targets grow alike
                for target in asked.targets.split(","):
                    run(target, end, asked.seed, asked.out, worker)
        finally:
            worker.close()
    print(table(asked.out))


if __name__ == "__main__":
    main()
