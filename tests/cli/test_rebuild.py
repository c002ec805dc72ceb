"""``reconstruct --target`` from end to end: from a micrograph's statistics to a report, and what wrong orders get."""

import json
import shutil

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

from matlens import characterize, read_microstructure
from matlens.cli.app import application
from matlens.microstructure.problems import gaussian_field

pytest.importorskip("numba", reason="annealing needs numba")
pytestmark = [pytest.mark.end_to_end, pytest.mark.usefixtures("compiled")]


@pytest.fixture(scope="module")
def target(tmp_path_factory):
    file = tmp_path_factory.mktemp("target") / "statistics.nc"
    m = gaussian_field((64, 64), 6, 0.3, seed=0, periodic=False)
    characterize(m)[["volume_fraction", "two_point_radial", "lineal_path"]].to_netcdf(file, engine="h5netcdf")
    return file


def asked(*arguments):
    return CliRunner().invoke(application(), ["reconstruct", *map(str, arguments)])


def test_run_report_and_resume(target, tmp_path):
    run = tmp_path / "run"
    moved = tmp_path / "statistics.nc"
    shutil.copy(target, moved)
    result = asked("--target", moved, "--shape", "40x48", "-n", "2", "--set", "moves=10", "--threads", "1", "-o", run)
    assert result.exit_code == 0, result.output
    errors = pd.read_csv(run / "errors.csv").set_index("source")
    assert (errors.loc[["result 0", "result 1"], "s2_error"] < 0.2).all()
    assert errors.loc["white noise", "s2_error"] > 0.8
    made = read_microstructure(run / "realisation_1.tif")
    assert made.shape == (40, 48)
    assert set(pd.read_csv(run / "curves.csv")["source"]) == {"target", "result 0", "result 1", "white noise"}
    html = (run / "report.html").read_text()
    assert "Errors against the target" in html
    assert "isotropic" in html
    assert "yeong1998" in html
    # the run keeps the statistics: what is lost is made again to the same bytes without the file
    moved.unlink()
    before = np.load(run / "realisation_1.npy")
    for name in ("realisation_1.npy", "realisation_1.tif", ".state/realisation_1.result.npz"):
        (run / name).unlink()
    provenance = json.loads((run / "provenance.json").read_text())
    (run / "provenance.json").write_text(json.dumps({**provenance, "status": "interrupted"}))
    again = CliRunner().invoke(application(), ["resume", str(run)])
    assert again.exit_code == 0, again.output
    np.testing.assert_array_equal(np.load(run / "realisation_1.npy"), before)


def refused(*arguments):
    from matlens.errors import MatlensError

    result = asked(*arguments)
    assert isinstance(result.exception, MatlensError) or result.exit_code == 2, result.output
    return str(result.exception) + result.output


def test_what_cannot_be_done_is_said(target, tmp_path):
    out = ("-o", tmp_path / "none")
    assert "nothing to resemble" in refused(*out)
    assert "either" in refused("picture.png", "--target", target, *out)
    assert "annealing" in refused("--target", target, "--method", "tree", *out)
    assert "moves" in refused("--target", target, "--set", "reach=3", *out)
    assert "moves" in refused("--target", target, "--set", "moves=many", *out)
    assert "no file" in refused("--target", tmp_path / "none.nc", *out)
    assert "height x width" in refused("--target", target, "--shape", "32x32x32", *out)
    assert not (tmp_path / "none").exists()
