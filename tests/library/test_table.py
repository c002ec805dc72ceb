"""What a library knows of itself, and what it refuses."""

import numpy as np
import pandas as pd
import pytest

from matlens import InputError, MaterialsLibrary

FRACTIONS = [[0.5, 0.5, 0.0], [0.4, 0.4, 0.2], [0.5, 0.5, 0.0], [0.5, 0.0, 0.5]]


def library(**changes):
    given = {
        "compositions": FRACTIONS,
        "components": ("A", "B", "C"),
        "merits": {"P": [1.0, 2.0, np.nan, 4.0]},
        "merit_units": {"P": "mW"},
        "spectra": np.arange(8.0).reshape(4, 2),
        "axis": [10.0, 30.0],
        "samples": ("a", "b", "c", "d"),
        "covariates": {"plate": ["x", "x", "y", "y"]},
        "censored": {"P": [0, 1, 0, -1]},
    }
    return MaterialsLibrary(**(given | changes))


def test_systems_replicates_and_selection() -> None:
    full = library()
    assert full.systems().tolist() == ["A-B", "A-B-C", "A-B", "A-C"]
    assert full.replicates().tolist() == [0, 1, 0, 2]
    part = full.select(np.array([False, True, False, True]))
    assert part.samples == ("b", "d")
    assert part.merit().tolist() == [2.0, 4.0]
    assert part.spectra is not None
    assert part.spectra.tolist() == [[2.0, 3.0], [6.0, 7.0]]
    assert part.covariates["plate"].tolist() == ["x", "y"]
    assert part.censoring("P").tolist() == [1, -1]
    assert part.systems().tolist() == ["A-B-C", "A-C"]
    assert full.select([3, 0]).samples == ("d", "a")
    assert part.components == full.components  # B is absent from one row, and C from none; both stay


def test_replicates_do_not_depend_on_rounding_noise() -> None:
    half = np.array([[0.33335, 0.66665], [0.33335 + 1e-12, 0.66665 - 1e-12], [0.33335 - 1e-12, 0.66665 + 1e-12]])
    assert library_of(half).replicates().tolist() == [0, 0, 0]
    assert library_of([[0.5, 0.5], [0.5002, 0.4998]]).replicates().tolist() == [0, 1]


def library_of(fractions):
    return MaterialsLibrary(np.array(fractions), ("A", "B"), {"P": np.zeros(len(fractions))})


def test_arrays_are_copies_and_closed_to_writing() -> None:
    fractions = np.array(FRACTIONS)
    made = library(compositions=fractions)
    fractions[0, 0] = 9
    assert made.compositions[0, 0] == 0.5
    with pytest.raises(ValueError, match="read-only"):
        made.compositions[0, 0] = 1


def test_spectra_come_and_go() -> None:
    bare = library().without_spectra()
    assert not bare.has_spectra
    assert bare.axis is None
    assert bare.with_spectra(np.ones((4, 3)), [3.0, 2.0, 1.0]).has_spectra  # falling is monotonic too


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"compositions": [[0.5, 0.5, 0.0]] * 3 + [[0.5, 0.4, 0.0]]}, ["d (0.9)", "sum to 1"]),
        ({"compositions": [[0.5, 0.5, 0.0]] * 3 + [[0.6, 0.6, -0.2]]}, ["negative", "d/C"]),
        ({"compositions": [[0.5, np.nan, 0.5]] + [[0.5, 0.5, 0.0]] * 3}, ["missing", "a/B"]),
        ({"compositions": [[0.5, np.inf, 0.5]] + [[0.5, 0.5, 0.0]] * 3}, ["infinite", "a/B"]),
        ({"components": ("A", "B")}, ["3 columns", "2 components"]),
        ({"components": ("A", "B", "B")}, ["component B", "more than once"]),
        ({"merits": {"P": [1.0, np.inf, 2.0, 3.0]}}, ["'P'", "infinite", "sample b"]),
        ({"merits": {"P": [1.0, 2.0]}, "censored": None}, ["4 samples"]),
        ({"merits": {"P": ["x", "1", "2", "3"]}}, ["'P'", "numbers"]),
        ({"samples": ("a", "b", "a", "d")}, ["sample id a", "more than once"]),
        ({"samples": ("a", "b")}, ["2 sample ids", "4 rows"]),
        ({"axis": [10.0, 10.0]}, ["10.0", "more than once"]),
        ({"axis": ["ten", "thirty"]}, ["axis", "numbers"]),
        ({"axis": [10.0, 20.0, 30.0]}, ["(4, 2)", "3 channels"]),
        ({"axis": [1.0, 3.0, 2.0], "spectra": np.ones((4, 3))}, ["rise or fall"]),
        ({"spectra": [[1, 2], [1], [1, 2], [1, 2]]}, ["spectra", "equal length"]),
        ({"spectra": [[1, 2], [1, np.nan], [1, 2], [1, 2]]}, ["missing or infinite", "b/30"]),
        ({"axis": None}, ["without an axis"]),
        ({"covariates": {"plate": ["x"]}}, ["covariates", "4 samples"]),
        ({"censored": {"P": [0, 2, 0, 0]}}, ["-1", "0 or 1"]),
        ({"censored": {"Q": [0, 0, 0, 0]}}, ["figures of merit"]),
    ],
)
def test_bad_tables_are_refused_with_the_place(changes, words) -> None:
    with pytest.raises(InputError) as caught:
        library(**changes)
    for word in words:
        assert word in str(caught.value)


def test_unknown_names_list_what_there_is() -> None:
    two = library(merits={"P": np.ones(4), "Band gap": np.ones(4)}, merit_units={"P": "mW/cm2"})
    for call in (lambda: two.merit("Q"), lambda: two.merit()):
        with pytest.raises(InputError, match=r"'P', 'Band gap'"):
            call()
    with pytest.raises(InputError, match="A, B, C"):
        two.component("Xx")
    assert two.merit_name("P_mW_cm2") == "P"  # as the column of a file may have been called
    assert two.unit("Band gap") == ""


def test_tables_may_come_with_any_index() -> None:
    made = library(merits=pd.DataFrame({"P": [1.0, 2.0, 3.0, 4.0]}, index=[7, 5, 3, 1]))
    assert made.merit().tolist() == [1.0, 2.0, 3.0, 4.0]
