"""Server and processes of runs are killed at random instants: the page then shows what is so, and nothing is lost."""

import hashlib
import json
import os
import random
import re
import signal
import subprocess
import sys
import time
from pathlib import Path
from urllib.request import Request, urlopen

import pytest

from matlens.microstructure.io import write_microstructure
from matlens.microstructure.problems import gaussian_field

VALUES = {"files": ["field.npy"], "shape": "32x32", "method": "annealing", "n": "3", "threads": "1"}
TIMED = ("report.html", "provenance.json", "log.txt", "preview.png", "settings.toml")  # hold times or paths
KILLS_OF_A_RUN = 3


class Page:
    """What the page asks, of a server in a process of its own that may be killed and started again."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.begin()

    def begin(self) -> None:
        line = [sys.executable, "-m", "matlens", "studio", str(self.folder), "--no-browser", "--quiet"]
        self.server = subprocess.Popen(line, stdout=subprocess.PIPE, text=True)
        assert self.server.stdout is not None
        self.origin, _, self.token = self.server.stdout.readline().strip().partition("/?token=")

    def kill_server(self) -> None:
        self.server.kill()
        self.server.communicate()

    def ask(self, what: str, given: dict | None = None) -> dict:
        headers = {
            "Cookie": f"matlens-{self.origin.rpartition(':')[2]}={self.token}",
            "Origin": self.origin,
            "X-MatLens": "1",
        }
        body = None if given is None else json.dumps(given).encode()
        with urlopen(Request(f"{self.origin}/api/{what}", body, headers), timeout=60) as answer:
            return json.load(answer)

    def pid(self, run: str) -> int:
        return json.loads((self.folder / ".studio" / "starts" / f"{run.replace('/', '%2f')}.json").read_text())["pid"]


def works(pid: int) -> bool:
    """Whether a process is there and is not one that has ended and waits to be seen."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state not in "ZX"


def wait_until_settled(page: Page, run: str) -> str:
    """The state, once neither the process nor what the page says of it changes."""
    end = time.monotonic() + 30
    while True:
        before, found, after = works(page.pid(run)), page.ask(f"run?run={run}")["state"], works(page.pid(run))
        if before == after and (found in ("running", "starting")) == after:
            return found
        assert time.monotonic() < end, (found, after)  # the page does not show what is so
        time.sleep(0.1)


def hashes(run: Path) -> dict[str, str]:
    files = [file for file in run.rglob("*") if file.is_file() and file.name not in TIMED]
    return {
        file.relative_to(run).as_posix(): hashlib.sha256(contents(file)).hexdigest()
        for file in files
        if ".state" not in file.relative_to(run).parts
    }


def contents(file: Path) -> bytes:
    """What a file holds, without seconds of a table and times of a picture in PDF."""
    found = file.read_bytes()
    if file.suffix == ".csv" and b"seconds" in found.partition(b"\n")[0]:
        import pandas as pd

        table = pd.read_csv(file)
        return table[[name for name in table if "seconds" not in name]].to_csv().encode()
    return re.sub(rb"<dc:date>.*?</dc:date>", b"", found)


def study(folder: Path, kills: int, seed: int) -> tuple[int, int, int]:
    """Kill so many times; returns how often the server, how often a process, and how many runs ended."""
    write_microstructure(gaussian_field((64, 64), 3.0, 0.4, seed=0), folder / "field.npy")
    draw, page = random.Random(seed), Page(folder)
    servers = children = runs = 0
    try:
        begun = time.monotonic()
        whole = page.ask("start", {"command": "reconstruct", "values": VALUES})["run"]
        while wait_until_settled(page, whole) != "finished":
            time.sleep(0.1)
        seconds = time.monotonic() - begun
        wanted = hashes(folder / whole)
        assert any(name.startswith("realisation_2") for name in wanted)
        while servers + children < kills:
            run = page.ask("start", {"command": "reconstruct", "values": VALUES})["run"]
            for _ in range(min(KILLS_OF_A_RUN, kills - servers - children)):
                time.sleep(draw.uniform(0, seconds))
                if draw.random() < 0.5:
                    page.kill_server()
                    servers += 1
                    if draw.random() < 0.5:  # both, as when the machine is switched off
                        kill(page.pid(run))
                    page.begin()
                elif works(page.pid(run)):
                    kill(page.pid(run))
                    children += 1
                else:
                    break  # the run had ended before
                state = wait_until_settled(page, run)
                if state == "stopped":
                    page.ask("resume", {"run": run})
                elif state == "refused":  # killed before it had made its folder
                    page.ask("delete", {"run": run})
                    run = page.ask("start", {"command": "reconstruct", "values": VALUES})["run"]
            while (state := wait_until_settled(page, run)) != "finished":
                assert state in ("running", "starting"), page.ask(f"run?run={run}")
                time.sleep(0.1)
            assert hashes(folder / run) == wanted, run
            runs += 1
        return servers, children, runs
    finally:
        page.kill_server()


def kill(pid: int) -> None:
    if works(pid):
        os.kill(pid, signal.SIGKILL)
        while works(pid):  # a process takes a moment to die, in which the page shows it as it was
            time.sleep(0.01)


@pytest.mark.skipif(sys.platform != "linux", reason="processes are looked at in /proc")
@pytest.mark.end_to_end
def test_a_killed_server_and_a_killed_run_lose_nothing(tmp_path):
    servers, children, runs = study(tmp_path, kills=2, seed=1)
    assert servers + children == 2
    assert runs >= 1


@pytest.mark.skipif(sys.platform != "linux", reason="processes are looked at in /proc")
@pytest.mark.nightly
def test_fifty_kills_at_random_instants_lose_nothing(tmp_path):
    servers, children, runs = study(tmp_path, kills=50, seed=0)
    print(f"killed: server {servers}, run {children}; {runs} runs ended with the same bytes")  # noqa: T201
    assert min(servers, children) > 10
