import json
import re
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import tifffile
from pool_runs import digests

from matlens.cli.app import main
from matlens.microstructure.commands import feature_cache
from matlens.microstructure.commands.learn import run as steps
from matlens.microstructure.commands.learn import tables as learn_tables
from matlens.microstructure.commands.learn import trials
from matlens.microstructure.commands.learn.spec import LearnSpec
from matlens.microstructure.commands.learn.tables import read_predictions
from matlens.microstructure.io import write_microstructure
from matlens.microstructure.problems import gaussian_field
from matlens.microstructure.properties import Recipe, StructurePropertyModel, StructureSet, generate_structures
from matlens.microstructure.properties.features import EncoderFeatures
from matlens.microstructure.segmentation import read_microstructure
from matlens.microstructure.structure import Microstructure
from matlens.runs.directory import RunDirectory

pytestmark = pytest.mark.end_to_end

QUICK = ("--encoder", "filterbank", "--depth", "scale4", "--head", "ridge", "--threads", 1)
TABLES = ("scores.csv", "predictions.csv", "coverage.csv")


@pytest.fixture(scope="module")
def made():
    recipe = Recipe(families=("fields", "sheets"), shape=(32, 32), conductivity_contrasts=(50,))
    return generate_structures(recipe, 26), generate_structures(Recipe(**{**vars(recipe), "split": "test"}), 9)


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch, made):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(feature_cache, "default_cache", lambda: tmp_path / "cache")
    made[0].write(tmp_path / "structures.h5")
    made[1].write(tmp_path / "test.h5")
    return tmp_path


@pytest.fixture
def few_baselines(monkeypatch):
    kept = {name: trials.BASELINES[name] for name in ("volume fraction, gp", "two-point, ridge")}
    monkeypatch.setattr(trials, "BASELINES", kept)


