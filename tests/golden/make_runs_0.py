"""Make the run folders of ``runs_0``: one of each command, and two half-finished ones, as small as they can be.

This ran with the version before the package was rearranged (0.x), and is kept to show how the
fixtures were made; it is not meant to run with later versions, and its fixtures must never be made again: what they
are worth is that an older version wrote them. It was called as ``python tests/golden/make_runs_0.py FOLDER``.
"""

import os
import shutil
import sys
import tempfile
from functools import partial
from pathlib import Path
from unittest.mock import patch

import pytest
import torch
from matlens.io import write_library, write_microstructure
from matlens.problems import gaussian_field, photoanode

from matlens import runs
from matlens.cli import demo
from matlens.cli.app import main
from matlens.microstructure import Microstructure
from matlens.runs import checkpoint, fit_checkpoint

CHANNELS = 16
SIDE = 32
STAND_IN = "/data/runs_0"  # in place of the folder where the runs were made
DROPPED = ("figures", "previous", "report.html")
LIMIT = 300_000

TINY = ("--shape", "32x32", "--threads", 1)
LIBRARY = ("--models", 2, "--scoring-models", 2, "--folds", 2, "--repeats", 1, "--systems", 1, "--baselines", "ridge",
           "--threads", 1)  # fmt: skip

RUNS = {
    "reconstruct": ("exemplar.tif", *TINY, "--encoder", "filterbank", "--preset", "fast", "-n", 2),
    "annealing": ("reconstruct", "exemplar.tif", *TINY, "--method", "annealing", "--set", "moves=5"),
    "characterize": ("exemplar.tif", "--threads", 1),
    "rebuild": ("reconstruct", "--target", "characterize/statistics.nc", *TINY, "--set", "moves=5"),
    "compare": ("reconstruct", "exemplar.tif", "--threads", 1),
    "prune": ("large.tif", *TINY, "--encoder", "filterbank", "--preset", "fast", "--depths", "none,scale1", "-n", 1),
    "homogenize": ("exemplar.tif", "--conductivity", "0=1,1=50", "--threads", 1),
    "generate": ("-n", 24, "--test", 8, "--size", SIDE, "--families", "fields,sheets", "--conductivity-contrast", 50,
                 "--stiffness-contrast", "none", "--workers", 1),
    "learn": ("generate", "--target", "k_00_c50", "--encoder", "filterbank", "--depth", "scale4", "--head", "ridge",
              "--threads", 1),
    "predict": ("learn", "generate/test.h5", "--threads", 1),
    "explain": ("learn", "generate/test.h5", "-n", 2, "--flips", 6, "--threads", 1),
    "learn_library": ("learn", "library.csv", "--target", "P", *LIBRARY),
    "predict_library": ("predict", "learn_library", "new.csv", "--threads", 1),
    "explain_library": ("explain", "learn_library", "--permutations", 2, "--permuted-models", 2, "--steps", 4,
                        "--region", "clusters:2", "--threads", 1),
    "suggest": ("learn_library", "-n", 3, "--insight", "explain_library", "--threads", 1),
}  # fmt: skip
"""What was asked: arguments behind the command, which is the name of the folder or the first argument."""
COMMANDS = {"annealing", "rebuild", "learn_library", "predict_library", "explain_library"}


def make(folder: Path) -> None:
    inputs()
    for name, asked in RUNS.items():
        command = () if name in COMMANDS else (name,)
        run(0, *command, *asked, "-o", name)
    with patch.object(checkpoint.RunCheckpoint, "save", stopped_at(checkpoint.RunCheckpoint.save, 12)):
        run(130, "reconstruct", *RUNS["reconstruct"], "-o", "half_reconstruct")
    with patch.object(fit_checkpoint.FitCheckpoint, "save", stopped_at(fit_checkpoint.FitCheckpoint.save, 30)):
        run(130, *RUNS["learn_library"], "-o", "half_learn_library")
    demonstrate()
    for name in (*RUNS, "half_reconstruct", "half_learn_library", "demo"):
        keep(Path(name), folder / name)
    for name in ("exemplar.tif", "large.tif", "library.csv", "new.csv"):
        shutil.copy(name, folder / name)


def demonstrate() -> None:
    """Make a demonstration of one small picture, without its library."""
    small = partial(runs.Order, encoder="filterbank", preset="fast")
    with (
        patch.object(demo, "DEMO", {"bicontinuous": "problem:bicontinuous"}),
        patch.object(runs, "Order", lambda inputs, **asked: small(inputs, **{**asked, "shape": (SIDE, SIDE)})),
        patch.object(demo, "library_demo_in", lambda *arguments: None),
    ):
        run(0, "demo", "--threads", 1, "-o", "demo")


def inputs() -> None:
    """Write pictures, a small library, and samples to predict."""
    for name, side in (("exemplar", SIDE), ("large", 2 * SIDE)):
        field = gaussian_field((side, side), 3.0, 0.4, seed=0)
        write_microstructure(Microstructure(field.labels, 0.5, "um"), f"{name}.tif")
    library = photoanode(44, seed=0).library
    few = slice(None, None, len(library.axis) // CHANNELS)
    library = library.with_spectra(library.spectra[:, few], library.axis[few])
    write_library(library.select(range(40)), "library.csv")
    write_library(library.select(range(40, 44)), "new.csv")


def run(code: int, *arguments: object) -> None:
    words = [str(argument) for argument in arguments]
    with patch.object(sys, "argv", ["matlens", *words]), pytest.raises(SystemExit) as end:
        main(words)
    assert end.value.code == code, words


def stopped_at(saved, number):
    """Save always, and be interrupted the given time."""
    calls = []

    def save(self, part, state, *, force=False):
        calls.append(part)
        saved(self, part, state, force=True)
        if len(calls) == number:
            raise KeyboardInterrupt

    return save


def keep(run: Path, kept: Path) -> None:
    """Copy a run without what its report makes again, and without the paths of the machine."""
    shutil.rmtree(kept, ignore_errors=True)
    shutil.copytree(run, kept, ignore=shutil.ignore_patterns(*DROPPED, "lock", "*.pdf", "pooled_*"))
    for file in kept.rglob("*"):
        if file.suffix in (".toml", ".json", ".csv"):
            text = file.read_text(encoding="utf-8")
            file.write_text(text.replace(str(Path.cwd()), STAND_IN), encoding="utf-8", newline="\n")
    size = sum(file.stat().st_size for file in kept.rglob("*") if file.is_file())
    print(f"{kept.name}: {size / 1000:.0f} kB")  # noqa: T201
    assert size < LIMIT, kept


if __name__ == "__main__":
    target = Path(sys.argv[1]).absolute()
    target.mkdir(parents=True, exist_ok=True)
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as work:
        os.chdir(work)
        make(target)
