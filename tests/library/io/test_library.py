"""Libraries out of files: what each column is found to be, and the real data sets."""

import csv

import numpy as np
import openpyxl
import pytest

from matlens import InputError, LibraryOptions, MaterialsLibrary, read_library, write_library

ELEMENTS = ("Bi", "V", "W", "Dy", "Gd", "Mo", "Tb")


def photoanode_rows(n=12, seed=0):
    """Fractions of n samples of two hosts and one alloying element, of which Gd never is one."""
    rng = np.random.default_rng(seed)
    fractions = np.zeros((n, 7))
    alloying = rng.choice([2, 3, 5, 6], n)
    fractions[np.arange(n), alloying] = rng.uniform(0.007, 0.08, n)
    bismuth = rng.uniform(0.48, 0.52, n)
    rest = 1 - fractions.sum(1)
    fractions[:, 0], fractions[:, 1] = rest * bismuth, rest * (1 - bismuth)
    return fractions.round(6)


def write(path, columns, rows, title=None):
    with open(path, "w", newline="", encoding="utf-8") as file:
        if title:
            file.write(title + "\n")
        csv.writer(file).writerows([columns, *rows])
    return path


@pytest.fixture
def authors(tmp_path):
    """The published layout: a title line, Sample, elements, wavenumbers, P."""
    fractions, rng = photoanode_rows(), np.random.default_rng(1)
    axis = np.cumsum(np.linspace(1.373, 1.127, 30)) + 76.652
    rows = [
        [100 + k, *row, *rng.uniform(0, 5000, 30).round(3), round(rng.uniform(0.1, 2), 6)]
        for k, row in enumerate(fractions)
    ]
    columns = ["Sample", *ELEMENTS, *(f"{x:.3f}" for x in axis), "P"]
    return write(tmp_path / "data.csv", columns, rows, "Photoanodes, Raman and P, 2019"), fractions, axis, rows


def test_the_authors_layout(authors) -> None:
    path, fractions, axis, rows = authors
    found = read_library(path)
    assert found.components == ELEMENTS  # Gd is zero everywhere and stays
    np.testing.assert_allclose(found.compositions, fractions / fractions.sum(1, keepdims=True), atol=1e-12)
    np.testing.assert_allclose(found.axis, axis.round(3))
    np.testing.assert_array_equal(found.spectra, [row[8:-1] for row in rows])
    np.testing.assert_array_equal(found.merit("P"), [row[-1] for row in rows])
    assert found.samples == tuple(str(row[0]) for row in rows)
    assert (found.axis_name, found.axis_unit, found.unit("P"), found.fraction_name) == (
        "Raman shift",
        "cm-1",
        "mW/cm2",
        "at%",
    )


def test_the_order_of_columns_does_not_matter(authors, tmp_path) -> None:
    _, fractions, axis, rows = authors
    table = np.array([[float(cell) for cell in row] for row in rows])
    names = np.array(["Sample", *ELEMENTS, *(f"{x:.3f}" for x in axis), "P"])
    order = [38, *range(37, 7, -1), 4, 0, 2, 6, 1, 3, 7, 5]  # P, the axis falling, elements around the sample ids
    found = read_library(write(tmp_path / "b.csv", names[order], table[:, order]))
    assert set(found.components) == set(ELEMENTS) - {"Gd"} | ({"Gd"} & set(found.components))
    assert (np.diff(found.axis) > 0).all()
    assert "the axis was put in rising order" in found.notes
    there = [ELEMENTS.index(name) for name in found.components]
    np.testing.assert_allclose(found.compositions, fractions[:, there], atol=2e-6)
    np.testing.assert_array_equal(found.spectra, table[:, 8:38])


