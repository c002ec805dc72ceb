"""What the page is told of tables and of runs that learned from them: numbers of the files, and of no other files."""

import json

import numpy as np
import pytest
from learned_runs import explained, learned, suggested

from matlens.errors import InputError
from matlens.library.io import read_library, write_library
from matlens.library.problems import photoanode
from matlens.studio.libraries import Libraries


@pytest.fixture(scope="module")
def library():
    return photoanode(30, seed=1).library


@pytest.fixture
def table(library, tmp_path):
    write_library(library, tmp_path / "t.csv")
    return {"root": str(tmp_path), "file": str(tmp_path / "t.csv")}


def test_the_columns_and_charts_of_a_table_are_those_of_its_reader(table, library):
    libraries = Libraries()
    columns = libraries.answer({"what": "columns", **table})
    assert (columns["problem"], columns["target"]) == ("", "P")
    assert columns["merits"] == [{"name": "P", "unit": "mW/cm2", "measured": 30}]
    assert [each["role"] for each in columns["columns"]].count("channel") == library.axis.size
    found = libraries.answer({"what": "samples", **table})
    np.testing.assert_allclose(found["compositions"], library.compositions, rtol=1e-5)
    np.testing.assert_allclose(found["values"][0]["values"], library.merit("P"), rtol=1e-5)
    assert found["samples"] == list(library.samples)
    np.testing.assert_allclose(found["positions"]["x"], library.covariates["x"])
    for index in (None, 3):
        sent = libraries.answer({"what": "spectrum", "index": index, **table})["intensity"]
        np.testing.assert_allclose(
            sent, library.spectra.mean(axis=0) if index is None else library.spectra[3], rtol=1e-5
        )
    sent = libraries.answer({"what": "channel", "index": 7, **table})["intensity"]
    np.testing.assert_allclose(sent, library.spectra[:, 7], rtol=1e-5)


def test_a_change_of_a_column_comes_back_as_values_of_the_form(table):
    libraries = Libraries()
    values = libraries.answer({"what": "roles", "wanted": {"plate": "merit"}, **table})["options"]
    assert values == {"sample": "", "components": "", "formula": "", "axis_columns": "", "covariates": ""} | {
        "merits": "plate,P (mW/cm2)"
    }
    again = libraries.answer({"what": "columns", "options": values, **table})
    assert {each["name"] for each in again["columns"] if each["role"] == "merit"} == {"plate", "P (mW/cm2)"}
    # An option that does not fit is its sentence, and the columns stay in view.
    wrong = libraries.answer({"what": "columns", "options": {"components": "Bi,V"}, **table})
    assert "do not sum to 1" in wrong["problem"]
    assert len(wrong["columns"]) == len(again["columns"])


def test_a_changed_table_is_read_again(table, library, tmp_path):
    libraries = Libraries()
    assert len(libraries.answer({"what": "samples", **table})["samples"]) == 30
    write_library(library.select(range(20)), tmp_path / "t.csv")
    assert len(libraries.answer({"what": "samples", **table})["samples"]) == 20


def test_a_model_shows_what_it_learned_from_beside_held_out_predictions(library, tmp_path):
    run = learned(tmp_path / "run", library)
    asked = {"root": str(tmp_path), "run": str(run), "command": "library learn", "model": None}
    found = Libraries().answer({"what": "samples", **asked})
    measured, predicted, left = (np.array(each["values"]) for each in found["values"])
    np.testing.assert_allclose(measured, library.merit("P"), rtol=1e-5)
    assert set(predicted.tolist()) == {1.0}  # the mean of both repeats
    np.testing.assert_allclose(left, measured - predicted, atol=1e-5)
    assert [each["signed"] for each in found["values"]] == [False, False, True]
    spectrum = Libraries().answer({"what": "spectrum", "index": 2, **asked})
    np.testing.assert_allclose(spectrum["intensity"], library.spectra[2], rtol=1e-5)


