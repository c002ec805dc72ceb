import numpy as np
import pytest

from matlens.errors import InputError
from matlens.library.evidence import bootstrap_family, permutation_family
from matlens.library.gradients import ERROR_FACTOR


def binomial_limits(trials, p):
    return p * trials - 3.3 * np.sqrt(trials * p * (1 - p)), p * trials + 3.3 * np.sqrt(trials * p * (1 - p))


def smooth_noise(rng, count, channels):
    kernel = np.exp(-0.5 * (np.arange(-9, 10) / 3.0) ** 2)
    noise = rng.normal(size=(count, channels + 18))
    return np.array([np.convolve(one, kernel, "valid") for one in noise])


def test_permutations_find_something_false_in_one_of_twenty_families():
    rng = np.random.default_rng(0)
    scale = np.linspace(0.1, 10, 40)  # statistics of unlike size must count alike
    families = [scale * smooth_noise(rng, 20, 40) for _ in range(400)]
    false = sum(permutation_family(one[0], one[1:]).p.min() <= 0.05 for one in families)
    low, high = binomial_limits(400, 0.05)
    assert low <= false <= high


def test_a_false_find_is_in_any_statistic_alike():
    rng = np.random.default_rng(1)
    scale = np.array([0.01, 1.0, 100.0])
    least = [permutation_family(one[0], one[1:]).p.argmin() for one in scale * rng.standard_t(30, size=(600, 20, 3))]
    assert np.bincount(least, minlength=3).min() > 150


def test_permutations_find_what_is_there_however_few():
    rng = np.random.default_rng(2)
    found = permutation_family(np.r_[8.0, np.zeros(50)], rng.normal(size=(19, 51))).p
    assert found[0] == pytest.approx(0.05)
    assert found[1:].min() > 0.05


@pytest.mark.parametrize("resample", ["bootstrap", "groups"])
def test_resampled_models_find_something_false_no_more_often_than_said(resample):
    """Least squares on resamples of labels that are pure noise: the family is all coefficients."""
    rng = np.random.default_rng(3)
    trials, models, n, k = 150, 60, 80, 6
    false = 0
    for _ in range(trials):
        x, y = rng.normal(size=(n, k)), rng.normal(size=n)
        if resample == "bootstrap":
            rows = rng.integers(n, size=(models, n))
        else:
            orders = np.array([rng.permutation(n) for _ in range(models // 10)])
            rows = np.concatenate([np.delete(orders, slice(8 * i, 8 * i + 8), axis=1) for i in range(10)])
        gram = np.einsum("mni,mnj->mij", x[rows], x[rows])
        slopes = np.linalg.solve(gram, np.einsum("mni,mn->mi", x[rows], y[rows])[..., None])[..., 0]
        false += bootstrap_family(slopes, factor=ERROR_FACTOR[resample]).p.min() <= 0.05
    assert false <= binomial_limits(trials, 0.05)[1]


def test_models_of_the_same_rows_agree_on_the_noise():
    """Why the docstring warns: members that differ by less than the data's noise make every coefficient significant."""
    rng = np.random.default_rng(4)
    estimate = rng.normal(size=6)
    assert (bootstrap_family(estimate + 0.01 * rng.normal(size=(60, 6))).p <= 0.05).mean() > 0.5


def test_one_sided_counts_only_what_lies_above():
    null = np.random.default_rng(5).normal(size=(99, 2))
    assert permutation_family([-9.0, 0.0], null).p[0] == pytest.approx(0.01)
    assert permutation_family([-9.0, 0.0], null, one_sided=True).p[0] == 1
    assert permutation_family([9.0, 0.0], null, one_sided=True).p[0] == pytest.approx(0.01)


def test_missing_statistics_are_never_found():
    null = np.random.default_rng(6).normal(size=(99, 3))
    null[:, 1] = np.nan
    test = permutation_family([0.0, np.nan, 9.0], null)
    assert test.p[1] == 1
    assert test.p[2] == pytest.approx(0.01)
    constant = bootstrap_family(np.c_[np.ones(30), np.zeros(30)])
    assert constant.p.tolist() == [1.0, 1.0]  # no spread at all is no evidence: nothing was varied
    assert test.chance([np.nan, 99.0]).tolist() == [1.0, 0.01]


def test_too_little_to_judge_by_is_said():
    with pytest.raises(InputError, match="at least two"):
        permutation_family([1.0], [[0.0]])
    with pytest.raises(InputError, match="rows of K"):
        permutation_family([1.0, 2.0], [[0.0], [1.0]])
    with pytest.raises(InputError, match=r"\(models, statistics\)"):
        bootstrap_family([1.0, 2.0])
