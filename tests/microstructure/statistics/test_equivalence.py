"""Errors, R and its verdicts, and `compare`: synthetic materials with known answers, then the seven real ones."""

import re
from itertools import permutations

import numpy as np
import pandas as pd
import pytest

from matlens import InputError, Microstructure, compare
from matlens.microstructure.problems import bicontinuous, gaussian_field, white_noise
from matlens.microstructure.statistics import (
    Curves,
    Variability,
    chord_length_error,
    cluster_error,
    errors,
    joint_verdict,
    lineal_path_error,
    s2_error,
    verdict,
)
from matlens.microstructure.statistics.equivalence.comparison import _headline
from matlens.microstructure.statistics.equivalence.curves import MEASURES
from matlens.microstructure.statistics.equivalence.sentences import describe, verdict_word

MATERIALS = ["alloy", "carbonate", "ceramics", "composite", "copolymer", "pmma", "sandstone"]


def material(data_dir, name):
    return Microstructure(np.load(data_dir / "micrographs" / f"li2018_{name}.npy", allow_pickle=False))


@pytest.fixture(scope="module")
def texture():
    return gaussian_field((192, 192), 5.0, 0.4, seed=0)


def test_errors_vanish_on_equals_and_white_noise_scores_one(texture):
    assert set(errors(texture, texture).values()) == {0.0}
    noise = white_noise(texture.shape, texture.volume_fractions, 0)
    assert s2_error(noise, texture) == pytest.approx(1, abs=0.02)
    assert errors(noise, texture)["fraction_error"] < 1e-4


def test_s2_error_is_its_formula(texture):
    a, b = texture.crop(slice(0, 64), slice(0, 64)), texture.crop(slice(64, 128), slice(64, 128))
    mine, theirs = Curves(a), Curves(b)
    stop = max(4, 3 * int(theirs.correlation_length[1]))
    expected = []
    for i in range(3):
        c, d = mine.covariance[1, i, 1 : stop + 1], theirs.covariance[1, i, 1 : stop + 1]
        expected.append(np.abs(c - d).sum() / np.abs(d).sum())
    assert s2_error(a, b) == pytest.approx(np.mean(expected))


def test_periodicity_plays_no_part_in_errors(texture):
    a, b = (Microstructure(texture.labels, periodic=p) for p in (False, True))
    assert set(errors(a, b).values()) == {0.0}


def test_sizes_may_differ_and_absent_phases_are_survived(texture):
    empty = texture.with_labels(np.zeros((48, 40), int), periodic=False)
    window = texture.crop(slice(0, 64), slice(0, 56))
    assert s2_error(empty, window) == pytest.approx(1)
    assert np.isnan(s2_error(window, empty))
    assert all(np.isfinite(f(window, texture)) for f in MEASURES.values())
    assert np.isfinite([lineal_path_error(empty, window), cluster_error(empty, window)]).all()
    assert np.isfinite(chord_length_error(empty, window))
    with pytest.raises(InputError, match="number of phases"):
        errors(white_noise((16, 16), (0.3, 0.3, 0.4)), texture)


