"""What the page says about runs is what their directories say, also after the server was killed."""

import os
import signal
import socket
import subprocess
import sys
import time

import numpy as np
import pytest
from PIL import Image

from matlens.runs.directory import RunDirectory
from matlens.studio import children
from matlens.studio.children import Children
from matlens.studio.folder import Folder
from matlens.studio.run_list import RunList


def wait_for(state, runs, run, seconds=60):
    end = time.monotonic() + seconds
    while (found := runs.one(run))["state"] != state:
        assert time.monotonic() < end, found
        time.sleep(0.1)
    return found


def micrograph(path):
    grey = np.random.default_rng(0).normal(90, 8, (96, 96))
    grey[20:60, 30:80] += 80
    Image.fromarray(grey.clip(0, 255).astype(np.uint8)).save(path)


def test_a_run_that_failed_may_be_gone_on_with(studio):
    micrograph(studio.root / "a.png")
    line = [sys.executable, "-m", "matlens", "segment", "a.png", "-o", "runs/a", "--quiet"]
    subprocess.run(line, cwd=studio.root, check=True)
    with RunDirectory(studio.root / "runs" / "a") as run:  # as a full disk leaves it
        run.mark("failed", reason="no space is left on the disk.")
    shown = studio.get("/api/run?run=runs/a")
    assert (shown["state"], shown["error"]) == ("failed", "no space is left on the disk.")
    assert studio.post("/api/resume", {"run": "runs/a"}) == (200, {})
    folder = Folder(studio.root)
    assert wait_for("finished", RunList(folder, Children(folder)), "runs/a")["sentences"]


@pytest.mark.end_to_end
def test_a_run_is_started_seen_read_and_deleted(studio):
    micrograph(studio.root / "a.png")
    assert studio.get("/api/inputs") == [
        {"file": "a.png", "kind": "structures", "size": (studio.root / "a.png").stat().st_size}
    ]
    status, made = studio.post("/api/start", {"command": "segment", "values": {"file": "a.png", "median": "3"}})
    assert (status, list(made)) == (200, ["run"])
    folder = Folder(studio.root)
    found = wait_for("finished", RunList(folder, Children(folder)), made["run"])  # as a server that starts now
    (listed,) = studio.get("/api/runs")
    assert listed == {key: found[key] for key in listed}
    assert listed["inputs"] == ["a.png"]
    shown = studio.get(f"/api/run?run={made['run']}")
    assert shown["values"] == {"file": "a.png", "median": "3"}
    assert shown["line"] == "matlens segment --median 3 a.png"
    assert len(shown["sentences"]) > 1
    assert shown["structures"] == ["exemplar_0.npz", "labels.tif"]
    status, head, report = studio.ask(f"/files/{made['run']}/{shown['report']}")
    assert (status, b"text/html" in head, b"<h1" in report) == (200, True, True)
    status, gone = studio.post("/api/delete", {"run": made["run"]})
    assert status == 200
    assert (studio.root / gone["place"] / "labels.tif").is_file()
    assert studio.get("/api/runs") == []
    assert studio.get(f"/api/run?run={made['run']}") == {"run": made["run"], "state": "gone"}


