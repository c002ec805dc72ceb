import numpy as np
import pandas as pd
import pytest
import xarray as xr

from matlens.library.evidence import ComponentGroups, statements

NAMES = ["W", "Mo", "Dy", "Tb"]
DIMS = ("scheme", "kind", "sample", "component")
ROWS = 40


def insight(effects=(2.0, 0.0, -1.0, 1.0), noise=0.1, scatter=0.2, models=40, **attrs):
    """Gradients of 40 models: what ensemble and samples scatter is given."""
    rng = np.random.default_rng(0)
    between = rng.normal(size=(ROWS, 4))
    between = scatter * (between - between.mean(0))
    members = np.array(effects) + noise * rng.normal(size=(models, 1, 1, 1, 4)) + between
    spectral = np.zeros((ROWS, 6))
    return xr.Dataset(
        {
            "composition_gradient_members": (("model", *DIMS), members),
            "composition_gradient": (DIMS, members.mean(0), {"units": "mW/cm2 per at%"}),
            "composition_gradient_spread": (DIMS, members.std(0, ddof=1)),
            "spectral_gradient": (("sample", "axis"), spectral, {"units": "mW/cm2 per counts"}),
            "support": (("sample", "component"), np.full((ROWS, 4), 2)),
            "spectral_support": (("sample", "axis"), np.full((ROWS, 6), 2)),
            "kind_support": ("kind", [2]),
            "pinned": ("axis", [0, 0, 0, 0, 1, 1]),
            "merit": ("sample", np.arange(ROWS, dtype=float)),
            "exchange_host": ("component", ["V", "V", "Bi", "Bi"]),
        },
        {
            "scheme": ["dilution"],
            "kind": ["total"],
            "component": NAMES,
            "axis": ("axis", [325.0, 335, 345, 355, 365, 826], {"units": "cm-1"}),
        },
        {"target": "P", "unit": "mW/cm2", "fraction_name": "at%", "resample": "bootstrap"} | attrs,
    )


def status(table, region="all samples", about="composition"):
    chosen = table[(table["region"] == region) & (table["about"] == about)]
    return dict(zip(chosen["subject"], chosen["status"], strict=True))


def reason(table, subject, region="all samples"):
    return table[(table["subject"] == subject) & (table["region"] == region)]["reason"].item()


def test_what_is_clear_is_supported_and_what_may_be_zero_is_not():
    found = statements(insight())
    assert status(found) == {"W": "supported", "Mo": "unsupported", "Dy": "supported", "Tb": "supported"}
    assert set(found["region"]) == {"all samples", "merit 90 to 100 %"}
    row = found.iloc[0]
    assert row["effect"] == pytest.approx(2.0, abs=0.1)
    assert row["error"] == pytest.approx(0.1, rel=0.3)
    assert row["unit"] == "mW/cm2 per at%"
    assert row["sentence"].startswith("More W at the expense of all others raises P")
    assert "lowers P by 1" in found.iloc[2]["sentence"]


def test_data_decide_before_statistics():
    data = insight()
    data["support"][:, 0] = 0
    data["support"][2:, 2] = 0
    data["support"][:, 3] = 1
    found = statements(data)
    assert status(found) == {"W": "unsupported", "Mo": "unsupported", "Dy": "unsupported", "Tb": "weak"}
    assert reason(found, "W") == "no sample has data along this direction"
    assert "2 samples have data along this direction" in reason(found, "Dy")
    assert reason(found, "Tb") == "0 % of the samples are fully supported by data"
    assert not found[found["subject"] == "W"]["sentence"].str.contains("raises|lowers").any()


def test_samples_of_either_sign_make_a_mean_weak():
    found = statements(insight(scatter=3.0))
    assert status(found)["Dy"] == "weak"
    assert "the sign is the same in 6" in reason(found, "Dy")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("resample", "expected", "why"),
    [
        ("bootstrap", "supported", "p of the mean is 0.024"),
        ("groups", "weak", "family-wise p"),
        ("none", "weak", "all members were trained on the same data"),
    ],
)
def test_the_spread_means_what_the_members_saw(resample, expected, why):
    """An effect of five spreads: clear of bootstrap's, not where models left out a tenth; weak where all saw all."""
    found = statements(insight(noise=0.2, resample=resample))
    assert status(found)["Dy"] == expected
    assert why in reason(found, "Dy")
    spreads = {r: statements(insight(resample=r))["error"][0] for r in ("bootstrap", "groups")}
    assert spreads["groups"] == pytest.approx(3 * spreads["bootstrap"])


