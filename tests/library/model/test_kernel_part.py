"""Sums over training samples against the plain normal equations, slopes against finite differences."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from matlens.hooks import Silent
from matlens.library.model.kernel import covariance as relevance
from matlens.library.model.kernel.covariance import Covariance, find_covariance, find_covariances
from matlens.library.model.kernel.kernel_part import KernelPart
from matlens.library.model.kernel.kernel_parts import KernelParts

COVARIANCE = Covariance(
    np.array([0.8, 1.2, 2.0]), np.array([0.1, -0.7, -0.2, -0.4, -0.9, -1.3, 0.4, 0.2, -0.3, -3.0]), fractions=2
)


def samples(count: int = 30) -> tuple[torch.Tensor, torch.Tensor]:
    random = torch.Generator().manual_seed(0)
    x = torch.randn(count, 3, generator=random, dtype=torch.float64)
    return x, x[:, 0].sin() + x[:, 1] * x[:, 2]


def by_definition(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    joint, both, each, own, plane, plane_s, wide, wide_each, wide_s, _ = np.exp(COVARIANCE.numbers)
    found = np.empty((len(a), len(b)))
    for i, p in enumerate(a / COVARIANCE.length_scales):
        for j, q in enumerate(b / COVARIANCE.length_scales):
            gap = np.square(p - q)
            found[i, j] = joint * np.exp(-gap.sum() / 2) + both * np.exp(-gap[:2].sum() / 2 / wide**2)
            found[i, j] += sum(each / 2 * np.exp(-gap[k] / 2 / wide_each**2) for k in range(2))
            found[i, j] += own * np.exp(-gap[2] / 2 / wide_s**2) + plane * p[:2] @ q[:2] + plane_s * p[2] * q[2]
    return found


def test_members_are_as_if_fitted_to_their_samples_alone() -> None:
    x, y = samples()
    seen = [np.arange(30), np.arange(7, 30), np.r_[np.arange(10), np.arange(3), np.arange(20, 30)]]
    at = torch.randn(5, 3, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    found = KernelPart.fit(COVARIANCE, x, y, seen).values(at)
    for member, rows in enumerate(np.unique(rows) for rows in seen):
        own = x.numpy()[rows]
        inner = by_definition(own, own) + (np.exp(-3) + 1e-7) * np.eye(len(rows))
        expected = by_definition(at.numpy(), own) @ np.linalg.solve(inner, y.numpy()[rows])
        np.testing.assert_allclose(found[member], expected, rtol=1e-7)


def test_slopes_are_finite_differences() -> None:
    x, y = samples()
    part = KernelPart.fit(COVARIANCE, x, y, [np.arange(30), np.arange(20)])
    at, step = x[:4] + 0.1, 1e-5
    values, slopes = part.gradients(at)
    torch.testing.assert_close(values, part.values(at))
    for k in range(3):
        move = torch.zeros(3, dtype=torch.float64)
        move[k] = step
        expected = (part.values(at + move) - part.values(at - move)) / (2 * step)
        torch.testing.assert_close(slopes[..., k], expected, rtol=1e-6, atol=1e-8)


def test_inputs_that_do_not_matter_get_long_lengths_and_noise_is_found() -> None:
    random = torch.Generator().manual_seed(3)
    x = torch.randn(300, 4, generator=random)
    y = (2 * x[:, 0]).sin() + 0.3 * torch.randn(300, generator=random)
    found = find_covariance(x, (y - y.mean()) / y.std(), fractions=2, seed=0)
    assert found.length_scales[0] < 2
    assert (found.length_scales[2:] > 3 * found.length_scales[0]).all()
    assert found.length_scales[1] > 1.5 * found.length_scales[0]  # fractions have most of their length in common
    assert 0.5 < found.noise / (0.09 / float(y.var())) < 2


def test_errors_of_value_and_slopes_are_those_of_draws_that_pass_through_the_data() -> None:
    """By definition: condition a process drawn on a fine difference stencil on the same noisy samples."""
    x, y = samples()
    part = KernelPart.fit(COVARIANCE, x, y, [np.arange(30)])
    at, step = x[0].numpy() + 0.2, 1e-3
    stencil = np.concatenate([at[None], *[[at + step * one, at - step * one] for one in np.eye(3)]])
    differences = np.zeros((4, 7))
    differences[0, 0] = 1
    for k in range(3):
        differences[k + 1, 2 * k + 1 : 2 * k + 3] = 1 / (2 * step), -1 / (2 * step)
    inner = by_definition(x.numpy(), x.numpy()) + (np.exp(-3) + 1e-7) * np.eye(30)
    cross = by_definition(stencil, x.numpy())
    expected = by_definition(stencil, stencil) - cross @ np.linalg.solve(inner, cross.T)
    found = part.posterior(torch.as_tensor(at)[None])[0]
    np.testing.assert_allclose(found, differences @ expected @ differences.T, rtol=1e-3, atol=1e-5)


def test_what_noise_hides_makes_errors_larger_by_less_than_a_thousandth() -> None:
    x, y = samples(200)
    part = KernelPart.fit(COVARIANCE, x, y, [np.arange(200)])
    at = torch.randn(20, 3, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    found = part.posterior(at)
    inner = COVARIANCE(part.rows, part.rows) + (COVARIANCE.noise + 1e-7) * torch.eye(200)
    assert (torch.linalg.eigvalsh(inner) < 1.001 * COVARIANCE.noise).sum() > 50  # much is hidden
    scaled = at / torch.as_tensor(COVARIANCE.length_scales)
    cross = COVARIANCE.with_gradients(scaled, part.rows)
    exact = COVARIANCE.prior(scaled) - cross @ torch.linalg.solve(inner, cross.mT)
    scale = torch.tensor([1.0, *COVARIANCE.length_scales])
    grown = torch.linalg.eigvals(torch.linalg.solve(exact / (scale[:, None] * scale), found)).real
    assert grown.min() > 1 - 1e-9
    assert grown.max() < 1.001


@pytest.mark.slow
def test_components_that_act_alike_are_found_and_carry_over_to_pairs_never_made() -> None:
    """An optimum in the sum of the first two of seven, of which no sample has both."""
    random = np.random.default_rng(1)
    x = random.uniform(0, 1, (300, 7))
    x[np.arange(300), random.integers(0, 2, 300)] = 0

    def law(rows: np.ndarray) -> np.ndarray:
        return np.exp(-(((rows[:, 0] + rows[:, 1]) - 0.8) ** 2) / 0.1) + 0.3 * rows[:, 2]

    y = law(x)
    middle, spread = x.mean(0), x.std(0)
    standard = torch.as_tensor((y - y.mean()) / y.std())
    pairs = random.uniform(0, 1, (100, 7))
    pairs[:, :2] /= 2
    told = {}
    for sums in (0, 3):
        inputs = torch.as_tensor((x - middle) / spread)
        found = find_covariance(inputs, standard, fractions=7, seed=0, sums=sums)
        assert found.weights.shape == (7, sums)

        def see(rows: np.ndarray, weights: np.ndarray = found.weights) -> torch.Tensor:
            scaled = (rows - middle) / spread
            return torch.as_tensor(np.concatenate([scaled, scaled @ weights], 1))

        part = KernelPart.fit(found, see(x), standard, [np.arange(300)])
        told[sums] = part.values(see(pairs))[0].numpy() * y.std() + y.mean()
    missed = {sums: np.sqrt(np.mean((values - law(pairs)) ** 2)) / law(pairs).std() for sums, values in told.items()}
    assert missed[3] < 0.3
    assert missed[3] < 0.5 * missed[0]


def test_few_components_have_no_sums() -> None:
    x, y = samples(60)
    assert find_covariance(x, (y - y.mean()) / y.std(), fractions=3, seed=0, sums=3).weights.shape == (3, 0)


def test_evidence_and_its_slopes_are_those_of_the_definition() -> None:
    """Rows in two blocks, a plane in both inputs, a bell in both and another in the second."""
    random = torch.Generator().manual_seed(4)
    x, y = (torch.randn(12, *size, generator=random, dtype=torch.float64) for size in ((2,), ()))
    numbers = ([0.3, 0.5], [0.7, 1.1], [0.9, 2.0], 0.2)
    terms = [x, *(torch.tensor(each, dtype=torch.float64) for each in numbers)]
    columns, blocks = [slice(0, 2), slice(1, 2)], [slice(0, 7), slice(7, 12)]

    def by_density(x: torch.Tensor, *others: torch.Tensor) -> torch.Tensor:
        planes, variances, widths, noise = others
        total = torch.zeros((), dtype=torch.float64)
        for rows in blocks:
            a, size = x[rows], rows.stop - rows.start
            covariance = (a * planes) @ a.T + noise * torch.eye(size, dtype=torch.float64)
            for own, variance, width in zip(columns, variances, widths, strict=True):
                covariance = covariance + variance * torch.exp(-(torch.cdist(a[:, own], a[:, own]) ** 2) / 2 / width**2)
            density = torch.distributions.MultivariateNormal(torch.zeros(size, dtype=torch.float64), covariance)
            total = total + density.log_prob(y[rows]) + size / 2 * np.log(2 * np.pi)
        return total

    value, slopes = relevance._likelihood(terms, y, columns, blocks)
    np.testing.assert_allclose(value, float(by_density(*terms)))
    for number, slope in enumerate(slopes):
        for place in np.ndindex(*terms[number].shape):
            moved = []
            for step in (1e-5, -1e-5):
                other = [term.clone() for term in terms]
                other[number][place] += step
                moved.append(float(by_density(*other)))
            np.testing.assert_allclose(float(slope[place]), (moved[0] - moved[1]) / 2e-5, rtol=1e-6, atol=1e-7)


@pytest.mark.slow
def test_what_one_search_finds_others_do_not_use() -> None:
    """Each covariance has the sums of both as inputs, and is the one found, with the same slopes and errors."""
    random = np.random.default_rng(2)
    x = torch.as_tensor(random.normal(size=(40, 4)))
    y = (x[:, 0] + x[:, 1]).sin() + 0.1 * x[:, 3]
    alone = [find_covariance(x, y, 3, 5, sums=1, start=start) for start in (0, 1)]
    both = find_covariances(x, y, 3, 5, sums=1, times=2)
    assert not np.allclose(alone[0].weights, alone[1].weights)
    wide = torch.cat([x[:, :3], x[:, :3] @ torch.as_tensor(both[0].weights), x[:, 3:]], 1)
    for number, (own, shared) in enumerate(zip(alone, both, strict=True)):
        columns = [0, 1, 2, 3 + number, 5]
        expected = KernelPart.fit(own, wide[:, columns], y, [np.arange(40)])
        found = KernelPart.fit(shared, wide, y, [np.arange(40)])
        torch.testing.assert_close(found.values(wide), expected.values(wide[:, columns]))
        torch.testing.assert_close(found.gradients(wide)[1][..., columns], expected.gradients(wide[:, columns])[1])
        assert (found.gradients(wide)[1][..., 4 - number] == 0).all()
        kept = np.ix_(range(40), [0, *(k + 1 for k in columns)], [0, *(k + 1 for k in columns)])
        torch.testing.assert_close(found.posterior(wide)[kept], expected.posterior(wide[:, columns]))


@pytest.mark.slow
def test_a_search_that_ends_far_below_the_best_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    real, evidence = relevance.find_covariance, {0: 100.0, 1: 70.0, 2: 95.0}

    def search(*given: object, start: int, **more: object) -> Covariance:
        return replace(real(*given, start=start, **more), log_likelihood=evidence[start])

    monkeypatch.setattr(relevance, "find_covariance", search)
    x, y = samples(40)
    found = find_covariances(x, y, 3, 0, sums=1, times=3)
    assert [one.log_likelihood for one in found] == [100, 95]
    assert [one.weights.shape for one in found] == [(3, 2), (3, 2)]


def test_members_are_divided_among_parts_and_errors_hold_how_far_these_lie_apart() -> None:
    x, y = samples()
    others = [COVARIANCE, replace(COVARIANCE, length_scales=COVARIANCE.length_scales * 3)]
    seen = [np.arange(30), np.arange(20), np.arange(10, 30)]
    parts = KernelParts.fit(others, x, y, seen)
    one, two = KernelPart.fit(others[0], x, y, seen[:2]), KernelPart.fit(others[1], x, y, seen[2:])
    torch.testing.assert_close(parts.values(x), torch.cat([one.values(x), two.values(x)]))
    whole = [KernelPart.fit(each, x, y, [np.arange(30)]) for each in others]
    told = [torch.cat([values[..., None], slopes], 2)[0] for values, slopes in (part.gradients(x) for part in whole)]
    gap = told[0] - told[1]
    expected = (2 * whole[0].posterior(x) + whole[1].posterior(x)) / 3 + 2 / 9 * gap[:, :, None] * gap[:, None]
    mean, covariance = parts.posterior(x)
    torch.testing.assert_close(mean, (2 * told[0] + told[1]) / 3)
    torch.testing.assert_close(covariance, expected)
    again = KernelParts.from_arrays({name: np.array(value) for name, value in parts.arrays().items()}, "cpu")
    torch.testing.assert_close(again.gradients(x), parts.gradients(x))
    assert len(KernelParts.fit(others, x, y, seen[:1]).parts) == 1


def test_an_interrupt_ends_searches_soon() -> None:
    x, y = samples(60)
    reported: list[int] = []

    class Impatient(Silent):
        def update(self, done: int, text: str = "") -> None:
            reported.append(done)
            if done == 3:
                raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        find_covariances(x, y, 3, 0, sums=1, times=4, progress=Impatient())
    assert len(reported) < 50


def test_a_search_that_begins_with_some_rows_ends_where_one_of_all_rows_does(monkeypatch: pytest.MonkeyPatch) -> None:
    x = torch.rand(160, 3, generator=torch.Generator().manual_seed(0), dtype=torch.float64) * 4 - 2
    noise = torch.randn(160, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    y = x[:, 0].sin() + 0.3 * x[:, 1] + 0.1 * noise
    whole = find_covariance(x, y, fractions=3, seed=0)
    monkeypatch.setattr(relevance, "_SOME", 80)
    steps = []
    begun = find_covariance(x, y, fractions=3, seed=0, step=steps.append)
    assert len(steps) <= sum(relevance._STEPS)
    assert begun.log_likelihood == pytest.approx(whole.log_likelihood, abs=1)
    np.testing.assert_allclose(np.log(begun.length_scales[:2]), np.log(whole.length_scales[:2]), atol=0.2)
