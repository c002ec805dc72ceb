"""Particles are measured as they were thrown, without the border's bias, and placed as measured."""

import numpy as np
import pytest

from matlens import Microstructure, reconstruct
from matlens.errors import InputError
from matlens.microstructure.problems import bicontinuous, ellipses, particles
from matlens.microstructure.reconstruction import ParticlePlacement
from matlens.microstructure.reconstruction.classical.particle_shapes import gaps, measure, separate, solidity
from matlens.microstructure.statistics import cluster_error, euler_density, lineal_path_error, s2_error


def exemplar(side=128, **options):
    return particles((side, side), **{"diameter": 12, "fraction": 0.25, "gap": 3, "seed": 1, **options})


def test_touching_discs_are_parted_and_counted():
    m = particles((200, 200), diameter=14, spread=0.1, fraction=0.45, seed=2, periodic=False)
    assert separate(m.labels == 1).max() == pytest.approx(0.45 * 200**2 / (np.pi / 4 * 14**2) * 1.15, rel=0.15)


def test_ellipses_are_measured():
    m = ellipses((256, 256), length=14, aspect=2.5, angle=30, disorder=5, overlap=False, fraction=0.15, seed=0)
    found = measure([separate(m.labels == 1)])
    whole = found.weights > 0
    lengths, aspects = 2 * np.sqrt(found.half.prod(axis=1)), found.half[:, 0] / found.half[:, 1]
    assert np.median(lengths[whole]) == pytest.approx(14, abs=0.7)
    assert np.median(aspects[whole]) == pytest.approx(2.5, abs=0.2)
    assert np.rad2deg(np.median(found.angles[whole] % np.pi)) == pytest.approx(30, abs=3)


def test_large_particles_are_not_missed_at_the_border():
    # Half the discs are large; the border cuts them more often.
    random, numbers = np.random.default_rng(0), []
    y, x = np.mgrid[:60, :60]
    for _ in range(600):
        centre, radius = random.uniform(-12, 72, 2), random.choice([3.0, 12.0])
        numbers.append((np.hypot(y - centre[0], x - centre[1]) < radius).astype(np.int32))
    found = measure([number for number in numbers if number.any()])
    share = found.weights[found.half[:, 0] > 7].sum()
    plain = np.mean(found.half[found.weights > 0, 0] > 7)
    assert plain < 0.4
    assert share == pytest.approx(0.5, abs=0.06)


def test_gaps_between_discs_are_distances_less_radii():
    centres = np.array([[5.0, 5.0], [5.0, 15.0], [38.0, 5.0]])
    half = np.array([[2.0, 2.0], [3.0, 3.0], [1.0, 1.0]])
    found = gaps(0, centres, half, np.zeros(3), np.array([40.0, 40.0]))
    np.testing.assert_allclose(found[1:], [10 - 5, 7 - 3])


def test_particles_come_back_in_number_size_and_distance():
    m = exemplar()
    result = reconstruct(m, method="particles", seed=3).microstructure
    assert result.periodic
    assert result.labels.sum() == m.labels.sum()
    wanted, found = (measure([separate(s.labels == 1)]) for s in (m, result))
    assert len(found.weights) == pytest.approx(len(wanted.weights), rel=0.15)
    mean = [(p.gap_values[0] * p.gap_weights[0]).sum() / p.gap_weights[0].sum() for p in (wanted, found)]
    assert mean[1] == pytest.approx(mean[0], abs=1.0)
    assert lineal_path_error(result, m) < 0.15
    assert cluster_error(result, m) < 0.15
    assert s2_error(result, m) < 0.4
    assert euler_density(result)[1] == pytest.approx(euler_density(m)[1], rel=0.2)


def test_moving_lowers_the_mismatch_and_its_memory_is_exact(monkeypatch):
    from matlens.microstructure.reconstruction.classical import particle_placement as module

    m = exemplar(96)
    found = measure([separate(m.labels == 1)])
    half, angles = module._drawn(found, 0.25 * 96**2, np.random.default_rng(0))
    work = module._Placing(half, angles, found, np.array([96.0, 96.0]), np.random.default_rng(1))
    begun = work.energy
    for _ in range(400):
        work.move()
    assert work.energy < 0.7 * begun
    table = np.stack([gaps(i, work.centres, half, angles, work.period) for i in range(len(half))])
    np.fill_diagonal(table, np.inf)
    np.testing.assert_allclose(np.sort(table, axis=1)[:, :3], work._nearest, atol=1e-9)


@pytest.mark.parametrize(
    ("labels", "said"),
    [
        (bicontinuous((64, 64), wavelength=10, fraction=0.45, seed=1).labels, "'phase 1' is not particulate"),
        (np.pad(np.ones((12, 12), dtype=int), 20), "has 1 particles clear of the border"),
        (np.kron(np.arange(64).reshape(8, 8) % 5, np.ones((5, 5), dtype=int)), "ellipses grow together"),
    ],
)
def test_what_is_not_particulate_is_refused(labels, said):
    with pytest.raises(InputError, match=said):
        reconstruct(Microstructure(labels), method="particles")


def test_solidity_is_one_for_blocks_and_low_for_a_cross():
    cross = np.zeros((31, 31), dtype=np.int32)
    cross[14:17, :], cross[:, 14:17] = 1, 1
    assert solidity(cross) < 0.5
    with pytest.raises(InputError, match="solidity=1"):
        reconstruct(exemplar(64), method=ParticlePlacement(solidity=1.5))


def test_two_kinds_of_particles_in_a_matrix():
    one, two = (exemplar(96, seed=seed, fraction=0.15, diameter=d).labels for seed, d in ((1, 9), (2, 12)))
    m = Microstructure(np.where(two, 2, one))
    result = reconstruct(m, (80, 96), method=ParticlePlacement(solidity=0.7), fraction=[0.75, 0.1, 0.15])
    assert np.bincount(result.microstructure.labels.ravel()).tolist() == [5760, 768, 1152]
