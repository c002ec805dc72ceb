"""Isotropy of a section in its plane, and the standard error of its fraction."""

import numpy as np
import pytest

from matlens.microstructure.problems import anisotropic_field, discs, white_noise
from matlens.microstructure.reconstruction.sections import check_fraction, check_isotropy
from matlens.microstructure.structure import Microstructure


def test_isotropic_media_are_seldom_called_anisotropic() -> None:
    media = [discs((160, 160), radius=4, seed=seed, periodic=False) for seed in range(20)]
    assert sum(not check_isotropy([m]).clear for m in media) <= 3  # of 20 at 5 %, with a chance of 98 %


@pytest.mark.parametrize(("aspect", "angle"), [(1.5, 0), (1.5, 90), (2, 30), (2, -60), (3, 45)])
def test_elongation_and_angle_are_found(aspect: float, angle: float) -> None:
    m = anisotropic_field((256, 256), correlation_length=8, aspect=aspect, angle=angle, fraction=0.3, periodic=False)
    found = check_isotropy([m])
    assert not found.clear
    assert not found.stops
    assert found.numbers["elongation"] == pytest.approx(aspect, rel=0.1)
    assert abs((found.numbers["angle"] - angle + 90) % 180 - 90) < 6


def test_lengths_are_those_of_the_spacing() -> None:
    """A structure that is stretched in pixels only, by pixels that are half as long, is isotropic."""
    stretched = anisotropic_field((256, 256), correlation_length=8, aspect=2, angle=0, seed=3, periodic=False)
    assert not check_isotropy([stretched]).clear
    assert check_isotropy([Microstructure(stretched.labels, spacing=(2.0, 1.0))]).clear


def test_a_section_with_few_windows_tells_nothing() -> None:
    found = check_isotropy([discs((48, 48), radius=8, seed=0, periodic=False)])
    assert np.isnan(found.numbers["p"])
    assert "too few" in found.sentence


def test_standard_error_is_the_scatter_of_sections() -> None:
    found = [check_fraction([discs((160, 160), seed=seed, periodic=False)]).numbers for seed in range(40)]
    scatter = np.std([numbers["fraction_1"] for numbers in found])
    assert np.mean([numbers["error_1"] for numbers in found]) == pytest.approx(scatter, rel=0.3)


def test_noise_of_pixels_has_the_error_of_independent_draws() -> None:
    numbers = check_fraction([white_noise((128, 128), (0.5, 0.5), seed=1)]).numbers
    assert numbers["error_0"] == pytest.approx(0.5 / 128, rel=0.3)


def test_two_sections_halve_the_variance() -> None:
    one = discs((128, 128), seed=1)
    single, double = (check_fraction(sections).numbers["error_1"] for sections in ([one], [one, one]))
    assert double == pytest.approx(single / np.sqrt(2))


def test_a_gradient_has_no_standard_error() -> None:
    found = check_fraction([Microstructure(np.tri(64, dtype=int))])
    assert not found.clear
    assert "too small" in found.sentence
