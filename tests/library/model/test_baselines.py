"""Baselines against reference implementations, finite differences, and libraries with known gradients."""

from functools import cache

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.cross_decomposition import PLSRegression
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.gaussian_process.kernels import RBF, ConstantKernel, DotProduct, WhiteKernel
from sklearn.kernel_ridge import KernelRidge as SklearnKernelRidge
from sklearn.linear_model import Ridge as SklearnRidge

from matlens.errors import InputError
from matlens.library.baselines import BASELINES, BaselineModel
from matlens.library.baselines.gaussian_process import GaussianProcess
from matlens.library.baselines.kernel_ridge import KernelRidge
from matlens.library.baselines.linear import PartialLeastSquares, Ridge
from matlens.library.model import Response
from matlens.library.model.inputs import Blocks
from matlens.library.spectra import BandMaximum, Crop, Preprocessing
from matlens.library.table import MaterialsLibrary

SMOOTH = ("ridge", "pls", "kernel-ridge", "gaussian-process")
CURVED = ("kernel-ridge", "gaussian-process", "random-forest")
AXIS = np.linspace(100.0, 200.0, 60)
PREPARE = Preprocessing([Crop(105, 195), BandMaximum(150, 170)])


@cache
def known(seed: int = 0, count: int = 150, noise: float = 0.05) -> MaterialsLibrary:
    """P = 10 a b + 2 c - shift, where the shift moves a band at fixed composition; D is never there."""
    random = np.random.default_rng(seed)
    fractions = np.c_[random.dirichlet(np.ones(3), count), np.zeros(count)]
    shift = random.normal(size=count)
    place = (130 + 3 * shift + 10 * fractions[:, 2])[:, None]
    spectra = np.exp(-0.5 * ((AXIS - place) / 6) ** 2) + 1.5 * np.exp(-0.5 * ((AXIS - 160) / 5) ** 2)
    spectra *= random.uniform(0.5, 2.0, (count, 1))  # counts that only the normalisation removes
    merit = truth(fractions) - shift + noise * random.normal(size=count)
    return MaterialsLibrary(fractions, ("A", "B", "C", "D"), {"P": merit}, {"P": "mW"}, spectra, AXIS, axis_unit="cm-1")


def truth(fractions: np.ndarray) -> np.ndarray:
    found: np.ndarray = 10 * fractions[:, 0] * fractions[:, 1] + 2 * fractions[:, 2]
    return found


@cache
def fitted(method: str, inputs: str) -> BaselineModel:
    chain = None if inputs == "composition" else PREPARE
    library = known() if inputs != "composition" else composition_only()
    return BASELINES[method](inputs=inputs, preprocessing=chain).fit(library)


@cache
def composition_only() -> MaterialsLibrary:
    random = np.random.default_rng(5)
    fractions = np.c_[random.dirichlet(np.ones(3), 150), np.zeros(150)]
    merit = truth(fractions) + 0.05 * random.normal(size=150)
    return MaterialsLibrary(fractions, ("A", "B", "C", "D"), {"P": merit})


@pytest.mark.slow
@pytest.mark.parametrize("inputs", ["composition", "spectrum", "both"])
@pytest.mark.parametrize("method", list(BASELINES))
def test_shapes_and_protocol(method: str, inputs: str) -> None:
    model, library = fitted(method, inputs), known().select(np.arange(7))
    assert isinstance(model, Response)
    assert (model.uses_composition_, model.uses_spectrum_) == (inputs != "spectrum", inputs != "composition")
    found = model.gradients(library.compositions, library.spectra)
    assert (found.members, found.samples) == (1, 7)
    np.testing.assert_allclose(found.values, model.respond(library.compositions, library.spectra))
    assert found.composition.shape == (1, 7, 4)
    assert found.composition.dtype == np.float32
    assert (found.spectrum is None) == (inputs == "composition")
    if inputs == "spectrum":
        assert not found.composition.any()
    if found.spectrum is not None:
        assert found.spectrum.shape == (1, 7, 60)
        assert not found.spectrum[..., AXIS < 105].any()
        # The band's maximum divides, so that a common factor of all intensities changes nothing.
        along = np.einsum("nc,nc->n", found.spectrum[0], library.spectra)
        np.testing.assert_allclose(along, 0, atol=1e-4 * np.abs(found.spectrum).max() * 60)


