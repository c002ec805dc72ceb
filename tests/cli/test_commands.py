import json
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from matlens.cli.app import main
from matlens.core.registry import entries
from matlens.examples.listed import EXAMPLES
from matlens.microstructure.io import write_microstructure
from matlens.microstructure.problems import gaussian_field
from matlens.microstructure.segmentation import CleaningOptions
from matlens.runs.directory import RunDirectory

pytestmark = pytest.mark.end_to_end


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def field(folder):
    return str(write_microstructure(gaussian_field((64, 64), 3.0, 0.4, seed=0), folder / "field.tif"))


@pytest.fixture
def result(folder):
    return str(write_microstructure(gaussian_field((32, 32), 3.0, 0.4, seed=1), folder / "result.npy"))


def ran(capsys, *arguments):
    with pytest.raises(SystemExit) as end:
        main([str(argument) for argument in arguments])
    printed = capsys.readouterr()
    assert end.value.code == 0, printed.err
    return printed.out


def check_report(run):
    """One file: nothing loaded from elsewhere, every image inside, every link to a file that is there."""
    html = (run / "report.html").read_text(encoding="utf-8")
    sources = re.findall(r'(?:src|href)="([^"]+)"', html)
    assert sources
    for source in sources:
        assert source.startswith(("data:image/png;base64,", "#")) or (run / source).is_file(), source[:80]
    assert not re.search(r"<script|<link|@import|url\(", html)
    return html


def test_characterize_one_file(folder, field, capsys):
    out = ran(capsys, "characterize", field, "-o", "run")
    assert "run/report.html" in out
    with xr.open_dataset("run/statistics.nc", engine="h5netcdf") as dataset:
        assert dataset["lineal_path"].dims == ("phase", "axis", "r")
        assert dataset.attrs["schema_version"]
    table = pd.read_csv("run/statistics.csv")
    assert table["volume_fraction"].sum() == pytest.approx(1)
    html = check_report(folder / "run")
    assert "Statistics of field" in html
    assert "@book{torquato2002random" in html


def test_characterize_what_is_asked_for(folder, field, capsys):
    ran(capsys, "characterize", field, "--statistics", "two_point,specific_surface", "-o", "run")
    with xr.open_dataset("run/statistics.nc", engine="h5netcdf") as dataset:
        assert list(dataset.data_vars) == ["two_point_radial", "two_point_axes", "specific_surface"]
    assert pd.read_csv("run/curves.csv")["statistic"].unique().tolist() == ["two_point"]
    assert not (folder / "run" / "distributions.csv").exists()
    assert set(pd.read_csv("run/representative.csv")["statistic"]) == {"specific_surface", "s2_error"}
    html = check_report(folder / "run")
    assert all(f"<h2>{title}</h2>" in html for title in ("Curves", "Statistics", "Representative size"))
    assert "<h2>Sizes</h2>" not in html
    assert "Two-point probability of each phase." in html
    assert "@book{torquato2002random" in html
    assert "@article{lu1992lineal" not in html


def test_characterize_without_tables_has_a_report(folder, field, capsys):
    ran(capsys, "characterize", field, "--statistics", "two_point_cross", "-o", "run")
    html = check_report(folder / "run")
    assert 'href="figures/structures.csv"' in html
    assert "has not finished" not in html
    assert not any(f"<h2>{title}</h2>" in html for title in ("Curves", "Statistics", "Representative size"))


def test_an_unknown_statistic_is_refused_before_anything_is_read(folder, capsys):
    with pytest.raises(SystemExit) as end:
        main(["characterize", "missing.tif", "--statistics", "two_point,porosity"])
    assert end.value.code == 2
    said = " ".join(capsys.readouterr().err.split())
    assert "found 'porosity' for --statistics; choose volume_fraction, two_point" in said


def test_characterize_several_files_with_cleaning(folder, capsys):
    grey = (
        np.random.default_rng(0).normal(size=(2, 40, 40)) * 5 + 60 * gaussian_field((40, 40), 4.0, 0.4, seed=0).labels
    )
    for name, values in zip(("a.npy", "b.npy"), grey):
        np.save(name, values)
    ran(capsys, "characterize", "a.npy", "b.npy", "--threshold", "otsu", "--spacing", "0.5um", "-o", "run")
    with xr.open_dataset("run/statistics.nc", engine="h5netcdf") as dataset:
        assert dataset["volume_fraction"].dims == ("file", "phase")
    assert set(pd.read_csv("run/sensitivity.csv")["input"]) == {"a", "b"}
    html = check_report(folder / "run")
    assert "µm" in html or "um" in html
    assert "otsu1979threshold" in html
    for name in ("cleaning_0", "cleaning_1", "threshold_sensitivity", "curves", "structures"):
        for suffix in ("png", "csv"):
            assert (folder / "run" / "figures" / f"{name}.{suffix}").is_file()


def test_compare_writes_errors_verdicts_controls_and_copy_test(folder, field, result, capsys):
    out = ran(capsys, "compare", result, field, "-o", "run", "--seed", "1")
    verdict = json.loads((folder / "run" / "verdict.json").read_text())
    assert verdict["sentences"][0] in out
    assert {"result", "white noise", "blurred noise"} <= set(pd.read_csv("run/ratios.csv")["source"])
    assert "pasted blocks" in set(pd.read_csv("run/copy_test.csv")["source"])
    html = check_report(folder / "run")
    assert f'<p class="word">{verdict["word"]}</p>' in html
    assert "Copy test" in html


def test_compare_takes_a_run_directory(folder, field, result, capsys):
    (folder / "made").mkdir()
    write_microstructure(gaussian_field((32, 32), 3.0, 0.4, seed=1), folder / "made" / "realisation_0.tif")
    ran(capsys, "compare", "made", field, "-o", "run", "--quiet")
    assert len(pd.read_csv("run/errors.csv")) == 1


