import numpy as np
import pytest
from scipy import ndimage

from matlens.microstructure.problems import bicontinuous, checkerboard, white_noise
from matlens.microstructure.reconstruction.matching.throats import cluster_moments, mend_throats


def soft(labels: np.ndarray, phases: int = 2) -> np.ndarray:
    """Amounts as an optimiser leaves them: blurred, undecided at interfaces."""
    amounts = np.stack([ndimage.gaussian_filter((labels == k).astype(float), 1.0, mode="wrap") for k in range(phases)])
    return amounts / amounts.sum(axis=0)


def test_moments_are_those_of_the_definition():
    labels = white_noise((12, 10), (0.4, 0.35, 0.25), seed=0).labels
    expected = []
    for phase in range(3):
        for structure in (None, np.ones((3, 3))):
            total = 0.0
            for window in (labels[:6, :5], labels[:6, 5:], labels[6:, :5], labels[6:, 5:]):
                clusters, count = ndimage.label(window == phase, structure)
                total += sum(float((clusters == k + 1).sum()) ** 2 for k in range(count))
            expected.append(np.log(total / labels.size))
    np.testing.assert_allclose(cluster_moments(labels, 3, (6, 5)), expected)


def test_a_checkerboard_holds_together_at_its_corners_only():
    face0, full0, face1, full1 = np.exp(cluster_moments(checkerboard((16, 16), 4).labels, 2, (16, 16)))
    assert face0 == pytest.approx(16 / 2)
    assert face1 == pytest.approx(16 / 2)
    assert (full0, full1) == pytest.approx((128 / 2, 128 / 2))


@pytest.mark.parametrize("phases", [2, 3])
def test_mending_keeps_fractions_and_comes_nearer(phases):
    target_labels = bicontinuous((64, 64), wavelength=8, seed=1).labels
    labels = bicontinuous((64, 64), wavelength=8, seed=2).labels.copy()
    if phases == 3:
        labels[16:48, 16:48] *= 2
    window = (64, 64)
    target = cluster_moments(target_labels, phases, window)
    amounts = soft(labels, phases)
    before = labels.copy()
    mended, swaps = mend_throats(labels, amounts, target, window, seed=0)
    assert np.array_equal(labels, before)
    assert np.array_equal(np.bincount(mended.ravel()), np.bincount(labels.ravel()))
    assert (mended != labels).sum() <= 2 * swaps
    away = [np.square(cluster_moments(found, phases, window) - target).sum() for found in (labels, mended)]
    assert away[1] <= away[0]
    again, same = mend_throats(labels, amounts, target, window, seed=0)
    assert np.array_equal(again, mended)
    assert same == swaps


def test_what_needs_no_mending_is_left_alone():
    labels = bicontinuous((48, 48), wavelength=12, seed=1).labels
    mended, swaps = mend_throats(labels, soft(labels), cluster_moments(labels, 2, (48, 48)), (48, 48), seed=0)
    assert swaps == 0
    assert np.array_equal(mended, labels)
