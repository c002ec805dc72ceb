"""A response whose gradients are known in closed form, at a library whose spectra follow composition in a known way."""

from dataclasses import dataclass, field

import numpy as np
import pytest
import xarray as xr

from matlens.errors import InputError
from matlens.hooks import Silent
from matlens.library.gradients import (
    along,
    channel_noise,
    directions,
    explain_library,
    fit_composition_response,
    identifiability,
    integrate_gradients,
)
from matlens.library.model import Gradients, Response
from matlens.library.table import MaterialsLibrary

NAMES = ("Bi", "V", "W", "Dy", "Xx")  # Xx is absent everywhere
AXIS = np.cumsum(np.linspace(1.4, 1.1, 120)) + 100
CENTRES = (130.0, 180.0, 215.0)


def bands(positions: np.ndarray) -> np.ndarray:
    """Three bands, the second at given positions, shape (n, 3, C)."""
    where = np.stack([np.full_like(positions, CENTRES[0]), positions, np.full_like(positions, CENTRES[2])], 1)
    return np.exp(-((AXIS - where[:, :, None]) ** 2) / 2 / 6.0**2)


def spectrum(x: np.ndarray, state: np.ndarray) -> np.ndarray:
    """The first band is the host's; W moves the second, Dy raises the third; the state raises the second alone."""
    heights = np.stack([5 + 0 * state, 1 + state, 0.3 + 4 * x[:, 3] + 30 * x[:, 3] ** 2], 1)
    return np.einsum("nb,nbc->nc", heights, bands(CENTRES[1] + 40 * x[:, 2]))


@dataclass
class Known:
    """P = x.Q.x + tanh(w.I) + offset of the member; optionally h(x)(sum x - 1), which no sample shows."""

    axis_: np.ndarray | None = field(default_factory=lambda: AXIS)
    members_: int = 3
    off: float = 0.0
    components_: tuple[str, ...] = NAMES
    target_: str = "P"
    unit_: str = "mW/cm2"
    uses_composition_: bool = True
    uses_spectrum_: bool = True
    preprocessing_: object = None

    def __post_init__(self):
        rng = np.random.default_rng(5)
        half = rng.normal(size=(5, 5))
        self.matrix = half + half.T
        self.weights = 0.02 * np.exp(-((AXIS - 186) ** 2) / 2 / 8.0**2) - 0.03 * np.exp(-((AXIS - 215) ** 2) / 50)
        self.scales = np.linspace(0.9, 1.1, self.members_)

    def value(self, x, spectra):
        quadratic = 0.5 * np.einsum("nj,jk,nk->n", x, self.matrix, x)
        return quadratic + self.off * np.exp(x[:, 0]) * (x.sum(1) - 1) + np.tanh(spectra @ self.weights)

    def respond(self, compositions, spectra):
        return self.scales[:, None] * self.value(np.asarray(compositions), np.asarray(spectra))

    def gradients(self, compositions, spectra, *, progress=None):
        (progress or Silent()).begin(1, "gradients")
        x, light = np.asarray(compositions), np.asarray(spectra)
        composition = x @ self.matrix + self.off * np.exp(x[:, :1])
        bent = (1 - np.tanh(light @ self.weights) ** 2)[:, None] * self.weights
        scale = self.scales[:, None, None]
        return Gradients(
            self.respond(x, light), (scale * composition).astype(np.float32), (scale * bent).astype(np.float32)
        )


