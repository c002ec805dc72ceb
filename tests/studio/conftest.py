"""A studio that runs in this process, and requests of raw bytes to it; a studio of its own process, and a browser."""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from studio_pages import PATIENT

from matlens.cli.registry import commands
from matlens.studio.folder import Folder
from matlens.studio.server import http_server

TOKEN = "t" * 43
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
OWN = ("http://127.0.0.1:", "blob:", "data:")  # what a page may ask for
AXE = Path(__file__).parent / "node_modules" / "axe-core" / "axe.min.js"


class Open:
    """An open studio: its folder and port, and how to ask it."""

    def __init__(self, root: Path, port: int) -> None:
        self.root, self.port = root, port
        self.cookie = f"matlens-{port}={TOKEN}"

    def raw(self, content: bytes, *, whole: bool = True) -> bytes:
        """Send bytes as they are and return all that comes back until the server closes.

        A request that is not ``whole`` would be waited for, so it ends with the end of what is sent.
        """
        with socket.create_connection(("127.0.0.1", self.port), timeout=60) as connection:
            parts = []
            try:
                connection.sendall(content)
                if not whole:
                    connection.shutdown(socket.SHUT_WR)
                while part := connection.recv(1 << 16):
                    parts.append(part)
            except ConnectionError:
                pass
        return b"".join(parts)

    def ask(
        self, target: str, *, method: str = "GET", body: bytes = b"", **headers: str | None
    ) -> tuple[int, bytes, bytes]:
        """Send a request as our own page does, with headers changed (or left out, by None)."""
        own = {
            "Host": f"127.0.0.1:{self.port}",
            "Cookie": self.cookie,
            "Connection": "close",
            **({"Origin": f"http://127.0.0.1:{self.port}", "X-MatLens": "1"} if method == "POST" else {}),
            **({"Content-Length": str(len(body))} if method == "POST" else {}),
        }
        own |= {name.replace("_", "-"): value for name, value in headers.items()}
        lines = [
            f"{method} {target} HTTP/1.1",
            *(f"{name}: {value}" for name, value in own.items() if value is not None),
        ]
        answer = self.raw("\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + body)
        head, _, content = answer.partition(b"\r\n\r\n")
        return int(head.split()[1]) if head else 0, head, content

    def post(self, target: str, given: object, **headers: str | None) -> tuple[int, dict]:
        """Send JSON, and read the JSON of the answer."""
        status, _, content = self.ask(target, method="POST", body=json.dumps(given).encode(), **headers)
        return status, json.loads(content) if content.startswith(b"{") else {}

    def get(self, target: str) -> object:
        status, _, content = self.ask(target)
        assert status == 200, content
        return json.loads(content)


@pytest.fixture
def studio(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Open]:
    root = tmp_path / "folder"
    root.mkdir()
    monkeypatch.chdir(root)
    listening = socket.socket()
    listening.bind(("127.0.0.1", 0))
    listening.listen()
    port = listening.getsockname()[1]
    server = http_server(Folder(root), commands(), port=port, token=TOKEN)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
    thread.start()
    try:
        yield Open(root, port)
    finally:
        server.should_exit = True
        thread.join(20)
        listening.close()
        assert not thread.is_alive()


@pytest.fixture
def link(tmp_path: Path) -> Iterator[str]:
    """Link of a studio in a process of its own."""
    (tmp_path / "folder").mkdir(exist_ok=True)
    line = [sys.executable, "-m", "matlens", "studio", str(tmp_path / "folder"), "--no-browser", "--quiet"]
    with subprocess.Popen(line, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        yield process.stdout.readline().strip()
        process.send_signal(signal.SIGINT)
        process.wait(60)


@pytest.fixture
def page(tmp_path: Path) -> Iterator[object]:
    """A page of a browser; what it says of errors, and requests that leave this machine, are in its list ``wrong``."""
    if CHROMIUM is None:
        missing("there is no chromium on this machine")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
        page = browser.new_page(viewport={"width": 1440, "height": 900})
        page.set_default_timeout(PATIENT)
        page.wrong = []
        page.on("pageerror", lambda error: page.wrong.append(str(error)))
        page.on("console", lambda said: said.type == "error" and page.wrong.append(said.text))
        page.on("request", lambda asked: asked.url.startswith(OWN) or page.wrong.append(asked.url))
        yield page
        browser.close()


@pytest.fixture
def axe() -> str:
    """The source of axe-core, which is installed for development only (`.ci/browser`)."""
    if not AXE.is_file():
        missing("axe-core is not installed; run 'npm install --no-package-lock --prefix tests/studio'")
    return AXE.read_text(encoding="utf-8")


def missing(what: str) -> None:
    """Leave a test out, unless all of them are wanted."""
    if os.environ.get("CI"):
        pytest.fail(f"{what}, and with CI=true this test may not be left out")
    pytest.skip(what)
