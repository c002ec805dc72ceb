from types import SimpleNamespace

import numpy as np
import pytest
import xarray as xr

from matlens.errors import InputError
from matlens.library.evidence import (
    check_differences,
    check_halves,
    check_insight,
    check_labels,
    check_weights,
    label_null,
    sanity,
    with_random_weights,
)
from matlens.library.gradients import explain_library, gradient_statistics
from matlens.library.model import Gradients, LibraryModel
from matlens.library.table import MaterialsLibrary

NAMES = ("A", "B", "C")
DIMS = ("scheme", "kind", "sample", "component")


def merit(x, spectra):
    return np.sin(4 * x[:, 0]) + x[:, 1] ** 2 * 3 + x[:, 0] * spectra[:, 2] + 0.1 * spectra[:, 0] ** 2


class Analytic(SimpleNamespace):
    """Two members, the second twice the first; ``wrong`` spoils gradients."""

    uses_composition_, uses_spectrum_ = True, True
    wrong_composition = wrong_spectrum = 1.0

    def respond(self, x, spectra):
        value = merit(np.asarray(x), np.asarray(spectra))
        return np.stack([value, 2 * value])

    def gradients(self, x, spectra):
        one = np.stack([4 * np.cos(4 * x[:, 0]) + spectra[:, 2], 6 * x[:, 1], 0 * x[:, 2]], 1) * self.wrong_composition
        other = np.zeros(spectra.shape)
        other[:, 2], other[:, 0] = x[:, 0] * self.wrong_spectrum, 0.2 * spectra[:, 0]
        double = np.array([1.0, 2.0])[:, None, None]
        return Gradients(self.respond(x, spectra), double * one, double * other)


@pytest.fixture(scope="module")
def library():
    rng = np.random.default_rng(0)
    x = rng.dirichlet([1] * 3, 60)
    x[:20, 2] = 0
    x /= x.sum(1, keepdims=True)
    spectra = rng.normal(size=(60, 5))
    return MaterialsLibrary(x, NAMES, {"P": merit(x, spectra)}, {}, spectra, np.arange(5.0))


def test_right_gradients_agree_with_differences_and_wrong_ones_do_not(library):
    right = check_differences(Analytic(), library)
    assert right["what"].tolist() == ["composition", "spectrum"]
    assert right["passed"].all()
    assert right["value"].max() < 1e-3
    wrong = check_differences(Analytic(wrong_composition=1.1), library)
    assert wrong["passed"].tolist() == [False, True]
    wrong = check_differences(Analytic(wrong_spectrum=-1.0), library)
    assert wrong["passed"].tolist() == [True, False]
    assert wrong["value"][1] > 0.5


def test_pure_samples_have_no_way_to_go_and_do_no_harm():
    x = np.concatenate([np.eye(3), np.random.default_rng(0).dirichlet([1] * 3, 10)])
    spectra = np.random.default_rng(1).normal(size=(13, 4))
    pure = MaterialsLibrary(x, NAMES, {"P": np.ones(13)}, {}, spectra, np.arange(4.0))
    assert check_differences(Analytic(), pure)["passed"].all()


def members(values, **more):
    coords = {"scheme": ["dilution"], "kind": ["total"], "component": list(NAMES)}
    data = {"composition_gradient_members": (("model", *DIMS), values), "composition_gradient": (DIMS, values.mean(0))}
    return xr.Dataset(data | more, coords)


def test_halves_of_noise_do_not_agree():
    rng = np.random.default_rng(0)
    shape = (40, 1, 1, 100, 3)
    noise = rng.normal(size=shape)
    signal = rng.normal(size=shape[1:])
    assert abs(check_halves(members(noise))["value"][0]) < 0.2
    # halves of 20 models: signal 1, error 1 / sqrt(20) each, so r = 20 / 21
    found = check_halves(members(noise + signal))
    assert found["value"][0] == pytest.approx(20 / 21, abs=0.01)
    assert found["passed"].tolist() == [True]
    with pytest.raises(InputError, match="four at least"):
        check_halves(members(noise[:3]))


