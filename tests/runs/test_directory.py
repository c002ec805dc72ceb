import json
import os
import subprocess
import sys
import tomllib

import pytest

from matlens.core.atomic import atomic_write
from matlens.errors import RunError
from matlens.runs import directory as module
from matlens.runs.directory import RunDirectory


def files(path):
    return sorted(file.name for file in path.iterdir())


def test_settings_are_the_first_file_and_read_back(tmp_path):
    with RunDirectory.create(tmp_path / "a" / "run", "compare", {"seed": 3, "shape": (4, 5), "weights": None}) as run:
        assert files(run.path) == [".state", "settings.toml"]
        assert run.settings["command"] == "compare"
        assert run.settings["shape"] == [4, 5]
        assert "weights" not in run.settings
    assert tomllib.loads((run.path / "settings.toml").read_text())["seed"] == 3


def test_default_names_are_dated_and_unique(tmp_path):
    names = []
    for _ in range(3):
        with RunDirectory.create(None, "demo", {}, root=tmp_path / "runs") as run:
            names.append(run.path.name)
    assert len(set(names)) == 3
    assert all("-demo" in name and name[:2] == "20" for name in names)


def test_a_directory_that_is_not_empty_is_refused_and_left_alone(tmp_path):
    (tmp_path / "mine.txt").write_text("mine")
    with pytest.raises(RunError, match=r"not empty.*--force"):
        RunDirectory.create(tmp_path, "demo", {})
    assert files(tmp_path) == ["mine.txt"]


def test_force_keeps_foreign_files_and_sets_the_old_run_aside(tmp_path):
    with RunDirectory.create(tmp_path / "run", "demo", {"seed": 0}) as run:
        run.write_text("figures/a.csv", "old")
        run.mark("finished")
    (run.path / "figures" / "mine.csv").write_text("mine")
    with RunDirectory.create(run.path, "demo", {"seed": 1}, force=True) as run:
        assert files(run.path) == [".state", "figures", "previous", "settings.toml"]
        assert files(run.path / "figures") == ["mine.csv"]
        assert (run.path / "previous" / "figures" / "a.csv").read_text() == "old"
        assert run.status == "running"
        run.mark("finished")
    assert not (run.path / "previous").exists()
    assert run.settings["seed"] == 1


def test_force_over_an_unfinished_run_keeps_the_last_finished_one(tmp_path):
    with RunDirectory.create(tmp_path / "run", "demo", {"seed": 0}) as run:
        run.mark("finished")
    for seed in (1, 2):
        RunDirectory.create(run.path, "demo", {"seed": seed}, force=True).close()
    assert tomllib.loads((run.path / "previous" / "settings.toml").read_text())["seed"] == 0
    with RunDirectory(run.path) as run:
        run.discard()
    with RunDirectory(run.path) as run:
        assert (run.settings["seed"], run.status) == (0, "finished")


def test_a_full_disk_at_the_start_leaves_the_old_run(tmp_path, monkeypatch):
    with RunDirectory.create(tmp_path / "run", "demo", {"seed": 0}) as run:
        run.write_text("errors.csv", "old")
        run.mark("finished")

    def full(*arguments):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(RunError, match="disk is full"):
        RunDirectory.create(run.path, "demo", {"seed": 1}, force=True)
    monkeypatch.undo()
    with RunDirectory(run.path) as run:
        assert (run.settings["seed"], run.status) == (0, "finished")
        assert (run.path / "errors.csv").read_text() == "old"


def test_a_full_disk_at_the_start_leaves_nothing_new(tmp_path, monkeypatch):
    monkeypatch.setattr(os, "fsync", lambda _: (_ for _ in ()).throw(OSError(28, "No space left on device")))
    with pytest.raises(RunError, match="disk is full"):
        RunDirectory.create(tmp_path / "run", "demo", {})
    assert not (tmp_path / "run").exists()


