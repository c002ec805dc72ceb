"""Mixtures of models: weights with a known answer, gradients, intervals and files."""

import numpy as np
import pytest
import torch

from matlens import LibraryModel, MaterialsLibrary, explain, suggest
from matlens.library.stacking import MEMBERS, StackedModel, fit_stack, read_library_model, stack_weights
from matlens.library.stacking.left_out_ensemble import LeftOutEnsemble
from matlens.library.stacking.weights import LeftOut
from matlens.library.suggestions.predictive import PredictiveDistribution


def library(seed: int = 0, n: int = 60, spectra: bool = False) -> MaterialsLibrary:
    random = np.random.default_rng(seed)
    x = random.dirichlet([1, 1, 1], n)
    value = x[:, 0] - 2 * x[:, 1] + 0.02 * random.normal(size=n)
    axis = np.arange(30.0)
    bands = x[:, [0]] * np.exp(-0.5 * ((axis - 10) / 3) ** 2) + 0.01 * random.normal(size=(n, 30))
    return MaterialsLibrary(
        x, ("Fe", "Co", "Ni"), {"P": value}, {"P": "mW"}, bands if spectra else None, axis if spectra else None
    )


def test_weights_are_those_of_the_best_convex_combination() -> None:
    random = np.random.default_rng(0)
    y = random.normal(size=4000)
    errors = random.normal(size=(4000, 3)) * [0.1, 0.2, 5]
    found = stack_weights(y, y[:, None] + errors)
    np.testing.assert_allclose(
        found, [0.8, 0.2, 0], atol=0.02
    )  # in proportion to 1 / variance, as errors are independent
    assert found.sum() == pytest.approx(1)
    np.testing.assert_allclose(stack_weights(np.zeros(2), np.ones((2, 3))), 1 / 3, atol=1e-6)  # nothing to tell


@pytest.mark.slow
def test_processes_find_the_weights_that_threads_find(monkeypatch: pytest.MonkeyPatch) -> None:
    known = library(n=12)
    threads = StackedModel(n_models=1, resample="groups").fit(known)
    monkeypatch.setattr("matlens.library.stacking.model._MANY", 8)
    before = torch.get_num_threads()
    torch.set_num_threads(2)  # with one thread there are no processes
    try:
        processes = StackedModel(n_models=1, resample="groups").fit(known)
    finally:
        torch.set_num_threads(before)
    assert processes.stack_ == threads.stack_


def left_out(regions: int, scale: float = 1.0) -> LeftOut:
    """One model is right among measured compositions, and the other one in new regions; half-widths of 1."""
    random = np.random.default_rng(1)
    n = 400
    y, region = random.normal(size=n), np.r_[np.full(200, -1), np.arange(200) % max(regions, 1)]
    good = y + scale * random.normal(size=n) / 1.645
    bad = random.normal(size=n)
    far = (region >= 0).astype(float)
    predicted = np.where(far[:, None] > 0, np.stack([bad, good], 1), np.stack([good, bad], 1))
    found = LeftOut(y, predicted, np.ones((n, 2)), far, np.arange(n), region)
    return found if regions else found.select(region < 0)


def test_each_question_has_its_weights_and_its_intervals() -> None:
    stack = fit_stack(left_out(10, scale=0.3))
    assert stack.near[0] > 0.9 > 0.1 > stack.far[0]
    assert stack.calibrated == (True, True)
    mean, half = stack.interval(np.array([[0.0, 5.0]] * 2), np.ones((2, 2)), np.array([0.0, 1.0]))
    assert mean[0] < 1
    assert mean[1] > 4
    one = np.array([[0.0, 0.0]])
    assert stack.interval(one, np.ones((1, 2)), np.zeros(1))[1][0] == pytest.approx(0.3, rel=0.3)  # too wide before
    assert (half > 0).all()


def test_fewer_than_nine_groups_calibrate_nothing() -> None:
    few = fit_stack(left_out(5))
    assert few.calibrated == (True, False)
    assert few.far_factor >= 1  # the model's own interval, or wider
    assert fit_stack(left_out(0)).far_groups == 0


