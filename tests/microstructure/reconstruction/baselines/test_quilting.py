"""Quilts are cut along the cheapest seams, close on themselves, and are seen to be copies."""

from itertools import product

import numpy as np
import pytest

from matlens import Microstructure, reconstruct
from matlens.errors import InputError
from matlens.microstructure.problems import bicontinuous, gaussian_field, white_noise
from matlens.microstructure.reconstruction import Quilting, Task
from matlens.microstructure.reconstruction.classical.quilting import _Book, _cut
from matlens.microstructure.statistics import CopyTest, s2_error


def test_mismatches_are_counted_at_all_places():
    random = np.random.default_rng(0)
    m = Microstructure(random.integers(0, 3, (11, 14)))
    patch, known = random.integers(0, 3, (4, 5)).astype(np.uint8), random.random((4, 5)) < 0.6
    found = _Book.from_microstructure(m, (4, 5)).mismatches(patch, known)
    assert found.shape == (8, 10)
    for y, x in np.ndindex(found.shape):
        assert found[y, x] == ((m.labels[y : y + 4, x : x + 5] != patch) & known).sum()


def test_the_cut_is_the_cheapest_of_all_paths():
    random = np.random.default_rng(0)
    for _ in range(20):
        cost = random.random((5, 4)) < 0.5
        paths = [p for p in product(range(4), repeat=5) if (np.abs(np.diff(p)) < 2).all()]
        cheapest = min(sum(cost[row, column] for row, column in enumerate(path)) for path in paths)
        path = _cut(cost)
        assert (np.abs(np.diff(path)) < 2).all()
        assert cost[np.arange(5), path].sum() == cheapest


def test_a_quilt_of_stripes_has_no_seam_not_even_around_the_torus():
    stripes = Microstructure(np.tile([0, 0, 0, 1, 1], (60, 12)))
    made = Quilting(block=20, tolerance=0).learn([stripes], (50, 45), 0)(Task((50, 45), stripes.volume_fractions, 0))
    assert (made.labels == made.labels[0]).all()
    line = made.labels[0]
    assert any((line == np.roll(stripes.labels[0, :45], k)).all() for k in range(5))


@pytest.mark.slow
@pytest.mark.parametrize("shape", [(96, 96), (70, 133)])
def test_the_copy_test_catches_it(shape):
    exemplar = gaussian_field((96, 96), 5, 0.4, seed=0)
    test = CopyTest([exemplar])
    result = reconstruct(exemplar, shape, method="quilting", seed=1)
    assert test(result.microstructure)["copies"].any()
    assert not test(gaussian_field(shape, 5, 0.4, seed=9))["copies"].any()
    assert result.microstructure.periodic
    assert abs(result.fraction_before[0, 1] - 0.4) < 0.02


def test_it_is_not_the_exemplar_over_again():
    exemplar = bicontinuous((64, 64), wavelength=12, fraction=0.4, seed=1, periodic=False)
    results = reconstruct(exemplar, method="quilting", n=2).microstructures
    pictures = [exemplar, *results]
    for i, one in enumerate(pictures):
        for other in pictures[:i]:
            same = max(
                np.mean(np.roll(one.labels, (y, x), (0, 1)) == other.labels) for y in range(64) for x in range(0, 64, 2)
            )
            assert same < 0.9
    noise = white_noise((64, 64), exemplar.volume_fractions, 0)
    assert all(s2_error(m, exemplar) < 0.5 * s2_error(noise, exemplar) for m in results)


@pytest.mark.parametrize(
    ("options", "said"),
    [({"block": 30}, "give 4 to 16 px"), ({"overlap": 0.6}, "overlap=0.6"), ({"tolerance": -0.1}, "tolerance=-0.1")],
)
def test_options_out_of_range(options, said):
    with pytest.raises(InputError, match=said):
        reconstruct(white_noise((32, 32), (0.5, 0.5)), method=Quilting(**options))


def test_three_phases_small_pictures_and_several_exemplars():
    exemplars = [white_noise((16, 16), (0.5, 0.3, 0.2)), white_noise((24, 20), (0.5, 0.3, 0.2), 1)]
    result = reconstruct(exemplars, (16, 20), method="quilting", fraction=[0.5, 0.3, 0.2])
    assert np.bincount(result.microstructure.labels.ravel()).tolist() == [160, 96, 64]