def test_what_cannot_be_known_is_left_out():
    flat = Microstructure(np.arange(128).reshape(2, 64) // 3 % 2)
    turned = flat.with_labels(1 - flat.labels)
    assert np.isfinite([s2_error(turned, flat), lineal_path_error(turned, flat)]).all()
    assert np.isnan(cluster_error(turned, flat))  # radial only, and no distance is below half of two rows


def test_pairs_of_a_window_with_itself_do_not_count(texture):
    windows = list(texture.tiles((64, 64)))
    apart = Variability(windows)
    for matrix in apart.between.values():
        assert np.isnan(np.diag(matrix)).all()
    pairs = [s2_error(windows[i], windows[j]) for i, j in permutations(range(9), 2)]
    table = apart.ratios(windows[:2]).set_index("statistic")
    assert table.loc["s2_error", "d_windows"] == pytest.approx(np.median(pairs))


@pytest.mark.slow
def test_ratios_are_deterministic_and_ordered(texture):
    apart = Variability(list(texture.tiles((48, 48))))
    fresh = [gaussian_field((48, 48), 5.0, 0.4, seed=s) for s in range(4)]
    first, again = apart.ratios(fresh, seed=3), apart.ratios(fresh, seed=3)
    pd.testing.assert_frame_equal(first, again)
    assert (first["low_joint"] <= first["low"]).all()
    assert (first["low"] <= first["R"] * 1.001).all()
    assert (first["R"] <= first["high"] * 1.001).all()
    assert joint_verdict(first) != "different"
    noise = [white_noise((48, 48), texture.volume_fractions, s) for s in range(4)]
    assert joint_verdict(apart.ratios(noise)) == "different"
    # half the windows of the same material: nothing may be told apart
    assert joint_verdict(Variability(apart.windows[:8]).ratios(apart.windows[8:])) != "different"


def test_verdict_rules():
    assert verdict(0.9, 1.24, 8) == "equivalent"
    assert verdict(1.26, 2, 8) == "different"
    assert verdict(1.2, 1.3, 8) == "undecided"
    assert verdict(1.26, 2, 7) == "undecided"
    rows = {"verdict": ["equivalent", "undecided"], "low_joint": [0.5, 1.2], "n_windows": [9, 9]}
    assert joint_verdict(pd.DataFrame(rows)) == "undecided"
    rows["verdict"][1] = "equivalent"
    assert joint_verdict(pd.DataFrame(rows)) == "equivalent"
    rows["n_windows"] = [4, 4]
    assert joint_verdict(pd.DataFrame(rows)) == "undecided"


@pytest.mark.slow
def test_compare_says_what_it_found(texture):
    results = [gaussian_field((96, 96), 5.0, 0.4, seed=s) for s in (1, 2)]
    found = compare(results, texture)
    assert len(found.errors) == 2
    assert list(found.ratios["window"].unique()) == ["96x96", "48x48"]
    own = found.ratios[found.ratios["window"] == "96x96"]
    assert (own["verdict"] == "undecided").all()
    assert (own["n_windows"] == 4).all()
    noise = found.controls[(found.controls["source"] == "white noise") & (found.controls["window"] == "48x48")]
    assert set(noise["joint"]) == {"different"}
    by_source = found.copying.groupby("source")["copies"].any()
    assert by_source.to_dict() == {"pasted blocks": True, "result 0": False, "result 1": False}
    assert found.joint in ("equivalent", "undecided")
    words = " ".join(found.sentences())
    assert "4 windows of the result's size, and a verdict needs 8" in words
    assert "Check passed: white noise is recognised as different" in words
    assert "does not repeat the micrograph" in words


@pytest.mark.slow
def test_compare_calls_another_texture_different(texture):
    other = [bicontinuous((96, 96), seed=s, wavelength=9) for s in range(3)]
    found = compare(other, texture, controls=False, copying=False)
    assert found.joint == "different"
    assert found.sentences()[0].startswith("Different")
    assert found.controls.empty
    assert found.copying.empty


@pytest.mark.slow
def test_curves_have_bands_and_distances(texture):
    exemplar = Microstructure(texture.labels, spacing=0.5, unit="um")
    curves = compare(texture.crop(slice(0, 96), slice(0, 64)), exemplar, controls=False, copying=False).curves
    assert curves["lineal_path_result"].dims == ("realisation", "phase", "axis", "r")
    assert curves["distance"].sel(axis="x", r=4) == 2.0
    assert curves["distance"].attrs["units"] == "um"
    low, high = curves["two_point_radial_low"], curves["two_point_radial_high"]
    assert bool((low <= high).where(low.notnull(), True).all())
    assert curves["two_point_radial_result"].sel(r=0, phase=1).item() == pytest.approx(0.4, abs=0.1)


@pytest.mark.slow
def test_small_exemplars_and_larger_results(texture):
    window = texture.crop(slice(0, 96), slice(0, 96))
    found = compare(texture, window, controls=False, copying=False)
    assert list(found.ratios["window"].unique()) == ["24x24"]
    assert "0 windows" in found.notes[0]
    tiny = compare(window.crop(slice(0, 24), slice(0, 24)), window.crop(slice(0, 20), slice(0, 20)), copying=False)
    assert tiny.ratios.empty
    assert tiny.joint == "undecided"
    assert "too small" in tiny.sentences()[0]


@pytest.mark.slow
def test_volumes_are_compared_too():
    volume = gaussian_field((32, 32, 32), 4.0, 0.4, seed=0)
    result = gaussian_field((16, 16, 16), 4.0, 0.4, seed=1)
    assert compare(result, volume, copying=False).ratios["n_windows"].iloc[0] == 8


def test_what_does_not_fit_is_named(texture):
    with pytest.raises(InputError, match="one size"):
        compare([texture, texture.crop(slice(0, 9), slice(0, 9))], texture)
    with pytest.raises(InputError, match="number of phases"):
        compare(white_noise((32, 32), (0.3, 0.3, 0.4)), texture)
    with pytest.raises(InputError, match="window"):
        compare(texture, texture, window=400)
    with pytest.raises(InputError, match="at least one"):
        compare([], texture)
    with pytest.raises(InputError, match="4 pixels"):
        compare(texture.crop(slice(0, 1), slice(0, 64)), texture)
    with pytest.raises(InputError, match="two or more"):
        Variability([texture])


# d(window, window') of the 128 x 128 tiles: S2, lineal path, cluster (shared/science/statistics.md)
ORIENTATION = {
    "alloy": (0.38, 0.26, 0.25),
    "carbonate": (0.25, 0.31, 0.22),
    "ceramics": (0.25, 0.18, 0.34),
    "copolymer": (0.43, 0.25, 0.30),
    "pmma": (0.39, 0.34, 0.34),
    "sandstone": (0.25, 0.15, 0.13),
}


@pytest.mark.parametrize("name", list(ORIENTATION))
def test_orientation_numbers(data_dir, name):
    windows = list(material(data_dir, name).tiles((128, 128)))
    between = Variability(windows).between
    found = [np.nanmedian(between[s]) for s in ("s2_error", "lineal_path_error", "cluster_error")]
    np.testing.assert_allclose(found, ORIENTATION[name], atol=0.0051)


@pytest.mark.slow
@pytest.mark.parametrize("name", MATERIALS)
def test_white_noise_is_different_on_every_material(data_dir, name):
    m = material(data_dir, name)
    apart = Variability(list(m.tiles((64, 64))))
    for seed in range(3):
        noise = [white_noise((64, 64), m.volume_fractions, 10 * seed + s) for s in range(4)]
        assert joint_verdict(apart.ratios(noise, seed=seed)) == "different"


def test_the_headline_tells_one_story_with_the_table():
    """A statistic that is different by itself is named, where all together are undecided."""
    table = pd.DataFrame(
        {
            "window": "32x32",
            "statistic": ["s2_error", "euler_density_error"],
            "verdict": ["undecided", "different"],
            "n_windows": 16,
            "R": [1.0, 2.2],
            "low": [0.8, 1.36],
            "high": [1.4, 3.6],
            "low_joint": [0.7, 1.1],
            "too_close": False,
        }
    )
    said = describe(table, {"32x32": "undecided"}, "undecided", pd.DataFrame(), pd.DataFrame())[0]
    assert said == (
        "Equivalent in 0 of 2 statistics; Euler density (R 2.20, 90 % interval 1.36 to 3.60) and two-point correlation "
        "(R 1.00, 90 % interval 0.80 to 1.40) are open: 16 windows of 32x32 pixels cannot tell, about 40 would."
    )


def judged(**columns):
    table = {
        "window": "32x32",
        "statistic": ["s2_error", "euler_density_error"],
        "verdict": "equivalent",
        "n_windows": 16,
        "R": 1.0,
        "low": 0.9,
        "high": 1.1,
        "low_joint": 0.8,
        "too_close": False,
    }
    return pd.DataFrame({**table, **columns})


def test_the_verdict_is_never_equivalent_where_blurred_noise_is_too():
    rows = judged()
    noise = judged(source="blurred noise", joint="equivalent")
    joint = _headline(rows, {"32x32": "equivalent"}, noise)
    assert joint == "undecided"
    said = describe(rows, {"32x32": "equivalent"}, joint, noise, pd.DataFrame())
    assert "cannot be distinguished from blurred noise" in said[0]
    assert not any(sentence.startswith("Equivalent") for sentence in said)
    assert verdict_word(rows, {"32x32": "equivalent"}, joint) == "Not decided"
    other = judged(source="blurred noise", joint="different")
    assert _headline(rows, {"32x32": "equivalent"}, other) == "equivalent"
    assert describe(rows, {"32x32": "equivalent"}, "equivalent", other, pd.DataFrame())[0].startswith(
        "Equivalent in all 2"
    )


def test_only_statistics_that_blurred_noise_fails_are_counted_first():
    """Seven of eight says nothing where blurred noise passes six of them."""
    rows = judged(verdict=["equivalent", "undecided"], high=[1.1, 1.4])
    noise = judged(source="blurred noise", joint="different", verdict=["equivalent", "different"])
    said = describe(rows, {"32x32": "undecided"}, "undecided", noise, pd.DataFrame())[0]
    assert said.startswith(
        "Equivalent in 0 of the 1 statistics that distinguish the material from blurred noise (Euler density) and in 1 "
        "of the 1 others; Euler density (R 1.00"
    )
    assert verdict_word(rows, {"32x32": "undecided"}, "undecided", noise) == "Not decided"
    passed = judged(source="blurred noise", joint="undecided", verdict="undecided")
    said = describe(rows, {"32x32": "undecided"}, "undecided", passed, pd.DataFrame())[0]
    assert said.startswith("Equivalent in 1 of 2 statistics, but none of them distinguishes the material from blurred")


def test_controls_name_the_phases_as_the_exemplar_does():
    material = gaussian_field((64, 64), 3.0, 0.4, seed=0)
    named = Microstructure(material.labels, phase_names=("gap", "stone"))
    found = compare(gaussian_field((32, 32), 3.0, 0.4, seed=1), named, copying=False)
    assert set(found.properties["phase"]) == {"gap", "stone"}
    assert found.properties.groupby("source")["phase"].nunique().eq(2).all()


def test_a_difference_is_named_first_and_what_is_equivalent_after_it():
    rows = judged(
        verdict=["equivalent", "different"], R=[1.0, 2.5], low=[0.9, 1.6], high=[1.1, 3.4], low_joint=[0.8, 1.4]
    )
    said = describe(rows, {"32x32": "different"}, "different", pd.DataFrame(), pd.DataFrame())[0]
    assert said == (
        "Different from 16 windows of 32x32 pixels of the material in Euler density (R 2.50, 90 % interval 1.60 to "
        "3.40); equivalent in 1 of 2 statistics."
    )


def test_the_windows_that_would_decide_narrow_the_interval_to_the_margin():
    ratio, high, n = 1.1, 1.5, 16
    rows = judged(verdict=["equivalent", "undecided"], R=[1.0, ratio], high=[1.1, high])
    said = describe(rows, {"32x32": "undecided"}, "undecided", pd.DataFrame(), pd.DataFrame())[0]
    number = int(re.search(r"about (\d+) would", said).group(1))
    assert np.log(high / ratio) * np.sqrt(n / number) <= np.log(1.25 / ratio)  # the upper end lies below the margin
    assert np.log(high / ratio) * np.sqrt(n / (number - 10)) > np.log(1.25 / ratio)  # and ten windows fewer do not do
    near = judged(verdict=["equivalent", "undecided"], R=[1.0, 1.24], high=[1.1, 1.5])
    assert (
        "where R lies close to 1.25"
        in describe(near, {"32x32": "undecided"}, "undecided", pd.DataFrame(), pd.DataFrame())[0]
    )


def test_a_copy_test_that_notices_nothing_gives_no_verdict():
    row = {
        "patch": 8,
        "copy_share": 0.1,
        "limit": 0.2,
        "largest_block": 9,
        "largest_block_expected": 9,
        "copies": False,
    }
    copying = pd.DataFrame([{"source": name, **row} for name in ("result 0", "pasted blocks")])
    said = describe(pd.DataFrame(), {}, "undecided", pd.DataFrame(), copying)
    assert said[-1].startswith("The copy test is not conclusive here")
    assert not any("does not repeat" in sentence for sentence in said)
