"""Level-cut fields against fields whose covariance is known."""

import numpy as np
import pytest

from matlens import Microstructure, reconstruct
from matlens.errors import InputError
from matlens.microstructure.problems import gaussian_field, level_cut_covariance
from matlens.microstructure.reconstruction import find_method
from matlens.microstructure.reconstruction.classical.gaussian_field import (
    field_correlation,
    isotropic_correlation,
    nearest_correlation,
)
from matlens.microstructure.reconstruction.classical.targets import offsets
from matlens.microstructure.reconstruction.method import Task
from matlens.microstructure.statistics import s2_error, two_point_map


@pytest.mark.parametrize("fraction", [0.05, 0.3, 0.5, 0.8])
def test_the_relation_is_inverted(fraction):
    correlation = np.linspace(-0.5, 1.0, 40)  # below, cuts of few pixels hardly depend on it
    two_point = fraction**2 + fraction * (1 - fraction) * level_cut_covariance(correlation, fraction)
    np.testing.assert_allclose(field_correlation(two_point, fraction), correlation, atol=2e-3)


def test_half_and_half_is_a_sine():
    two_point = np.linspace(0.05, 0.5, 20)
    np.testing.assert_allclose(field_correlation(two_point, 0.5), np.sin(2 * np.pi * (two_point - 0.25)), atol=1e-5)


def test_nearest_correlation_is_one_and_finds_a_known_one():
    noisy = np.exp(-((offsets(12, 2) / 5) ** 2))
    known = noisy.copy()
    noise = np.random.default_rng(0).normal(0, 0.05, noisy.shape)
    noisy = noisy + (noise + noise[::-1, ::-1]) / 2
    noisy[12, 12] = 1.0
    found = nearest_correlation(noisy, (48, 48))
    assert found[0, 0] == pytest.approx(1.0)
    assert np.fft.fft2(found).real.min() > -1e-9
    near = np.fft.fftshift(found)[24 - 6 : 24 + 7, 24 - 6 : 24 + 7]
    assert np.abs(near - known[6:19, 6:19]).mean() < 0.06


@pytest.mark.parametrize("fraction", [0.1, 0.3, 0.5])
def test_error_is_within_the_spread_of_windows(fraction):
    """Of a known field: what is made from a window is nearly as near to it as other windows are."""
    windows = list(gaussian_field((256, 256), 6, fraction, seed=4).tiles((64, 64)))
    spread = np.mean([s2_error(a, b) for a, b in zip(windows[:8], windows[8:])])
    made = [reconstruct(w, method="gaussian-field", seed=i).microstructure for i, w in enumerate(windows[:8])]
    assert np.mean([s2_error(m, w) for m, w in zip(made, windows)]) < 1.25 * spread


def test_anisotropy_is_kept():
    m = gaussian_field((128, 128), (4.0, 12.0), 0.4, seed=0)
    made = reconstruct(m, method="gaussian-field").microstructure
    assert s2_error(made, m) < 0.3
    assert s2_error(Microstructure(made.labels.T), m) > 0.6


def test_three_phases_have_the_wanted_probabilities():
    """A material that is nested cuts itself: every phase's map must come back."""
    outer, inner = (gaussian_field((192, 192), length, 0.5, seed=length).labels for length in (5, 9))
    m = Microstructure(np.where(outer == 1, 2, inner))
    made = reconstruct(m, method="gaussian-field", n=3, shape="full").microstructures
    mean, wanted = np.mean([two_point_map(r) for r in made], axis=0), two_point_map(m)
    centre = (slice(None), slice(96 - 8, 96 + 9), slice(96 - 8, 96 + 9))
    assert np.abs(mean - wanted)[centre].max() < 0.025


def volume_of(section, side, seed=0):
    prepared = find_method("gaussian-field").prepare_volume([section], ((0,),) * 3, (side,) * 3, seed)
    return prepared, prepared.learn()(Task((side,) * 3, section.volume_fractions, seed))


@pytest.mark.slow
@pytest.mark.parametrize("fraction", [0.2, 0.5])
def test_a_section_gives_a_volume_of_its_medium(fraction):
    """Of a field that is known in space: the volume is as near to it as its own parts are to each other."""
    truth = list(gaussian_field((96, 96, 96), 6, fraction, seed=3).tiles((48, 48, 48)))
    section = gaussian_field((256, 1, 256), 6, fraction, seed=5)
    section = Microstructure(section.labels[:, 0], phase_names=section.phase_names)
    prepared, made = volume_of(section, 48)
    (note,) = prepared.notes
    assert note.startswith("the volume is an isotropic medium")
    assert np.bincount(made.labels.ravel()).tolist() == Task((48,) * 3, section.volume_fractions, 0).counts.tolist()
    volume = Microstructure(made.labels)
    spread = np.median([s2_error(a, b) for a in truth for b in truth if a is not b])
    assert np.median([s2_error(volume, window) for window in truth]) < 1.25 * spread
    # a volume from a section is isotropic: the covariance along the diagonals is that along the axes
    covariance = two_point_map(volume)[1]
    axis, diagonal = covariance[24, 24, 24 + 7], covariance[24 + 4, 24 + 4, 24 + 4]  # distances 7 and 6.9
    assert abs(axis - diagonal) < 0.03


def test_correlation_in_space_has_no_negative_power():
    wanted = np.cos(offsets(10, 3) / 2) * np.exp(-offsets(10, 3) / 6)  # of no isotropic medium in space
    found = isotropic_correlation(wanted, (24, 32, 28))
    assert found.shape == (24, 32, 28)
    assert found.flat[0] == pytest.approx(1.0)
    assert np.fft.fftn(found).real.min() > -1e-9


def test_other_methods_make_no_volume_from_a_section():
    with pytest.raises(InputError, match="'quilting' was asked for a result of 3 axes from exemplars of 2"):
        find_method("quilting").prepare([gaussian_field((64, 64), 4, 0.5, seed=0)], (32, 32, 32), 0)
