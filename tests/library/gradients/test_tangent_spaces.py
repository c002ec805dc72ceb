import numpy as np
import pytest

from matlens.library.gradients import channel_width, local_tangent_spaces, pinned_channels


@pytest.fixture(scope="module")
def plane():
    """Spectra in a plane of 80 channels, with noise."""
    rng = np.random.default_rng(0)
    directions = np.linalg.qr(np.stack([np.sin(np.arange(80) / 8), np.cos(np.arange(80) / 9)], 1))[0]
    spectra = rng.normal(size=(200, 2)) @ directions.T + 0.01 * rng.normal(size=(200, 80))
    return directions, spectra


def test_projection_finds_the_plane(plane):
    directions, spectra = plane
    found = local_tangent_spaces(spectra, neighbours=40)
    assert (found.dimension == 2).all()
    gradient = np.random.default_rng(1).normal(size=(3, 200, 80)).astype(np.float32)
    expected = gradient @ directions @ directions.T
    assert np.abs(found.project(gradient) - expected).max() < 0.15 * np.abs(expected).max()
    off = 1 - (expected[0] ** 2).sum(1) / (gradient[0] ** 2).sum(1)
    np.testing.assert_allclose(found.share_off(gradient[0]), off, atol=0.02)


def test_projection_is_one(plane):
    found = local_tangent_spaces(plane[1], neighbours=40)
    once = found.project(np.ones((1, 200, 80)))
    np.testing.assert_allclose(found.project(once), once, atol=0.03)
    np.testing.assert_allclose(found.share_off(once[0]), 0, atol=0.03)
    assert np.isnan(found.share_off(np.zeros((200, 80)))).all()


def test_directions_follow_the_sample():
    """Spectra on a circle: at each point the data vary along the tangent."""
    angle = np.linspace(0, 2 * np.pi, 400, endpoint=False)
    spectra = np.zeros((400, 6))
    spectra[:, :2] = np.stack([np.cos(angle), np.sin(angle)], 1)
    found = local_tangent_spaces(spectra, noise=np.zeros(6), neighbours=21)
    tangent = np.stack([-np.sin(angle), np.cos(angle)], 1)
    first = found.local[:, :, 0] @ found.basis[:2].T
    np.testing.assert_allclose(np.abs((first * tangent).sum(1)), 1, atol=1e-4)


def test_noise_alone_keeps_no_direction():
    noise = np.random.default_rng(2).normal(size=(150, 100))
    assert local_tangent_spaces(noise, noise=np.ones(100)).dimension.max() <= 1


def test_channels_the_model_does_not_see_stay_at_zero(plane):
    seen = np.arange(80) < 50
    found = local_tangent_spaces(plane[1], seen=seen, neighbours=40)
    assert (found.project(np.ones((1, 200, 80)))[0, :, 50:] == 0).all()
    assert found.dimension.min() == 2


def test_variance_is_that_of_the_neighbours(plane):
    found = local_tangent_spaces(plane[1], neighbours=200)
    np.testing.assert_allclose(found.variance, np.tile(plane[1].var(0) - 1e-4, (200, 1)), atol=3e-4)


def test_a_normalised_band_pins_its_maximum():
    rng = np.random.default_rng(3)
    spectra = rng.uniform(0.2, 0.8, (100, 10))
    peak = rng.choice([4, 5, 6], 100, p=[0.2, 0.75, 0.05])
    spectra[np.arange(100), peak] = 1.0
    flags = pinned_channels(spectra)
    np.testing.assert_array_equal(flags.any(0), np.isin(np.arange(10), [4, 5]))
    np.testing.assert_array_equal(flags[:, 5], peak == 5)
    assert pinned_channels(np.full((1, 10), 1.0), spectra)[0, [4, 5, 6]].tolist() == [True, True, False]
    assert not pinned_channels([[1.0, 0.3]]).any()


def test_widths_of_a_non_uniform_axis_add_up():
    axis = np.array([1.0, 2.0, 4.0, 7.0, 8.0])
    width = channel_width(axis)
    assert width.tolist() == [1.0, 1.5, 2.5, 2.0, 1.0]
    assert channel_width(axis[::-1]).tolist() == width[::-1].tolist()
    assert channel_width([3.0]).tolist() == [1.0]
