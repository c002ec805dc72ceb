"""What --force replaces comes back when the replacement is stopped, and what is not MatLens' is never replaced."""

import os
import shutil
import signal

import pytest

from matlens.errors import InputError, Interrupted, RunError
from matlens.runs import replacing
from matlens.runs.directory import RunDirectory
from matlens.runs.lifecycle import working


@pytest.fixture
def old(tmp_path):
    """A finished run with a file of the user in it."""
    with RunDirectory.create(tmp_path / "run", "demo", {"seed": 0}) as run:
        for name in ("errors.csv", "figures/a.csv", ".state/fit/a.npz", "sandstone/none/a.npy"):
            run.write_text(name, f"old {name}")
        run.mark("finished")
    (run.path / "figures" / "mine.csv").write_text("mine")
    return run.path


def content(folder):
    """Every file but the lock, whose text is the id of a process."""
    files = (file for file in folder.rglob("*") if file.is_file() and file.name != "lock")
    return {file.relative_to(folder).as_posix(): file.read_bytes() for file in files}


def stopped(run, name, error):
    """Work that writes a file and then ends with an error."""
    with working(run, fresh=True):
        run.write_text(name, "new")
        raise error


def test_a_folder_without_a_run_is_refused_by_name(tmp_path):
    (tmp_path / "report.html").write_text("mine")
    (tmp_path / "curves.csv").write_text("my,data")
    before = content(tmp_path)
    with pytest.raises(RunError, match=r"holds curves\.csv, report\.html but no run of MatLens"):
        RunDirectory.create(tmp_path, "characterize", {}, force=True)
    assert content(tmp_path) == before


@pytest.mark.parametrize("name", ["errors.csv", "settings.toml", "figures/a.csv"])
def test_a_file_that_was_changed_is_not_ours_any_more(old, name):
    (old / name).write_text((old / name).read_text() + "\n")
    before = content(old)
    with pytest.raises(RunError, match=rf"{name}, not as MatLens wrote what --force replaces"):
        RunDirectory.create(old, "demo", {}, force=True)
    assert content(old) == before


def test_a_file_of_others_in_the_way_of_a_result_is_kept(old):
    (old / "verdict.json").write_text("mine")
    with RunDirectory.create(old, "demo", {}, force=True) as run:
        with pytest.raises(RunError, match=r"verdict\.json is not a file that MatLens wrote.*resume"):
            run.write_text("verdict.json", "ours")
        (old / "verdict.json").unlink()
        run.write_text("verdict.json", "ours")
        run.write_text("verdict.json", "ours, again")


def test_files_of_a_run_of_an_earlier_version_have_no_hash_and_stay(old):
    (old / ".state/files.jsonl").unlink()
    (old / ".state/files.txt").write_text("errors.csv\nfigures/a.csv\n")
    with pytest.raises(RunError, match="not as MatLens wrote"):
        RunDirectory.create(old, "demo", {}, force=True)
    with RunDirectory(old) as run:  # but their reports can be written again
        run.write_text("errors.csv", "new")


@pytest.mark.parametrize(
    "error", [KeyboardInterrupt(), InputError("no"), RunError("the disk is full"), Interrupted("stopped")]
)
def test_a_run_that_ends_without_a_result_brings_the_earlier_one_back(old, error):
    before = content(old)
    run = RunDirectory.create(old, "demo", {"seed": 1}, force=True)
    with pytest.raises((InputError, RunError, Interrupted)):
        stopped(run, "errors.csv", error)
    assert content(old) == before


def test_an_interrupted_run_with_a_result_says_where_the_earlier_one_waits(old):
    run = RunDirectory.create(old, "demo", {"seed": 1}, force=True)
    with pytest.raises(Interrupted, match=r"the run that it replaces waits in .*previous"):
        stopped(run, "realisation_0.npy", KeyboardInterrupt())
    assert (old / "previous" / "errors.csv").read_text() == "old errors.csv"


def test_files_of_others_in_previous_stay(old):
    run = RunDirectory.create(old, "demo", {"seed": 1}, force=True)
    (old / "previous" / "notes.txt").write_text("mine")
    with working(run):
        run.write_text("errors.csv", "new")
    assert content(old / "previous") == {"notes.txt": b"mine"}
    RunDirectory.create(old, "demo", {"seed": 2}, force=True).close()  # and are in nobody's way
    assert (old / "previous" / "notes.txt").read_text() == "mine"


CHANGES = ("replace", "unlink", "rmdir", "mkdir", "fsync")


def killed_at(folder, number, discarded):
    """Replace a run in a process that is killed before its n-th change of a file; whether it came so far."""
    process = os.fork()
    if not process:
        calls = []

        def counted(function):
            def change(*args, **options):
                calls.append(1)
                if len(calls) == number:
                    os.kill(os.getpid(), signal.SIGKILL)
                return function(*args, **options)

            return change

        for name in CHANGES:
            setattr(os, name, counted(getattr(os, name)))
        run = RunDirectory.create(folder, "demo", {"seed": 1}, force=True)
        if discarded:
            run.discard()
        os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(process, 0)[1]) == -signal.SIGKILL


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork on Windows")
@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded")
@pytest.mark.parametrize("discarded", [False, True])
def test_a_kill_at_any_moment_of_replacing_loses_nothing(old, tmp_path, discarded):
    """Each kill leaves the earlier run, or the new one with all of the earlier one in previous/."""
    before, number = content(old), 1
    mine = {name: text for name, text in before.items() if name != "figures/mine.csv"}
    shutil.copytree(old, tmp_path / "copy")
    while killed_at(tmp_path / "copy", number, discarded):
        with RunDirectory(tmp_path / "copy") as run:
            seed = run.settings["seed"]
        assert (run.path / "figures/mine.csv").read_text() == "mine"
        if seed == 0:
            assert content(run.path) == before, number
        else:
            assert content(run.path / "previous") == mine, number
        shutil.rmtree(run.path)
        shutil.copytree(old, run.path)
        number += 1
    assert number > 20


def test_a_finished_run_whose_previous_one_was_not_removed_is_the_last_finished(old):
    run = RunDirectory.create(old, "demo", {"seed": 1}, force=True)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("matlens.runs.directory.forget_previous", lambda root: None)  # as if killed before
        with working(run):
            run.write_text("errors.csv", "second")
    RunDirectory.create(old, "demo", {"seed": 2}, force=True).close()
    assert (old / "previous" / "errors.csv").read_text() == "second"


def test_a_folder_of_others_named_previous_is_left_alone(tmp_path, old):
    (tmp_path / "mine" / "previous").mkdir(parents=True)
    (tmp_path / "mine" / "previous" / "settings.toml").write_text("theirs")
    before = content(tmp_path / "mine")
    for force in (False, True):
        with pytest.raises(RunError):
            RunDirectory.create(tmp_path / "mine", "demo", {}, force=force)
    with pytest.raises(RunError, match="not a run directory"):
        RunDirectory(tmp_path / "mine")
    assert content(tmp_path / "mine") == before
    (tmp_path / "mine" / "previous").rename(old / "previous")
    with pytest.raises(RunError, match=r"holds previous/settings\.toml"):
        RunDirectory.create(old, "demo", {}, force=True)


def test_the_words_of_a_long_list_are_few(tmp_path):
    for number in range(30):
        (tmp_path / f"{number:02}.txt").write_text("mine")
    with pytest.raises(RunError, match=r"04\.txt and 25 more but no run"):
        replacing.check_replaceable(tmp_path)