def library(count: int = 300, *, state: float = 0.2, noise: float = 0.01, seed: int = 0) -> MaterialsLibrary:
    rng = np.random.default_rng(seed)
    ratio = rng.choice([0.48, 0.5, 0.52], count)
    x = np.zeros((count, 5))
    x[:, 2:4] = rng.uniform(0.005, 0.08, (count, 2)) * (rng.random((count, 2)) < 0.6)
    x[:, 0], x[:, 1] = ratio * (1 - x.sum(1)), (1 - ratio) * (1 - x.sum(1))
    x[: count // 10] = x[count // 10 : 2 * (count // 10)]  # replicates
    clean = spectrum(x, state * rng.normal(size=count))
    spectra = clean + noise * rng.normal(size=clean.shape)
    merit = Known().value(x, clean)
    return MaterialsLibrary(x, NAMES, {"P": merit}, {"P": "mW/cm2"}, spectra, AXIS, "Raman shift", "cm-1", "intensity")


@pytest.fixture(scope="module")
def data() -> MaterialsLibrary:
    return library()


@pytest.fixture(scope="module")
def insight(data) -> xr.Dataset:
    return explain_library(Known(), data, hosts={"W": "V"}, members=True, integration_steps=6)


def true_total(data: MaterialsLibrary) -> np.ndarray:
    """Finite differences of response and spectrum together along each direction, per at%, where no state varies."""
    x, state = data.compositions, np.zeros(len(data))
    rays = directions("dilution", x)
    result = np.zeros(x.shape)
    for k in range(5):
        far = x + 1e-6 * rays[:, k]
        change = Known().value(far, spectrum(far, state)) - Known().value(x, spectrum(x, state))
        result[:, k] = change / 1e-6 / 100
    return result


def test_the_response_is_one():
    assert isinstance(Known(), Response)


def test_schema(insight, data):
    sizes = {"model": 3, "scheme": 3, "kind": 2, "sample": 300, "component": 5, "other": 5, "axis": 120, "peak": 9}
    assert insight.sizes == sizes
    gradient = insight.composition_gradient
    assert gradient.dims == ("scheme", "kind", "sample", "component")
    assert gradient.units == "mW/cm2 per at%"
    assert insight.spectral_gradient.units == "mW/cm2 per intensity"
    assert insight.spectral_gradient_density.units == "mW/cm2 per intensity per cm-1"
    assert insight.sample.values.tolist() == list(data.samples)
    np.testing.assert_array_equal(insight.composition, data.compositions)
    np.testing.assert_array_equal(insight.merit, data.merit("P"))
    assert insight.exchange_host.values.tolist()[:3] == [insight.exchange_host.values[0]] * 2 + ["V"]
    assert insight.support.dtype == insight.spectral_support.dtype == np.int8
    for name in ("composition_gradient", "spectral_gradient", "spectral_gradient_raw", "predicted"):
        assert insight[f"{name}_spread"].dims == insight[name].dims


def test_written_and_read(insight, tmp_path):
    insight.to_netcdf(tmp_path / "gradients.nc", engine="h5netcdf")
    with xr.open_dataset(tmp_path / "gradients.nc", engine="h5netcdf") as again:
        assert insight.identical(again.load())


def test_partial_gradients_are_those_of_the_quadratic(insight, data):
    x = data.compositions
    for scheme in ("dilution", "tangent"):
        expected = along(x @ Known().matrix, directions(scheme, x)) / 100
        found = insight.composition_gradient.sel(scheme=scheme, kind="partial")
        np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-6)
    found = insight.composition_gradient.sel(scheme="exchange", kind="partial", component="W")
    expected = (x @ Known().matrix) @ (np.eye(5)[2] - np.eye(5)[1]) / 100
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-6)


def test_total_gradients_follow_the_spectrum():
    data = library(state=0.0)
    insight = explain_library(Known(), data)
    found = insight.composition_gradient.sel(scheme="dilution", kind="total").values[:, :4]
    partial = insight.composition_gradient.sel(scheme="dilution", kind="partial").values[:, :4]
    true = true_total(data)[:, :4]
    supported = insight.support.values[:, :4] == 2
    assert supported.mean() > 0.7
    assert np.corrcoef(found[supported], true[supported])[0, 1] > 0.98
    assert np.corrcoef(partial[supported], true[supported])[0, 1] < 0.9  # else nothing would be tested
    error = (found - true)[supported]
    scale = (true - partial)[supported].std()
    assert error.std() < 0.1 * scale


def test_total_spread_holds_the_error_of_the_spectrum_model():
    """Members agree here: what is left is how well the change of the spectrum is known."""
    data = library(state=0.0)
    one = Known()
    one.scales = np.ones(3)
    found = explain_library(one, data).sel(scheme="dilution", kind="total", component=["W", "Dy"])
    where = found.support.values == 2
    error = (found.composition_gradient.values - true_total(data)[:, 2:4])[where]
    spread = found.composition_gradient_spread.values[where]
    assert (np.abs(error) < 2 * spread).mean() > 0.6
    assert np.sqrt((spread**2).mean()) < 10 * error.std()


def test_off_simplex_parts_leave_dilution_and_exchange_unchanged(data, insight):
    bent = explain_library(Known(off=30.0), data, hosts={"W": "V"})
    for name in ("dilution", "exchange"):
        np.testing.assert_allclose(
            bent.composition_gradient.sel(scheme=name), insight.composition_gradient.sel(scheme=name), atol=2e-5
        )


def test_members_spread_about_the_mean(insight):
    each = insight.composition_gradient_members
    assert each.dims[0] == "model"
    np.testing.assert_allclose(each.mean("model"), insight.composition_gradient, atol=1e-5)
    spread = insight.composition_gradient_spread.sel(kind="partial")
    np.testing.assert_allclose(each.sel(kind="partial").std("model", ddof=1), spread, atol=1e-5)
    np.testing.assert_allclose(insight.spectral_gradient_members.mean("model"), insight.spectral_gradient, atol=1e-6)


