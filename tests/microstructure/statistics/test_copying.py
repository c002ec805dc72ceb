"""The copy test: pasted blocks fail it, independent windows of the material pass."""

import numpy as np
import pytest

from matlens import InputError, Microstructure
from matlens.microstructure.problems import bicontinuous, gaussian_field, white_noise
from matlens.microstructure.statistics import CopyTest, largest_verbatim_block, pasted_blocks, patch_sides
from matlens.microstructure.statistics.equivalence import copying, verbatim
from matlens.microstructure.statistics.equivalence.copying import _Finder, _patches, coarseness
from matlens.microstructure.statistics.equivalence.verbatim import symmetries


def direct_match(exemplar, patch, w):
    """Largest correlation coefficient with any window in any orientation, one by one."""
    best = -1.0
    for turned in symmetries(patch, patch.ndim):
        for corner in np.ndindex(*(side - w + 1 for side in exemplar.shape)):
            window = exemplar[tuple(slice(c, c + w) for c in corner)].astype(float)
            if np.ptp(window):
                best = max(best, np.corrcoef(window.ravel(), turned.ravel())[0, 1])
    return best


@pytest.mark.slow
def test_match_is_the_best_correlation_over_shifts_and_symmetries():
    exemplar, result = (gaussian_field((20, 18), 3.0, 0.4, seed=s) for s in (0, 1))
    patches, corners = _patches(result, 6)
    found = _Finder(exemplar, 6)(patches[:12])
    expected = [direct_match(exemplar.labels, result.labels[r : r + 6, c : c + 6], 6) for r, c in corners[:12]]
    np.testing.assert_allclose(found, expected, atol=1e-5)


def test_own_patches_are_not_their_own_match():
    exemplar = gaussian_field((32, 32), 3.0, 0.4, seed=0)
    patches, corners = _patches(exemplar, 8)
    finder = _Finder(exemplar, 8)
    np.testing.assert_allclose(finder(patches), 1, atol=1e-4)
    assert np.median(finder(patches, corners)) < 0.95


@pytest.mark.slow
def test_pasted_blocks_copy_and_fresh_windows_do_not():
    for make in (
        lambda s: gaussian_field((96, 96), 5.0, 0.4, seed=s),
        lambda s: bicontinuous((96, 96), seed=s, wavelength=12),
    ):
        test = CopyTest([make(0)])
        assert not any(test(make(s))["copies"].any() for s in (1, 2, 3))
        block = 2 * max(test.sides)
        for seed in (0, 1):
            table = test(pasted_blocks(make(0), (80, 100), block, seed))
            assert table["copies"].any()
            assert table["largest_block"].iloc[0] >= block
        turned = make(0).with_labels(make(0).labels[::-1].T)
        assert test(turned)["copies"].any()
        assert (test(turned)["copy_share"] == 1).all()


@pytest.mark.slow
@pytest.mark.parametrize("name", ["alloy", "carbonate", "ceramics", "composite", "copolymer", "pmma", "sandstone"])
def test_real_windows_pass_and_pasted_ones_fail(data_dir, name):
    labels = np.load(data_dir / "micrographs" / f"li2018_{name}.npy", allow_pickle=False)
    exemplar, other = list(Microstructure(labels).tiles((128, 128)))[::3]
    test = CopyTest([exemplar])
    assert not test(other)["copies"].any()
    assert test(pasted_blocks(exemplar, (128, 128), min(2 * max(test.sides), 64), seed=1))["copies"].any()


def test_largest_verbatim_block_is_found_turned_or_not():
    exemplar = white_noise((40, 40), (0.5, 0.3, 0.2), seed=0)
    for orientation, turned in enumerate(symmetries(exemplar.labels[5:22, 9:26], 2)):
        labels = np.array(white_noise((40, 40), (0.5, 0.3, 0.2), seed=1 + orientation).labels)
        labels[20:37, 3:20] = turned
        assert largest_verbatim_block(exemplar.with_labels(labels), [exemplar]) == 17
    plain = exemplar.with_labels(np.zeros((40, 40), int))
    assert largest_verbatim_block(plain, [plain]) == 0
    volume = white_noise((12, 12, 12), (0.5, 0.5), seed=0)
    assert largest_verbatim_block(volume, [volume]) == 12


@pytest.mark.slow
def test_several_exemplars_three_phases_and_volumes():
    fields = [white_noise((40, 40), (0.5, 0.3, 0.2), seed=s) for s in (0, 1)]
    assert CopyTest(fields)(pasted_blocks(fields[1], (40, 40), 20))["copies"].any()
    volume = gaussian_field((20, 20, 20), 3.0, 0.4, seed=0)
    assert patch_sides([volume])[0] >= 4
    assert CopyTest([volume])(volume)["copies"].any()


def test_what_does_not_fit_is_named():
    m = white_noise((16, 16), (0.5, 0.5))
    with pytest.raises(InputError, match="blocks of 20"):
        pasted_blocks(m, (32, 32), 20)
    with pytest.raises(InputError, match="dimension and phases"):
        CopyTest([m])(white_noise((16, 16), (0.5, 0.3, 0.2)))


@pytest.mark.parametrize("shape", [(60, 50), (16, 18, 17)])
@pytest.mark.parametrize("own", [False, True])
def test_products_find_what_fourier_transforms_find(monkeypatch, shape, own):
    field = gaussian_field(shape, 2.0, 0.4, seed=0)
    patches, corners = _patches(field if own else gaussian_field(shape, 2.0, 0.4, seed=1), 5)
    search = _Finder(field, 5).search
    found = search(patches, corners if own else None)
    monkeypatch.setattr(copying, "BATCH_VALUES", 20_000)  # several parts of the field
    monkeypatch.setattr(copying, "FEW_VALUES", 0)
    expected = search(patches, corners if own else None)
    np.testing.assert_allclose(found[0], expected[0], atol=1e-5)
    same = (found[1] == expected[1]).all(axis=1) & (found[2] == expected[2])
    # The others are matched as well in several places or orientations, between which rounding decides.
    assert same.mean() > 0.7


def test_patches_of_large_pictures_are_averaged_further():
    assert [coarseness(18, (side, side)) for side in (256, 1024)] == [1, 2]
    assert coarseness(7, (2048, 2048)) == 1  # averaged further, a patch would have no shape
    assert _Finder(white_noise((700, 700), (0.5, 0.5), seed=0), 20).factor == 2


def test_blocks_of_large_results_are_looked_for_at_every_second_place(monkeypatch):
    exemplar = white_noise((64, 64), (0.5, 0.5), seed=0)
    labels = np.array(white_noise((64, 64), (0.5, 0.5), seed=1).labels)
    labels[4:24, 6:26], labels[33:54, 31:52] = exemplar.labels[:20, :20], exemplar.labels[30:51, 30:51][::-1].T
    result = Microstructure(labels)
    assert largest_verbatim_block(result, [exemplar]) == 21
    monkeypatch.setattr(verbatim, "_PLACES", 1024)
    assert largest_verbatim_block(result, [exemplar]) == 20  # the larger one starts at odd places
    monkeypatch.setattr(verbatim, "_KEPT", 0)
    assert largest_verbatim_block(result, [exemplar]) == 20
