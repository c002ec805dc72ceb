"""Tables as other users write them: units in titles and headings, positions, sheets, formulas, and marks."""

import gzip

import numpy as np
import openpyxl
import pytest

from matlens import InputError, LibraryOptions, read_library
from matlens.library.io.formulas import formula_amounts
from matlens.library.io.truth import lines_of_truth

FE = [10, 20, 30, 40, 50, 60]


def text_of(rows, mark=","):
    return "".join(mark.join(map(str, row)) + "\n" for row in rows)


def read(tmp_path, text, **options):
    path = tmp_path / "t.csv"
    path.write_text(text, encoding="utf-8")
    return read_library(path, options=LibraryOptions(**options))


def samples(*columns):
    """Rows of six samples of Fe and Co in percent, with a further column each."""
    return [[f"s{k}", fe, 100 - fe, *(column[k] for column in columns)] for k, fe in enumerate(FE)]


def write_book(path, sheets):
    book = openpyxl.Workbook()
    book.remove(book.active)
    for title, rows in sheets.items():
        page = book.create_sheet(title)
        for row in rows:
            page.append(row)
    book.save(path)
    return path


@pytest.mark.parametrize(
    "head",
    [
        "all compositions in wt.-%\nSample,Fe,Co,P\n",
        "Sample,Composition (wt%),,P\n,Fe,Co,\n",
        "Sample,wt.%,,P\n,Fe,Co,\n",
        "Sample,Fe [wt.-%],Co [wt.-%],P\n",
        "Sample,Fe Weight %,Co Weight %,P\n",
        "Sample,Fe,Co,P\n,wt.%,wt.%,mV\n",
    ],
    ids=["title", "heading", "heading of a unit", "German", "EDS", "row of units"],
)
def test_mass_fractions_are_recognised_wherever_the_table_says_so(tmp_path, head) -> None:
    found = read(tmp_path, head + text_of(samples(range(6))))
    assert (found.components, found.fraction_name) == (("Fe", "Co"), "wt%")
    assert list(found.merits) == ["P"]
    moles = np.array([FE, [100 - fe for fe in FE]]).T / [55.845, 58.933]
    atomic = read(tmp_path, head + text_of(samples(range(6))), atomic=True)
    np.testing.assert_allclose(atomic.compositions, moles / moles.sum(axis=1, keepdims=True), rtol=1e-12)


def test_a_title_that_gives_the_unit_is_noted_and_can_be_overruled(tmp_path) -> None:
    text = "in wt%\nSample,Fe,Co,P\n" + text_of(samples(range(6)))
    assert any("in wt% by the title" in note for note in read(tmp_path, text).notes)
    assert read(tmp_path, text, fraction_name="at%").fraction_name == "at%"
    assert read(tmp_path, text.replace("in wt%", "at% and wt%")).fraction_name == "at%"  # the title decides nothing


def test_positions_on_a_map_are_no_composition(tmp_path) -> None:
    """x and y may sum to 1, too; they stand before the components, and have names of one kind."""
    rows = [["x", "stage y (mm)", "PVA", "PEG", "P"]]
    rows += [[x / 100, 1 - x / 100, (x + 5) / 200, 1 - (x + 5) / 200, x] for x in FE]
    found = read(tmp_path, text_of(rows))
    assert found.components == ("PVA", "PEG")
    assert list(found.merits) == ["P"]
    assert list(found.covariates) == ["x", "stage y (mm)"]
    assert "; positions x, stage y (mm); no further columns" in lines_of_truth(found, "t.csv")[0]
    assert read(tmp_path, text_of(rows), components=("x", "stage y")).components == ("x", "stage y")


def test_a_column_of_words_for_the_balance_is_no_further_column(tmp_path) -> None:
    rows = [["Sample", "Ni (wt.%)", "Co (wt.%)", "P (T)"], *([f"s{k}", "bal.", k + 1, k] for k in range(6))]
    found = read(tmp_path, text_of(rows))
    assert (found.components, found.fraction_name) == (("Co", "Ni"), "wt%")
    assert found.compositions[0].tolist() == pytest.approx([0.01, 0.99])
    assert list(found.covariates) == []


def test_a_number_with_an_underscore_is_refused_as_the_only_odd_cell_too(tmp_path) -> None:
    with pytest.raises(InputError, match=r"'1_000' in line 2, column 'P'"):
        read(tmp_path, "Sample,Fe,Co,P\n" + text_of(samples(["1_000", 2, 3, 4, 5, 6])))


