import numpy as np
import pytest
import torch

from matlens.errors import InputError
from matlens.microstructure.physics import effective_stiffness, homogenize, isotropic_stiffness
from matlens.microstructure.structure import Microstructure


class Recorder:
    """Progress that remembers."""

    def __init__(self):
        self.total, self.steps, self.ended = 0, [], False

    def begin(self, total, label):
        self.total, self.label = total, label

    def update(self, done, text=""):
        self.steps.append(done)

    def end(self):
        self.ended = True


def fibre(size=16):
    rows, columns = np.indices((size, size)) - (size - 1) / 2
    return Microstructure(
        (rows**2 + columns**2 < (0.3 * size) ** 2).astype(int), periodic=True, phase_names=["epoxy", "glass"]
    )


def test_stiffness_of_a_laminate_by_name_and_number():
    m = Microstructure([[0] * 3, [1] * 3], spacing=(0.5, 2.0), phase_names=["soft", "stiff"], periodic=True)
    found = homogenize(m, young={"soft": 1.0, 1: 4.0}, poisson={0: 0.0, "stiff": 0.0}, unit="GPa")
    np.testing.assert_allclose(found.tensor, np.diag([1.6, 2.5, 0.8]), atol=1e-10)
    assert (found.name, found.unit, found.boundary) == ("stiffness", "GPa", "periodic")
    assert found.converged
    assert found.percolates == (True, True)
    assert found.bounds.satisfied
    assert found.status.startswith("Converged")


def test_a_fibre_material_agrees_with_the_solver_and_keeps_the_bounds():
    m, young, poisson = fibre(), np.array([3.0, 70.0]), np.array([0.35, 0.2])
    progress = Recorder()
    found = homogenize(
        m, young={0: 3.0, 1: 70.0}, poisson={0: 0.35, 1: 0.2}, tolerance=1e-8, fields=True, progress=progress
    )
    fields = (torch.from_numpy(values[m.labels])[None] for values in (young, poisson))
    np.testing.assert_allclose(found.tensor, effective_stiffness(*fields, tolerance=1e-10)[0], rtol=1e-8, atol=1e-9)
    assert found.bounds.satisfied
    assert -0.5 < found.bounds.excess < 0
    energy = found.fields["strain energy"]
    np.testing.assert_allclose(2 * energy.mean(axis=(1, 2)), np.diag(found.tensor))
    assert found.iterations.shape == found.residual.shape == found.hourglass.shape == (3,)
    assert 0 < found.hourglass.max() < 0.2
    assert progress.ended
    assert progress.steps[-1] == progress.total


def test_three_dimensions_and_a_phase_that_is_absent():
    labels = np.zeros((4, 4, 4), dtype=int)
    m = Microstructure(labels, phase_names=["solid", "pore"], periodic=True)
    found = homogenize(m, young={"solid": 2.0}, poisson={"solid": 0.3})
    np.testing.assert_allclose(found.tensor, isotropic_stiffness(2.0, 0.3, 3), rtol=1e-12, atol=1e-12)
    assert found.bounds.satisfied


def test_a_stiff_phase_that_hangs_together_nowhere_is_told():
    labels = np.zeros((8, 8), dtype=int)
    labels[2:5, 2:5] = 1
    found = homogenize(Microstructure(labels, periodic=True), young={0: 0.0, 1: 1.0}, poisson={0: 0.0, 1: 0.3})
    assert found.converged
    np.testing.assert_allclose(found.tensor, 0, atol=1e-9)
    assert "No stiff phase connects the two ends of axis 0 and 1" in found.status


def test_a_coarse_grid_is_told():
    labels = np.random.default_rng(0).integers(0, 2, (16, 16))
    found = homogenize(Microstructure(labels, periodic=True), young={0: 1.0, 1: 100.0}, poisson={0: 0.3, 1: 0.3})
    assert found.hourglass.max() > 0.05
    assert "check the stiffness on a finer grid" in found.status


@pytest.mark.parametrize(
    ("properties", "message"),
    [
        ({"young": {0: 1.0, 1: 2.0}}, "both Young's modulus and Poisson's ratio"),
        ({"young": {0: 1.0}, "poisson": {0: 0.3, 1: 0.3}}, "Young's modulus of phase 1"),
        ({"young": {0: 1.0, 1: -2.0}, "poisson": {0: 0.3, 1: 0.3}}, "Young's modulus of phase 1 is -2.0"),
        ({"young": {0: 1.0, 1: 2.0}, "poisson": {0: 0.3, 1: 0.5}}, "Poisson's ratio of phase 1 is 0.5"),
        ({"young": {0: 1.0, 1: 2.0}, "poisson": {0: 0.3, 1: 0.3}, "boundary": "fixed"}, "periodic boundary"),
    ],
)
def test_bad_properties(properties, message):
    with pytest.raises(InputError, match=message):
        homogenize(fibre(), **properties)
