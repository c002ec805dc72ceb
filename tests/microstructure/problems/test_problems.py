import numpy as np
import pytest

from matlens import InputError, Microstructure
from matlens.microstructure.problems import (
    bicontinuous,
    blurred_noise,
    checkerboard,
    discs,
    discs_two_point,
    gaussian_field,
    gravel,
    laminate,
    level_cut_covariance,
    white_noise,
)


def periodic_s2(m: Microstructure) -> np.ndarray:
    phase = m.indicators()[1].astype(float)
    return np.fft.ifftn(np.abs(np.fft.fftn(phase)) ** 2).real / phase.size


def covariance(m: Microstructure) -> np.ndarray:
    phi = m.volume_fractions[1]
    return (periodic_s2(m) - phi**2) / (phi * (1 - phi))


@pytest.mark.parametrize("shape", [(64, 48), (24, 20, 16)])
@pytest.mark.parametrize("make", [bicontinuous, lambda s, **k: gaussian_field(s, 5, **k)])
@pytest.mark.parametrize("periodic", [True, False])
def test_cut_fields_have_exact_fractions_and_repeat_with_the_seed(make, shape, periodic):
    first, again, other = (make(shape, fraction=0.3, seed=seed, periodic=periodic) for seed in (1, 1, 2))
    assert first.shape == shape
    assert first.periodic is periodic
    assert first.labels.sum() == round(0.3 * np.prod(shape))
    assert np.array_equal(first.labels, again.labels)
    assert not np.array_equal(first.labels, other.labels)


def test_level_cut_covariance_is_the_arcsine_law_at_one_half():
    rho = np.linspace(-1, 1, 21)
    assert level_cut_covariance(rho, 0.5) == pytest.approx(2 / np.pi * np.arcsin(rho), abs=1e-12)
    assert level_cut_covariance([0.0, 1.0], 0.1) == pytest.approx([0, 1], abs=2e-3)


@pytest.mark.parametrize("fraction", [0.5, 0.2])
def test_gaussian_field_has_the_asked_correlation_length(fraction):
    curves = [covariance(gaussian_field((256, 256), 9, fraction, seed))[0] for seed in range(6)]
    assert np.mean(curves, axis=0)[9] == pytest.approx(0.1, abs=0.02)


def test_gaussian_field_may_be_anisotropic():
    c = np.mean([covariance(gaussian_field((256, 256), (4, 12), 0.5, seed)) for seed in range(6)], axis=0)
    assert c[4, 0] == pytest.approx(0.1, abs=0.02)
    assert c[0, 12] == pytest.approx(0.1, abs=0.03)


def test_bicontinuous_repeats_at_its_wavelength():
    c = np.mean([covariance(bicontinuous((256, 256), wavelength=16, seed=seed))[0] for seed in range(4)], axis=0)
    assert 6 <= np.argmin(c[:16]) <= 11
    assert 14 <= 10 + np.argmax(c[10:24]) <= 20


@pytest.mark.parametrize(("shape", "radius"), [((256, 256), 6), ((48, 48, 48), 4)])
def test_discs_follow_the_boolean_model(shape, radius):
    s2 = np.mean([periodic_s2(discs(shape, radius=radius, fraction=0.4, seed=s)) for s in range(12)], axis=0)
    line = s2[(slice(0, 3 * radius), *([0] * (len(shape) - 1)))]
    truth = discs_two_point(np.arange(3 * radius), radius, 0.4, ndim=len(shape))
    assert line == pytest.approx(truth, abs=0.02)


def test_discs_may_be_cut_by_the_border():
    fractions = [discs((64, 64), radius=6, fraction=0.3, seed=s, periodic=False).volume_fractions[1] for s in range(40)]
    assert np.mean(fractions) == pytest.approx(0.3, abs=0.02)


def test_regular_structures_are_what_they_say():
    board = checkerboard((32, 48), cell=8)
    assert board.periodic
    assert covariance(board)[:9, 0] == pytest.approx(1 - np.arange(9) / 4)
    layers = laminate((8, 32, 4), period=8, fraction=0.25, axis=1)
    assert layers.periodic
    assert layers.volume_fractions == pytest.approx([0.75, 0.25])
    assert (layers.labels == layers.labels[:1, :, :1]).all()
    assert not laminate((10, 10), period=4).periodic


@pytest.mark.parametrize("fractions", [(0.3, 0.7), (0.56, 0.27, 0.17), (0.0, 0.4, 0.6)])
def test_noise_has_exact_fractions(fractions):
    expected = np.array(fractions) * 64**2
    for m in (white_noise((64, 64), fractions, 3), blurred_noise((64, 64), fractions, 6, 3)):
        assert m.n_phases == len(fractions)
        assert m.volume_fractions * 64**2 == pytest.approx(expected, abs=1)


def test_white_noise_is_uncorrelated_and_blurred_noise_is_not():
    white = covariance(white_noise((256, 256), (0.6, 0.4), 0))
    assert np.abs(white[0, 1:20]).max() < 0.02
    blurred = np.mean([covariance(blurred_noise((256, 256), (0.6, 0.4), 8, s))[0] for s in range(6)], axis=0)
    assert blurred[8] == pytest.approx(0.1, abs=0.02)


def test_gravel_has_stones_and_gaps():
    m = gravel()
    assert m.phase_names == ("gap", "stone")
    assert 0.3 < m.volume_fractions[1] < 0.8


@pytest.mark.parametrize(
    "call",
    [
        lambda: gaussian_field((8, 0), 2),
        lambda: gaussian_field((8, 8), -2),
        lambda: gaussian_field((8, 8), 2, fraction=1.0),
        lambda: bicontinuous((8,)),
        lambda: bicontinuous((8, 8), wavelength=1),
        lambda: discs((8, 8), radius=9),
        lambda: checkerboard((8, 8), cell=0),
        lambda: laminate((8, 8), period=1),
        lambda: laminate((8, 8), axis=2),
        lambda: white_noise((8, 8), (0.5, 0.6)),
        lambda: blurred_noise((8, 8), (1.0,), 3),
    ],
)
def test_impossible_problems_are_input_errors(call):
    with pytest.raises(InputError, match="found"):
        call()
