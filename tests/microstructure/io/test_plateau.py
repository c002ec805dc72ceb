"""The plateau of thresholds, and how its uncertainty is carried on to statistics, properties and reports."""

from itertools import pairwise

import numpy as np
import pandas as pd
import pytest

from matlens import InputError
from matlens.cli.app import main
from matlens.microstructure.commands.thresholds import keep_variants, kept_variants
from matlens.microstructure.io import Image
from matlens.microstructure.problems import gaussian_field
from matlens.microstructure.segmentation import CleaningOptions, segment
from matlens.microstructure.segmentation.plateau import PLACES, plateau
from matlens.microstructure.statistics import catalogue, characterize, threshold_ranges, threshold_sensitivity
from matlens.runs.directory import RunDirectory

FIELD = gaussian_field((96, 96), 4.0, 0.4, seed=0)


def grey(noise=12.0, contrast=60.0):
    return 90 + contrast * FIELD.labels + np.random.default_rng(1).normal(0, noise, FIELD.shape)


def matlens(*arguments):
    with pytest.raises(SystemExit) as ended:
        main([str(argument) for argument in arguments])
    return ended.value.code


def explained(values, level):
    """Variance between the two classes of a threshold, by its definition."""
    low, high = values[values <= level], values[values > level]
    return low.size * high.size * (low.mean() - high.mean()) ** 2


def test_the_ends_of_the_plateau_separate_as_well_and_further_out_worse():
    values = grey().ravel()
    (level,) = plateau(values, (120.0,))[0.0]
    assert level == 120.0
    (low,), (high,) = (plateau(values, (120.0,))[end] for end in (-1.0, 1.0))
    assert low < 120 < high
    used = explained(values, 120.0)
    for inside in np.linspace(low, high, 9):
        assert explained(values, inside) == pytest.approx(used, rel=0.0101)
    for outside in (low - 1.5, high + 1.5):
        assert explained(values, outside) < 0.99 * used


def test_the_plateau_does_not_depend_on_the_zero_of_the_grey_values():
    near, far = plateau(grey(), (120.0,)), plateau(grey() + 30000, (30120.0,))
    for place in PLACES:
        assert far[place][0] - 30000 == pytest.approx(near[place][0], abs=1e-6)


def test_overlapping_phases_are_less_certain():
    spans = []
    for noise in (6, 12, 24):
        found = segment(Image(grey(noise)), CleaningOptions(threshold="120"))
        shares = [found.variants[place].volume_fractions[1] for place in PLACES]
        assert shares == sorted(shares, reverse=True)
        spans.append(shares[0] - shares[-1])
    assert spans[0] < 0.02 < spans[1] < spans[2]


def test_thresholds_of_several_phases_move_together_and_keep_their_order():
    three = 90 + 50 * np.digitize(grey(0, 60) + gaussian_field((96, 96), 6.0, 0.5, seed=3).labels * 60, (120.0, 180.0))
    found = segment(
        Image(three + np.random.default_rng(0).normal(0, 6, three.shape)),
        CleaningOptions(threshold="multiotsu:3", phases="a,b,c"),
    )
    levels = [found.variants.levels[place] for place in PLACES]
    assert all(low < high for low, high in levels)
    assert all(below[k] <= above[k] for below, above in pairwise(levels) for k in (0, 1))
    assert all(found.variants[place].phase_names == ("a", "b", "c") for place in PLACES)
    assert found.variants[0.0] is found.microstructure


def test_what_separates_nothing_has_no_plateau():
    assert plateau(np.arange(16.0), (99.0,)) == dict.fromkeys(PLACES, (99.0,))


def test_ranges_are_the_least_and_the_most_of_what_characterize_gives():
    variants = segment(Image(grey()), CleaningOptions(threshold="otsu")).variants
    wanted = ["volume_fraction", "chord_length", "specific_surface", "two_point"]
    ranges = threshold_ranges(variants, statistics=wanted)
    each = [characterize(variants[place], statistics=wanted) for place in PLACES]
    assert set(ranges) == set(each[0]) > {"volume_fraction", "mean_chord_length", "two_point_radial"}
    for name in ranges:
        values = np.stack([one[name].values for one in each])
        assert np.array_equal(ranges[name].sel(end="low"), values.min(axis=0))
        assert np.array_equal(ranges[name].sel(end="high"), values.max(axis=0))
        assert ranges[name].attrs == each[0][name].attrs
    assert ranges.attrs["left_out"] == ""
    known = threshold_ranges(variants, statistics=wanted, known=each[2])
    assert known.equals(ranges)


@pytest.mark.parametrize(("seconds", "times"), [(1.0, 5), (10.0, 2), (100.0, 0)])
def test_heavy_statistics_are_measured_at_the_ends_or_not_again(monkeypatch, seconds, times):
    variants = segment(Image(grey()), CleaningOptions(threshold="otsu")).variants
    (statistic,) = catalogue.find_statistics(["specific_surface"])
    seen = []
    monkeypatch.setattr(type(statistic.cost), "estimate", lambda self, shape, phases: (seconds, 0.0))
    monkeypatch.setattr(
        type(statistic), "measure", lambda self, m: seen.append(m) or self.compute(m)[None].reshape(1, 2)
    )
    ranges = threshold_ranges(variants, statistics=["specific_surface"])
    assert len(seen) == times
    assert ranges.attrs["left_out"] == ("specific_surface" if times == 0 else "")


def test_a_sensitivity_needs_the_thresholds_in_use():
    with pytest.raises(InputError, match=r"expected 0\.0"):
        threshold_ranges({1.0: FIELD})
    with pytest.raises(InputError, match=r"expected 0\.0"):
        threshold_sensitivity({1.0: FIELD})


