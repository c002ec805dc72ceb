import io
import os
import signal
import time

import numpy as np
import pytest

from matlens import InputError, Microstructure
from matlens.microstructure.commands.inputs import Inputs, read_inputs
from matlens.microstructure.commands.realisation_store import RealisationStore
from matlens.microstructure.io import write_microstructure
from matlens.microstructure.problems import checkerboard, laminate
from matlens.microstructure.reconstruction import Reconstruction
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


def test_a_finished_realisation_replaces_its_state_and_the_partial_one(run, material):
    store = RealisationStore(run, material, interval=0)
    labels = np.eye(4, dtype=np.uint8)
    store.save("realisation_0", lambda: {"x": np.zeros(1)})
    interrupted = Reconstruction((material.with_labels(labels),), None, None, None, {}, (), (), (), ())
    store.write_partial(interrupted)
    assert (run.path / "partial_0.npy").is_file()
    assert store.result("realisation_0") is None
    store.finish("realisation_0", {"labels": labels, "loss": np.ones(2)})
    found = RealisationStore(run, material).result("realisation_0")
    assert found["labels"].dtype == np.uint8
    assert (found["labels"] == labels).all()
    assert found["loss"].tolist() == [1, 1]
    assert store.load("realisation_0") is None
    assert not list(run.path.glob("partial_*"))
    store.write_partial(interrupted)  # a later realisation was interrupted: the finished one is left alone
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
    lines.update(5, "loss 0.5, 32 px")
    lines.end()
    assert stream.getvalue().startswith("realisation 1: 5/10, loss 0.5, 32 px, about 0 s left")
    quiet = io.StringIO()
    sparse = Lines(quiet)
    sparse.begin(10, "x")
    sparse.update(5)
    assert quiet.getvalue() == ""


def test_the_bar_shows_the_text():
    class Terminal(io.StringIO):
        def isatty(self):
            return True

    stream = Terminal()
    bar = progress_for(stream=stream)
    assert isinstance(bar, Bar)
    bar.begin(10, "realisation 1")
    bar.update(4, "loss 0.25, [/64 px]")
    bar._bar.refresh()
    bar.end()
    bar.begin(10, "realisation 2")  # and again
    bar.end()
    assert "realisation 1" in stream.getvalue()
    assert "loss 0.25, [/64 px]" in stream.getvalue()  # brackets are text, not markup
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
