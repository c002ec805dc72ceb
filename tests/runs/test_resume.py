"""A run killed at any moment ends, after resuming, with the same bytes as one that never stopped."""

import signal
import subprocess
import sys

import numpy as np
import pytest

from matlens.core.atomic import TEMPORARY
from matlens.microstructure.io import write_microstructure
from matlens.microstructure.problems import gaussian_field
from matlens.runs.directory import RunDirectory

pytestmark = pytest.mark.end_to_end

# Runs the command line, and kills or interrupts itself at the n-th call of one function: never a matter of timing.
DRIVER = """
import importlib, os, signal, sys
from matlens.runs import state_store
state_store.INTERVAL = 0.0
signal.signal(signal.SIGINT, signal.default_int_handler)  # tests in the background are started to ignore it
module, owner, name, number, after, kind = sys.argv[1].split(",")
if module:
    home = importlib.import_module(module)
    home = getattr(home, owner) if owner else home
    function, calls = getattr(home, name), []

    def stopping(*args, **options):
        calls.append(1)
        here = len(calls) == int(number)
        if here and after == "before":
            os.kill(os.getpid(), getattr(signal, kind))
        result = function(*args, **options)
        if here and after == "after":
            os.kill(os.getpid(), getattr(signal, kind))
        return result

    setattr(home, name, stopping)
from matlens.cli.app import main
main(sys.argv[2:])
"""
STOPS = [
    "matlens.microstructure.commands.reconstruct.run,,exemplars_of,1,before,SIGKILL",  # only settings.toml is there
    "matlens.runs.state_store,RunStateStore,save,4,after,SIGKILL",  # in the first realisation
    "matlens.microstructure.commands.realisation_store,RealisationStore,_write_labels,1,after,SIGKILL",  # no record yet
    "matlens.microstructure.commands.judging,,write_table,2,after,SIGKILL",  # among the tables
    "matlens.report.build,,_title,1,before,SIGKILL",  # in the report
]
TABLES = ["history.csv", "fractions.csv", "errors.csv", "ratios.csv", "curves.csv", "copy_test.csv", "verdict.json"]


def run_with(stop, *arguments, cwd):
    command = [sys.executable, "-c", DRIVER, stop, *arguments]
    return subprocess.run(command, cwd=cwd, capture_output=True, text=True)


@pytest.fixture
def asked(tmp_path):
    write_microstructure(gaussian_field((48, 48), 3.0, 0.4, seed=0), tmp_path / "field.npy")
    options = [
        "--shape",
        "32x32",
        "-n",
        "2",
        "--encoder",
        "filterbank",
        "--preset",
        "fast",
        "--threads",
        "1",
        "--seed",
        "5",
    ]
    return ["reconstruct", "field.npy", *options, "--quiet"]


def test_kills_cost_nothing(tmp_path, asked):
    whole = run_with(",,,0,,", *asked, "-o", "whole", cwd=tmp_path)
    assert whole.returncode == 0, whole.stderr
    command = [*asked, "-o", "parts"]
    for stop in STOPS:
        killed = run_with(stop, *command, cwd=tmp_path)
        assert killed.returncode == -signal.SIGKILL, (stop, killed.stderr)
        command = ["resume", "parts", "--quiet"]
    ended = run_with(",,,0,,", *command, cwd=tmp_path)
    assert ended.returncode == 0, ended.stderr
    names = [f"realisation_{i}.{suffix}" for i in range(2) for suffix in ("npy", "tif")] + TABLES
    different = [n for n in names if (tmp_path / "whole" / n).read_bytes() != (tmp_path / "parts" / n).read_bytes()]
    assert different == []
    assert not list((tmp_path / "parts").glob(TEMPORARY))
    again = run_with(",,,0,,", "resume", "parts", cwd=tmp_path)
    assert again.returncode == 0
    assert again.stdout.count("\n") == 1


STOPS_IN_SPACE = [
    "matlens.runs.state_store,RunStateStore,save,3,after,SIGKILL",  # while the volume is made
    "matlens.microstructure.statistics.equivalence.proposed,,formation_factor,3,before,SIGKILL",  # two are kept
    "matlens.microstructure.commands.reconstruct.in_space,,_proposed,2,before,SIGKILL",  # one was made of a half
]


@pytest.mark.nightly
def test_a_killed_volume_keeps_its_known_plane_and_ends_as_one_that_never_stopped(tmp_path):
    write_microstructure(gaussian_field((48, 48), 3.0, 0.4, seed=0), tmp_path / "section.npy")
    plane = gaussian_field((16, 24), 3.0, 0.4, seed=1)
    write_microstructure(plane, tmp_path / "known.npy")
    asked = ["reconstruct", "section.npy", "--shape", "16x24x24", "--anchor", "y=3:known.npy", "--preset", "fast",
             "--target-resamples", "1", "--threads", "1", "--quiet"]  # fmt: skip
    whole = run_with(",,,0,,", *asked, "-o", "whole", cwd=tmp_path)
    assert whole.returncode == 0, whole.stderr
    labels = np.load(tmp_path / "whole" / "realisation_0.npy")
    assert np.array_equal(labels[:, 3], plane.labels)
    command = [*asked, "-o", "parts"]
    for stop in STOPS_IN_SPACE:
        killed = run_with(stop, *command, cwd=tmp_path)
        assert killed.returncode == -signal.SIGKILL, (stop, killed.stderr)
        command = ["resume", "parts", "--quiet"]
        for file in tmp_path.glob("*.npy"):  # the run keeps what it needs of them
            file.unlink()
    ended = run_with(",,,0,,", *command, cwd=tmp_path)
    assert ended.returncode == 0, ended.stderr
    names = ["realisation_0.npy", "resampled_0/realisation_0.npy", "proposed.csv", "resampled.csv", *TABLES]
    different = [n for n in names if (tmp_path / "whole" / n).read_bytes() != (tmp_path / "parts" / n).read_bytes()]
    assert different == []


@pytest.mark.parametrize("kind", ["SIGINT", "SIGTERM"])
def test_an_interrupt_keeps_the_best_so_far(kind, tmp_path, asked):
    stop = f"matlens.runs.state_store,RunStateStore,save,3,after,{kind}"
    stopped = run_with(stop, *asked, "-o", "run", cwd=tmp_path)
    assert stopped.returncode == 130, stopped.stderr
    assert stopped.stderr.count("\n") == 1
    assert "matlens resume run" in stopped.stderr
    assert (tmp_path / "run" / "partial_0.npy").is_file()
    assert (tmp_path / "run" / "partial_0.tif").is_file()
    with RunDirectory(tmp_path / "run") as run:
        assert run.status == "interrupted"
