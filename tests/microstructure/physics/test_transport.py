import csv
from math import inf, pi

import numpy as np
import pytest

import matlens as ml
from matlens.errors import InputError
from matlens.microstructure.physics import formation_factor, tortuosity_factor


def test_straight_channels_have_the_inverse_of_their_fraction():
    m = ml.Microstructure(np.tile([0, 0, 1, 1, 1], (6, 1)), phase_names=["pore", "solid"])
    factor = formation_factor(m, "pore", 0)
    assert factor.value == pytest.approx(2.5, rel=1e-9)
    assert float(tortuosity_factor(m, "pore", 0)) == pytest.approx(1.0, rel=1e-9)
    assert factor.fraction == factor.connected == 0.4


def test_a_closed_phase_has_an_infinite_factor_in_words():
    m = ml.Microstructure(np.tile([0, 0, 1, 1, 1], (6, 1)))
    for factor in (
        formation_factor(m, 0, 1),
        tortuosity_factor(m, 0, 1),
        formation_factor(m, 0, 1, boundary="periodic"),
    ):
        assert factor.value == inf
        assert factor.converged
        assert "do not connect" in factor.status
    assert formation_factor(m, 0, 1).connected == 0.0


def test_an_absent_phase_conducts_nothing():
    m = ml.Microstructure(np.zeros((3, 3), dtype=int), phase_names=["solid", "pore"])
    assert formation_factor(m, "pore", 0).value == inf


def test_a_bent_channel_is_longer_and_dead_ends_and_islands_add_nothing():
    straight = np.ones((9, 9), dtype=int)
    straight[:, 4] = 0
    with_ends = straight.copy()
    with_ends[4, 5:7] = 0
    with_ends[1, 0:2] = 0
    values = [formation_factor(ml.Microstructure(cells), 0, 0, tolerance=1e-8) for cells in (straight, with_ends)]
    assert values[0].value == pytest.approx(9)
    assert values[1].value == pytest.approx(9)
    assert values[1].fraction > values[1].connected


def test_discs_in_a_square_array_approach_rayleigh():
    n = 96
    axis = (np.arange(n) + 0.5) / n - 0.5
    solid = (axis[:, None] ** 2 + axis**2 < 0.3**2).astype(int)
    share = pi * 0.3**2
    rayleigh = 1 - 2 * share / (1 + share - 0.3058 * share**4)
    factor = formation_factor(ml.Microstructure(solid), 0, 0)
    periodic = formation_factor(ml.Microstructure(solid), 0, 0, boundary="periodic")
    assert factor.value == pytest.approx(1 / rayleigh, rel=0.03)
    assert periodic.value == pytest.approx(factor.value, rel=1e-6)  # mirror planes: fixed potentials change nothing


@pytest.mark.parametrize(("phase", "axis", "message"), [(4, 0, "does not exist"), (0, 2, "axis must be")])
def test_unknown_phases_and_axes_are_refused(phase, axis, message):
    with pytest.raises(InputError, match=message):
        formation_factor(ml.Microstructure(np.eye(3, dtype=int)), phase, axis)


@pytest.mark.slow
def test_berea_has_the_published_formation_factor(data_dir):
    with open(data_dir / "volumes" / "berea_128_subvolume_permeability.csv", newline="") as file:
        row = next(csv.DictReader(file))
    z, y, x = (int(row[name]) for name in ("z0", "y0", "x0"))
    volume = ml.read_microstructure(data_dir / "volumes" / "berea_400.zip")
    cube = volume.crop(slice(z, z + 128), slice(y, y + 128), slice(x, x + 128))
    factor = formation_factor(cube, 0, axis=1, tolerance=1e-3, dtype="float32")
    assert factor.value == pytest.approx(float(row["FF_y"]), rel=2e-4)
    assert factor.connected == pytest.approx(float(row["eff_porosity"]), abs=1e-6)
