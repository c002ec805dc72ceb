"""Moves on the simplex: what they change, what limits keep, what supports them."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from matlens import InputError, Limits, MaterialsLibrary
from matlens.library.suggestions.limits import on_grid
from matlens.library.suggestions.moves import first_moves, second_moves, words

NAMES = ("Bi", "V", "W", "Mo", "Tb")


def library(n=30, seed=0):
    rng = np.random.default_rng(seed)
    x = np.zeros((n, 5))
    x[np.arange(n), rng.integers(2, 5, n)] = rng.uniform(0, 0.1, n)
    share = rng.uniform(0.45, 0.55, n)
    x[:, 0], x[:, 1] = (1 - x.sum(1)) * share, (1 - x.sum(1)) * (1 - share)
    return MaterialsLibrary(x / x.sum(1, keepdims=True), NAMES, {"P": rng.random(n)})


@given(st.lists(st.floats(0, 1), min_size=2, max_size=7), st.sampled_from([0.001, 0.0025, 0.01, 0.05]))
def test_the_grid_keeps_the_sum_and_what_is_absent(values, increment) -> None:
    x = np.array([values]) + 1e-9
    x[:, 0] += 0.5
    x[:, -1] = 0
    x /= x.sum()
    found = on_grid(x, increment)
    units = found / increment
    np.testing.assert_allclose(found.sum(), 1, atol=1e-12)
    np.testing.assert_allclose(units, np.rint(units), atol=1e-6)
    assert np.abs(found - x).max() <= increment + 1e-12
    assert found[0, -1] == 0


def test_first_moves_change_one_component_at_the_cost_that_they_say() -> None:
    known = library()
    limits = Limits(increment=0.001)
    moves = first_moves(known.compositions[:4], known, limits)
    assert len(moves) > 100
    for start, end, ((k, host),) in zip(moves.start, moves.compositions, moves.steps, strict=True):
        x = known.compositions[start]
        rest = np.setdiff1d(np.arange(5), [k] if host < 0 else [k, host])
        factor = (1 - end[k]) / (1 - x[k]) if host < 0 else 1.0  # the others shrink in proportion, or stay
        np.testing.assert_allclose(end[rest], factor * x[rest], atol=2.1e-3)
        if host >= 0:
            assert end[host] < x[host] + 1e-3
    assert limits.allowed(moves.compositions, known).all()


def test_absent_components_are_added_and_second_moves_make_co_alloys() -> None:
    known = library()
    limits = Limits(increment=0.005, forbidden=(("W", "Mo"),), most=4, bounds={"Tb": (0, 0.03)})
    one = first_moves(known.compositions[:6], known, limits)
    two = second_moves(one, known, limits)
    there = two.compositions > 0
    assert (there[:, 2:].sum(1) == 2).any()
    assert not (there[:, 2] & there[:, 3]).any()
    assert there.sum(1).max() <= 4
    assert two.compositions[:, 4].max() <= 0.03 + 1e-9
    np.testing.assert_allclose(two.compositions.sum(1), 1, atol=1e-12)
    assert (two.steps[:, 0, 0] != two.steps[:, 1, 0]).all()


def test_what_was_measured_is_not_suggested_again() -> None:
    known = library()
    moves = first_moves(known.compositions, known, Limits(increment=0.005))
    apart = 0.5 * np.abs(moves.compositions[:, None] - known.compositions).sum(2).min(1)
    assert apart.min() > 0.0025  # half an increment
    assert len(np.unique(moves.compositions.round(9), axis=0)) == len(moves)


def test_words() -> None:
    known = library()
    x = np.array([0.5, 0.5, 0, 0, 0])
    y = np.array([0.465, 0.475, 0.04, 0.02, 0])
    move, scheme = words(x, y, np.array([[2, -1], [3, 0]]), known, 0.005)
    assert move == "W 0 → 4.0, Bi 50 → 46.5, V 50 → 47.5, Mo 0 → 2.0 at%"
    assert scheme == "dilution, exchange with Bi"


def test_a_move_names_each_change_once_and_no_change_below_half_an_increment() -> None:
    known = library()
    start, end = np.array([0.5124, 0.4876, 0, 0, 0]), np.array([0.495, 0.4875, 0.0175, 0, 0])
    move, _ = words(start, end, np.array([[2, 0], [0, 2]]), known, 0.0025)
    assert move == "W 0 → 1.75, Bi 51.2 → 49.50 at%"
    start, end = np.array([0.5, 0.5, 0, 0, 0]), np.array([0.49625, 0.5, 0.00375, 0, 0])
    assert words(start, end, np.array([[2, 0]]), known, 0.00125)[0] == "W 0 → 0.375, Bi 50 → 49.625 at%"


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: Limits(bounds={"W": (0.2, 0.1)}), "0.2 to 0.1 of W"),
        (lambda: Limits(increment=0.3), "increment 0.3"),
        (lambda: Limits(most=0), "components at most"),
        (lambda: Limits.from_settings(["W:3"]), "NAME=LOW:HIGH"),
        (lambda: Limits.from_settings(forbidden=["W"]), "A-B"),
        (lambda: Limits.from_settings(["Xx=0:3"]).resolved(library()), "'Xx'"),
        (lambda: Limits(forbidden=(("W", "Xx"),)).resolved(library()), "'Xx'"),
        (lambda: Limits(bounds={"Bi": (0, 0.1), "V": (0, 0.1)}).resolved(library()), "no composition sums to 1"),
    ],
)
def test_impossible_limits(make, words) -> None:
    with pytest.raises(InputError, match=words):
        make()
