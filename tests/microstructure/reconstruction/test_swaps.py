"""Trades lower the loss of the decoded picture, keep its fractions, and go only where they may."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy import ndimage
from skimage.measure import euler_number

from matlens.microstructure.problems import bicontinuous, gaussian_field
from matlens.microstructure.reconstruction import PhaseCode
from matlens.microstructure.reconstruction.matching.simple_voxels import simple_voxels
from matlens.microstructure.reconstruction.matching.swaps import _neighbours, fewest_neighbours, swap_pixels


def distance_to(wanted, code):
    """Loss with its minimum at given labels, with neighbours coupled so that the first order is not the whole truth."""
    goal = code.corners[torch.from_numpy(wanted.astype(np.int64))].movedim(-1, 0)[None].double()

    def loss(x):
        off = x - goal
        return (off.square() + 0.3 * (off + off.roll(1, -1)).square()).mean()

    def objective(x):
        x = x.detach().double().requires_grad_(True)
        value = loss(x)
        (gradient,) = torch.autograd.grad(value, x)
        return float(value.detach()), gradient

    return objective


def shuffled(labels, share, seed=0):
    random = np.random.default_rng(seed)
    places = random.choice(labels.size, int(share * labels.size), replace=False)
    out = labels.copy().ravel()
    out[places] = out[random.permutation(places)]
    return out.reshape(labels.shape)


@pytest.mark.parametrize("phases", [2, 3])
def test_wrong_pixels_are_put_right_at_the_same_fractions(phases):
    field = gaussian_field((32, 32), correlation_length=6, seed=1).labels.astype(int)
    wanted = (field + (gaussian_field((32, 32), correlation_length=9, seed=2).labels if phases == 3 else 0)).astype(
        "u1"
    )
    code, start = PhaseCode(phases), shuffled(wanted, 0.2)
    objective = distance_to(wanted, code)
    like = torch.zeros(1, dtype=torch.float64)
    anywhere = np.ones(wanted.shape, bool)
    found, pairs = swap_pixels(start, code, objective, like, anywhere, (0,) * phases, 60)
    assert np.array_equal(np.bincount(found.ravel()), np.bincount(start.ravel()))
    assert (found != wanted).mean() < 0.25 * (start != wanted).mean()
    assert pairs > 0
    again, _ = swap_pixels(start, code, objective, like, anywhere, (0,) * phases, 60)
    assert np.array_equal(found, again)


def test_pairs_that_promise_a_loss_do_not_hide_the_one_that_promises_a_gain():
    wanted = bicontinuous((64, 64), wavelength=8, seed=3).labels
    start = wanted.copy()
    for phase in (0, 1):  # one pixel of each phase is wrong, and many pairs are tried together
        start[tuple(np.argwhere(wanted == phase)[40])] = 1 - phase
    anywhere, like = np.ones(wanted.shape, bool), torch.zeros(1, dtype=torch.float64)
    found, pairs = swap_pixels(start, PhaseCode(2), distance_to(wanted, PhaseCode(2)), like, anywhere, (0, 0), 5)
    assert pairs == 1
    assert np.array_equal(found, wanted)


def test_the_loss_never_rises_and_evaluations_are_kept_to():
    wanted = bicontinuous((32, 32), wavelength=8, seed=3).labels
    code = PhaseCode(2)
    objective, seen = distance_to(wanted, code), []

    def told(x):
        loss, gradient = objective(x)
        seen.append(loss)
        return loss, gradient

    start = shuffled(wanted, 0.3)
    found, _ = swap_pixels(
        start, code, told, torch.zeros(1, dtype=torch.float64), np.ones(wanted.shape, bool), (0, 0), 7
    )
    assert len(seen) <= 7
    final = objective(code.corners[torch.from_numpy(found.astype(np.int64))].movedim(-1, 0)[None])[0]
    assert final == min(seen) < seen[0]


def test_eight_evaluations_put_most_of_a_volume_right():
    """A structure moved by a voxel: the swaps of one round touch too few voxels."""
    wanted = gaussian_field((32, 32, 32), correlation_length=8, seed=1).labels
    start, anywhere = np.roll(wanted, 1, axis=0), np.ones(wanted.shape, bool)
    objective, like, seen = distance_to(wanted, PhaseCode(2)), torch.zeros(1, dtype=torch.float64), []

    def told(x):
        loss, gradient = objective(x)
        seen.append(loss)
        return loss, gradient

    found, _ = swap_pixels(start, PhaseCode(2), told, like, anywhere, (0, 0), 8)
    assert (found != wanted).sum() < 0.35 * (start != wanted).sum()
    assert np.all(np.diff(seen) < 0)  # no evaluation is lost


def test_only_allowed_pixels_trade():
    wanted = bicontinuous((32, 32), wavelength=8, seed=3).labels
    start = shuffled(wanted, 0.3)
    allowed = np.zeros(wanted.shape, bool)
    allowed[:, :16] = True
    found, pairs = swap_pixels(
        start, PhaseCode(2), distance_to(wanted, PhaseCode(2)), torch.zeros(1, dtype=torch.float64), allowed, (0, 0), 40
    )
    assert pairs > 0
    assert np.array_equal(found[:, 16:], start[:, 16:])


def test_a_pixel_takes_a_phase_only_among_enough_of_it():
    """One trade at a time, so that each is judged on the picture it changes."""
    wanted = np.zeros((16, 16), np.uint8)
    wanted[::4, ::4] = 1  # what is wanted are stray pixels, and they are forbidden
    start = np.zeros((16, 16), np.uint8)
    start[:4, :4] = 1
    found, _ = swap_pixels(
        start,
        PhaseCode(2),
        distance_to(wanted, PhaseCode(2)),
        torch.zeros(1, dtype=torch.float64),
        np.ones((16, 16), bool),
        (0, 3),
        40,
    )
    (counts,) = _neighbours(found, 2, "wrap")
    assert counts[1][found == 1].min() >= 1
    free, _ = swap_pixels(
        start,
        PhaseCode(2),
        distance_to(wanted, PhaseCode(2)),
        torch.zeros(1, dtype=torch.float64),
        np.ones((16, 16), bool),
        (0, 0),
        40,
    )
    assert (free == wanted).mean() > (found == wanted).mean()
    (counts,) = _neighbours(free, 2, "wrap")
    assert counts[1][free == 1].min() == 0


def test_nothing_to_gain_changes_nothing():
    wanted = bicontinuous((16, 16), wavelength=8, seed=0).labels
    code = PhaseCode(2)
    found, pairs = swap_pixels(
        wanted, code, distance_to(wanted, code), torch.zeros(1, dtype=torch.float64), np.ones((16, 16), bool), (0, 0), 9
    )
    assert pairs == 0
    assert np.array_equal(found, wanted)


def test_fewest_neighbours_against_brute_force():
    labels = gaussian_field((24, 24), correlation_length=5, fraction=0.3, seed=4).labels
    expected = []
    for phase in (0, 1):
        counts = [
            int((labels[y - 1 : y + 2, x - 1 : x + 2] == phase).sum()) - 1
            for y in range(1, 23)
            for x in range(1, 23)
            if labels[y, x] == phase
        ]
        expected.append(int(np.quantile(counts, 0.01, method="lower")))
    assert fewest_neighbours([labels], 2) == expected
    assert fewest_neighbours([labels], 3) == [*expected, 0]  # a phase that is not there asks for nothing


def topology(phase, connectivity):
    """Euler number and number of components of a phase in a box, in which only the inside has changed."""
    return euler_number(phase, connectivity), ndimage.label(phase, ndimage.generate_binary_structure(3, connectivity))[
        1
    ]


@pytest.mark.parametrize("phases", [2, 3])
def test_swaps_in_a_volume_lower_the_loss_and_keep_the_topology(phases):
    fields = [gaussian_field((24, 24, 24), correlation_length=5, seed=seed).labels for seed in (1, 2, 3)]
    start, wanted = fields[0].copy(), fields[2].copy()
    if phases == 3:
        start, wanted = start + (fields[1] & fields[0]), wanted + (fields[1] & fields[2])
    inside = np.zeros(start.shape, bool)
    inside[1:-1, 1:-1, 1:-1] = True
    code, like = PhaseCode(phases), torch.zeros(1, dtype=torch.float64)
    objective = distance_to(wanted, code)
    found, pairs = swap_pixels(start, code, objective, like, inside, (0,) * phases, 30)
    assert pairs > 300
    assert (found != wanted).mean() < (start != wanted).mean()
    assert np.array_equal(np.bincount(found.ravel()), np.bincount(start.ravel()))
    for phase in range(phases):
        for connectivity in (1, 3):
            assert topology(found == phase, connectivity) == topology(start == phase, connectivity)


def test_simple_voxels_are_those_whose_change_keeps_the_topology():
    """A block of 27 voxels alone in its box shows all that a change of its centre joins, separates or pierces."""
    random = np.random.default_rng(0)
    for share in (0.2, 0.5, 0.8):
        around = random.random((100, 3, 3, 3)) < share
        for block in around:
            phase = np.zeros((7, 7, 7), bool)
            phase[2:5, 2:5, 2:5] = block
            other = phase.copy()
            other[3, 3, 3] = ~phase[3, 3, 3]
            kept = all(
                topology(side(phase), connectivity) == topology(side(other), connectivity)
                for connectivity in (1, 3)
                for side in (np.asarray, np.invert)
            )
            (simple,) = simple_voxels(phase, np.array([np.ravel_multi_index((3, 3, 3), phase.shape)]))
            assert simple == kept