@pytest.mark.parametrize("scale", [1.0, 100.0])
@pytest.mark.parametrize(
    ("columns", "extra", "components", "merits", "covariates"),
    [
        (["Sample", *ELEMENTS, "P"], ("P",), ELEMENTS, {"P": ""}, []),
        (["id", *(f"{e} (at%)" for e in ELEMENTS), "J (mA/cm2)"], ("J",), ELEMENTS, {"J": "mA/cm2"}, []),
        (["x", "y", *(f"c_{e}" for e in ELEMENTS), "P_mW_cm2"], ("P",), ELEMENTS, {"P": "mW/cm2"}, ["x", "y"]),
        (
            ["Sample", "A", "B", "C1", "C2", "C3", "C4", "C5", "merit"],
            ("merit",),
            ("A", "B", "C1", "C2", "C3", "C4", "C5"),
            {"merit": ""},
            [],
        ),
    ],
)
def test_components_merits_and_covariates_are_found(
    tmp_path, scale, columns, extra, components, merits, covariates
) -> None:
    fractions = photoanode_rows(40) * scale
    rng = np.random.default_rng(3)
    before = len(columns) - 7 - len(extra)
    rows = [[k, *rng.uniform(-30, 30, before - 1), *row, 0.4 + 0.01 * k] for k, row in enumerate(fractions)]
    found = read_library(write(tmp_path / "t.csv", columns, rows))
    assert found.components == tuple(components)
    assert dict(found.merit_units) == merits
    assert [name for name in found.covariates if name != "x"] == [name for name in covariates if name != "x"]
    np.testing.assert_allclose(found.compositions, fractions / fractions.sum(1, keepdims=True), atol=1e-9)


def test_next_to_nothing_does_not_join_the_components(tmp_path) -> None:
    """A current of 1e-4 A closes with the fractions, and a column of zeros far from them is none of them."""
    rows = [[k, *row, 0, 1e-4 * (k + 1), 3.0 + k % 5] for k, row in enumerate(photoanode_rows(30))]
    found = read_library(write(tmp_path / "t.csv", ["Sample", *ELEMENTS, "offset", "I", "P"], rows))
    assert found.components == ELEMENTS
    assert set(found.merits) == {"offset", "I", "P"}


def test_a_column_of_zeros_stays_a_component_at_either_end(tmp_path) -> None:
    fractions = photoanode_rows(30)[:, [4, 0, 1, 2, 3, 5, 6]]  # Gd first
    rows = [[k, 0, *row, 0, 1.0 + k] for k, row in enumerate(fractions)]
    names = ["Gd", "Bi", "V", "W", "Dy", "Mo", "Tb"]
    found = read_library(write(tmp_path / "t.csv", ["Sample", "flag", *names, "Ho", "P"], rows))
    assert found.components == (*names, "Ho")
    assert "flag" not in found.components


def test_nominal_beside_measured_compositions(tmp_path) -> None:
    nominal = photoanode_rows(30)
    measured = nominal * (1 + 0.05 * np.sin(np.arange(210).reshape(30, 7)))
    measured /= measured.sum(1, keepdims=True)
    rows = [[k, *a, *b, 1.0 + k] for k, (a, b) in enumerate(zip(nominal, measured.round(6), strict=True))]
    columns = ["Sample", *(f"{e}_nominal" for e in ELEMENTS), *(f"{e}_measured" for e in ELEMENTS), "P"]
    path = write(tmp_path / "t.csv", columns, rows)
    found = read_library(path)
    assert found.components == ELEMENTS
    assert list(found.merits) == ["P"]
    assert any("close, too" in note for note in found.notes)
    chosen = read_library(path, options=LibraryOptions(components=[f"{e}_measured" for e in ELEMENTS], merits=["P"]))
    np.testing.assert_allclose(chosen.compositions, measured, atol=2e-6)


