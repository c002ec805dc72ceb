"""Sentences of reports that once contradicted what stood beside them."""

import numpy as np
import pandas as pd
import pytest

import matlens as ml
from matlens import InputError, Microstructure, StructurePropertyModel
from matlens.microstructure.commands.samples import Sample, notes_of
from matlens.microstructure.commands.sections import micrographs_subtitle
from matlens.microstructure.commands.verdict_report import copying
from matlens.runs.directory import RunDirectory
from matlens.runs.tables import write_table


@pytest.fixture
def run(tmp_path):
    with RunDirectory.create(tmp_path / "run", "compare", {"options": {}}) as opened:
        yield opened


@pytest.mark.parametrize("conclusive", [True, False])
def test_a_copy_test_that_notices_no_copy_is_not_called_passed(run, conclusive):
    rows = pd.DataFrame({"source": ["result 0", "pasted blocks"], "patch": 8, "copy_share": [0.1, 0.6], "limit": 0.22})
    rows = rows.assign(median_match=0.7, threshold=0.9, largest_block=9, largest_block_expected=9)
    write_table(run, "copy_test", rows.assign(copies=[False, conclusive]))
    said = copying(run).paragraphs
    assert ("the copy test is passed" in " ".join(said)) == conclusive
    assert said[0].startswith("No verdict") != conclusive


@pytest.fixture
def model():
    labels = (np.arange(16).reshape(1, 4, 4) < np.arange(2, 14)[:, None, None]).astype(np.uint8)
    return StructurePropertyModel(features="volume-fraction", head="ridge").fit(labels, labels.mean((1, 2)))


def test_joined_pixels_of_a_picture_without_scale_are_no_other_pixel_size(model):
    labels = np.eye(4, dtype=int)
    assert model.unit_ == "px"
    assert notes_of([Sample("a", Microstructure(labels, 4.0))], model) == []
    assert "another pixel size" in notes_of([Sample("a", Microstructure(labels, 4.0, "um"))], model)[0]


def test_what_a_pixel_is_after_downsampling_is_told(run, monkeypatch):
    joined, whole = (Microstructure(np.eye(4, dtype=int), width) for width in (4.0, 1.0))
    for structure, told in ((joined, True), (whole, False)):
        monkeypatch.setattr("matlens.microstructure.commands.sections.stored_inputs", lambda _, one=structure: [one])
        said = micrographs_subtitle(run)
        assert ("Lengths count pixels of the file, of which one here is 4 wide." in said) == told


def test_the_advice_of_an_error_works_as_it_is_written(tmp_path):
    grey = np.arange(400).reshape(20, 20)
    with pytest.raises(InputError) as refused:
        ml.map_labels(grey)
    word = str(refused.value).split("the threshold '")[1].split("'")[0]
    np.save(tmp_path / "grey.npy", grey)
    assert ml.read_microstructure(tmp_path / "grey.npy", threshold=word).n_phases == 2
