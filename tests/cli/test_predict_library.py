"""predict with the model of a library, through the command line."""

import os
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure

from matlens.cli.app import main
from matlens.library.commands.predict import run as predict_library
from matlens.library.io import read_library, write_library
from matlens.library.model import LibraryModel
from matlens.library.table import MaterialsLibrary

pytestmark = pytest.mark.end_to_end

AXIS = [300.0, 310.0, 320.0, 330.0]


def samples(count, seed=0, spectra=True):
    """P grows with W and with the second channel."""
    random = np.random.default_rng(seed)
    w = random.uniform(0, 0.1, count)
    fractions = np.stack([0.5 * (1 - w), 0.5 * (1 - w), w, np.zeros(count)], 1)
    found = pd.DataFrame(fractions, columns=["Bi", "V", "W", "Tb"])
    found.insert(0, "Sample", [f"{seed}{row:02d}" for row in range(count)])
    state = random.normal(size=count)
    if spectra:
        for place in AXIS:
            found[f"{place}"] = 1 + 0.1 * (place == 310) * state + 0.01 * random.normal(size=count)
    return found.assign(P_mW_cm2=2 + 10 * w + (0.1 * state if spectra else 0))


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.setattr(Figure, "savefig", lambda self, file, **options: file.write(b"drawn"))
    (tmp_path / "work").mkdir()
    monkeypatch.chdir(tmp_path / "work")
    samples(30, seed=1).to_csv("../new.csv", index=False)
    return tmp_path


@pytest.fixture(scope="module")
def models(tmp_path_factory):
    """Of composition and spectrum; of composition alone, on a logarithm; and one without intervals."""
    place, kept = tmp_path_factory.mktemp("models"), {}
    for name, spectra, options in (
        ("both", True, {}),
        ("plain", False, {"transform": "log10"}),
        ("none", False, {"resample": "none"}),
    ):
        samples(40, spectra=spectra).to_csv(place / "library.csv", index=False)
        model = LibraryModel(n_models=4, **options).fit(read_library(place / "library.csv"))
        model.save(place / name)
        kept[name] = model
    return place, kept


def run(capsys, *arguments):
    with pytest.raises(SystemExit) as end:
        main([str(argument) for argument in arguments])
    printed = capsys.readouterr()
    return end.value.code, printed.out, printed.err


def read(folder="run"):
    return pd.read_csv(f"{folder}/predictions.csv", dtype={"sample": str})


def test_samples_of_a_table_are_predicted_as_in_python(models, capsys):
    place, kept = models
    code, out, err = run(capsys, "library", "predict", place / "both", "../new.csv", "-o", "run")
    assert code == 0, err
    found, library = read(), read_library("../new.csv")
    assert found["sample"].tolist() == list(library.samples)
    np.testing.assert_allclose(found["predicted"], kept["both"].predict(library))
    np.testing.assert_allclose(found["spread"], kept["both"].predict_members(library).std(0), atol=1e-9)
    np.testing.assert_allclose(found[["low", "high"]], kept["both"].predict_interval(library))
    assert (found["value"] == library.merit()).all()
    scores = pd.read_csv("run/scores.csv").iloc[0]
    new = found[found["distance"] >= 0.01]
    assert scores["n"] == len(new)
    expected = 1 - np.mean((new["predicted"] - new["value"]) ** 2) / new["value"].var(ddof=0)
    assert scores["r2"] == pytest.approx(expected)
    assert expected > 0.8
    assert f"R² {expected:.3f}" in out
    assert "umehara2019analyzing" in Path("run/report.html").read_text(encoding="utf-8")
    assert run(capsys, "resume", "run")[0] == 0


def test_columns_may_stand_in_another_order_and_the_figure_of_merit_may_be_unknown(models, capsys):
    place, _ = models
    table = samples(30, seed=1).drop(columns="P_mW_cm2")
    table[["Sample", "W", "Tb", "V", "Bi", *map(str, AXIS[::-1])]].to_csv("../turned.csv", index=False)
    for file in ("new", "turned"):
        assert run(capsys, "library", "predict", place / "both", f"../{file}.csv", "-o", file)[0] == 0
    np.testing.assert_allclose(read("new")["predicted"], read("turned")["predicted"], rtol=1e-6)
    assert "value" not in read("turned")
    assert not Path("turned/scores.csv").exists()
    assert run(capsys, "report", "turned")[0] == 0


def test_single_samples_written_libraries_and_what_has_no_support(models, capsys):
    place, _ = models
    fractions = [[0.48, 0.48, 0.04, 0], [0.3, 0.3, 0.4, 0], [0.45, 0.45, 0.05, 0.05]]
    library = MaterialsLibrary(fractions, ("Bi", "V", "W", "Tb"), {"P": [2.5, np.nan, np.nan]}, {"P": "mW/cm2"})
    write_library(library, "../written.csv")
    write_library(library.select([0]), "../one.csv")
    code, out, _ = run(capsys, "library", "predict", place / "plain", "../written.csv", "-o", "run")
    assert code == 0
    found = read()
    assert found["support"].tolist() == [2, 0, 0]
    assert found["note"].isna().tolist() == [True, False, False]
    assert "with Tb" in found["note"][2]
    assert "2 of 3 samples are unlike the training data" in out
    assert "log10(mW/cm2)" in out
    assert found["value"][0] == pytest.approx(np.log10(2.5))
    assert run(capsys, "library", "predict", place / "plain", "../one.csv", "-o", "one")[0] == 0
    assert read("one")["predicted"][0] == pytest.approx(found["predicted"][0], rel=1e-6)
    same = pd.concat([samples(1), samples(1, seed=0).assign(Sample="twin")]).drop(columns="P_mW_cm2")
    same.to_csv("../same.csv", index=False)
    assert (
        run(capsys, "library", "predict", place / "both", "../same.csv", "-o", "same")[0] == 0
    )  # spectra may differ, at least


