import numpy as np
import pytest

from matlens.errors import InputError
from matlens.microstructure.physics import phase_index, phase_values
from matlens.microstructure.structure import Microstructure

PORES = Microstructure([[0, 1], [1, 1]], phase_names=["pore", "quartz", "clay"])


@pytest.mark.parametrize(("phase", "index"), [(2, 2), ("quartz", 1), ("0", 0), (np.int64(1), 1)])
def test_phases_go_by_number_or_name(phase, index):
    assert phase_index(PORES, phase) == index


@pytest.mark.parametrize("phase", [3, -1, "solid", "7", 1.0, True, None])
def test_an_unknown_phase_is_refused_with_those_there_are(phase):
    with pytest.raises(InputError, match=r"0 \(pore\), 1 \(quartz\), 2 \(clay\)"):
        phase_index(PORES, phase)


def test_values_come_in_the_order_of_the_labels_and_absent_phases_need_none():
    values = phase_values(PORES, {"quartz": 2, 0: np.float32(0.5)}, "conductivity")
    assert values[:2].tolist() == [0.5, 2.0]
    assert np.isnan(values[2])


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({0: 1.0}, r"phase 1 \(quartz\) is missing"),
        ({}, r"phase 0 \(pore\) and 1 \(quartz\) is missing"),
        ({0: 1.0, 1: 2.0, "pore": 1.0}, "given twice"),
        ({0: -1.0, 1: 2.0}, "give a finite number of 0 or more"),
        ({0: float("nan"), 1: 2.0}, "is nan"),
        ({0: float("inf"), 1: 2.0}, "is inf"),
        ({0: "1.0", 1: 2.0}, "finite number"),
    ],
)
def test_missing_and_impossible_values_are_refused(given, message):
    with pytest.raises(InputError, match=message):
        phase_values(PORES, given, "conductivity")


def test_limits_are_named():
    with pytest.raises(InputError, match=r"between -0\.99 and 0\.499"):
        phase_values(PORES, {0: 0.5, 1: 0.2}, "Poisson's ratio", limits=(-0.99, 0.499))
