"""Faults around a command: signals, streams, full disks, folders and names; one sentence, and what was there stays."""

import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from matlens.cli.app import main
from matlens.microstructure.io import write_microstructure
from matlens.microstructure.problems import gaussian_field
from matlens.runs.directory import RunDirectory

pytestmark = [pytest.mark.end_to_end, pytest.mark.skipif(os.name == "nt", reason="signals and limits of Unix")]

MATLENS = [sys.executable, "-c", "from matlens.cli.app import main; main()"]
QUICK = ("--statistics", "two_point", "--threads", "1")


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A folder with a picture and a finished run of characterize, made once."""
    place = tmp_path_factory.mktemp("made")
    write_microstructure(gaussian_field((32, 32), 3.0, 0.4, seed=0), place / "w.png")
    assert ended("characterize", place / "w.png", *QUICK, "-o", place / "run") == 0
    return place


@pytest.fixture
def folder(made, tmp_path, monkeypatch):
    """The current folder, with the picture."""
    shutil.copy(made / "w.png", tmp_path)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def measured(made, folder):
    """A copy of the finished run."""
    return Path(shutil.copytree(made / "run", folder / "run"))


def ended(*words):
    with pytest.raises(SystemExit) as end:
        main([str(word) for word in words])
    return end.value.code or 0


def content(place):
    files = (file for file in place.rglob("*") if file.is_file() and file.name != "lock")
    return {file.relative_to(place).as_posix(): file.read_bytes() for file in files}


def one_sentence(errors):
    assert errors.startswith("matlens: "), errors
    assert errors.count("\n") == 1, errors
    return errors


# Signals

WORKER = """
import os, signal, sys, time
from matlens.cli import app
from matlens.runs.directory import RunDirectory
from matlens.runs import signals
from matlens.runs.lifecycle import working

signal.signal(signal.SIGINT, signal.default_int_handler)  # tests in the background are started to ignore it
signal.signal(signal.SIGHUP, signal.SIG_DFL)  # and this one with nohup
signals._ONE_REQUEST = float(sys.argv[2])  # a busy machine may take long between two signals

def work(words):
    run = RunDirectory.create("run", "demo", {})
    with working(run, fresh=True):
        try:
            run.write_text("realisation_0.npy", "first")
            print("ready", flush=True)
            time.sleep(30)
        finally:
            end = time.monotonic() + float(sys.argv[1])
            while time.monotonic() < end:  # saving takes its time
                time.sleep(0.01)
            run.write_text("saved.txt", "saved")

class Application:
    def __call__(self, words, standalone_mode):
        work(words)
