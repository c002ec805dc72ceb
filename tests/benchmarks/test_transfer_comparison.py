"""Encoders judged side by side, as `benchmarks/transfer.py compare` does it."""

import argparse

import numpy as np
import pytest
from safetensors.torch import save_file
from sklearn.metrics import r2_score

import transfer_data
from matlens.microstructure.encoders import FilterBank, load_encoder
from transfer_comparison import paired_difference, r_squared
from transfer_encoders import Judged, add_arguments, chosen_encoders

RANDOM = np.random.default_rng(0)
TRUTH = RANDOM.normal(5, 1, 40)
MISSED = RANDOM.normal(0, 0.2, (3, 40))


def test_r_squared_of_counted_structures_is_that_of_repeated_ones() -> None:
    counts = RANDOM.integers(0, 3, (2, 40))
    found = r_squared(TRUTH, MISSED, counts.astype(float))
    for w, count in enumerate(counts):
        rows = np.repeat(np.arange(40), count)
        expected = [r2_score(TRUTH[rows], TRUTH[rows] + missed[rows]) for missed in MISSED]
        assert found[w] == pytest.approx(expected, abs=1e-12)


def test_the_same_errors_differ_by_nothing_and_larger_ones_surely() -> None:
    same = paired_difference(TRUTH, MISSED, MISSED)
    assert same["difference"] == same["low"] == same["high"] == 0
    worse = paired_difference(TRUTH, 1.5 * MISSED, MISSED)
    assert worse["difference"] == pytest.approx(np.mean([-1.25 * (m**2).sum() for m in MISSED]) / TRUTH.var() / 40)
    assert worse["low"] < worse["draws_low"] < worse["difference"] < worse["draws_high"] < worse["high"] < 0


def test_resampling_structures_widens_an_interval_that_draws_alone_leave_too_narrow() -> None:
    """The same errors in every draw: draws say nothing about how the difference depends on the structures."""
    missed, reference = (np.repeat(RANDOM.normal(0, 0.2, (1, 40)), 3, 0) for _ in range(2))
    found = paired_difference(TRUTH, missed, reference)
    assert found["draws_high"] - found["draws_low"] < 1e-12
    assert found["high"] - found["low"] > 0.005


def test_rows_of_other_marks_or_weights_are_refused(tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(transfer_data, "PLACE", tmp_path)
    Judged("mine", FilterBank(filters=8, scales=2)).store()
    Judged("mine", FilterBank(filters=8, scales=2)).store()
    with pytest.raises(SystemExit, match="other weights or marks"):
        Judged("mine", FilterBank(filters=8, scales=2), left_out=("sheets",)).store()
    with pytest.raises(SystemExit, match="other weights or marks"):
        Judged("mine", FilterBank(filters=8, scales=2, seed=1)).store()


def test_encoders_and_marks_are_read_from_the_arguments(tmp_path) -> None:
    save_file(load_encoder("matlens").stored(), tmp_path / "w.safetensors")
    parser = argparse.ArgumentParser()
    add_arguments(parser)
    given = ["--encoders", "filterbank", "--weights", f"mine={tmp_path / 'w.safetensors'}"]
    found = chosen_encoders(parser.parse_args([*given, "--left-out", "mine=sheets,fields"]))
    assert [(one.name, one.left_out) for one in found] == [("filterbank", ()), ("mine", ("sheets", "fields"))]
    with pytest.raises(SystemExit, match="marks were given for nobody"):
        chosen_encoders(parser.parse_args([*given, "--seen-conductivities", "nobody"]))
    with pytest.raises(SystemExit, match="no family wood"):
        chosen_encoders(parser.parse_args([*given, "--left-out", "mine=wood"]))
