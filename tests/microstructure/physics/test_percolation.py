import numpy as np
import pytest
import torch

from matlens.errors import InputError
from matlens.microstructure.physics import effective_conductivity, percolates, spanning_cells


def test_a_diagonal_staircase_goes_around_both_axes_only_if_it_closes():
    cells = np.eye(4, dtype=bool) | np.roll(np.eye(4, dtype=bool), 1, 1)
    cells[3, 0] = False
    assert percolates(cells) == (True, True)
    assert percolates(cells, periodic=True) == (False, False)
    cells[3, 0] = True
    assert percolates(cells, periodic=True) == (True, True)


def test_corners_do_not_connect():
    assert percolates(np.eye(3, dtype=bool)) == (False, False)


@pytest.mark.parametrize("shape", [(5, 6), (3, 4, 3)])
def test_periodic_percolation_is_where_the_conductivity_is_not_zero(shape):
    random = np.random.default_rng(0)
    found = set()
    for _ in range(30):
        cells = random.random(shape) < random.uniform(0.3, 0.8)
        tensor = effective_conductivity(torch.as_tensor(cells.astype(float))[None], tolerance=1e-9)[0]
        through = percolates(cells, periodic=True)
        assert through == tuple((tensor.diagonal() > 1e-9).tolist())
        found.add(through)
    assert len(found) > 2


def test_spanning_cells_leave_out_islands_and_dead_ends_of_one_face_but_not_side_branches():
    cells = np.array([[1, 0, 1, 0], [1, 1, 0, 0], [1, 0, 0, 1]], dtype=bool)
    expected = np.array([[1, 0, 0, 0], [1, 1, 0, 0], [1, 0, 0, 0]], dtype=bool)
    assert (spanning_cells(cells, 0) == expected).all()
    assert not spanning_cells(cells, 1).any()


@pytest.mark.parametrize("cells", [np.array([[0, 1]]), np.array(True)])
def test_what_is_not_a_mask_is_refused(cells):
    with pytest.raises(InputError, match="array of booleans"):
        percolates(cells)
