"""What each part of the preset `default` is worth: leave one out, reconstruct materials, compare.

    python benchmarks/presets.py --seeds 11 12 --encoder matlens --markdown table.md
    python benchmarks/presets.py --seeds 11 12 13 14 15 --variants default "without sharpening"

A second table pairs each variant with the default over materials and seeds. Two processes of one thread each work side
by side; seconds are of the processor. Finished realisations are kept in the output folder and not made again.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import time
from dataclasses import replace
from pathlib import Path

import numpy as np

MATERIALS = ("alloy", "carbonate", "ceramics", "composite", "copolymer", "pmma", "sandstone")
COLUMNS = ("s2_error", "lineal_path_error", "cluster_error", "euler_density_error", "seconds")


def variants() -> dict:
    """The default, and the default without one part at a time."""
    from matlens.microstructure.reconstruction import PRESETS

    full = PRESETS["default"]
    return {
        "default": full,
        "without coarse levels": replace(full, levels=False),
        "without the two-point term": replace(full, two_point=0.0),
        "without sharpening": replace(full, sharpening=()),
        "without pixel swaps": replace(full, swaps=0),
        "without mending": replace(full, mend=False),
        "without sharpening, 100 on the full size": replace(full, sharpening=(), fine=100),
        "without sharpening, 240 on coarse levels, 100 on the full size": replace(
            full, sharpening=(), coarse=240, fine=100
        ),
        "without sharpening, 80 on the full size": replace(full, sharpening=(), fine=80),
        "without sharpening, 80 on each level": replace(full, sharpening=(), coarse=80, fine=80),
        "100 on the full size": replace(full, fine=100),
        "80 on coarse levels, 100 on the full size": replace(full, coarse=80, fine=100),
        "fast": PRESETS["fast"],
    }


def one(job: tuple[str, str, str, int, Path]) -> None:
    variant, material, encoder, seed, path = job
    import torch

    from matlens import read_microstructure, reconstruct
    from matlens.core.registry import locate
    from matlens.microstructure.statistics import errors

    torch.set_num_threads(1)
    exemplar = read_microstructure(locate(f"li2018_{material}.npy")).crop(slice(0, 128), slice(0, 128))
    begun = time.process_time()
    result = reconstruct(exemplar, encoder=encoder, preset=variants()[variant], seed=seed)
    found = {**errors(result.microstructure, exemplar), "seconds": time.process_time() - begun}
    path.write_text(json.dumps({name: float(value) for name, value in found.items()}))


def table(jobs: list[tuple[str, str, str, int, Path]], encoder: str, seeds: list[int]) -> str:
    """Medians over materials and seeds."""
    rows = [
        f"Encoder {encoder}, seeds {', '.join(map(str, seeds))}; medians over materials of errors against the "
        "exemplar (Euler density: per 1000 pixels).",
        "",
        "| variant | two-point | lineal path | cluster | Euler density | seconds, one thread |",
        "|---|---|---|---|---|---|",
    ]
    for variant in dict.fromkeys(job[0] for job in jobs):
        found = [json.loads(job[4].read_text()) for job in jobs if job[0] == variant]
        values = [float(np.median([row[name] for row in found])) for name in COLUMNS]
        values[3] *= 1000
        rows.append(f"| {variant} | " + " | ".join(f"{v:.3f}" for v in values[:4]) + f" | {values[4]:.0f} |")
    return "\n".join(rows)


def paired(jobs: list[tuple[str, str, str, int, Path]]) -> str:
    """Mean differences from the default over materials and seeds, with standard errors."""
    rows = [
        "Differences from the default, paired over materials and seeds: mean and standard error.",
        "",
        "| variant | pairs | two-point | lineal path | cluster | Euler density | seconds |",
        "|---|---|---|---|---|---|---|",
    ]
    found = {job[0]: {} for job in jobs}
    for variant, material, _, seed, path in jobs:
        found[variant][material, seed] = json.loads(path.read_text())
    for variant in (variant for variant in found if variant != "default"):
        pairs = [(found[variant][key], found["default"][key]) for key in found[variant]]
        cells = []
        for name, unit in zip(COLUMNS, (1, 1, 1, 1000, 1)):
            change = unit * np.array([own[name] - full[name] for own, full in pairs])
            error = change.std(ddof=1) / len(change) ** 0.5 if len(change) > 1 else float("nan")
            cells.append(f"{change.mean():+.3f} ({error:.3f})")
        rows.append(f"| {variant} | {len(pairs)} | " + " | ".join(cells) + " |")
    return "\n".join(rows)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, nargs="+", default=[11])
    parser.add_argument("--encoder", default="matlens")
    parser.add_argument("--variants", nargs="+", default=list(variants()), choices=list(variants()))
    parser.add_argument("--materials", nargs="+", default=list(MATERIALS), choices=MATERIALS)
    parser.add_argument("--output", type=Path, default=Path("build/presets"))
    parser.add_argument("--markdown", type=Path)
    asked = parser.parse_args()
    asked.output.mkdir(parents=True, exist_ok=True)
    jobs = []
    for variant in asked.variants:
        for material in asked.materials:
            for seed in asked.seeds:
                name = f"{variant.replace(' ', '_')}_{material}_{asked.encoder}_{seed}.json"
                jobs.append((variant, material, asked.encoder, seed, asked.output / name))
    missing = [job for job in jobs if not job[4].exists()]
    print(f"{len(missing)} of {len(jobs)} realisations to make")
    with multiprocessing.get_context("spawn").Pool(2) as pool:
        for done, _ in enumerate(pool.imap_unordered(one, missing), 1):
            print(f"  {done} of {len(missing)}", flush=True)
    text = table(jobs, asked.encoder, asked.seeds)
    if "default" in asked.variants and len(asked.variants) > 1:
        text += "\n\n" + paired(jobs)
    print(text)
    if asked.markdown:
        asked.markdown.write_text(text + "\n")


if __name__ == "__main__":
    main()
