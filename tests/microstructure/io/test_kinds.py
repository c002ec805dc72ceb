"""Labels, blurred masks, grains and grey values are told apart, and what is assumed is said."""

import numpy as np
import pytest
from PIL import Image as Pillow
from scipy.ndimage import gaussian_filter, uniform_filter
from scipy.spatial import cKDTree

import matlens as ml
from matlens import InputError
from matlens.cli.app import main
from matlens.microstructure.commands.inputs import by_number
from matlens.microstructure.io import Image
from matlens.microstructure.io.kinds import Kind, kind_of
from matlens.microstructure.problems import gaussian_field
from matlens.microstructure.segmentation import CleaningOptions, Understood, load, read_microstructure, segment
from matlens.microstructure.segmentation.frame import data_bar

FIELD = gaussian_filter(np.random.default_rng(1).normal(size=(64, 96)), (2, 4), mode="wrap")
TWO = (np.quantile(FIELD, 0.7) < FIELD).astype(np.uint8)
THREE = np.digitize(FIELD, np.quantile(FIELD, [0.5, 0.8])).astype(np.uint8)


def wide(shape=(440, 512), seed=3):
    return gaussian_filter(np.random.default_rng(seed).normal(size=shape), 4, mode="wrap")


def micrograph():
    noise = np.random.default_rng(0).normal(0, 8, (440, 512))
    return (np.where(wide() < -0.03, 60, 150) + noise).clip(1, 254).astype(np.uint8)


@pytest.mark.parametrize("quality", [50, 85, 95])
def test_a_mask_as_jpeg_has_two_phases(tmp_path, quality):
    Pillow.fromarray(TWO * 255).save(tmp_path / "m.jpg", quality=quality)
    for found in (load(tmp_path / "m.jpg").microstructure, read_microstructure(tmp_path / "m.jpg")):
        assert found.n_phases == 2
        assert (found.labels != TWO).mean() < 0.003
    assert "blurred" in load(tmp_path / "m.jpg").steps[0]


@pytest.mark.parametrize("size", [(64, 43), (150, 110), (80, 60)])
@pytest.mark.parametrize("filter", [Pillow.Resampling.BILINEAR, Pillow.Resampling.BICUBIC, Pillow.Resampling.LANCZOS])
def test_an_anti_aliased_mask_has_two_phases(tmp_path, size, filter):
    Pillow.fromarray(TWO * 255).resize(size, filter).save(tmp_path / "m.png")
    found = load(tmp_path / "m.png").microstructure
    assert found.n_phases == 2
    assert found.volume_fractions[1] == pytest.approx(TWO.mean(), abs=0.012)


