"""Values of PoreSpy 3.2.0 and scikit-image 0.26.0 (with NumPy 2.4, SciPy 1.17) on small arrays, stored as numbers."""

import numpy as np
import pytest

from matlens import Microstructure
from matlens.microstructure.statistics import euler_number, label_clusters, specific_surface, two_point_radial


def pattern(shape):
    grid = np.indices(shape)
    waves = sum(np.sin((0.35 + 0.13 * k) * x + 0.9 * k) for k, x in enumerate(grid))
    return (waves + 0.6 * np.sin(0.23 * grid[0] * grid[1]) > 0.2).astype(int)


# porespy.metrics.two_point_correlation(image, bins=arange(-0.5, R + 1)).probability, which is scaled to 1 at r = 0
TWO_POINT = {
    (20, 24): [1.0, 0.756586, 0.691775, 0.637411, 0.545542, 0.478261, 0.413027, 0.380384, 0.342558, 0.3308, 0.358926],
    (12, 10, 14): [1.0, 0.878731, 0.829013, 0.782326, 0.727079, 0.665586],
}
# skimage.measure.euler_number with connectivity 1 and ndim; scipy.ndimage.label
EULER = {(20, 24): (19, -4, 19), (12, 10, 14): (1, -3, 3)}


@pytest.mark.parametrize("shape", list(TWO_POINT))
def test_two_point_as_porespy(shape):
    m = Microstructure(pattern(shape))
    np.testing.assert_allclose(two_point_radial(m)[1] / m.volume_fractions[1], TWO_POINT[shape], atol=1e-6)


@pytest.mark.parametrize("shape", list(EULER))
def test_euler_and_pieces_as_scikit_image(shape):
    m = Microstructure(pattern(shape))
    pieces = label_clusters(m.labels == 1)[1]
    face, full = euler_number(m)[1], euler_number(m, connectivity="full")[1]
    assert (face, full, pieces) == EULER[shape]


def test_crofton_perimeter_as_scikit_image():
    # skimage.measure.perimeter_crofton(padded by 2, directions=4)
    padded = np.pad(pattern((20, 24)), 2)
    assert specific_surface(Microstructure(padded))[1] > 0
    found = specific_surface(Microstructure(padded, periodic=True))[1] * padded.size
    assert found == pytest.approx(162.19231396463783, rel=1e-12)
