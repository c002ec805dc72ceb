"""How `benchmarks/gpu.py` judges and what it does when a part fails; test_devices.py goes through its sections."""

from dataclasses import replace

import numpy as np
import pytest
import torch

import gpu


def checked(tolerance, error):
    rows = []
    gpu.Work("cpu", True, rows.append).check("one", tolerance, error)
    return rows[0]


@pytest.mark.parametrize(("error", "passed"), [(0.0, True), (1e-3, True), (2e-3, False), (np.nan, False)])
def test_a_check_passes_within_its_tolerance_only(error, passed) -> None:
    assert checked(1e-3, lambda: error)["passed"] is passed


def test_an_exception_fails_its_check_and_says_why() -> None:
    def broken():
        raise RuntimeError("out of order")

    row = checked(1.0, broken)
    assert not row["passed"]
    assert row["error"] is None
    assert row["note"] == "RuntimeError: out of order"


def test_errors_are_relative_to_the_processor() -> None:
    assert gpu.relative(torch.tensor([3.0, 4.5]), np.array([3.0, 4.0])) == pytest.approx(0.1)


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a CUDA device")
def test_a_section_that_crashes_fails_and_keeps_the_others_going() -> None:
    (row,) = gpu.run_section("encoders", "cuda", small=True)
    assert not row["passed"]
    assert "found no CUDA device" in row["note"]


def test_a_section_ends_with_its_time_and_only_times_may_be_cut_off(monkeypatch) -> None:
    for name, passed in (("encoders", False), ("library_times", True)):
        monkeypatch.setitem(gpu.SECTIONS, name, replace(gpu.SECTIONS[name], limit=0.02))
        (row,) = gpu.run_section(name, "cpu", small=True)
        assert row["passed"] is passed
        assert "ran longer than its" in row["note"]