@pytest.mark.parametrize(("factor", "scale"), [(2, 1), (3, 255), (4, 1), (4, 255), (5, 200), (6, 255)])
def test_a_mask_of_block_means_is_no_grey_picture(factor, scale):
    mask = np.quantile(wide(), 0.7) < wide()
    blocks = mask[: 440 // factor * factor, : 512 // factor * factor]
    means = blocks.reshape(440 // factor, factor, 512 // factor, factor).mean((1, 3)) * scale
    for values in (means, np.rint(means).astype(np.uint8)) if scale > 1 else (means,):
        assert kind_of(Image(values)) == Kind("blended", (0.0, float(scale)))
    noisy = np.random.default_rng(0).integers(0, factor**2 + 1, (64, 64)) / factor**2
    assert kind_of(Image(noisy)).name in ("grey", "labels")


@pytest.mark.parametrize("side", [1, 2, 8])
def test_an_averaged_mask_that_no_cut_keeps_is_refused_with_the_way_out(tmp_path, side):
    field = gaussian_filter(np.random.default_rng(1).normal(size=(256, 256)), (side, 2 * side), mode="wrap")
    mask = np.quantile(field, 0.7) < field
    np.save(tmp_path / "m.npy", mask.reshape(128, 2, 128, 2).mean((1, 3)))
    with pytest.raises(InputError, match=r"no cut keeps its mean.*share of 0\.300 by the mean.*--threshold 0\.5\."):
        load(tmp_path / "m.npy")
    np.save(tmp_path / "m.npy", mask)
    assert load(tmp_path / "m.npy").microstructure.volume_fractions[1] == pytest.approx(0.3, abs=1e-4)
    np.save(tmp_path / "m.npy", TWO.reshape(32, 2, 48, 2).mean((1, 3)))
    with pytest.raises(InputError, match=r"share of 0\.300 by the mean and 0\.333"):
        load(tmp_path / "m.npy")
    every = load(tmp_path / "m.npy", CleaningOptions(threshold="labels")).microstructure
    assert every.n_phases == 5


@pytest.mark.parametrize("quality", [50, 75, 85, 95])
def test_a_mask_of_thin_phases_as_jpeg_does_not_lose_the_middle_one(tmp_path, quality):
    """Three phases became two, .642 and .358, where lines of the middle phase were too thin for a pixel inside."""
    Pillow.fromarray(THREE * 127).save(tmp_path / "m.jpg", quality=quality)
    with pytest.raises(InputError, match=r"levels 0, 12\d, 25\d.*--threshold v1,v2"):
        load(tmp_path / "m.jpg")
    found = load(tmp_path / "m.jpg", CleaningOptions(threshold="64,190")).microstructure
    assert found.volume_fractions == pytest.approx((0.5, 0.3, 0.2), abs=0.01)


def test_a_blurred_mask_of_three_levels_is_refused_and_can_be_cut_all_the_same(tmp_path):
    blocks = np.kron(np.random.default_rng(0).integers(0, 3, (8, 8)), np.ones((16, 16), int)).astype(np.uint8)
    Pillow.fromarray(blocks * 127).save(tmp_path / "m.jpg", quality=85)
    with pytest.raises(InputError, match=r"levels 0, 12\d, 25\d.*--threshold v1,v2"):
        load(tmp_path / "m.jpg")
    found = load(tmp_path / "m.jpg", CleaningOptions(threshold="64,190")).microstructure
    assert (found.labels != blocks).mean() < 0.01


@pytest.mark.parametrize(
    "labels",
    [
        THREE,
        THREE * 85,
        THREE * 127,
        THREE.astype(float) / 2,
        (THREE + 1) * 20,
        np.kron(np.arange(96).reshape(8, 12) % 7 * 9, np.ones((8, 8))),
    ],
)
def test_labels_stay_labels(labels):
    assert kind_of(Image(np.asarray(labels))).name == "labels"
    assert segment(Image(np.asarray(labels))).microstructure.n_phases == np.unique(labels).size


def test_noise_of_few_levels_is_grey():
    noisy = np.clip(np.round(TWO * 3 + np.random.default_rng(0).normal(2, 1, TWO.shape)), 0, 7) * 36
    assert kind_of(Image(noisy)).name == "grey"


@pytest.mark.parametrize("background", [False, True])
def test_numbers_of_grains_are_refused_with_the_way_out(tmp_path, background):
    grains = np.kron(np.arange(1, 129).reshape(8, 16), np.ones((8, 6), int)).astype(np.int32)
    if background:
        grains[np.quantile(FIELD, 0.1) > FIELD] = 0
        grains[::8] = grains[:, ::6] = 0
    np.save(tmp_path / "m.npy", grains)
    with pytest.raises(InputError, match=r"instance labels.*--threshold 0\.5.*--dataset"):
        load(tmp_path / "m.npy", propose=True)
    if background:
        found = load(tmp_path / "m.npy", CleaningOptions(threshold="0.5")).microstructure
        assert np.array_equal(found.labels, grains > 0)


def _grains(shape, count, *, periodic=False):
    random = np.random.default_rng(count)
    tree = cKDTree(random.random((count, len(shape))) * shape, boxsize=shape if periodic else None)
    places = np.stack(np.meshgrid(*map(np.arange, shape), indexing="ij"), axis=-1)
    numbers = random.permutation(600)[:count] + 1  # as in a part cut out of a larger map
    return numbers[tree.query(places)[1]]


@pytest.mark.parametrize("count", [70, 200])
@pytest.mark.parametrize("shape", [(96, 96), (30, 30, 30)])
@pytest.mark.parametrize("change", ["none", "periodic", "borders", "float"])
def test_maps_of_grains_are_no_masks_and_no_grey_values(shape, count, change):
    grains = _grains(shape, count, periodic=change == "periodic")
    if change == "borders":  # drawn with a value of their own, which cuts grains apart from nothing
        between = [grains != np.roll(grains, 1, axis) for axis in range(len(shape))]
        grains[np.any(between, axis=0)] = 0
    if change == "float":
        grains = grains.astype(np.float32)
    assert kind_of(Image(grains)).name == "instances"


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
@pytest.mark.parametrize("outside", [0, 255])
@pytest.mark.parametrize("noise", [1.0, 2.0, 8.0])
def test_a_grey_volume_beside_a_flat_background_is_grey(dtype, outside, noise):
    """The background of a tomogram that was masked is exact, and noise that is weak beside it looks like a level."""
    random = np.random.default_rng(0)
    phases = gaussian_field((24, 40, 40), 4.0, 0.4, seed=0).labels
    part = np.hypot(*np.indices((40, 40)) - 19.5) < 17
    grey = np.where(part, 120 + 60 * phases + random.normal(0, noise, phases.shape), outside)
    grey = grey * 100 if dtype is np.uint16 else grey
    grey = grey if dtype is np.float32 else np.round(grey)
    assert kind_of(Image(grey.astype(dtype))).name == "grey"


@pytest.mark.parametrize("shape", [(160, 160), (48, 48, 48)])
def test_a_blurred_mask_beside_a_background_stays_a_blurred_mask(shape):
    labels = gaussian_field(shape, 5.0, 0.4, seed=0).labels.astype(float) + 1
    labels[: shape[0] // 4] = 0
    blurred = uniform_filter(labels, 3, mode="nearest")[tuple(slice(None, None, 2) for _ in shape)]
    found = kind_of(Image((blurred * 100).astype(np.float32)))
    assert found.name == "blended"
    assert np.allclose(found.levels, (0, 100, 200), atol=1e-3)


@pytest.mark.parametrize(
    ("levels", "outliers", "threshold", "fractions"),
    [
        ((300, 450, 600), 2, "multiotsu:3", (0.2, 0.35, 0.45)),
        ((10000, 12500, 15000), 65, "multiotsu:3", (0.2, 0.35, 0.45)),
        ((300, 450), 1, "otsu", (0.55, 0.45)),
        ((300, 450), 60, "otsu", (0.55, 0.45)),
    ],
)
@pytest.mark.parametrize("value", [0, 65535])
def test_hot_and_dead_pixels_do_not_move_the_thresholds(levels, outliers, threshold, fractions, value):
    field, rng = wide((256, 256), 0), np.random.default_rng(1)
    cuts = np.quantile(field, [0.2, 0.55] if len(levels) == 3 else [0.55])
    truth = np.digitize(field, cuts)
    grey = np.array(levels)[truth] + rng.normal(0, np.ptp(levels) / 20, truth.shape)
    grey.ravel()[rng.choice(grey.size, outliers, replace=False)] = value
    found = segment(Image(grey.round().astype(np.uint16)), CleaningOptions(threshold=threshold)).microstructure
    assert found.volume_fractions == pytest.approx(fractions, abs=0.003)


def test_a_nearly_empty_phase_is_said():
    grey = np.full((64, 64), 100.0)
    grey[3, 3:8] = 200
    steps = segment(Image(grey), CleaningOptions(threshold="150")).steps
    assert steps[-1] == "Phase 1 is nearly empty (0.12% of the pixels); look at the threshold."


def inset_bar():
    bar = np.full((77, 512), 255, np.uint8)
    bar[0], bar[:, 2], bar[:, -2], bar[:, :2], bar[:, -1], bar[-1] = 0, 0, 0, 110, 110, 0
    bar[20:30, 20:90] = 0
    return np.vstack([micrograph(), bar])


def bar_under_black_pores():
    bar = np.zeros((30, 512), np.uint8)
    bar[10, 300:480], bar[5:20, 20:200:3] = 255, 255
    grey = micrograph()
    return np.vstack([np.where(grey < 105, 0, grey), bar]).astype(np.uint8)


def bar_with_a_gradient():
    bar = np.tile(np.linspace(20, 220, 512), (40, 1))
    bar[12:20, 30:120:4] = 255
    return np.vstack([micrograph(), bar.astype(np.uint8)])


@pytest.mark.parametrize(("make", "rows"), [(inset_bar, 77), (bar_under_black_pores, 30), (bar_with_a_gradient, 40)])
def test_bars_are_cut_to_their_last_row(make, rows):
    grey = make()
    assert data_bar(grey) == (0, rows)
    assert data_bar(grey[::-1]) == (rows, 0)
    found = segment(Image(grey), CleaningOptions(data_bar="auto", threshold="otsu"))
    assert found.microstructure.shape == (440, 512)
    assert (found.microstructure.labels != (wide() >= -0.03)).mean() < 0.001


def test_that_no_bar_was_found_is_said():
    found = segment(Image(micrograph()), CleaningOptions(data_bar="auto", threshold="otsu"))
    assert found.microstructure.shape == (440, 512)
    assert found.steps[0] == "No data bar was found."


def test_uneven_light_is_noticed_and_the_proposal_takes_it_out():
    truth = wide(seed=5) > 0.06
    grey = (truth * 100.0 + 60 + np.random.default_rng(0).normal(0, 4, truth.shape)) * np.linspace(0.5, 1.5, 512)
    plain = segment(Image(grey), CleaningOptions(threshold="otsu"))
    assert abs(plain.microstructure.volume_fractions[1] - truth.mean()) > 0.05
    (said,) = (step for step in plain.steps if "uneven" in step)
    assert float(said.rstrip(".").rsplit(" ", 1)[1]) == pytest.approx(truth.mean(), abs=0.02)
    found = segment(Image(grey), propose=True)
    assert found.options.flatten == "polynomial"
    assert found.microstructure.volume_fractions[1] == pytest.approx(truth.mean(), abs=0.01)
    even = segment(Image(micrograph()), CleaningOptions(threshold="otsu"))
    assert not any("uneven" in step for step in even.steps)


def test_grey_pictures_are_refused_without_a_proposal_and_said_with_one(tmp_path):
    Pillow.fromarray(inset_bar()).save(tmp_path / "m.png")
    with pytest.raises(InputError, match="threshold 'otsu'"):
        read_microstructure(tmp_path / "m.png")
    found = load(tmp_path / "m.png", propose=True)
    assert found.microstructure.shape == (440, 512)
    assert "so this proposal was taken: --data-bar auto, --threshold otsu." in " ".join(found.steps)
    named = load(tmp_path / "m.png", CleaningOptions(phases="pore, solid"), propose=True)
    assert named.microstructure.phase_names == ("pore", "solid")
    assert named.understood.phases[1].meaning.startswith("bright, grey above")
    three = load(tmp_path / "m.png", CleaningOptions(phases="a,b,c"), propose=True)
    assert three.options.threshold == "multiotsu:3"


def test_the_proposal_names_what_was_not_given_and_grey_values_as_they_are_given():
    image = Image(micrograph().astype(np.uint16) * 200)
    found = segment(image, CleaningOptions(crop="0:256,0:256", spacing="2um"), propose=True)
    assert "No threshold was given, so this proposal was taken: --data-bar auto, --threshold otsu." in found.steps
    assert any(
        step.startswith(f"Phases were separated at grey {found.thresholds[0]:.0f} (otsu); ") for step in found.steps
    )
    assert found.thresholds[0] > 1e4


def test_a_slice_of_a_volume_is_a_picture():
    volume = (np.random.default_rng(0).random((5, 6, 7)) > 0.5).astype(np.uint8)
    image = Image(volume, (3.0, 2.0, 1.0), "um")
    for text, taken, spacing in (
        ("z=3", volume[3], (2.0, 1.0)),
        ("y=-1", volume[:, -1], (3.0, 1.0)),
        ("x=2", volume[:, :, 2], (3.0, 2.0)),
    ):
        found = segment(image, CleaningOptions(slice=text)).microstructure
        assert np.array_equal(found.labels, taken)
        assert found.spacing == spacing
    with pytest.raises(InputError, match="has 5 along z"):
        segment(image, CleaningOptions(slice="z=5"))
    with pytest.raises(InputError, match=r"leave out --slice"):
        segment(Image(volume[0]), CleaningOptions(slice="z=0"))


def test_the_line_of_truth_is_one_object(tmp_path):
    np.save(tmp_path / "m.npy", (TWO * 255)[:, ::-1])
    found = load(tmp_path / "m.npy", CleaningOptions(invert=True, phases="solid,pore", spacing="0.5um"))
    assert str(found.understood) == (
        "m.npy: NPY, 2-D, 64 x 96 px (rows x columns), labels; pixel 0.5 um (as given); phases: 0 = solid, value 255 "
        "(0.300), 1 = pore, value 0 (0.700)"
    )
    assert Understood.from_settings(found.understood.to_settings()) == found.understood
    assert found.mapping == {0.0: 1, 255.0: 0}


@pytest.mark.end_to_end
def test_inspect_and_commands_print_the_same_line_and_keep_it(tmp_path, capsys):
    Pillow.fromarray(inset_bar()).save(tmp_path / "m.png")
    (tmp_path / "m.txt").write_text("$$SM_MICRON_BAR 53\n$$SM_MICRON_MARKER 100nm\n")
    before = set(tmp_path.iterdir())
    with pytest.raises(SystemExit) as end:
        main(["inspect", str(tmp_path / "m.png")])
    assert end.value.code == 0
    assert set(tmp_path.iterdir()) == before
    inspected = capsys.readouterr().out
    assert "440 x 512 px (rows x columns), grey; pixel 1.887 nm (JEOL metadata in m.txt)" in inspected
    assert "data bar of 77 rows" in inspected
    run = tmp_path / "run"
    with pytest.raises(SystemExit) as end:
        main(["characterize", str(tmp_path / "m.png"), "-o", str(run), "--statistics", "volume_fraction"])
    assert end.value.code == 0
    assert inspected in capsys.readouterr().out
    line = inspected.splitlines()[0]
    assert line.split(": ", 1)[1] in (run / "report.html").read_text(encoding="utf-8").replace("&#34;", '"')


def test_inspect_goes_on_after_a_bad_file(tmp_path, capsys):
    (tmp_path / "bad.png").write_bytes(b"\x89PNG no picture")
    np.save(tmp_path / "good.npy", TWO)
    with pytest.raises(SystemExit) as end:
        main(["inspect", str(tmp_path / "bad.png"), str(tmp_path / "good.npy"), "--quiet"])
    assert end.value.code == 2
    said = capsys.readouterr()
    assert said.out.splitlines() == [
        "good.npy: NPY, 2-D, 64 x 96 px (rows x columns), labels; pixel size unknown; phases: 0 = value 0 (0.700), "
        "1 = value 1 (0.300)"
    ]
    assert "bad.png cannot be read" in said.err


@pytest.mark.end_to_end
def test_segment_writes_what_other_commands_take(tmp_path, capsys):
    Pillow.fromarray(inset_bar()).save(tmp_path / "m.png")
    run = tmp_path / "segmented"
    with pytest.raises(SystemExit) as end:
        main(["segment", str(tmp_path / "m.png"), "--median", "3", "-o", str(run)])
    assert end.value.code == 0
    said = capsys.readouterr().out
    assert "Proposed (--data-bar auto --median 3 --threshold otsu): phase 0 33" in said
    assert "Three phases" in said
    labels = read_microstructure(run / "labels.tif")
    again = tmp_path / "again"
    words = ["--segmentation", str(run / "segmentation.toml"), "--statistics", "volume_fraction", "-o", str(again)]
    with pytest.raises(SystemExit) as end:
        main(["characterize", str(tmp_path / "m.png"), *words, "--quiet"])
    assert end.value.code == 0
    assert np.array_equal(read_microstructure(again / "exemplar_0.npz").labels, labels.labels)
    (tmp_path / "bad.toml").write_text("threshold = [")
    with pytest.raises(SystemExit) as end:
        main(["characterize", str(tmp_path / "m.png"), "--segmentation", str(tmp_path / "bad.toml"), "--quiet"])
    assert end.value.code == 2


def test_alternatives_differ_and_labels_have_none(tmp_path):
    np.save(tmp_path / "labels.npy", TWO)
    Pillow.fromarray(inset_bar()).save(tmp_path / "m.png")
    assert [other.name for other in ml.segment(tmp_path / "labels.npy")] == ["proposed"]
    found = ml.segment(tmp_path / "m.png")
    assert [other.name for other in found] == ["proposed", "three phases", "evened out"]
    assert found[1].found.microstructure.n_phases == 3


def test_a_photograph_is_read_as_grey_by_the_proposal_and_few_colours_are_asked_for(tmp_path):
    grey = micrograph()
    tinted = np.dstack([grey, (grey * 0.9).astype(np.uint8), (grey * 0.8).astype(np.uint8)])
    Pillow.fromarray(tinted).save(tmp_path / "m.png")
    found = load(tmp_path / "m.png", propose=True)
    assert (found.microstructure.labels != (wide() >= -0.03)).mean() < 0.001
    assert found.steps[0] == "Channel grey was taken from a colour picture."
    assert "--channel grey" in " ".join(found.steps)
    with pytest.raises(InputError, match="--channel"):
        load(tmp_path / "m.png")
    Pillow.fromarray(np.array([[255, 0, 0], [0, 0, 255]], np.uint8)[TWO]).save(tmp_path / "few.png")
    with pytest.raises(InputError, match="--channel colours"):
        load(tmp_path / "few.png", propose=True)


@pytest.mark.parametrize("values", [(0, 1), (0, 255), (1, 2)])
def test_inverted_labels_are_said_as_they_are(values):
    """Phase 0 of inverted labels 0 and 1 was called "phase 1, value 0"."""
    found = segment(Image(np.array(values)[TWO]), CleaningOptions(invert=True))
    assert np.array_equal(found.microstructure.labels, 1 - TWO)
    said = f"phases: 0 = value {values[1]} (0.300), 1 = value {values[0]} (0.700)"
    assert str(found.understood).endswith(said)
    assert found.mapping == {values[0]: 1, values[1]: 0}


@pytest.mark.parametrize(
    ("keys", "meanings", "numbers"),
    [
        (("1", "2", "3"), {1.0: 0, 2.0: 1, 3.0: 2}, (0, 1, 2)),
        (("3", "1", "2"), {1.0: 0, 2.0: 1, 3.0: 2}, (2, 0, 1)),
        (("0", "1", "2"), {1.0: 0, 2.0: 1, 3.0: 2}, (0, 1, 2)),
        (("pore", "255", "1"), {0.0: 0, 128.0: 1, 255.0: 2}, (0, 2, 1)),
        (("0", "128", "255.0"), {0.0: 0, 128.0: 1, 255.0: 2}, (0, 1, 2)),
        (("1234567", "1234568", "5"), {5.0: 0, 1234567.0: 1, 1234568.0: 2}, (1, 2, 0)),
        ((0, 1, 2), {}, (0, 1, 2)),
        (("0", "1", "2"), {0.0: 2, 1.0: 1, 2.0: 0}, (0, 1, 2)),
        ((0, "a", "b"), {}, (0, 1, 2)),
    ],
)
def test_phases_go_by_value_number_or_name(keys, meanings, numbers):
    names = ("pore", "a", "b")
    structure = ml.Microstructure([[0, 1, 2]], phase_names=names)
    found = by_number({key: float(k) for k, key in enumerate(keys)}, structure, meanings)
    assert found == {number: float(k) for k, number in enumerate(numbers)}


@pytest.mark.parametrize(
    ("keys", "said"),
    [
        (("pore", "1", "3"), r"phase '1' could be two phases; the phases are 0 \(pore, value 1\), 1 \(a, value 2\)"),
        (("pore", "1", "0"), r"phase '0' is given twice"),
        (("pore", "solid", "3"), r"phase 'solid' does not exist.*by its number, its name or its value"),
    ],
)
def test_phases_that_nobody_can_know_are_refused(keys, said):
    structure = ml.Microstructure([[0, 1, 2]], phase_names=("pore", "a", "b"))
    meanings = {1.0: 0, 2.0: 1, 3.0: 2} if "3" in keys else {}
    with pytest.raises(InputError, match=said):
        by_number(dict.fromkeys(keys, 1.0), structure, meanings)


def test_a_grey_picture_of_few_values_is_no_mask_of_many_levels():
    steps = np.rint(gaussian_filter(micrograph().astype(float), 2) / 8).astype(np.uint8) * 8  # as ImageJ's blobs
    assert 8 < np.unique(steps).size <= 64
    assert kind_of(Image(steps)).name == "grey"
