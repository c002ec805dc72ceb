"""``matlens homogenize``: closed forms end to end, interrupts, and what bad input gets."""

import os
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from pool_runs import digests

from matlens.cli.app import main
from matlens.microstructure.io import write_microstructure
from matlens.microstructure.problems import gaussian_field, laminate
from matlens.runs.directory import RunDirectory

pytestmark = pytest.mark.end_to_end


@pytest.fixture
def folder(tmp_path, monkeypatch):
    (tmp_path / "work").mkdir()
    monkeypatch.chdir(tmp_path / "work")
    return tmp_path


@pytest.fixture
def layers(folder):
    return write_microstructure(laminate((16, 24), period=8, axis=0), folder / "layers.npz")


def ended(capsys, *arguments):
    with pytest.raises(SystemExit) as end:
        main(["homogenize", *(str(argument) for argument in arguments)])
    printed = capsys.readouterr()
    return end.value.code, printed.out, printed.err


def test_a_laminate_has_its_closed_form_with_units(folder, layers, capsys):
    code, out, _ = ended(capsys, layers, "--conductivity", "0=1,phase 1=4", "--unit", "W/(m K)", "-o", "run")
    assert code == 0
    assert "1.6 along y, 2.5 along x W/(m K)" in out
    tensor = pd.read_csv("run/tensor.csv")
    np.testing.assert_allclose(tensor[["y", "x"]], [[1.6, 0], [0, 2.5]], atol=1e-9)
    assert set(tensor["unit"]) == {"W/(m K)"}
    principal = pd.read_csv("run/principal.csv")
    np.testing.assert_allclose(principal["value"], [2.5, 1.6])
    np.testing.assert_allclose(np.abs(principal[["y", "x"]]), [[0, 1], [1, 0]], atol=1e-9)
    bounds = pd.read_csv("run/bounds.csv").set_index("bound")
    np.testing.assert_allclose(bounds.loc["Wiener", ["lower", "upper"]].astype(float), [1.6, 2.5])
    with xr.open_dataset("run/fields.nc", engine="h5netcdf") as fields:
        assert fields["potential"].dims == ("load", "y", "x")
        assert fields["flux"].attrs["units"] == "W/(m K)"
        np.testing.assert_allclose(fields["flux"].sel(load="y"), 1.6, rtol=1e-5)
    html = (folder / "work" / "run" / "report.html").read_text(encoding="utf-8")
    assert "Effective conductivity, in W/(m K)" in html
    for source in re.findall(r'(?:src|href)="([^"]+)"', html):
        assert source.startswith(("data:image/png;base64,", "#")) or (folder / "work" / "run" / source).is_file()


def test_a_phase_that_insulates_gives_formation_and_tortuosity_factors(layers, capsys):
    code, out, _ = ended(capsys, layers, "--conductivity", "0=2,1=0", "--boundary", "fixed", "-o", "run")
    assert code == 0
    assert "Along y the effective conductivity is exactly zero" in out
    assert "Along x the formation factor is 2 and the tortuosity factor 1." in out
    table = pd.read_csv("run/transport.csv").set_index("axis")
    assert table["percolates"].tolist() == [False, True]
    assert table["formation_factor"].tolist() == [np.inf, pytest.approx(2)]


def test_a_zero_under_uniform_flux_is_not_taken_for_a_missing_path(layers, capsys):
    code, out, _ = ended(capsys, layers, "--conductivity", "0=2,1=0", "--boundary", "flux", "-o", "run")
    assert code == 0
    assert "a uniform flux cannot pass" in out
    assert "no connected path" not in out
    assert not os.path.exists("run/transport.csv")


def test_stiffness_and_its_moduli(layers, capsys):
    code, out, _ = ended(capsys, layers, "--young", "0=1,1=4", "--poisson", "0=0,1=0", "--unit", "GPa", "-o", "run")
    assert code == 0
    assert "C(yy) 1.6, C(xx) 2.5, C(yx) 0.8 GPa" in out
    moduli = pd.read_csv("run/moduli.csv")
    np.testing.assert_allclose(moduli["value"], [1.6, 2.5, 0, 0.8], atol=1e-6)
    assert "hourglass_energy_share" in pd.read_csv("run/load_cases.csv")
    report = Path("run/report.html").read_text(encoding="utf-8")
    assert "those of plane strain, in which a material of Poisson&#39;s ratio ν has one of ν / (1 − ν)" in report


@pytest.mark.parametrize("boundary", ["periodic", "flux"])
def test_volumes_by_axis(boundary, folder, capsys):
    file = write_microstructure(laminate((8, 8, 8), period=8, axis=1), folder / "layers.npz")
    assert ended(capsys, file, "--conductivity", "0=1,1=4", "--boundary", boundary, "-o", "run")[0] == 0
    tensor = pd.read_csv("run/tensor.csv")[["z", "y", "x"]].to_numpy()
    assert tensor[1, 1] == pytest.approx(1.6)
    if boundary == "periodic":
        np.testing.assert_allclose(tensor, np.diag([2.5, 1.6, 2.5]), atol=1e-9)
    assert pd.read_csv("run/load_cases.csv")["load_case"].tolist() == ["z", "y", "x"]


def test_one_axis_only(folder, layers, capsys):
    assert ended(capsys, layers, "--conductivity", "0=1,1=4", "--axes", "1", "-o", "run")[0] == 0
    tensor = pd.read_csv("run/tensor.csv")[["y", "x"]].to_numpy()
    assert tensor[1, 1] == pytest.approx(2.5)
    assert np.isnan(tensor[0, 0])


