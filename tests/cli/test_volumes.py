"""Volumes on the command line: from one section, and from sections of named planes."""

import json

import numpy as np
import pandas as pd
import pytest
from pool_runs import digests

from matlens.cli.app import main
from matlens.microstructure.io import write_microstructure
from matlens.microstructure.problems import bicontinuous, gaussian_field
from matlens.microstructure.segmentation import read_microstructure
from matlens.microstructure.structure import Microstructure


@pytest.fixture
def sections(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    top = gaussian_field((96, 96), 3.0, 0.5, seed=1, periodic=False)
    side = Microstructure(gaussian_field((48, 96), 3.0, 0.5, seed=2, periodic=False).labels.repeat(2, axis=0))
    wrong = Microstructure(side.labels.T)
    three = Microstructure(np.arange(96 * 96).reshape(96, 96) % 3)
    stripes = bicontinuous((128, 128), wavelength=8, seed=1)
    made = {"top": top, "side": side, "wrong": wrong, "three": three, "stripes": stripes}
    for name, section in made.items():
        write_microstructure(section, tmp_path / f"{name}.tif")
    return tmp_path


def run(capsys, *arguments):
    with pytest.raises(SystemExit) as end:
        main([str(argument) for argument in arguments])
    printed = capsys.readouterr()
    return end.value.code or 0, printed.err


@pytest.mark.end_to_end
def test_a_volume_from_named_planes_is_judged_axis_by_axis(sections, capsys):
    code, said = run(
        capsys, "reconstruct", "--plane", "xy=top.tif", "--plane", "xz,yz=side.tif", "--shape", "32x32x32", "--preset",
        "fast", "-o", "made",
    )  # fmt: skip
    assert code == 0, said
    assert np.load("made/realisation_0.npy").shape == (32, 32, 32)
    judged = pd.read_csv("made/planes.csv")
    assert list(dict.fromkeys(judged["planes"])) == ["normal to z", "normal to y", "normal to x"]
    verdict = json.loads((sections / "made" / "verdict.json").read_text(encoding="utf-8"))
    assert set(verdict["joints"]) == {"z", "y", "x"}
    assert verdict["sentences"][1].startswith("Planes normal to z: ")
    proposed = pd.read_csv("made/proposed.csv")
    assert {"Euler density", "share that spans", "formation factor", "formation factor, periodic"} == set(
        proposed["statistic"]
    )
    page = (sections / "made" / "report.html").read_text(encoding="utf-8")
    assert "In space" in page
    assert "Proposed by the model" in page
    notes = json.loads((sections / "made" / "provenance.json").read_text(encoding="utf-8"))["notes"]
    assert "plane xz: x grows with the column, z with the row" in notes


@pytest.mark.end_to_end
def test_sections_of_several_pixel_sizes_are_brought_to_the_largest_and_it_is_said(sections, capsys):
    coarse = gaussian_field((64, 64), 4.0, 0.5, seed=3, periodic=False)
    fine = gaussian_field((128, 128), 8.0, 0.5, seed=4, periodic=False)
    for name, field, spacing in (("coarse", coarse, 1.0), ("fine", fine, 0.5)):
        section = Microstructure(field.labels, spacing=spacing, unit="um")
        write_microstructure(section, sections / f"{name}.tif")
    code, said = run(
        capsys, "reconstruct", "--plane", "xy=coarse.tif", "--plane", "xz,yz=fine.tif", "--shape", "16x24x24",
        "--method", "gaussian-field", "-o", "made",
    )  # fmt: skip
    assert code == 0, said
    notes = json.loads((sections / "made" / "provenance.json").read_text(encoding="utf-8"))["notes"]
    assert [note for note in notes if "was averaged from pixels of 0.5 um to the volume's of 1 um" in note]
    result = read_microstructure(sections / "made" / "realisation_0.tif")
    assert (result.shape, result.spacing, result.unit) == ((16, 24, 24), (1.0, 1.0, 1.0), "um")


REFUSED = {
    "contradiction": (("--plane", "xy=top.tif", "--plane", "xz,yz=wrong.tif", "--shape", "32x32x32"), "disagree along"),
    "unnamed": (("--plane", "top.tif", "--shape", "32x32x32"), "xz,yz=top.tif"),
    "no plane": (("--plane", "front=top.tif", "--shape", "32x32x32"), "such as xz,yz"),
    "in the plane": (("--plane", "xy=top.tif", "--shape", "32x32"), "three sides"),
    "both": (("top.tif", "--plane", "xy=side.tif", "--shape", "32x32x32"), "name the plane of every file"),
    "small": (("top.tif", "--shape", "8x32x32"), "8x32x32 is too small"),
    "anchor outside": (("top.tif", "--shape", "32x96x96", "--anchor", "z=32:top.tif"), "ends at z=31"),
    "anchor of wrong size": (("top.tif", "--shape", "32x32x32", "--anchor", "z=0:top.tif"), "has 96 x 96 px"),
    "anchor of other phases": (("top.tif", "--shape", "32x96x96", "--anchor", "z=0:three.tif"), "has 3 phases"),
    "anchor without place": (("top.tif", "--shape", "32x96x96", "--anchor", "top.tif"), "as z=0:slice.tif"),
    "anchor in the plane": (("top.tif", "--shape", "96x96", "--anchor", "z=0:top.tif"), "three sides"),
    "no such volume": (("stripes.tif", "--shape", "32x32x32"), "--nearest (in Python nearest=True) takes the nearest"),
    "nearest of planes": (("--plane", "xy=top.tif", "--shape", "32x32x32", "--nearest"), "have named planes"),
    "resampled in the plane": (("top.tif", "--shape", "32x32", "--target-resamples", "2"), "is about volumes"),
    "missing": (("--plane", "xy=none.tif", "--shape", "32x32x32"), "none.tif"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_cannot_be_is_one_sentence_and_leaves_nothing(case, sections, capsys):
    arguments, words = REFUSED[case]
    code, said = run(capsys, "reconstruct", *arguments, "-o", "made")
    assert code == 2, said
    errors = [line for line in said.splitlines() if line.startswith("matlens: ")]
    assert len(errors) == 1, said
    assert words in errors[0]
    assert not (sections / "made").exists()


@pytest.mark.end_to_end
def test_workers_make_volumes_of_halves_to_the_same_bytes(sections, capsys, request):
    asked = ("reconstruct", "top.tif", "--shape", "16x16x16", "--method", "gaussian-field", "-n", 2, "--threads", 1)
    asked += ("--target-resamples", 2)
    code, said = run(capsys, *asked, "-o", "alone")
    assert code == 0, said
    pool = request.getfixturevalue("replayed")
    code, said = run(capsys, *asked, "-o", "shared")
    assert code == 0, said
    assert pool.made == {"realisation": 2, "resampled": 2}
    assert digests(sections / "shared") == digests(sections / "alone")
