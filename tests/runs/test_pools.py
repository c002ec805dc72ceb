"""A pool of workers ends with the bytes of one process, whatever dies; a task that fails costs only itself."""

import importlib.util
import json
import os
import signal
import sys
import time
from pathlib import Path

import pytest
from pool_runs import DRAWS, dask_here, digests, leases, left_over, outcome, start, wait_for, worker_of

from matlens.runs.tasks import EXPIRES, claim

pytestmark = [
    pytest.mark.end_to_end,
    pytest.mark.skipif(sys.platform == "win32", reason="signals are those of POSIX systems"),
]


def dask_is_there() -> bool:
    """Whether Dask is installed; where everything must be tested, it has to be."""
    return os.environ.get("CI") == "true" or importlib.util.find_spec("distributed") is not None


needs_dask = pytest.mark.skipif(not dask_is_there(), reason="the extra 'cluster' is not installed")


@pytest.fixture(scope="module")
def serial(tmp_path_factory):
    run = tmp_path_factory.mktemp("serial") / "run"
    assert outcome(*DRAWS, "-o", run)[0] == 0
    return digests(run)


def test_a_killed_worker_changes_no_byte(tmp_path, serial):
    process = start(*DRAWS, "--workers", 2, "-o", tmp_path / "run")
    killed = wait_for(lambda: worker_of(tmp_path / "run"))
    os.kill(killed, signal.SIGKILL)
    _, complaint = process.communicate(timeout=120)
    assert process.returncode == 0, complaint
    assert digests(tmp_path / "run") == serial
    assert left_over(tmp_path / "run") == []


def test_a_killed_client_leaves_no_worker_and_resumes_to_the_same_bytes(tmp_path, serial):
    run = tmp_path / "run"
    process = start(*DRAWS, "--workers", 2, "-o", run)
    worker = wait_for(lambda: worker_of(run))
    process.kill()
    process.communicate()
    wait_for(lambda: not Path(f"/proc/{worker}").exists(), 10)  # saves and leaves, within seconds
    code, said, _ = outcome("status", run)
    assert code == 0
    assert " 0 running, 0 failed" in said
    assert outcome("resume", run, "--workers", 3)[0] == 0
    assert digests(run) == serial


def test_an_interrupt_saves_and_exits_with_130(tmp_path, serial):
    run = tmp_path / "run"
    process = start(*DRAWS, "--workers", 2, "-o", run)
    worker = wait_for(lambda: worker_of(run))
    process.send_signal(signal.SIGTERM)
    _, complaint = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "go on with 'matlens resume" in complaint
    assert not Path(f"/proc/{worker}").exists()
    assert leases(run) == []
    assert outcome("resume", run)[0] == 0  # serially
    assert digests(run) == serial


def test_a_failing_task_costs_only_itself(tmp_path):
    run = tmp_path / "run"
    code, _, complaint = outcome("draws", "-n", 6, "--fail", "1,4", "--workers", 2, "-o", run)
    assert code == 1
    assert "2 of 6 tasks failed (1: draw 1 was asked to fail; 4: draw 4 was asked to fail)" in complaint
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
    assert "1 of 3 tasks failed (1: 5 workers were killed at it one after the other" in complaint
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
        assert (code, sentence in complaint) == (2, True), complaint
        assert complaint.count("matlens:") == 1
    settings = (run / "settings.toml").read_text()
    (run / "settings.toml").write_text(settings.replace('numpy = "', 'numpy = "0.'))
    code, _, complaint = outcome("work", run, "--task", "draw/1")
    assert code == 2
    assert "would not give the bytes of" in complaint


def test_a_file_system_that_dies_is_one_sentence_and_what_is_there_is_kept(tmp_path, serial):
    run, away = tmp_path / "run", tmp_path / "away"
    process = start(*DRAWS, "--workers", 2, "-o", run)
    wait_for(lambda: list((run / ".state/draw").glob("*.npz")))
    run.rename(away)
    _, complaint = process.communicate(timeout=120)
    assert process.returncode == 2
    # Which of the two it is depends on who misses the folder first: a worker that writes, or the client that reads.
    assert any(told in complaint for told in ("cannot be written (No such file or directory)", "is no longer there"))
    assert complaint.count("matlens:") == 1
    assert "Traceback" not in complaint
    away.rename(run)
    assert outcome("resume", run)[0] == 0
    assert digests(run) == serial


def test_a_folder_with_a_run_of_other_settings_is_one_sentence(tmp_path):
    run = tmp_path / "run"
    assert outcome("draws", "-n", 2, "-o", run)[0] == 0
    before = digests(run)
    code, _, complaint = outcome("draws", "-n", 3, "--workers", 2, "-o", run)
    assert code == 2
    assert "is not empty" in complaint
    assert complaint.count("matlens:") == 1
    assert digests(run) == before


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
    process = start(*DRAWS, "--pool", "dask", "--workers", 2, "-o", run)
    child = wait_for(lambda: worker_of(run))
    parent = int(Path(f"/proc/{child}/stat").read_text().rpartition(")")[2].split()[1])
    os.kill(parent, signal.SIGKILL)  # the worker of Dask, whose process for tasks leaves with it
    _, complaint = process.communicate(timeout=120)
    assert process.returncode == 0, complaint
    assert digests(run) == serial
    assert left_over(run) == []


@needs_dask
def test_a_killed_scheduler_is_one_sentence_and_a_resumed_run_has_the_same_bytes(tmp_path, serial):
    run = tmp_path / "run"
    with dask_here(tmp_path) as (scheduler, address):
        process = start(*DRAWS, "--scheduler", address, "-o", run)
        wait_for(lambda: worker_of(run), 120)
        scheduler.kill()
        _, complaint = process.communicate(timeout=120)
    assert process.returncode == 2
    assert "the scheduler of Dask has ended" in complaint
    assert complaint.count("matlens:") == 1
    assert "Traceback" not in complaint
    assert outcome("resume", run)[0] == 0  # serially
    assert digests(run) == serial
    assert left_over(run) == []


@needs_dask
def test_a_scheduler_that_is_not_there_is_one_sentence(tmp_path):
    code, _, complaint = outcome("draws", "--scheduler", "tcp://127.0.0.1:9", "-o", tmp_path / "run")
    assert code == 2
    assert "no scheduler of Dask answers at tcp://127.0.0.1:9" in complaint
    assert "Traceback" not in complaint
