import io
import os
import signal
import time

import numpy as np
import pytest

from matlens import InputError, Microstructure
from matlens.microstructure.commands.checkpoint import RunCheckpoint
from matlens.microstructure.commands.inputs import Inputs, read_inputs
from matlens.microstructure.io import write_microstructure
from matlens.microstructure.problems import checkerboard, laminate
from matlens.microstructure.segmentation import read_microstructure
from matlens.runs.directory import RunDirectory
from matlens.runs.progress import Bar, Lines, progress_for
from matlens.runs.provenance import environment, mismatches, sha256
from matlens.runs.signals import stoppable


@pytest.fixture
def run(tmp_path):
    with RunDirectory.create(tmp_path / "run", "reconstruct", {}) as run:
        yield run


@pytest.fixture
def material():
    return Microstructure([[0, 1], [1, 0]], spacing=0.5, unit="um")


def test_checkpoint_round_trip_keeps_types(run, material):
    checkpoint = RunCheckpoint(run, material, interval=0)
    state = {"x": np.arange(3, dtype=np.float32), "step": np.int64(7), "name": np.array("level 2")}
    checkpoint.save(1, lambda: state)
    loaded = RunCheckpoint(run, material).load(1)
    assert {key: value.dtype for key, value in loaded.items()} == {k: np.asarray(v).dtype for k, v in state.items()}
    assert loaded["step"] == 7
    assert str(loaded["name"]) == "level 2"
    assert checkpoint.load(0) is None


def test_checkpoint_saves_by_time_and_does_not_ask_for_the_state_before(run, material):
    checkpoint = RunCheckpoint(run, material, interval=3600)
    checkpoint.save(0, lambda: pytest.fail("too early"))
    checkpoint.save(0, lambda: {"x": np.zeros(1)}, force=True)
    assert checkpoint.load(0) is not None


def test_checkpoint_refuses_pickled_state(run, material):
    checkpoint = RunCheckpoint(run, material, interval=0)
    with pytest.raises(ValueError, match="allow_pickle"):
        checkpoint.save(0, lambda: {"x": np.array([object()])})


def test_a_finished_realisation_replaces_its_checkpoint_and_partial(run, material):
    checkpoint = RunCheckpoint(run, material, interval=0)
    labels = np.eye(4, dtype=np.uint8)
    checkpoint.save(0, lambda: {"x": np.zeros(1)})
    checkpoint.partial(0, labels)
    assert (run.path / "partial_0.npy").is_file()
    assert checkpoint.result(0) is None
    checkpoint.finished(0, labels, {"loss": np.ones(2)})
    found, record = RunCheckpoint(run, material).result(0)
    assert found.dtype == np.uint8
    assert (found == labels).all()
    assert record["loss"].tolist() == [1, 1]
    assert checkpoint.load(0) is None
    assert not list(run.path.glob("partial_*"))
    tif = read_microstructure(run.path / "realisation_0.tif")
    assert (tif.labels == labels).all()
    assert (tif.spacing, tif.unit) == ((0.5, 0.5), "um")


def test_terminate_is_an_interrupt_and_the_old_handler_comes_back():
    before = signal.getsignal(signal.SIGTERM)

    def stopped():
        with stoppable():
            os.kill(os.getpid(), signal.SIGTERM)
            time.sleep(5)

    with pytest.raises(KeyboardInterrupt):
        stopped()
    assert signal.getsignal(signal.SIGTERM) is before


def test_lines_are_sparse_and_say_the_time_left():
    stream = io.StringIO()
    lines = Lines(stream, interval=0)
    lines.begin(10, "realisation 1")
    lines.advance(5, 0.5, "32 px")
    lines.end()
    assert stream.getvalue().startswith("realisation 1: 5/10, loss 0.5, 32 px, about 0 s left")
    quiet = io.StringIO()
    sparse = Lines(quiet)
    sparse.begin(10, "x")
    sparse.advance(5, 0.5, "")
    assert quiet.getvalue() == ""


def test_the_bar_shows_loss_and_level():
    class Terminal(io.StringIO):
        def isatty(self):
            return True

    stream = Terminal()
    bar = progress_for(stream=stream)
    assert isinstance(bar, Bar)
    bar.begin(10, "realisation 1")
    bar.advance(4, 0.25, "64 px")
    bar._bar.refresh()
    bar.end()
    bar.begin(10, "realisation 2")  # and again
    bar.end()
    assert "realisation 1" in stream.getvalue()
    assert type(progress_for(stream=io.StringIO())).__name__ == "Lines"


def test_environment_names_every_difference():
    here = environment(threads=1, device="cpu")
    assert mismatches(here, dict(here)) == []
    assert mismatches(here, {**here, "threads": 2}) == ["threads 1 then, 2 now"]


def test_sha256(tmp_path):
    (tmp_path / "a").write_bytes(b"abc")
    assert sha256(tmp_path / "a").startswith("ba7816bf")


def test_a_changed_mask_is_noticed(tmp_path):
    picture, mask = tmp_path / "a.png", tmp_path / "mask.png"
    write_microstructure(checkerboard((32, 32), 4), picture)
    write_microstructure(laminate((32, 32), 32), mask)
    inputs = Inputs((str(picture),), cleaning={"mask": str(mask)}).hashed()
    assert len(inputs.hashes) == 2
    assert read_inputs(inputs)[0].microstructure.shape == (16, 32)
    write_microstructure(laminate((32, 32), 32, fraction=0.25), mask)
    with pytest.raises(InputError, match=r"mask\.png has changed"):
        read_inputs(inputs)
