import numpy as np
import pytest

from matlens.library.gradients import composition_support, directions, fit_averaged_trend
from matlens.library.gradients.edges import edge_errors

X = np.column_stack([1 - np.linspace(0, 0.2, 21), np.linspace(0, 0.2, 21)])


def edges(x, y):
    distance = composition_support(x, x).distance
    return edge_errors(fit_averaged_trend(x, y), x, distance, directions("dilution", x))


def test_the_slope_of_the_first_atoms_is_doubted_where_the_curve_bends_there():
    rng = np.random.default_rng(0)
    bent, straight = (edges(X, y + 0.02 * rng.normal(size=21)) for y in (np.exp(-X[:, 1] / 0.03), 10 * X[:, 1]))
    assert bent[0, 1] > 10 * straight[0, 1]
    assert (bent[1:] == 0).all()  # there are data to both sides


def test_errors_hold_slopes_of_dopants_that_a_smooth_function_rounds_off():
    held = []
    for seed in range(4):
        rng = np.random.default_rng(seed)
        best, gain = rng.uniform(0.01, 0.05, 5), rng.uniform(-1, 2, 5)
        some = np.argsort(rng.random((70, 5)), 1) < rng.integers(1, 3, (70, 1))
        traces = some * rng.uniform(0, 0.07, (70, 5))
        x = np.column_stack([1 - traces.sum(1), traces])
        share = traces / best
        value = (gain * share * np.exp(1 - share)).sum(1) + 0.1 * rng.normal(size=70)
        trend, ways, support = fit_averaged_trend(x, value), directions("dilution", x)[:, 1:], composition_support(x, x)
        slopes = gain / best * (1 - share) * np.exp(1 - share)
        # dilution takes the other dopants off in proportion
        true = slopes - (share * best * slopes).sum(1, keepdims=True) / (1 - traces)
        true += traces * slopes / (1 - traces)
        missed = np.einsum("nkd,nd->nk", ways, trend.gradients(x)) - true
        own = np.sqrt(np.einsum("nkd,nde,nke->nk", ways, trend.gradient_covariances(x), ways))
        more = edge_errors(trend, x, support.distance, directions("dilution", x))[:, 1:]
        edge = more > 0
        held.append([(np.abs(missed)[edge] <= 1.645 * each[edge]).mean() for each in (own, np.hypot(own, more))])
    before, after = np.mean(held, axis=0)
    assert before < 0.7
    assert after > before + 0.1


@pytest.mark.parametrize("distance", [np.nan, 0.05])
def test_where_nothing_lies_along_the_direction_nothing_is_added(distance):
    trend = fit_averaged_trend(X, np.exp(-X[:, 1] / 0.03))
    found = edge_errors(trend, X[:1], np.full((1, 2), distance), directions("dilution", X[:1])[None])
    assert found.shape == (1, 1, 2)
    assert (found[0, 0, 1] > 0) == np.isfinite(distance)
