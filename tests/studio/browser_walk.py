"""The way of a user through the page in a real browser, from a raw micrograph to its report; not among quick tests.

``make browser`` runs it. ``MATLENS_SHOTS=FOLDER`` stores a picture of every view; those of the docs are made so.
"""

import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from learned_runs import explained, learned, suggested
from PIL import Image
from studio_pages import PATIENT, clicks, count_clicks, draw_line, micrograph, shot

from matlens.library.problems import photoanode
from matlens.microstructure.problems import bicontinuous

pytestmark = pytest.mark.end_to_end


def test_from_a_raw_micrograph_to_its_report(page, link, tmp_path):
    micrograph(tmp_path / "sem.png")
    page.goto(link)
    page.wait_for_selector(".drop")
    assert page.title() == "MatLens studio"
    assert "token" not in page.url
    shot(page, "home")

    count_clicks(page)
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
    draw_line(page, (20, 340), (120, 340))
    page.fill("[aria-label='Length of the scale bar']", "5")
    page.click("button:has-text('Set the pixel size')")
    page.wait_for_function("() => document.querySelector('.elsewhere pre').textContent.includes('--spacing 0.05')")
    line = page.text_content(".elsewhere pre")
    assert "--threshold" in line
    assert "--data-bar auto" in line

    # A scratch is painted over and left out; phases have names and colours.
    page.click("button:has-text('Paint a mask')")
    draw_line(page, (300, 40), (360, 90))
    page.wait_for_function("() => document.querySelector('.elsewhere pre').textContent.includes('--mask sem.mask-')")
    page.wait_for_selector("text=of the picture is masked")
    shot(page, "mask")
    page.click("button:has-text('Done')")
    page.fill("[aria-label='Name of phase 1']", "hydride")
    page.keyboard.press("Enter")
    page.wait_for_function("() => document.querySelector('.elsewhere pre').textContent.includes('hydride')")
    page.fill("[aria-label='Colour of hydride']", "#c2577a")
    assert "which move it by up to" in page.text_content(".result")
    shot(page, "phases")

    # A value that does not fit: its sentence stands beside it, and what was typed stays.
    page.fill("#field-reconstruct-shape", "large")
    page.wait_for_selector("[data-name=shape].wrong")
    assert "the shape 'large' is not understood" in page.text_content("[data-name=shape] .problem")
    page.fill("#field-reconstruct-shape", "96x96")
    page.select_option("#field-reconstruct-preset", "fast")
    page.click("button[type=submit]")
    page.wait_for_selector(".state.running")
    page.click("button:has-text('Stop')")
    page.wait_for_selector("h1 .state.stopped")
    page.click("button:has-text('Resume')")
    page.wait_for_selector(".watched canvas, .pictures img")
    page.wait_for_selector("h1 .state.finished")
    page.wait_for_selector("iframe.report")
    report = page.frame_locator("iframe.report")
    report.locator("h1").wait_for()
    shot(page, "report")
    # What the page does not see: the file, which is dropped, and the preset, two clicks in a list.
    assert clicks(page) + 1 + 2 <= 12
    judged(page)
    page.click("[role=tab]:has-text('Structures')")
    panels = page.locator(".beside canvas")
    panels.nth(1).wait_for()
    panels.nth(0).hover(position={"x": 60, "y": 60})
    for place in range(2):  # the cursor is shown in all
        assert " at " in panels.nth(place).locator("xpath=..").text_content()
    panels.nth(0).focus()
    page.keyboard.press("+")
    page.wait_for_function("() => document.getElementById('live').textContent.includes('zoom 1.3')")
    shot(page, "structures")
    page.click("button:has-text('Repeat with changes')")
    assert page.input_value("#field-reconstruct-shape") == "96x96"
    page.click("[role=tab]:has-text('Files')")
    page.wait_for_selector("text=realisation_0.tif")
    assert page.wrong == []


