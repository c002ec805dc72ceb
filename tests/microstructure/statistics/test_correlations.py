"""Two-point, lineal-path and cluster functions against their definitions, pair by pair, and against closed forms."""

from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from matlens import InputError, Microstructure
from matlens.microstructure.problems import checkerboard, discs, discs_two_point, gaussian_field, laminate
from matlens.microstructure.statistics import (
    anisotropy,
    characterize,
    cluster_map,
    cluster_radial,
    correlation_length,
    correlation_length_radial,
    covariance_reach,
    label_clusters,
    lineal_path,
    normalised_covariance,
    threshold_sensitivity,
    two_point_axes,
    two_point_cross,
    two_point_map,
    two_point_radial,
    volume_fraction,
)
from matlens.microstructure.statistics.correlation.offsets import half_sides, radial_mean

SHAPES = [(7, 6), (5, 8), (4, 5, 3)]


def field(shape, periodic, seed=0):
    labels = np.random.default_rng(seed).integers(0, 3, shape)
    labels.flat[0] = 2
    return Microstructure(labels, phase_names=("a", "b", "c"), periodic=periodic)


def moved(x, r, shape, periodic):
    y = tuple(a + b for a, b in zip(x, r))
    if periodic:
        return tuple(a % n for a, n in zip(y, shape))
    return y if all(0 <= a < n for a, n in zip(y, shape)) else None