def test_bad_rows_do_not_hide_the_components(tmp_path) -> None:
    fractions = photoanode_rows(12)
    fractions[3, 0] += 0.1
    fractions[7, 2] -= 0.3
    rows = [[f"s{k}", *row, 1.0 + k] for k, row in enumerate(fractions)]
    path = write(tmp_path / "t.csv", ["Sample", *ELEMENTS, "P"], rows)
    with pytest.raises(InputError, match=r"found '-0\.\d+' in line 9, column 'W'; fractions cannot be negative"):
        read_library(path)
    rows[7][3] = 0.3
    with pytest.raises(InputError, match=r"do not sum to 1 within 0\.5% in line 5 \(1\.1\), line 9"):
        read_library(write(path, ["Sample", *ELEMENTS, "P"], rows))


def test_closure_within_half_a_percent_is_renormalised_and_noted(tmp_path) -> None:
    rows = [["a", 50.2, 50.2, 1], ["b", 30, 70, 2], ["c", 19.9, 79.7, 3]]
    found = read_library(write(tmp_path / "t.csv", ["Sample", "Fe", "Ga", "P"], rows))
    np.testing.assert_allclose(found.compositions.sum(1), 1, atol=1e-15)
    np.testing.assert_allclose(found.compositions[2], [19.9 / 99.6, 79.7 / 99.6])
    assert found.notes == ("2 of 3 rows were renormalised (their sums were 99.6 to 100.4)",)


def test_options_go_before_what_is_found(tmp_path) -> None:
    columns = ["name", "Fe", "Ga", "Al", "T1", "T2", "I_100.5", "I_101", "I_102.5", "plate no"]
    rows = [[f"s{k}", 0.3, 0.2 + k / 100, 0.5 - k / 100, k, 12 - k, 1, 2, 3 + k, k % 3] for k in range(10)]
    path = write(tmp_path / "t.csv", columns, rows)
    options = LibraryOptions(
        merits=("T2",),
        covariates=("plate no",),
        axis_columns="I_100.5:I_102.5",
        axis_name="2theta",
        axis_unit="deg",
        spectrum_unit="counts",
        merit_units=("T2=K",),
        censored=("T2>11",),
        fraction_name="mol%",
    )
    found = read_library(path, options=options)
    assert list(found.merits) == ["T2"]
    assert set(found.covariates) == {"plate no", "T1"}
    assert found.axis is not None
    assert found.axis.tolist() == [100.5, 101, 102.5]
    assert (found.axis_name, found.axis_unit, found.spectrum_unit) == ("2theta", "deg", "counts")
    assert found.unit("T2") == "K"
    assert found.censoring("T2").tolist() == [1, 1] + [0] * 8
    assert found.fraction_name == "mol%"


def test_limits_may_stand_in_the_cells(tmp_path) -> None:
    rows = [["a", 0.5, 0.5, ">10"], ["b", 0.4, 0.6, "3"], ["c", 0.3, 0.7, "< 0.1"], ["d", 0.2, 0.8, ""]]
    found = read_library(write(tmp_path / "t.csv", ["Sample", "Fe", "Ga", "P"], rows))
    assert found.merit().tolist()[:3] == [10, 3, 0.1]
    assert np.isnan(found.merit()[3])
    assert found.censoring().tolist() == [1, 0, -1, 0]


def test_semicolons_decimal_commas_and_other_encodings(tmp_path) -> None:
    text = "Probe;Fe;Ga;T (°C)\nä;0,5;0,5;1,25\nb;0,25;0,75;2,5\n"
    path = tmp_path / "t.csv"
    path.write_bytes(text.encode("cp1252"))
    found = read_library(path)
    assert found.samples == ("ä", "b")
    assert found.compositions.tolist() == [[0.5, 0.5], [0.25, 0.75]]
    assert (found.merit("T").tolist(), found.unit("T")) == ([1.25, 2.5], "°C")


