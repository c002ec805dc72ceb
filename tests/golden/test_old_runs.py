"""Runs of the version before the package was rearranged: read, told again, gone on from, or refused in a sentence.

See make_runs_0.py for how they were made. Paths in their settings are those of no machine (/data/runs_0/...), so
nothing here finds the inputs unless it is given them.
"""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

OLD = Path(__file__).parent / "runs_0"
HALF = sorted(folder.name for folder in OLD.glob("half_*"))
FINISHED = sorted(folder.name for folder in OLD.iterdir() if folder.is_dir() and folder.name not in HALF)
ONE = ("--threads", 1)

pytestmark = [pytest.mark.end_to_end, pytest.mark.usefixtures("undrawn")]


def test_there_is_a_run_of_every_command():
    assert len(FINISHED) == 16
    assert HALF == ["half_learn_library", "half_reconstruct"]


@pytest.mark.parametrize("name", FINISHED)
def test_report_of_an_old_run(name, old, matlens, golden, headings, sound):
    copy = old(name)
    for member in (*copy.glob("*/settings.toml"), copy / "settings.toml"):
        code, out, err = matlens("report", member.parent)
        assert code == 0, err
        assert Path(out.strip()) == member.parent / "report.html"
    golden.holds(f"old_runs/{name}.headings.txt", headings(copy))
    sound(copy)


@pytest.mark.parametrize("name", FINISHED)
def test_settings_of_an_old_run(name, golden, settings_tree):
    golden.holds(f"old_runs/{name}.settings.txt", settings_tree(OLD / name))


@pytest.mark.parametrize("name", FINISHED)
def test_an_old_finished_run_has_nothing_to_resume(name, old, matlens):
    copy = old(name)
    code, out, err = matlens("resume", copy)
    assert code == 0, err
    assert "is finished; there is nothing to resume" in out
    assert json.loads((copy / "provenance.json").read_text(encoding="utf-8"))["status"] == "finished"


@pytest.mark.parametrize("force", [(), ("--force",)], ids=["", "force"])
@pytest.mark.parametrize("name", HALF)
def test_an_old_half_finished_run_is_refused_in_a_sentence(name, force, old, matlens):
    """Its state has another layout, which forcing does not change."""
    code, _, err = matlens("resume", old(name), *force)
    assert code == 2
    assert err.startswith("matlens: ")
    assert err.count("\n") == 1
    assert "start it again with 'matlens " in err


def same(found, told, close, anew=()):
    """The table holds what it held, but for columns that are judged anew; those that came later are not compared."""
    names = {"lower": "low", "upper": "high"}  # the ends of intervals have one word everywhere
    found, told = pd.read_csv(found), pd.read_csv(told).rename(columns=names)
    assert [column for column in found if column in told] == list(told)
    for column in told.drop(columns=list(anew)):
        if pd.api.types.is_float_dtype(told[column]):
            np.testing.assert_allclose(found[column], told[column], rtol=1e-6 if close else 1e-3, err_msg=column)
        else:
            assert found[column].equals(told[column]), column


def test_an_old_model_of_structures_predicts_as_it_did(old, matlens, same_machine):
    old("learn", "generate")
    code, _, err = matlens("predict", "learn", "generate/test.h5", "-o", "predicted", *ONE)
    assert code == 0, err
    close = same_machine("predicted", OLD / "predict")
    same("predicted/predictions.csv", OLD / "predict" / "predictions.csv", close)


def test_an_old_model_of_structures_predicts_a_picture(old, matlens):
    old("learn", "exemplar.tif")
    code, _, err = matlens("predict", "learn", "exemplar.tif", "-o", "predicted", *ONE)
    assert code == 0, err
    assert pd.read_csv("predicted/predictions.csv")["structure"].to_list() == ["exemplar.tif"]


def test_an_old_model_of_a_library_predicts_as_it_did(old, matlens, of_library, same_machine):
    old("learn_library", "new.csv")
    code, _, err = matlens(*of_library("predict"), "learn_library", "new.csv", "-o", "predicted", *ONE)
    assert code == 0, err
    close = same_machine("predicted", OLD / "predict_library")
    # Support is that of a sample's own neighbourhood now, which is stricter, and notes say so.
    same("predicted/predictions.csv", OLD / "predict_library" / "predictions.csv", close, anew=["support", "note"])


def test_an_old_reconstruction_is_compared(old, matlens):
    old("reconstruct", "exemplar.tif")
    code, _, err = matlens("compare", "reconstruct", "exemplar.tif", "-o", "compared", *ONE)
    assert code == 0, err
    assert Path("compared/errors.csv").is_file()


def test_old_statistics_are_a_target(old, matlens):
    old("characterize")
    asked = ("--target", "characterize/statistics.nc", "--shape", "32x32", "--set", "moves=1")
    code, _, err = matlens("reconstruct", *asked, "-o", "rebuilt", *ONE)
    assert code == 0, err
    assert np.load("rebuilt/realisation_0.npy").shape == (32, 32)


@pytest.mark.slow
def test_an_old_set_and_an_old_pruning_study_are_learned_from(old, matlens):
    """The study says that no network is needed: learn must understand what it reads there, and say so."""
    old("generate", "prune")
    code, _, err = matlens("learn", "generate", "--target", "k_00_c50", "--depth", "./prune", "-o", "model", *ONE)
    assert code in (0, 2)
    assert code == 0 or (err.startswith("matlens: ") and err.count("\n") == 1), err


@pytest.mark.slow
def test_an_old_model_of_structures_is_explained(old, matlens):
    old("learn", "generate")
    code, _, err = matlens("explain", "learn", "generate/test.h5", "-n", 1, "--flips", 6, "-o", "explained", *ONE)
    assert code == 0, err


@pytest.mark.slow
def test_an_old_model_of_a_library_is_explained_and_suggests(old, matlens, of_library):
    old("learn_library", "explain_library")
    explain = (*of_library("explain"), "learn_library", "--permutations", 0, "--steps", 0, "-o", "explained", *ONE)
    suggest = (*of_library("suggest"), "learn_library", "-n", 2, "--insight", "explain_library", "-o", "plan", *ONE)
    for arguments in (explain, suggest):
        code, _, err = matlens(*arguments)
        assert code == 0, err
    assert len(pd.read_csv("plan/suggestions.csv")) == 2
