"""A pool of workers ends with the bytes of one process, whatever dies; a task that fails costs only itself."""

import hashlib
import importlib.util
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from draws import environment
from matlens.runs.tasks import EXPIRES, claim, read_holder

pytestmark = [
    pytest.mark.end_to_end,
    pytest.mark.skipif(sys.platform == "win32", reason="signals are those of POSIX systems"),
]
TIMED = ("report.html", "provenance.json", "log.txt")
STEPS = ("--steps", "4", "--seconds", "0.1")


def dask_is_there() -> bool:
    """Whether Dask is installed; where everything must be tested, it has to be."""
    return os.environ.get("CI") == "true" or importlib.util.find_spec("distributed") is not None


needs_dask = pytest.mark.skipif(not dask_is_there(), reason="the extra 'cluster' is not installed")


def start(*words, **more):
    command = [sys.executable, "-m", "matlens", *map(str, words)]
    return subprocess.Popen(
        command, env=environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **more
    )


def outcome(*words):
    process = start(*words)
    said, complaint = process.communicate(timeout=120)
    return process.returncode, said, complaint


def digests(run: Path) -> dict[str, str]:
    files = [file for file in run.rglob("*") if file.is_file()]
    named = {file.relative_to(run).as_posix(): file for file in files}
    return {
        name: hashlib.sha256(file.read_bytes()).hexdigest()
        for name, file in named.items()
        if name not in TIMED and not name.startswith(".state/")
    }


def wait_for(found, seconds=60.0):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if value := found():
            return value
        time.sleep(0.02)
    raise AssertionError("what was waited for did not come")


def leases(run: Path) -> list[Path]:
    return list((run / ".state/tasks/draw").glob("*.lease"))


def holder_of(run: Path):
    return next((found for file in leases(run) if (found := read_holder(file)) is not None), None)


@pytest.fixture(scope="module")
def serial(tmp_path_factory):
    run = tmp_path_factory.mktemp("serial") / "run"
    assert outcome("draws", "-n", 6, "--steps", 4, "-o", run)[0] == 0
    return digests(run)


def untouched(run: Path) -> list[str]:
    """What of the workers is left below ``.state`` of a finished run."""
    names = [file.name for file in (run / ".state").rglob("*")]
    return [name for name in names if name.startswith((".", "files-", "tasks")) or name.endswith((".lease", ".part"))]


def with_time_left_out(serial, run):
    """The digests of a run, and of the serial one; their settings differ in the seconds of a step."""
    return {name: value for name, value in digests(run).items() if name != "settings.toml"}, {
        name: value for name, value in serial.items() if name != "settings.toml"
    }


def test_a_killed_worker_changes_no_byte(tmp_path, serial):
    process = start("draws", "-n", 6, *STEPS, "--workers", 2, "-o", tmp_path / "run")
    killed = wait_for(lambda: holder_of(tmp_path / "run"))
    os.kill(killed.pid, signal.SIGKILL)
    _, complaint = process.communicate(timeout=120)
    assert process.returncode == 0, complaint
    made, whole = with_time_left_out(serial, tmp_path / "run")
    assert made == whole
    assert untouched(tmp_path / "run") == []


def test_a_killed_client_leaves_no_worker_and_resumes_to_the_same_bytes(tmp_path, serial):
    run = tmp_path / "run"
    process = start("draws", "-n", 6, *STEPS, "--workers", 2, "-o", run)
    worker = wait_for(lambda: holder_of(run)).pid
    process.kill()
    process.communicate()
    wait_for(lambda: not Path(f"/proc/{worker}").exists(), 10)  # saves and leaves, within seconds
    code, said, _ = outcome("status", run)
    assert code == 0
    assert " 0 running, 0 failed" in said
    assert outcome("resume", run, "--workers", 3)[0] == 0
    made, whole = with_time_left_out(serial, run)
    assert made == whole


def test_an_interrupt_saves_and_exits_with_130(tmp_path, serial):
    run = tmp_path / "run"
    process = start("draws", "-n", 6, *STEPS, "--workers", 2, "-o", run)
    worker = wait_for(lambda: holder_of(run)).pid
    process.send_signal(signal.SIGTERM)
    _, complaint = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "go on with 'matlens resume" in complaint
    assert not Path(f"/proc/{worker}").exists()
    assert leases(run) == []
    assert outcome("resume", run)[0] == 0  # serially
    made, whole = with_time_left_out(serial, run)
    assert made == whole