def test_an_interrupted_run_goes_on_with_the_next_axis_to_the_same_bytes(folder, capsys, monkeypatch):
    from matlens.microstructure.commands.homogenize import solving as steps

    file = write_microstructure(gaussian_field((12, 12, 12), 3.0, 0.4, seed=0), folder / "field.npz")
    asked = (file, "--conductivity", "0=1,1=50")
    assert ended(capsys, *asked, "-o", "whole")[0] == 0
    solved = []
    solve = steps.homogenize

    def interrupted_at_the_second(*arguments, **options):
        solved.append(options["axes"])
        if len(solved) == 2:
            raise KeyboardInterrupt
        return solve(*arguments, **options)

    monkeypatch.setattr(steps, "homogenize", interrupted_at_the_second)
    code, _, err = ended(capsys, *asked, "-o", "parts")
    assert code == 130
    assert "matlens resume parts" in err
    with pytest.raises(SystemExit) as end:
        main(["resume", "parts"])
    assert end.value.code == 0
    assert solved == [(0,), (1,), (1,), (2,), None]  # the axis that was finished is not solved again
    for name in ("tensor.csv", "load_cases.csv", "principal.csv", "bounds.csv", "fields.nc"):
        assert (folder / "work" / "parts" / name).read_bytes() == (folder / "work" / "whole" / name).read_bytes()
    with RunDirectory("parts") as run:
        assert run.status == "finished"
        assert not run.has_results  # the load cases that were kept are gone


def test_an_axis_that_did_not_converge_is_not_gone_on_with_when_axes_are_put_together(folder, capsys, monkeypatch):
    from matlens.microstructure.commands.homogenize import solving as steps

    file = write_microstructure(gaussian_field((24, 24), 3.0, 0.4, seed=0), folder / "field.npz")
    monkeypatch.setattr(steps, "MAX_ITERATIONS", 10)
    code, out, _ = ended(capsys, file, "--conductivity", "0=1,1=1000", "-o", "run")
    assert code == 0
    assert re.search(r"Not converged: a residual of \S+ after 10 iterations", out)
    cases = pd.read_csv("run/load_cases.csv")
    assert cases["iterations"].tolist() == [10, 10]
    assert not cases["converged"].any()
    assert (cases["residual"] > 1e-6).all()


BAD = [
    (["--conductivity", "0=1"], "phase 1"),
    (["--conductivity", "0=1,1=-2"], "-2"),
    (["--conductivity", "0=1,1=nan"], "nan"),
    (["--conductivity", "0=1,1=2,7=1"], "'7'"),
    (["--conductivity", "0=1,pore=1"], "'pore'"),
    (["--conductivity", "0=1,0=1"], "twice"),
    (["--conductivity", "01"], "0=1.0,1=50"),
    ([], "conductivity"),
    (["--young", "0=1,1=2"], "--poisson"),
    (["--young", "0=1,1=2", "--poisson", "0=.3,1=.6"], "0.6"),
    (["--young", "0=1,1=2", "--poisson", "0=.3,1=.3", "--boundary", "fixed"], "periodic"),
    (["--conductivity", "0=1,1=2", "--boundary", "open"], "'open'"),
    (["--conductivity", "0=1,1=2", "--axes", "5"], "5"),
    (["--conductivity", "0=1,1=2", "--axes", "x"], "'x'"),
    (["--conductivity", "0=1,1=2", "--tolerance", "0"], "tolerance"),
    (["--conductivity", "0=1,1=2", "--precision", "half"], "half"),
]


@pytest.mark.parametrize(("options", "said"), BAD)
def test_bad_options_get_a_sentence_and_leave_nothing(options, said, layers, capsys):
    code, _, err = ended(capsys, layers, *options)
    assert code == 2
    assert said in err
    assert err.count("\n") == 1
    assert os.listdir() == []


def test_a_volume_that_does_not_fit_is_homogenised_in_windows(folder, capsys, request):
    """Each window of a laminate has its closed form, and so has their mean; any worker gives the same bytes."""
    np.save(folder / "layers.npy", laminate((48, 20), period=8, axis=0).labels)
    values = ("--conductivity", "0=1,1=4", "--unit", "W/(m K)", "--spacing", "2um")
    code, out, err = ended(capsys, folder / "layers.npy", *values, "--memory", "0.4002GB", "-o", "run")
    assert code == 0, err
    assert "homogenised in 2 windows of 24 x 20 px (48 x 40 um)" in " ".join(out.split())
    assert "not the effective property of the whole volume" in out
    found = pd.read_csv("run/apparent.csv").set_index("component")
    np.testing.assert_allclose(found["mean"], [1.6, 2.5])
    np.testing.assert_allclose(found["standard_deviation"], [0, 0], atol=1e-9)
    assert set(found["windows"]) == {2}
    assert pd.read_csv("run/windows.csv")["y"].tolist() == [0, 24]
    assert not Path("run/tensor.csv").exists()
    assert "Apparent property of windows" in Path("run/report.html").read_text(encoding="utf-8")
    pool = request.getfixturevalue("replayed")
    assert ended(capsys, folder / "layers.npy", *values, "--memory", "0.4002GB", "-o", "shared")[0] == 0
    assert pool.made == {"windows": 2}
    assert digests(Path("shared")) == digests(Path("run"))


def test_windows_that_cannot_be_are_one_sentence(folder, capsys):
    np.save(folder / "layers.npy", laminate((48, 16), period=8, axis=0).labels)
    asked = ("--conductivity", "0=1,1=4", "-o", "run")
    code, _, err = ended(capsys, folder / "layers.npy", *asked, "--memory", "0.4GB")
    assert code == 2
    assert "no window of 8 cells a side fits 0.4 GB; give more --memory" in err
    code, _, err = ended(capsys, "problem:bicontinuous", *asked, "--window", "16")
    assert code == 2
    assert "is no file, and fits the memory; leave out --window." in err
