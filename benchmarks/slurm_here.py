"""A Slurm of one machine, for tests: its daemons run from a temporary folder and end with the ``with`` block.

Debian's packages slurmctld, slurmd, slurm-client and munge are needed, and the rights of root, as munge takes other
users' names for theirs. Nothing outside a temporary folder is written.
"""

from __future__ import annotations

import os
import secrets
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

PROGRAMS = ("munged", "slurmctld", "slurmd", "sbatch", "squeue", "setpriv")
_CONF = """ClusterName=here
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={first}
SlurmdPort={second}
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
AuthInfo=socket={folder}/munge.socket
CryptoType=crypto/munge
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.pid
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/slurmd.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
SchedulerType=sched/backfill
SchedulerParameters=sched_interval=1,bf_interval=1
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
SlurmdParameters=config_overrides
ReturnToService=2
KillWait=5
MinJobAge=10
MpiDefault=none
NodeName={host} NodeAddr=127.0.0.1 CPUs=8 RealMemory=2000 State=UNKNOWN
PartitionName=all Nodes=ALL Default=YES MaxTime=60 State=UP
"""


def missing() -> str:
    """What a Slurm on this machine lacks, or nothing."""
    lacking = [name for name in PROGRAMS if shutil.which(name, path=_path()) is None]
    if lacking:
        return f"no {', '.join(lacking)}: install slurmctld, slurmd, slurm-client and munge"
    return "" if os.getuid() == 0 else "the daemons of Slurm are started as root"


@contextmanager
def slurm(variables: dict[str, str]) -> Iterator[dict[str, str]]:
    """Start the daemons; gives the variables with which Slurm's commands find them, besides those given."""
    folder = Path(tempfile.mkdtemp(prefix="slurm-"))
    for name in ("state", "spool", "munge"):
        (folder / name).mkdir()
    host = socket.gethostname().split(".")[0]
    first, second = _free_ports()
    (folder / "slurm.conf").write_text(_CONF.format(host=host, folder=folder, first=first, second=second))
    (folder / "cgroup.conf").write_text("CgroupPlugin=cgroup/v1\nCgroupAutomount=no\n")
    environment = {**variables, "SLURM_CONF": str(folder / "slurm.conf"), "PATH": _path()}
    daemons: list[subprocess.Popen[bytes]] = []
    try:
        daemons.append(_munged(folder))
        _until(lambda: (folder / "munge.socket").exists(), "munged", folder)
        for name in ("slurmctld", "slurmd"):
            words = [name, "-D", *(["-N", host] if name == "slurmd" else [])]
            with open(folder / f"{name}.txt", "wb") as log:
                daemons.append(subprocess.Popen(words, env=environment, stdout=log, stderr=log))
        _until(lambda: "idle" in _said(["sinfo", "-h", "-o", "%T"], environment), "slurmd", folder)
        yield environment
    finally:
        with suppress(subprocess.TimeoutExpired):
            subprocess.run(["scancel", "--user=root"], env=environment, capture_output=True, timeout=10, check=False)
            time.sleep(1)
        for daemon in reversed([*daemons, *_restarted]):
            daemon.send_signal(signal.SIGTERM)
            try:
                daemon.wait(15)
            except subprocess.TimeoutExpired:
                daemon.kill()
                daemon.wait()
        _restarted.clear()
        shutil.rmtree(folder, ignore_errors=True)


def kill_controller(environment: dict[str, str]) -> None:
    """Kill ``slurmctld``, start it again, and put right what an administrator would.

    A controller that dies within seconds of starting a job has forgotten it: it then drains the node on which it finds
    the job, and holds the job.
    """
    folder = Path(environment["SLURM_CONF"]).parent
    os.kill(int((folder / "slurmctld.pid").read_text()), signal.SIGKILL)
    time.sleep(1)
    with open(folder / "slurmctld.txt", "ab") as log:
        _restarted.append(subprocess.Popen(["slurmctld", "-D"], env=environment, stdout=log, stderr=log))
    _until(lambda: _said(["sinfo", "-h", "-o", "%T"], environment) != "", "slurmctld", folder)
    time.sleep(5)  # in which nodes register, and tell which jobs they have
    _said(["scontrol", "update", f"NodeName={socket.gethostname().split('.')[0]}", "State=RESUME"], environment)
    for job in set(_said(["squeue", "-h", "-o", "%A"], environment).split()):
        _said(["scontrol", "release", job], environment)


_restarted: list[subprocess.Popen[bytes]] = []


def _munged(folder: Path) -> subprocess.Popen[bytes]:
    """Start munge as its own user, which owns a key of this folder alone."""
    key = folder / "munge" / "key"
    key.write_bytes(secrets.token_bytes(128))
    key.chmod(0o400)
    for place in (folder / "munge", key):
        shutil.chown(place, "munge", "munge")
    (folder / "munge").chmod(0o700)
    shutil.chown(folder, "munge", "munge")
    folder.chmod(0o755)
    words = ["setpriv", "--reuid=munge", "--regid=munge", "--clear-groups", "munged", "--foreground", "--force"]
    words += [f"--socket={folder}/munge.socket", f"--key-file={key}", f"--pid-file={folder}/munge/pid"]
    words += [f"--log-file={folder}/munge/log", f"--seed-file={folder}/munge/seed"]
    with open(folder / "munged.txt", "wb") as log:
        return subprocess.Popen(words, env={**os.environ, "PATH": _path()}, stdout=log, stderr=log)


def _path() -> str:
    return os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin", "/sbin"])


def _free_ports() -> tuple[int, int]:
    with socket.socket() as one, socket.socket() as other:
        one.bind(("127.0.0.1", 0))
        other.bind(("127.0.0.1", 0))
        return one.getsockname()[1], other.getsockname()[1]


def _said(words: list[str], environment: dict[str, str]) -> str:
    try:
        return subprocess.run(
            words, env=environment, capture_output=True, text=True, timeout=10, check=False
        ).stdout.strip()
    except subprocess.TimeoutExpired:
        return ""


def _until(done, name: str, folder: Path, seconds: float = 60.0) -> None:
    end = time.monotonic() + seconds
    while not done():
        if time.monotonic() > end:
            logs = [file.read_text(errors="replace")[-1500:] for file in sorted(folder.glob("*.txt"))]
            logs += [file.read_text(errors="replace")[-1500:] for file in sorted(folder.glob("*.log"))]
            raise RuntimeError(f"{name} did not start: " + "\n".join(logs))
        time.sleep(0.2)