@pytest.mark.slow
@pytest.mark.parametrize("inputs", ["composition", "spectrum", "both"])
@pytest.mark.parametrize("method", SMOOTH)
def test_gradients_agree_with_finite_differences(method: str, inputs: str) -> None:
    model, library = fitted(method, inputs), known().select(np.arange(5))
    found = model.gradients(library.compositions, library.spectra)
    random = np.random.default_rng(1)
    moves = 1e-5 * random.normal(size=(5, 4)), 1e-5 * random.normal(size=(5, 60))
    ahead = model.respond(library.compositions + moves[0], library.spectra + moves[1])[0]
    behind = model.respond(library.compositions - moves[0], library.spectra - moves[1])[0]
    told = np.einsum("nk,nk->n", found.composition[0].astype(float), moves[0])
    if found.spectrum is not None:
        told += np.einsum("nk,nk->n", found.spectrum[0].astype(float), moves[1])
    np.testing.assert_allclose(told, (ahead - behind) / 2, rtol=1e-4, atol=1e-9)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("method", "least"), [("kernel-ridge", 0.98), ("gaussian-process", 0.99), ("random-forest", 0.8)]
)
def test_true_gradients_are_found(method: str, least: float) -> None:
    library = composition_only()
    a, b = library.compositions[:, 0], library.compositions[:, 1]
    slopes = fitted(method, "composition").gradients(library.compositions, None).composition[0]
    exchange = slopes[:, 0] - slopes[:, 1], slopes[:, 2] - slopes[:, 1]  # at the cost of B
    assert np.corrcoef(exchange[0], 10 * b - 10 * a)[0, 1] > least
    assert np.corrcoef(exchange[1], 2 - 10 * a)[0, 1] > least
    assert not slopes[:, 3].any()


@pytest.mark.slow
@pytest.mark.parametrize("method", CURVED)
def test_spectrum_is_used_where_it_tells_more(method: str) -> None:
    test = known(seed=1)
    error = np.mean((fitted(method, "both").predict(test) - test.merit()) ** 2)
    assert error < 0.4  # the variance of the shift, which no model of composition can predict, is 1


@pytest.mark.parametrize("method", list(BASELINES))
def test_intervals_cover_new_samples(method: str) -> None:
    model, test = fitted(method, "composition"), known(seed=2, noise=0.0)
    fractions = test.compositions[:100]
    value = truth(fractions) + 0.05 * np.random.default_rng(3).normal(size=100)
    low, high = model.predict_interval(MaterialsLibrary(fractions, test.components, {"P": value})).T
    assert 0.82 <= np.mean((low <= value) & (value <= high)) <= 0.98


def test_linear_methods_are_those_of_scikit_learn() -> None:
    random = np.random.default_rng(0)
    x, y = random.normal(size=(30, 6)), random.normal(size=30)
    reference = SklearnRidge(alpha=2.0).fit(x, y)
    np.testing.assert_allclose(Ridge(Blocks(6, 0), 2.0).fit(x, y).predict(x), reference.predict(x))
    few = SklearnRidge(alpha=0.1).fit(x[:4], y[:4])  # fewer samples than columns
    np.testing.assert_allclose(Ridge(Blocks(6, 0), 0.1).fit(x[:4], y[:4]).predict(x), few.predict(x))
    latent = PLSRegression(3, scale=False).fit(x, y)
    np.testing.assert_allclose(
        PartialLeastSquares(Blocks(6, 0), 3).fit(x, y).coefficients, latent.coef_.ravel(), rtol=1e-8
    )


def test_latent_directions_stop_where_nothing_is_left() -> None:
    x = np.random.default_rng(0).dirichlet(np.ones(3), 30)  # three columns of rank two
    model = PartialLeastSquares(Blocks(3, 0), 3).fit(x, x[:, 0])
    np.testing.assert_allclose(model.predict(x), x[:, 0], atol=1e-9)


def test_kernel_ridge_is_that_of_scikit_learn() -> None:
    random = np.random.default_rng(0)
    x, y = random.normal(size=(30, 3)), random.normal(size=30)
    reference = SklearnKernelRidge(alpha=0.1, kernel="rbf", gamma=0.5 / 1.3**2).fit(x * [1, 1, 3], y - y.mean())
    found = KernelRidge(Blocks(2, 1), 1.3, 0.1, weight=3.0).fit(x, y).predict(x)
    np.testing.assert_allclose(found - y.mean(), reference.predict(x * [1, 1, 3]), atol=1e-9)


def test_process_is_that_of_scikit_learn() -> None:
    random = np.random.default_rng(0)
    x, y, new = random.normal(size=(25, 2)), random.normal(size=25), random.normal(size=(9, 2))
    linear, smooth, lengths, noise = 0.5, 1.5, np.array([0.7, 1.9]), 0.2
    kernel = (
        ConstantKernel(linear) * DotProduct(0.0, "fixed") + ConstantKernel(smooth) * RBF(lengths) + WhiteKernel(noise)
    )
    reference = GaussianProcessRegressor(kernel, optimizer=None).fit(x, y - y.mean())
    theta = np.log([linear, smooth, *lengths, noise])
    found = GaussianProcess(Blocks(2, 0), 0, theta).fit(x, y)
    mean, deviation = reference.predict(new, return_std=True)
    np.testing.assert_allclose(found.predict(new) - y.mean(), mean, atol=1e-6)
    np.testing.assert_allclose(found.deviation(new), deviation, atol=1e-6)