def test_a_failing_task_costs_only_itself(tmp_path):
    run = tmp_path / "run"
    code, _, complaint = outcome("draws", "-n", 6, "--fail", "1,4", "--workers", 2, "-o", run)
    assert code == 1
    assert "2 of 6 tasks failed (1: draw 1 was asked to fail; 4: draw 4 was asked to fail)" in " ".join(
        complaint.split()
    )
    error = json.loads((run / ".state/tasks/draw/1.error.json").read_text())
    assert error["error"] == "draw 1 was asked to fail."
    assert "ValueError" in error["traceback"]
    code, said, _ = outcome("status", run)
    assert "draws (draw): 4 of 6 done, 0 running, 2 failed, 0 left" in said
    assert "failed: 4: draw 4 was asked to fail." in said
    assert outcome("work", run, "--task", "draw/1")[0] == 1  # as it was recorded; nothing is tried
    assert outcome("work", run, "--task", "draw/2")[0] == 0


def test_a_task_that_kills_its_workers_is_given_up(tmp_path):
    run = tmp_path / "run"
    code, _, complaint = outcome("draws", "-n", 3, "--kill", "1", "--workers", 2, "-o", run)
    assert code == 1
    assert "1 of 3 tasks failed (1: 5 workers were killed at it one after the other" in " ".join(complaint.split())
    assert (run / ".state/draw/2.npz").is_file()


def test_bad_requests_are_one_sentence(tmp_path):
    run = tmp_path / "run"
    assert outcome("draws", "-n", 2, "--fail", "1", "--workers", 2, "-o", run)[0] == 1
    for words, sentence in (
        (("work", run, "--task", "draw/7"), "has no task 'draw/7'; its tasks are named as draw/0"),
        (("work", run, "--task", "trial/0"), "has no task 'trial/0'"),
        (("work", tmp_path, "--task", "draw/0"), "is not a run directory"),
        (("status", tmp_path), "is not a run directory"),
        (("draws", "--pool", "serial", "--workers", 2, "-o", tmp_path / "b"), "choose --pool processes"),
        (("draws", "--pool", "processes", "--scheduler", "tcp://a:1"), "a scheduler is for --pool dask"),
    ):
        code, _, complaint = outcome(*words)
        assert (code, sentence in " ".join(complaint.split())) == (2, True), complaint
        assert complaint.count("\n") == 1
    settings = (run / "settings.toml").read_text()
    (run / "settings.toml").write_text(settings.replace('numpy = "', 'numpy = "0.'))
    code, _, complaint = outcome("work", run, "--task", "draw/1")
    assert code == 2
    assert "would not give the bytes of" in complaint


def test_a_task_of_another_machine_is_taken_over_when_its_heartbeat_stops(tmp_path):
    (tmp_path / "0.lease").write_text(json.dumps({"host": "elsewhere", "pid": 1, "since": "", "kills": 1, "text": ""}))
    assert claim(tmp_path, "0").host == "elsewhere"
    old = time.time() - EXPIRES - 1
    os.utime(tmp_path / "0.lease", (old, old))
    lease = claim(tmp_path, "0")
    assert lease.holder.kills == 2
    lease.release()
    assert list(tmp_path.iterdir()) == []


@needs_dask
def test_workers_of_dask_give_the_same_bytes_when_one_is_killed(tmp_path, serial):
    run = tmp_path / "run"
    process = start("draws", "-n", 6, *STEPS, "--pool", "dask", "--workers", 2, "-o", run)
    child = wait_for(lambda: holder_of(run))
    parent = int(Path(f"/proc/{child.pid}/stat").read_text().rpartition(")")[2].split()[1])
    os.kill(parent, signal.SIGKILL)  # the worker of Dask, whose process for tasks leaves with it
    _, complaint = process.communicate(timeout=120)
    assert process.returncode == 0, complaint
    made, whole = with_time_left_out(serial, run)
    assert made == whole
    assert untouched(run) == []


@needs_dask
def test_a_scheduler_that_is_not_there_is_one_sentence(tmp_path):
    code, _, complaint = outcome("draws", "--scheduler", "tcp://127.0.0.1:9", "-o", tmp_path / "run")
    assert code == 2
    assert "no scheduler of Dask answers at tcp://127.0.0.1:9" in complaint
    assert "Traceback" not in complaint
