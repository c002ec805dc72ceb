import numpy as np
import pytest
import xarray as xr

from matlens.errors import InputError
from matlens.library.gradients import average_regions, cluster_regions, composition_box, merit_regions

DIMS = ("scheme", "kind", "sample", "component")


@pytest.fixture
def insight():
    rng = np.random.default_rng(0)
    members = rng.normal(size=(8, 1, 2, 10, 3))
    spectral = rng.normal(size=(8, 10, 5))
    return xr.Dataset(
        {
            "composition_gradient_members": (("model", *DIMS), members),
            "composition_gradient": (DIMS, members.mean(0), {"units": "mW per at%"}),
            "composition_gradient_spread": (DIMS, members.std(0, ddof=1)),
            "spectral_gradient_members": (("model", "sample", "axis"), spectral),
            "spectral_gradient": (("sample", "axis"), spectral.mean(0)),
            "spectral_gradient_spread": (("sample", "axis"), spectral.std(0, ddof=1)),
            "support": (("sample", "component"), rng.integers(0, 3, (10, 3))),
            "spectral_support": (("sample", "axis"), rng.integers(0, 3, (10, 5))),
            "merit": ("sample", np.r_[np.arange(9.0), np.nan]),
            "composition": (("sample", "component"), rng.dirichlet([1] * 3, 10)),
        },
        {"scheme": ["dilution"], "kind": ["partial", "total"], "component": ["A", "B", "C"]},
        {"target": "P", "unit": "mW", "fraction_name": "at%"},
    )


def test_averages_by_hand(insight):
    found = average_regions(insight, {"first": np.arange(10) < 4, "last": np.arange(10) >= 4})
    for place, rows in enumerate((range(4), range(4, 10))):
        for k in range(3):
            kept = [i for i in rows if insight.support.values[i, k] >= 1]
            members = insight.composition_gradient_members.values[:, 0, :, kept, k]
            one = found.isel(region=place, scheme=0, component=k)
            np.testing.assert_allclose(one.composition_gradient, members.mean((0, 1)))
            np.testing.assert_allclose(one.composition_gradient_spread, members.mean(0).std(0, ddof=1))
            np.testing.assert_allclose(one.composition_gradient_between, members.mean(1).std(0))
            assert (one.composition_gradient_samples == len(kept)).all()
        for c in range(5):
            kept = [i for i in rows if insight.spectral_support.values[i, c] >= 1]
            spectral = insight.spectral_gradient_members.values[:, kept, c]
            assert float(found.spectral_gradient[place, c]) == pytest.approx(spectral.mean())
            assert float(found.spectral_gradient_spread[place, c]) == pytest.approx(spectral.mean(1).std(ddof=1))
    assert found.samples.values.tolist() == [4, 6]
    assert found.composition_gradient.attrs["units"] == "mW per at%"
    assert found.attrs == {"target": "P", "unit": "mW", "fraction_name": "at%"}


def test_what_members_do_not_show_is_common_to_all_samples(insight):
    """The total gradient's spread also counts how well slopes of spectra are known: no average lessens that."""
    plain = average_regions(insight).composition_gradient_spread
    more = insight.assign(composition_gradient_spread=np.sqrt(insight.composition_gradient_spread**2 + 4))
    found = average_regions(more.assign_attrs(resample="groups"))
    np.testing.assert_allclose(found.composition_gradient_spread, np.sqrt(plain**2 + 4))
    np.testing.assert_allclose(found.composition_gradient_error, np.sqrt(9 * plain**2 + 4))


def test_without_members_the_spread_is_an_upper_bound(insight):
    without = average_regions(insight.drop_vars(["composition_gradient_members", "spectral_gradient_members"]))
    assert (without.composition_gradient_spread >= average_regions(insight).composition_gradient_spread - 1e-12).all()


def test_nothing_supported_gives_no_number(insight):
    insight["support"][:, 1] = 0
    found = average_regions(insight)
    assert np.isnan(found.composition_gradient.sel(component="B")).all()
    assert np.isfinite(found.composition_gradient.sel(component="A", region="all samples")).all()
    assert np.isfinite(average_regions(insight, least_support=0).composition_gradient).all()


def test_boxes_and_quantiles_by_hand(insight):
    x = insight.composition.values
    ((name, inside),) = composition_box(insight, A=(0.1, 0.5), C=(0.0, 0.9)).items()
    assert name == "A 0.1 to 0.5, C 0 to 0.9"
    assert inside.tolist() == [0.1 <= a <= 0.5 and c <= 0.9 for a, _, c in x]
    thirds = merit_regions(insight, (0, 0.25, 0.75, 1))
    assert [np.flatnonzero(mask).tolist() for mask in thirds.values()] == [[0, 1], [2, 3, 4, 5], [6, 7, 8]]
    assert np.flatnonzero(merit_regions(insight)["merit 90 to 100 %"]).tolist() == [8]


def test_decimal_bounds_are_included():
    data = xr.Dataset({"composition": (("sample", "component"), [[0.1 + 0.2, 0.7]])}, {"component": ["A", "B"]})
    assert composition_box(data, A=(0.0, 0.3))["A 0 to 0.3"].tolist() == [True]


def test_clusters_part_what_lies_apart():
    rng = np.random.default_rng(1)
    centres = np.array([[0.8, 0.1, 0.1], [0.1, 0.8, 0.1], [0.1, 0.1, 0.8]])
    truth = np.repeat([2, 0, 1], 20)
    x = centres[truth] + 0.01 * rng.normal(size=(60, 3))
    data = xr.Dataset({"composition": (("sample", "component"), x)}, {"component": ["A", "B", "C"]})
    found = cluster_regions(data, 3)
    assert [sorted(set(truth[mask])) for mask in found.values()] == [[2], [0], [1]]  # in the order of the file
    assert next(iter(found)) == "cluster 1: A 0.10, B 0.10, C 0.80"


def test_regions_that_are_none_are_refused(insight):
    with pytest.raises(InputError, match="no component 'X'"):
        composition_box(insight, X=(0, 1))
    with pytest.raises(InputError, match="no sample lies in the box A 2 to 3"):
        composition_box(insight, A=(2, 3))
    with pytest.raises(InputError, match="must rise"):
        merit_regions(insight, (0.9, 0.1))
    with pytest.raises(InputError, match="1 to 10"):
        cluster_regions(insight, 11)
    with pytest.raises(InputError, match="each of 10 samples"):
        average_regions(insight, {"few": np.array([True])})
    with pytest.raises(InputError, match="each of 10 samples"):
        average_regions(insight, {"indices": np.arange(10)})