def test_process_finds_the_parameters_that_made_the_data() -> None:
    random = np.random.default_rng(0)
    x = random.uniform(-1, 1, (250, 2))
    covariance = np.exp(-0.5 * ((x[:, None] - x[None]) ** 2 / [0.3**2, 100.0]).sum(-1))
    y = random.multivariate_normal(np.zeros(250), covariance + 0.01 * np.eye(250))
    found = np.exp(GaussianProcess(Blocks(2, 0), 0).fit(x, y).theta)
    assert found[2] == pytest.approx(0.3, rel=0.25)  # the length scale along which it changes
    assert found[3] > 3  # and the one along which it does not
    assert found[4] == pytest.approx(0.01, rel=0.5)


def test_censored_samples_count_as_limits() -> None:
    a = np.random.default_rng(0).random(80)
    fractions, limit = np.c_[a, 1 - a], np.minimum(3 * a, 1.5)
    above = (a > 0.5).astype(int)
    plain = MaterialsLibrary(fractions, ("A", "B"), {"P": limit})
    censored = MaterialsLibrary(fractions, ("A", "B"), {"P": limit}, censored={"P": above})
    slopes = [
        BaselineModel("ridge").fit(library).gradients(fractions, None).composition[0, 0]
        for library in (plain, censored)
    ]
    assert slopes[1][0] - slopes[1][1] > slopes[0][0] - slopes[0][1] + 0.1
    assert BaselineModel("ridge").fit(censored).score(censored) != BaselineModel("ridge").fit(plain).score(plain)


def test_logarithm_is_learned_on_its_own_scale() -> None:
    a = np.linspace(0, 1, 40)
    library = MaterialsLibrary(np.c_[a, 1 - a], ("A", "B"), {"s": 10 ** (2 * a)}, {"s": "S/cm"})
    model = BaselineModel("ridge", transform="log10").fit(library)
    assert model.unit_ == "log10(S/cm)"
    assert model.score(library) == pytest.approx(1, abs=1e-4)
    np.testing.assert_allclose(model.predict(library), 2 * a, atol=0.02)


def test_missing_values_are_not_learned_and_wishes_are_kept() -> None:
    library = composition_only()
    merit = library.merit().copy()
    merit[::3] = np.nan
    holes = MaterialsLibrary(library.compositions, library.components, {"P": merit})
    model = BaselineModel("gaussian-process", seed=3).fit(holes)
    keep = np.flatnonzero(~np.isnan(merit))
    np.testing.assert_array_equal(model.predict(holes), clone(model).fit(library.select(keep)).predict(library))
    assert np.isfinite(model.predict(holes)).all()


@pytest.mark.slow
@pytest.mark.parametrize("method", ["random-forest", "gaussian-process"])
def test_same_seed_same_numbers(method: str) -> None:
    first, library = fitted(method, "composition"), composition_only()
    np.testing.assert_array_equal(clone(first).fit(library).predict(library), first.predict(library))


def test_samples_of_one_composition_are_learned_from_their_spectra() -> None:
    shift = np.random.default_rng(0).normal(size=40)
    spectra = np.exp(-0.5 * ((AXIS - 140 - 3 * shift[:, None]) / 8) ** 2)
    library = MaterialsLibrary(np.ones((40, 1)), ("Fe",), {"P": shift}, {}, spectra, AXIS)
    assert BaselineModel("gaussian-process").fit(library).score(library) > 0.95
    with pytest.raises(InputError, match="same composition"):
        BaselineModel("gaussian-process", inputs="composition").fit(library)


def test_bad_input_is_refused() -> None:
    library = composition_only()
    with pytest.raises(InputError, match="'lasso' is not known"):
        BaselineModel("lasso").fit(library)
    with pytest.raises(InputError, match="need spectra"):
        BaselineModel("ridge", inputs="both").fit(library)
    with pytest.raises(InputError, match="call fit first"):
        BaselineModel("ridge").predict(library)
    with pytest.raises(InputError, match="nothing to learn"):
        BaselineModel("ridge").fit(MaterialsLibrary(library.compositions, library.components, {"P": np.ones(150)}))
    with pytest.raises(InputError, match="no logarithm"):
        BaselineModel("ridge", transform="log10").fit(
            MaterialsLibrary(library.compositions, library.components, {"P": np.arange(150)})
        )
    model = fitted("ridge", "both")
    with pytest.raises(InputError, match="60 channels and was given none"):
        model.respond(library.compositions, None)
    with pytest.raises(InputError, match="those of A, B, C, D"):
        model.respond(np.ones((2, 3)) / 3, None)


def test_gradient_of_many_rows_is_that_of_each() -> None:
    library = known()
    for method in SMOOTH:
        model = fitted(method, "both")
        many = np.tile(library.compositions, (5, 1)), np.tile(library.spectra, (5, 1))
        found = model.gradients(*many).composition[0]
        np.testing.assert_allclose(found[600:], found[:150], rtol=1e-5, atol=1e-6)
