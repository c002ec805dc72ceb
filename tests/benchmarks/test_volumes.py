"""How `benchmarks/volumes.py` judges; its data are not at hand here."""

import numpy as np
import pytest

import volumes
from matlens.microstructure.problems import extruded, gaussian_field, white_noise

SIDE = 24


def facts(m, factors=(20.0, 20.0, 20.0)):
    return volumes.measured(volumes.structure(m.labels), factors)


def material(shape, seed):
    return gaussian_field(shape, 4, 0.5, seed=seed)


@pytest.fixture(scope="module")
def judge():
    return volumes.Judge([facts(material((SIDE,) * 3, seed), [20.0 + seed] * 3) for seed in range(8)])


def test_a_section_cuts_the_cubes_that_it_runs_through():
    section = volumes.Section(0, 200)
    assert [section.cuts(corner) for corner in [(128, 0, 0), (128, 128, 128), (128, 256, 0), (0, 0, 0)]] == [
        True,
        True,
        False,
        False,
    ]
    assert section.cuts((200, 0, 0))
    assert not volumes.Section(1, 128).cuts((0, 0, 0))


def test_a_section_is_the_plane_of_its_place():
    volume = np.arange(40**3).reshape(40, 40, 40)
    assert np.array_equal(volumes.Section(1, 160).plane(volume, 10), volume[:25, 16, :25])


@pytest.mark.slow
def test_another_volume_of_the_material_passes_and_controls_fail(judge):
    kept = range(8)
    same = judge.ratios(facts(material((SIDE,) * 3, 13)), kept)
    noise = judge.ratios(facts(white_noise((SIDE,) * 3, (0.5, 0.5), 0)), kept)
    repeated = judge.ratios(facts(extruded(material((SIDE, SIDE), 3), (SIDE,) * 3)), kept)
    shapes = [name for name in volumes.LIMITS if name != "FF"]
    assert max(same[name] for name in shapes) < 1.4, same
    assert all(noise[name] > 1.7 for name in shapes)
    assert repeated["axes"] > 2
    assert repeated["lineal path"] > 2


def test_distances_are_those_of_their_definitions(judge):
    one, other = judge.cubes[0], dict(judge.cubes[1])
    assert set(judge.distances(one, one).values()) == {0.0}
    other["FF"] = [20.0, 40.0, 80.0]
    assert judge.distances(one, other)["FF"] == pytest.approx(np.log(2))
    other["FF"] = [20.0, None, 20.0]
    assert judge.distances(one, other)["FF"] == np.inf
    other["Euler"] = one["Euler"] + 0.25
    assert judge.distances(one, other)["Euler"] == pytest.approx(0.25)


def test_formation_factors_are_judged_at_equal_porosity(judge):
    cubes = [dict(cube, porosity=p, FF=[3 * p**-2.5] * 3) for cube, p in zip(judge.cubes, np.linspace(0.15, 0.3, 8))]
    exact = volumes.Judge(cubes)
    line, scatter = exact.archie(range(8))
    assert line == pytest.approx([-2.5, np.log(3)])
    assert scatter == pytest.approx(0, abs=1e-9)
    assert exact.beyond_archie(dict(cubes[0], FF=[6 * 0.15**-2.5] * 3), range(8)) == pytest.approx(np.log(2))


def test_transport_is_that_of_the_pores():
    tubes = np.ones((8, 8, 8), dtype=np.uint8)
    tubes[:, 2:4, 2:4] = 0
    tubes[3, 6, 6] = 0
    found = volumes.transport(volumes.structure(tubes), None)
    assert found["FF"] == [pytest.approx(16.0, rel=1e-3), None, None]
    assert found["spanning"] == [pytest.approx(32 / 33), 0.0, 0.0]
