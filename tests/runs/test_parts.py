import io
import logging
import os
import signal
import time
from datetime import datetime

import numpy as np
import pytest

from matlens import InputError, Microstructure
from matlens.hooks import Silent
from matlens.microstructure.commands.inputs import Inputs, read_inputs
from matlens.microstructure.commands.realisation_store import RealisationStore
from matlens.microstructure.io import write_microstructure
from matlens.microstructure.problems import checkerboard, laminate
from matlens.microstructure.reconstruction import Reconstruction
from matlens.microstructure.segmentation import read_microstructure
from matlens.runs.directory import RunDirectory
from matlens.runs.log import logged
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
    interrupted = Reconstruction((material.with_labels(labels),), None, None, None, {}, (), (), (), (), (0,))
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
    assert stream.getvalue() == "realisation 1\nrealisation 1: 5/10, loss 0.5, 32 px, less than 1 s left\n"
    quiet = io.StringIO()
    sparse = Lines(quiet)
    sparse.begin(10, "x")
    sparse.update(5)
    assert quiet.getvalue() == ""
    sparse.say("Equivalent.")
    assert quiet.getvalue() == "Equivalent.\n"


def test_the_time_left_is_weighed_by_work_and_unknown_before_two_percent(monkeypatch):
    clock = [0.0]
    monkeypatch.setattr("matlens.runs.progress.time.monotonic", lambda: clock[0])
    stream = io.StringIO()
    lines = Lines(stream, interval=0)
    lines.begin(200.0, "realisation 1")
    lines.update(0.0, "measuring")
    clock[0] = 1.0
    lines.update(3.0, "1/8 size")
    clock[0] = 10.0
    lines.update(20.0, "1/4 size")
    assert stream.getvalue().splitlines()[1:] == [
        "realisation 1: 0 %, measuring",
        "realisation 1: 2 %, 1/8 size",
        "realisation 1: 10 %, 1/4 size, about 1 min 30 s left",
    ]


def test_the_log_of_a_run_holds_what_was_shown_with_its_time(tmp_path):
    with RunDirectory.create(tmp_path / "run", "compare", {}) as run:
        for text in ("first", "again"):  # a run that is resumed goes on in the same file
            with logged(run, Silent()) as progress:
                progress.say(f"{text} finding")
                logging.getLogger("matlens.anything").warning("a warning")
    lines = (tmp_path / "run" / "log.txt").read_text(encoding="utf-8").splitlines()
    assert [line.split(" ", 1)[1] for line in lines] == ["first finding", "a warning", "again finding", "a warning"]
    assert all(datetime.fromisoformat(line.split(" ", 1)[0]) for line in lines)


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
    here = environment(device="cpu", threads=1)
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
    found = read_inputs(inputs)[0].microstructure
    assert found.shape == (32, 32)
    assert found.mask.sum() == 16 * 32
    write_microstructure(laminate((32, 32), 32, fraction=0.25), mask)
    with pytest.raises(InputError, match=r"mask\.png has changed"):
        read_inputs(inputs)
