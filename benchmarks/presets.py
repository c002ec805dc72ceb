"""What each part of the preset `default` is worth: leave one out, reconstruct the seven materials, compare.

    python benchmarks/presets.py --seeds 11 12 --encoder vgg19-oxford --markdown table.md

Two processes of one thread each work side by side, so the seconds are for comparison within the table only. Finished
realisations are kept in the output folder and not made again.
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
    begun = time.perf_counter()
    result = reconstruct(exemplar, encoder=encoder, preset=variants()[variant], seed=seed)
    found = {**errors(result.microstructure, exemplar), "seconds": time.perf_counter() - begun}
    path.write_text(json.dumps({name: float(value) for name, value in found.items()}))


def table(jobs: list[tuple[str, str, str, int, Path]], encoder: str, seeds: list[int]) -> str:
    """Medians over materials and seeds."""
    rows = [
        f"Encoder {encoder}, seeds {', '.join(map(str, seeds))}; medians over seven materials of errors against the "
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


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, nargs="+", default=[11])
    parser.add_argument("--encoder", default="vgg19-oxford")
    parser.add_argument("--output", type=Path, default=Path("build/presets"))
    parser.add_argument("--markdown", type=Path)
    asked = parser.parse_args()
    asked.output.mkdir(parents=True, exist_ok=True)
    jobs = []
    for variant in variants():
        for material in MATERIALS:
            for seed in asked.seeds:
                name = f"{variant.replace(' ', '_')}_{material}_{asked.encoder}_{seed}.json"
                jobs.append((variant, material, asked.encoder, seed, asked.output / name))
    missing = [job for job in jobs if not job[4].exists()]
    print(f"{len(missing)} of {len(jobs)} realisations to make")
    with multiprocessing.get_context("spawn").Pool(2) as pool:
        for done, _ in enumerate(pool.imap_unordered(one, missing), 1):
            print(f"  {done} of {len(missing)}", flush=True)
    text = table(jobs, asked.encoder, asked.seeds)
    print(text)
    if asked.markdown:
        asked.markdown.write_text(text + "\n")


if __name__ == "__main__":
    main()
