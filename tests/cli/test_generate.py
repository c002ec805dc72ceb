import re

import h5py
import numpy as np
import pandas as pd
import pytest
from pool_runs import digests

from matlens.cli.app import main
from matlens.microstructure.commands.generate import run as generating
from matlens.microstructure.problems import FAMILIES
from matlens.microstructure.properties import read_structures
from matlens.runs.directory import RunDirectory

pytestmark = pytest.mark.end_to_end

TINY = ("--size", 32, "--conductivity-contrast", "10,50", "--stiffness-contrast", 10, "--workers", 1)
FILES = ("structures.h5", "test.h5", "labels.csv", "test_labels.csv")


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(capsys, *arguments):
    with pytest.raises(SystemExit) as end:
        main([str(argument) for argument in arguments])
    printed = capsys.readouterr()
    return end.value.code, printed.out, printed.err


def content(run):
    return {name: (run / name).read_bytes() for name in FILES}


def test_generate_writes_sets_tables_and_a_report(folder, capsys):
    code, out, err = run(capsys, "generate", "-o", "run", "-n", 14, "--test", 6, *TINY)
    assert code == 0, err
    assert "14 structures of 32 x 32 px to learn from: 6 families, 12 properties each" in out
    found, test = read_structures("run/structures.h5"), read_structures("run/test.h5")
    assert (len(found), len(test)) == (14, 6)
    labels = pd.read_csv("run/labels.csv")
    assert labels["structure"].tolist() == found.names.tolist()
    assert np.array_equal(labels[found.targets.columns], found.targets)
    assert set(labels["family"]) == set(FAMILIES)
    assert found.provenance["recipe"]["seed"] == 0
    with RunDirectory("run") as directory:
        assert directory.status == "finished"
        assert directory.settings["options"]["n"] == 14
        assert {"torch", "threads"} <= directory.provenance["environment"].keys()
    html = (folder / "run" / "report.html").read_text(encoding="utf-8")
    assert found.sha256 in html
    assert test.sha256 in html
    assert html.count("data:image/png;base64,") == 2
    assert "@article{willot2015fourier" in html
    assert not re.search(r"<script|<link|@import", html)
    assert not list((folder / "run" / ".state").rglob("*.h5"))


def test_another_seed_changes_the_training_set_only(folder, capsys):
    for seed in (0, 1):
        options = ("--seed", seed, "-n", 3, "--test", 3, "--stiffness-contrast", "none", "--size", 32, "--workers", 1)
        assert run(capsys, "generate", "-o", f"run{seed}", *options, "-q")[0] == 0
    one, other = content(folder / "run0"), content(folder / "run1")
    assert {name: one[name] == other[name] for name in FILES} == {
        "structures.h5": False,
        "test.h5": True,
        "labels.csv": False,
        "test_labels.csv": True,
    }


def test_an_interrupted_run_is_resumed_to_the_same_bytes(folder, capsys, monkeypatch):
    assert run(capsys, "generate", "-o", "whole", "-n", 30, "--test", 13, *TINY)[0] == 0
    made = generating.make_samples
    calls = []

    def interrupted(*arguments, **options):
        calls.append(arguments)
        if len(calls) == stop:
            raise KeyboardInterrupt
        return made(*arguments, **options)

    monkeypatch.setattr(generating, "make_samples", interrupted)
    stop = 2
    code, _, err = run(capsys, "generate", "-o", "run", "-n", 30, "--test", 13, *TINY)
    assert code == 130
    assert "go on with 'matlens resume run'" in err
    assert len(list((folder / "run" / ".state" / "train").glob("*.h5"))) == 1
    calls, stop = [], 4  # the training set takes two more calls, the test set two: within the test set
    assert run(capsys, "resume", "run", "--workers", 1)[0] == 130
    assert (folder / "run" / "structures.h5").is_file()
    calls, stop = [], 0
    assert run(capsys, "resume", "run", "--workers", 1)[0] == 0
    assert len(calls) == 1  # nothing is made twice
    assert content(folder / "run") == content(folder / "whole")


def test_a_damaged_result_is_noticed(folder, capsys):
    run(capsys, "generate", "-o", "run", "-n", 3, "--test", 0, *TINY)
    assert not (folder / "run" / "test.h5").exists()
    file = folder / "run" / "structures.h5"
    with h5py.File(file, "r+") as opened:
        opened["labels"][0, 0, :2] = 1 - opened["labels"][0, 0, :2]
    code, _, err = run(capsys, "report", "run")
    assert code == 2
    assert "the structures in run/structures.h5 are not those it was written with" in err


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--families", "sponge"), "families must be some of fields"),
        (("--conductivity-contrast", "ten"), "the contrasts 'ten' are not understood"),
        (("--conductivity-contrast", "0"), "contrasts of conductivity must be positive"),
        (("--stiffness-contrast", "10,10"), "stands there twice"),
        (("--conductivity-contrast", "none", "--stiffness-contrast", "none"), "there would be no property to learn"),
        (("--size", "big"), "is not understood"),
        (("--size", "64x64x64"), "one side or two"),
        (("--size", "16"), "at least 32 pixels"),
        (("-n", "0"), "it must be at least 1"),
        (("--device", "cuda"), "No such option: --device"),
    ],
)
def test_bad_options_leave_nothing_behind(folder, capsys, options, message):
    code, _, err = run(capsys, "generate", "-o", "run", "-n", 2, "--test", 0, "--workers", 1, *options)
    assert code == 2
    assert message in err
    assert err.strip().count("\n") == 0
    assert not (folder / "run").exists()


def test_workers_make_chunks_to_the_same_bytes(folder, capsys, monkeypatch, request):
    monkeypatch.setattr(generating, "CHUNK", 3)
    words = ("generate", "-n", 7, "--test", 4, *TINY)
    assert run(capsys, *words, "-o", "alone")[0] == 0
    pool = request.getfixturevalue("replayed")
    code, _, err = run(capsys, *words, "-o", "shared")
    assert code == 0, err
    assert pool.made == {"train": 3, "test": 2}
    assert digests(folder / "shared") == digests(folder / "alone")
