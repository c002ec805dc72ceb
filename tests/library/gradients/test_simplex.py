import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from matlens.errors import InputError
from matlens.library.gradients import (
    SCHEMES,
    along,
    default_hosts,
    dilution,
    directions,
    exchange,
    longest_step,
    moved,
    tangent,
)

COMPONENTS = ("Bi", "V", "W", "Mo", "Dy")


def compositions(count: int = 40, seed: int = 0) -> np.ndarray:
    """Two hosts and a few alloying elements, absent in most samples; one is absent everywhere."""
    rng = np.random.default_rng(seed)
    x = rng.uniform(0.4, 0.6, (count, 5))
    x[:, 2:4] = rng.uniform(0, 0.1, (count, 2)) * (rng.random((count, 2)) < 0.5)
    x[:, 4] = 0
    return x / x.sum(1, keepdims=True)


def quadratic(x: np.ndarray) -> np.ndarray:
    matrix = np.random.default_rng(1).normal(size=(5, 5))
    return np.einsum("...j,jk,...k->...", x, matrix, x)


def quadratic_gradient(x: np.ndarray) -> np.ndarray:
    matrix = np.random.default_rng(1).normal(size=(5, 5))
    return x @ (matrix + matrix.T)


def derivative(scheme: str, gradient: np.ndarray, x: np.ndarray) -> np.ndarray:
    hosts = default_hosts(x, COMPONENTS, {"W": "V", "Mo": "V"})
    if scheme == "exchange":
        return exchange(gradient, x, hosts)
    return dilution(gradient, x) if scheme == "dilution" else tangent(gradient, x)


def test_dilution_is_the_derivative_of_mixing_the_component_in():
    """Brute force: weigh in more of one component, renormalise, and differentiate by its new fraction."""
    x = compositions()
    found = dilution(quadratic_gradient(x), x)
    for k in range(5):
        more = x.copy()
        more[:, k] += 1e-6
        more /= more.sum(1, keepdims=True)
        expected = (quadratic(more) - quadratic(x)) / (more[:, k] - x[:, k])
        np.testing.assert_allclose(found[:, k], expected, rtol=1e-3, atol=1e-4)


def test_exchange_is_the_derivative_of_replacing_the_host():
    x = compositions()
    found = derivative("exchange", quadratic_gradient(x), x)
    replaced = x + 1e-6 * (np.eye(5)[2] - np.eye(5)[1])
    np.testing.assert_allclose(found[:, 2], (quadratic(replaced) - quadratic(x)) / 1e-6, rtol=1e-3, atol=1e-4)
    assert np.isnan(found[:, 0]).all()  # Bi is the host of Bi
    assert np.isfinite(found[:, 1:]).all()  # of V and Dy too, which is absent everywhere


def test_exchange_is_undefined_in_samples_without_the_host():
    x = np.array([[0.5, 0.5, 0.0], [0.0, 0.5, 0.5]])
    found = exchange(np.ones((7, 2, 3)), x, [0, 0, 1])
    assert np.isnan(found[:, 1, 1]).all()
    assert (found[:, :, 2] == 0).all()
    assert (found[:, 0, 1] == 0).all()


@pytest.mark.parametrize("scheme", SCHEMES)
def test_finite_differences_along_each_path(scheme):
    x = compositions()
    hosts = default_hosts(x, COMPONENTS, {"W": "V", "Mo": "V"})
    rays = directions(scheme, x, hosts)
    found = derivative(scheme, quadratic_gradient(x), x)
    for k in range(5):
        there = np.isfinite(found[:, k])
        step = 1e-5  # forward only: where the element is absent there is no other side
        assert (longest_step(x[there], rays[there, k]) > step).all()
        far = moved(x[there], rays[there, k], np.full(there.sum(), step))
        np.testing.assert_allclose(far.sum(1), 1, atol=1e-12)
        expected = (quadratic(far) - quadratic(x[there])) / step
        np.testing.assert_allclose(found[there, k], expected, rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("h", [lambda x: 1e3 + 0 * x[:, 0], lambda x: 50 * np.exp(3 * x[:, 1]), lambda x: x[:, 2] ** 2])
def test_what_a_model_does_off_the_simplex_changes_nothing(scheme, h):
    """Adding h(x)(sum x - 1) adds h(x) to every partial derivative on the simplex."""
    x = compositions()
    plain = quadratic_gradient(x)
    with_h = plain + h(x)[:, None]
    assert not np.allclose(plain, with_h)
    np.testing.assert_allclose(derivative(scheme, with_h, x), derivative(scheme, plain, x), atol=1e-9)


def test_an_irrelevant_column_changes_no_scheme():
    x, gradient = compositions(), quadratic_gradient(compositions())
    wider = np.hstack([x, np.zeros((len(x), 1))])
    more = np.hstack([gradient, np.full((len(x), 1), 9.0)])
    for scheme in SCHEMES:
        hosts = [0, 0, 1, 1, 0]
        narrow = along(gradient, directions(scheme, x, hosts))
        np.testing.assert_allclose(along(more, directions(scheme, wider, [*hosts, 0]))[:, :5], narrow, atol=1e-12)


def test_nothing_can_dilute_a_pure_component():
    found = dilution([[1.0, 2.0]], [[1.0, 0.0]])
    assert np.isnan(found[0, 0])
    assert found[0, 1] == 1.0


def test_members_and_schemes_are_leading_dimensions():
    x = compositions()
    gradient = np.random.default_rng(3).normal(size=(4, 2, len(x), 5))
    np.testing.assert_allclose(dilution(gradient, x)[3, 1], dilution(gradient[3, 1], x))


def test_hosts():
    x = compositions()
    assert default_hosts(x).tolist() == [int(x.mean(0).argmax())] * 5
    assert default_hosts(x, COMPONENTS, "V").tolist() == [1] * 5
    with pytest.raises(InputError, match=r"Xy.*components are Bi, V"):
        default_hosts(x, COMPONENTS, {"W": "Xy"})
    with pytest.raises(InputError, match="host Dy is absent from every sample; take one of Bi, V, W, Mo"):
        default_hosts(x, COMPONENTS, "Dy")
    with pytest.raises(InputError, match="one of dilution"):
        directions("addition", x)


def test_a_step_beyond_the_simplex_is_refused():
    x = compositions()[0]
    ray = directions("exchange", x[None])[0, 1]
    longest = longest_step(x, ray)
    assert moved(x, ray, longest).min() == pytest.approx(0, abs=1e-12)
    with pytest.raises(InputError, match="longest_step"):
        moved(x, ray, 1.1 * longest)


@given(st.integers(0, 2**32 - 1))
def test_dilution_of_all_components_cancels(seed):
    """Growing every component in proportion to its share is no change: sum_k x_k (1 - x_k) d_k = 0."""
    rng = np.random.default_rng(seed)
    x = rng.dirichlet(np.ones(6), 3)
    found = dilution(rng.normal(size=(3, 6)), x)
    np.testing.assert_allclose((x * (1 - x) * found).sum(1), 0, atol=1e-12)
