"""What bad input gets: one sentence, exit code 2, and nothing written."""

import os

import numpy as np
import pytest

from matlens.cli.app import main
from matlens.microstructure.io import write_microstructure
from matlens.microstructure.problems import bicontinuous
from matlens.runs.directory import RunDirectory

pytestmark = pytest.mark.end_to_end


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """An empty working directory; inputs lie beside it, so that whatever a command leaves here is its own."""
    (tmp_path / "work").mkdir()
    monkeypatch.chdir(tmp_path / "work")
    return tmp_path


@pytest.fixture
def good(folder):
    return str(write_microstructure(bicontinuous((48, 48), seed=0, wavelength=8), folder / "good.npy"))


def refused(capsys, *arguments):
    """Run a command that must fail, and return its sentence."""
    with pytest.raises(SystemExit) as end:
        main([str(argument) for argument in arguments])
    printed = capsys.readouterr()
    assert end.value.code == 2, printed
    assert printed.err.startswith("matlens: ")
    assert printed.err.count("\n") == 1
    assert os.listdir() == []
    return printed.err


def colours(path):
    from PIL import Image

    Image.fromarray(np.random.default_rng(0).integers(0, 255, (32, 32, 3), dtype=np.uint8)).save(path)


FILES = {
    "missing.npy": (lambda path: None, "no file"),
    "empty.tif": (lambda path: path.write_bytes(b""), "empty"),
    "truncated.npy": (lambda path: path.write_bytes(b"\x93NUMPY\x01\x00v\x00{'descr'"), "cannot be read"),
    "corrupt.png": (lambda path: path.write_bytes(os.urandom(300)), "cannot be read"),
    "unknown.xyz": (lambda path: path.write_text("?"), "suffix"),
    "objects.npy": (lambda path: np.save(path, np.array([[None, 1]], dtype=object), allow_pickle=True), ""),
    "one_phase.npy": (lambda path: np.save(path, np.zeros((32, 32), dtype=np.uint8)), "one phase"),
    "nan.npy": (lambda path: np.save(path, np.full((32, 32), np.nan)), "NaN"),
    "line.npy": (lambda path: np.save(path, np.arange(32) % 2), "shape"),
    "grains.npy": (lambda path: np.save(path, np.arange(1024).reshape(32, 32) // 8), "--threshold"),
}


@pytest.mark.parametrize("command", ["reconstruct", "characterize"])
@pytest.mark.parametrize("name", FILES)
def test_bad_files(name, command, folder, capsys):
    make, said = FILES[name]
    make(folder / name)
    assert said in refused(capsys, command, folder / name)


@pytest.mark.parametrize("command", ["inspect", "characterize"])
def test_a_colour_photograph_is_read_as_grey_and_the_line_of_truth_says_so(command, folder, capsys):
    colours(folder / "colours.png")
    with pytest.raises(SystemExit) as end:
        main([command, str(folder / "colours.png")])
    printed = capsys.readouterr().out
    assert end.value.code == 0
    assert "Channel grey was taken from a colour picture" in printed
    assert "--channel grey" in printed


@pytest.mark.parametrize("name", ["missing.npy", "one_phase.npy"])
def test_bad_files_in_compare(name, folder, good, capsys):
    FILES[name][0](folder / name)
    assert FILES[name][1] in refused(capsys, "compare", folder / name, good)
    assert FILES[name][1] in refused(capsys, "compare", good, folder / name)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--shape", "0x64"], "0x64"),
        (["--shape=-64x64"], "-64x64"),
        (["--shape", "64"], "64"),
        (["--shape", "32x32x32x32"], "32x32x32"),
        (["--shape", "big"], "big"),
        (["--encoder", "alexnet"], "alexnet"),
        (["--preset", "best"], "best"),
        (["--fraction", "half"], "half"),
        (["--fraction", "0.3,0.3"], "1"),
        (["--fraction", "0.3,0.3,0.4"], "2"),
        (["--device", "tpu"], "tpu"),
        (["--threshold", "magic"], "magic"),
        (["--crop", "0:10"], "0:10"),
        (["--spacing", "wide"], "wide"),
        (["--median", "3"], "threshold"),
    ],
)
def test_bad_options(options, said, good, capsys):
    assert said in refused(capsys, "reconstruct", good, *options)