def test_a_single_model_has_no_spread(data):
    found = explain_library(Known(members_=1), data.select(np.arange(100)))
    assert np.isnan(found.predicted_spread).all()
    assert np.isnan(found.composition_gradient_spread).all()
    assert "composition_gradient_members" not in found


def test_composition_without_any_sample_is_unsupported_and_kept(insight):
    assert (insight.support.sel(component="Xx") == 0).all()
    assert np.isfinite(insight.composition_gradient.sel(component="Xx", scheme="dilution")).all()
    assert insight.component_count.sel(component="Xx") == 0


def test_identifiable_only_where_the_state_varies():
    """The same response; the spectrum it reads is a function of composition in one library and not in the other."""
    support = []
    for state in (0.0, 0.3):
        made = library(300, state=state, seed=3)
        response = fit_composition_response(made)
        slope = Known().gradients(made.compositions, made.spectra).spectrum.mean(0)
        support.append(identifiability(response, slope).support)
    assert support == [0, 2]
    found = explain_library(Known(), library(300, state=0.0, seed=3))
    assert found.kind_support.values.tolist() == [0, 2]
    assert "not identifiable" in found.attrs["identifiability"]


def test_unexplained_share_shows_where_the_state_acts(insight):
    share = insight.unexplained_share
    assert float(share.sel(axis=slice(176, 184)).mean()) > 0.5
    assert float(share.sel(axis=slice(212, 218)).mean()) < 0.1
    np.testing.assert_allclose(channel_noise(library(noise=0.05).spectra), 0.05, rtol=0.1)


def test_projection_keeps_what_changes_spectra_and_drops_the_rest(insight, data):
    raw, projected = insight.spectral_gradient_raw.values, insight.spectral_gradient.values
    assert (insight.off_manifold_share > 0).all()
    assert (insight.off_manifold_share < 0.9).all()  # the third band has no part in what the state does
    assert (np.linalg.norm(projected, axis=1) <= np.linalg.norm(raw, axis=1)).all()
    change = spectrum(data.compositions, np.full(300, 0.1)) - spectrum(data.compositions, np.zeros(300))
    np.testing.assert_allclose((projected * change).sum(1), (raw * change).sum(1), rtol=0.15)
    np.testing.assert_allclose(insight.spectral_gradient_density * insight.channel_width, projected, rtol=1e-5)


def test_integrated_gradients_are_complete_and_gauge_free(insight, data):
    predicted = insight.predicted.values
    x, light = data.compositions, data.spectra
    start = Known().respond(x.mean(0, keepdims=True), light.mean(0, keepdims=True)).mean()
    whole = insight.integrated_composition.sum("component") + insight.integrated_spectrum.sum("axis")
    np.testing.assert_allclose(whole, predicted - start, atol=1e-5)
    assert np.abs(insight.completeness_error).max() < 1e-5
    bent = integrate_gradients(Known(off=30.0), x, light, steps=6)
    np.testing.assert_allclose(bent.composition, insight.integrated_composition, atol=1e-4)
    coarse = integrate_gradients(Known(), 0.1 + 0 * x + 0.5 * np.eye(5)[0], 3 * light, steps=1)
    assert np.abs(coarse.error).max() > 1e-3  # the error is one that can be seen


def test_other_samples_than_those_measured(data):
    few = explain_library(Known(), data.select([5, 7, 9]), measured=data)
    many = explain_library(Known(), data)
    np.testing.assert_array_equal(few.support, many.support[[5, 7, 9]])
    np.testing.assert_allclose(few.composition_gradient, many.composition_gradient[:, :, [5, 7, 9]], atol=1e-6)
    np.testing.assert_allclose(few.spectral_gradient, many.spectral_gradient[[5, 7, 9]], atol=1e-5)


def test_bad_input(data):
    with pytest.raises(InputError, match="this library has none"):
        explain_library(Known(), data.without_spectra())
    with pytest.raises(InputError, match="resample them to the model's axis"):
        explain_library(Known(axis_=AXIS[:-1]), data)
    with pytest.raises(InputError, match="the model knows A, B"):
        explain_library(Known(components_=("A", "B")), data)
    with pytest.raises(InputError, match="absent from every sample"):
        explain_library(Known(), data, hosts="Xx")
    with pytest.raises(InputError, match="all compositions are equal"):
        explain_library(Known(), data.select([0, 0 + data.__len__() // 10]))