app.application = Application
app.main(["demo"])
"""


def signalled(folder, *kinds, saving, one_request):
    command, pipe = [sys.executable, "-c", WORKER, str(saving), str(one_request)], subprocess.PIPE
    worker = subprocess.Popen(command, cwd=folder, stdout=pipe, stderr=pipe, text=True)
    assert worker.stdout.readline() == "ready\n"
    for kind in kinds:
        worker.send_signal(kind)
        time.sleep(0.1)  # or two of one kind are one
    _, errors = worker.communicate(timeout=60)
    return worker.returncode, errors


@pytest.mark.parametrize(
    "kinds",
    [
        (signal.SIGINT, signal.SIGINT, signal.SIGINT),
        (signal.SIGTERM, signal.SIGTERM),
        (signal.SIGINT, signal.SIGTERM),
        (signal.SIGHUP,),
    ],
)
def test_signals_of_a_second_are_one_request_and_all_is_saved(folder, kinds):
    code, errors = signalled(folder, *kinds, saving=0.5, one_request=60)
    assert code == 130
    assert "matlens resume run" in one_sentence(errors)
    assert (folder / "run" / "saved.txt").read_text() == "saved"
    with RunDirectory(folder / "run") as run:
        assert run.status == "interrupted"


def test_a_signal_after_a_second_ends_at_once_and_the_run_can_be_resumed(folder):
    code, errors = signalled(folder, signal.SIGINT, signal.SIGINT, saving=25, one_request=0)
    assert code == 130
    assert "stopped at once" in one_sentence(errors)
    assert not (folder / "run" / "saved.txt").exists()
    with RunDirectory(folder / "run") as run:
        assert run.status == "running"


def test_a_stopped_and_continued_run_ends_as_one_that_never_stopped(folder, measured):
    other = subprocess.Popen([*MATLENS, "characterize", "w.png", *QUICK, "-o", "other", "--quiet"], cwd=folder)
    for _ in range(5):
        time.sleep(0.2)
        other.send_signal(signal.SIGSTOP)
        time.sleep(0.05)
        other.send_signal(signal.SIGCONT)
    assert other.wait(timeout=300) == 0
    for name in ("statistics.nc", "statistics.csv", "curves.csv", "figures/curves.png"):
        assert (measured / name).read_bytes() == (folder / "other" / name).read_bytes()


def test_two_processes_on_one_folder(folder, measured, capsys):
    before = content(measured)
    with RunDirectory(measured):
        for words in (("report", "run"), ("resume", "run"), ("characterize", "w.png", "-o", "run", "--force")):
            assert ended(*words) == 2
            assert f"in use by another matlens process (pid {os.getpid()})" in one_sentence(capsys.readouterr().err)
    assert content(measured) == before


# Disks, folders and rights


def run_limited(folder, size, *words):
    """Run the command line in a process whose files may have so many bytes, as on a disk with so much space."""
    limit = f"import resource; resource.setrlimit(resource.RLIMIT_FSIZE, ({size}, resource.RLIM_INFINITY)); "
    command = [sys.executable, "-c", limit + MATLENS[2], *words]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True)


@pytest.mark.parametrize("size", [100, 6000, 20000])  # at the settings, at netCDF, in the report
def test_files_that_cannot_grow_are_one_sentence_and_the_earlier_run_comes_back(folder, measured, size):
    before = content(measured)
    found = run_limited(folder, size, "characterize", "w.png", *QUICK, "-o", "run", "--force")
    assert found.returncode == 2, found.stderr
    assert "ulimit" in one_sentence(found.stderr)
    assert content(measured) == before


def on_own_disk(folder, options):
    """Run in a mount namespace of its own, where ``disk`` is a file system with such options; None if none can be."""
    (folder / "disk").mkdir(exist_ok=True)
    mount = f"mount -t tmpfs -o {options} tmpfs disk"
    if (
        shutil.which("unshare") is None
        or subprocess.run(["unshare", "-m", "sh", "-c", mount], cwd=folder, capture_output=True).returncode
    ):
        return None

    def run(*words):
        shell = f'{mount} && "$@"; code=$?; find disk -name ".matlens-*"; exit $code'
        command = ["unshare", "-m", "sh", "-c", shell, "sh", *MATLENS, *words]
        return subprocess.run(command, cwd=folder, capture_output=True, text=True)

    return run


@pytest.mark.slow
@pytest.mark.parametrize("size", ["16k", "48k", "200k"])
def test_a_full_disk_is_one_sentence_at_every_stage(folder, size):
    run = on_own_disk(folder, f"size={size}")
    if run is None:
        pytest.skip("no file system can be mounted here")
    found = run("characterize", "w.png", *QUICK, "-o", "disk/run", "--quiet")
    assert found.returncode == 2, found.stderr
    assert "the disk is full" in one_sentence(found.stderr)
    assert found.stdout == ""  # nor is a half-written file left


def test_a_disk_that_may_only_be_read_is_one_sentence(folder):
    run = on_own_disk(folder, "ro")
    if run is None:
        pytest.skip("no file system can be mounted here")
    found = run("characterize", "w.png", *QUICK, "-o", "disk/run", "--quiet")
    assert found.returncode == 2, found.stderr
    assert re.search("disk/run.*Read-only file system", one_sentence(found.stderr))
    assert found.stdout == ""


def test_a_run_folder_that_vanishes_is_not_made_again(folder):
    run = RunDirectory.create("run", "demo", {})
    shutil.rmtree("run")
    for name in ("figures/a.csv", ".state/fit/a.npz", "errors.csv"):
        with pytest.raises(Exception, match="no longer there"):
            run.write_text(name, "x")
    assert not (folder / "run").exists()
    run.close()


def test_the_current_folder_is_gone(folder):
    (folder / "gone").mkdir()
    shell = f'cd gone && rmdir ../gone && "$@" characterize {folder}/w.png -o {folder}/run'
    found = subprocess.run(["sh", "-c", shell, "sh", *MATLENS], cwd=folder, capture_output=True, text=True)
    assert found.returncode == 2
    assert "the current folder no longer exists" in one_sentence(found.stderr)
    assert not (folder / "run").exists()


# Streams and names


def test_all_streams_may_be_closed_and_files_do_not_take_their_places(folder):
    shell = '"$@" <&- >&- 2>&-'
    words = ["characterize", "w.png", *QUICK, "-o", "run"]
    found = subprocess.run(["sh", "-c", shell, "sh", *MATLENS, *words], cwd=folder)
    assert found.returncode == 0
    assert (folder / "run/.state/lock").read_text().isdigit()


def test_a_reader_that_has_ended_is_one_sentence(folder):
    read, write = os.pipe()
    os.close(read)
    found = subprocess.run([*MATLENS, "inspect", "w.png"], cwd=folder, stdout=write, stderr=subprocess.PIPE, text=True)
    os.close(write)
    assert found.returncode == 2
    assert "what reads the output has ended" in one_sentence(found.stderr)


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="no /dev/full")
def test_a_full_output_is_one_sentence(folder):
    with open("/dev/full", "w") as full:
        found = subprocess.run(
            [*MATLENS, "inspect", "w.png"], cwd=folder, stdout=full, stderr=subprocess.PIPE, text=True
        )
    assert found.returncode == 2
    assert "No space left" in one_sentence(found.stderr)


@pytest.mark.parametrize("name", [b"bad\xff.png", b"out\xfe"])
def test_a_name_that_is_no_text_is_one_sentence(folder, name, capsys):
    shutil.copy("w.png", os.fsdecode(name))
    assert ended("characterize", os.fsdecode(name), "-o", "run") == 2
    assert "is not text in UTF-8" in one_sentence(capsys.readouterr().err)
    assert not (folder / "run").exists()


def test_a_name_that_only_the_locale_cannot_show_is_told_so(folder):
    shutil.copy("w.png", "bö.png")
    plain = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    command = [*MATLENS, "characterize", "bö.png", "-o", "run"]
    found = subprocess.run(command, cwd=folder, env=os.environ | plain, capture_output=True)
    assert found.returncode == 2
    assert b"PYTHONUTF8=1" in found.stderr
    assert found.stderr.count(b"\n") == 1


def test_a_slice_whose_name_is_no_text_is_read(folder):
    (folder / "slices").mkdir()
    for index in range(3):
        np.save(folder / "slices" / f"{index}.npy", gaussian_field((16, 16), 2.0, 0.4, seed=index).labels)
    os.rename("slices/1.npy", os.fsdecode(b"slices/1\xff.npy"))
    assert ended("characterize", "slices", "--statistics", "volume_fraction", "-o", "run") == 0


# The user's own files


def test_force_names_the_files_of_others_and_keeps_them(folder, capsys):
    (folder / "fz").mkdir()
    (folder / "fz/report.html").write_text("mine")
    (folder / "fz/curves.csv").write_text("my,data")
    assert ended("characterize", "w.png", *QUICK, "-o", "fz", "--force") == 2
    said = one_sentence(capsys.readouterr().err)
    assert "curves.csv, report.html" in said
    assert content(folder / "fz") == {"report.html": b"mine", "curves.csv": b"my,data"}


def test_force_replaces_a_run_as_it_was_written(folder, measured):
    (measured / "notes.txt").write_text("mine")
    assert (
        ended("characterize", "w.png", "--statistics", "volume_fraction", "--threads", 1, "-o", "run", "--force") == 0
    )
    assert (measured / "notes.txt").read_text() == "mine"
    assert not (measured / "curves.csv").exists()
    assert not (measured / "previous").exists()


def test_the_report_of_a_received_run_writes_nothing_outside(folder, measured, capsys):
    (folder / "elsewhere").mkdir()
    (folder / "elsewhere" / "curves.csv").write_text("mine")
    shutil.rmtree(measured / "figures")
    (measured / "figures").symlink_to(folder / "elsewhere")
    assert ended("report", "run") == 2
    assert "leads out of the run directory" in one_sentence(capsys.readouterr().err)
    assert content(folder / "elsewhere") == {"curves.csv": b"mine"}