def test_a_run_keeps_the_structures_of_other_thresholds(tmp_path):
    found = segment(Image(grey(), spacing=(2.0, 2.0), unit="um"), CleaningOptions(threshold="otsu", phases="a,b"))
    labels = segment(Image(FIELD.labels))
    with RunDirectory.create(tmp_path / "run", "characterize", {}) as run:
        keep_variants(run, [labels, found])
        none, kept = kept_variants(run, [labels.microstructure, found.microstructure])
    assert none == {}
    assert kept.levels == found.variants.levels
    for place in PLACES:
        assert np.array_equal(kept[place].labels, found.variants[place].labels)
        assert (kept[place].spacing, kept[place].phase_names) == ((2.0, 2.0), ("a", "b"))


@pytest.mark.end_to_end
def test_characterize_gives_ranges_of_grey_files_only(tmp_path):
    np.save(tmp_path / "grey.npy", grey())
    np.save(tmp_path / "labels.npy", FIELD.labels)
    some = ("--statistics", "volume_fraction,chord_length,euler_density", "--quiet")
    assert matlens("characterize", tmp_path / "grey.npy", *some, "-o", tmp_path / "run") == 0
    found = pd.read_csv(tmp_path / "run" / "measures.csv")
    assert (found["threshold_low"] <= found["value"]).all()
    assert (found["threshold_high"] >= found["value"]).all()
    assert (found["threshold_high"] > found["threshold_low"]).all()
    report = (tmp_path / "run" / "report.html").read_text()
    assert "in brackets the range of values when the thresholds move over their plateau" in report
    fraction = found[found["statistic"] == "volume_fraction"].iloc[0]
    shown = f"{100 * fraction['value']:.3g} ({100 * fraction['threshold_low']:.3g} to "
    assert f"{shown}{100 * fraction['threshold_high']:.3g})" in report
    assert matlens("characterize", tmp_path / "labels.npy", *some, "-o", tmp_path / "labels") == 0
    assert "threshold_low" not in pd.read_csv(tmp_path / "labels" / "measures.csv")


@pytest.mark.end_to_end
def test_characterize_gives_ranges_of_curves_of_grey_files(tmp_path):
    np.save(tmp_path / "grey.npy", grey())
    np.save(tmp_path / "labels.npy", FIELD.labels)
    both = (tmp_path / "grey.npy", tmp_path / "labels.npy")
    assert matlens("characterize", *both, "--statistics", "two_point", "--quiet", "-o", tmp_path / "run") == 0
    found = pd.read_csv(tmp_path / "run" / "curves.csv")
    of_grey, of_labels = found[found["source"] == "grey"], found[found["source"] == "labels"]
    assert of_labels[["low", "high"]].isna().all(axis=None)
    assert (of_grey["low"] <= of_grey["value"]).all()
    assert (of_grey["value"] <= of_grey["high"]).all()
    variants = segment(Image(grey()), propose=True).variants
    moved = characterize(variants[1.0], statistics=["two_point"])
    start = of_grey[(of_grey["phase"] == "phase 0") & (of_grey["distance"] == 0)]["high"].iloc[0]
    assert start == pytest.approx(float(moved["two_point_radial"][0, 0]))  # a higher threshold leaves more dark pixels
    assert "its range when the thresholds move" in (tmp_path / "run" / "report.html").read_text()


@pytest.mark.end_to_end
def test_homogenize_gives_the_result_by_every_threshold(tmp_path, capsys):
    np.save(tmp_path / "grey.npy", grey())
    asked = ("--conductivity", "0=1,1=50", "--tolerance", "1e-8")
    assert matlens("homogenize", tmp_path / "grey.npy", *asked, "-o", tmp_path / "run") == 0
    out = capsys.readouterr().out
    found = pd.read_csv(tmp_path / "run" / "thresholds.csv")
    assert sorted(found["threshold_shift"].unique()) == list(PLACES)
    along = found[found["component"] == "x"].set_index("threshold_shift")["value"]
    assert along.is_monotonic_decreasing  # a higher threshold leaves less of the bright conductor
    tensor = pd.read_csv(tmp_path / "run" / "tensor.csv")
    assert along[0.0] == pytest.approx(tensor.set_index("component").loc["x", "x"])
    moved = segment(Image(grey()), propose=True).variants[1.0]
    np.save(tmp_path / "moved.npy", moved.labels)
    assert matlens("homogenize", tmp_path / "moved.npy", *asked, "--quiet", "-o", tmp_path / "alone") == 0
    alone = pd.read_csv(tmp_path / "alone" / "tensor.csv").set_index("component").loc["x", "x"]
    assert along[1.0] == pytest.approx(alone, rel=1e-3)
    assert "which separate the phases nearly as well, the result is y " in out
    assert "the lower end (-1) to the upper (1)" in (tmp_path / "run" / "report.html").read_text()


@pytest.mark.end_to_end
def test_compare_shows_what_the_thresholds_alone_move(tmp_path):
    np.save(tmp_path / "grey.npy", grey())
    np.save(tmp_path / "labels.npy", FIELD.labels)
    asked = (tmp_path / "labels.npy", tmp_path / "grey.npy", "--quiet", "-o", tmp_path / "run")
    assert matlens("compare", *asked) == 0
    assert "micrograph, thresholds moved" in (tmp_path / "run" / "report.html").read_text()
    assert len(pd.read_csv(tmp_path / "run" / "errors.csv")) == 1
