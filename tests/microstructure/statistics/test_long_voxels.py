"""Voxels that are longer along one axis: surfaces and radial curves are those of real space."""

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from matlens.microstructure.statistics.correlation.correlation_length import correlation_length_radial
from matlens.microstructure.statistics.correlation.two_point import two_point_radial
from matlens.microstructure.statistics.dataset import characterize
from matlens.microstructure.statistics.size_shape.specific_surface import specific_surface
from matlens.microstructure.structure import Microstructure


@pytest.mark.parametrize("spacing", [(4, 1, 1), (8, 1, 1), (1, 1, 4), (3, 1, 2), (1, 0.2, 0.2)])
def test_flat_interfaces_are_at_most_7_percent_too_small(spacing):
    for axis, across in enumerate(spacing):
        width = max(4, round(max(spacing) / across))  # nothing thinner than a voxel is long can be resolved
        slabs = np.zeros((4 * width, 24, 24), int)
        slabs[:width] = slabs[2 * width : 3 * width] = 1
        found = specific_surface(Microstructure(np.moveaxis(slabs, 0, axis), spacing, periodic=True))[0]
        assert 0.91 < found * width * across < 1.03


@pytest.mark.parametrize("spacing", [(8, 1), (1, 4), (1, 0.3)])
def test_flat_interfaces_in_the_plane_are_at_most_5_percent_too_small(spacing):
    for axis, across in enumerate(spacing):
        width = max(4, round(max(spacing) / across))
        stripes = np.repeat([0, 1, 0, 1], width)[:, None] * np.ones((1, 24), int)
        found = specific_surface(Microstructure(np.moveaxis(stripes, 0, axis), spacing, periodic=True))[0]
        assert 0.94 < found * width * across < 1.03


@pytest.mark.parametrize("stretch", [2, 4])
def test_radial_curves_of_an_isotropic_field_do_not_depend_on_the_shape_of_pixels(stretch):
    field = gaussian_filter(np.random.default_rng(0).normal(size=(512, 512)), 16, mode="wrap") > 0
    fine = Microstructure(field.astype(int), 0.25, "um", periodic=True)
    coarse = Microstructure(field[::stretch].astype(int), (0.25 * stretch, 0.25), "um", periodic=True)
    pixel = 0.25 * stretch**0.5
    lengths = correlation_length_radial(fine) * 0.25, correlation_length_radial(coarse) * pixel
    assert lengths[1] == pytest.approx(lengths[0], rel=0.03)
    distance = np.arange(20) * pixel
    true = np.interp(distance, np.arange(257) * 0.25, two_point_radial(fine)[1])
    assert two_point_radial(coarse)[1][:20] == pytest.approx(true, abs=0.01)


def test_equal_sizes_in_other_units_are_equal():
    labels = np.eye(24, dtype=int)
    several = [Microstructure(labels, 500.0, "nm"), Microstructure(labels, 0.5, "um")]
    found = characterize(several, statistics=["chord_length"])
    assert np.array_equal(found["mean_chord_length"][0], found["mean_chord_length"][1])
    assert found.attrs["length_unit"] == "nm"