def test_completeness_is_held_to_the_spread_of_predictions():
    data = xr.Dataset({"predicted": ("sample", [0.0, 2.0]), "completeness_error": ("sample", [0.3, -0.3])})
    row = check_insight(data).iloc[0]
    assert (row["check"], row["passed"], row["value"]) == ("completeness", False, pytest.approx(0.3))


@pytest.fixture(scope="module")
def fitted(library):
    plain = library.without_spectra()
    truth = 3 * plain.compositions[:, 0] + 5 * plain.compositions[:, 1] * plain.compositions[:, 2]
    plain = MaterialsLibrary(plain.compositions, NAMES, {"P": truth})
    model = LibraryModel(n_models=6).fit(plain)
    return model, plain, explain_library(model, plain, members=True)


@pytest.mark.slow
def test_a_trained_ensemble_passes_and_random_weights_do_not_look_like_it(fitted, monkeypatch):
    model, plain, insight = fitted
    found = check_insight(insight, model=model, library=plain)
    assert found["check"].tolist() == ["finite differences", "random weights", "halves"]
    assert found["passed"].all()
    monkeypatch.setattr(sanity, "with_random_weights", lambda model, seed: model)
    assert check_weights(model, plain)[["value", "passed"]].to_numpy().tolist() == [[pytest.approx(1), False]]


def test_random_weights_are_the_same_numbers_in_another_order(fitted):
    model, plain, _ = fitted
    other = with_random_weights(model, seed=3)
    before = model.respond(plain.compositions, None)
    for name, values in model.ensemble_.networks.parameters.items():
        mixed = other.ensemble_.networks.parameters[name]
        assert mixed.shape == values.shape
        for member in range(6):
            assert sorted(mixed[member].flatten().tolist()) == sorted(values[member].flatten().tolist())
    assert abs(np.corrcoef(other.respond(plain.compositions, None).mean(0), before.mean(0))[0, 1]) < 0.95
    np.testing.assert_array_equal(model.respond(plain.compositions, None), before)


@pytest.mark.slow
def test_gradients_collapse_where_labels_are_permuted(fitted):
    _, plain, insight = fitted

    def fit(permuted, number):
        return explain_library(LibraryModel(n_models=6, seed=number + 1).fit(permuted), permuted, members=True)

    null = label_null(fit, plain, permutations=3)
    found = check_labels(insight, null)
    assert found["check"].tolist() == ["permuted labels", "size"]
    assert found["passed"].all()
    itself = gradient_statistics(insight).expand_dims("permutation")
    assert not check_labels(insight, itself)["passed"].any()


def test_channels_that_do_not_vary_do_not_count():
    """Permuted labels leave large gradients where no spectrum ever differs; they are none of the material."""
    rng = np.random.default_rng(0)
    slopes = np.r_[1.0, 1.0, 0.1] * np.ones((40, 3))
    coords = {"scheme": ["dilution"], "kind": ["total"], "component": list(NAMES)}
    data = {
        "composition_gradient": (DIMS, np.ones((1, 1, 40, 3))),
        "spectral_gradient": (("sample", "axis"), slopes),
        "spectrum": (("sample", "axis"), rng.normal(size=(40, 3)) * [1, 1, 0.001]),
    }
    insight = xr.Dataset(data, coords)
    null = gradient_statistics(insight.assign(spectral_gradient=insight.spectral_gradient * 0 + [0.1, -0.1, 9.0]))
    found = check_labels(insight, null.expand_dims("permutation")).set_index(["check", "what"])
    assert found.loc[("size", "spectrum"), "value"] == pytest.approx(0.1, rel=0.01)
    assert found.loc[("permuted labels", "spectrum"), "passed"]
