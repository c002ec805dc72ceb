"""Every view of the page in a real browser: what axe-core finds in light and dark, keys alone, speed, and no network.

``make browser`` runs it; see `browser_walk.py`.
"""

import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from studio_pages import micrograph, shot

from matlens.runs.directory import RunDirectory

pytestmark = pytest.mark.end_to_end


@pytest.fixture
def filled(tmp_path: Path) -> Path:
    """A folder with files of each kind, and runs in each state."""
    folder = tmp_path / "folder"
    folder.mkdir()
    micrograph(folder / "sem.png")
    np.save(folder / "volume.npy", np.random.default_rng(0).integers(0, 2, (9, 32, 32)).astype(np.uint8))
    rows = "".join(f"{k},{100 - k},{k * 2}.5\n" for k in range(10, 40))
    (folder / "library.csv").write_text("Fe,Co,P\n" + rows, encoding="utf-8")
    line = [sys.executable, "-m", "matlens", "characterize", "sem.png", "-o", "runs/done", "--quiet"]
    subprocess.run(line, cwd=folder, check=True)
    for state in ("stopped", "failed"):
        with RunDirectory.create(
            folder / "runs" / state, "segment", {"options": {"file": str(folder / "sem.png")}}
        ) as run:
            run.mark("interrupted" if state == "stopped" else state, reason="a file cannot be read; check it.")
    return folder


def views(page) -> Iterator[str]:
    """Go to each view in turn."""
    yield "home"
    page.click(".list a[href='#/file/sem.png']")
    page.wait_for_selector(".shares")
    page.click("summary:has-text('Several files')")
    yield "phases"
    page.click("button:has-text('Paint a mask')")
    yield "painting"
    page.keyboard.press("Escape")
    page.click("button:has-text('Scale bar')")
    page.click(".list a[href='#/file/volume.npy']")
    page.wait_for_selector("[aria-label=Slice]")
    page.wait_for_selector(".shares")
    yield "slices"
    page.click(".list a[href='#/file/library.csv']")
    page.wait_for_selector("main h2")
    yield "library"
    page.click("a:has-text('Many files')")
    page.wait_for_selector(".batch")
    yield "batch"
    for run in ("stopped", "failed", "done"):
        page.evaluate(f"location.hash = '#/run/runs%2F{run}'")
        page.wait_for_selector(f".path:has-text('runs/{run}')")
        for tab in page.locator("[role=tab]").all_text_contents():
            page.click(f"[role=tab]:has-text('{tab}')")
            page.wait_for_timeout(500)
            yield f"{run}, {tab}"


@pytest.mark.parametrize(("scheme", "width"), [("light", 1440), ("dark", 390)])
def test_axe_finds_nothing_serious_on_any_view(filled, page, link, axe, scheme, width):
    page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
    page.goto(link)
    page.wait_for_selector(".drop")
    page.evaluate(axe)
    found, seen = [], 0
    for name in views(page):
        page.set_viewport_size({"width": width, "height": 900})
        for pane in ("work", "runs", "settings") if width < 800 and name == "phases" else ("work",):
            page.evaluate(f"document.body.dataset.pane = '{pane}'")
            asked = "axe.run(document, {resultTypes: ['violations'], iframes: false})"
            for fault in page.evaluate(asked)["violations"]:
                if fault["impact"] in ("serious", "critical"):
                    where = [(node["html"][:160], node["failureSummary"][:200]) for node in fault["nodes"][:2]]
                    found.append((name, pane, fault["id"], where))
            # Nothing is cut off at the side.
            assert page.evaluate("document.documentElement.scrollWidth") <= width, (name, pane)
        if width < 800:
            assert page.evaluate("document.querySelector('main').scrollWidth") <= width, name
            shot(page, f"phone_{name.replace(', ', '_')}")
        page.set_viewport_size({"width": 1440, "height": 900})
        seen += 1
    assert seen > 10
    assert found == []
    assert page.wrong == []


