"""``matlens library prepare``: files of spectra to one table, with what each step changed."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from matlens.cli.app import main
from matlens.library.io import read_library

AXIS = np.arange(100.0, 140.0)


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    rows = [f"s{k},{k / 10},{1 - k / 10},{k}" for k in range(1, 7)]
    (tmp_path / "library").mkdir()
    (tmp_path / "library" / "t.csv").write_text("\n".join(["Sample,Fe,Ga,P", *rows]) + "\n")
    rng = np.random.default_rng(0)
    for k in range(1, 7):
        spectrum = 100 * np.exp(-0.5 * ((AXIS - 115 - k) / 4) ** 2) + rng.normal(size=40)
        spectrum[30] += 5000 * (k == 3)
        lines = [f"{x} {y:.4f}" for x, y in zip(AXIS, spectrum, strict=True)]
        (tmp_path / "library" / f"s{k}.txt").write_text("Raman shift (cm-1)\n" + "\n".join(lines) + "\n")
    return tmp_path


def run(capsys, *arguments):
    with pytest.raises(SystemExit) as end:
        main(["library", "prepare", *map(str, arguments)])
    printed = capsys.readouterr()
    return end.value.code, printed.out, printed.err


def test_a_folder_becomes_a_table(capsys) -> None:
    code, out, err = run(capsys, "library", "--prepare", "despike,calibrate:100:101,crop:105:135", "-o", "run")
    assert code == 0, err
    assert "despike: 1 points of 1 spectra changed" in out
    found, given = read_library("run/library.csv"), read_library("library")
    assert (found.samples, found.axis_unit, len(found.notes)) == (given.samples, "cm-1", 1)
    assert found.axis.tolist() == list(range(105, 136))
    assert np.abs(found.spectra).max() < 200
    kept = np.delete(np.arange(31), 26)  # without the spike
    np.testing.assert_array_equal(found.spectra[:, kept], given.spectra[:, 4:35][:, kept])
    steps = pd.read_csv("run/steps.csv")
    assert steps["channels"].tolist() == [40, 40, 31]
    assert steps["points"].tolist() == [1, -1, -1]
    assert "What each step changed" in Path("run/report.html").read_text(encoding="utf-8")


def test_the_effect_of_a_baseline_is_shown(capsys) -> None:
    code, out, err = run(capsys, "library", "--prepare", "despike,baseline,cut:110:112", "-o", "run")
    assert code == 0, err
    assert "baseline: " in out
    effect = pd.read_csv("run/effect.csv")
    assert effect.groupby("panel", sort=False)["axis"].nunique().to_dict() == {"as in the file": 40, "prepared": 37}
    assert "s3" in set(effect["sample"])  # the one with the spike changed most
    given, found = read_library("library"), read_library("run/library.csv")
    for panel, library in {"as in the file": given, "prepared": found}.items():
        part = effect[(effect["panel"] == panel) & (effect["sample"] == "s3")]
        np.testing.assert_allclose(part["intensity"], library.spectra[2])
    assert "as they were prepared" in Path("run/report.html").read_text(encoding="utf-8")
    assert Path("run/figures/effect.png").exists()


def test_without_steps_the_library_is_only_written(capsys) -> None:
    assert run(capsys, "library", "-o", "run")[0] == 0
    np.testing.assert_array_equal(read_library("run/library.csv").spectra, read_library("library").spectra)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("library/t.csv", "--prepare", "despike"), "no spectra to prepare; name them by --spectra"),
        (("library", "--prepare", "sharpen"), "'sharpen' is not known"),
        (("library", "--prepare", "crop:500:600"), "500"),
    ],
)
def test_what_does_not_fit_is_said_before_work(capsys, arguments, words) -> None:
    code, _, err = run(capsys, *arguments, "-o", "run")
    assert code == 2
    assert words in err
    assert not Path("run").exists()
