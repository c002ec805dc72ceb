"""The way of a user through the page in a real browser, from a raw micrograph to its report; not among quick tests.

``make browser`` runs it. ``MATLENS_SHOTS=FOLDER`` stores a picture of every view; those of the docs are made so.
"""

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
SHOTS = os.environ.get("MATLENS_SHOTS")
PATIENT = 90_000  # ms: the machine may be busy


def micrograph(path: Path) -> None:
    """A raw SEM image of two phases: noise, a data bar, and a scale bar of 100 px."""
    rng = np.random.default_rng(2)
    field = rng.normal(size=(320, 400))
    waves = np.hypot(np.fft.fftfreq(320)[:, None], np.fft.fftfreq(400)[None])
    field = np.fft.ifft2(np.fft.fft2(field) * np.exp(-(((waves - 0.035) / 0.012) ** 2))).real
    grey = np.where(field > 0.1 * field.std(), 165, 95) + rng.normal(0, 11, field.shape)
    image = Image.fromarray(np.vstack([grey, np.zeros((40, 400))]).clip(0, 255).astype(np.uint8))
    draw = ImageDraw.Draw(image)
    draw.rectangle((20, 338, 119, 343), fill=255)
    draw.text((130, 332), "5 um   15.0 kV   x 4000", fill=255)
    image.save(path)