def test_the_way_to_a_run_by_keys_alone(page, link, tmp_path):
    micrograph(tmp_path / "folder" / "sem.png")
    page.goto(link)
    page.wait_for_selector(".drop")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Skip to the work"

    def tab_to(selector: str) -> None:
        for _ in range(120):
            if page.evaluate("selector => document.activeElement.matches(selector)", selector):
                # Where one is can be seen.
                assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") != "none"
                return
            page.keyboard.press("Tab")
        raise AssertionError(f"no way by the Tab key to {selector}")

    tab_to(".list a[href$='sem.png']")
    page.keyboard.press("Enter")
    page.wait_for_selector(".shares")
    tab_to("[role=slider].handle")
    before = page.get_attribute("[role=slider].handle", "aria-valuenow")
    page.keyboard.press("PageUp")
    page.wait_for_function(
        "before => document.querySelector('.handle').ariaValueNow !== before || "
        "document.querySelector('.handle').getAttribute('aria-valuenow') !== before",
        arg=before,
    )
    assert page.evaluate("document.activeElement.matches('.handle')")  # it was drawn anew and keeps the focus
    tab_to("#field-reconstruct-shape")
    page.keyboard.type("large")
    page.wait_for_selector("[data-name=shape].wrong")
    tab_to("button[type=submit]")
    page.keyboard.press("Enter")
    page.wait_for_function("() => document.activeElement.id === 'field-reconstruct-shape'")  # what has to be mended
    page.reload()
    page.wait_for_selector("[data-name=shape].wrong")
    assert page.input_value("#field-reconstruct-shape") == "large"  # and what was typed is still there
    page.fill("#field-reconstruct-shape", "48x48")
    page.select_option("#command", "segment")
    tab_to("button[type=submit]")
    page.keyboard.press("Enter")
    page.wait_for_selector("h1 .state")
    page.wait_for_function("() => document.getElementById('live').textContent.includes('has been started')")


def test_first_paint_and_weight(page, link):
    seconds = []
    for _ in range(3):
        page.goto(link)
        page.wait_for_selector(".drop")
        paint = "performance.getEntriesByName('first-contentful-paint')[0].startTime"
        seconds.append(page.evaluate(paint) / 1000)
    weight = page.evaluate("""Promise.all([...new Set(performance.getEntriesByType('resource').map(({ name }) => name))]
        .filter((name) => name.includes('/page/')).map((name) => fetch(name).then((answer) => answer.blob())))
        .then((all) => all.reduce((sum, each) => sum + each.size, 0))""")
    print(f"first paint {min(seconds):.2f} s; page {weight / 1000:.0f} kB")  # noqa: T201
    assert min(seconds) < 1
    assert 50_000 < weight < 400_000
    assert page.wrong == []


def test_a_browser_without_scripts_or_modules_is_told_so(page, link):
    quiet = page.context.browser.new_context(java_script_enabled=False).new_page()
    quiet.goto(link)
    assert "switch it on for this page" in quiet.text_content("noscript, main")
    page.goto(link)
    page.wait_for_selector(".drop")
    # What a browser without modules would load.
    page.evaluate(page.evaluate("fetch('/page/old.js').then((answer) => answer.text())"))
    assert "too old for the studio" in page.text_content("main")


def test_the_walk_needs_no_network(tmp_path):
    """The same walk in a network namespace in which only this machine is there."""
    if shutil.which("unshare") is None or subprocess.run(["unshare", "-n", "true"], check=False).returncode:
        pytest.skip("no network namespace can be made here; the other walks refuse requests that leave the machine")
    up = (
        "import fcntl, os, socket, struct, sys; "
        "fcntl.ioctl(socket.socket(), 0x8914, struct.pack('16sh', b'lo', 0x41)); os.execvp(sys.argv[1], sys.argv[1:])"
    )
    walk = str(Path(__file__).parent / "browser_walk.py")
    test = [sys.executable, "-m", "pytest", "-q", walk, "-k", "demo_volume", "--basetemp", str(tmp_path / "inner")]
    line = ["unshare", "-n", sys.executable, "-c", up, *test]
    done = subprocess.run(line, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout
