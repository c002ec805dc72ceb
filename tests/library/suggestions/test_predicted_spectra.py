"""A composition that was not made has no spectrum yet: what is said of it rests on predicted ones."""

import numpy as np
import pytest

from matlens import LibraryModel, MaterialsLibrary, suggest
from matlens.library.gradients import explain_library, fit_averaged_trend, fit_composition_response
from matlens.library.suggestions.left_out_regions import leave_regions_out, regions_of

AXIS = np.linspace(100, 1000, 120)


def band(centre: float, width: float) -> np.ndarray:
    return np.exp(-0.5 * ((AXIS - centre) / width) ** 2)


def with_states(seed: int, n: int = 80) -> MaterialsLibrary:
    """A state that composition does not know shows in a band and counts: P = 1.5 Fe - Co + 1.2 (h - 1)."""
    random = np.random.default_rng(seed)
    x, h = random.dirichlet([1, 1, 1], n), random.uniform(0.5, 1.5, n)
    bands = x[:, [0]] * band(280, 22) + x[:, [1]] * band(520, 25) + 0.3 * h[:, None] * band(760, 20)
    spectra = 100 * bands + 2 * random.normal(size=bands.shape) + 20
    merit = 1.5 * x[:, 0] - x[:, 1] + 1.2 * (h - 1) + 0.03 * random.normal(size=n)
    return MaterialsLibrary(x, ("Fe", "Co", "Ni"), {"P": merit}, {}, spectra, AXIS)


def true_gradients(x: np.ndarray) -> np.ndarray:
    return (np.array([1.5, -1, 0]) - (1.5 * x[:, [0]] - x[:, [1]])) / (1 - x) / 100


@pytest.mark.slow
def test_hidden_states_count_for_the_errors_of_gradients_and_suggestions() -> None:
    inside, suggested = [], []
    for seed in (200, 201, 202):
        library = with_states(seed)
        model = LibraryModel(n_models=10, seed=seed).fit(library)
        insight = explain_library(model, library).sel(scheme="dilution", kind="total")
        error = np.abs(insight.composition_gradient - true_gradients(library.compositions))
        inside.append(float((error <= 1.645 * insight.composition_gradient_error).mean()))
        found = suggest(model, library, n=5)
        x = found[["Fe", "Co", "Ni"]].to_numpy() / 100
        truth = 1.5 * x[:, 0] - x[:, 1]
        suggested.append(float(((found["low"] <= truth) & (truth <= found["high"])).mean()))
    assert np.mean(inside) >= 0.8  # about half without the chance correlation of state and composition
    assert np.mean(suggested) >= 0.8  # none with errors of spectra that were recorded


def test_errors_with_the_recorded_spectra_are_the_held_out_ones() -> None:
    library = with_states(0, 40)
    model = LibraryModel(n_models=12).fit(library)
    np.testing.assert_allclose(model.held_out_with(library.spectra), model.held_out_, atol=1e-5)
    response = fit_composition_response(library)
    predicted = model.held_out_with(response.corrected - response.residual)
    missed = [np.nanmean((each - library.merit()) ** 2) for each in (predicted, model.held_out_)]
    assert missed[0] > 3 * missed[1]  # the state is unknown before a sample is made


def test_predicted_spectra_stay_within_what_was_measured() -> None:
    library = with_states(1, 60)
    response = fit_composition_response(library)
    far = np.array([[5.0, -4.0, 0.0], [-3.0, 1.0, 3.0]])  # where a smooth function leaves any range
    bounded = response.bounded(response.predict(far))
    assert (bounded >= response.corrected.min(0) - 1e-12).all()
    assert (bounded <= response.corrected.max(0) + 1e-12).all()
    inside = response.predict(library.compositions)
    assert np.abs(response.bounded(inside) - inside).mean() < 0.1


@pytest.mark.parametrize("noisy", [False, True])
def test_averaged_processes_hold_the_truth(noisy: bool) -> None:
    """90 % intervals of value and gradient, with a signal and with noise alone, over 40 small sets of data."""
    inside = []
    for seed in range(40):
        random = np.random.default_rng(seed)
        x = random.dirichlet([1, 1, 1], 30)
        truth = 0 * x[:, 0] if noisy else np.sin(4 * x[:, 0])
        trend = fit_averaged_trend(x, truth + (1.0 if noisy else 0.1) * random.normal(size=30))
        way = np.array([1.0, -0.5, -0.5])
        slope = 0.0 if noisy else 4 * np.cos(4 * 0.3)
        place = np.array([[0.3, 0.35, 0.35]])
        value = 0.0 if noisy else np.sin(4 * 0.3)
        error = np.sqrt(way @ trend.gradient_covariances(place)[0] @ way)
        inside += [
            abs(trend.predict(place)[0] - value) <= 1.645 * trend.deviation(place)[0],
            abs(trend.gradients(place)[0] @ way - slope) <= 1.645 * error,
        ]
    assert 0.8 <= np.mean(inside) <= (1.0 if noisy else 0.98)


def test_intervals_are_stretched_where_left_out_regions_are_missed() -> None:
    """A smooth law is predicted in left-out regions nearly as well as claimed; one with two islands is not."""
    factors = []
    for seed in range(6):
        random = np.random.default_rng(seed)
        x = random.dirichlet([1, 1, 1], 90)
        smooth = x[:, 0] + 0.02 * random.normal(size=90)
        island = np.abs(x[:, None] - [[0.15, 0.7, 0.15], [0.7, 0.15, 0.15]]).sum(2).min(1) < 0.3
        each = [smooth, smooth + 3.0 * island]
        number = np.arange(90)
        region = regions_of(x, number)
        left = [leave_regions_out(x, number, region, value, value - x[:, 0]) for value in each]
        factors.append([one.stretch(0.5) for one in left])
    assert np.min(factors) >= 1
    assert np.max(factors) <= 3
    assert np.mean(factors, axis=0)[0] < np.mean(factors, axis=0)[1]


def test_few_compositions_stretch_nothing() -> None:
    x = np.random.default_rng(0).dirichlet([1, 1, 1], 20)
    assert regions_of(x, np.arange(20)) is None