def test_an_explanation_shows_gradients_with_intervals_and_support(library, tmp_path):
    model = learned(tmp_path / "model", library)
    run, insight = explained(tmp_path / "insight", library, model)
    c = library.axis.size
    asked = {"root": str(tmp_path), "run": str(run), "command": "library explain", "model": str(model)}
    libraries = Libraries()
    found = libraries.answer({"what": "samples", **asked})
    assert found["explained"]
    assert found["positions"] is not None
    part = insight.sel(scheme="exchange", kind="partial")
    sent = libraries.answer({"what": "gradients", "scheme": "exchange", "kind": "partial", **asked})
    np.testing.assert_allclose(sent["values"], part["composition_gradient"], rtol=1e-5)
    np.testing.assert_allclose(sent["halves"], 1.645 * part["composition_gradient_error"], rtol=1e-5)
    # A statement has the lower of both supports.
    assert np.array_equal(sent["support"], np.minimum(insight["support"], 1))
    at = insight["support"].to_numpy()[:, 0] > 0
    assert sent["means"][0]["samples"] == at.sum()
    np.testing.assert_allclose(
        sent["means"][0]["value"], part["composition_gradient"].to_numpy()[at, 0].mean(), rtol=1e-5
    )
    row = libraries.answer({"what": "spectrum", "index": 4, **asked})
    np.testing.assert_allclose(row["gradient"], insight["spectral_gradient"][4], rtol=1e-5)
    np.testing.assert_allclose(row["half"], 1.645 * insight["spectral_gradient_spread"][4], rtol=1e-5)
    channel = libraries.answer({"what": "channel", "index": 9, **asked})
    np.testing.assert_allclose(channel["gradient"], insight["spectral_gradient"][:, 9], rtol=1e-5)
    # Without its model there are no positions, and all else is there.
    alone = libraries.answer({"what": "samples", **asked, "model": None})
    assert alone["positions"] is None
    assert len(alone["axis"]["positions"]) == c
    json.dumps([found, sent, row, channel, alone], allow_nan=False)


def test_a_plate_has_the_amounts_and_expectations_of_the_suggestions(tmp_path):
    run = suggested(tmp_path / "plan", tmp_path)
    found = Libraries().answer({"what": "plate", "root": str(tmp_path), "run": str(run)})
    assert found["components"] == ["Bi", "V", "W", "Dy", "Gd", "Mo", "Tb"]
    assert [row["amounts"] for row in found["rows"]] == [[50, 49, 1, 0, 0, 0, 0], [50, 50, 0, 0, 0, 0, 0]]
    assert found["rows"][0]["expected"] == 2.5
    assert found["rows"][1]["low"] is None


@pytest.mark.parametrize(
    "given",
    [
        {"what": "spectrum", "index": 30},
        {"what": "spectrum", "index": "a"},
        {"what": "channel", "index": None},
        {"what": "roles", "wanted": "x"},
        {"what": "roles", "wanted": {"none": "merit"}},
    ],
)
def test_a_request_that_makes_no_sense_is_one_sentence(table, given):
    with pytest.raises(InputError) as said:
        Libraries().answer({**table, **given})
    assert "\n" not in str(said.value)


def test_no_file_outside_the_folder_is_read(library, tmp_path, studio):
    outside, inside = tmp_path / "outside", studio.root
    outside.mkdir()
    write_library(library, outside / "secret.csv")
    write_library(library.without_spectra(), inside / "t.csv")
    model = learned(outside / "model", library)
    run = learned(inside / "run", library)
    for given in (
        {"what": "columns", "file": "../outside/secret.csv"},
        {"what": "samples", "run": "../outside/model"},
        {"what": "samples", "file": "t.csv", "options": {"spectra": "../outside/secret.csv"}},
        {"what": "samples", "file": "t.csv", "options": {"spectra": str(outside / "secret.csv")}},
    ):
        status, said = studio.post("/api/library", given)
        assert status == 422
        assert "folder of the studio" in said["error"]
    # The page cannot say where things are: it names a run, and the rest is the run's.
    status, said = studio.post("/api/library", {"what": "samples", "run": "run", "root": "/", "model": str(model)})
    assert status == 200
    assert said["samples"] == list(library.samples)
    # Nor may it ask of pictures what is asked of libraries.
    status, said = studio.post("/api/picture", {"what": "samples", "file": "t.csv", "root": "/", "of": "library"})
    assert (status, "found the request 'samples'" in said["error"]) == (422, True)
    (run / "held_out.csv").unlink()
    (run / "held_out.csv").symlink_to(model / "held_out.csv")
    status, said = studio.post("/api/library", {"what": "samples", "run": "run"})
    assert status == 422
    assert "is not in the folder of the studio" in said["error"]


def test_a_request_of_another_shape_is_one_sentence(studio):
    for given in (
        [],
        {},
        {"what": 1},
        {"what": "samples"},
        {"what": "dance", "file": "."},
        {"what": "plate", "run": "x"},
    ):
        status, said = studio.post("/api/library", given)
        assert status in (400, 422)
        assert "\n" not in said["error"]


@pytest.mark.slow
def test_the_checks_are_those_of_the_command(studio, library):
    from matlens.library.validation import check_library

    write_library(library, studio.root / "t.csv")
    status, said = studio.post("/api/library", {"what": "checks", "file": "t.csv", "target": "P"})
    assert status == 200, said
    wanted = check_library(read_library(studio.root / "t.csv"), "P")
    assert said["alarms"] == list(wanted.alarms)
    assert said["sentences"] == list(wanted.sentences)
    status, said = studio.post("/api/library", {"what": "checks", "file": "t.csv", "target": "Q"})
    assert (status, "found no figure of merit 'Q'" in said["error"]) == (422, True)