def test_columns_between_vertical_bars(tmp_path) -> None:
    found = read(tmp_path, "Sample|Fe|Co|P\n" + text_of(samples([7, 8, 9, 1, 2, 3]), "|"))
    assert found.merit("P").tolist() == [7, 8, 9, 1, 2, 3]


def test_compressed_files_are_named_as_such(tmp_path) -> None:
    path = tmp_path / "t.csv.gz"
    path.write_bytes(gzip.compress(b"Sample,Fe,Co,P\na,50,50,1\n"))
    with pytest.raises(InputError, match=r"t\.csv\.gz is a compressed file \(gzip\); unpack it"):
        read_library(path)


@pytest.mark.parametrize(
    ("text", "amounts"),
    [
        ("CuSO4·5H2O", {"Cu": 1, "S": 1, "O": 9, "H": 10}),
        ("CaSO4*1/2H2O", {"Ca": 1, "S": 1, "O": 4.5, "H": 1}),
        ("Fe1/3Co2/3", {"Fe": 1 / 3, "Co": 2 / 3}),
        ("Fe_{0.5}Co_{0.5}", {"Fe": 0.5, "Co": 0.5}),
        ("(Fe_0.4Co_0.6)_2O_3", {"Fe": 0.8, "Co": 1.2, "O": 3}),
        ("Fe<sub>2</sub>O<sub>3</sub>", {"Fe": 2, "O": 3}),
        ("Fe0,25Co0,75", {"Fe": 0.25, "Co": 0.75}),
        ("CuSO4·xH2O", None),
        ("Fe0·5Co0·5", None),
        ("Fe1/0Co", None),
        ("FexCo1-x", None),
    ],
)
def test_formulas_as_papers_print_them(text, amounts) -> None:
    assert formula_amounts(text) == (amounts if amounts is None else pytest.approx(amounts))


def test_the_text_that_is_no_formula_is_named(tmp_path) -> None:
    rows = [["Sample", "composition", "P"], ["a", "Fe0.5Co0.5", 1], ["b", "FAPbI3", 2], ["c", "MAPbI3", 3]]
    with pytest.raises(InputError, match=r"'FAPbI3' in line 3, column 'composition', is no formula of elements"):
        read(tmp_path, text_of(rows))


COMPOSITIONS = [["Sample", "Fe", "Co"], *samples()]
VALUES = [["taken in May"], ["id", "P (mW)"], *([f"s{k}", 10 + k] for k in reversed(range(6)))]


class TestSheets:
    def test_sheets_are_joined_by_the_ids_of_their_samples(self, tmp_path) -> None:
        path = write_book(tmp_path / "t.xlsx", {"Comp": COMPOSITIONS, "PEC": VALUES})
        with pytest.raises(InputError, match=r"tables on 2 sheets .* by its id: --sheet Comp,PEC\.$"):
            read_library(path)
        found = read_library(path, options=LibraryOptions(sheet="Comp,PEC"))
        assert found.samples == tuple(f"s{k}" for k in range(6))
        assert found.merit("P").tolist() == [10, 11, 12, 13, 14, 15]
        assert found.unit("P") == "mW"
        np.testing.assert_allclose(found.compositions[:, 0], np.array(FE) / 100)

    @pytest.mark.parametrize(
        ("values", "message"),
        [
            (VALUES[:-1], r"the samples s0 stand on only one of the sheets 'Comp' and 'PEC'"),
            ([*VALUES, ["s3", 1]], r"the sheet 'PEC' has more than one row for s3"),
            ([["P", "Q"], *([k, k + 1] for k in range(6))], r"the sheet 'PEC' has no column of sample ids"),
            ([["id", "Fe"], *VALUES[2:]], r"the column Fe on more than one of the sheets Comp, PEC"),
            ([*VALUES[:-1], ["s0", "high"]], r"\(lines as on 'Comp'\): found 'high' in line 2, column 'P \(mW\)'"),
        ],
        ids=["a sample short", "twice", "no ids", "a column twice", "a word"],
    )
    def test_what_cannot_be_joined_is_said(self, tmp_path, values, message) -> None:
        path = write_book(tmp_path / "t.xlsx", {"Comp": COMPOSITIONS, "PEC": values})
        with pytest.raises(InputError, match=message):
            read_library(path, options=LibraryOptions(sheet="Comp,PEC"))

    @pytest.mark.parametrize("column", [2, 3], ids=["fraction", "figure of merit"])
    def test_formulas_without_values_are_not_read_as_blanks(self, tmp_path, column) -> None:
        rows = [["Sample", "Fe", "Co", "P"], *(row[:] for row in samples(range(6)))]
        for row in rows[1:]:
            row[column] = "=100-40"
        path = write_book(tmp_path / "t.xlsx", {"a": rows})
        with pytest.raises(InputError, match=rf"a formula without its value in cell {'ABCD'[column]}2 of sheet 'a'"):
            read_library(path)


