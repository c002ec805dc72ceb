"""Euler numbers, surfaces and chords: reference values and closed forms."""

import numpy as np
import pytest
from skimage.measure import euler_number as reference_euler_number

from matlens import InputError, Microstructure
from matlens.microstructure.problems import discs, laminate
from matlens.microstructure.statistics import (
    chord_length_distribution,
    euler_density,
    euler_number,
    lineal_path,
    mean_chord_length,
    specific_surface,
)


@pytest.mark.parametrize("shape", [(9, 7), (6, 5, 7)])
def test_euler_numbers_are_those_of_scikit_image(shape):
    rng = np.random.default_rng(0)
    for _ in range(10):
        labels = rng.integers(0, 3, shape)
        m = Microstructure(labels, phase_names=list("abc"))
        for connectivity, number in (("face", 1), ("full", len(shape))):
            expected = [reference_euler_number(labels == k, connectivity=number) for k in range(3)]
            assert euler_number(m, connectivity=connectivity).tolist() == expected


def test_euler_density_of_periodic_dots_and_of_any_window_of_them():
    dots = np.zeros((48, 48), int)
    dots[2::6, 2::6] = 1
    m = Microstructure(dots, periodic=True)
    np.testing.assert_allclose(euler_density(m), [-1 / 36, 1 / 36])
    windows = [Microstructure(dots[i : i + 15, j : j + 15]) for i in range(6) for j in range(6)]
    np.testing.assert_allclose(np.mean([euler_density(w)[1] for w in windows], axis=0), 1 / 36)


def test_euler_density_and_perimeter_of_the_boolean_model():
    radius, fraction = 10.0, 0.3
    intensity = -np.log(1 - fraction) / (np.pi * radius**2)
    fields = [discs((400, 400), radius=radius, fraction=fraction, seed=s) for s in range(12)]
    # Miles: chi = n (1 - n U^2 / 4 pi) exp(-n A); perimeter = n U exp(-n A)
    round_ = 2 * np.pi * radius
    chi = intensity * (1 - intensity * round_**2 / (4 * np.pi)) * (1 - fraction)
    assert np.mean([euler_density(m)[1] for m in fields]) == pytest.approx(chi, rel=0.12)
    length = np.mean([specific_surface(m)[1] for m in fields])
    assert length == pytest.approx(intensity * round_ * (1 - fraction), rel=0.04)


def disc(side, radius, **keep):
    return Microstructure((np.hypot(*(np.indices((side, side)) - (side - 1) / 2)) < radius).astype(int), **keep)


@pytest.mark.parametrize(("method", "factor"), [("crofton", 1.0), ("faces", 4 / np.pi), ("marching", 1.055)])
def test_bias_of_the_perimeter_is_as_stated(method, factor):
    m = disc(400, 150.3, spacing=0.5, periodic=True)
    true = 2 * np.pi * 150.3 * 0.5 / (400 * 0.5) ** 2
    np.testing.assert_allclose(specific_surface(m, method=method), factor * true, rtol=0.01)


@pytest.mark.parametrize(("method", "factor"), [("crofton", 1.0), ("faces", 1.5), ("marching", 1.085)])
def test_bias_of_the_surface_is_as_stated(method, factor):
    side, radius = 80, 32.3
    ball = ((np.indices((side,) * 3) - (side - 1) / 2) ** 2).sum(axis=0) < radius**2
    found = specific_surface(Microstructure(ball.astype(int), periodic=True), method=method)[1]
    assert found == pytest.approx(factor * 4 * np.pi * radius**2 / side**3, rel=0.012)


def test_crofton_knows_unequal_spacings():
    squeezed = Microstructure(disc(400, 150.3).labels[::2], spacing=(2, 1), periodic=True)
    assert specific_surface(squeezed)[1] == pytest.approx(2 * np.pi * 150.3 / 400**2, rel=0.03)
    ball = ((np.indices((80,) * 3) - 39.5) ** 2).sum(axis=0) < 32.3**2
    flat = Microstructure(ball.astype(int)[::2], spacing=(2, 1, 1), periodic=True)
    assert specific_surface(flat)[1] == pytest.approx(4 * np.pi * 32.3**2 / 80**3, rel=0.03)


def test_a_laminate_has_its_faces_exactly():
    m = laminate((32, 32), period=8, fraction=0.5)
    np.testing.assert_allclose(specific_surface(m, method="faces"), 0.25)
    np.testing.assert_allclose(specific_surface(m, method="marching"), 0.25)
    assert specific_surface(m)[1] == pytest.approx(0.25 * 0.948, abs=1e-3)
    with pytest.raises(InputError, match="crofton, faces, marching"):
        specific_surface(m, method="euler")


@pytest.mark.parametrize("shape", [(30, 24), (10, 8, 12)])
def test_chords_of_a_periodic_field_are_the_second_difference_of_the_lineal_path(shape):
    m = Microstructure(np.random.default_rng(0).integers(0, 2, shape), periodic=True)
    path, chords = lineal_path(m), chord_length_distribution(m)
    for axis, side in enumerate(shape):
        reach = side // 2 + 1
        second = np.diff(path[:, axis, :reach], n=2, axis=-1)
        starts = path[:, axis, 0] - path[:, axis, 1]
        np.testing.assert_allclose(chords[:, axis, 1 : reach - 1], second / starts[:, None], atol=1e-12)


def test_chords_of_windows_are_free_of_censoring():
    rng = np.random.default_rng(0)
    # independent pixels: chord lengths are geometric, and a window must not favour the short ones
    windows = [Microstructure((rng.random((64, 24)) < 0.8).astype(int)) for _ in range(60)]
    lengths = np.arange(1, 13)
    mean = np.mean([chord_length_distribution(w)[1, 1, :13] for w in windows], axis=0)
    np.testing.assert_allclose(mean[1:], 0.2 * 0.8 ** (lengths - 1), atol=0.01)
    assert np.mean([mean_chord_length(w)[1, 1] for w in windows]) == pytest.approx(5, rel=0.03)


def test_a_phase_without_chords_has_no_distribution():
    m = laminate((16, 16), period=8, fraction=0.5)
    chords = chord_length_distribution(m)[1]
    assert np.isnan(chords).all(axis=1).sum() == 1
    assert np.isinf(mean_chord_length(m)[1]).sum() == 1


def test_one_row_has_no_euler_density():
    assert np.isnan(euler_density(Microstructure([[0, 1, 0, 1]]))).all()