@pytest.mark.nightly
@pytest.mark.parametrize("name", ["zr_hydride_55_grey.png", "sofc_sem_grey.jpg", "superalloy_me3_grey.png"])
def test_from_a_raw_micrograph_of_a_real_material_to_its_report(page, link, data_dir, name):
    page.goto(link)
    page.wait_for_selector(".drop")
    count_clicks(page)
    page.set_input_files("#choose", data_dir / "micrographs" / name)
    page.wait_for_selector(".shares")
    shot(page, name.partition(".")[0])
    page.fill("#field-reconstruct-shape", "64x64")
    page.click("button[type=submit]")
    page.wait_for_selector("iframe.report", timeout=2 * PATIENT)
    page.frame_locator("iframe.report").locator("h1").wait_for()
    assert clicks(page) + 1 <= 12  # with the drop
    assert page.wrong == []


def test_a_mask_is_erased_undone_and_painted_by_keys(page, link, tmp_path):
    micrograph(tmp_path / "folder" / "sem.png")
    page.goto(link)
    page.click(".list a:has-text('sem.png')")
    page.wait_for_selector(".shares")
    page.click("button:has-text('Paint a mask')")
    page.fill("[aria-label='Size of the brush in pixels']", "20")
    said = """(share) => {
        const text = document.querySelector('.result').textContent;
        const found = text.match(/(\\d+\\.\\d) % of the picture is masked/);
        return share ? found && Math.abs(Number(found[1]) - share) < 0.25 : !found; }"""
    page.focus(".stage canvas")
    page.keyboard.press("Space")  # a disc of radius 20 in the middle
    disc = 100 * np.pi * 20**2 / (320 * 400)
    page.wait_for_function(said, arg=disc)
    for _ in range(2):
        page.keyboard.press("Shift+ArrowLeft")
    page.keyboard.press("Space")
    page.wait_for_function(said, arg=2 * disc)
    page.click("button:has-text('Undo')")
    page.wait_for_function(said, arg=disc)
    page.click("button:has-text('Erase')")
    page.fill("[aria-label='Size of the brush in pixels']", "40")
    draw_line(page, (195, 180), (205, 180))
    page.wait_for_function(said, arg=0)
    page.keyboard.press("Escape")
    page.wait_for_selector("button:has-text('Paint a mask')")
    page.wait_for_function("() => !document.querySelector('.elsewhere pre').textContent.includes('--mask')")
    assert not list((tmp_path / "folder").glob("*.mask-*"))
    assert page.wrong == []


def test_many_files_become_one_table_that_is_sorted_and_downloaded(page, link, tmp_path):
    for seed in (1, 2):
        micrograph(tmp_path / f"sem{seed}.png", seed)
    (tmp_path / "bad.png").write_bytes(b"none")
    page.goto(link)
    page.click("a:has-text('Many files')")
    page.wait_for_selector(".batch")
    page.set_input_files("#choose", [tmp_path / "sem1.png", tmp_path / "sem2.png", tmp_path / "bad.png"])
    page.wait_for_selector("text=3 of 3 files are ticked")
    page.click("summary:has-text('From file to phases')")
    page.fill("#field-batch-characterize-median", "3")
    page.wait_for_selector(".recipe li:has-text('median: 3')")
    shot(page, "batch")
    page.click("button:has-text('Start the batch')")
    page.wait_for_selector("h1 .state.finished")
    page.click("[role=tab]:has-text('Tables')")
    page.wait_for_selector(".failed li:has-text('bad.png'):has-text('cannot be read')")
    page.click(".data th button:has-text('value')")
    values = [float(text) for text in page.locator(".data td.number").all_text_contents() if text]
    assert len(values) > 40
    assert values == sorted(values)
    page.click(".data th button:has-text('value')")
    assert page.get_attribute(".data th:has-text('value')", "aria-sort") == "descending"
    with page.expect_download() as found:
        page.click(".tables a:has-text('Download')")
    assert Path(found.value.path()).read_text(encoding="utf-8").startswith("file,sample,group,quantity")
    assert page.locator("#runs .list").first.locator("li").count() == 1  # the files of a batch are no runs of their own
    assert page.wrong == []


def test_the_demo_volume_opens_at_once_and_its_slices_are_looked_through(page, link):
    page.goto(link)
    page.click("button:has-text('Demo: a volume')")
    page.wait_for_selector("text=96 x 96 x 96 pixels")
    page.wait_for_selector(".shares")
    page.fill("[aria-label=Slice]", "7")
    page.wait_for_selector("text=Slice z=7")
    assert "characterize demo_volume.tif" in page.text_content(".elsewhere pre")
    assert page.wrong == []


