"""Pictures for the page: the phases are those of the command, quickly and without PyTorch."""

import io
import json
import subprocess
import sys
import time

import numpy as np
import pytest
from PIL import Image

from matlens.core.settings import read_options
from matlens.errors import InputError
from matlens.microstructure.io import read_image
from matlens.microstructure.segmentation import CleaningOptions, load, segment
from matlens.studio.libraries import Libraries
from matlens.studio.painted import write_mask
from matlens.studio.worker import Pictures, main


def grey(side):
    rng = np.random.default_rng(1)
    blocks = rng.integers(0, 2, (side // 16, side // 16)).repeat(16, 0).repeat(16, 1)
    return (80 + 90 * blocks + rng.normal(0, 9, (side, side))).clip(0, 255).astype(np.uint8)


@pytest.fixture
def picture(tmp_path):
    file = tmp_path / "a.png"
    Image.fromarray(grey(128)).save(file)
    return str(file)


def test_the_picture_and_its_histogram_are_those_of_the_file(picture):
    found, pixels = Pictures().answer({"what": "look", "file": picture})
    values = np.asarray(Image.open(picture))
    assert np.array_equal(np.frombuffer(pixels, np.uint8).reshape(128, 128), values)
    assert sum(found["histogram"]["counts"]) == values.size
    ((two,), three) = found["otsu"]["2"], found["otsu"]["3"]
    assert 100 < two < 150
    assert len(three) == 2


@pytest.mark.parametrize(
    "given",
    [
        {},
        {"threshold": "120"},
        {"threshold": "otsu", "median": "3", "min_object": "30", "invert": True},
        {"threshold": "multiotsu:3", "crop": "10:90,20:100", "data_bar": "8", "spacing": "0.5um", "downsample": "2"},
    ],
)
def test_phases_are_those_of_the_same_options_of_the_command(picture, given):
    found, pixels = Pictures().answer({"what": "cut", "file": picture, "options": given})
    made = segment(read_image(picture), read_options(CleaningOptions, given), name="a.png", propose=True)
    shown = np.frombuffer(pixels, np.uint8).reshape(found["rows"], found["columns"])
    assert np.array_equal(shown, made.microstructure.labels)
    assert [phase["share"] for phase in found["phases"]] == made.microstructure.volume_fractions.tolist()
    assert found["origin"] == ([20, 10] if "crop" in given else [0, 0])
    # The settings that are shown make the same phases when they are given.
    again = segment(read_image(picture), read_options(CleaningOptions, found["settings"]), name="a.png")
    assert np.array_equal(again.microstructure.labels, made.microstructure.labels)
    if len(found["phases"]) == 2:  # the valley between two phases is flat; a third threshold cuts through one of them
        assert all(max(phase["moved"]) - min(phase["moved"]) < 0.05 for phase in found["phases"])
    assert len(found["s2"]["curves"]) == len(found["phases"])


def test_one_slice_of_a_volume_is_shown_and_cut(tmp_path):
    volume = np.stack([grey(32) // (1 + k % 2) for k in range(6)])
    np.save(tmp_path / "v.npy", volume)
    file = str(tmp_path / "v.npy")
    _, pixels = Pictures().answer({"what": "look", "file": file, "slice": 2})
    assert np.array_equal(np.frombuffer(pixels, np.uint8).reshape(32, 32), volume[2])
    cut, _ = Pictures().answer({"what": "cut", "file": file, "slice": 2, "options": {"threshold": "120"}})
    assert (cut["rows"], cut["columns"]) == (32, 32)
    assert "slice" not in cut["settings"]
    assert cut["phases"][1]["share"] == (volume[2] > 120).mean()


def test_a_bad_file_or_option_is_the_sentence_of_the_command(tmp_path, picture):
    (tmp_path / "b.png").write_bytes(b"none")
    with pytest.raises(InputError, match=r"b\.png"):
        Pictures().answer({"what": "look", "file": str(tmp_path / "b.png")})
    with pytest.raises(InputError, match="the threshold 'much' is not understood"):
        Pictures().answer({"what": "cut", "file": picture, "options": {"threshold": "much"}})
    answers = io.BytesIO()
    main(io.BytesIO(b'{"what": "cut", "file": "/none"}\n{"what": "look"}\n'), answers)
    assert [list(json.loads(line)) for line in answers.getvalue().splitlines()] == [["error", "bytes"]] * 2


def test_a_threshold_is_moved_in_a_fifth_of_a_second_of_processor_time(tmp_path):
    Image.fromarray(grey(1024)).save(tmp_path / "a.png")
    pictures, spent = Pictures(), []
    for level in (118, 119, 120, 121):
        begun = time.process_time()
        pictures.answer({"what": "cut", "file": str(tmp_path / "a.png"), "options": {"threshold": str(level)}})
        spent.append(time.process_time() - begun)
    assert min(spent[1:]) < 0.2


@pytest.mark.slow
def test_the_process_loads_no_pytorch_and_answers_over_its_pipes(picture, tmp_path):
    code = "import sys; from matlens.studio import worker; worker.main(sys.stdin.buffer, sys.stdout.buffer); "
    code += "assert 'torch' not in sys.modules"
    asked = "".join(json.dumps({"what": what, "file": picture}) + "\n" for what in ("look", "cut"))
    done = subprocess.run([sys.executable, "-c", code], input=asked.encode(), capture_output=True, check=True)
    head, _, rest = done.stdout.partition(b"\n")
    assert json.loads(head)["bytes"] == 128 * 128
    assert json.loads(rest[128 * 128 :].partition(b"\n")[0])["kind"] == "grey"
    table = tmp_path / "t.csv"
    table.write_text("Fe,Co,P\n" + "".join(f"{k},{100 - k},{k * 2}.5\n" for k in range(10, 40)), encoding="utf-8")
    found = Libraries().answer({"what": "columns", "file": str(table), "root": str(tmp_path)})
    assert found["parts"][0].startswith("30 samples")


def test_a_painted_mask_is_that_of_the_command(picture, tmp_path):
    pictures = Pictures()
    runs = [128 * row + 10 for row in range(40)]
    given = {"what": "paint", "file": picture, "rows": 128, "columns": 128, "step": 1}
    made, _ = pictures.answer({**given, "runs": [number for start in runs for number in (start, 30)]})
    values = np.asarray(Image.open(made["mask"]))
    assert values.shape == (128, 128)
    assert (values == 0).sum() == 40 * 30
    assert (values[:40, 10:40] == 0).all()
    options = {"threshold": "120", "mask": made["mask"]}
    cut, pixels = pictures.answer({"what": "cut", "file": picture, "options": options})
    wanted = load(picture, read_options(CleaningOptions, options)).microstructure
    assert [phase["share"] for phase in cut["phases"]] == wanted.volume_fractions.tolist()
    assert cut["masked"] == pytest.approx(40 * 30 / 128**2)
    shown = np.frombuffer(pixels, np.uint8).reshape(128, 128)
    assert np.array_equal(shown == 255, values == 0)
    # It is painted on: the page is given back what it sent. Another content is another file.
    back, _ = pictures.answer({"what": "painted", "file": picture, "mask": made["mask"]})
    assert back["runs"] == [number for start in runs for number in (start, 30)]
    assert pictures.answer({**given, "runs": [0, 5]})[0]["mask"] != made["mask"]


def test_a_mask_of_a_reduced_picture_has_the_size_of_the_file_and_that_of_a_volume_holds_for_all_slices(tmp_path):
    place = write_mask(tmp_path / "wide.png", np.eye(2, 3, dtype=bool), (3, 6), 2)
    assert (np.asarray(Image.open(place)) == 0).tolist() == [[1, 1, 0, 0, 0, 0]] * 2 + [[0, 0, 1, 1, 0, 0]]
    np.save(tmp_path / "v.npy", np.stack([grey(32)] * 5))
    pictures = Pictures()
    given = {"what": "paint", "file": str(tmp_path / "v.npy"), "rows": 32, "columns": 32, "step": 1, "runs": [0, 320]}
    mask = pictures.answer(given)[0]["mask"]
    options = {"threshold": "120", "mask": mask, "crop": "0:32,0:20,:"}
    wanted = load(str(tmp_path / "v.npy"), read_options(CleaningOptions, options)).microstructure
    assert wanted.masked_share == 0.5
    cut, _ = pictures.answer({"what": "cut", "file": given["file"], "slice": 3, "options": options})
    assert (cut["rows"], cut["columns"], cut["masked"]) == (20, 32, 0.5)
    assert cut["phases"][1]["share"] == wanted.volume_fractions[1]


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"runs": [0]}, "no runs of pixels"),
        ({"runs": [0, 128 * 128 + 1]}, "no runs of pixels"),
        ({"runs": [-1, 2]}, "no runs of pixels"),
        ({"runs": "much"}, "no runs of pixels"),
        ({"runs": [0, 1], "rows": 10**6, "columns": 10**6}, "at most 16 million"),
        ({"runs": [0, 1], "rows": "8"}, "send a whole number"),
        ({"runs": [0, 1], "rows": 64}, "open the picture again"),
    ],
)
def test_what_is_no_painting_is_refused_and_nothing_is_written(picture, tmp_path, given, said):
    before = sorted(tmp_path.iterdir())
    with pytest.raises(InputError, match=said):
        Pictures().answer({"what": "paint", "file": picture, "rows": 128, "columns": 128, "step": 1, **given})
    assert sorted(tmp_path.iterdir()) == before


def test_how_far_shares_and_s2_move_with_the_threshold(picture):
    cut, _ = Pictures().answer({"what": "cut", "file": picture, "options": {"threshold": "120"}})
    values = np.asarray(Image.open(picture))
    for phase, above in ((1, True), (0, False)):
        wanted = [((values > 120 * factor) == above).mean() for factor in (0.95, 1.05)]
        assert cut["phases"][phase]["moved"] == pytest.approx(wanted)
    for curve, factor in zip(cut["s2"]["moved"], (0.95, 1.05)):
        assert curve[0] == pytest.approx((values > 120 * factor).mean(), abs=1e-5)
        assert len(curve) == len(cut["s2"]["curves"][1])