def test_inputs_of_different_phases(folder, good, capsys):
    three = folder / "three.npy"
    np.save(three, np.arange(48 * 48).reshape(48, 48) % 3)
    assert "3 phases" in refused(capsys, "reconstruct", good, three)
    assert "3 phases" in refused(capsys, "compare", three, good)


@pytest.mark.parametrize("encoder", ["filterbank", "vgg19-oxford"])
def test_an_image_too_small_for_the_encoder(encoder, folder, capsys, data_dir):
    np.save(folder / "small.npy", np.eye(4, dtype=np.uint8))
    said = refused(capsys, "reconstruct", folder / "small.npy", "--encoder", encoder)
    assert any(word.strip(".,;").isdigit() for word in said.replace("x", " ").split())  # the smallest size


def test_weights_that_are_no_weights(folder, good, capsys):
    (folder / "w.safetensors").write_bytes(os.urandom(100))
    refused(capsys, "reconstruct", good, "--encoder", "vgg19-oxford", "--weights", folder / "w.safetensors")
    refused(capsys, "reconstruct", good, "--encoder", "vgg19-oxford", "--weights", folder / "missing.safetensors")


def test_weights_of_the_wrong_hash(folder, good, capsys, monkeypatch):
    (folder / "weights").mkdir()
    (folder / "weights" / "vgg19_imagenet_conv1_1-conv3_4.safetensors").write_bytes(os.urandom(100))
    monkeypatch.setenv("MATLENS_DATA", str(folder))
    assert "SHA-256" in refused(capsys, "reconstruct", good, "--encoder", "vgg19-oxford")


def test_a_run_directory_that_is_not_empty(folder, good, capsys):
    taken = folder / "taken"
    taken.mkdir()
    (taken / "mine.txt").write_text("mine")
    for command in (["reconstruct", good], ["characterize", good], ["compare", good, good], ["demo"]):
        assert "--force" in refused(capsys, *command, "-o", taken)
    assert os.listdir(taken) == ["mine.txt"]


def test_a_run_directory_in_use(folder, good, capsys):
    with RunDirectory.create(folder / "busy", "characterize", {"seed": 0}):
        assert "in use" in refused(capsys, "characterize", good, "-o", folder / "busy", "--force")
        assert "in use" in refused(capsys, "resume", folder / "busy")


def test_a_full_disk_leaves_the_old_result(folder, good, capsys, monkeypatch):
    main_ok("characterize", good, "-o", folder / "run")
    capsys.readouterr()
    before = {file.name: file.read_bytes() for file in (folder / "run").iterdir() if file.is_file()}

    def full(*arguments):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    assert "disk is full" in refused(capsys, "characterize", good, "-o", folder / "run", "--force")
    monkeypatch.undo()
    os.chdir(folder / "work")
    after = {file.name: file.read_bytes() for file in (folder / "run").iterdir() if file.is_file()}
    assert after == before


def test_commands_on_what_is_no_run(folder, capsys):
    assert "not a run directory" in refused(capsys, "resume", folder / "nothing")
    assert "not a run directory" in refused(capsys, "report", folder)


def test_an_unregistered_name(folder, capsys):
    assert "li2018" in refused(capsys, "fetch", "nosuchthing")


def test_no_network(folder, capsys, monkeypatch):
    import socket

    def refuse(*arguments, **options):
        raise OSError("Network is unreachable")

    monkeypatch.setenv("MATLENS_DATA", "")
    monkeypatch.setenv("XDG_CACHE_HOME", str(folder / "cache"))
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    monkeypatch.setattr(socket.socket, "connect", refuse)
    said = refused(capsys, "fetch", "li2018")
    assert "network" in said.lower() or "reach" in said.lower() or "download" in said.lower()


def main_ok(*arguments):
    with pytest.raises(SystemExit) as end:
        main([str(argument) for argument in arguments])
    assert not end.value.code
