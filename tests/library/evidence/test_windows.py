import numpy as np
import pytest
import xarray as xr

from matlens.errors import InputError
from matlens.library.evidence import (
    band_average,
    bootstrap_family,
    find_bands,
    permutation_family,
    smooth_along_axis,
    spectral_bands,
)

AXIS = np.cumsum(np.linspace(1.4, 1.1, 120)) + 300  # channels of unlike width, as in the published spectra


def noise(rng, count):
    return smooth_along_axis(rng.normal(size=(count, AXIS.size)), AXIS, 4.0) * np.linspace(0.5, 3, AXIS.size)


@pytest.mark.slow
@pytest.mark.parametrize("method", ["max-t", "cluster"])
def test_a_band_is_found_where_nothing_is_in_one_of_twenty_spectra(method):
    rng = np.random.default_rng(0)
    trials, false = 300, 0
    for _ in range(trials):
        draws = noise(rng, 40)
        false += len(find_bands(draws[0], AXIS, permutation_family(draws[0], draws[1:]), method=method)) > 0
    assert abs(false - 0.05 * trials) <= 3.3 * np.sqrt(trials * 0.05 * 0.95)


@pytest.mark.slow
@pytest.mark.parametrize("method", ["max-t", "cluster"])
def test_and_no_more_often_by_resampled_models(method):
    """Each model: mean of a bootstrap sample of unit spectra of pure noise."""
    rng = np.random.default_rng(1)
    trials, false = 300, 0
    for _ in range(trials):
        units = noise(rng, 60)
        members = rng.multinomial(60, np.full(60, 1 / 60), size=50) @ units / 60
        false += len(find_bands(members.mean(0), AXIS, bootstrap_family(members), method=method)) > 0
    assert false <= 0.05 * trials + 3.3 * np.sqrt(trials * 0.05 * 0.95)


@pytest.mark.parametrize("method", ["max-t", "cluster"])
def test_the_doublet_is_found_with_its_signs(method):
    rng = np.random.default_rng(2)
    truth = 3 * np.exp(-0.5 * ((AXIS - 345) / 5) ** 2) - 5 * np.exp(-0.5 * ((AXIS - 420) / 4) ** 2)
    draws = noise(rng, 99)
    found = find_bands(truth + noise(rng, 1)[0], AXIS, permutation_family(truth, draws), method=method)
    assert found["sign"].tolist() == [1, -1]
    np.testing.assert_allclose(found["peak"], [345, 420], atol=3)
    assert (found["low"] < found["peak"]).all()
    assert (found["peak"] < found["high"]).all()
    assert found["p"].max() <= 0.05
    assert np.sign(found["gradient"]).tolist() == [1, -1]


def test_a_wide_weak_band_is_a_cluster_but_no_peak():
    rng = np.random.default_rng(3)
    null = rng.normal(size=(199, 100))
    profile = rng.normal(size=100) * 0.1
    profile[40:60] += 2.5
    test = permutation_family(profile, null)
    assert find_bands(profile, np.arange(100), test, method="max-t").empty
    found = find_bands(profile, np.arange(100), test, method="cluster")
    assert found[["low", "high", "channels"]].to_numpy().tolist() == [[40, 59, 20]]


def test_channels_without_gradient_end_a_band():
    null = np.random.default_rng(4).normal(size=(99, 7))
    profile = np.array([9, 9, np.nan, 9, -9, 0, 0.0])
    null[:, 2] = np.nan
    found = find_bands(profile, np.arange(7.0), permutation_family(profile, null), method="max-t")
    assert found[["low", "high", "sign"]].to_numpy().tolist() == [[0, 1, 1], [3, 3, 1], [4, 4, -1]]


def test_smoothing_keeps_area_on_any_spacing():
    peak = np.zeros(AXIS.size)
    peak[60] = 1
    smooth = smooth_along_axis(peak, AXIS, 4.0)
    assert (smooth * np.gradient(AXIS)).sum() == pytest.approx(np.gradient(AXIS)[60], rel=0.02)
    assert np.average(AXIS, weights=smooth) == pytest.approx(AXIS[60], abs=0.2)
    spread = np.sqrt(np.average((AXIS - AXIS[60]) ** 2, weights=smooth * np.gradient(AXIS)))
    assert spread == pytest.approx(4, rel=0.03)
    np.testing.assert_allclose(smooth_along_axis(peak, AXIS[::-1], 4.0), smooth_along_axis(peak, -AXIS[::-1], 4.0))
    hole = np.where(np.arange(120) == 3, np.nan, 2.0)
    smooth = smooth_along_axis(hole, AXIS, 4.0)
    assert np.isnan(smooth[3])
    np.testing.assert_allclose(np.delete(smooth, 3), 2)


