"""Items that fail cost only themselves: tables hold the others, failures are named, and a resumed run makes them."""

import json

import pandas as pd
import pytest
from pool_runs import digests

import matlens.cli.work
from matlens.cli.app import main
from matlens.microstructure.commands.generate import run as generating
from matlens.microstructure.io import write_microstructure
from matlens.microstructure.problems import gaussian_field
from matlens.microstructure.properties import read_structures
from matlens.microstructure.reconstruction import realisations
from matlens.runs.pool import Serial

pytestmark = pytest.mark.end_to_end

RECONSTRUCT = (
    "reconstruct",
    "field.npy",
    "--shape",
    "32x32",
    "--method",
    "gaussian-field",
    "-n",
    "3",
    "--threads",
    "1",
)
GENERATE = ("generate", "-n", "6", "--test", "2", "--size", "32", "--families", "sheets", "--pool", "serial")
GENERATE += ("--conductivity-contrast", "10", "--stiffness-contrast", "10")


class Workers:
    """A pool that works in this process, and that no command takes for one without workers."""

    def map(self, work, keys, progress):
        """Make the results; a failure is that of a task."""
        return Serial().map(work, keys, progress)


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write_microstructure(gaussian_field((64, 64), 3.0, 0.4, seed=0), "field.npy")


def outcome(capsys, *words):
    with pytest.raises(SystemExit) as end:
        main(list(words))
    printed = capsys.readouterr()
    return end.value.code, printed.out, printed.err


@pytest.fixture(params=["one process", "workers"])
def pool(request, monkeypatch):
    if request.param == "workers":
        monkeypatch.setattr(matlens.cli.work, "with_pool", lambda command, options, spreading: (options, Workers()))


@pytest.fixture
def broken(monkeypatch):
    """Numbers of the realisations that fail, which a test may change."""
    numbers = set()
    finished = realisations._finished

    def failing(made, task):
        if task.realisation in numbers:
            raise ValueError(f"realisation {task.realisation} has no solution.")
        return finished(made, task)

    monkeypatch.setattr(realisations, "_finished", failing)
    return numbers


@pytest.mark.usefixtures("pool")
def test_a_realisation_that_fails_costs_only_itself(tmp_path, capsys, broken):
    assert outcome(capsys, *RECONSTRUCT, "-o", "whole")[0] == 0
    broken.add(1)
    code, said, complaint = outcome(capsys, *RECONSTRUCT, "-o", "run")
    assert code == 1
    assert "realisation_1 failed: realisation 1 has no solution." in complaint
    assert "report:" in said
    run, whole = tmp_path / "run", tmp_path / "whole"
    assert not (run / "realisation_1.npy").exists()
    for number in (0, 2):
        assert (run / f"realisation_{number}.npy").read_bytes() == (whole / f"realisation_{number}.npy").read_bytes()
    assert sorted(set(pd.read_csv(run / "fractions.csv")["realisation"])) == [0, 2]
    assert json.loads((run / "provenance.json").read_text())["failed"] == {
        "realisation_1": "realisation 1 has no solution."
    }
    assert (run / "verdict.json").is_file()
    broken.clear()
    assert outcome(capsys, "resume", "run")[0] == 0
    assert digests(run) == digests(whole)


@pytest.mark.usefixtures("pool")
def test_a_run_all_of_whose_realisations_fail_has_failed(tmp_path, capsys, broken):
    broken.update(range(3))
    code, _, complaint = outcome(capsys, *RECONSTRUCT, "-o", "run")
    assert code == 1
    assert "none of 3 realisations could be made; the first: realisation 0 has no solution" in complaint
    assert not (tmp_path / "run" / "report.html").exists()


def test_a_chunk_that_fails_costs_only_its_structures(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(generating, "CHUNK", 2)
    assert outcome(capsys, *GENERATE, "-o", "whole")[0] == 0
    chunk = generating._chunk

    def failing(recipe, ends):
        if recipe.split == "train" and ends == (2, 4):
            raise ValueError("the solver did not converge.")
        return chunk(recipe, ends)

    monkeypatch.setattr(generating, "_chunk", failing)
    code, _, complaint = outcome(capsys, *GENERATE, "-o", "run")
    assert code == 1
    assert "train structures 2 to 3 failed: the solver did not converge." in complaint
    whole = read_structures("whole/structures.h5").names.tolist()
    assert read_structures("run/structures.h5").names.tolist() == whole[:2] + whole[4:]
    assert (tmp_path / "run" / "test.h5").read_bytes() == (tmp_path / "whole" / "test.h5").read_bytes()
    monkeypatch.setattr(generating, "_chunk", chunk)
    assert outcome(capsys, "resume", "run", "--pool", "serial")[0] == 0
    assert digests(tmp_path / "run") == digests(tmp_path / "whole")