def test_discard_leaves_nothing(tmp_path):
    run = RunDirectory.create(tmp_path / "run", "demo", {})
    run.write_text("figures/a.csv", "x")
    run.discard()
    assert not run.path.exists()


def test_a_run_is_locked_while_open_and_free_after(tmp_path):
    with RunDirectory.create(tmp_path / "run", "demo", {}) as run:
        code = f"from matlens.runs.directory import RunDirectory; RunDirectory({str(run.path)!r})"
        second = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
        assert f"in use by another matlens process (pid {os.getpid()})" in second.stderr
        with pytest.raises(RunError, match="in use"):
            RunDirectory.create(run.path, "demo", {}, force=True)
    RunDirectory(run.path).close()


def test_a_killed_process_leaves_no_lock(tmp_path):
    code = (
        "import os, signal; from matlens.runs.directory import RunDirectory\n"
        f"run = RunDirectory.create({str(tmp_path / 'run')!r}, 'demo', {{}})\n"
        "(run.path / '.matlens-0123456789abcdef.part').write_text('half')\n"
        "os.kill(os.getpid(), signal.SIGKILL)"
    )
    assert subprocess.run([sys.executable, "-c", code]).returncode == -9
    with RunDirectory(tmp_path / "run") as run:
        assert run.status == "running"
        assert files(run.path) == [".state", "settings.toml"]  # the half-written file is gone


def test_only_a_run_directory_opens(tmp_path):
    with pytest.raises(RunError, match=r"not a run directory.*settings\.toml"):
        RunDirectory(tmp_path)
    (tmp_path / "settings.toml").write_text("= broken")
    with pytest.raises(RunError, match="cannot be read as settings"):
        RunDirectory(tmp_path)


def test_a_file_where_the_directory_should_be(tmp_path):
    (tmp_path / "run").write_text("a file")
    with pytest.raises(RunError, match="cannot be made a directory"):
        RunDirectory.create(tmp_path / "run", "demo", {})


def test_provenance_keeps_its_start(tmp_path):
    with RunDirectory.create(tmp_path / "run", "demo", {}) as run:
        run.mark("running", threads=1)
        started = run.provenance["started"]
        run.mark("finished")
    content = json.loads((run.path / "provenance.json").read_text())
    assert (content["started"], content["threads"], content["status"]) == (started, 1, "finished")
    assert content["finished"] >= started


def test_atomic_write_keeps_the_old_file_on_an_error(tmp_path):
    (tmp_path / "a.txt").write_text("old")

    def broken():
        with atomic_write(tmp_path / "a.txt") as file:
            file.write(b"new")
            raise ValueError("stop")

    with pytest.raises(ValueError, match="stop"):
        broken()
    assert files(tmp_path) == ["a.txt"]
    assert (tmp_path / "a.txt").read_text() == "old"


def test_state_only_counts_as_empty(tmp_path):
    (tmp_path / module.STATE).mkdir()  # killed before settings.toml
    with RunDirectory.create(tmp_path, "demo", {}) as run:
        assert run.status == "running"


def test_discard_leaves_directories_that_were_there(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    RunDirectory.create(None, "demo", {}).discard()
    assert files(tmp_path) == []
    (tmp_path / "mine").mkdir()
    RunDirectory.create("mine", "demo", {}).discard()
    assert files(tmp_path) == ["mine"]
    assert files(tmp_path / "mine") == []


def test_settings_of_another_program_are_left_alone(tmp_path):
    (tmp_path / "settings.toml").write_text("theirs = 1\n")
    with pytest.raises(RunError, match="not written by MatLens"):
        RunDirectory(tmp_path)
    with pytest.raises(RunError, match="not written by MatLens"):
        RunDirectory.create(tmp_path, "compare", {}, force=True)
    assert files(tmp_path) == ["settings.toml"]
    assert (tmp_path / "settings.toml").read_text() == "theirs = 1\n"
