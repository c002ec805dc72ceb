import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from PIL import Image as Pillow
from PIL import ImageDraw
from scipy import ndimage

from matlens import InputError
from matlens.microstructure.io import Image
from matlens.microstructure.problems import bicontinuous, discs, white_noise
from matlens.microstructure.rectangle import largest_rectangle
from matlens.microstructure.segmentation import CleaningOptions, load, segment
from matlens.microstructure.segmentation.background import flattened
from matlens.microstructure.segmentation.cleanup import block_majority, block_mean, without_small
from matlens.microstructure.segmentation.frame import data_bar, trimmed_edges


def noisy(labels, seed=0, low=80.0, high=160.0, noise=12.0):
    """A micrograph of the labels: two grey levels, blurred a little, with noise."""
    rng = np.random.default_rng(seed)
    grey = ndimage.gaussian_filter(np.where(labels, high, low), 0.7) + rng.normal(0, noise, labels.shape)
    return np.clip(grey, 0, 255).astype(np.uint8)


def with_bar(grey, rows=40, background=0):
    """Put an instrument's bar with text under a micrograph."""
    bar = Pillow.new("L", (grey.shape[1], rows), background)
    draw = ImageDraw.Draw(bar)
    draw.text((5, rows // 3), "15.0 kV  x2000  SE  WD 8.1 mm  10 um", fill=255 - background)
    draw.rectangle((grey.shape[1] * 2 // 3, rows // 2, grey.shape[1] - 20, rows // 2 + 3), fill=255 - background)
    return np.vstack([grey, np.asarray(bar)])


TRUTH = discs((200, 240), radius=9, fraction=0.35, seed=1).labels


def test_plain_otsu_recovers_clean_phases():
    found = segment(Image(noisy(TRUTH)), CleaningOptions(threshold="otsu", median=3))
    assert (found.microstructure.labels == TRUTH).mean() > 0.985
    assert found.grey.shape == TRUTH.shape
    assert 100 < found.thresholds[0] < 140
    assert [step.split()[0] for step in found.steps] == ["A", "Phases"]


def test_uneven_light_defeats_otsu_but_not_the_chain():
    y, x = np.indices(TRUTH.shape) / np.array(TRUTH.shape).reshape(2, 1, 1)
    grey = Image(noisy(TRUTH, low=90, noise=6) * (0.35 + 0.65 * x * y))
    plain = segment(grey, CleaningOptions(threshold="otsu", median=3)).microstructure.labels
    chain = segment(grey, CleaningOptions(threshold="otsu", median=3, flatten="polynomial")).microstructure.labels
    assert (plain == TRUTH).mean() < 0.85
    assert (chain == TRUTH).mean() > 0.96


@pytest.mark.parametrize("method", ["polynomial", "polynomial:2", "gaussian:40"])
def test_flattening_removes_a_slope_but_not_the_phases(method):
    x = np.linspace(0.7, 1.3, TRUTH.shape[1])
    labels = noisy(TRUTH, noise=3) * x
    options = CleaningOptions(threshold="otsu", median=3, flatten=method)
    assert (segment(Image(labels), options).microstructure.labels == TRUTH).mean() > 0.97


def test_flattening_works_in_three_dimensions_and_with_an_offset():
    volume = np.linspace(-50, 50, 20)[:, None, None] + np.zeros((20, 20, 20))
    flat = flattened(volume.astype(np.float32), np.ones(volume.shape, bool), "polynomial", 1)
    assert np.ptp(flat) < 1e-2


@pytest.mark.parametrize("background", [0, 255])
@pytest.mark.parametrize("rows", [24, 40])
def test_the_data_bar_is_found(rows, background):
    for seed, labels in enumerate((TRUTH, bicontinuous((200, 240)).labels)):
        grey = with_bar(noisy(labels, seed), rows, background)
        assert data_bar(grey) == (0, rows)
        assert data_bar(grey[::-1]) == (rows, 0)
    found = segment(Image(grey), CleaningOptions(threshold="otsu", median=3, data_bar="auto"))
    assert found.microstructure.shape == (200, 240)
    assert f"A data bar of {rows} rows" in found.steps[0]
    assert segment(Image(grey), CleaningOptions(threshold="otsu", data_bar=rows)).microstructure.shape == (200, 240)


def test_no_data_bar_is_found_where_none_is(data_dir):
    for labels in (TRUTH, white_noise((100, 100), (0.5, 0.5)).labels):
        assert data_bar(noisy(labels)) == (0, 0)
    for name in ("sofc_sem_grey.jpg", "superalloy_me3_grey.png", "zr_hydride_10_grey.png", "zr_hydride_55_grey.png"):
        assert data_bar(np.asarray(Pillow.open(data_dir / "micrographs" / name))) == (0, 0), name


def test_dark_edges_are_trimmed():
    grey = noisy(TRUTH).astype(float)
    assert trimmed_edges(grey) == (slice(0, 200), slice(0, 240))
    grey[:, :4] *= 0.3
    grey[-6:] = 255
    assert trimmed_edges(grey) == (slice(0, 194), slice(4, 240))


def test_crop_is_x_first():
    found = segment(Image(TRUTH), CleaningOptions(crop="10:100,20:60"))
    assert np.array_equal(found.microstructure.labels, TRUTH[20:60, 10:100])
    assert found.steps == ("Cropped x=10:100,y=20:60 out of 200 x 240.",)


def test_a_mask_is_kept_out_of_the_threshold_and_the_sample():
    grey = noisy(TRUTH)
    grey[:60, :30] = 255  # a scratch, brighter than either phase
    mask = np.ones_like(grey)
    mask[:60, :30] = 0
    found = segment(Image(grey), CleaningOptions(threshold="otsu", median=3), mask=mask)
    assert found.thresholds[0] < 140
    assert np.array_equal(found.microstructure.mask, mask != 0)
    assert (found.microstructure.labels == TRUTH)[mask != 0].mean() > 0.98
    assert f"The mask excludes {1 - (mask != 0).mean():.1%} of the pixels." in found.steps


def test_a_mask_file(tmp_path):
    np.save(tmp_path / "labels.npy", TRUTH)
    mask = np.full(TRUTH.shape, 255, np.uint8)
    mask[150:] = 0
    Pillow.fromarray(mask).save(tmp_path / "mask.png")
    found = load(tmp_path / "labels.npy", CleaningOptions(mask=tmp_path / "mask.png", crop=":,10:"))
    assert np.array_equal(found.microstructure.unmasked().labels, TRUTH[10:150])
    Pillow.fromarray(np.full(TRUTH.shape, 255, np.uint8)).save(tmp_path / "mask.png")
    whole = load(tmp_path / "labels.npy", CleaningOptions(mask=tmp_path / "mask.png"))
    assert whole.microstructure.mask is None
    assert not any("mask" in step for step in whole.steps)


@given(arrays(np.bool_, st.tuples(st.integers(1, 7), st.integers(1, 7))))
@settings(max_examples=200, deadline=None)
def test_largest_rectangle_is_the_largest(valid):
    rows, columns = largest_rectangle(valid)
    best = max(
        (
            (b - a) * (d - c)
            for a in range(valid.shape[0])
            for b in range(a + 1, valid.shape[0] + 1)
            for c in range(valid.shape[1])
            for d in range(c + 1, valid.shape[1] + 1)
            if valid[a:b, c:d].all()
        ),
        default=0,
    )
    assert valid[rows, columns].all()
    assert valid[rows, columns].size == best


def test_three_phases():
    labels = white_noise((30, 30), (0.4, 0.35, 0.25)).labels.repeat(6, 0).repeat(6, 1)
    grey = np.array([40.0, 120.0, 220.0])[labels] + np.random.default_rng(0).normal(0, 8, labels.shape)
    found = segment(Image(grey), CleaningOptions(threshold="multiotsu:3"))
    assert (found.microstructure.labels == labels).mean() > 0.99
    given_levels = segment(Image(grey), CleaningOptions(threshold="170,80"))
    assert given_levels.thresholds == (80.0, 170.0)
    assert (given_levels.microstructure.labels == labels).mean() > 0.99


def test_inversion_reverses_labels_and_names():
    dark = segment(Image(noisy(TRUTH)), CleaningOptions(threshold="otsu", median=3, invert=True)).microstructure
    assert (dark.labels == 1 - TRUTH).mean() > 0.98
    named = segment(Image(TRUTH, phase_names=("matrix", "disc")), CleaningOptions(invert=True)).microstructure
    assert named.phase_names == ("disc", "matrix")
    assert np.array_equal(named.labels, 1 - TRUTH)


def test_specks_and_pinholes_go():
    labels = np.zeros((40, 40), dtype=np.uint8)
    labels[10:30, 10:30] = 1
    clean = labels.copy()
    labels[2, 2] = labels[35, 5:8] = 1
    labels[20, 20] = 0
    found = segment(Image(labels), CleaningOptions(min_object=4, min_hole=4))
    assert np.array_equal(found.microstructure.labels, clean)
    assert found.steps == (
        "2 objects smaller than 4 pixels were removed.",
        "1 holes smaller than 4 pixels were removed.",
    )
    kept, _ = without_small(labels, [1], 3)
    assert kept[35, 6] == 1


def test_downsampling_grey_and_labels_agree_on_big_blocks():
    big = TRUTH.repeat(4, 0).repeat(4, 1)
    from_labels = segment(Image(big, (0.5, 0.5), "um"), CleaningOptions(downsample=4)).microstructure
    assert np.array_equal(from_labels.labels, TRUTH)
    assert from_labels.spacing == (2.0, 2.0)
    grey = np.where(big, 200.0, 50.0)
    from_grey = segment(Image(grey), CleaningOptions(downsample=4, threshold="otsu", spacing="10nm")).microstructure
    assert np.array_equal(from_grey.labels, TRUTH)
    assert (from_grey.spacing, from_grey.unit) == ((40.0, 40.0), "nm")


@given(arrays(np.uint8, (9, 8), elements=st.integers(0, 2)), st.integers(1, 4))
@settings(max_examples=60, deadline=None)
def test_blocks_by_definition(labels, factor):
    mean, majority = block_mean(labels, factor), block_majority(labels, factor, 3)
    for (i, j), value in np.ndenumerate(majority):
        block = labels[i * factor : (i + 1) * factor, j * factor : (j + 1) * factor]
        counts = np.bincount(block.ravel(), minlength=3)
        assert mean[i, j] == pytest.approx(block.mean())
        assert counts[value] == counts.max()


def test_majority_favours_no_phase():
    labels = white_noise((400, 400), (0.5, 0.5)).labels
    assert block_majority(labels, 2, 2).mean() == pytest.approx(0.5, abs=0.01)


def test_thresholds_moved_up_and_down():
    found = segment(Image(noisy(TRUTH)), CleaningOptions(threshold="otsu", median=3))
    fractions = [found.variants[shift].volume_fractions[1] for shift in (-1.0, 0.0, 1.0)]
    assert fractions[0] > fractions[1] > fractions[2]
    assert found.variants[0.0] is found.microstructure


@pytest.mark.parametrize(
    ("options", "mask", "message"),
    [
        ({"flatten": "polynomial"}, None, "--threshold otsu"),
        ({"median": 3}, None, "--threshold otsu"),
        ({"crop": "300:400,0:10"}, None, "leaves nothing"),
        ({"crop": "0:10,0:10,0:10"}, None, "leaves nothing"),
        ({"data_bar": 200}, None, "leaves nothing"),
        ({"spacing": "1x1x1um"}, None, "3 sizes for 2 axes"),
        ({"threshold": "500"}, None, "one phase only"),
        ({"downsample": 300}, None, "smaller factor"),
        ({"min_object": 10**6}, None, "one phase only"),
        ({}, np.ones((3, 3)), r"mask has shape \(3, 3\)"),
        ({}, np.zeros(TRUTH.shape), "mask leaves nothing"),
    ],
)
def test_options_that_do_not_fit(options, mask, message):
    with pytest.raises(InputError, match=message):
        segment(Image(TRUTH), CleaningOptions(**options), mask=mask)


def test_a_flat_picture_has_one_phase():
    with pytest.raises(InputError, match="holds 1 distinct grey value where 2 phases need at least 2"):
        segment(Image(np.full((9, 9), 7)), CleaningOptions(threshold="otsu"))


def test_a_cropped_periodic_structure_is_not_periodic():
    image = Image(TRUTH, periodic=True)
    assert segment(image).microstructure.periodic
    assert not segment(image, CleaningOptions(crop="0:100,0:100")).microstructure.periodic


@pytest.mark.slow
def test_hydrides_with_dark_edges_and_dirt(data_dir):
    path = data_dir / "micrographs" / "zr_hydride_55_grey.png"
    plain = load(path, CleaningOptions(threshold="otsu", invert=True)).microstructure
    assert plain.labels[:8].mean() > 0.7  # plain Otsu takes the dark edge for hydride
    options = CleaningOptions(
        crop="auto", flatten="polynomial", median=5, threshold="otsu", invert=True, min_object=100, min_hole=30
    )
    found = load(path, options)
    labels = found.microstructure.labels
    assert 0.15 < labels.mean() < 0.23
    assert labels[:8].mean() < 0.35  # the edge is matrix again
    quarters = [part.mean() for half in np.array_split(labels, 2) for part in np.array_split(half, 2, axis=1)]
    assert max(quarters) < 1.35 * min(quarters)  # no trace of the shading
    patches, _ = ndimage.label(labels)
    assert np.bincount(patches.ravel())[1:].min() >= 100


def test_superalloy_against_its_published_labels(data_dir):
    folder = data_dir / "micrographs"
    options = CleaningOptions(median=5, threshold="otsu", min_object=100, min_hole=20)
    matrix = load(folder / "superalloy_spot1_grey.png", options).microstructure.labels
    published = load(folder / "superalloy_spot1_labels.png").microstructure.labels
    assert (matrix == (published == 0)).mean() > 0.9