def test_without_members_the_spread_of_samples_judges():
    data = insight(noise=0.1).drop_vars("composition_gradient_members")
    assert status(statements(data))["W"] == "supported"
    assert status(statements(insight(noise=1.0).drop_vars("composition_gradient_members")))["Dy"] == "unsupported"
    alone = data.assign(composition_gradient_spread=data.composition_gradient_spread * np.nan)
    assert "single model" in reason(statements(alone), "W")


@pytest.mark.slow
def test_kinds_that_cannot_be_told_apart():
    for kind_support, expected in ((2, "supported"), (1, "weak"), (0, "unsupported")):
        found = statements(insight().assign(kind_support=("kind", [kind_support])))
        assert status(found)["W"] == expected


def checks(check, what, value, passed):
    return pd.DataFrame([{"check": check, "what": what, "value": value, "passed": passed, "sentence": "it failed."}])


@pytest.mark.slow
def test_checks_bear_on_their_own_kind_of_gradient():
    for check, value, expected in (
        ("finite differences", 0.6, "unsupported"),
        ("finite differences", 0.1, "weak"),
        ("random weights", 0.95, "unsupported"),
        ("halves", 0.1, "weak"),
    ):
        found = statements(insight(), checks=checks(check, "composition", value, False))
        assert status(found)["W"] == expected
        assert reason(found, "W") == "it failed"
        assert status(statements(insight(), checks=checks(check, "spectrum", value, False)))["W"] == "supported"


@pytest.mark.slow
def test_a_model_that_predicts_nothing_says_nothing():
    assert set(statements(insight(), held_out=-0.1)["status"]) == {"unsupported"}
    assert status(statements(insight(), held_out=0.4))["W"] == "supported"


def groups(p=0.01, stability=0.9, supported=0.8, nulls=("closure", "permuted labels")):
    table = pd.DataFrame(
        [{"components": "W, Mo", "size": 2, "correlation": 0.9, "least": 0.9, "null": 0.6, "p": p}]
    ).assign(stability=stability, supported=supported)
    return ComponentGroups(pd.DataFrame(), table, pd.DataFrame(), 0.5, nulls)


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (groups(), "supported"),
        (groups(p=0.2), "weak"),
        (groups(p=0.5), "unsupported"),
        (groups(stability=0.6), "weak"),
        (groups(stability=0.3), "unsupported"),
        (groups(supported=0.1), "weak"),
        (groups(nulls=("closure",)), "weak"),
    ],
)
def test_groups(given, expected):
    found = statements(insight(), groups=given)
    assert status(found, about="group") == {"W, Mo": expected}
    claimed = given.groups["p"].iloc[0] < 0.05  # else they are not said to act alike, not even weakly
    assert f"W, Mo {'act alike' if claimed else 'do not surely act alike'} on P" in found["sentence"].iloc[-1]


def bands(low, high, p=0.01):
    row = {"low": low, "high": high, "peak": high, "sign": 1.0, "channels": 2, "gradient": 0.5, "t": 9.0, "p": p}
    return pd.DataFrame([row])


@pytest.mark.slow
def test_bands():
    found = statements(insight(), bands=bands(325.0, 345.0))
    assert status(found, about="band") == {"325 to 345 cm-1": "supported"}
    expected = (
        "More intensity at 325 to 345 cm-1 (most clearly at 345) goes with higher P, composition held: 0.5 mW/cm2"
    )
    assert found["sentence"].iloc[-1].startswith(expected)
    assert status(statements(insight(), bands=bands(365.0, 826.0)), about="band") == {"365 to 826 cm-1": "unsupported"}
    weak = insight()
    weak["spectral_support"][:30] = 0
    assert "weak" in status(statements(weak, bands=bands(325.0, 345.0)), about="band").values()
    seeds = bands(325.0, 345.0)
    seeds.attrs["null"] = "spread of 50 models of the same samples"
    assert "weak" in status(statements(insight(), bands=seeds), about="band").values()
    none = insight()
    none["spectral_support"][:] = 0
    assert "unsupported" in status(statements(none, bands=bands(325.0, 345.0)), about="band").values()


