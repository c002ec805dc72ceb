import numpy as np
import pytest

from matlens import Microstructure
from matlens.errors import InputError
from matlens.microstructure.problems import bicontinuous, extruded, stacked_planes


def test_every_slice_of_a_stack_is_a_window_of_a_plane():
    planes = [Microstructure(np.arange(30).reshape(5, 6) % k, spacing=0.5, unit="um") for k in (3, 4)]
    planes = [Microstructure(p.labels, p.spacing, p.unit, [str(i) for i in range(4)]) for p in planes]
    stack = stacked_planes(planes, (12, 3, 4), seed=1)
    assert (stack.spacing, stack.unit, stack.n_phases) == ((0.5, 0.5, 0.5), "um", 4)
    windows = {p.labels[i : i + 3, j : j + 4].tobytes() for p in planes for i in range(3) for j in range(3)}
    drawn = [part.tobytes() for part in stack.labels]
    assert set(drawn) <= windows
    assert len(set(drawn)) > 4


def test_a_stack_is_that_of_its_seed():
    plane = bicontinuous((32, 32), seed=0)
    first, again, other = (stacked_planes([plane], (6, 16, 16), seed) for seed in (0, 0, 1))
    assert first == again
    assert first != other


def test_an_extruded_plane_is_the_same_everywhere():
    plane = bicontinuous((16, 20), seed=0)
    volume = extruded(plane, (5, 16, 20))
    assert all(np.array_equal(part, plane.labels) for part in volume.labels)


@pytest.mark.parametrize("shape", [(4, 17, 16), (4, 16), (4, 16, 16, 16)])
def test_a_shape_that_does_not_fit_is_refused(shape):
    with pytest.raises(InputError, match="give a"):
        extruded(bicontinuous((16, 16), seed=0), shape)
