import time

import numpy as np
import pytest
import xarray as xr

from matlens.errors import InputError
from matlens.library.gradients import composition_members, gradient_correlations, gradient_statistics, spectral_members

DIMS = ("scheme", "kind", "sample", "component")


@pytest.fixture
def insight():
    rng = np.random.default_rng(0)
    composition = rng.normal(size=(4, 2, 2, 30, 3))
    composition[:, 1, :, :, 0] = np.nan  # the host of an exchange
    spectral = rng.normal(size=(4, 30, 5)).astype(np.float32)
    return xr.Dataset(
        {
            "composition_gradient_members": (("model", *DIMS), composition),
            "composition_gradient": (DIMS, composition.mean(0)),
            "spectral_gradient_members": (("model", "sample", "axis"), spectral),
            "spectral_gradient": (("sample", "axis"), spectral.mean(0)),
            "support": (("sample", "component"), rng.integers(0, 3, (30, 3))),
            "spectral_support": (("sample", "axis"), rng.integers(0, 3, (30, 5))),
        },
        {
            "scheme": ["dilution", "exchange"],
            "kind": ["partial", "total"],
            "component": ["A", "B", "C"],
            "axis": [1.0, 2.0, 3.0, 4.0, 5.0],
            "sample": [f"s{i}" for i in range(30)],
        },
    )


def by_hand(first, second):
    return np.tanh(np.mean([np.arctanh(np.corrcoef(a, b)[0, 1]) for a, b in zip(first, second, strict=True)]))


def test_members_come_in_one_order_of_dimensions(insight):
    turned = insight.transpose(..., "model")
    np.testing.assert_array_equal(composition_members(turned, "exchange"), composition_members(insight, "exchange"))
    np.testing.assert_array_equal(spectral_members(turned), spectral_members(insight))
    plain = insight.drop_vars(["composition_gradient_members", "spectral_gradient_members"])
    assert composition_members(plain, "dilution", "partial").shape == (1, 30, 3)
    assert spectral_members(plain).shape == (1, 30, 5)
    with pytest.raises(InputError, match="no scheme 'tangent' in this insight; it has dilution, exchange"):
        composition_members(insight, "tangent")
    with pytest.raises(InputError, match="uses no spectra"):
        spectral_members(insight.drop_vars("spectral_gradient"))


def test_components_and_channels_are_correlated_within_models(insight):
    found = gradient_correlations(insight, "dilution", "total")
    assert found["variable"].values.tolist() == ["A", "B", "C", "1.0", "2.0", "3.0", "4.0", "5.0"]
    composition = insight.composition_gradient_members.sel(scheme="dilution", kind="total").values
    spectral = insight.spectral_gradient_members.values
    expected = by_hand(composition[:, :, 1], spectral[:, :, 3])
    assert float(found.sel(variable="B", other="4.0")) == pytest.approx(expected, abs=1e-5)
    assert float(found.sel(variable="4.0", other="B")) == pytest.approx(expected, abs=1e-5)
    host = gradient_correlations(insight, "exchange", "total")
    assert host.sel(variable="A").isnull().all()
    assert host.sel(variable="B", other=["C", "1.0"]).notnull().all()
    without = insight.drop_vars(["spectral_gradient", "spectral_gradient_members"])
    assert gradient_correlations(without).shape == (3, 3)


def test_averages_are_over_supported_samples_and_correlations_over_all(insight):
    found = gradient_statistics(insight)
    values = insight.composition_gradient.values
    kept = insight.support.values[:, 1] >= 1
    assert float(found.composition_mean[0, 1, 1]) == pytest.approx(values[0, 1, kept, 1].mean())
    kept = insight.spectral_support.values[:, 2] >= 1
    assert float(found.spectral_mean[2]) == pytest.approx(insight.spectral_gradient.values[kept, 2].mean())
    members = insight.composition_gradient_members.values[:, 0, 1]
    assert float(found.correlation[0, 1, 1, 2]) == pytest.approx(by_hand(members[..., 1], members[..., 2]), abs=1e-5)
    assert found.correlation.sel(scheme="exchange", component="A").isnull().all()


def test_a_map_of_a_thousand_channels_takes_a_tenth_of_a_second_a_model():
    rng = np.random.default_rng(0)
    members = rng.normal(size=(2, 1379, 1022)).astype(np.float32)
    data = xr.Dataset(
        {
            "composition_gradient_members": (("model", *DIMS), rng.normal(size=(2, 1, 1, 1379, 7))),
            "composition_gradient": (DIMS, np.zeros((1, 1, 1379, 7))),
            "spectral_gradient_members": (("model", "sample", "axis"), members),
            "spectral_gradient": (("sample", "axis"), members[0]),
        },
        {"scheme": ["dilution"], "kind": ["partial"], "component": list("ABCDEFG"), "axis": np.arange(1022.0)},
    )
    start = time.process_time()
    gradient_correlations(data)
    assert time.process_time() - start < 2 * 2  # twenty times what an idle thread needs
