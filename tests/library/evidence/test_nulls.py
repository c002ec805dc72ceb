import numpy as np
import pytest
import xarray as xr

from matlens.errors import InputError
from matlens.library.evidence import closure_null, label_null, permuted_library, smooth_gradients
from matlens.library.gradients import directions
from matlens.library.table import MaterialsLibrary

PAIRS = np.triu_indices(7, 1)


@pytest.fixture(scope="module")
def compositions():
    return np.random.default_rng(0).dirichlet([3] * 7, 400)


def test_random_functions_have_gradients_of_any_direction(compositions):
    gradients = np.array(list(smooth_gradients(compositions, 200, length_scale=0.2)))
    flat = gradients.reshape(-1, 7)
    covariance = np.cov(flat.T)
    off = covariance - np.diag(np.diag(covariance))
    assert np.abs(off).max() < 0.15 * np.diag(covariance).mean()
    assert np.abs(flat.mean(0)).max() < 0.1 * flat.std()


def test_they_are_gradients_of_a_function(compositions):
    """Around a small closed square the work of a gradient is zero; that of unrelated components is not."""
    centre, side = compositions[0], 0.01
    corners = centre + side * np.array([[0, 0], [1, 0], [1, 1], [0, 1]]) @ np.eye(7)[:2]
    gradient = next(smooth_gradients(np.concatenate([corners, compositions]), 1, length_scale=0.3))[:4]
    moves = np.roll(corners, -1, 0) - corners
    work = (0.5 * (gradient + np.roll(gradient, -1, 0)) * moves).sum(1)
    assert abs(work.sum()) < 0.02 * np.abs(work).max()
    repeated = [g[0, 0] for g in smooth_gradients(compositions, 3, seed=5)]
    assert repeated == [g[0, 0] for g in smooth_gradients(compositions, 3, seed=5)]


def test_closure_alone_makes_correlations_of_minus_one_over_all_others(compositions):
    """Gradients that sum to zero: the mean correlation is -1 / (D - 1), here -1/6."""
    null = closure_null(compositions, directions("tangent", compositions), draws=60)
    assert null[:, *PAIRS].mean() == pytest.approx(-1 / 6, abs=0.02)


def test_a_shared_term_makes_correlations_of_a_half(compositions):
    """g_k - g_host of unrelated g: the host's share is half of each variance."""
    null = closure_null(compositions, directions("exchange", compositions, [0] * 7), draws=60)
    assert np.isnan(null[:, 0]).all()
    rows, columns = np.triu_indices(6, 1)
    assert null[:, rows + 1, columns + 1].mean() == pytest.approx(0.5, abs=0.05)


def test_relative_gradients_are_closed_in_any_scheme(compositions):
    """The host's share is gone: six gradients that sum to zero have a mean correlation of -1/5."""
    way = directions("exchange", compositions, [0] * 7)
    null = closure_null(compositions, way, draws=60, length_scale=0.1, relative=True)
    rows, columns = np.triu_indices(6, 1)
    assert null[:, rows + 1, columns + 1].mean() == pytest.approx(-1 / 5, abs=0.02)


def test_functions_of_few_wiggles_scatter_widely(compositions):
    way = directions("tangent", compositions)
    spread = [closure_null(compositions, way, draws=40, length_scale=length)[:, *PAIRS].std() for length in (0.05, 1.0)]
    assert spread[1] > 3 * spread[0]


def test_labels_move_between_compositions_and_replicates_stay_together():
    rng = np.random.default_rng(0)
    x = np.repeat(rng.dirichlet([1] * 3, 20), 3, axis=0)
    label = np.repeat(np.arange(20.0), 3) + np.tile([0, 0.1, 0.2], 20)
    label[4] = np.nan
    library = MaterialsLibrary(x, ("A", "B", "C"), {"P": label, "Q": -label}, censored={"P": (label > 15).astype(int)})
    permuted = permuted_library(library, target="P", seed=1)
    moved = permuted.merit("P")
    assert np.isnan(moved[4])
    whole = np.floor(moved).reshape(20, 3)
    assert all(len(set(row[np.isfinite(row)])) == 1 for row in whole)
    assert sorted(np.nanmin(whole, axis=1)) == list(range(20))
    assert (whole[:, 0] != np.arange(20)).sum() > 15
    np.testing.assert_array_equal(permuted.censoring("P"), (moved > 15).astype(int))
    np.testing.assert_allclose(permuted.merit("Q"), -moved)
    assert (permuted.compositions == library.compositions).all()


def test_every_permutation_is_fitted_once():
    x = np.random.default_rng(0).dirichlet([1] * 3, 30)
    library = MaterialsLibrary(x, ("A", "B", "C"), {"P": x[:, 0]})
    seen = []

    def fit(permuted, number):
        seen.append((number, tuple(permuted.merit())))
        gradient = np.broadcast_to(permuted.merit()[:, None], (30, 3))[None, None]
        dims = ("scheme", "kind", "sample", "component")
        coords = {"scheme": ["dilution"], "kind": ["total"], "component": ["A", "B", "C"]}
        return xr.Dataset({"composition_gradient": (dims, gradient)}, coords)

    null = label_null(fit, library, permutations=4, seed=3)
    assert null.sizes["permutation"] == 4
    assert [number for number, _ in seen] == [0, 1, 2, 3]
    assert len({labels for _, labels in seen}) == 4
    np.testing.assert_allclose(null.composition_mean, x[:, 0].mean())


def test_correlations_of_permuted_labels_are_over_samples_with_data():
    x = np.random.default_rng(0).dirichlet([1] * 3, 30)
    library = MaterialsLibrary(x, ("A", "B", "C"), {"P": x[:, 0]})
    support = np.full((30, 3), 2)
    support[20:, 1] = 0

    def fit(permuted, number):
        label = permuted.merit()
        gradient = np.stack([label, np.where(np.arange(30) < 20, label, -9 * label), 0 * label], 1)
        dims = ("scheme", "kind", "sample", "component")
        coords = {"scheme": ["dilution"], "kind": ["total"], "component": ["A", "B", "C"]}
        variables = {"composition_gradient": (dims, gradient[None, None]), "support": (dims[2:], support)}
        return xr.Dataset(variables, coords)

    null = label_null(fit, library, permutations=2)
    np.testing.assert_allclose(null.correlation[:, 0, 0, 0, 1], 1, atol=1e-5)  # -0.5 over all thirty
    assert np.isfinite(null.composition_gradient).all()  # of all samples, to be held against the real ones


def test_one_composition_is_not_enough():
    with pytest.raises(InputError, match="the same"):
        next(smooth_gradients(np.full((5, 2), 0.5), 1))
    with pytest.raises(InputError, match=r"\(samples, components\)"):
        next(smooth_gradients([0.5, 0.5], 1))
