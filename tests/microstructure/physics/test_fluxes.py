"""Fluxes to look at, and potentials to go on from."""

import numpy as np
import pytest

from matlens.microstructure.physics import homogenize
from matlens.microstructure.problems import gaussian_field, laminate


def test_flux_across_a_laminate_is_uniform_and_along_it_follows_the_layers():
    m = laminate((16, 8), period=8, axis=0)
    found = homogenize(m, conductivity={0: 1.0, 1: 4.0}, fields=True)
    across, along = found.fields["flux components"]
    np.testing.assert_allclose(across[0], 1.6, rtol=1e-9)
    np.testing.assert_allclose(across[1], 0, atol=1e-9)
    np.testing.assert_allclose(along[1], np.where(m.labels == 1, 4.0, 1.0), rtol=1e-9)
    np.testing.assert_allclose(found.fields["flux"], np.linalg.norm([across, along], axis=1), atol=1e-12)


@pytest.mark.parametrize("boundary", ["periodic", "gradient", "fixed"])
def test_going_on_from_known_potentials_needs_no_iteration(boundary):
    m = gaussian_field((12, 10, 8), 2.0, 0.4, seed=0)
    values = {0: 1.0, 1: 50.0}
    whole = homogenize(m, conductivity=values, boundary=boundary)
    parts = [homogenize(m, conductivity=values, boundary=boundary, axes=(a,), fields=True) for a in range(3)]
    known = {axis: part.fields["potential"][0] for axis, part in enumerate(parts)}
    again = homogenize(m, conductivity=values, boundary=boundary, start=known)
    assert again.iterations.tolist() == [0, 0, 0]
    np.testing.assert_allclose(again.tensor, whole.tensor, rtol=1e-9, atol=1e-9)
