"""``matlens studio`` itself: what it says when it cannot start, what it loads, and that it can be closed."""

import json
import os
import socket
import stat
import subprocess
import sys
import time
from pathlib import Path
from urllib.request import Request, urlopen

import pytest

from matlens.cli import studio as command
from matlens.cli.options import Verbosity
from matlens.errors import InputError, ResourceError
from matlens.runs.directory import RunDirectory
from matlens.studio.folder import Folder
from matlens.studio.server import serve


def test_a_missing_extra_is_named(monkeypatch):
    monkeypatch.setattr(command, "find_spec", lambda name: None)
    with pytest.raises(ResourceError, match=r"needs starlette and uvicorn.*pip install matlens\[studio\]"):
        command.studio(command.StudioSpec(), Verbosity())


def test_a_folder_that_is_not_there_or_cannot_be_written_is_one_sentence(tmp_path):
    with pytest.raises(InputError, match="there is no folder"):
        Folder(tmp_path / "none")
    (tmp_path / ".studio").write_text("mine", encoding="utf-8")
    with pytest.raises(InputError, match="cannot be written to"):
        Folder(tmp_path)


def test_a_port_in_use_is_one_sentence(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(InputError, match=rf"the port {port} cannot be used .*; leave out --port"):
            serve(str(tmp_path), (), port=port, ready=print)


@pytest.mark.slow
def test_it_is_opened_by_its_link_loads_little_and_comes_back_at_the_same_place(tmp_path):
    line = [sys.executable, "-m", "matlens", "studio", str(tmp_path), "--no-browser", "--quiet"]
    links = []
    for _ in range(2):
        with subprocess.Popen(line, stdout=subprocess.PIPE, text=True) as process:
            assert process.stdout is not None
            try:
                links.append(process.stdout.readline().strip())
                if sys.platform == "linux":
                    maps = open(f"/proc/{process.pid}/maps", encoding="utf-8").read()  # noqa: SIM115
                    # Whole folders: NumPy brings a library whose name begins with libscipy.
                    assert not [name for name in ("/torch/", "/scipy/", "/pandas/") if name in maps]
                    status = open(f"/proc/{process.pid}/status", encoding="utf-8").read()  # noqa: SIM115
                    (resident,) = (int(row.split()[1]) for row in status.splitlines() if row.startswith("VmRSS"))
                    assert resident < 80_000  # kB
            finally:
                process.kill()  # and not asked to end: the session is in a file
    assert links[0] == links[1]
    assert links[0].startswith("http://127.0.0.1:")
    session = tmp_path / ".studio" / "session.json"
    assert json.loads(session.read_text(encoding="utf-8"))["token"] in links[0]
    if os.name != "nt":
        assert stat.S_IMODE(session.stat().st_mode) == 0o600


@pytest.mark.skipif(sys.platform != "linux", reason="time and memory are read from /proc")
@pytest.mark.nightly  # a share of time is not measured beside other tests
@pytest.mark.end_to_end
def test_with_a_page_open_and_runs_in_the_folder_it_idles_at_less_than_a_hundredth_of_a_core_and_80_mb(tmp_path):
    for number in range(20):
        RunDirectory.create(tmp_path / "runs" / str(number), "segment", {"options": {}}).close()
    line = [sys.executable, "-m", "matlens", "studio", str(tmp_path), "--no-browser", "--quiet"]
    with subprocess.Popen(line, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            origin, _, token = process.stdout.readline().strip().partition("/?token=")
            cookie = f"matlens-{origin.rpartition(':')[2]}={token}"
            with urlopen(Request(f"{origin}/api/events", headers={"Cookie": cookie}), timeout=60) as events:
                events.readline()
                time.sleep(2)
                begun, spent = time.monotonic(), _seconds_of(process.pid)
                time.sleep(15)
                share = (_seconds_of(process.pid) - spent) / (time.monotonic() - begun)
            status = Path(f"/proc/{process.pid}/status").read_text(encoding="utf-8")
            (resident,) = (int(row.split()[1]) for row in status.splitlines() if row.startswith("VmRSS"))
        finally:
            process.kill()
    print(f"idle: {100 * share:.2f} % of a core, {resident / 1000:.0f} MB")  # noqa: T201
    assert share < 0.01
    assert resident < 80_000  # kB


def _seconds_of(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