def test_without_members_that_did_not_see_a_sample_there_is_no_interval(models, capsys):
    place, _ = models
    assert run(capsys, "library", "predict", place / "none", "../new.csv", "-o", "run")[0] == 0
    assert read()[["low", "high"]].isna().all(axis=None)
    assert read()["inside"].isna().all()
    assert "no intervals" in Path("run/provenance.json").read_text(encoding="utf-8")


def test_an_interrupted_run_goes_on_with_the_same_samples_and_the_same_model_only(models, capsys, monkeypatch):
    place, kept = models
    whole = predict_library.prediction_support

    def interrupted(*arguments):
        raise KeyboardInterrupt

    monkeypatch.setattr(predict_library, "prediction_support", interrupted)
    assert run(capsys, "library", "predict", place / "both", "../new.csv", "-o", "run")[0] == 130
    monkeypatch.setattr(predict_library, "prediction_support", whole)
    samples(30, seed=2).to_csv("../new.csv", index=False)
    code, _, err = run(capsys, "resume", "run")
    assert code == 2
    assert "has changed" in err
    samples(30, seed=1).to_csv("../new.csv", index=False)
    assert run(capsys, "resume", "run")[0] == 0
    np.testing.assert_allclose(read()["predicted"], kept["both"].predict(read_library("../new.csv")))


def test_units_and_mass_fractions_are_converted_and_formulas_read(models, capsys):
    place, _ = models
    table = samples(6, seed=3, spectra=False)
    table.to_csv("../as_learned.csv", index=False)
    table.rename(columns={"P_mW_cm2": "P (W/m2)"}).assign(**{"P (W/m2)": 10 * table["P_mW_cm2"]}).to_csv(
        "../units.csv", index=False
    )
    weights = {"Bi": 208.98, "V": 50.942, "W": 183.84, "Tb": 158.93}
    grams = table[list(weights)] * pd.Series(weights)
    percent = 100 * grams.div(grams.sum(axis=1), axis=0)
    table.drop(columns=list(weights)).join(percent.add_suffix(" (wt%)")).to_csv("../mass.csv", index=False)
    formulas = ["".join(f"{name}{row[name]:.12f}" for name in weights if row[name]) for _, row in table.iterrows()]
    table.drop(columns=list(weights)).assign(composition=formulas).to_csv("../formulas.csv", index=False)
    tables = {}
    for name in ("as_learned", "units", "mass", "formulas"):
        code, _, err = run(capsys, "library", "predict", place / "plain", f"../{name}.csv", "-o", name)
        assert code == 0, err
        tables[name] = read(name)
    for name in ("units", "mass", "formulas"):
        np.testing.assert_allclose(tables[name]["predicted"], tables["as_learned"]["predicted"], rtol=1e-5)
        np.testing.assert_allclose(tables[name]["value"], tables["as_learned"]["value"])
    assert "converted from W/m2 to mW/cm2" in Path("units/provenance.json").read_text(encoding="utf-8")
    assert "converted to atomic fractions" in Path("mass/provenance.json").read_text(encoding="utf-8")


BAD = {
    "no such component": (lambda: samples(3).drop(columns="W"), (), ("'W'",)),
    "not closing": (lambda: samples(3).assign(Tb=0.05), (), ("sum to 1", "line 2")),
    "other axis": (lambda: samples(3).drop(columns="310.0"), (), ("3 channels from 300 to 330", "same axis")),
    "no spectra": (lambda: samples(3, spectra=False), (), ("no spectra", "4 channels")),
    "missing intensity": (lambda: samples(3).assign(**{"310.0": np.nan}), (), ("line 2", "310.0")),
    "a component that was not learned from": (
        lambda: samples(3).assign(Bi=lambda table: table["Bi"] - 0.1, Mn=0.1),
        (),
        ("do with Mn", "not among the components that are known"),
    ),
    "a unit of another quantity": (
        lambda: samples(3).rename(columns={"P_mW_cm2": "P (V)"}),
        (),
        ("P in V", "mW/cm2", "--unit P=UNIT"),
    ),
    "formulas of more elements": (
        lambda: samples(3).drop(columns=["Bi", "V", "W", "Tb"]).assign(composition=["BiV", "BiVMn", "BiVW"]),
        (),
        ("Mn", "which the model does not know"),
    ),
    "negative": (lambda: samples(3).assign(Bi=-0.1), (), ("line 2", "Bi")),
    "an option of structures": (
        lambda: samples(3),
        ("--labels", "labels.csv"),
        ("No such option", "--labels", "--help"),
    ),
    "two tables": (lambda: samples(3), ("../new.csv",), ("unexpected extra argument", "--help")),
}


@pytest.mark.parametrize("what", BAD)
def test_bad_samples_end_with_a_sentence_and_nothing_written(models, capsys, what):
    make, options, words = BAD[what]
    make().to_csv("../bad.csv", index=False)
    code, _, err = run(capsys, "library", "predict", models[0] / "both", "../bad.csv", *options)
    assert (code, err.count("\n")) == (2, 1), err
    for word in words:
        assert word in err
    assert os.listdir() == []