@pytest.fixture
def link(tmp_path: Path) -> Iterator[str]:
    (tmp_path / "folder").mkdir()
    line = [sys.executable, "-m", "matlens", "studio", str(tmp_path / "folder"), "--no-browser", "--quiet"]
    with subprocess.Popen(line, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        yield process.stdout.readline().strip()
        process.send_signal(signal.SIGINT)
        process.wait(60)


@pytest.fixture
def page(tmp_path: Path) -> Iterator[object]:
    if CHROMIUM is None:
        if os.environ.get("CI"):
            pytest.fail("there is no chromium, and with CI=true the walk may not be left out; install it")
        pytest.skip("there is no chromium on this machine")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
        page = browser.new_page(viewport={"width": 1440, "height": 900})
        page.set_default_timeout(PATIENT)
        page.wrong = []
        page.on("pageerror", lambda error: page.wrong.append(str(error)))
        page.on("console", lambda said: said.type == "error" and page.wrong.append(said.text))
        page.on("request", lambda asked: asked.url.startswith("http://127.0.0.1:") or page.wrong.append(asked.url))
        yield page
        browser.close()


def shot(page, name: str) -> None:
    if SHOTS:
        page.wait_for_timeout(400)
        page.screenshot(path=f"{SHOTS}/studio_{name}.png")


def test_from_a_raw_micrograph_to_its_report(page, link, tmp_path):
    micrograph(tmp_path / "sem.png")
    page.goto(link)
    page.wait_for_selector(".drop")
    assert page.title() == "MatLens studio"
    assert "token" not in page.url
    shot(page, "home")

    page.set_input_files("#choose", tmp_path / "sem.png")
    page.wait_for_selector(".shares")
    assert "A data bar of 40 rows was cut off" in page.text_content(".did")
    before = page.text_content(".shares")
    page.focus("[role=slider].handle")
    for _ in range(4):
        page.keyboard.press("PageUp")
    page.wait_for_function("before => document.querySelector('.shares').textContent !== before", arg=before)

    # The scale bar: 100 pixels stand for 5 um.
    page.click("button:has-text('Scale bar')")
    box = page.locator(".stage canvas").bounding_box()
    zoom = box["width"] / 400
    page.mouse.move(box["x"] + 20 * zoom, box["y"] + 340 * zoom)
    page.mouse.down()
    page.mouse.move(box["x"] + 120 * zoom, box["y"] + 340 * zoom, steps=4)
    page.mouse.up()
    page.fill("[aria-label='Length of the scale bar']", "5")
    page.click("button:has-text('Set the pixel size')")
    page.wait_for_function("() => document.querySelector('.elsewhere pre').textContent.includes('--spacing 0.05')")
    line = page.text_content(".elsewhere pre")
    assert "--threshold" in line
    assert "--data-bar auto" in line
    shot(page, "phases")

    # A value that does not fit: its sentence stands beside it, and what was typed stays.
    page.fill("#field-reconstruct-shape", "large")
    page.wait_for_selector("[data-name=shape].wrong")
    assert "the shape 'large' is not understood" in page.text_content("[data-name=shape] .problem")
    page.fill("#field-reconstruct-shape", "48x48")
    page.select_option("#field-reconstruct-preset", "fast")
    page.click("button[type=submit]")
    page.wait_for_selector(".state.running")
    shot(page, "running")
    page.click("button:has-text('Stop')")
    page.wait_for_selector("h1 .state.stopped")
    page.click("button:has-text('Resume')")
    page.wait_for_selector(".pictures img")
    shot(page, "watch")
    page.wait_for_selector("h1 .state.finished")
    page.wait_for_selector("iframe.report")
    report = page.frame_locator("iframe.report")
    report.locator("h1").wait_for()
    shot(page, "report")
    page.click("button:has-text('Repeat with changes')")
    assert page.input_value("#field-reconstruct-shape") == "48x48"
    page.click("[role=tab]:has-text('Files')")
    page.wait_for_selector("text=realisation_0.tif")
    assert page.wrong == []


def test_every_view_fits_a_phone_and_the_dark(page, link, tmp_path):
    micrograph(tmp_path / "folder" / "sem.png")
    page.set_viewport_size({"width": 390, "height": 844})
    page.emulate_media(color_scheme="dark")
    page.goto(link)
    page.wait_for_selector(".drop")
    for pane in ("runs", "settings", "work"):
        page.click(f".panes [data-pane={pane}]")
        assert page.evaluate("document.documentElement.scrollWidth") <= 390
    page.click(".panes [data-pane=runs]")
    page.click(".list a:has-text('sem.png')")
    page.wait_for_selector(".shares")
    assert page.evaluate("document.querySelector('main').scrollWidth") <= 390
    shot(page, "phone")
    # Every control has a name for those who do not see it.
    unnamed = """[...document.querySelectorAll('input, select, button, [role=slider]')].filter((each) =>
        !each.labels?.length && !each.getAttribute('aria-label') && !each.textContent.trim()).length"""
    assert page.evaluate(unnamed) == 0
    assert page.wrong == []


COLOURS = ((0x2F, 0x7F, 0xB8), (0xE8, 0xA3, 0x3D))  # of the first two phases
SEEN = """([x, y]) => {
  const seen = document.querySelector('.space canvas'), copy = document.createElement('canvas');
  copy.width = seen.width; copy.height = seen.height;
  const context = copy.getContext('2d');
  context.drawImage(seen, 0, 0);
  return [...context.getImageData(seen.width * x, seen.height * y, 1, 1).data];
}"""


def volume(path: Path) -> np.ndarray:
    """Labels of 12 x 12 x 12 voxels; the two faces across z differ, and a block is cut from a corner."""
    labels = (np.add.outer(np.arange(12) // 4, np.arange(12) // 3) % 2)[None].repeat(12, 0).astype(np.uint8)
    labels[6:] = 1 - labels[6:]
    np.save(path, labels)
    return labels


def test_a_volume_in_space_shows_its_voxels_and_is_turned_cut_and_stored(page, link, tmp_path):
    labels = volume(tmp_path / "folder" / "v.npy")
    page.goto(link)
    page.click(".list a:has-text('v.npy')")
    page.click("text=See it in space")
    page.wait_for_selector(".space canvas[data-ms]")
    shot(page, "volume")

    def at(row: int, column: int) -> list[int]:
        """The colour in the middle of a voxel of the face that is seen, whose picture is 1.1 diagonals high."""
        part = 1 / (1.1 * 3**0.5 * 12)
        page.wait_for_timeout(200)
        return page.evaluate(SEEN, [0.5 + (column - 5.5) * part, 0.5 + (row - 5.5) * part])

    page.click("button:has-text('Along z')")
    for row, column in ((0, 0), (1, 10), (11, 1), (5, 7), (11, 11)):
        assert at(row, column) == [*COLOURS[labels[0, row, column]], 255]
    # The clip plane takes the upper half away: what is seen is the face of the lower one.
    page.fill("[aria-label='Clip along z from']", "6")
    assert at(1, 10) == [*COLOURS[labels[6, 1, 10]], 255]
    # A phase that is switched off is not there; one half as opaque lets the page through.
    other = labels[6, 1, 10]
    page.locator(".volume .shares input[type=checkbox]").nth(1 - other).uncheck()
    assert at(1, 10) == [*COLOURS[other], 255]
    page.locator("[aria-label^='Opacity']").nth(other).fill("50")
    assert abs(at(1, 10)[3] - 128) < 3
    # Keys turn and zoom; slices move the cross-hair by their sliders.
    page.focus(".space")
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("+")
    page.wait_for_function("() => document.getElementById('live').textContent.includes('zoom 1.3')")
    page.fill("[aria-label='Slice along z']", "9")
    assert "z = 9" in page.text_content(".slices")
    with page.expect_download() as stored:
        page.click("button:has-text('Screenshot')")
    picture = Image.open(stored.value.path())
    assert picture.size == (1024, 1024)
    ink = np.asarray(picture.convert("L"))[985:1005, 20:300]
    assert (ink < 80).sum() > 500  # the scale bar
    assert page.wrong == []


def test_without_webgl_2_a_volume_is_shown_as_slices(page, link, tmp_path):
    labels = volume(tmp_path / "folder" / "v.npy")
    page.add_init_script("""const get = HTMLCanvasElement.prototype.getContext;
        HTMLCanvasElement.prototype.getContext = function (kind, ...more) {
          return kind === "webgl2" ? null : get.call(this, kind, ...more);
        };""")
    page.goto(link)
    page.goto(f"{page.url}#/space/v.npy")
    page.wait_for_selector("text=This browser has no WebGL 2, so the volume is shown as slices")
    page.fill("[aria-label='Slice along z']", "8")
    seen = """() => [...document.querySelector('.slices canvas').getContext('2d').getImageData(0, 0, 12, 12).data]"""
    shown = np.reshape(page.evaluate(seen), (12, 12, 4))[..., :3]
    assert np.array_equal(shown, np.asarray(COLOURS)[labels[8]])
    assert page.locator(".space").count() == 0
    assert page.wrong == []
