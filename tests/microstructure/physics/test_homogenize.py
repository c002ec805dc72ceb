import numpy as np
import pytest

import matlens as ml
from matlens.errors import InputError
from matlens.microstructure.physics import homogenize
from matlens.microstructure.problems import checkerboard, laminate


class Listener:
    def __init__(self):
        self.calls = []

    def begin(self, total, label):
        self.calls.append(("begin", total, label))

    def update(self, done, text=""):
        self.calls.append(("update", done, text))

    def end(self):
        self.calls.append(("end",))


def test_a_laminate_through_the_public_name():
    m = laminate((16, 8), period=16, fraction=0.25)
    result = ml.homogenize(m, conductivity={0: 1.0, 1: 50.0}, unit="W/m/K")
    assert np.abs(result.tensor - np.diag([1 / (0.75 + 0.25 / 50), 0.75 + 12.5])).max() < 1e-10
    assert isinstance(result.tensor, np.ndarray)
    assert (result.unit, result.boundary, result.name) == ("W/m/K", "periodic", "conductivity")
    assert result.converged
    assert result.status.startswith("Converged")
    assert result.bounds.satisfied


def test_phases_by_name_and_spacing_come_from_the_microstructure():
    labels = np.random.default_rng(0).integers(0, 2, (6, 6))
    m = ml.Microstructure(labels, spacing=(1.0, 2.0), phase_names=["pore", "solid"], periodic=True)
    result = homogenize(m, conductivity={"solid": 2.0, "pore": 1.0})
    same = homogenize(m, conductivity={1: 2.0, 0: 1.0})
    square = homogenize(ml.Microstructure(labels), conductivity={1: 2.0, 0: 1.0})
    assert (result.tensor == same.tensor).all()
    assert np.abs(result.tensor - square.tensor).max() > 1e-3


@pytest.mark.parametrize("boundary", ["periodic", "fixed", "flux"])
def test_a_conductor_that_does_not_percolate_yields_zero_and_says_so(boundary):
    m = ml.Microstructure([[0, 1, 0], [1, 1, 0], [0, 1, 0]])
    result = homogenize(m, conductivity={0: 0.0, 1: 1.0}, boundary=boundary)
    assert result.tensor[1, 1] == 0.0
    assert result.converged
    assert "the conductivity there is zero" in result.status
    assert result.percolates == (True, False)
    if boundary != "flux":
        assert result.tensor[0, 0] > 0.3
        assert "axis 1:" in result.status


def test_nothing_conducts_at_all():
    result = homogenize(ml.Microstructure([[0, 0], [0, 0]]), conductivity={0: 0.0})
    assert not result.tensor.any()
    assert "axis 0 and 1" in result.status


def test_a_uniform_body_has_its_own_conductivity_under_every_boundary():
    m = ml.Microstructure(np.zeros((3, 4, 5), dtype=int), spacing=(1, 2, 3))
    for boundary in ("periodic", "fixed", "gradient", "flux"):
        result = homogenize(m, conductivity={0: 3.0}, boundary=boundary, fields=True)
        assert np.diag(result.tensor) == pytest.approx([3.0] * 3, abs=1e-10)
        for axis in range(3):
            slope = np.diff(result.fields["potential"][axis], axis=axis)
            assert slope == pytest.approx(np.full(slope.shape, float(axis + 1)), abs=1e-8)
        assert result.fields["flux"] == pytest.approx(np.full((3, 3, 4, 5), 3.0), abs=1e-8)


def test_brackets_of_a_window_hold():
    m = ml.Microstructure(np.random.default_rng(1).integers(0, 2, (12, 12)))
    values = {0: 1.0, 1: 20.0}
    flux, fixed, gradient = (
        homogenize(m, conductivity=values, boundary=b).tensor for b in ("flux", "fixed", "gradient")
    )
    assert (1 / np.diag(np.linalg.inv(flux)) < np.diag(fixed)).all()
    assert (np.diag(fixed) < np.diag(gradient)).all()
    assert np.isnan(fixed[0, 1])
    assert homogenize(m, conductivity=values, boundary="fixed").bounds is None


