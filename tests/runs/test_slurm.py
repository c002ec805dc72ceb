"""Arrays of jobs on a real Slurm of this machine end with the bytes of one process, whatever is killed."""

import os
import signal
import sys
from pathlib import Path

import pytest
from pool_runs import DRAWS, digests, left_over, outcome, start, wait_for, worker_of

from draws import environment
from slurm_here import missing, slurm

pytestmark = [
    pytest.mark.end_to_end,
    pytest.mark.skipif(sys.platform == "win32", reason="Slurm has no Windows"),
    # Where everything must be tested, a Slurm that is not there is a failure.
    pytest.mark.skipif(bool(missing()) and os.environ.get("CI") != "true", reason=missing()),
]
ARRAY = ("--pool", "slurm-array", "--workers", "2")


@pytest.fixture(scope="module")
def cluster():
    with slurm(environment()) as variables:
        yield variables


@pytest.fixture(scope="module")
def serial(tmp_path_factory):
    run = tmp_path_factory.mktemp("serial") / "run"
    assert outcome(*DRAWS, "-o", run)[0] == 0
    return digests(run)


def test_a_killed_task_of_an_array_is_submitted_again(tmp_path, cluster, serial):
    run = tmp_path / "run"
    process = start(*DRAWS, *ARRAY, "-o", run, variables=cluster)
    os.kill(wait_for(lambda: worker_of(run)), signal.SIGKILL)
    _, complaint = process.communicate(timeout=180)
    assert process.returncode == 0, complaint
    assert digests(run) == serial
    assert left_over(run) == []


@pytest.mark.nightly
def test_a_task_that_is_told_to_end_saves_and_is_submitted_again(tmp_path, cluster, serial):
    run = tmp_path / "run"
    process = start(*DRAWS, *ARRAY, "-o", run, variables=cluster)
    worker = wait_for(lambda: worker_of(run))
    os.kill(worker, signal.SIGTERM)  # as Slurm does before the end of the time
    wait_for(lambda: not Path(f"/proc/{worker}").exists())
    _, complaint = process.communicate(timeout=180)
    assert process.returncode == 0, complaint
    assert digests(run) == serial


def test_jobs_outlive_the_client_and_are_waited_for(tmp_path, cluster, serial):
    run = tmp_path / "run"
    process = start(*DRAWS, *ARRAY, "-o", run, variables=cluster)
    wait_for(lambda: worker_of(run))
    process.kill()
    process.communicate()
    code, _, complaint = outcome("resume", run, *ARRAY, variables=cluster)
    assert code == 0, complaint
    assert digests(run) == serial


def test_a_failing_task_of_an_array_costs_only_itself(tmp_path, cluster):
    run = tmp_path / "run"
    code, _, complaint = outcome("draws", "-n", 4, "--fail", "2", *ARRAY, "-o", run, variables=cluster)
    assert code == 1
    assert "1 of 4 tasks failed (2: draw 2 was asked to fail)" in complaint


def test_without_slurm_the_array_is_refused(tmp_path):
    nowhere = environment() | {"PATH": str(tmp_path)}
    code, _, complaint = outcome("draws", *ARRAY, "-o", tmp_path / "run", variables=nowhere)
    assert code == 2
    assert "found no command 'sbatch'" in complaint


def test_dask_submits_its_workers_to_slurm(tmp_path, cluster, serial):
    if os.environ.get("CI") != "true":
        pytest.importorskip("dask_jobqueue", reason="the extra 'cluster' is not installed")
    run = tmp_path / "run"
    (tmp_path / "jobqueue.yaml").write_text(
        "jobqueue:\n  slurm:\n    cores: 1\n    processes: 1\n    memory: 400MB\n    walltime: '00:20:00'\n"
        f"    interface: lo\n    log-directory: {tmp_path}\n"
    )
    variables = cluster | {"DASK_CONFIG": str(tmp_path)}
    process = start(*DRAWS, "--scheduler", "slurm", "--workers", "2", "-o", run, variables=variables)
    os.kill(wait_for(lambda: worker_of(run), 120), signal.SIGKILL)
    _, complaint = process.communicate(timeout=180)
    assert process.returncode == 0, complaint
    assert digests(run) == serial
