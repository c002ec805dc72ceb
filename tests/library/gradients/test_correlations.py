import numpy as np
import pytest
from scipy.stats import pearsonr

from matlens.errors import InputError
from matlens.library.gradients import correlate_gradients, resampled_correlations


def brute(members, first, second):
    z = []
    for one in members:
        x, y = one[:, first], one[:, second]
        there = np.isfinite(x) & np.isfinite(y)
        z.append(np.arctanh(pearsonr(x[there], y[there]).statistic))
    return np.tanh(np.mean(z)), np.std(z)


@pytest.fixture
def members():
    rng = np.random.default_rng(0)
    return rng.normal(size=(3, 50, 4)) + rng.normal(size=(3, 50, 1)) + 100


@pytest.mark.parametrize("missing", [False, True])
def test_pairs_by_scipy(members, missing):
    if missing:
        members[np.random.default_rng(1).random(members.shape) < 0.2] = np.nan
    correlation, spread = correlate_gradients(members)
    for i in range(4):
        assert correlation[i, i] == 1
        for j in range(i):
            assert (correlation[i, j], spread[i, j]) == pytest.approx(brute(members, i, j), abs=2e-5)
            assert correlation[j, i] == pytest.approx(correlation[i, j], abs=1e-6)


def test_two_kinds_of_gradients(members):
    across, _ = correlate_gradients(members[:, :, :1], members[:, :, 1:])
    np.testing.assert_allclose(across[0], correlate_gradients(members)[0][0, 1:], atol=1e-6)
    with pytest.raises(InputError, match="same samples"):
        correlate_gradients(members, members[:, :-1])
    with pytest.raises(InputError, match="at least one"):
        correlate_gradients([])


def test_what_does_not_vary_or_is_rare_has_no_correlation(members):
    members[:, :, 0] = 0.3
    members[:, 9:, 1] = np.nan
    correlation, _ = correlate_gradients(members)
    assert np.isnan(correlation[:2]).all()
    assert np.isnan(correlation[:, :2]).all()
    assert np.isfinite(correlation[2:, 2:]).all()
    assert np.isfinite(correlate_gradients(members, fewest=9)[0][1, 2])


def test_averaging_is_by_fishers_z_within_models():
    rng = np.random.default_rng(0)
    x, noise = rng.normal(size=(2, 5000))
    # one model has r = .9, one r = -.9: within models they cancel; the mean gradient would have r = 0 / 0
    ys = [s * 0.9 * x + np.sqrt(1 - 0.81) * noise for s in (1, -1)]
    correlation, spread = correlate_gradients([np.stack([x, y], 1) for y in ys])
    assert abs(correlation[0, 1]) < 0.03
    assert spread[0, 1] == pytest.approx(np.arctanh(0.9), abs=0.05)


@pytest.mark.parametrize("missing", [False, True])
def test_weights_are_repeated_samples(members, missing):
    if missing:
        members[:, ::7, 0] = np.nan
    rng = np.random.default_rng(2)
    weights = rng.multinomial(50, np.full(50, 1 / 50), size=4)
    often = np.array([[1, 1, 1], [3, 0, 0], [0, 2, 1], [1, 1, 1]])
    found = resampled_correlations(members, weights, often)
    for one, weight, times in zip(found, weights, often, strict=True):
        repeated = np.repeat(np.repeat(members, weight, axis=1), times, axis=0)
        np.testing.assert_allclose(one, correlate_gradients(repeated)[0], atol=1e-5)
    with pytest.raises(InputError, match="resamples, samples"):
        resampled_correlations(members, weights[:, :-1])
