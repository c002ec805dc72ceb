"""Reconstruct many materials by many methods and measure time, memory and likeness.

    python benchmarks/reconstruction.py                                  # the seven of Li et al., both encoders
    python benchmarks/reconstruction.py --full --list                    # all materials and methods: done and missing
    python benchmarks/reconstruction.py --full --threads 2 --markdown tables.md --figure methods.png
    python benchmarks/reconstruction.py --full --mcrpy ~/mcrpy/bin/python  # with the peer, if that Python has it
    python benchmarks/reconstruction.py --only alloy --seeds 0 --presets fast --sizes 128
    python benchmarks/reconstruction.py --only discs walls --methods quilting tree --seeds 1 --sizes 64

The exemplar is the top-left window of each 256 x 256 image (at size 256: the whole image, first seed only, for time
and memory). `--full` takes seeds 1 to 5, and seed 1 alone for slow methods outside the seven, at 128 x 128. Every
realisation leaves one JSON and one NPY file in the output folder and is not made again; remove the folder after a
change of the code. A method that refuses an exemplar, or fails, leaves a JSON file that says why (`--retry` removes
those of failures). Each material, method and size has a process of its own, so that the peak memory is its own.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import subprocess
import sys
import time
import traceback
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from reconstruction_materials import MATERIALS, SEVEN, at_hand, corner, image_file, image_of
from reconstruction_methods import ALL, PEER, SECONDS, SLOW, file_part, make, matching, split

ENCODERS = ("vgg19-oxford", "filterbank")
SIZES = (128, 256)
ABSENT = 3  # exit code of a process that lacks weights or a file
Row = dict[str, Any]


@dataclass(frozen=True)
class Job:
    """Realisations that share a process."""

    material: str
    method: str
    size: int
    seeds: tuple[int, ...]
    threads: int | None = None

    def path(self, folder: Path, seed: int) -> Path:
        return folder / f"{self.material}_{file_part(self.method)}_{self.size}_{seed}.json"

    def missing(self, folder: Path) -> tuple[int, ...]:
        return tuple(seed for seed in self.seeds if not self.path(folder, seed).is_file())

    def records(self, folder: Path) -> list[Row]:
        """What is there, records of earlier versions as well, which named encoder and preset only."""
        paths = (self.path(folder, seed) for seed in self.seeds)
        return [{"method": self.method} | json.loads(path.read_text("utf-8")) for path in paths if path.is_file()]


def work(job: Job, folder: Path, mcrpy: str) -> None:
    """What a process of its own does."""
    from matlens.errors import ResourceError

    exemplar = corner(image_of(job.material, folder), job.size)
    for seed in job.seeds:
        try:
            record = attempt(job, exemplar, seed, folder, mcrpy)
        except ResourceError as lacking:
            print(f"  {lacking}", flush=True)
            sys.exit(ABSENT)
        print(f"  seed {seed}: {in_words(record)}", flush=True)


def attempt(job: Job, exemplar: Any, seed: int, folder: Path, mcrpy: str = "") -> Row:
    """Make a realisation and leave its record, or that of a refusal or failure; raises ResourceError."""
    import torch

    from matlens.errors import InputError, ResourceError

    if job.threads:
        torch.set_num_threads(job.threads)
    path = job.path(folder, seed)
    try:
        return realisation(job, exemplar, seed, path, mcrpy)
    except ResourceError:
        raise
    except InputError as refusal:
        record = common(job, seed) | {"refused": str(refusal)}
    except Exception as failure:
        traceback.print_exc()
        record = common(job, seed) | {"failed": repr(failure)}
    write(path, record)
    return record


def in_words(record: Row) -> str:
    """One line on a record."""
    if "errors" not in record:
        return next(f"{kind}: {record[kind]}" for kind in ("refused", "failed") if kind in record)
    shown = (f"{name} {record['errors'][name]:.3f}" for name in ("s2_error", "lineal_path_error", "cluster_error"))
    return ", ".join(["{seconds:.1f} s, {peak_memory_mb:.0f} MB".format(**record), *shown])


def realisation(job: Job, exemplar: Any, seed: int, path: Path, mcrpy: str) -> Row:
    import numpy as np

    from matlens.microstructure.statistics import errors

    begun, busy = time.perf_counter(), time.process_time()
    made = make(job.method, exemplar, seed, mcrpy)
    seconds, processor = time.perf_counter() - begun, time.process_time() - busy  # the latter also on a busy machine
    memory = peak_memory_mb(of_child=job.method == PEER)
    record = {
        **common(job, seed),
        **made.facts,
        "seconds": seconds,
        "processor_seconds": processor,
        "peak_memory_mb": memory,
        "errors": errors(made.microstructure, exemplar),
    }
    np.save(path.with_suffix(".npy"), made.microstructure.labels, allow_pickle=False)
    write(path, record)
    return record


def common(job: Job, seed: int) -> Row:
    """What every record says."""
    import numpy as np
    import torch

    from matlens import __version__

    return {
        "material": job.material,
        "method": job.method,
        "size": job.size,
        "seed": seed,
        "threads": torch.get_num_threads(),
        "versions": {"matlens": __version__, "torch": torch.__version__, "numpy": np.__version__},
        "code": code_hash(),
    }


def write(path: Path, record: Row) -> None:
    temporary = path.with_suffix(".part")
    temporary.write_text(json.dumps(record, indent=1), encoding="utf-8")
    temporary.replace(path)  # the record comes last and whole: what has one is finished


def peak_memory_mb(*, of_child: bool = False) -> float:
    """Largest resident memory of this process so far, or of a child that has ended."""
    try:
        import resource
    except ImportError:  # Windows
        return float("nan")
    peak = resource.getrusage(resource.RUSAGE_CHILDREN if of_child else resource.RUSAGE_SELF).ru_maxrss
    return peak / (1 << 20 if sys.platform == "darwin" else 1 << 10)


def code_hash() -> str:
    """Tells whether records stem from one state of the code that makes realisations."""
    import matlens

    root = Path(matlens.__file__).parent / "microstructure"
    files = sorted(file for part in ("encoders", "reconstruction") for file in (root / part).rglob("*.py"))
    files.append(root / "statistics" / "differentiable.py")
    return hashlib.sha256(b"".join(file.read_bytes() for file in files)).hexdigest()[:12]


def run(jobs: list[Job], folder: Path, mcrpy: str) -> None:
    """Make what is missing; nothing heavy is imported here, because a child's peak memory starts at its parent's."""
    for job in jobs:
        if job.method == PEER and not mcrpy:
            continue  # part_of_study says it
        while seeds := job.missing(folder):
            if not image_file(job.material, folder).is_file():
                process(replace(job, seeds=()), folder, mcrpy)
            print(f"{job.material}, {job.method}, {job.size} px", flush=True)
            code = process(replace(job, seeds=seeds), folder, mcrpy)
            if code == ABSENT:
                break
            left = job.missing(folder)
            if code and left:  # killed, perhaps for memory: this one is not tried again, the others are
                print(f"  failed with exit code {code}; the study goes on without it", flush=True)
                write(job.path(folder, left[0]), asdict(job) | {"seed": left[0], "failed": f"exit code {code}"})


def process(job: Job, folder: Path, mcrpy: str) -> int:
    """Do a job, or without seeds its image alone, in a process of its own; return its exit code."""
    call = [sys.executable, __file__, "--output", str(folder), "--job", json.dumps(asdict(job)), "--mcrpy", mcrpy]
    return subprocess.run(call, check=False).returncode


def forget_failures(jobs: list[Job], folder: Path) -> None:
    for job in jobs:
        for record in job.records(folder):
            if "failed" in record:
                job.path(folder, record["seed"]).unlink()


def listing(jobs: list[Job], folder: Path, mcrpy: str, processes: int = 1) -> str:
    """What is done and missing, by method, and about how long the rest takes so many processes."""
    known = [record for job in jobs for record in job.records(folder)]
    lines, total = [], 0.0
    for method, size in dict.fromkeys((job.method, job.size) for job in jobs):
        own = [job for job in jobs if (job.method, job.size) == (method, size)]
        seconds = sorted(r["seconds"] for r in known if (r["method"], r["size"]) == (method, size) and "seconds" in r)
        each = seconds[len(seconds) // 2] if seconds else SECONDS.get(method, 30.0) * (size / 128) ** 2
        missing = {job.material: len(left) for job in own if (left := job.missing(folder))}
        said = {kind: sum(kind in r for job in own for r in job.records(folder)) for kind in ("refused", "failed")}
        rest = sum(missing.values()) * each + 4 * len(missing)  # each process starts Python and torch
        left_out = method == PEER and not mcrpy
        total += 0 if left_out else rest
        asked = sum(len(job.seeds) for job in own)
        counts = f"{asked - sum(missing.values())} of {asked}" + "".join(f", {n} {k}" for k, n in said.items() if n)
        where = ", ".join(f"{name} {number}" for name, number in missing.items()) or "nothing"
        basis = "measured" if seconds else "guessed"
        about = "left out without --mcrpy" if left_out else f"about {rest / 60:.0f} min ({each:.1f} s each, {basis})"
        lines.append(f"{method}, {size} px: {counts}; missing {where}; {about}")
    hours = total / processes / 3600
    return "\n".join([*lines, f"About {hours:.1f} h for what is missing, and the judging of what is new."])


def summarise(jobs: list[Job], folder: Path) -> Row:
    """Everything that is shown, as rows of plain numbers."""
    from reconstruction_judging import Judge

    records = [record for job in jobs for record in job.records(folder)]
    made, not_made = [r for r in records if "errors" in r], [r for r in records if "errors" not in r]
    smallest = min((record["size"] for record in made), default=0)
    judged: list[tuple[list[Row], list[Row]]] = []
    for material in dict.fromkeys(record["material"] for record in made if record["size"] == smallest):
        judge = Judge(material, smallest, folder)
        for job in jobs:
            if (job.material, job.size) == (material, smallest) and (found := structures(job, folder, judge.exemplar)):
                judged.append(judge.judge(job.method, file_part(job.method), found))
        judged.append(judge.common())
    ratios, copying = ([row for pair in judged for row in pair[i]] for i in (0, 1))
    said = part_of_study(jobs, made, not_made)
    return {"study": said, "records": made, "not_made": not_made, "ratios": ratios, "copying": copying}


def structures(job: Job, folder: Path, exemplar: Any) -> list[Any]:
    import numpy as np

    paths = (job.path(folder, r["seed"]).with_suffix(".npy") for r in job.records(folder) if "errors" in r)
    return [exemplar.with_labels(np.load(path, allow_pickle=False), periodic=False) for path in paths]


def part_of_study(jobs: list[Job], made: list[Row], not_made: list[Row]) -> list[str]:
    """Plain sentences on what the numbers cover."""
    asked = sum(len(job.seeds) for job in jobs)
    counts = {kind: sum(kind in record for record in not_made) for kind in ("refused", "failed")}
    said = [f"{len(made)} of {asked} realisations asked for are made, {counts['refused']} were refused by their method "
            f"and {counts['failed']} failed."]  # fmt: skip
    if asked > len(made) + len(not_made):
        said.append("Made so far: " + "; ".join(
            f"{name} {', '.join(map(str, dict.fromkeys(r[name] for r in made))) or 'none'}"
            for name in ("material", "method", "size", "seed")) + ".")  # fmt: skip
    if any(job.method == PEER for job in jobs) and not any(r["method"] == PEER for r in made):
        said.append("MCRpy was not run: no Python that has it was named (--mcrpy).")
    if {r["code"] for r in made} - {code_hash()}:
        said.append("Some realisations were made by another state of the code than the present one.")
    if made:
        versions = ", ".join(f"{name} {version}" for name, version in made[-1]["versions"].items())
        said.append(f"Threads: {', '.join(sorted({str(r['threads']) for r in made}))}; {versions}.")
    return said


def pictures(jobs: list[Job], folder: Path) -> dict[str, dict[str, Any]]:
    """What the figure shows, by row and material: the exemplars, and the first realisation of every method."""
    rows: dict[str, dict[str, Any]] = {"exemplar": {}}
    smallest = min(job.size for job in jobs)
    for job in (job for job in jobs if job.size == smallest and job.method != "perfect copy"):
        exemplar = corner(image_of(job.material, folder), smallest)
        for result in structures(job, folder, exemplar)[:1]:
            rows["exemplar"][job.material] = exemplar
            rows.setdefault(job.method, {})[job.material] = result
    order = [name for name in ("exemplar", *ALL, *rows) if name in rows]
    return {name: rows[name] for name in dict.fromkeys(order)}


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--full", action="store_true", help="all materials and methods")
    parser.add_argument("--only", nargs="+", choices=list(MATERIALS), metavar="MATERIAL")
    parser.add_argument("--methods", nargs="+", metavar="METHOD", help=f"of {'; '.join(ALL)}")
    parser.add_argument("--encoders", nargs="+", default=list(ENCODERS), help="without --methods and --full")
    parser.add_argument("--presets", nargs="+", default=["default"], help="without --methods and --full")
    parser.add_argument("--seeds", nargs="+", type=int)
    parser.add_argument("--sizes", nargs="+", type=int)
    parser.add_argument("--threads", type=int)
    parser.add_argument("--mcrpy", default="", metavar="PYTHON", help="a Python that has MCRpy")
    parser.add_argument("--output", type=Path, default=Path("build/benchmark"))
    parser.add_argument("--list", action="store_true", help="only say what is done and missing, and how long it takes")
    parser.add_argument("--summary", action="store_true", help="only sum up what is there")
    parser.add_argument("--retry", action="store_true", help="try again what failed")
    parser.add_argument("--markdown", type=Path, help="write the tables here too")
    parser.add_argument("--figure", type=Path, help="write the picture here (PNG)")
    parser.add_argument("--job", help=argparse.SUPPRESS)  # what a process of its own is told
    args = parser.parse_args()
    if unknown := [name for name in args.methods or () if name not in ALL and split(name)[0] not in ENCODERS]:
        parser.error(f"--methods {unknown[0]!r} is not known; choose of: {'; '.join(ALL)}")
    if wrong := [size for size in args.sizes or () if size not in (32, 64, *SIZES)]:
        parser.error(f"--sizes {wrong[0]} is not 32, 64, 128 or 256")
    return args


def ordered(args: argparse.Namespace) -> list[Job]:
    """All that is asked for, cheap methods first, without materials that are not at hand."""
    controls = ["white noise", "blurred noise", "perfect copy"]
    sizes = args.sizes or (SIZES[:1] if args.full else SIZES)
    methods = list(args.methods or (ALL if args.full else ()))
    methods = methods or [matching(encoder, preset) for encoder in args.encoders for preset in args.presets] + controls
    if args.full:
        methods.sort(key=lambda name: SECONDS.get(name, 30.0))
    names = at_hand(args.only or (MATERIALS if args.full else SEVEN))
    return [
        Job(name, method, size, chosen(args, name, method, size), args.threads)
        for size in sizes
        for method in methods
        for name in names
        if size < max(SIZES) or method not in controls
    ]


def chosen(args: argparse.Namespace, material: str, method: str, size: int) -> tuple[int, ...]:
    seeds = tuple(args.seeds or ((1, 2, 3, 4, 5) if args.full else (0, 1, 2, 3, 4)))
    slow = args.full and method in SLOW and material not in SEVEN
    return seeds[:1] if size == max(SIZES) or slow or method == "perfect copy" else seeds


def main() -> None:
    args = arguments()
    args.output.mkdir(parents=True, exist_ok=True)
    if args.job:
        order = json.loads(args.job)
        work(Job(**{**order, "seeds": tuple(order["seeds"])}), args.output, args.mcrpy)
        return
    jobs = ordered(args)
    if args.list or not jobs:
        print(listing(jobs, args.output, args.mcrpy))
        return
    if args.retry:
        forget_failures(jobs, args.output)
    if not args.summary:
        run(jobs, args.output, args.mcrpy)
    summary = summarise(jobs, args.output)
    (args.output / "summary.json").write_text(json.dumps(summary, indent=1), encoding="utf-8")
    from reconstruction_tables import figure, markdown  # after the realisations: the parent of their processes is small

    text = markdown(summary)
    print(text)
    if args.markdown:
        args.markdown.write_text(text, encoding="utf-8")
    if args.figure:
        figure([pictures(jobs, args.output)], args.figure)


if __name__ == "__main__":
    main()
