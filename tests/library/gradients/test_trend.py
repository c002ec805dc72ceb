import numpy as np
import pytest
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.gaussian_process.kernels import RBF, ConstantKernel, DotProduct

from matlens.errors import InputError
from matlens.library.gradients import design_of, fit_trend


@pytest.fixture(scope="module")
def case():
    rng = np.random.default_rng(0)
    x = rng.dirichlet([6, 4, 1], 50)
    x = np.concatenate([x, x[:10], x[:5]])  # replicates, some three times
    groups = np.concatenate([np.arange(50), np.arange(10), np.arange(5)])
    y = np.stack([np.sin(4 * x[:, 0]) + x[:, 1] ** 2, x @ [1, 2, 3], rng.normal(size=len(x))], 1)
    y[:, :2] += rng.normal(scale=[0.02, 0.1], size=(len(x), 2))
    return x, groups, y, fit_trend(x, y, groups)


def dense(trend, output, x, rows, y):
    """Kernel, noise and prediction as the textbook writes them, on all rows with their replicates."""
    part = next(part for part in trend.parts if output in part.outputs)
    own = list(part.outputs).index(output)
    kernel, ratio = part.kernel, part.ratio[own]

    def k(a, b):
        squared = ((a[:, None] - b) ** 2).sum(-1)
        flat = kernel.linear * ((a - kernel.centre) @ (b - kernel.centre).T)
        return np.exp(-squared / 2 / kernel.length_scale**2) + flat

    inverse = np.linalg.inv(k(x[rows], x[rows]) + ratio * np.eye(len(rows)))
    return k, inverse, inverse @ (y[rows, output] - trend.mean[output]), part.variance[own]


@pytest.mark.parametrize("output", range(3))
def test_predictions_are_those_of_the_full_process(case, output):
    x, _, y, trend = case
    k, _, weights, _ = dense(trend, output, x, np.arange(len(x)), y)
    new = np.random.default_rng(1).dirichlet([6, 4, 1], 7)
    np.testing.assert_allclose(trend.predict(new)[:, output], trend.mean[output] + k(new, x) @ weights, atol=1e-6)


@pytest.mark.parametrize("output", range(3))
def test_residuals_are_of_fits_without_any_replicate(case, output):
    x, groups, y, trend = case
    for row in (0, 7, 30, 52):
        rows = np.flatnonzero(groups != groups[row])
        k, _, weights, _ = dense(trend, output, x, rows, y)
        expected = y[row, output] - trend.mean[output] - (k(x[[row]], x[rows]) @ weights)[0]
        assert trend.residual[row, output] == pytest.approx(expected, abs=1e-6)


def test_slopes_are_finite_differences(case):
    x, _, _, trend = case
    for k in range(3):
        step = 1e-6 * np.eye(3)[k]
        expected = (trend.predict(x + step) - trend.predict(x - step)) / 2e-6
        np.testing.assert_allclose(trend.gradients(x)[:, :, k], expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("output", range(3))
def test_slope_covariance_is_that_of_close_differences(case, output):
    x, _, y, trend = case
    k, inverse, _, variance = dense(trend, output, x, np.arange(len(x)), y)
    at, d, step = x[3], np.array([-0.4, -0.6, 1.0]), 1e-4
    ends = np.stack([at - step * d, at + step * d])
    covariance = variance * (k(ends, ends) - k(ends, x) @ inverse @ k(x, ends))
    expected = (covariance[0, 0] + covariance[1, 1] - 2 * covariance[0, 1]) / (2 * step) ** 2
    found = d @ trend.gradient_covariances(at[None])[0, output] @ d
    assert found == pytest.approx(expected, rel=1e-2)


def test_what_is_noise_is_not_explained(case):
    trend = case[3]
    assert trend.explained[0] > 0.9
    assert trend.explained[2] < 0.15


def test_selected_outputs_keep_their_functions(case):
    x, _, _, trend = case
    some = trend.select(np.array([2, 0]))
    np.testing.assert_allclose(some.predict(x), trend.predict(x)[:, [2, 0]])
    np.testing.assert_allclose(some.gradients(x), trend.gradients(x)[:, [2, 0]])
    np.testing.assert_allclose(some.gradient_covariances(x[:4]), trend.gradient_covariances(x[:4])[:, [2, 0]])


def test_slopes_of_a_known_function_lie_within_their_deviations():
    d, within, ratio = np.array([1.0, -1.0, 0.0]), [], []
    for seed in range(6):
        rng = np.random.default_rng(seed)
        x = rng.dirichlet([5, 5, 2], 200)
        y = (x[:, 0] * x[:, 1] * 4 + np.cos(5 * x[:, 2]))[:, None] + rng.normal(scale=0.02, size=(200, 1))
        trend = fit_trend(x, y)
        error = trend.gradients(x)[:, 0] @ d - 4 * (x[:, 1] - x[:, 0])
        deviation = np.sqrt(np.einsum("i,nij,j->n", d, trend.gradient_covariances(x)[:, 0], d))
        within.append((np.abs(error) < 2 * deviation).mean())
        ratio.append(error.std() / deviation.mean())
    assert 0.85 < np.mean(within) < 0.99
    assert 0.7 < np.mean(ratio) < 1.5


def test_equal_compositions_are_refused():
    with pytest.raises(InputError, match="all compositions are equal"):
        fit_trend(np.full((5, 2), 0.5), np.arange(5.0)[:, None])


@pytest.mark.parametrize("linear", [False, True])
def test_the_joint_distribution_is_that_of_a_reference_process(linear):
    rng = np.random.default_rng(0)
    x = rng.dirichlet([1, 1, 1], 30)
    y = 5 - 20 * ((x - [0.4, 0.35, 0.25]) ** 2).sum(1) + 0.1 * rng.normal(size=30)
    found = fit_trend(x, y[:, None], design=design_of(x, linear=linear))
    (part,) = found.parts
    kernel = ConstantKernel(part.variance[0], "fixed") * RBF(part.kernel.length_scale, "fixed")
    if linear:
        kernel += ConstantKernel(part.variance[0] * part.kernel.linear, "fixed") * DotProduct(0, "fixed")
    centred = x - part.kernel.centre
    reference = GaussianProcessRegressor(kernel, alpha=found.noise, optimizer=None).fit(centred, y - y.mean())
    new = rng.dirichlet([1, 1, 1], 7)
    mean, covariance = reference.predict(new - part.kernel.centre, return_cov=True)
    ours = found.joint(new)
    np.testing.assert_allclose(ours[0], mean + y.mean(), atol=1e-5)
    np.testing.assert_allclose(ours[1], covariance, atol=1e-5)
    np.testing.assert_allclose(found.deviation(new), np.sqrt(np.diag(covariance)), atol=1e-5)
    assert 0.05 < np.sqrt(found.noise) < 0.2
    twice = np.concatenate([x, x]), np.concatenate([y, y])[:, None]
    assert fit_trend(*twice, design=design_of(twice[0], np.tile(np.arange(30), 2), linear=linear)).noise < found.noise