@pytest.mark.slow
def test_nothing_is_found_in_ensembles_of_noise_more_often_than_said():
    """Effects of zero, seen with bootstrap error: any supported composition sentence is a false one."""
    rng = np.random.default_rng(1)
    false, trials = 0, 60
    regions = {"all": np.ones(ROWS, bool)}
    for _ in range(trials):
        error = rng.normal(size=4)
        data = insight(effects=error, noise=1.0, scatter=0.0)
        members = error + rng.normal(size=(40, 1, 1, 1, 4)) + np.zeros((ROWS, 1))
        data["composition_gradient_members"] = (("model", *DIMS), members)
        data["composition_gradient"] = (DIMS, members.mean(0))
        data["composition_gradient_spread"] = (DIMS, members.std(0, ddof=1))
        false += "supported" in set(statements(data, regions=regions)["status"])
    assert false <= trials * 0.05 + 3.3 * np.sqrt(trials * 0.05 * 0.95)


def test_a_gaussian_process_that_disagrees_takes_support_away():
    data = insight()
    agrees = data.assign(composition_only_gradient=(("scheme", "sample", "component"), np.full((1, ROWS, 4), 1.5)))
    assert status(statements(agrees))["W"] == "supported"
    denies = agrees.assign(composition_only_gradient=0.1 * agrees["composition_only_gradient"])
    assert status(statements(denies))["W"] == "weak"
    assert "Gaussian process on composition alone is 0.15" in reason(statements(denies), "W")


def test_an_error_at_edges_widens_a_size_and_leaves_its_sign():
    plain = insight()
    edge = plain.assign(composition_gradient_edge_error=(("scheme", "sample", "component"), np.full((1, ROWS, 4), 1.0)))
    before, after = (statements(each).set_index(["subject", "region"]) for each in (plain, edge))
    np.testing.assert_allclose(after["error"], np.hypot(before["error"], 1.0))
    np.testing.assert_allclose(after["p"], before["p"])
    assert (after["status"] == before["status"]).all()


def test_members_without_weight_in_a_mixture_do_not_make_an_effect_exact():
    data = insight(noise=0.1)
    still = data.assign(
        composition_gradient_members=data["composition_gradient_members"].mean("model")
        + 0 * data["composition_gradient_members"]
    )
    still["composition_gradient_error"] = (DIMS, np.full((1, 1, ROWS, 4), 5.0))
    table = statements(still)
    table = table[(table["about"] == "composition") & (table["region"] == "all samples")]
    np.testing.assert_allclose(table["error"], 5.0)
    assert (table["p"] > 0.3).all()


def test_a_mean_that_few_samples_make_is_weak_and_its_median_is_told():
    data = insight(scatter=0.0)
    far = np.where(np.arange(ROWS) < 4, 40.0, 0.0)[:, None] * np.array([1.0, 0, 0, 0])
    data["composition_gradient"] = data["composition_gradient"] * 0.2 + far
    data["composition_gradient_members"] = data["composition_gradient_members"] * 0.2 + far
    found = statements(data)
    row = found[(found["subject"] == "W") & (found["region"] == "all samples")].iloc[0]
    assert row["status"] != "supported"
    assert "(median of 40 samples" in row["sentence"]
    assert "the mean is 4." in row["sentence"]
    assert row["effect"] == pytest.approx(0.4, abs=0.1)


def test_a_model_that_fails_in_regions_left_out_supports_nothing():
    assert status(statements(insight(), held_out=0.8, beyond=0.5))["W"] == "supported"
    found = statements(insight(), held_out=0.8, beyond=-0.56)
    assert status(found)["W"] == "weak"
    assert "regions of composition left out is -0.56" in reason(found, "W")


def test_without_a_spectrum_nothing_is_said_of_one():
    assert "effects of composition and spectrum" in reason(statements(insight(uses_spectrum=1)), "W")
    assert "spectrum" not in reason(statements(insight(uses_spectrum=0)), "W")


def test_the_largest_effects_come_first():
    effects = statements(insight())["effect"].abs().to_numpy()
    assert (np.diff(effects) <= 0).all()