def test_workbook(tmp_path) -> None:
    book = openpyxl.Workbook()
    book.active.append(["A title", None, None, None, None])
    for row in (["Sample", "Fe", "Ga", 100.5, 101, "P (T)"], ["a", 0.5, 0.5, 3, 4, 1.5], ["b", 0.25, 0.75, 5, 6, None]):
        book.active.append(row)
    book.create_sheet("other").append(["nothing"])
    book.save(tmp_path / "t.xlsx")
    found = read_library(tmp_path / "t.xlsx")
    assert found.components == ("Fe", "Ga")
    assert found.axis is not None
    assert found.axis.tolist() == [100.5, 101]
    assert found.unit("P") == "T"
    assert np.isnan(found.merit("P")[1])
    with pytest.raises(InputError, match="no sheet 'x'; it has Sheet, other"):
        read_library(tmp_path / "t.xlsx", options=LibraryOptions(sheet="x"))


def test_written_libraries_come_back_to_the_last_digit(tmp_path) -> None:
    rng = np.random.default_rng(0)
    fractions = rng.dirichlet([1, 1, 0.2, 1], 9)
    fractions[:, 2] = 0
    given = MaterialsLibrary(
        fractions / fractions.sum(1, keepdims=True),
        ("x 1", "Bi", "none, never", "P"),
        {"P_W": rng.normal(size=9), "gap": [1.5, np.nan, *range(7)]},
        {"P_W": "mW/cm2", "gap": "eV"},
        rng.normal(size=(9, 4)),
        [1.25, 2, 4, 8 / 3 + 6],
        "2theta",
        "deg",
        "diffraction",
        "counts",
        tuple("abcdefghi"),
        {"batch": ["007", "b"] * 4 + ["007"], "x": [0.1, np.nan, *range(7)]},
        {"gap": [1, 0, -1, 0, 0, 0, 0, 0, 0]},
        "mol%",
        ("a note, with comma", 'and "quotes"'),
    )
    write_library(given, tmp_path / "library.csv")
    back = read_library(tmp_path / "library.csv")
    for name in given.__dataclass_fields__:
        one, other = getattr(given, name), getattr(back, name)
        if name in ("merits", "covariates", "censored"):
            assert one.equals(other), name
        elif isinstance(one, np.ndarray):
            np.testing.assert_array_equal(one, other, err_msg=name)
        else:
            assert one == other, name


def test_the_photoanode_rows(data_dir) -> None:
    found = read_library(data_dir / "library" / "bivo4_60rows_composition_P.csv")
    assert (len(found), found.components, dict(found.merit_units)) == (60, ELEMENTS, {"P": "mW/cm2"})
    assert not found.compositions[:, 3:6].any()  # Dy, Gd and Mo are absent from these 60 rows, and stay
    assert set(found.systems()) == {"Bi-V-W", "Bi-V-Tb"}
    assert found.merit()[0] == 1.325732
    assert found.samples[0] == "97"


def test_p3ht(data_dir) -> None:
    found = read_library(data_dir / "library" / "P3HT_dataset.csv")
    assert (len(found), found.components) == (233, ("P3HT", "D1", "D2", "D6", "D8"))
    assert (list(found.merits), found.unit(), found.fraction_name) == (["Conductivity (measured)"], "S/cm", "%")
    assert len(set(found.replicates())) == 178
    assert "sums were 99.89 to 100.1" in found.notes[0]


def test_fe_ga_pd(data_dir) -> None:
    found = read_library(data_dir / "library" / "fegapd")
    assert (len(found), found.components, found.has_spectra) == (278, ("Fe", "Ga", "Pd"), True)
    assert found.axis is not None
    assert (found.axis.size, found.axis[0], found.axis[-1], found.axis_unit) == (551, 37, 48, "deg")
    assert int(found.censoring().sum()) == 19
    assert (found.merit()[found.censoring() == 1] == 10).all()
    assert np.ptp(found.compositions.sum(1)) < 1e-12
    with pytest.raises(InputError, match="'Mag'"):
        read_library(data_dir / "library" / "fegapd", options=LibraryOptions(merits=("Q",)))
