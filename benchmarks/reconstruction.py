"""Reconstruct the seven materials of Li et al. (2018) and measure time, memory and likeness.

    python benchmarks/reconstruction.py                                  # the full study, resumes what is there
    python benchmarks/reconstruction.py --only alloy --seeds 0 --presets fast --sizes 128

The exemplar is the top-left window of each 256 x 256 image (at size 256: the whole image, first seed only, for time
and memory). Every realisation leaves one JSON and one NPY file in the output folder and is not made again; remove the
folder after a change of the code. Each material, encoder, preset and size has a process of its own, so that the peak
memory is its own.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import subprocess
import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

MATERIALS = ("alloy", "carbonate", "ceramics", "composite", "copolymer", "pmma", "sandstone")
ENCODERS = ("vgg19-oxford", "filterbank")
SIZES = (128, 256)
WINDOW = 64
Row = dict[str, Any]


@dataclass(frozen=True)
class Job:
    """Realisations that share a process."""

    material: str
    encoder: str
    preset: str
    size: int
    seeds: tuple[int, ...]
    threads: int | None = None

    @property
    def source(self) -> str:
        return self.encoder if self.preset == "default" else f"{self.encoder}, {self.preset}"

    def path(self, folder: Path, seed: int) -> Path:
        return folder / f"{self.material}_{self.encoder}_{self.preset}_{self.size}_{seed}.json"


def image_of(material: str) -> Any:
    """The whole 256 x 256 image."""
    from matlens import read_microstructure
    from matlens.io import locate

    path = locate(f"li2018_{material}.npy")
    if path is None:
        sys.exit("the images of Li et al. 2018 are not at hand: run 'matlens fetch li2018', or name their folder in "
                 "MATLENS_DATA")  # fmt: skip
    return read_microstructure(path)


def corner(image: Any, size: int) -> Any:
    return image.crop(slice(0, size), slice(0, size))


def work(job: Job, folder: Path) -> None:
    import torch

    if job.threads:
        torch.set_num_threads(job.threads)
    exemplar = corner(image_of(job.material), job.size)
    for seed in job.seeds:
        record = realisation(job, exemplar, seed, job.path(folder, seed))
        line = "  seed {seed}: {seconds:.1f} s, {evaluations} evaluations, {peak_memory_mb:.0f} MB"
        shown = (f"{name} {record['errors'][name]:.3f}" for name in ("s2_error", "lineal_path_error", "cluster_error"))
        print(line.format(**record), *shown, sep=", ", flush=True)


def realisation(job: Job, exemplar: Any, seed: int, path: Path) -> Row:
    import numpy as np
    import torch

    from matlens import __version__, reconstruct
    from matlens.statistics import errors

    begun = time.perf_counter()
    result = reconstruct(exemplar, encoder=job.encoder, preset=job.preset, seed=seed)
    seconds, memory = time.perf_counter() - begun, peak_memory_mb()
    record = {
        **{name: value for name, value in asdict(job).items() if name != "seeds"},
        "seed": seed,
        "seconds": seconds,
        "evaluations": result.evaluations[0],
        "peak_memory_mb": memory,
        "errors": errors(result.microstructure, exemplar),
        "fraction_error_before": float(np.abs(result.fraction_before[0] - exemplar.volume_fractions).max()),
        "fraction_error_after": float(np.abs(result.fraction_after[0] - exemplar.volume_fractions).max()),
        "stop": result.status[0],
        "notes": list(result.notes),
        "threads": torch.get_num_threads(),
        "versions": {"matlens": __version__, "torch": torch.__version__, "numpy": np.__version__},
        "code": code_hash(),
    }
    np.save(path.with_suffix(".npy"), result.microstructure.labels, allow_pickle=False)
    temporary = path.with_suffix(".part")
    temporary.write_text(json.dumps(record, indent=1), encoding="utf-8")
    temporary.replace(path)  # the record comes last and whole: what has one is finished
    return record


def peak_memory_mb() -> float:
    """Largest resident memory of this process so far."""
    try:
        import resource
    except ImportError:  # Windows
        return float("nan")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (1 << 20 if sys.platform == "darwin" else 1 << 10)


def code_hash() -> str:
    """Tells whether records stem from one state of the code that makes realisations."""
    import matlens

    root = Path(matlens.__file__).parent
    files = sorted(file for part in ("encoders", "reconstruction") for file in (root / part).rglob("*.py"))
    files.append(root / "statistics" / "differentiable.py")
    return hashlib.sha256(b"".join(file.read_bytes() for file in files)).hexdigest()[:12]


def run(jobs: list[Job], folder: Path) -> None:
    """Make what is missing; nothing heavy is imported here, because a child's peak memory starts at its parent's."""
    for job in jobs:
        seeds = tuple(seed for seed in job.seeds if not job.path(folder, seed).is_file())
        if not seeds:
            continue
        print(f"{job.material}, {job.encoder}, {job.preset}, {job.size} px", flush=True)
        order = json.dumps({**asdict(job), "seeds": seeds})
        done = subprocess.run([sys.executable, __file__, "--output", str(folder), "--job", order], check=False)
        if done.returncode:
            print(f"  failed with exit code {done.returncode}; the study goes on without it", flush=True)


def summarise(jobs: list[Job], folder: Path) -> Row:
    """Everything that is shown, as rows of plain numbers."""
    records = [json.loads(path.read_text("utf-8")) for job in jobs for path in found(job, folder)]
    ratios: list[Row] = []
    copying: list[Row] = []
    for material in dict.fromkeys(record["material"] for record in records if record["size"] == SIZES[0]):
        judged = judge(material, jobs, folder)
        ratios += judged[0]
        copying += judged[1]
    return {"study": part_of_study(jobs, records), "records": records, "ratios": ratios, "copying": copying}


def found(job: Job, folder: Path) -> list[Path]:
    return [path for seed in job.seeds if (path := job.path(folder, seed)).is_file()]


def judge(material: str, jobs: list[Job], folder: Path) -> tuple[list[Row], list[Row]]:
    """R of results, controls and the perfect copy at both window sizes, and the copy test."""
    import pandas as pd

    from matlens.statistics import CopyTest, compare, pasted_blocks

    image = image_of(material)
    exemplar = corner(image, SIZES[0])
    test = CopyTest([exemplar])
    block = min(2 * max(test.sides), SIZES[0] // 2)  # the size of blocks that `compare` pastes
    ratios, tests = [], [test(pasted_blocks(exemplar, exemplar.shape, block)).assign(source="pasted blocks")]
    for job in jobs:
        results = structures(job, folder, exemplar) if (job.material, job.size) == (material, SIZES[0]) else []
        if results:
            compared = compare(results, image, window=WINDOW, copying=False, controls=False)
            ratios.append(rows_of(compared, job.source))
            tests += [test(result).assign(source=job.source, realisation=i) for i, result in enumerate(results)]
    copy = compare(exemplar, image, window=WINDOW, copying=False)
    ratios += [rows_of(copy, "perfect copy"), floor_without_itself(image), copy.controls]
    return plain(pd.concat(ratios).assign(material=material)), plain(pd.concat(tests).assign(material=material))


def structures(job: Job, folder: Path, exemplar: Any) -> list[Any]:
    import numpy as np

    paths = (path.with_suffix(".npy") for path in found(job, folder))
    return [exemplar.with_labels(np.load(path, allow_pickle=False)) for path in paths]


def plain(table: Any) -> list[Row]:
    """Rows without what is not known: JSON has no NaN."""
    return [{name: value for name, value in row.items() if value == value} for row in table.to_dict("records")]


def rows_of(comparison: Any, source: str) -> Any:
    table = comparison.ratios
    return table.assign(source=source, joint=table["window"].map(comparison.joints))


def floor_without_itself(image: Any) -> Any:
    """R of the exemplar against the other windows only: what differs between windows no reconstruction can heal."""
    import numpy as np
    import pandas as pd

    from matlens.statistics import Variability

    between = Variability(list(image.tiles((SIZES[0],) * 2))).between
    medians = {name: (np.nanmedian(matrix[0]), np.nanmedian(matrix)) for name, matrix in between.items()}
    rows = [{"statistic": name, "R": own / every} for name, (own, every) in medians.items() if every > 0]
    return pd.DataFrame(rows).assign(source="perfect copy, other windows", window=f"{SIZES[0]}x{SIZES[0]}")


def part_of_study(jobs: list[Job], records: list[Row]) -> list[str]:
    """Plain sentences on what the numbers cover."""
    full = len(MATERIALS) * len(ENCODERS) * (5 + 1)
    made = sum(r["preset"] == "default" and r["encoder"] in ENCODERS and r["seed"] < 5 for r in records)
    asked = sum(len(job.seeds) for job in jobs)
    said = [f"{len(records)} of {asked} realisations asked for are made; {made} belong to the full study of {full}."]
    if made < full:
        said.append("This is a part of the study: " + "; ".join(
            f"{name} {', '.join(map(str, dict.fromkeys(r[name] for r in records))) or 'none'}"
            for name in ("material", "encoder", "preset", "size", "seed")) + ".")  # fmt: skip
    if {r["code"] for r in records} - {code_hash()}:
        said.append("Some realisations were made by another state of the code than the present one.")
    if records:
        versions = ", ".join(f"{name} {version}" for name, version in records[-1]["versions"].items())
        said.append(f"Threads: {', '.join(sorted({str(r['threads']) for r in records}))}; {versions}.")
    return said


def pictures(jobs: list[Job], folder: Path) -> dict[str, dict[str, Any]]:
    """What the figure shows, by row and material: the exemplars, and the first realisation of every encoder."""
    rows: dict[str, dict[str, Any]] = {"exemplar": {}}
    for job in jobs:
        exemplar = corner(image_of(job.material), SIZES[0])
        results = structures(job, folder, exemplar)[:1] if job.size == SIZES[0] else []
        for result in results:
            rows["exemplar"][job.material] = exemplar
            rows.setdefault(job.source, {})[job.material] = result
    return rows


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", nargs="+", choices=MATERIALS, default=list(MATERIALS), metavar="MATERIAL")
    parser.add_argument("--encoders", nargs="+", default=list(ENCODERS))
    parser.add_argument("--presets", nargs="+", default=["default"])
    parser.add_argument("--seeds", nargs="+", type=int, default=[0, 1, 2, 3, 4])
    parser.add_argument("--sizes", nargs="+", type=int, choices=SIZES, default=list(SIZES))
    parser.add_argument("--threads", type=int)
    parser.add_argument("--output", type=Path, default=Path("build/benchmark"))
    parser.add_argument("--summary", action="store_true", help="only sum up what is there")
    parser.add_argument("--markdown", type=Path, help="write the tables here too")
    parser.add_argument("--figure", type=Path, help="write the picture here (PNG)")
    parser.add_argument("--job", help=argparse.SUPPRESS)  # what a process of its own is told
    return parser.parse_args()


def main() -> None:
    args = arguments()
    args.output.mkdir(parents=True, exist_ok=True)
    if args.job:
        work(Job(**json.loads(args.job)), args.output)
        return
    for name in args.only:
        image_of(name)  # ends here where one is not at hand
    jobs = [
        Job(name, encoder, preset, size, tuple(args.seeds if size == SIZES[0] else args.seeds[:1]), args.threads)
        for size in args.sizes
        for encoder in args.encoders
        for preset in args.presets
        for name in args.only
    ]
    if not args.summary:
        run(jobs, args.output)
    summary = summarise(jobs, args.output)
    (args.output / "summary.json").write_text(json.dumps(summary, indent=1), encoding="utf-8")
    from reconstruction_tables import figure, markdown  # after the realisations: the parent of their processes is small

    text = markdown(summary)
    print(text)
    if args.markdown:
        args.markdown.write_text(text, encoding="utf-8")
    if args.figure:
        figure(pictures(jobs, args.output), args.figure)


if __name__ == "__main__":
    main()