def test_left_out_ensembles_are_like_others_until_samples_are_many(monkeypatch: pytest.MonkeyPatch) -> None:
    known = library(n=40)
    first, second = (kind(n_models=2).fit(known).predict(known) for kind in (LibraryModel, LeftOutEnsemble))
    np.testing.assert_array_equal(first, second)
    monkeypatch.setattr(LeftOutEnsemble, "_searched", 30)
    fewer = LeftOutEnsemble(n_models=2).fit(known)
    assert not np.array_equal(fewer.predict(known), first)
    assert len(fewer.ensemble_.kernel.parts[0].rows) == 40  # all samples carry it
    assert fewer.score(known) > 0.99


@pytest.mark.slow
@pytest.mark.parametrize("spectra", [False, True])
def test_the_mixture_predicts_and_differentiates_as_its_members_do(spectra: bool, tmp_path) -> None:
    known = library(spectra=spectra)
    model = StackedModel(n_models=3).fit(known)
    assert model.shares().sum() == pytest.approx(1)
    assert model.shares()[0] < 0.5  # a linear law: ridge regression is best
    x, s = known.compositions[:5], known.spectra[:5] if spectra else None
    each = [part.respond(x, s).mean(0) for part in (model.alone_, *model.others_)]
    np.testing.assert_allclose(model.respond(x, s).mean(0), model.shares() @ np.array(each), atol=1e-6)
    by_part = model.gradients_by_part(x, s)
    alone = model.alone_.gradients(x, s)
    np.testing.assert_allclose(by_part.composition[0], alone.composition.mean(0), rtol=1e-4, atol=1e-5)
    if spectra:
        np.testing.assert_allclose(by_part.spectrum[0], alone.spectrum.mean(0), rtol=1e-4, atol=1e-5)
    errors = [model.gradient_errors(x, s, **more).covariance for more in ({}, {"by_part": by_part})]
    np.testing.assert_array_equal(*errors)
    step = 1e-4 * np.array([1, -1, 0])
    ahead, behind = (model.respond(x + sign * step, s).mean(0) for sign in (1, -1))
    slope = model.gradients(x, s).composition.mean(0) @ [1, -1, 0]
    np.testing.assert_allclose((ahead - behind) / 2e-4, slope, rtol=0.02, atol=0.01)
    again = read_library_model(model.save(tmp_path / "model"))
    assert isinstance(again, StackedModel)
    np.testing.assert_array_equal(again.predict(known), model.predict(known))
    np.testing.assert_array_equal(again.predict_interval(known), model.predict_interval(known))
    ends = model.predict_interval(library(seed=1, spectra=spectra))
    value = library(seed=1, spectra=spectra).merit()
    assert 0.8 <= ((ends[:, 0] <= value) & (value <= ends[:, 1])).mean() <= 1
    insight = explain(model)
    assert np.isfinite(insight["composition_gradient_error"].sel(kind="total", scheme="dilution")).all()
    assert len(suggest(model, known, n=2)) == 2


def test_an_ensemble_stays_one(tmp_path) -> None:
    model = LibraryModel(n_models=2).fit(library())
    again = read_library_model(model.save(tmp_path / "model"))
    assert type(again) is LibraryModel
    assert len(MEMBERS) == 4


class TwoKinds:
    """Stands for a mixture of two kinds that are one unit apart everywhere, with weights of .8 and .2."""

    components_, axis_, uses_spectrum_, uses_composition_ = ("A", "B"), None, False, True
    members_, preprocessing_, target_, unit_ = 1, None, "P", ""

    def respond(self, compositions, spectra):
        return np.full((1, len(compositions)), 0.2)

    def kinds(self, compositions, spectra):
        shape = (2, len(compositions))
        return np.broadcast_to([[0.0], [1.0]], shape), np.broadcast_to([[0.8], [0.2]], shape)


def test_where_kinds_differ_a_prediction_at_a_new_composition_is_as_uncertain() -> None:
    known = PredictiveDistribution(TwoKinds(), None, None)
    x = np.array([[0.3, 0.7], [0.6, 0.4]])
    mean, deviation = known.moments(x)
    np.testing.assert_allclose(mean, 0.2)
    np.testing.assert_allclose(deviation, 0.4)  # the root of .8 * .2
    draws = known.draws(x, 2000)
    np.testing.assert_allclose(draws.std(0), 0.4, rtol=0.05)
    np.testing.assert_allclose(draws[:, 0], draws[:, 1])  # one kind is right everywhere
