"""Time the whole chain on a library of the published size: training, gradients of every model, and their correlations.

    python benchmarks/library_speed.py default          # 50 models of the preset "default", some two minutes
    python benchmarks/library_speed.py umehara2019      # the published 150 models exactly, about an hour on two cores
    python benchmarks/library_speed.py --summary

Each preset has a process of its own, so that the peak memory is its own, and leaves one file in the output folder. Run
it on an idle machine.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import time
from itertools import pairwise
from pathlib import Path

import torch

FOLDER = Path("build/benchmark/library_speed")
MODELS = {"default": 50, "umehara2019": 150}
# seconds that were asked for: training, gradients of all models, correlations of all columns with all
ASKED = {"default": (240, 60, 20), "umehara2019": (6000, 60, 20)}


def measure(preset: str, device: str, models: int) -> dict[str, float | str | int]:
    """Train on 1379 samples of 1015 channels, read all gradients, correlate all 1022 columns within each model."""
    from matlens.library.gradients import explain_library, gradient_correlations
    from matlens.library.model import LibraryModel
    from matlens.library.problems import LIBRARIES

    library = LIBRARIES["photoanode"](seed=0).library
    clock = [time.perf_counter()]
    model = LibraryModel(preset, n_models=models, device=device).fit(library)
    clock.append(time.perf_counter())
    model.gradients(library.compositions, library.spectra)
    clock.append(time.perf_counter())
    insight = explain_library(model, library, members=True)
    clock.append(time.perf_counter())
    gradient_correlations(insight)
    clock.append(time.perf_counter())
    seconds = dict(zip(("train", "gradients", "explain", "correlate"), (b - a for a, b in pairwise(clock))))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    return {
        "preset": preset,
        "models": models,
        "device": device,
        "threads": torch.get_num_threads(),
        "score on its own samples": model.score(library),
        "peak GiB": peak,
        **seconds,
    }


def summary() -> str:
    """What was measured beside what was asked."""
    heads = ("preset", "models", "device", "train", "(asked)", "gradients", "explain", "(asked)", "correlate",
             "(asked)", "peak GiB")  # fmt: skip
    lines = [heads, ("---",) * len(heads)]
    for file in sorted(FOLDER.glob("*.json")):
        row = json.loads(file.read_text())
        train, explain, correlate = ASKED[row["preset"]]
        times = [f"{row['train']:.0f} s", str(train), f"{row['gradients']:.1f} s", f"{row['explain']:.1f} s",
                 str(explain), f"{row['correlate']:.1f} s", str(correlate)]  # fmt: skip
        lines.append((row["preset"], str(row["models"]), row["device"], *times, f"{row['peak GiB']:.1f}"))
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("presets", nargs="*", choices=[*MODELS, []])
    parser.add_argument("--device", default="cpu", choices=["cpu", "cuda"])
    parser.add_argument("--models", type=int, help="other than 50 and 150, for a trial")
    parser.add_argument("--summary", action="store_true")
    parser.add_argument("--child", help=argparse.SUPPRESS)
    args = parser.parse_args()
    FOLDER.mkdir(parents=True, exist_ok=True)
    for preset in args.presets:
        models = args.models or MODELS[preset]
        if args.child:
            Path(args.child).write_text(json.dumps(measure(preset, args.device, models), indent=1), encoding="utf-8")
            continue
        file = FOLDER / f"{preset}_{models}_{args.device}.json"
        if not file.is_file():
            own = [sys.executable, __file__, preset, "--device", args.device, "--models", str(models)]
            subprocess.run([*own, "--child", str(file)], check=True)
    if args.summary or (args.presets and not args.child):
        print(summary())


if __name__ == "__main__":
    main()