def by_definition(m, holds):
    """Share of the positions x, among those where x + r is known, at which ``holds(x, x + r)``."""
    half = [n // 2 for n in m.shape]
    result = np.zeros([2 * h + 1 for h in half])
    for r in product(*(range(-h, h + 1) for h in half)):
        ends = [(x, moved(x, r, m.shape, m.periodic)) for x in product(*map(range, m.shape))]
        known = [(x, y) for x, y in ends if y is not None]
        result[tuple(a + h for a, h in zip(r, half))] = np.mean([holds(x, y) for x, y in known])
    return result


def flood(mask, full, periodic):
    """Cluster numbers by flood fill."""
    steps = [d for d in product((-1, 0, 1), repeat=mask.ndim) if any(d) and (full or sum(map(abs, d)) == 1)]
    labels = np.zeros(mask.shape, int)
    for start in product(*map(range, mask.shape)):
        if not mask[start] or labels[start]:
            continue
        labels[start] = number = labels.max() + 1
        stack = [start]
        while stack:
            here = stack.pop()
            for step in steps:
                there = moved(here, step, mask.shape, periodic)
                if there is not None and mask[there] and not labels[there]:
                    labels[there] = number
                    stack.append(there)
    return labels


@pytest.mark.parametrize("periodic", [False, True])
@pytest.mark.parametrize("shape", SHAPES)
def test_two_point_is_its_definition(shape, periodic):
    m = field(shape, periodic)
    auto, cross = two_point_map(m), two_point_map(m, other=1)
    for k in range(3):
        np.testing.assert_allclose(
            auto[k], by_definition(m, lambda x, y, k=k: m.labels[x] == m.labels[y] == k), atol=1e-12
        )
        expected = by_definition(m, lambda x, y, k=k: m.labels[x] == k and m.labels[y] == 1)
        np.testing.assert_allclose(cross[k], expected, atol=1e-12)
    np.testing.assert_allclose(two_point_axes(m)[:, :, 0], np.repeat(volume_fraction(m)[:, None], m.ndim, axis=1))


@pytest.mark.parametrize("periodic", [False, True])
@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("connectivity", ["face", "full"])
def test_cluster_function_is_its_definition(shape, periodic, connectivity):
    m = field(shape, periodic)
    found = cluster_map(m, connectivity=connectivity)
    for k in range(3):
        numbers = flood(m.labels == k, connectivity == "full", periodic)
        assert label_clusters(m.labels == k, connectivity=connectivity, periodic=periodic)[1] == numbers.max()
        expected = by_definition(m, lambda x, y, numbers=numbers: numbers[x] > 0 and numbers[x] == numbers[y])
        np.testing.assert_allclose(found[k], expected, atol=1e-12)


@pytest.mark.parametrize("periodic", [False, True])
@pytest.mark.parametrize("shape", [*SHAPES, (1, 6)])
def test_lineal_path_is_its_definition(shape, periodic):
    m = field(shape, periodic)
    found = lineal_path(m)
    for k, axis in product(range(3), range(m.ndim)):
        for r in range(max(m.shape) // 2 + 1):
            if r > m.shape[axis] // 2:
                assert np.isnan(found[k, axis, r])
                continue
            unit = np.eye(m.ndim, dtype=int)[axis]
            segments = [[moved(x, s * unit, m.shape, periodic) for s in range(r + 1)] for x in np.ndindex(*m.shape)]
            fits = [segment for segment in segments if None not in segment]
            assert found[k, axis, r] == pytest.approx(np.mean([all(m.labels[x] == k for x in s) for s in fits]))


def test_cluster_function_of_a_large_cluster_and_many_small_ones_agree_with_the_direct_sum():
    labels = (np.random.default_rng(3).random((40, 52)) < 0.58).astype(int)
    m = Microstructure(labels)
    numbers, count = label_clusters(m.labels == 1)
    one_by_one = sum(two_point_map(m.with_labels((numbers == i).astype(int)))[1] for i in range(1, count + 1))
    np.testing.assert_allclose(cluster_map(m)[1], one_by_one, atol=1e-12)


def test_laminate_and_checkerboard_closed_forms():
    stripes = laminate((32, 32), period=8, fraction=0.5)
    axis = int(np.nanargmin(np.nan_to_num(two_point_axes(stripes)[1, :, 4], nan=1)))
    expected = [0.5 - min(r % 8, 8 - r % 8) / 8 for r in range(17)]
    np.testing.assert_allclose(two_point_axes(stripes)[1, axis], expected, atol=1e-12)
    np.testing.assert_allclose(lineal_path(stripes)[1, axis, :6], [0.5, 0.375, 0.25, 0.125, 0, 0], atol=1e-12)
    np.testing.assert_allclose(lineal_path(stripes)[1, 1 - axis], 0.5)
    board = checkerboard((32, 32), cell=4)
    np.testing.assert_allclose(normalised_covariance(two_point_axes(board)[1, 0], 0.5)[[0, 2, 4, 8]], [1, 0, -1, 1])
    assert correlation_length(board)[1].tolist() == [2, 2]


def test_boolean_model_of_discs():
    curves = [two_point_radial(discs((256, 256), radius=8, fraction=0.4, seed=s))[1] for s in range(12)]
    distance = np.arange(1, 40)
    expected = discs_two_point(distance, radius=8, fraction=0.4)
    assert np.abs(np.mean(curves, axis=0)[1:40] - expected).max() < 0.02


def test_absent_phase_and_constant_field():
    m = Microstructure(np.zeros((6, 6), int), phase_names=("a", "b"))
    assert np.isnan(correlation_length_radial(m)).all()
    assert cluster_radial(m)[0].tolist() == [1, 1, 1, 1]
    assert cluster_radial(m)[1].sum() == 0


def test_bad_options_are_named():
    m = field((5, 5), False)
    with pytest.raises(InputError, match="other=3"):
        two_point_map(m, other=3)
    with pytest.raises(InputError, match="connectivity"):
        cluster_map(m, connectivity="corner")


SMALL = hnp.arrays(
    np.uint8, hnp.array_shapes(min_dims=2, max_dims=3, min_side=2, max_side=6), elements=st.integers(0, 2)
)
CURVES = [two_point_map, cluster_map, lineal_path]


@given(SMALL, st.integers(0, 5))
def test_shifting_a_periodic_field_changes_nothing(labels, shift):
    m = Microstructure(labels, phase_names=list("abc"), periodic=True)
    rolled = m.with_labels(np.roll(labels, (shift, 2 * shift), axis=(0, 1)))
    for curve in CURVES:
        np.testing.assert_allclose(curve(m), curve(rolled), atol=1e-12)


@given(SMALL, st.permutations([0, 1, 2]), st.booleans())
def test_renaming_phases_permutes_and_turning_transposes(labels, order, periodic):
    m = Microstructure(labels, phase_names=list("abc"), periodic=periodic)
    renamed = m.with_labels(np.array(order)[labels])
    for curve in CURVES:
        np.testing.assert_allclose(curve(m), curve(renamed)[order], atol=1e-12)
    turned = Microstructure(labels.T, phase_names=list("abc"), periodic=periodic)
    np.testing.assert_allclose(two_point_map(m), two_point_map(turned).transpose(0, *range(labels.ndim, 0, -1)))
    np.testing.assert_allclose(cluster_radial(m), cluster_radial(turned), atol=1e-12)
    np.testing.assert_allclose(lineal_path(m), lineal_path(turned)[:, ::-1], atol=1e-12)


@given(SMALL, st.booleans())
def test_bounds_and_sums(labels, periodic):
    m = Microstructure(labels, phase_names=list("abc"), periodic=periodic)
    auto, clusters = two_point_map(m), cluster_map(m)
    assert (clusters <= auto + 1e-12).all()
    assert (cluster_map(m, connectivity="full") >= clusters - 1e-12).all()
    total = sum(two_point_map(m, other=k) for k in range(3)).sum(axis=0)
    np.testing.assert_allclose(total, 1, atol=1e-12)


@pytest.mark.slow
@pytest.mark.parametrize("periodic", [False, True])
@pytest.mark.parametrize("large", [1, 12, 1000])
@pytest.mark.parametrize("shape", [(20, 31), (9, 12, 10)])
def test_every_way_to_count_clusters_gives_the_direct_sum(monkeypatch, shape, large, periodic):
    monkeypatch.setattr("matlens.microstructure.statistics.correlation.cluster_pairs._LARGE", large)
    labels = (np.random.default_rng(5).random(shape) < (0.55 if len(shape) == 2 else 0.3)).astype(int)
    m = Microstructure(labels, periodic=periodic)
    numbers, count = label_clusters(m.labels == 1, periodic=periodic)
    one_by_one = sum(by_definition_fast(numbers == i, periodic) for i in range(1, count + 1))
    np.testing.assert_allclose(cluster_map(m)[1], one_by_one, atol=1e-12)


def by_definition_fast(mask, periodic):
    """Share of positions with both ends in the mask, by shifting it."""
    half = [n // 2 for n in mask.shape]
    wide = np.pad(mask, [(h, h) for h in half], mode="wrap" if periodic else "constant")
    known = np.pad(np.ones(mask.shape), [(h, h) for h in half], mode="wrap" if periodic else "constant")
    result = np.zeros([2 * h + 1 for h in half])
    for r in np.ndindex(*result.shape):
        moved = tuple(slice(s, s + n) for s, n in zip(r, mask.shape))
        result[r] = (mask & wide[moved]).sum() / known[moved].sum()
    return result


@pytest.mark.parametrize("threads", ["1", "3"])
def test_two_point_of_larger_fields_by_shifting(monkeypatch, threads):
    monkeypatch.setenv("OMP_NUM_THREADS", threads)
    monkeypatch.setattr("matlens.microstructure.statistics.correlation.pair_counts._SMALL", 1)
    monkeypatch.setattr("matlens.microstructure.statistics.correlation.pair_counts._CHUNK", 100)
    monkeypatch.delitem(__import__("sys").modules, "torch", raising=False)
    for shape in ((23, 30), (12, 9, 14)):
        m = field(shape, False)
        for k, found in enumerate(two_point_map(m)):
            np.testing.assert_allclose(found, by_definition_fast(m.labels == k, False), atol=1e-14)


@pytest.mark.parametrize("periodic", [False, True])
def test_masked_two_point_is_its_definition(periodic):
    m = field((7, 8), periodic)
    mask = np.random.default_rng(1).random(m.shape) < 0.7
    half = [n // 2 for n in m.shape]
    found, cross = two_point_map(m, mask=mask), two_point_map(m, other=0, mask=mask)
    for r in product(*(range(-h, h + 1) for h in half)):
        ends = [(x, moved(x, r, m.shape, periodic)) for x in product(*map(range, m.shape))]
        known = [(x, y) for x, y in ends if y is not None and mask[x] and mask[y]]
        at = tuple(a + h for a, h in zip(r, half))
        for k in range(3):
            assert found[k][at] == pytest.approx(np.mean([m.labels[x] == m.labels[y] == k for x, y in known]))
            assert cross[k][at] == pytest.approx(np.mean([m.labels[x] == k and m.labels[y] == 0 for x, y in known]))


@pytest.mark.parametrize("phases", [2, 3])
@pytest.mark.parametrize("periodic", [False, True])
def test_all_pairs_agree_with_each(phases, periodic):
    labels = np.random.default_rng(0).integers(0, phases, (11, 14))
    m = Microstructure(labels, periodic=periodic)
    half = half_sides(m.shape)
    each = np.stack([radial_mean(two_point_map(m, other=b), half) for b in range(phases)], axis=1)
    np.testing.assert_allclose(two_point_cross(m), each, atol=1e-12)
    np.testing.assert_allclose([two_point_cross(m)[k, k] for k in range(phases)], two_point_radial(m), atol=1e-12)


def test_masks_that_cannot_be_used_are_named():
    m = field((5, 5), False)
    with pytest.raises(InputError, match="hides every pixel"):
        two_point_map(m, mask=np.zeros((5, 5)))
    with pytest.raises(InputError, match="shape"):
        two_point_map(m, mask=np.ones((5, 4)))
    np.testing.assert_array_equal(two_point_map(m, mask=np.ones((5, 5))), two_point_map(m))


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_two_phases_have_one_correlation_length_which_the_pages_agree_on(seed):
    # A part of a coarse field: its borders cut the phases unevenly, so that their own estimates differ.
    m = Microstructure(gaussian_field((192, 192), 20.0, 0.25, seed=seed).labels[:96, :72])
    dark, bright = correlation_length_radial(m)
    assert dark == bright
    own = covariance_reach(m)
    assert own[0] != own[1]  # what reconstruction looks at has another name
    assert np.nanmin(own) <= dark <= np.nanmax(own)
    np.testing.assert_array_equal(*correlation_length(m))
    np.testing.assert_array_equal(*anisotropy(m))
    found = characterize(m, statistics=["correlation_length"])
    assert found["correlation_length_radial"].values.tolist() == [dark, bright]
    np.testing.assert_array_equal(*found["correlation_length"].values)
    assert threshold_sensitivity({0.0: m})["correlation_length"].tolist() == [dark, bright]