@pytest.mark.parametrize("demo", ["a micrograph of gravel", "a library of photoanodes"])
def test_a_demo_begins_at_once_and_can_be_stopped(page, link, demo):
    page.goto(link)
    page.click(f"button:has-text('Demo: {demo}')")
    page.wait_for_selector("h1 .state.running")
    page.wait_for_selector("main progress")
    page.click("button:has-text('Stop')")
    page.wait_for_selector("h1 .state.stopped")
    # A demo is a run that holds the runs it makes: all of them have stopped.
    page.wait_for_selector("#runs .list li:has-text('demo') .state.stopped")
    page.wait_for_selector("#runs .state.running", state="detached")
    assert page.wrong == []


def judged(page) -> None:
    """The verdict in words, then its evidence; figures are enlarged and downloaded."""
    page.click("[role=tab]:has-text('Judge')")
    page.wait_for_selector(".judge .said .headline")
    assert page.text_content(".said .word").strip()
    titles = page.locator(".judge h2").all_text_contents()
    wanted = ["Curves", "Evidence", "Copy test", "Effective properties"]
    assert [title for title in titles if title in wanted] == wanted
    assert page.locator(".judge table td.number").count() > 10
    shot(page, "judge")
    page.click("[aria-label='Enlarge the figure curves']")
    page.wait_for_selector("dialog[open] img")
    page.keyboard.press("+")
    page.wait_for_function(
        "() => document.querySelector('.sheet').scrollWidth > document.querySelector('.sheet').clientWidth"
    )
    page.keyboard.press("Escape")
    page.wait_for_selector("dialog", state="detached")
    for kind, begins in (("PNG", b"\x89PNG"), ("PDF", b"%PDF"), ("CSV", b"statistic,phase")):
        with page.expect_download() as stored:
            page.click(f"[aria-label='Download curves as {kind}']")
        content = Path(stored.value.path()).read_bytes()
        assert content.startswith(begins), content[:20]
        if kind == "PDF":  # the report, which is now written again with links to PDFs, is read anew
            page.reload()
            page.click("[role=tab]:has-text('Judge')")


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
    np.save(tmp_path / "folder" / "foam.npy", bicontinuous((64, 64, 64), wavelength=24, fraction=0.4, seed=0).labels)
    page.goto(link)
    page.click(".list a:has-text('foam.npy')")
    page.click("text=See it in space")
    page.wait_for_selector(".space canvas[data-ms]")
    shot(page, "volume")
    page.click(".list a:has-text('v.npy')")
    page.click("text=See it in space")
    page.wait_for_selector(".space canvas[data-ms]")

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


WORKS = """
import sys, time
import numpy as np
from matlens.microstructure.io import write_microstructure
from matlens.microstructure.problems import bicontinuous
from matlens.runs.directory import RunDirectory
from matlens.runs.lifecycle import working
from matlens.runs.progress_file import ProgressFile
exemplar = bicontinuous((128, 128), seed=0)
shape = tuple(map(int, sys.argv[2].split("x")))
settings = {"options": {"files": ["/a/sem.png"]}, "resolved": {"shape": shape}}
run = RunDirectory.create(sys.argv[1], "reconstruct", settings)
write_microstructure(exemplar, run.path / "exemplar_0.npz")
labels = bicontinuous([side // 2 for side in shape], seed=1, wavelength=8).labels.astype(np.uint8)
steps = np.arange(1.0, 40)
history = np.stack([0 * steps, steps, 3 / steps, 2 / steps, np.where(steps > 5, 1 / steps, np.nan)], axis=1)
np.savez(run.path / ".state" / "look.npz", labels=labels, key=np.array("realisation_0"))
np.savez(run.path / ".state" / "realisation_0.state.npz", history=history, terms=np.array(["two-point", "sharpness"]))
shown = ProgressFile(run.path, interval=0)
with working(run):
    shown.begin(100, "realisation 1 of 1")
    for step in range(1, 200):
        shown.update(step / 2, "loss 0.1, 1/2 size")
        time.sleep(1)
"""