def test_band_averages_by_hand():
    values = np.array([[1.0, np.nan, 5.0, 7.0], [2.0, 4.0, 6.0, 8.0]])
    found = band_average(values, [4, 3, 2, 1], [[2, 4], [0, 1], [9, 10]])
    np.testing.assert_array_equal(found, [[3, 7, np.nan], [4, 8, np.nan]])
    with pytest.raises(InputError, match="pairs"):
        band_average(values, [4, 3, 2, 1], [2, 4])


@pytest.fixture
def insight():
    rng = np.random.default_rng(5)
    members = noise(rng, 30 * 6).reshape(30, 6, AXIS.size)
    members[:, :3, 50:56] += 20
    support = np.full((6, AXIS.size), 2)
    support[:3, 50:56] = 0
    dims = ("sample", "axis")
    return xr.Dataset(
        {
            "spectral_gradient_members": (("model", *dims), members),
            "spectral_gradient": (dims, members.mean(0)),
            "spectral_support": (dims, support),
        },
        {"axis": AXIS},
        {"resample": "bootstrap"},
    )


def test_gradients_without_support_make_no_band(insight):
    assert spectral_bands(insight).empty
    plain, third = (spectral_bands(insight.assign_attrs(resample=r), least_support=0) for r in ("bootstrap", "groups"))
    assert third["t"].max() == pytest.approx(plain["t"].max() / 3)
    every = spectral_bands(insight, least_support=0, method="max-t")
    assert len(every) == 1
    assert AXIS[49] < every["low"][0] < every["high"][0] < AXIS[56]
    assert every.attrs["null"] == "spread of 30 models of different samples"


@pytest.mark.parametrize(("known", "bands"), [(2, 0), (4, 1)])
def test_a_mean_over_the_few_samples_with_data_is_none_of_the_library(insight, known, bands):
    support = np.full((6, AXIS.size), 2)
    support[known:, 50:56] = 0
    members = insight["spectral_gradient_members"].copy()
    members[:, 3:, 50:56] += 20  # as the first three samples have it
    data = insight.assign(spectral_gradient_members=members, spectral_support=(("sample", "axis"), support))
    null = xr.Dataset({"spectral_mean": (("permutation", "axis"), noise(np.random.default_rng(6), 19))})
    real = data.assign(spectral_gradient=members.mean("model"))
    assert len(spectral_bands(data, method="max-t")) == bands
    assert len(spectral_bands(real, null, method="max-t")) == bands


def test_bands_tell_their_share_of_the_gradient():
    profile = np.array([0.0, 3.0, 3.0, 0.0, -2.0, 0.0, np.nan])
    null = np.random.default_rng(0).normal(size=(99, 7)) * 0.1
    found = find_bands(profile, np.arange(7.0), permutation_family(profile, null))
    assert found["share"].tolist() == pytest.approx([18 / 22, 4 / 22])


def test_permuted_labels_are_the_null_where_given(insight):
    wide = xr.Dataset({"spectral_mean": (("permutation", "axis"), 90 * noise(np.random.default_rng(6), 19))})
    found = spectral_bands(insight, wide, least_support=0)
    assert found.empty
    assert found.attrs["null"] == "19 models of permuted labels"
    tight = spectral_bands(insight, wide / 90, least_support=0, smooth=2.0)
    assert tight["p"].tolist() == [0.05]


def test_what_cannot_be_judged_is_refused(insight):
    alone = spectral_bands(insight.drop_vars("spectral_gradient_members"))
    assert alone.empty
    assert "nothing" in alone.attrs["null"]
    assert "the same samples" in spectral_bands(insight.assign_attrs(resample="none")).attrs["null"]
    with pytest.raises(InputError, match="uses no spectra"):
        spectral_bands(xr.Dataset())
    test = permutation_family(np.zeros(3), np.eye(3))
    with pytest.raises(InputError, match="one value a channel"):
        find_bands(np.zeros(4), np.arange(4), test)
    with pytest.raises(InputError, match="'max-t' or 'cluster'"):
        find_bands(np.zeros(3), np.arange(3), test, method="tfce")