class TestSpectra:
    @pytest.fixture
    def folder(self, tmp_path):
        (tmp_path / "t.csv").write_text("Sample,Fe,Co,P\n" + text_of(samples(range(6))))
        (tmp_path / "spectra").mkdir()
        for k in range(6):
            text = "".join(f"{100 + channel},{channel * k}\n" for channel in range(20))
            (tmp_path / "spectra" / f"s{k}.csv").write_text(text)
        return tmp_path

    def test_thousands_marks_are_not_taken_for_columns_of_errors(self, folder) -> None:
        for file in (folder / "spectra").iterdir():
            file.write_text("".join(f"{100 + channel},1,{200 + channel}\n" for channel in range(20)))
        with pytest.raises(InputError, match=r"s0\.csv has three columns, and the third one is larger than the second"):
            read_library(folder)

    def test_positions_that_stand_twice_are_named_with_their_file(self, folder) -> None:
        file = folder / "spectra" / "s3.csv"
        file.write_text(file.read_text().replace("101,", "100,"))
        with pytest.raises(InputError, match=r"s3\.csv has the positions 100\.0 more than once"):
            read_library(folder)

    def test_text_that_is_no_spectrum_is_called_text(self, folder) -> None:
        (folder / "spectra" / "s3.csv").write_text("")
        with pytest.raises(InputError, match=r"s3\.csv \(s3\.csv is text, but most of its lines do not hold"):
            read_library(folder)

    def test_axes_of_another_step_are_given(self, folder) -> None:
        file = folder / "spectra" / "s3.csv"
        file.write_text("".join(f"{100 + channel / 2},{channel}\n" for channel in range(20)))
        with pytest.raises(InputError, match=r"the axis of s3\.csv differs .* \(it runs from 100 to 109\.5\)"):
            read_library(folder)

    def test_numbers_in_a_readme_are_nobodys(self, folder) -> None:
        (folder / "spectra" / "readme.txt").write_text("1,176; cells\n2,352; cells\n")
        (folder / "readme.txt").write_text("1,176; cells\n2,352; cells\n")
        found = read_library(folder)
        assert found.spectra[2].tolist() == [2 * channel for channel in range(20)]
        assert found.notes == ("files that are not read: readme.txt, spectra/readme.txt",)


def test_a_title_gives_the_unit_of_columns_in_percent_but_an_amount_in_it_does_not(tmp_path) -> None:
    text = "Sample,Fe (%),Co (%),P\n" + text_of(samples(range(6)))
    assert read(tmp_path, "alloys, in wt%\n" + text).fraction_name == "wt%"
    assert read(tmp_path, "inks with 5 wt% of carbon\n" + text).fraction_name == "at%"


def test_columns_taken_for_positions_are_named_where_nothing_else_closes(tmp_path) -> None:
    rows = [["Sample", "x", "y", "z", "P"], ["a", 0.2, 0.3, 0.5, 7], ["b", 0.4, 0.3, 0.3, 8]]
    with pytest.raises(InputError, match=r"looked at P; x, y, z were taken for positions\), .*--components"):
        read(tmp_path, text_of(rows))
    assert read(tmp_path, text_of(rows), components=("x", "y", "z")).compositions[0].tolist() == [0.2, 0.3, 0.5]


@pytest.mark.parametrize(
    ("unit", "name"),
    [("mg", "wt%"), ("µg", "wt%"), ("mmol", "mol%"), ("mL", "vol%"), ("nm", "%"), ("at.%", "at%"), ("%", "at%")],
)
def test_amounts_that_are_renormalised_are_not_called_atoms(tmp_path, unit, name) -> None:
    rows = [["Sample", f"Fe ({unit})", f"Co ({unit})", "P"], *([f"s{k}", k + 1, 30 - k * k, k] for k in range(5))]
    found = read(tmp_path, text_of(rows), components=("Fe", "Co"), renormalise=True)
    assert (found.components, found.fraction_name) == (("Fe", "Co"), name)