@pytest.fixture
def pictures(folder):
    """Twelve pictures with a table of labels; the property is the length of interface."""
    (folder / "pictures").mkdir()
    rows = []
    for index in range(12):
        field = gaussian_field((32, 32), 2 + 0.4 * index, 0.5, seed=index, periodic=False)
        write_microstructure(Microstructure(field.labels, 0.5, "um"), folder / "pictures" / f"p{index}.tif")
        rows.append((f"p{index}", 1 + np.abs(np.diff(field.labels.astype(float))).mean(), index // 2))
    pd.DataFrame(rows, columns=["file", "strength", "group"]).to_csv("labels.csv", index=False)
    return folder / "pictures"


def run(capsys, *arguments):
    with pytest.raises(SystemExit) as end:
        main([str(argument) for argument in arguments])
    printed = capsys.readouterr()
    return end.value.code, printed.out, printed.err


def test_learn_and_predict_from_end_to_end(folder, capsys, made):
    options = ("--test", "test.h5", "--curve", "8", "--draws", 2)
    code, out, err = run(capsys, "learn", "structures.h5", "--target", "k_00_c50", "-o", "model", *QUICK, *options)
    assert code == 0, err
    assert "k_00_c50 of 26 structures of 32x32 px, tested on 9 more" in out
    assert re.search(r"On 26 structures held out in folds: R² 0\.\d+ .* best baseline \(\w+", out)
    scores = pd.read_csv("model/scores.csv")
    assert scores.groupby("set").size().to_dict() == {"cross-validation": 5, "test": 5}
    check_scores(scores)
    model = StructurePropertyModel.load("model")
    assert (model.chosen_["depth"], model.chosen_["scale"]) == ("scale4", "bounds")  # 1 and 50, as the name tells
    test = read_predictions(folder / "model" / "test_predictions.csv")
    assert test["predicted"].to_numpy() == pytest.approx(model.predict(made[1].select(np.argsort(made[1].names))))
    curve = pd.read_csv("model/learning_curve.csv")
    assert curve.groupby("model").size().to_dict() == {"model": 2, "two-point, gp": 2, "volume fraction, gp": 2}
    html = (folder / "model" / "report.html").read_text(encoding="utf-8")
    for name in ("parity", "scores", "learning_curve"):
        assert (folder / "model" / "figures" / f"{name}.png").is_file()
    assert "@article{lei2018distribution" in html
    assert not list((folder / "model" / ".state").glob("trial/*"))

    code, out, err = run(capsys, "predict", "model", "test.h5", "-o", "predicted", "--threads", 1)
    assert code == 0, err
    found = read_predictions(folder / "predicted" / "predictions.csv").set_index("structure")
    assert found.loc[test["structure"], "predicted"].to_numpy() == pytest.approx(test["predicted"].to_numpy())
    own = pd.read_csv("predicted/scores.csv").iloc[0]
    told = scores[(scores["set"] == "test") & (scores["model"] == "model")].iloc[0]
    assert own["r2"] == pytest.approx(told["r2"])
    for name in ("model", "predicted"):
        (folder / name / "report.html").unlink()
        assert run(capsys, "report", name)[0] == 0
        assert (folder / name / "report.html").is_file()


def check_scores(scores):
    """The scores are those of the predictions beside them, and of nothing that was learned from."""
    table = read_predictions(learn_tables.Path("model/predictions.csv"))
    own = scores[(scores["set"] == "cross-validation") & (scores["model"] == "model")].iloc[0]
    log = np.log(table["value"]), np.log(table["predicted"])
    assert own["r2"] == pytest.approx(1 - ((log[0] - log[1]) ** 2).sum() / ((log[0] - log[0].mean()) ** 2).sum())
    error = (table["predicted"] / table["value"] - 1).abs().median()
    assert own["median_relative_error"] == pytest.approx(error)
    assert (own["behind"], own["n"]) == (0, 26)
    assert own["r2_low"] < own["r2"] < own["r2_high"]
    assert sorted(table["structure"]) == table["structure"].tolist()
    assert table["fold"].nunique() == 5


@pytest.mark.usefixtures("few_baselines")
def test_an_interrupted_run_is_resumed_to_the_same_tables(folder, capsys, monkeypatch):
    learn = ("learn", "structures.h5", "--target", "k_00_c50", *QUICK)
    assert run(capsys, *learn, "-o", "whole")[0] == 0
    tried, calls = steps.run_trial, []

    def interrupted(*arguments):
        calls.append(arguments)
        if len(calls) == 7:
            raise KeyboardInterrupt
        return tried(*arguments)

    monkeypatch.setattr(steps, "run_trial", interrupted)
    code, _, err = run(capsys, *learn, "-o", "run")
    assert code == 130
    assert "go on with 'matlens resume run'" in err
    assert (folder / "run" / "model.json").is_file()
    with RunDirectory("run") as opened:
        assert opened.status == "interrupted"
    assert run(capsys, "resume", "run")[0] == 0
    assert len(calls) == 7 + 15 - 6  # nothing is done twice
    for name in (*TABLES, "arrays.safetensors"):
        assert (folder / "run" / name).read_bytes() == (folder / "whole" / name).read_bytes(), name


@pytest.fixture(scope="module")
def kinds():
    """Noise of three kinds by name, twelve each; the property of the last is another function of the fraction."""
    random = np.random.default_rng(0)
    fractions = random.uniform(0.2, 0.6, 36)
    labels = (random.random((36, 32, 32)) < fractions[:, None, None]).astype(np.uint8)
    families = np.repeat(["a", "b", "odd"], 12)
    targets = pd.DataFrame({"strength": 1 + labels.mean((1, 2)) + (families == "odd")})
    return StructureSet.from_arrays(labels, families=families, targets=targets)


@pytest.mark.usefixtures("few_baselines")
def test_each_family_is_predicted_from_the_others_alone(folder, capsys, kinds, monkeypatch):
    kinds.write(folder / "kinds.h5")
    learn = ("learn", "kinds.h5", "--target", "strength", *QUICK)
    code, out, err = run(capsys, *learn, "-o", "whole")
    assert code == 0, err
    found = pd.read_csv("whole/families.csv").set_index(["family", "model"])
    assert len(found) == 9
    assert set(found["n"]) == {12}
    rest = kinds.select(kinds.families != "odd")
    alone = StructurePropertyModel(features="volume-fraction", head="gp", scale="linear").fit(rest, "strength")
    odd = kinds.select(kinds.families == "odd")
    value, error = odd.targets["strength"], odd.targets["strength"] - alone.predict(odd)
    row = found.loc["odd", "volume fraction, gp"]
    assert row["r2"] == pytest.approx(1 - (error**2).sum() / ((value - value.mean()) ** 2).sum())
    assert row["median_relative_error"] == pytest.approx((error / value).abs().median())
    assert found.loc["odd", "r2"].max() < -10
    assert re.search(
        r"Each of 3 families was predicted .* to \S+ \(odd\)\. The intervals are not guaranteed there", out
    )
    html = (folder / "whole" / "report.html").read_text(encoding="utf-8")
    assert "Intervals are not guaranteed there" in html
    assert (folder / "whole" / "figures" / "families.png").is_file()

    tried, calls = steps.run_trial, []

    def interrupted(trial, *others):
        calls.append(trial)
        if sum(trial.kind == "families" for trial in calls) == 5:
            calls[-1] = steps.Trial("stopped", "", 0, 0)
            raise KeyboardInterrupt
        return tried(trial, *others)

    monkeypatch.setattr(steps, "run_trial", interrupted)
    assert run(capsys, *learn, "-o", "parts")[0] == 130
    monkeypatch.setattr(steps, "run_trial", lambda trial, *others: calls.append(trial) or tried(trial, *others))
    assert run(capsys, "resume", "parts")[0] == 0
    assert sum(trial.kind == "families" for trial in calls) == 9
    for name in (*TABLES, "families.csv"):
        assert (folder / "parts" / name).read_bytes() == (folder / "whole" / name).read_bytes(), name


def test_families_are_left_out_without_their_groups_and_only_where_there_are_enough(kinds):
    def left_out(found, by="strength"):
        asked = trials.trials_of(found, None, 0, families_by=by)
        return [trial for trial in asked if (trial.kind, trial.contender) == ("families", "model")]

    families = kinds.families
    for trial, name in zip(left_out(kinds), ("a", "b", "odd"), strict=True):
        assert set(families[trial.held]) == {name}
        assert set(families[trial.train]) == {"a", "b", "odd"} - {name}
    shared = kinds.groups.copy()
    shared[12] = shared[0]  # a structure of b with one of a
    first = left_out(replace(kinds, groups=shared))[0]
    assert (12 in first.train, len(first.train), len(first.held)) == (False, 23, 12)
    assert left_out(kinds, by=None) == []
    assert left_out(kinds.select(np.arange(33))) == []  # nine of the last
    assert left_out(replace(kinds, families=np.where(families == "odd", "", families))) == []
    partly = replace(kinds, families=np.where(np.arange(36) < 2, "", families))
    assert [np.intersect1d(trial.train, [0, 1]).size for trial in left_out(partly)] == [0, 0, 0]  # of what kind?
    constant = replace(kinds, targets=pd.DataFrame({"strength": np.where(families == "odd", 2.0, 1.0)}))
    assert left_out(constant) == []


def test_networks_are_not_trained_without_each_family_and_say_so(kinds):
    network = LearnSpec(structures="kinds.h5", target="strength", head="network-free")
    assert {trial.kind for trial in steps.trials_of_run(network, (kinds, None))} == {"folds"}
    assert "families are not left out one by one" in steps.notes_of_run(network, kinds)[0]
    assert steps.notes_of_run(network, kinds.select(np.arange(24))) == []
    assert steps.notes_of_run(replace(network, head="auto"), kinds) == []


@pytest.mark.usefixtures("few_baselines")
def test_features_are_not_computed_again(folder, capsys, monkeypatch):
    learn = ("learn", "structures.h5", "--target", "k_00_c50", *QUICK)
    assert run(capsys, *learn, "-o", "one")[0] == 0
    monkeypatch.setattr(EncoderFeatures, "_pooled", None)
    assert run(capsys, *learn, "-o", "two", "--seed", 1)[0] == 0


@pytest.mark.usefixtures("few_baselines")
def test_pictures_with_labels_in_groups(folder, capsys, caplog, pictures):
    options = ("--labels", "labels.csv", "--target", "strength")
    code, _, err = run(capsys, "learn", pictures, *options, "-o", "model", *QUICK)
    assert code == 2
    assert "found 6 groups of labelled structures" in err  # twelve pictures of six specimens
    assert not (folder / "model").exists()
    pd.read_csv("labels.csv").drop(columns="group").to_csv("labels.csv", index=False)
    mapped = 255 * read_microstructure(pictures / "p3.tif").labels
    tifffile.imwrite(pictures / "p3.tif", mapped, imagej=True, resolution=(2, 2), metadata={"unit": "um"})
    code, out, _ = run(capsys, "learn", pictures, *options, "-o", "model", *QUICK)
    assert code == 0
    assert "p3.tif: TIFF, 2-D, 32 x 32 px (rows x columns), labels; pixel 0.5 um (ImageJ metadata); phases: 0 =" in out
    assert "Values were mapped to phases: 0 -> 0, 255 -> 1." in out
    assert "p4.tif" not in out  # of twelve files, those of which something was assumed
    model = StructurePropertyModel.load("model")
    assert (model.spacing_, model.unit_, model.periodic_) == ((0.5, 0.5), "um", False)

    # Single files, of another size and of another pixel size.
    large = gaussian_field((48, 40), 4, 0.5, seed=50, periodic=False)
    write_microstructure(Microstructure(large.labels, 2.0, "um"), folder / "large.tif")
    files = (folder / "large.tif", pictures / "p3.tif")
    code, _, err = run(capsys, "predict", "model", *files, "-o", "predicted")
    assert code == 0, err
    assert (
        "1 of 2 structures have another pixel size than those the model was trained on (0.5 um): large.tif"
        in caplog.text
    )
    with RunDirectory("predicted") as opened:
        assert "another pixel size" in opened.provenance["notes"][0]
    found = pd.read_csv("predicted/predictions.csv")
    assert found["structure"].tolist() == ["large.tif", "p3.tif"]
    assert {"low", "high", "distance", "in_domain"} <= set(found.columns)

    code, out, err = run(capsys, "predict", "model", pictures, "--labels", "labels.csv", "-o", "scored")
    assert code == 0, err
    assert "measured values lie inside" not in out  # the model has learned from these: their errors tell nothing
    with RunDirectory("scored") as opened:
        assert "12 of 12 structures are among those the model was trained on" in opened.provenance["notes"][0]


@pytest.mark.usefixtures("few_baselines")
def test_a_table_chooses_what_is_tested(folder, capsys, pictures):
    table = pd.read_csv("labels.csv").drop(columns="group")
    table.to_csv("labels.csv", index=False)
    table.iloc[::4].to_csv("held.csv", index=False)
    options = ("--labels", "labels.csv", "--target", "strength", "--test", "held.csv")
    assert run(capsys, "learn", pictures, *options, "-o", "model", *QUICK)[0] == 0
    learned = json.loads((folder / "model" / "model.json").read_text())["structures"]
    tested = read_predictions(folder / "model" / "test_predictions.csv")["structure"].tolist()
    assert tested == ["p0.tif", "p4.tif", "p8.tif"]
    assert len(learned) == 9
    assert not set(learned) & set(tested)


def test_a_group_is_not_torn_between_learning_and_testing(folder, capsys, pictures):
    pd.read_csv("labels.csv").drop(columns="group").iloc[[0, 2]].to_csv("held.csv", index=False)
    options = ("--labels", "labels.csv", "--target", "strength", "--test", "held.csv")
    code, _, err = run(capsys, "learn", pictures, *options, "-o", "model", *QUICK)
    assert code == 2
    assert "2 structures to learn from share a group with structures to test on: p1.tif, p3.tif" in err
    assert not (folder / "model").exists()


@pytest.mark.usefixtures("few_baselines")
def test_a_test_at_another_scale_is_said(folder, capsys, caplog, made):
    replace(made[1], spacing=(2.0, 2.0), unit="um").write(folder / "test.h5")
    options = ("--target", "k_00_c50", "--test", "test.h5")
    assert run(capsys, "learn", "structures.h5", *options, "-o", "model", *QUICK)[0] == 0
    assert "differ from those to learn from in spacing: (2.0, 2.0), not (1.0, 1.0)" in caplog.text


@pytest.mark.usefixtures("few_baselines")
def test_the_depth_comes_from_a_pruning_study(folder, capsys):
    (folder / "pruned").mkdir()
    study = {"layer": "scale2", "encoder": "filterbank", "materials": {}}
    (folder / "pruned" / "recommendation.json").write_text(json.dumps(study))
    options = ("--target", "k_00_c50", "--depth", "pruned", "--head", "ridge", "--threads", 1)
    assert run(capsys, "learn", "structures.h5", *options, "-o", "model")[0] == 0
    assert StructurePropertyModel.load("model").chosen_["depth"] == "scale2"
    code, _, err = run(capsys, "learn", "structures.h5", *options[:2], "--depth", "cache", "-o", "other")
    assert code == 2
    assert "holds no finished pruning study" in err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("library.csv", "--target", "k"), "use 'matlens library learn library.csv'"),
        (("nowhere", "--target", "k"), "nowhere (STRUCTURES); check the path"),
        (("pictures", "--target", "k"), "need a table of labels"),
        (("structures.h5", "--target", "k_eff"), "holds no target k_eff; it holds k_00_c50"),
        (
            ("structures.h5", "--target", "k_00_c50", "--head", "forest"),
            "found 'forest' for --head; choose auto, ridge",
        ),
        (
            ("structures.h5", "--target", "k_00_c50", "--scale", "cubic"),
            "found 'cubic' for --scale; choose auto, linear",
        ),
        (
            ("structures.h5", "--target", "k_00_c50", "--encoder", "resnet"),
            "found 'resnet' for --encoder; choose auto, matlens",
        ),
        (("structures.h5", "--target", "k_00_c50", "--depth", "pool9"), "has no layer 'pool9'"),
        (("structures.h5", "--target", "k_00_c50", "--phase-values", "1,two"), "are not understood"),
        (("structures.h5", "--target", "k_00_c50", "--phase-values", "1,2,3"), "as many phase values, found 3"),
        (("structures.h5", "--target", "k_00_c50", "--curve", "25,many"), "is not understood; write a list such as"),
        (("structures.h5", "--target", "k_00_c50", "--curve", "2000"), "may go from 5 to 20 groups here, found 2000"),
        (
            ("structures.h5", "--target", "k_00_c50", "--coverage", "90"),
            "found '90' for --coverage; it must be less than 1",
        ),
        (("structures.h5", "--target", "k_00_c50", "--test", "structures.h5"), "26 structures to test on are also"),
        (
            ("structures.h5", "--target", "k_00_c50", "--weights", "none.pth"),
            "none.pth (--weights); check the path",
        ),
        (("structures.h5",), "--target is missing; give the property to learn: a column of the labels"),
    ],
)
def test_bad_orders_end_with_a_sentence_and_nothing_written(folder, capsys, pictures, arguments, message):
    options = QUICK if "--weights" not in arguments else QUICK[2:]
    code, _, err = run(capsys, "learn", *options, *arguments, "-o", "model")
    assert code == 2
    assert message in err
    assert err.strip().count("\n") == 0
    assert not (folder / "model").exists()