@pytest.mark.end_to_end
def test_a_run_that_refuses_says_the_sentence_of_the_command_line(studio):
    (studio.root / "a.png").write_bytes(b"no picture")
    _, made = studio.post("/api/start", {"command": "segment", "values": {"file": "a.png"}})
    folder = Folder(studio.root)
    found = wait_for("refused", RunList(folder, Children(folder)), made["run"])
    line = [sys.executable, "-m", "matlens", "segment", "a.png", "-o", "other"]
    done = subprocess.run(line, cwd=studio.root, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert f"matlens: {found['error']}\n" in done.stderr
    assert studio.post("/api/delete", {"run": made["run"]}) == (200, {"place": ""})
    assert studio.get("/api/runs") == []


def test_a_run_of_the_command_line_is_seen_stopped_and_shown_as_stopped_when_killed(tmp_path):
    code = """
import sys, time
from matlens.runs.directory import RunDirectory
from matlens.runs.lifecycle import working
from matlens.runs.progress_file import ProgressFile
run = RunDirectory.create(sys.argv[1], "segment", {"options": {"file": "/a/b.png"}})
with working(run):
    shown = ProgressFile(run.path, interval=0)
    shown.begin(10, "thinking")
    shown.update(4, "loss 0.5")
    print("ready", flush=True)
    time.sleep(60)
"""
    folder = Folder(tmp_path)
    runs = RunList(folder, Children(folder))
    for name, ended in (("runs/asked", signal.SIGINT), ("runs/killed", signal.SIGKILL)):
        line = [sys.executable, "-c", code, str(tmp_path / name)]
        with subprocess.Popen(line, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
            assert process.stdout is not None
            assert process.stdout.readline() == "ready\n"
            found = runs.one(name)
            assert (found["state"], found["inputs"]) == ("running", ["b.png"])
            assert (found["progress"]["label"], found["progress"]["done"]) == ("thinking", 4)
            assert Children(folder).working_on(name) == process.pid
            if ended == signal.SIGINT:
                Children(folder).stop(name)
            else:
                os.kill(process.pid, ended)
            process.wait(20)
        found = runs.one(name)
        assert (found["state"], found["progress"]) == ("stopped", None)


def test_the_page_is_sent_news_and_after_a_break_only_news(studio):
    import socket

    def events(told, until):
        head = (
            f"GET /api/events HTTP/1.1\r\nHost: 127.0.0.1:{studio.port}\r\nCookie: matlens-{studio.port}={'t' * 43}\r\n"
        )
        with socket.create_connection(("127.0.0.1", studio.port), timeout=20) as connection:
            connection.sendall((head + (f"Last-Event-ID: {told}\r\n" if told else "") + "\r\n").encode())
            content = b""
            end = time.monotonic() + until
            while time.monotonic() < end:
                connection.settimeout(max(end - time.monotonic(), 0.01))
                try:
                    content += connection.recv(1 << 16)
                except TimeoutError:
                    break
        return [line[4:] for line in content.decode().splitlines() if line.startswith("id: ")]

    (first,) = events("", 2.5)
    assert events(first, 2.5) == []
    RunDirectory.create(studio.root / "runs" / "a", "segment", {}).close()
    (second,) = events(first, 2.5)
    assert second != first


def test_folders_of_the_trash_and_links_are_left_out(tmp_path):
    folder = Folder(tmp_path)
    RunDirectory.create(tmp_path / "elsewhere" / "deep" / "a", "segment", {}).close()
    RunDirectory.create(tmp_path / "trash" / "b", "segment", {}).close()
    (tmp_path / "link").symlink_to(tmp_path / "elsewhere")
    runs = RunList(folder, Children(folder))
    assert [run["run"] for run in runs.all()] == ["elsewhere/deep/a"]
    (tmp_path / "elsewhere" / "deep" / "a" / "settings.toml").write_text("command = 1\n", encoding="utf-8")
    assert runs.all() == []


def test_a_process_that_ignores_every_request_is_killed_when_it_is_stopped_at_once(tmp_path, monkeypatch):
    code = """
import signal, sys, time
from matlens.runs.directory import RunDirectory
from matlens.runs.lifecycle import working
for number in (signal.SIGINT, signal.SIGTERM):
    signal.signal(number, signal.SIG_IGN)
run = RunDirectory.create(sys.argv[1], "segment", {"options": {}})
with working(run):
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    print("ready", flush=True)
    time.sleep(60)
"""
    monkeypatch.setattr(children, "_GRACE", 0.3)
    line = [sys.executable, "-c", code, str(tmp_path / "deaf")]
    with subprocess.Popen(line, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        folder = Folder(tmp_path)
        own = Children(folder)
        own.stop("deaf")
        time.sleep(0.3)
        assert process.poll() is None
        own.stop("deaf", at_once=True)
        assert process.wait(10) == -signal.SIGKILL
    assert RunList(folder, own).one("deaf")["state"] == "stopped"


@pytest.mark.end_to_end
def test_a_painted_mask_is_kept_while_a_run_has_it_and_replaced_otherwise(studio):
    micrograph(studio.root / "a.png")

    def paint(*runs, before=""):
        asked = {"file": "a.png", "rows": 96, "columns": 96, "step": 1, "runs": list(runs), "before": before}
        status, found = studio.post("/api/mask", asked)
        assert status == 200, found
        return found["mask"]

    first = paint(0, 96)
    second = paint(0, 200, before=first)
    assert second != first
    masks = sorted(studio.root.glob("*.mask-*"))
    assert masks == [studio.root / second]
    assert [found["file"] for found in studio.get("/api/inputs")] == ["a.png"]
    RunDirectory.create(studio.root / "r", "segment", {"options": {"mask": str(studio.root / second)}}).close()
    third = paint(96, 96, before=second)
    assert (studio.root / second).exists()
    assert paint(before=third) == ""
    assert not (studio.root / third).exists()
    # Only masks that were painted are ever removed, and only inside.
    (studio.root.parent / "b.mask-0123456789.png").write_bytes(b"mine")
    for before in ("a.png", "../b.mask-0123456789.png"):
        studio.post("/api/mask", {"file": "a.png", "runs": [], "before": before})
    assert (studio.root / "a.png").exists()
    assert (studio.root.parent / "b.mask-0123456789.png").exists()


@pytest.mark.end_to_end
def test_the_demo_volume_is_written_once(studio):
    status, made = studio.post("/api/demo", {})
    assert (status, made) == (200, {"file": "demo_volume.tif"})
    before = (studio.root / "demo_volume.tif").stat().st_mtime_ns
    assert studio.post("/api/demo", {}) == (200, made)
    assert (studio.root / "demo_volume.tif").stat().st_mtime_ns == before


def test_a_batch_stands_for_its_files_and_says_which_failed(tmp_path):
    folder = Folder(tmp_path)
    with RunDirectory.create(tmp_path / "b", "batch characterize", {"options": {}}) as run:
        run.mark("finished", failed={"/data/a.png": f"{tmp_path.resolve()}/a.png is damaged."})
    RunDirectory.create(tmp_path / "b" / "items" / "one", "characterize", {}).close()
    runs = RunList(folder, Children(folder))
    assert [found["run"] for found in runs.all()] == ["b"]
    assert runs.one("b")["failed"] == {"a.png": "a.png is damaged."}


def test_a_file_that_is_replaced_or_grows_while_it_is_sent_arrives_as_it_was(studio):
    large = 1 << 25  # more than the buffers between the two ends hold, so that the server is still sending
    place = studio.root / "log.txt"
    place.write_bytes(b"a" * large)
    asked = (
        f"GET /files/log.txt HTTP/1.1\r\nHost: 127.0.0.1:{studio.port}\r\n"
        f"Cookie: {studio.cookie}\r\nConnection: close\r\n\r\n"
    )
    with socket.create_connection(("127.0.0.1", studio.port), timeout=60) as connection:
        connection.sendall(asked.encode())
        got = connection.recv(1 << 12)
        with open(place, "ab") as file:
            file.write(b"later")
        (studio.root / "new").write_bytes(b"b")
        os.replace(studio.root / "new", place)
        while part := connection.recv(1 << 20):
            got += part
    head, _, content = got.partition(b"\r\n\r\n")
    assert b" 200 " in head
    assert f"content-length: {large}".encode() in head
    assert len(content) == large
    assert set(content) == set(b"a")
    assert studio.ask("/files/log.txt")[2] == b"b"
