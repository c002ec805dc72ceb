"""learn, explain, suggest, resume and report with libraries, through the command line."""

import os
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from matplotlib.figure import Figure
from pool_runs import digests

from matlens.cli.app import main
from matlens.library.commands.explain import run as explaining
from matlens.library.commands.learn import run as learning
from matlens.library.io import read_library
from matlens.library.model import LibraryModel
from matlens.library.model.presets.default import DEFAULT
from matlens.library.model.presets.registry import PRESETS
from matlens.runs.directory import RunDirectory
from matlens.runs.state_store import RunStateStore

pytestmark = pytest.mark.end_to_end

QUICK = ("--models", 4, "--scoring-models", 2, "--folds", 2, "--repeats", 1, "--systems", 1, "--baselines", "ridge",
         "--threads", 1)  # fmt: skip
CHEAP = ("--permutations", 2, "--permuted-models", 2, "--steps", 4, "--threads", 1)
COMPONENTS = ["Bi", "V", "W", "Mo", "Tb"]


def table(rows=30, channels=10, seed=0):
    """W raises P, Mo lowers it, so does the intensity near the middle of the axis; Tb is in no sample."""
    random = np.random.default_rng(seed)
    x = np.zeros((rows, 5))
    kind = np.arange(rows) % 4
    added = random.choice([0.02, 0.04, 0.06, 0.08], size=rows)
    x[:, 2] = np.where(kind == 0, added, np.where(kind == 2, added / 2, 0))
    x[:, 3] = np.where(kind == 1, added, np.where(kind == 2, added / 2, 0))
    ratio = random.choice([0.48, 0.52], size=rows)
    x[:, 0] = (1 - x.sum(1)) * ratio
    x[:, 1] = 1 - x.sum(1)
    axis = np.linspace(300, 390, channels)
    spectra = 1 + 0.2 * np.exp(-(((axis - 345) / 15) ** 2)) * random.normal(size=(rows, 1))
    spectra += 0.01 * random.normal(size=spectra.shape)
    merit = 2 + 10 * x[:, 2] - 10 * x[:, 3] - 0.3 * (spectra[:, channels // 2] - 1) + 0.01 * random.normal(size=rows)
    found = pd.DataFrame(x, columns=COMPONENTS)
    found.insert(0, "Sample", [f"{row:03d}" for row in range(rows)])
    found[[f"{place:.1f}" for place in axis]] = spectra
    return found.assign(P_mW_cm2=merit)


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    """Figures are made and not drawn, and networks trained shortly: both are tested elsewhere."""
    short = replace(DEFAULT, stages=lambda inputs: tuple(replace(one, epochs=60) for one in DEFAULT.stages(inputs)))
    monkeypatch.setitem(PRESETS, "default", short)
    monkeypatch.setattr(Figure, "savefig", lambda self, file, **options: file.write(b"drawn"))


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    (tmp_path / "work").mkdir()
    monkeypatch.chdir(tmp_path / "work")
    table().to_csv(tmp_path / "library.csv", index=False)
    table().drop(columns=[name for name in table() if name[0] == "3"]).to_csv(tmp_path / "plain.csv", index=False)
    return tmp_path


def run(capsys, *arguments):
    with pytest.raises(SystemExit) as end:
        main([str(argument) for argument in arguments])
    printed = capsys.readouterr()
    return end.value.code, printed.out, printed.err


def test_from_a_table_to_suggestions(folder, capsys):
    code, out, err = run(capsys, "library", "learn", "../library.csv", "--target", "P", "-o", "model", *QUICK)
    assert code == 0, err
    assert re.search(r"With compositions left out: R² \S+ .* best single model \(\S+\)", out)
    scores = pd.read_csv("model/scores.csv")
    assert scores.groupby("partition")["model"].apply(list).to_dict() == {
        name: ["model", "ensemble", "gaussian-process", "kernel-ridge", "ridge"]
        for name in ("grouped", "regions", "systems")
    }
    held_out = pd.read_csv("model/held_out.csv", dtype={"sample": str})
    own = held_out[(held_out["model"] == "model") & (held_out["partition"] == "grouped")]
    assert sorted(own["sample"]) == [f"{row:03d}" for row in range(30)]  # each once, under its own name
    error = ((own["predicted"] - own["value"]) ** 2).mean()
    assert 1 - error / own["value"].var(ddof=0) == pytest.approx(scores["r2"][0])
    assert LibraryModel.load("model").library_.components == tuple(COMPONENTS)
    check_explained(folder, capsys)
    check_suggested(capsys)


def check_explained(folder, capsys):
    (folder / "library.csv").unlink()  # the model holds what it needs
    asked = ("--host", "W=V,Mo=V", "--region", "W=1:8", "--region", "clusters:2")
    code, out, err = run(capsys, "library", "explain", "model", "-o", "insight", *asked, *CHEAP)
    assert code == 0, err
    assert re.search(r"\d+ statements: \d+ supported, \d+ weak, \d+ unsupported", out)
    with xr.open_dataset("insight/gradients.nc", engine="h5netcdf") as data:
        insight = data.load()
    assert insight["composition_gradient"].dims == ("scheme", "kind", "sample", "component")
    assert insight["exchange_host"].to_series().to_dict() | {"Tb": "", "Bi": ""} == {
        "Bi": "", "V": insight["exchange_host"].sel(component="V").item(), "W": "V", "Mo": "V", "Tb": "",
    }  # fmt: skip
    assert list(insight["sample"].values) == [f"{row:03d}" for row in range(30)]
    assert (insight["support"].sel(component="Tb") == 0).all()
    assert "model" not in insight.dims
    assert insight.attrs["schema_version"]
    mean = insight["composition_gradient"].sel(scheme="dilution", kind="total").mean("sample")
    assert float(mean.sel(component="W")) > 0 > float(mean.sel(component="Mo"))
    regions = pd.read_csv("insight/regions.csv")
    assert {"all samples", "merit 90 to 100 %", "W 0.01 to 0.08"} < set(regions["region"])
    for name in ("groups", "correlations", "bands", "component_axis", "sanity", "ways", "conclusions", "statements"):
        assert (folder / "work" / "insight" / f"{name}.csv").is_file()


def check_suggested(capsys):
    asked = ("-n", 3, "--step", 1, "--bounds", "W=0:9", "--forbid", "W-Mo", "--insight", "insight")
    code, out, err = run(capsys, "library", "suggest", "model", "-o", "plan", *asked)
    assert code == 0, err
    assert "3 suggestions for more P" in out
    plate = pd.read_csv("plan/plate.csv")
    assert plate[COMPONENTS].sum(axis=1).to_list() == pytest.approx([100] * 3)
    assert np.allclose(plate[COMPONENTS] % 1, 0)
    assert not ((plate["W"] > 0) & (plate["Mo"] > 0)).any()
    assert (plate["W"] <= 9).all()
    suggestions = pd.read_csv("plan/suggestions.csv")
    assert (suggestions["rank"] == [1, 2, 3]).all()
    assert run(capsys, "report", "plan")[0] == 0
    html = Path("plan/report.html").read_text(encoding="utf-8")
    assert suggestions["move"][0].removeprefix("'").split(" (")[0] in html
    assert "umehara2019analyzing" in html


def test_learning_stopped_anywhere_is_resumed_to_the_same_bytes(folder, capsys, monkeypatch):
    learn = ("library", "learn", "../plain.csv", "--target", "P", "--held-out", "grouped", *QUICK)
    assert run(capsys, *learn, "-o", "whole")[0] == 0
    saved, fitted = RunStateStore.save, []

    def stopped(self, key, state, *, force=False):
        fitted.append(key)
        if len(fitted) == 30:
            raise KeyboardInterrupt
        saved(self, key, state, force=True)

    monkeypatch.setattr(RunStateStore, "save", stopped)
    code, _, err = run(capsys, *learn, "-o", "run")
    assert code == 130
    assert "go on with 'matlens resume run'" in err
    assert list((folder / "work" / "run" / ".state").glob("fit/chunk_*.state.npz"))
    monkeypatch.setattr(RunStateStore, "save", saved)
    tried, calls = learning.held_out, []

    def interrupted(*arguments, **options):
        calls.append(arguments)
        if len(calls) == 3:
            raise KeyboardInterrupt
        return tried(*arguments, **options)

    monkeypatch.setattr(learning, "held_out", interrupted)
    assert run(capsys, "resume", "run")[0] == 130
    assert (folder / "work" / "run" / "model.json").is_file()
    assert run(capsys, "resume", "run")[0] == 0
    assert len(calls) == 8 + 1  # four models on two folds; nothing that was finished is done twice
    with RunDirectory("run") as opened:
        assert opened.status == "finished"
    assert not [*Path("run/.state/fit").iterdir(), *Path("run/.state/trial").iterdir()]
    for name in ("arrays.safetensors", "held_out.csv", "scores.csv", "paired.csv", "checks.csv"):
        assert (folder / "work/run" / name).read_bytes() == (folder / "work/whole" / name).read_bytes(), name


@pytest.fixture
def model(folder):
    LibraryModel(n_models=4).fit(read_library(folder / "plain.csv"), "P").save("model")
    return folder / "work" / "model"


def test_explaining_is_resumed_and_models_and_hosts_are_checked(folder, model, capsys, monkeypatch):
    made, calls = explaining.label_null, []

    def interrupted(*arguments, **options):
        calls.append(arguments)
        if len(calls) == 2:
            raise KeyboardInterrupt
        return made(*arguments, **options)

    monkeypatch.setattr(explaining, "label_null", interrupted)
    explain = ("library", "explain", "model", "-o", "insight", *CHEAP[2:], "--permutations", 2, "--members")
    assert run(capsys, *explain)[0] == 130
    assert (folder / "work" / "insight" / "gradients.nc").is_file()
    assert run(capsys, "resume", "insight")[0] == 0
    assert len(calls) == 3
    with xr.open_dataset("insight/gradients.nc", engine="h5netcdf") as data:
        assert data["composition_gradient_members"].sizes["model"] == 4
        assert "axis" not in data.dims
    before = sorted(os.listdir())
    for host, words in (("Tb", "absent"), ("W=Xe", "Xe"), ("W=V=", "not understood")):
        code, _, err = run(capsys, "library", "explain", "model", "--host", host)
        assert (code, err.count("\n")) == (2, 1)
        assert words in err
    for region, words in (("W=1", "not understood"), ("Xe=1:2", "Xe"), ("W=90:95", "no sample"), ("best", "merit:0.5")):
        code, _, err = run(capsys, "library", "explain", "model", "--region", region)
        assert (code, err.count("\n")) == (2, 1)
        assert words in err
    for options, words in (
        (("--bounds", "Xe=0:8"), "Xe"),
        (("--bounds", "W"), "NAME=LOW:HIGH"),
        (("--forbid", "W"), "A-B"),
        (("--step", "0.3"), "found the step 0.3 %"),
        (("--insight", "model"), "explain"),
    ):
        code, _, err = run(capsys, "library", "suggest", "model", *options)
        assert (code, err.count("\n")) == (2, 1)
        assert words in err
    code, _, err = run(capsys, "library", "explain", "model", "--permutations", 1)
    assert code == 2
    assert "19" in err
    code, _, err = run(capsys, "library", "explain", "model", "../plain.csv")
    assert code == 2
    assert "unexpected extra argument" in err
    assert sorted(os.listdir()) == before


def changed(**columns):
    return table().assign(**columns)


def edited(row, column, value):
    found = table().astype(object)
    found.loc[row, column] = value
    return found


BAD = {
    "not closing": (lambda: edited(4, "Bi", 0.9), (), ("line 6",)),
    "negative": (lambda: edited(4, "Bi", -0.1), (), ("line 6", "Bi")),
    "missing": (lambda: edited(4, "V", np.nan), (), ("line 6", "V")),
    "infinite": (lambda: edited(4, "P_mW_cm2", np.inf), (), ("line 6", "P_mW_cm2")),
    "no number": (lambda: edited(4, "P_mW_cm2", "high"), (), ("line 6", "high")),
    "missing intensity": (lambda: edited(7, "310.0", np.nan), (), ("line 9", "310.0")),
    "twice on the axis": (lambda: table().rename(columns={"310.0": "300.00"}), (), ("300",)),
    "constant": (lambda: changed(P_mW_cm2=1.0), (), ("P", "nothing to learn")),
    "few samples": (lambda: table().head(6), ("--folds", "9"), ("9 folds",)),
    "one composition": (lambda: changed(Bi=0.5, V=0.5, W=0.0, Mo=0.0), (), ("same composition",)),
    "unknown target": (table, ("--target", "Q"), ("Q", "P")),
    "unknown component": (table, ("--components", "Bi,V,Xe"), ("Xe", "Bi")),
    "unknown preset": (table, ("--preset", "deep"), ("deep", "umehara2019")),
    "unknown partition": (table, ("--held-out", "months"), ("months", "grouped")),
    "unknown baseline": (table, ("--baselines", "oracle"), ("oracle", "ridge")),
    "unknown step": (table, ("--preprocessing", "iron"), ("iron", "snv")),
    "crop beyond": (table, ("--preprocessing", "crop:900:950"), ("900",)),
    "logarithm": (lambda: changed(P_mW_cm2=table()["P_mW_cm2"] - 2), ("--transform", "log10"), ("not positive",)),
    "an option of structures": (table, ("--encoder", "filterbank"), ("No such option", "--encoder", "--help")),
}


@pytest.mark.parametrize("what", BAD)
def test_bad_libraries_end_with_a_sentence_and_nothing_written(folder, capsys, what):
    make, options, words = BAD[what]
    make().to_csv(folder / "bad.csv", index=False)
    target = () if "--target" in options else ("--target", "P")
    code, _, err = run(capsys, "library", "learn", "../bad.csv", *target, *QUICK, *options)
    assert code == 2, err
    assert err.startswith("matlens: ")
    assert err.count("\n") == 1
    for word in words:
        assert word in err
    assert os.listdir() in ([], ["runs"])
    assert not os.path.isdir("runs") or os.listdir("runs") == []


def test_structures_and_their_models_are_sent_to_their_commands(folder, model, capsys):
    (folder / "pictures").mkdir()
    (folder / "pictures" / "one.tif").write_bytes(b"")
    code, _, err = run(capsys, "library", "learn", "../pictures", "--target", "k")
    assert (code, err.count("\n")) == (2, 1)
    assert "use 'matlens learn'" in err
    code, _, err = run(capsys, "library", "predict", "model", "../pictures/one.tif")
    assert (code, err.count("\n")) == (2, 1)
    assert "use 'matlens predict'" in err
    (folder / "structures").mkdir()
    (folder / "structures" / "model.json").write_text('{"schema": "matlens structure model 2"}')
    for command in (
        ("predict", "../structures", "../plain.csv"),
        ("explain", "../structures"),
        ("suggest", "../structures"),
    ):
        code, _, err = run(capsys, "library", *command)
        assert (code, err.count("\n")) == (2, 1)
        assert "holds a model of structures" in err
    code, _, err = run(capsys, "library", "suggest", "../pictures")
    assert code == 2
    assert "holds no model" in err
    assert os.listdir() == ["model"]


def test_a_run_stores_what_was_left_open(folder, capsys):
    asked = ("--held-out", "grouped", "--unit", "mW/cm2", "--censored", ">9")
    assert run(capsys, "library", "learn", "../plain.csv", *asked, *QUICK, "--target", "P", "-o", "run")[0] == 0
    with RunDirectory("run") as opened:
        options, left_open = opened.settings["options"], opened.settings["asked"]
    assert options["inputs"] == "composition"
    assert options["resample"] == DEFAULT.resample
    assert (options["merit_units"], options["censored"]) == (["P=mW/cm2"], ["P>9"])
    assert left_open["inputs"] == left_open["resample"] == "auto"


@pytest.mark.nightly
def test_workers_train_chunks_trials_and_permutations_to_the_same_bytes(folder, capsys, request, monkeypatch):
    learn = ("library", "learn", "../library.csv", "--target", "P", *QUICK)
    explain = ("library", "explain", "alone", *CHEAP)
    assert run(capsys, *learn, "-o", "alone")[0] == 0
    assert run(capsys, *explain, "-o", "explained")[0] == 0
    pool = request.getfixturevalue("replayed")
    code, _, err = run(capsys, *learn, "-o", "shared")
    assert code == 0, err
    assert pool.made == {"fit": 2, "trial": pool.made["trial"]}
    assert digests(folder / "work" / "shared") == digests(folder / "work" / "alone")
    write, written = explaining.write_gradients, []
    monkeypatch.setattr(explaining, "write_gradients", lambda *a, **k: (written.append(a), write(*a, **k)))
    code, _, err = run(capsys, *explain, "-o", "explained_shared")
    assert code == 0, err
    assert pool.made["permuted"] == 2
    assert len(written) == 1  # no worker explains the model before it trains another
    assert digests(folder / "work" / "explained_shared") == digests(folder / "work" / "explained")