@pytest.mark.usefixtures("few_baselines")
def test_bad_predictions_end_with_a_sentence_and_nothing_written(folder, capsys):
    run(capsys, "learn", "structures.h5", "--target", "k_00_c50", *QUICK, "-o", "model")
    three = gaussian_field((32, 32), 3, 0.5).labels.copy()
    three[:4] = 2
    np.save("three.npy", three)
    np.save("volume.npy", np.arange(512).reshape(8, 8, 8) % 2)
    np.save("tiny.npy", np.eye(4, dtype=np.uint8))
    (folder / "empty").mkdir()
    for arguments, message in (
        (("nowhere", "test.h5"), "there is no folder nowhere (MODEL)"),
        (("empty", "test.h5"), "empty holds no model"),
        (("model",), "found no structures"),
        (("model", "absent.tif"), "absent.tif"),
        (("model", "three.npy"), "three.npy is 2-D of 3 phases, and the model was trained on 2-D structures of 2"),
        (("model", "volume.npy"), "volume.npy is 3-D"),
        (("model", "tiny.npy"), "too small for layer scale4"),
        (("model", "empty"), "empty; name pictures, folders or sets"),
    ):
        code, _, err = run(capsys, "predict", *arguments, "-o", "predicted")
        assert code == 2, arguments
        assert message in err
        assert err.strip().count("\n") == 0
        assert not (folder / "predicted").exists()


@pytest.mark.parametrize(("command", "files"), [("predict", ["new.csv"]), ("predict", []), ("explain", [])])
def test_a_model_of_a_library_gets_the_command_that_takes_it(folder, capsys, command, files):
    (folder / "of_library").mkdir()
    (folder / "of_library" / "model.json").write_text(json.dumps({"schema": "matlens library model 1"}))
    (folder / "new.csv").write_text("Bi,V\n0.5,0.5\n")
    code, _, err = run(capsys, command, "of_library", *files, "-o", "out")
    assert code == 2
    assert f"use 'matlens library {command} {folder / 'of_library'}'" in err
    assert err.strip().count("\n") == 0
    assert not (folder / "out").exists()


@pytest.mark.usefixtures("few_baselines")
def test_workers_try_models_to_the_same_bytes(folder, capsys, request):
    learn = ("learn", "structures.h5", "--target", "k_00_c50", *QUICK)
    assert run(capsys, *learn, "-o", "alone")[0] == 0
    pool = request.getfixturevalue("replayed")
    code, _, err = run(capsys, *learn, "-o", "shared")
    assert code == 0, err
    assert pool.made["trial"] > 5
    assert digests(folder / "shared") == digests(folder / "alone")