def test_a_plane_and_a_volume_are_watched_while_they_form(page, link, tmp_path):
    """The files are those that a reconstruction writes, which a process that does nothing else holds as its run."""
    for name, shape, canvases in (("plane", "64x64", 2), ("volume", "32x32x32", 6)):
        line = [sys.executable, "-c", WORKS, str(tmp_path / "folder" / "runs" / name), shape]
        with subprocess.Popen(line, stderr=subprocess.DEVNULL) as process:
            page.goto(link)
            page.click(".list a:has(.state.running)")
            # The structure forms beside its exemplar, with the loss of each term and its curves in the band of windows.
            page.wait_for_selector(".curves .band")
            assert page.locator(".watched canvas").count() == canvases
            assert "at 1/2 of its size" in page.text_content(".watched")
            keys = page.locator(".graphs > figure .key").all_text_contents()
            assert keys == ["all terms", "two-point", "sharpness"]
            assert page.locator(".curves figure").count() == 2
            page.select_option("[aria-label='Phase of the curves']", index=0)
            assert page.evaluate(
                "document.querySelector('main').scrollWidth <= document.querySelector('main').clientWidth"
            )
            page.evaluate("document.querySelector('.watched h2')?.scrollIntoView()")  # of a volume
            shot(page, f"watch_{name}")
            process.send_signal(signal.SIGINT)
            process.wait(60)
        page.wait_for_selector("h1 .state.stopped")
        page.wait_for_selector(".watch", state="hidden")
    assert page.wrong == []


@pytest.mark.nightly
def test_a_volume_is_reconstructed_watched_stopped_resumed_and_judged(page, link, tmp_path):
    micrograph(tmp_path / "folder" / "sem.png")
    page.goto(link)
    page.click(".list a:has-text('sem.png')")
    page.wait_for_selector(".shares")
    page.fill("#field-reconstruct-shape", "32x32x32")
    page.select_option("#field-reconstruct-preset", "fast")
    page.click("button[type=submit]")
    page.wait_for_selector(".watched .space canvas[data-ms]")
    assert page.locator(".watched canvas").count() == 6  # exemplar, volume with its marks, three slices
    page.wait_for_selector(".curves .chart")
    page.click("button:has-text('Stop')")
    page.wait_for_selector("h1 .state.stopped")
    page.click("[role=tab]:has-text('Structures')")
    page.wait_for_selector(".space canvas[data-ms]")
    page.click("button:has-text('Resume')")
    page.wait_for_selector("h1 .state.finished")
    page.wait_for_selector("iframe.report")
    page.frame_locator("iframe.report").locator("h1").wait_for()
    page.click("[role=tab]:has-text('Judge')")
    page.wait_for_selector(".judge .said .headline")
    page.click("[role=tab]:has-text('Structures')")
    page.wait_for_selector(".space canvas[data-ms]")
    assert page.wrong == []


def test_a_run_of_the_command_line_is_watched_and_stopped(page, link, tmp_path):
    micrograph(tmp_path / "folder" / "sem.png")
    words = "reconstruct sem.png --shape 192x192 -o runs/own --quiet"
    line = [sys.executable, "-m", "matlens", *words.split()]
    page.goto(link)
    page.wait_for_selector(".drop")
    with subprocess.Popen(line, cwd=tmp_path / "folder", stderr=subprocess.DEVNULL) as process:
        page.click(".list a[href$='runs%2Fown']:has(.state.running)")
        page.wait_for_selector(".watched canvas")
        page.click("button:has-text('Stop')")
        page.wait_for_selector("h1 .state.stopped")
        page.wait_for_selector("main .elsewhere pre:has-text('--shape 192x192')")
        assert process.wait(60) == 130
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