def test_the_scheme_is_told_and_may_be_chosen():
    m = checkerboard((16, 16), 4)
    values = {0: 1.0, 1: 10.0}
    rotated, staggered = homogenize(m, conductivity=values), homogenize(m, conductivity=values, scheme="staggered")
    assert (rotated.scheme, staggered.scheme) == ("rotated", "staggered")
    assert staggered.tensor[0, 0] < 10**0.5 < rotated.tensor[0, 0]
    assert homogenize(m, conductivity={0: 0.0, 1: 1.0}).scheme == "staggered"
    assert homogenize(m, conductivity=values, boundary="fixed").scheme == "staggered"
    with pytest.raises(InputError, match="choose auto, staggered"):
        homogenize(m, conductivity=values, boundary="flux", scheme="rotated")


@pytest.mark.parametrize("scheme", ["rotated", "staggered"])
def test_the_mean_flux_of_the_fields_is_the_tensor(scheme):
    m = ml.Microstructure(np.random.default_rng(0).integers(0, 2, (8, 6)), spacing=(1.0, 2.0))
    result = homogenize(m, conductivity={0: 1.0, 1: 9.0}, fields=True, scheme=scheme, tolerance=1e-10)
    means = result.fields["flux components"].mean(axis=(2, 3))
    assert means == pytest.approx(result.tensor, abs=1e-8)


def test_what_did_not_converge_says_what_to_do():
    m = checkerboard((16, 16), 4)
    result = homogenize(m, conductivity={0: 1.0, 1: 1e4}, dtype="float32", tolerance=1e-12)
    assert not result.converged
    assert "use float64, a larger tolerance, or less contrast" in result.status
    assert result.residual.max() > 1e-12
    assert result.tensor[0, 0] == pytest.approx(homogenize(m, conductivity={0: 1.0, 1: 1e4}).tensor[0, 0], rel=1e-3)


def test_progress_rises_to_the_end():
    listener = Listener()
    m = checkerboard((8, 8), 2)
    homogenize(m, conductivity={0: 1.0, 1: 30.0}, boundary="fixed", progress=listener)
    assert listener.calls[0] == ("begin", 200, "conductivity")
    assert listener.calls[-1] == ("end",)
    done = [call[1] for call in listener.calls if call[0] == "update"]
    assert done == sorted(done)
    assert done[-1] == 200
    assert listener.calls[-2][2].startswith("load case 2, iteration")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({}, "give either a conductivity of each phase, or both"),
        ({"conductivity": {0: 1, 1: 1}, "young": {0: 1, 1: 1}}, "give either a conductivity of each phase, or both"),
        ({"young": {0: 1, 1: 1}}, "give either a conductivity of each phase, or both"),
        ({"young": {0: 1, 1: 1}, "poisson": {0: 0.3, 1: 0.3}, "boundary": "fixed"}, "stiffness is computed for"),
        ({"young": {0: 1, 1: 1}, "poisson": {0: 0.3, 1: 0.6}}, "Poisson's ratio of phase 1"),
        ({"conductivity": {0: 1}}, "is missing"),
        ({"conductivity": {0: 1, 1: -2}}, "of 0 or more"),
        ({"conductivity": {0: 1, 1: 2}, "boundary": "open"}, "choose one of periodic, fixed, gradient, flux"),
        ({"conductivity": {0: 1, 1: 2}, "axes": (2,)}, "axes must be different numbers from 0 to 1"),
        ({"conductivity": {0: 1, 1: 2}, "tolerance": 0.0}, "tolerance must lie between"),
        ({"conductivity": {0: 1, 1: 2}, "dtype": "half"}, "choose float64 or float32"),
        ({"conductivity": {0: 1, 1: 2}, "device": "tpu"}, "choose auto, cpu or cuda"),
    ],
)
def test_bad_input_is_refused(options, message):
    with pytest.raises(InputError, match=message):
        homogenize(checkerboard((4, 4), 2), **options)