def test_quiet_prints_the_run_directory_only(folder, field, capsys):
    out = ran(capsys, "characterize", field, "--quiet")
    assert out.strip().startswith("runs/")
    assert out.count("\n") == 1


def test_force_replaces_a_run(folder, field, capsys):
    ran(capsys, "characterize", field, "-o", "run")
    ran(capsys, "characterize", field, "-o", "run", "--force", "--spacing", "2nm")
    with RunDirectory("run") as run:
        assert run.settings["inputs"]["cleaning"]["spacing"] == "2nm"
        assert run.status == "finished"
    assert not (folder / "run" / "previous").exists()


def test_report_again_gives_the_same_file(folder, field, capsys):
    ran(capsys, "characterize", field, "-o", "run")
    with RunDirectory("run") as run:
        provenance = run.provenance
    before = (folder / "run" / "report.html").read_text(encoding="utf-8")
    out = ran(capsys, "report", "run")
    after = (folder / "run" / "report.html").read_text(encoding="utf-8")
    assert out.strip() == "run/report.html"
    assert provenance["status"] == "finished"
    assert before.partition("Settings and provenance")[0] == after.partition("Settings and provenance")[0]


def test_resume_of_a_finished_run_says_so(folder, field, capsys):
    ran(capsys, "characterize", field, "-o", "run")
    out = ran(capsys, "resume", "run")
    assert out.count("\n") == 1
    assert "finished" in out


def test_resume_needs_the_same_versions(folder, field, capsys):
    ran(capsys, "characterize", field, "-o", "run")
    settings = folder / "run" / "settings.toml"
    settings.write_text(re.sub(r'^numpy = ".*"$', 'numpy = "1.0"', settings.read_text(), flags=re.MULTILINE))
    (folder / "run" / "provenance.json").unlink()
    with pytest.raises(SystemExit) as end:
        main(["resume", "run"])
    assert end.value.code == 2
    assert "numpy 1.0 then" in capsys.readouterr().err
    assert "inexact: numpy 1.0 then" in ran(capsys, "resume", "run", "--force")
    with RunDirectory("run") as run:
        assert run.provenance["inexact"][0].startswith("numpy 1.0")


def test_provenance_names_what_the_bytes_depend_on(folder, field, capsys):
    ran(capsys, "characterize", field, "-o", "run", "--threads", "1")
    with RunDirectory("run") as run:
        environment, inputs = run.settings["environment"], run.settings["inputs"]
    assert {"matlens", "python", "numpy", "torch", "threads", "device", "platform"} <= set(environment)
    assert len(inputs["hashes"][0]) == 64


def test_fetch_lists_names_licences_and_places(folder, capsys, monkeypatch):
    monkeypatch.setenv("MATLENS_DATA", "")
    monkeypatch.setenv("XDG_CACHE_HOME", str(folder))
    out = ran(capsys, "fetch")
    assert "li2018" in out
    assert "CC BY 4.0" in out
    assert "not at hand" in out


def test_fetch_lists_every_name_with_size_licence_and_source(folder, capsys):
    out = ran(capsys, "fetch")
    for name, found in {**entries(), **EXAMPLES}.items():
        line, described, source = out[out.index(f"{name} ") :].splitlines()[:3]
        assert found.size in line
        assert found.licence in line
        assert found.description in described
        assert found.source in source
    assert len(ran(capsys, "fetch", "-q").splitlines()) == len(entries()) + len(EXAMPLES)


@pytest.mark.slow
def test_fetch_writes_an_example_and_never_over_another_file(folder, capsys):
    assert ran(capsys, "fetch", "blend") == "blend.csv\n"
    assert ran(capsys, "fetch", "blend") == "blend.csv\n"
    assert "120 samples" in ran(capsys, "inspect", "blend.csv")
    Path("blend.csv").write_text("mine", encoding="utf-8")
    with pytest.raises(SystemExit) as end:
        main(["fetch", "blend"])
    assert end.value.code == 2
    assert "blend.csv is there already" in capsys.readouterr().err
    assert Path("blend.csv").read_text(encoding="utf-8") == "mine"


def test_a_mask_is_found_again_from_another_folder(folder, capsys):
    assert CleaningOptions(mask=Path("bad.png")).mask == str(folder / "bad.png")


def test_an_interrupt_while_comparing_takes_the_bar_away(folder, monkeypatch):
    from matlens.microstructure.commands import judging as steps
    from matlens.microstructure.statistics.equivalence import comparison

    def interrupted(*arguments, **options):
        raise KeyboardInterrupt

    class Told:
        ended = 0

        def begin(self, total, label):
            pass

        def update(self, done, text=""):
            pass

        def end(self):
            self.ended += 1

    monkeypatch.setattr(comparison, "cut_windows", interrupted)
    told, m = Told(), gaussian_field((64, 64), 3.0, 0.4, seed=0)
    with RunDirectory.create("run", "compare", {}) as run, pytest.raises(KeyboardInterrupt):
        steps.compare_in(run, [m], [m], told, seed=0)
    assert told.ended == 1


def test_compare_judges_by_effective_properties(folder, field, result, capsys):
    ran(capsys, "compare", result, field, "-o", "run", "--stiffness")
    table = pd.read_csv("run/properties.csv")
    assert set(table["property"]) == {"conductivity", "stiffness"}
    assert {"conductivity_error", "stiffness_error"} <= set(pd.read_csv("run/ratios.csv")["statistic"])
    html = check_report(folder / "run")
    assert "Effective properties" in html
    assert "wiegmann2006ejheat" in html