def alloys(path: Path) -> None:
    """A library of three metals on a wafer, with spectra of which one band follows Fe, and a column to put right."""
    rng = np.random.default_rng(4)
    axis = np.arange(400, 640, 8)
    rows = []
    for at in range(40):
        fe, co, ni = rng.dirichlet((4, 3, 2)).round(3)
        ni = round(1 - fe - co, 3)
        band = 60 * fe * np.exp(-(((axis - 480) / 20) ** 2)) + 30 * co * np.exp(-(((axis - 580) / 25) ** 2))
        spectrum = (band + 5 + rng.normal(0, 0.4, axis.size)).round(2)
        merit = round(1 + 2 * fe - co + rng.normal(0, 0.05), 3)
        rows.append([f"s{at}", fe, co, ni, at % 8, at // 8, *spectrum, merit, round(rng.normal(20, 1), 1)])
    head = ["id", "Fe", "Co", "Ni", "x (mm)", "y (mm)", *axis, "Ms (T)", "room"]
    lines = [",".join(map(str, row)) for row in [head, *rows]]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def test_columns_of_a_table_are_put_right_and_a_model_is_about_to_be_learned(page, link, tmp_path):
    alloys(tmp_path / "alloys.csv")
    page.goto(link)
    page.set_input_files("#choose", tmp_path / "alloys.csv")
    page.wait_for_selector(".facts")
    assert "figures of merit Ms (T), room (no unit)" in page.text_content(".facts")
    page.wait_for_selector(".points .point")

    # The temperature of the room is no figure of merit: a change that the command line repeats.
    page.select_option("[data-column=room]", "covariate")
    page.wait_for_function("() => document.querySelector('.facts').textContent.includes('further columns: room')")
    page.wait_for_function("() => document.querySelector('.elsewhere pre').textContent.includes('--covariates room')")
    page.click("button:has-text('As proposed')")
    page.wait_for_function("() => document.querySelector('#merit')")
    page.select_option("[data-column=room]", "covariate")
    page.wait_for_selector("button:has-text('Learn Ms')")
    # What cannot be read is a sentence, and what was chosen stays, so that it can be taken back.
    page.select_option("[data-column=Ni]", "covariate")
    page.wait_for_selector(".callout.bad:has-text('do not sum to 1')")
    assert page.input_value("[data-column=Ni]") == "covariate"
    page.select_option("[data-column=Ni]", "component")
    page.wait_for_selector("button:has-text('Learn Ms')")
    # The form says the same, and so would the run.
    assert page.input_value("#field-library-learn-library") == "alloys.csv"
    assert page.input_value("#field-library-learn-covariates") == "room"
    shot(page, "columns")
    # Chromium itself writes a line about each answer that refuses.
    assert [text for text in page.wrong if "422" not in text] == []


def test_from_a_table_to_a_plate_with_models_that_are_learned(page, link, tmp_path):
    alloys(tmp_path / "alloys.csv")
    page.goto(link)
    page.set_input_files("#choose", tmp_path / "alloys.csv")
    page.select_option("[data-column=room]", "covariate")
    page.click("button:has-text('Check the data first')")
    page.wait_for_selector(".checks li")
    # Few and small models: the walk goes through all steps, and what models are worth is tested elsewhere.
    page.eval_on_selector_all("form details", "all => { for (const each of all) each.open = true; }")
    for name, value in (("n_models", "2"), ("folds", "2"), ("scoring_models", "2")):
        page.fill(f"#field-library-learn-{name}", value)
    for name, choice in (("held_out", "grouped"), ("model", "ensemble"), ("baselines", "none")):
        page.select_option(f"#field-library-learn-{name}", choice)
    page.click("button:has-text('Learn Ms')")
    page.wait_for_selector("h1:has-text('library learn') .state.finished")
    for name, command in (("Explain", "library explain"), ("Suggest what to make", "library suggest")):
        page.click(f"button:has-text('{name}')")
        page.wait_for_function("command => document.querySelector('#command').value === command", arg=command)
        if name == "Explain":  # without the test that learns from 19 shuffled copies of the table
            page.fill("#field-library-explain-permutations", "0")
        page.click("button[type=submit]")
        page.wait_for_selector(f"h1:has-text('{command}') .state.finished")
        if name == "Explain":
            page.wait_for_selector(".spectrum .piece")
            page.evaluate("document.querySelector('.legend').scrollIntoView()")
            shot(page, "library")
    page.wait_for_selector(".plate input")
    shot(page, "plate")
    wells = page.locator(".plate tbody tr").count()
    with page.expect_download() as got:
        page.click("button:has-text('Download as CSV')")
    lines = Path(got.value.path()).read_text(encoding="utf-8").splitlines()
    assert lines[0].startswith("well,Fe,Co,Ni")
    assert len(lines) == wells + 1 > 1
    assert page.wrong == []


def test_results_of_libraries_are_linked_charts_and_a_plate(page, link, tmp_path):
    library = photoanode(30, seed=1).library
    runs = tmp_path / "folder" / "runs"
    runs.mkdir()
    model = learned(runs / "model", library)
    explained(runs / "insight", library, model)
    suggested(runs / "plan", model)
    page.goto(link)
    page.wait_for_selector(".list a:has-text('library learn')")
    page.click(".list a:has-text('library learn')")
    page.click("[role=tab]:has-text('Charts')")
    page.wait_for_selector(".charts .point")
    assert page.locator(".charts svg.points").count() == 3  # triangle, wafer, and predicted against measured
    page.click("button:has-text('Explain')")
    assert page.input_value("#field-library-explain-model") == "runs/model"
    page.click(".list a:has-text('library explain')")
    page.click("[role=tab]:has-text('Charts')")
    page.wait_for_selector(".conclusions .chip.weak")
    page.wait_for_selector(".composition .mark")
    page.wait_for_selector(".spectrum .piece")
    # Charts are linked: by the arrow keys in one map, a sample is shown in all.
    page.focus("svg.points >> nth=0")
    page.keyboard.press("Home")
    page.keyboard.press("ArrowRight")
    page.wait_for_selector(".told:has-text('Sample ')")
    sample = page.get_attribute("svg.points >> nth=0", "aria-valuetext")
    assert page.get_attribute("svg.points >> nth=1", "aria-valuetext") == sample
    name = sample.split(":")[0].removeprefix("Sample ")
    page.wait_for_function(
        "name => document.querySelector('.spectrum')?.ariaLabel.includes(`sample ${name};`)", arg=name
    )
    assert name in page.get_attribute(".composition", "aria-label")
    page.wait_for_function(
        "name => document.querySelector('#live').textContent.startsWith(`Sample ${name}:`)", arg=name
    )
    # A channel colours the maps, and so does a component.
    page.focus(".spectrum")
    page.keyboard.press("ArrowLeft")
    page.wait_for_selector(".legend:has-text('intensity at')")
    page.select_option("select:has(option[value='gradient:2'])", "gradient:2")
    page.wait_for_selector(".legend:has-text('gradient of W')")
    page.locator("figure details summary").first.click()
    page.wait_for_selector("figure .plain td")

    page.click("button:has-text('Suggest what to make')")
    assert page.input_value("#field-library-suggest-insight") == "runs/insight"
    page.click(".list a:has-text('library suggest')")
    page.click("[role=tab]:has-text('Plate')")
    page.wait_for_selector(".plate input")
    wells = page.locator(".plate tbody tr").count()
    page.fill("[data-cell='0-0']", "12,5")
    page.wait_for_selector(".sums.wrong:has-text('1 of')")
    page.locator("button:has-text('Close')").first.click()
    page.wait_for_selector(".sums:has-text('all sums are 100')")
    page.click("button:has-text('Add a well')")
    page.wait_for_selector(".sums.wrong:has-text('1 of')")
    page.keyboard.type("100")
    page.wait_for_selector(".sums:has-text('all sums are 100')")
    with page.expect_download() as got:
        page.click("button:has-text('Download as CSV')")
    lines = Path(got.value.path()).read_text(encoding="utf-8").splitlines()
    assert lines[0] == "well,Bi,V,W,Dy,Gd,Mo,Tb,change"
    assert len(lines) == wells + 2
    assert all(abs(sum(map(float, line.split(",")[1:8])) - 100) < 0.06 for line in lines[1:])
    unnamed = """[...document.querySelectorAll('input, select, button, [role=slider]')].filter((each) =>
        !each.labels?.length && !each.getAttribute('aria-label') && !each.textContent.trim()).length"""
    assert page.evaluate(unnamed) == 0
    assert page.wrong == []