def test_ids_stay_as_they_are_and_decide_no_mark(tmp_path) -> None:
    found = read(tmp_path, "Name;Fe;Co;P\n1,5;0,5;0,5;1,176\n1.50;0,4;0,6;2,352\n")
    assert found.samples == ("1,5", "1.50")
    assert found.merit("P").tolist() == [1.176, 2.352]


def test_codes_of_missing_values_are_asked_about(tmp_path) -> None:
    text = "Sample,Fe,Co,P,Q\n" + text_of(samples([-9999, 2, -9999, 4, 5, 6], [-99, -50, 0, 1, 2, 3]))
    note = "2 values of 'P' are -9999, which often means 'not measured'; --missing -9999 reads them so"
    assert read(tmp_path, text).notes == (note,)
    assert read(tmp_path, text, missing=("-9999",)).notes == ()


def test_a_column_of_sums_is_no_figure_of_merit(tmp_path) -> None:
    found = read(tmp_path, "Sample,Fe,Co,Total,P\n" + text_of(samples([100] * 6, ["1‰", "2‰"] * 3)))
    assert found.components == ("Fe", "Co")
    assert found.merit_units == {"P": "‰"}
    assert list(found.covariates) == ["Total"]


def test_sheets_whose_names_hold_commas(tmp_path) -> None:
    compositions = [["Sample", "Fe", "Co"], *samples()]
    values = [["Sample", "P"], *([f"s{k}", k] for k in range(6))]
    path = write_book(tmp_path / "t.xlsx", {"Fe, Co": compositions, "PEC, 2nd": values, "info": [["Fe", "x"]]})
    found = read_library(path, options=LibraryOptions(sheet="Fe, Co,PEC, 2nd"))
    assert found.merits["P"].tolist() == list(range(6))
    assert not len(read_library(path, options=LibraryOptions(sheet="Fe, Co")).merits.columns)
    with pytest.raises(InputError, match=r"no sheet 'XPS'; it has Fe, Co, PEC, 2nd, info"):
        read_library(path, options=LibraryOptions(sheet="Fe, Co,XPS"))


def test_a_sheet_of_a_table_of_text_is_refused(tmp_path) -> None:
    with pytest.raises(InputError, match=r"t\.csv is a table of text and has no sheets; leave out --sheet 'PEC'"):
        read(tmp_path, "Sample,Fe,Co,P\n" + text_of(samples(range(6))), sheet="PEC")


@pytest.mark.parametrize(
    ("cells", "words"),
    [
        (["1", "(1.5)", "2", "3", "4", "5"], r"found '\(1\.5\)' in line 3, column 'P'; .* with a minus sign"),
        (["1 mA", "2 A", "3 mA", "4 mA", "5 A", "6 A"], r"found '1 mA' in line 2, .*cells .* are in mA, A; convert"),
        (["1", "2 A", "3", "4", "5", "6"], r"found '2 A' in line 3, column 'P'; .* are in no unit, A; convert"),
        (["1", "high", "3", "4", "5", "6"], r"found 'high' in line 3, column 'P'; .*, correct it\.$"),
    ],
    ids=["accounts", "two units", "one unit", "word"],
)
def test_cells_that_are_no_plain_numbers_are_named_with_the_way_out(tmp_path, cells, words) -> None:
    path = tmp_path / "t.csv"
    path.write_text("Sample,Fe,Co,P\n" + text_of(samples(cells)), encoding="utf-8")
    with pytest.raises(InputError, match=words):
        read_library(path, target="P")


def test_ids_that_are_merged_over_rows_are_named(tmp_path) -> None:
    rows = [["Sample", "Fe", "Co", "P"], *([*row[:3], k] for k, row in enumerate(samples()))]
    path = write_book(tmp_path / "t.xlsx", {"a": rows})
    book = openpyxl.load_workbook(path)
    book["a"].merge_cells("A3:A4")
    book.save(path)
    with pytest.raises(InputError, match=r"no sample id in line 4, column 'Sample'; fill it in, also where a cell is"):
        read_library(path)
