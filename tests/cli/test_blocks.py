"""``matlens characterize`` of volumes in blocks: the numbers of the whole, resumed and spread, and what is refused."""

import shutil
from types import SimpleNamespace

import numpy as np
import pytest
import xarray as xr
from scipy.ndimage import gaussian_filter

from matlens.cli.app import main
from matlens.microstructure.statistics.blocks import measuring
from matlens.runs.directory import RunDirectory

SMALL = ["--statistics", "volume_fraction,two_point,lineal_path,percolation", "--reach", "4", "--quiet"]


@pytest.fixture
def invoke(capsys):
    def invoked(*words):
        with pytest.raises(SystemExit) as end:
            main([str(word) for word in words])
        printed = capsys.readouterr()
        return end.value.code, " ".join((printed.out + printed.err).split())

    return invoked


@pytest.fixture
def volume(tmp_path):
    noise = gaussian_filter(np.random.default_rng(0).normal(size=(80, 20, 24)), 1.5)
    np.save(tmp_path / "volume.npy", (noise > 0).astype(np.uint8) * 255)
    return tmp_path / "volume.npy"


@pytest.mark.end_to_end
def test_a_volume_in_blocks_has_the_numbers_of_the_whole(invoke, tmp_path, volume):
    words = ["characterize", volume, "--spacing", "2um", *SMALL]
    assert invoke(*words, "-o", tmp_path / "whole")[0] == 0
    code, printed = invoke(*words, "--blocks", "-o", tmp_path / "blocks")
    assert code == 0, printed
    whole, blocks = (xr.load_dataset(tmp_path / name / "statistics.nc") for name in ("whole", "blocks"))
    assert set(blocks) == set(whole)
    for name, values in whole.data_vars.items():
        expected = values.where(values["r"] <= 4) if name.startswith("two_point") else values
        np.testing.assert_array_equal(blocks[name], expected, err_msg=name)
        assert blocks[name].attrs == values.attrs
    page = (tmp_path / "blocks" / "report.html").read_text(encoding="utf-8")
    assert "Volume of 80 × 20 × 24 px, measured in blocks, 2 phases" in page
    assert "The middle of the volume as phases" in page


@pytest.mark.end_to_end
def test_a_run_of_blocks_resumes_and_is_spread_with_the_same_bytes(invoke, tmp_path, volume, monkeypatch):
    words = ["characterize", volume, *SMALL, "--blocks", "--memory", "1GB"]
    assert invoke(*words, "-o", tmp_path / "serial")[0] == 0
    merged, calls = measuring.BlockPlan.count, []

    def interrupted(plan, block):
        calls.append(block.start)
        if len(calls) == 2:
            raise KeyboardInterrupt
        return merged(plan, block)

    monkeypatch.setattr(measuring.BlockPlan, "count", interrupted)
    assert invoke(*words, "-o", tmp_path / "resumed")[0] == 130
    assert invoke("resume", tmp_path / "resumed", "--quiet")[0] == 0
    assert [start[0] for start in calls] == [0, 27, 27, 54]
    monkeypatch.undo()
    assert invoke(*words, "--workers", "2", "-o", tmp_path / "spread")[0] == 0
    expected = (tmp_path / "serial" / "statistics.nc").read_bytes()
    for name in ("resumed", "spread"):
        assert (tmp_path / name / "statistics.nc").read_bytes() == expected
        assert not list((tmp_path / name / ".state").glob("blocks/*.npz"))


@pytest.mark.end_to_end
def test_a_volume_that_does_not_fit_is_measured_in_blocks_unasked(invoke, tmp_path, monkeypatch):
    path = tmp_path / "m_120x600x700_uint8.raw"
    path.write_bytes(np.random.default_rng(0).integers(0, 2, 120 * 600 * 700).astype(np.uint8).tobytes())
    words = ["characterize", path, "--statistics", "volume_fraction,correlation_length", "--memory", "0.6GB"]
    code, printed = invoke(*words, "-o", tmp_path / "refused")
    assert code == 2
    assert "correlation_length cannot be taken in blocks" in printed
    words[3] = "volume_fraction"
    code, printed = invoke(*words, "-o", tmp_path / "run")
    assert code == 0, printed
    assert "The volume is measured in" in printed
    with RunDirectory(tmp_path / "run") as run:
        assert run.settings["options"]["blocks"] is True


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--memory", "much"], "the size 'much' is not understood; write a number with its unit"),
        (["--memory", "450MB"], "in blocks need about"),
        (["--median", "3"], "--median: such steps look at the whole picture"),
        (["--crop", "90:99,0:5,0:5"], "leaves nothing of a picture of shape"),
        (["--statistics", "tortuosity"], "tortuosity cannot be taken in blocks"),
        (["--phases", "a,b,c"], "has 2 phases and --phases names 3"),
    ],
)
def test_what_blocks_cannot_do_is_one_sentence(invoke, tmp_path, volume, words, said):
    code, printed = invoke("characterize", volume, "--blocks", *words, "-o", tmp_path / "run")
    assert code == 2
    assert said in printed
    assert not (tmp_path / "run").exists()


def test_several_files_are_not_measured_in_blocks(invoke, tmp_path, volume):
    code, printed = invoke("characterize", volume, volume, "--blocks", "-o", tmp_path / "run")
    assert code == 2
    assert "give each such file a run of its own" in printed


def test_too_little_disk_is_said_before_the_work(invoke, tmp_path, volume, monkeypatch):
    monkeypatch.setattr(shutil, "disk_usage", lambda path: SimpleNamespace(free=1000))
    code, printed = invoke("characterize", volume, "--blocks", *SMALL, "-o", tmp_path / "run")
    assert code == 2
    assert "on the disk of" in printed
