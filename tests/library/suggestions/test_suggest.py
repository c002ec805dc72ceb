"""Suggestions against known optima, and expectations against what they are made of."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from matlens import Campaign, InputError, Limits, MaterialsLibrary, plate_list, suggest
from matlens.library.baselines import BASELINES
from matlens.library.model import Gradients
from matlens.library.suggestions import predictive_distribution
from matlens.library.suggestions.campaign import batch

NAMES = ("A", "B", "C")
PEAK = np.array([0.4, 0.35, 0.25])


def truth(x):
    return 5 - 20 * ((np.asarray(x) - PEAK) ** 2).sum(-1)


class Oracle:
    """A model that knows the truth; its members disagree by a slope along A."""

    members_, uses_composition_, uses_spectrum_, axis_, preprocessing_ = 3, True, False, None, None
    target_, unit_, components_ = "P", "mW", NAMES

    def __init__(self, disagreement=0.0, sign=1):
        self.disagreement, self.sign = disagreement, sign

    def fit(self, library, target=None):
        return self

    def respond(self, compositions, spectra):
        x = np.asarray(compositions)
        tilt = np.array([-1.0, 0.0, 1.0])[:, None] * self.disagreement * x[:, 0]
        return self.sign * truth(x) + tilt

    def gradients(self, compositions, spectra, *, progress=None):
        x = np.asarray(compositions)
        slope = np.repeat(-40 * (x - PEAK)[None], 3, 0)
        return Gradients(self.respond(x, None), slope.astype(np.float32), None)


def library(seed=0, n=40, noise=0.0):
    """Compositions poor in C: the optimum lies beyond them, but within a quarter of their range."""
    rng = np.random.default_rng(seed)
    x = rng.dirichlet([5, 5, 1], n)
    x = x[x[:, 2] < 0.22]
    x[: len(x) // 3, 2] = 0
    x /= x.sum(1, keepdims=True)
    return MaterialsLibrary(x, NAMES, {"P": truth(x) + noise * rng.normal(size=len(x))}, {"P": "mW"})


def test_the_optimum_is_found_and_told() -> None:
    known = library()
    limits = Limits(increment=0.01, bounds={"C": (0, 0.3)})
    found = suggest(Oracle(), known, n=5, campaign=Campaign(limits=limits))
    best = found.iloc[0]
    x = found[list(NAMES)].to_numpy() / 100
    assert np.abs(x[0] - PEAK).max() <= 0.02
    assert best["expected"] == pytest.approx(truth(x[0]), abs=1e-2)
    start = known.compositions[list(known.samples).index(best["sample"])]
    assert best["start"] == pytest.approx(truth(start), abs=1e-2)
    top = truth(known.compositions).max()
    assert best["gain"] == pytest.approx(truth(x[0]) - top, abs=2e-2)
    assert best["step"] == pytest.approx(50 * np.abs(x[0] - start).sum())
    assert best["chance"] == 1
    assert found["rank"].tolist() == [1, 2, 3, 4, 5]
    assert found.attrs["best"] == pytest.approx(truth(known.compositions).max(), abs=1e-2)
    np.testing.assert_allclose(x.sum(1), 1)
    np.testing.assert_allclose(np.rint(100 * x), 100 * x, atol=1e-6)
    apart = 0.5 * np.abs(x[:, None] - x[None]).sum(2)
    assert (apart + np.eye(5)).min() >= 0.02 - 1e-9  # two increments


def test_limits_and_support_are_kept() -> None:
    known = library()
    tight = Limits(increment=0.01, bounds={"C": (0, 0.1), "A": (0.45, 1)}, forbidden=(("B", "C"),))
    found = suggest(Oracle(), known, n=4, campaign=Campaign(limits=tight))
    x = found[list(NAMES)].to_numpy() / 100
    assert (x[:, 0] >= 0.45 - 1e-9).all()
    assert (x[:, 2] <= 0.1 + 1e-9).all()
    assert not ((x[:, 1] > 0) & (x[:, 2] > 0)).any()
    sure = suggest(Oracle(), known, n=8, campaign=Campaign(least_support=2))
    assert (sure["support"] == 2).all()
    closed = {name: (float(value), float(value)) for name, value in zip(NAMES, known.compositions[0], strict=True)}
    with pytest.raises(InputError, match="no move is left"):
        suggest(Oracle(), known, campaign=Campaign(limits=Limits(bounds=closed)))


def test_small_figures_of_merit_may_be_wanted() -> None:
    known = library()
    most = suggest(Oracle(), known, n=3, campaign=Campaign(seed=1))
    turned = known.merits * -1
    flipped = MaterialsLibrary(known.compositions, NAMES, turned, known.merit_units)
    least = suggest(Oracle(sign=-1), flipped, n=3, campaign=Campaign(seed=1, minimise=True))
    assert least[list(NAMES)].to_numpy().tolist() == most[list(NAMES)].to_numpy().tolist()
    np.testing.assert_allclose(least["expected"], -most["expected"], atol=1e-2)
    assert (least["chance"] == most["chance"]).all()


def test_members_that_disagree_widen_intervals_and_spread_the_batch() -> None:
    known = library()
    calm = suggest(Oracle(), known, n=6)
    torn = suggest(Oracle(disagreement=8.0), known, n=6)
    assert (torn["high"] - torn["low"]).min() > 5 * (calm["high"] - calm["low"]).max()
    x = torn[list(NAMES)].to_numpy() / 100
    members = Oracle(8.0).respond(x, None)
    np.testing.assert_allclose(torn["low"], members.min(0), atol=0.05)
    np.testing.assert_allclose(torn["high"], members.max(0), atol=0.05)


def test_a_batch_does_not_bet_on_one_guess() -> None:
    """Where members want opposite things, the second suggestion is not a neighbour of the first."""
    known = library()
    found = suggest(Oracle(disagreement=30.0), known, n=2, campaign=Campaign(limits=Limits(bounds={"A": (0.2, 0.8)})))
    a = found["A"].to_numpy() / 100
    assert a.max() > 0.6  # what the last member wants
    assert a.min() < 0.45  # with the best mean, which a measurement of the first would leave


def test_a_batch_has_the_best_bounds_once_those_before_are_known() -> None:
    """The bounds are 3, 2.9, 2 and 1, but the second composition is known by the first, of which it is a copy."""
    first, third = np.random.default_rng(0).normal(size=(2, 4000))
    first, third = ((each - each.mean()) / each.std() for each in (first, third))
    gains = np.stack([1 + first, 0.9 + first, third, np.ones(4000)], axis=1)
    places = np.eye(4)
    assert batch(gains, places, 1, 0.0, 0.0).tolist() == [0]
    assert sorted(batch(gains, places, 2, 0.0, 0.0)) == [0, 2]  # bounds that learn nothing would choose 0 and 1
    assert sorted(batch(gains, places, 2, 0.0, 9.0)) == [0, 1]  # one noisy measurement tells little of the copy
    assert sorted(batch(gains, places, 3, 0.0, 0.0)) == [0, 2, 3]
    assert batch(gains, places, 4, 0.0, 0.0).tolist() == sorted(range(4), key=lambda row: -np.median(gains[:, row]))
    assert batch(gains[:, 1:], places[1:], 2, 1.1, 0.0).tolist() == [0]  # the others are not far enough apart


def test_two_views_meet_by_how_well_they_predict() -> None:
    known = library(n=80)
    model = Oracle()
    model.held_out_ = known.merit() + 0.5 * np.sin(np.arange(len(known)))  # poor where it has not seen
    predictive = predictive_distribution(model, known)
    assert predictive.second is not None
    assert predictive.weight < 0.05  # a smooth truth without noise: the Gaussian process is nearly perfect
    x = known.compositions[:5]
    alone = replace(predictive, second=None).expected(x)
    both = predictive.weight * alone + (1 - predictive.weight) * predictive.second.predict(x)
    np.testing.assert_allclose(predictive.expected(x), both)
    draws = predictive.draws(x, 2000)
    np.testing.assert_allclose(draws.mean(0), both, atol=0.05)
    np.testing.assert_allclose(draws.std(0), predictive.moments(x)[1], atol=0.03)


def test_gradients_of_insight_stand_beside_the_moves() -> None:
    known = library()
    values = np.arange(2 * 2 * len(known) * 3, dtype=float).reshape(2, 2, len(known), 3)
    dims = ("scheme", "kind", "sample", "component")
    insight = xr.Dataset(
        {
            "composition_gradient": (dims, values),
            "composition_gradient_spread": (dims, -values),
            "exchange_host": ("component", ["A", "A", "A"]),
        },
        {
            "scheme": ["dilution", "exchange"],
            "kind": ["partial", "total"],
            "sample": list(known.samples),
            "component": list(NAMES),
        },
    )
    found = suggest(Oracle(), known, insight, n=10, campaign=Campaign(moves=1))
    told = found.dropna(subset="gradient")
    assert len(told) > 0
    for row in told.to_dict("records"):
        changed = [change.split()[0] for change in row["move"].split(", ")]  # the largest change first
        component = next(name for name in changed if name != row["scheme"].removeprefix("exchange with "))
        scheme = "dilution" if row["scheme"] == "dilution" else "exchange"
        expected = insight["composition_gradient"].sel(
            scheme=scheme, kind="total", sample=row["sample"], component=component
        )
        assert row["gradient"] == float(expected)
        assert row["gradient_spread"] == -float(expected)


def test_plate_list() -> None:
    found = suggest(Oracle(), library(), n=14)
    plate = plate_list(found)
    assert plate["well"].tolist() == [*(f"A{k}" for k in range(1, 13)), "B1", "B2"]
    pd.testing.assert_frame_equal(plate[list(NAMES)], found[list(NAMES)])
    many = pd.concat([found] * 8, ignore_index=True)
    assert plate_list(many, NAMES)["well"].tolist()[95:98] == ["1-H12", "2-A1", "2-A2"]


def test_the_model_must_know_the_components() -> None:
    other = MaterialsLibrary([[0.5, 0.5], [0.4, 0.6]], ("A", "X"), {"P": [1, 2]})
    with pytest.raises(InputError, match="A, B, C, the library has A, X"):
        suggest(Oracle(), other)
    with pytest.raises(InputError, match="at least 1"):
        suggest(Oracle(), library(), n=0)
    with pytest.raises(InputError):
        Campaign(moves=3)


def test_held_out_errors_correct_expectations_and_grow_into_the_unknown() -> None:
    known = library(n=80)
    model = Oracle()
    bias = 2 * known.compositions[:, 2] - 0.2
    model.held_out_ = known.merit() - bias  # the model misses this much where it has not seen a composition
    predictive = replace(predictive_distribution(model, known), second=None)
    np.testing.assert_allclose(predictive.expected(known.compositions), truth(known.compositions) + bias, atol=0.02)
    far = np.array([[0.05, 0.05, 0.9]])
    near = known.compositions[:1]
    assert predictive.draws(far, 400).std() > 5 * predictive.draws(near, 400).std()
    assert np.corrcoef(predictive.draws(near.repeat(2, 0), 400).T)[0, 1] > 0.99  # the same composition, the same error


class Reader(Oracle):
    """Reads the figure of merit from the first channel alone."""

    uses_spectrum_, members_ = True, 1
    axis_ = np.arange(6.0)

    def respond(self, compositions, spectra):
        return np.asarray(spectra)[None, :, 0]


def test_the_spectrum_follows_the_composition() -> None:
    base = library(n=80)
    rng = np.random.default_rng(1)
    weights = rng.normal(size=(3, 6))
    spectra = base.compositions @ weights
    known = base.with_spectra(spectra + 1e-4 * rng.normal(size=spectra.shape), np.arange(6.0))
    x = np.array([[0.5, 0.3, 0.2], [0.6, 0.4, 0.0]])
    members = predictive_distribution(Reader(), known).members(x)
    np.testing.assert_allclose(members[0], (x @ weights)[:, 0], atol=5e-3)


def test_the_best_measured_value_is_a_mean_of_measured_values() -> None:
    known = library()
    found = suggest(Oracle(), known, n=1)
    means = pd.Series(known.merit()).groupby(known.replicates()).agg(["mean", "size"])
    best = means["mean"].idxmax()
    assert found.attrs["measured"] == pytest.approx(means.loc[best, "mean"])
    assert found.attrs["measured_samples"] == means.loc[best, "size"]
    at = known.compositions[known.replicates() == best][:1]
    assert found.attrs["best"] == pytest.approx(float(truth(at)[0]), abs=0.05)
    assert known.replicates()[known.samples.index(found.attrs["best_sample"])] == best


def test_a_lucky_measurement_is_not_the_best_composition() -> None:
    """Replicates are pooled: one reading far too high among five does not make its composition the best one."""
    base = library(n=80)
    medium = int(np.argsort(truth(base.compositions))[len(base) // 2])
    x = np.concatenate([base.compositions, np.repeat(base.compositions[[medium]], 4, 0)])
    value = truth(x)
    value[medium] = value.max() + 0.1
    found = suggest(Oracle(), MaterialsLibrary(x, NAMES, {"P": value}), n=3)
    best = base.compositions[base.samples.index(found.attrs["best_sample"])]
    assert truth(best) == pytest.approx(truth(base.compositions).max(), abs=0.05)
    assert found.attrs["measured"] < value[medium]


def test_the_reason_of_a_suggestion_follows_the_rule_of_its_support() -> None:
    """Supported: measured compositions around; unsupported: beyond a range, far from all, or pairs never measured."""
    found = suggest(Oracle(), library(), n=30, campaign=Campaign(limits=Limits(bounds={"C": (0, 1)}, increment=0.02)))
    assert set(found["support"]) >= {2, 0}
    for support, reason in found[["support", "reason"]].to_numpy():
        assert ("as near as neighbours usually are" in reason) == (support == 2)
        if support == 2:
            assert int(reason.split()[0]) >= 2


def measured_around(optimum: np.ndarray, seed: int) -> tuple[MaterialsLibrary, np.ndarray]:
    """A grid of 5 % that is measured around the optimum (all nodes within 15 %) and in five far nodes; free nodes."""
    grid = np.array([(a, b, 20 - a - b) for a in range(21) for b in range(21 - a)]) / 20
    far = np.array([[1, 0, 0], [0, 1, 0], [0, 0, 1], [0.5, 0, 0.5], [0, 0.25, 0.75]])
    there = 0.5 * np.abs(grid - optimum).sum(1) <= 0.151
    there |= np.abs(grid[:, None] - far).sum(2).min(1) < 1e-9
    x = grid[there]
    noise = 5e3 * np.random.default_rng(seed).normal(size=len(x))
    return MaterialsLibrary(x, NAMES, {"P": costs(x, optimum) + noise}), grid[~there]


def costs(x: np.ndarray, optimum: np.ndarray) -> np.ndarray:
    return 1e5 + 4e6 * ((x - optimum) ** 2).sum(-1)


@pytest.mark.parametrize("seed", range(3))
def test_where_the_optimum_is_measured_the_best_free_compositions_come_first(seed: int) -> None:
    optimum = np.array([0.2, 0.75, 0.05])
    known, free = measured_around(optimum, seed)
    model = BASELINES["gaussian-process"]().fit(known)
    found = suggest(model, known, n=6, campaign=Campaign(limits=Limits(increment=0.05), minimise=True))
    x = found[list(NAMES)].to_numpy() / 100
    best = predictive_distribution(model, known).expected(free).min()
    assert (found["expected"][:3] <= 1.1 * best).all()
    assert (costs(x[:3], optimum) <= 1.1 * costs(free, optimum).min()).all()
    assert found["gain"].is_monotonic_increasing  # less is better
    assert (found["gain"] > 0).all()
    assert found.attrs["open"] == 0  # all neighbours of the optimum are measured: a smaller step is needed
    assert costs(optimum, optimum) == pytest.approx(found.attrs["best"], rel=0.05)


def test_the_rank_is_the_expected_gain_over_the_best_measured_composition() -> None:
    found = suggest(Oracle(disagreement=8.0), library(), n=8)
    assert found["gain"].is_monotonic_decreasing
    np.testing.assert_allclose(found["gain"] > 0, found["chance"] > 0.5)  # medians: no gain with a small chance
