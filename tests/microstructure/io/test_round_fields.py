"""Round fields of view are found and said, round objects are not taken for them, and masks outlive every step."""

import numpy as np
import pytest
import tifffile

from matlens import InputError, Microstructure
from matlens.microstructure.commands.inputs import Inputs, read_inputs
from matlens.microstructure.io import Image, write_microstructure
from matlens.microstructure.problems import bicontinuous, discs, gaussian_field
from matlens.microstructure.segmentation import CleaningOptions, load, read_microstructure
from matlens.microstructure.segmentation.chain import segment
from matlens.microstructure.segmentation.round_field import round_field

Y, X = np.indices((96, 96)) - 47.5
DISC = np.hypot(Y, X) <= 47
LABELS = gaussian_field((96, 96), 3.0, 0.4, seed=0, periodic=False).labels
GREY = np.random.default_rng(0).normal(100, 8, (96, 96)) + 60 * LABELS


@pytest.mark.parametrize("outside", [0, 1, 7])
def test_a_round_field_of_labels_is_found_whatever_its_surround(outside):
    found = round_field(np.where(DISC, LABELS, outside))
    assert found is not None
    assert found.value == outside
    assert not (found.valid & ~DISC).any()
    assert (DISC & ~found.valid).sum() < 0.02 * DISC.sum()


def test_round_objects_and_materials_are_no_round_field():
    assert round_field(DISC.astype(int)) is None
    assert round_field(np.where(np.hypot(Y, X) < 30, 1, 0)) is None
    assert round_field(np.where(DISC, 1 + (np.hypot(Y, X) < 20), 0)) is None, "a coated fibre"
    for seed in range(5):
        for made in (
            discs((96, 96), radius=20, fraction=0.3, seed=seed),
            gaussian_field((96, 96), 5.0, 0.3, seed=seed, periodic=False),
            bicontinuous((96, 96), seed=seed),
        ):
            assert round_field(made.labels) is None
    square = (abs(Y) < 40) & (abs(X) < 40)
    assert round_field(np.where(square, LABELS + 1, 0)) is None


def test_a_round_field_is_masked_and_said_and_can_be_kept(tmp_path):
    tifffile.imwrite(tmp_path / "ct.tif", np.where(DISC, GREY, 0).astype(np.uint8))
    found = load(tmp_path / "ct.tif", propose=True)
    share = found.microstructure.masked_share
    assert abs(share - (~DISC).mean()) < 0.02
    assert f"{share:.1%} masked" in str(found.understood)
    assert any("outside a circle of 9" in step and "--unmasked" in step for step in found.steps)
    inside = found.microstructure.mask
    assert (found.microstructure.labels == LABELS)[inside].mean() > 0.92
    assert found.microstructure.volume_fractions[1] == pytest.approx(LABELS[inside].mean(), abs=0.02)
    kept = load(tmp_path / "ct.tif", CleaningOptions(threshold="otsu", unmasked=True))
    assert kept.microstructure.mask is None
    assert not any("round field" in step for step in kept.steps)


def test_a_volume_of_round_slices_is_masked_and_cut_into_slices(tmp_path):
    volume = np.where(DISC, np.stack([LABELS, 1 - LABELS, LABELS]) + 1, 0).astype(np.uint8)
    found = segment(Image(volume)).microstructure
    assert found.n_phases == 2
    assert (found.mask == found.mask[0]).all()
    plane = segment(Image(volume), CleaningOptions(slice="z=1")).microstructure
    assert np.array_equal(plane.mask, found.mask[1])
    cropped = segment(Image(volume), CleaningOptions(crop="0:40,0:40,0:2")).microstructure
    assert np.array_equal(cropped.mask, found.mask[:2, :40, :40])
    assert cropped.labels[cropped.mask].tolist() == found.labels[:2, :40, :40][cropped.mask].tolist()


def test_cleaning_and_downsampling_leave_the_mask_out(tmp_path):
    scratched = LABELS.astype(np.float32)
    scratched[30:40, 20:60] = np.nan
    scratched[29, 20:23] = 1 - scratched[32 - 4, 20]
    np.save(tmp_path / "m.npy", scratched)
    small = load(tmp_path / "m.npy", CleaningOptions(downsample=4)).microstructure
    expected = np.isfinite(scratched).reshape(24, 4, 24, 4).all(axis=(1, 3))
    assert np.array_equal(small.mask, expected)
    # an object at the rim of a mask is as large as what is known of it
    lone = np.zeros((40, 40), dtype=np.float32)
    lone[:, 30:] = 1
    lone[10, 10:12], lone[10, 12:20] = 1, np.nan
    np.save(tmp_path / "n.npy", lone)
    cleaned = load(tmp_path / "n.npy", CleaningOptions(min_object=4)).microstructure
    assert cleaned.labels[10, 10:12].tolist() == [0, 0]
    assert (~cleaned.mask).sum() == 8
    assert load(tmp_path / "n.npy", CleaningOptions(fill_mask=9)).microstructure.mask is None
    with pytest.raises(InputError, match="every block of 40 pixels"):
        load(tmp_path / "n.npy", CleaningOptions(downsample=40))


@pytest.mark.parametrize("name", ["m.npz", "m.tif", "m.h5"])
def test_files_keep_masks_and_what_takes_none_gets_a_rectangle(tmp_path, name):
    m = Microstructure(LABELS, 0.5, "um", ("pore", "solid"), mask=DISC)
    write_microstructure(m, tmp_path / name)
    again = read_microstructure(tmp_path / name, spacing=0.25, unit="um")
    assert np.array_equal(again.mask, m.mask)
    assert np.array_equal(again.labels, m.labels)
    assert again.phase_names == m.phase_names
    inputs = Inputs((str(tmp_path / name),))
    (found,) = read_inputs(inputs, whole="An effective property")
    assert found.microstructure.shape == m.unmasked().shape
    assert found.microstructure.mask is None
    assert found.steps[-1].startswith("An effective property takes no masked pixels")
    assert found.understood.notes[-1] == found.steps[-1]
    holes = np.random.default_rng(0).random((96, 96)) < 0.9
    write_microstructure(Microstructure(LABELS, mask=holes), tmp_path / name)
    with pytest.raises(InputError, match=r"no rectangle of 16 pixels a side is free of them.*--fill-mask"):
        read_inputs(inputs, whole="An effective property")
