"""Counts that are updated must equal counts made anew by the statistics; annealing must reach its target."""

import numpy as np
import pytest

from matlens import Microstructure
from matlens.microstructure.problems import gaussian_field
from matlens.microstructure.reconstruction import Annealing, Task
from matlens.microstructure.reconstruction.classical.annealing import learned, started
from matlens.microstructure.statistics import cluster_map, lineal_path, two_point_axes, two_point_map, two_point_radial

pytestmark = [pytest.mark.usefixtures("compiled"), pytest.mark.slow]

REACH, SHAPE = 9, (24, 30)
ALL = ("two-point", "lineal-path", "cluster")


def fits(periodic):
    """Positions an offset (dy, dx) fits at, by counting."""
    y, x = np.meshgrid(np.arange(REACH + 1), np.abs(np.arange(-REACH, REACH + 1)), indexing="ij")
    return np.full(y.shape, 24 * 30) if periodic else (24 - y) * (30 - x)


@pytest.mark.slow
@pytest.mark.parametrize("periodic", [False, True])
@pytest.mark.parametrize("phases", [2, 3])
@pytest.mark.parametrize("power", [-1.0, 0.0, 2.0])
def test_counts_stay_exact_through_swaps(periodic, phases, power):
    from matlens.microstructure.reconstruction.classical.pixel_swaps import swap_pixels

    labels = np.random.default_rng(1).integers(0, phases, SHAPE).astype(np.uint8)
    labels[:, 3] = 1  # a line wholly in one phase: closed where periodic
    like = Microstructure(labels, periodic=periodic)
    target = learned(Annealing(terms=ALL, reach=REACH), [like], SHAPE)
    task = Task(SHAPE, like.volume_fractions, seed=0)
    sample, counts = started(target, labels.copy(), np.array([7], np.uint64), phases)
    assert swap_pixels(sample, counts, target.goal(task), power, 1e-2, 2000) > 100
    now = Microstructure(sample.labels, periodic=periodic)
    assert np.bincount(sample.labels.ravel()).tolist() == np.bincount(labels.ravel()).tolist()
    centre = [slice(side // 2 - REACH, side // 2 + REACH + 1) for side in SHAPE]
    pairs = two_point_map(now)[:, *centre][:, REACH:] * fits(periodic)
    np.testing.assert_allclose(counts.pairs, pairs[1:] if phases == 2 else pairs, atol=1e-6)
    on_axes = np.stack([fits(periodic)[:, REACH], fits(periodic)[0, REACH:]])
    np.testing.assert_allclose(counts.segments, lineal_path(now)[..., : REACH + 1] * on_axes, atol=1e-6)
    clusters = cluster_map(now)[:, *centre]
    clusters = np.stack([clusters[:, REACH:, REACH], clusters[:, REACH, REACH:]], axis=1)
    np.testing.assert_allclose(counts.clusters, clusters * on_axes, atol=1e-6)


def test_energy_is_the_sum_of_squares_on_the_axes():
    m = gaussian_field((48, 48), 5, 0.3, seed=1, periodic=False)
    made = Annealing(directions="axes", reach=12, moves=3).learn([m], (48, 48), 0)(
        Task((48, 48), m.volume_fractions, seed=0)
    )
    result, wanted = (two_point_axes(s)[1, :, 1:13] for s in (Microstructure(made.labels), m))
    energy = ((result - wanted) ** 2).sum() / ((wanted - m.volume_fractions[1] ** 2) ** 2).sum()
    assert made.history[-1, 2] == pytest.approx(energy, rel=1e-4)


@pytest.mark.slow
@pytest.mark.parametrize("fraction", [0.1, 0.5])
def test_two_point_probability_is_reached(fraction):
    m = gaussian_field((64, 64), 6, fraction, seed=3, periodic=False)
    made = Annealing(moves=60).learn([m], (64, 64), 0)(Task((64, 64), m.volume_fractions, seed=0))
    result, wanted = (two_point_radial(s)[1, 1:17] for s in (Microstructure(made.labels), m))
    assert ((result - wanted) ** 2).sum() / ((wanted - fraction**2) ** 2).sum() < 1e-4


@pytest.mark.slow
@pytest.mark.parametrize("term", ["lineal-path", "cluster"])
def test_other_terms_lower_their_own_mismatch(term):
    m = gaussian_field((40, 40), 5, 0.4, seed=3, periodic=False)
    task = Task((40, 40), m.volume_fractions, seed=0)
    both = Annealing(terms=("two-point", term), moves=30).learn([m], (40, 40), 0)(task)
    assert both.history.shape[1] == 5
    np.testing.assert_allclose(both.history[:, 3:].sum(axis=1), both.history[:, 2])
    assert both.history[-1, 4] < min(0.01, both.history[0, 4] / 10)
