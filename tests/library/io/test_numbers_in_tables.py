"""Numbers as people and programs write them: marks, encodings, heads of tables, workbooks."""

import re
from pathlib import Path

import openpyxl
import pytest

from matlens import InputError, LibraryOptions, read_library
from matlens.library.io import TABLE_FORMATS


def read(tmp_path, text, name="t.csv", encoding="utf-8", **options):
    path = tmp_path / name
    path.write_bytes(text.encode(encoding))
    return read_library(path, options=LibraryOptions(**options))


def values(library, name="P"):
    return library.merit(name).tolist()


@pytest.mark.parametrize("delimiter", ["\t", ";"])
@pytest.mark.parametrize(
    ("cells", "expected"),
    [
        (["0.5 0.5 1,176", "0.25 0.75 890"], [1176, 890]),  # other cells have decimal points
        (["0,5 0,5 1.176", "0,25 0,75 890"], [1176, 890]),  # other cells have decimal commas
        (["0,5 0,5 1.234,56", "0,25 0,75 890,1"], [1234.56, 890.1]),
        (["0.5 0.5 1,234.56", "0.25 0.75 1,234,567"], [1234.56, 1234567]),
        (["0,5 0,5 1,176", "0,25 0,75 0,890"], [1.176, 0.89]),
        (["0.5 0.5 1.176", "0.25 0.75 7.890"], [1.176, 7.89]),
        (["0.5 0.5 0,176", "0.25 0.75 1,890"], [0.176, 1.89]),  # the column itself decides
    ],
)
def test_marks_are_decided_from_all_cells(tmp_path, delimiter, cells, expected) -> None:
    lines = ["Sample Fe Ga P", *(f"s{k} {row}" for k, row in enumerate(cells))]
    found = read(tmp_path, "\n".join(lines).replace(" ", delimiter))
    assert found.compositions.tolist() == [[0.5, 0.5], [0.25, 0.75]]
    assert values(found) == expected


def test_a_mark_that_nothing_decides_is_asked_for(tmp_path) -> None:
    text = "Sample;Fe;Ga;P\na;50;50;1,176\nb;25;75;890\n"
    with pytest.raises(InputError, match=r"'1,176' in line 2, column 4 of t\.csv.*--decimal point or --decimal comma"):
        read(tmp_path, text)
    assert values(read(tmp_path, text, decimal="point")) == [1176, 890]
    assert values(read(tmp_path, text, decimal="comma")) == [1.176, 890]


@pytest.mark.parametrize(
    ("cells", "expected", "unit"),
    [
        (["1.5±0.1", "2.5 ± 0.1"], [1.5, 2.5], ""),
        (["1.5(1)", "2.5(12)"], [1.5, 2.5], ""),
        (["1 234", "12 345.5"], [1234, 12345.5], ""),
        (["1'234", "890"], [1234, 890], ""),
        (["1.2×10^-5", "3 x 10-4"], [1.2e-5, 3e-4], ""),
        (["1.2·10⁻⁵", "3e-4"], [1.2e-5, 3e-4], ""),
        (["1.2D-05", "3.0d+01"], [1.2e-5, 30], ""),
        (["−1.5", "–2.5"], [-1.5, -2.5], ""),
        (["39.5%", "41 %"], [39.5, 41], "%"),
        (["1.5 mA", "20 mA"], [1.5, 20], "mA"),
    ],
)
def test_numbers_as_people_write_them(tmp_path, cells, expected, unit) -> None:
    found = read(tmp_path, f"Sample,Fe,Ga,P\na,0.5,0.5,{cells[0]}\nb,0.25,0.75,{cells[1]}\n")
    assert (values(found), found.unit("P")) == (expected, unit)


@pytest.mark.parametrize(
    ("cells", "words"),
    [
        (["1.5 mA", "2 A"], "'2 A' in line 3"),
        (["39.5%", "0.41"], "'39.5%' in line 2"),
        (["1.2.3", "4"], "'1.2.3' in line 2"),
    ],
)
def test_numbers_that_do_not_go_together_are_named(tmp_path, cells, words) -> None:
    with pytest.raises(InputError, match=words.replace(".", r"\.")):
        read(tmp_path, f"Sample,Fe,Ga,P\na,0.5,0.5,{cells[0]}\nb,0.25,0.75,{cells[1]}\n", merits=("P",))


def test_fractions_with_percent_signs(tmp_path) -> None:
    found = read(tmp_path, "Sample,Fe,Ga,P\na,39.5%,60.5%,1\nb,25%,75%,2\n")
    assert found.components == ("Fe", "Ga")
    assert found.compositions[0].tolist() == pytest.approx([0.395, 0.605])


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-8-sig", "cp1252"])
def test_encodings_that_programs_write(tmp_path, encoding) -> None:
    found = read(tmp_path, "Sample\tFe\tGa\tT (°C)\nä\t0.5\t0.5\t1.5\nb\t0.25\t0.75\t2\n", encoding=encoding)
    assert (found.samples, found.unit()) == (("ä", "b"), "°C")


@pytest.mark.parametrize(
    ("encoding", "word"), [("gbk", "温度"), ("shift_jis", "温度"), ("mac_roman", "Größe °C"), ("cp1251", "Проба")]
)
def test_encodings_that_bytes_do_not_show_are_asked_for(tmp_path, encoding, word) -> None:
    text = f"Sample,Fe,Ga,{word}\na,0.5,0.5,1.5\nb,0.25,0.75,2\n"
    with pytest.raises(InputError, match=r"not in UTF-8, and line 1 reads .*--encoding"):
        read(tmp_path, text, encoding=encoding)
    path = tmp_path / "t.csv"
    assert list(read_library(path, options=LibraryOptions(encoding=encoding)).merits) == [word]


HEADS = {
    "a row of units": "Sample,Fe,Ga,P\n,at%,at%,mA/cm2\na,50,50,1\nb,25,75,2\n",
    "units in parentheses": "Sample,Fe,Ga,P\n-,(at%),(at%),(mA/cm2)\na,50,50,1\nb,25,75,2\n",
    "two rows": "Sample,Composition,,P (mA/cm2)\n,Fe,Ga,\na,50,50,1\nb,25,75,2\n",
    "two rows and units": "Sample,Composition,,P\n,Fe,Ga,\n,at%,at%,mA/cm2\na,50,50,1\nb,25,75,2\n",
    "a comment as wide": "# made, by, hand, 2020\nSample,Fe,Ga,P (mA/cm2)\na,50,50,1\nb,25,75,2\n",
    "names behind a mark": "#Sample,Fe,Ga,P (mA/cm2)\na,50,50,1\nb,25,75,2\n",
}


@pytest.mark.parametrize("text", HEADS.values(), ids=list(HEADS))
@pytest.mark.parametrize("kind", ["csv", "xlsx"])
def test_heads_of_tables(tmp_path, text, kind) -> None:
    path = tmp_path / f"t.{kind}"
    if kind == "csv":
        path.write_text(text)
    else:
        book = openpyxl.Workbook()
        for line in text.splitlines():
            book.active.append([int(cell) if cell.isdigit() else cell or None for cell in line.split(",")])
        book.save(path)
    found = read_library(path)
    assert (found.components, found.samples, found.unit("P")) == (("Fe", "Ga"), ("a", "b"), "mA/cm2")
    assert values(found) == [1, 2]


def test_decimal_commas_as_text_in_a_workbook_and_between_quotes(tmp_path) -> None:
    book = openpyxl.Workbook()
    for row in (["Sample", "Fe", "Ga", "P"], ["a", "0,159", "0,841", 1.176], ["b", "0,25", "0,75", 2]):
        book.active.append(row)
    book.save(tmp_path / "t.xlsx")
    found = read_library(tmp_path / "t.xlsx")
    assert found.compositions.tolist() == [[0.159, 0.841], [0.25, 0.75]]
    assert values(found) == [1.176, 2]  # a number of the workbook, whose point is no thousands mark
    quoted = read(tmp_path, 'Sample,Fe,Ga,P\na,"0,395","0,605",1\nb,"0,25","0,75",2\n')
    assert quoted.compositions.tolist() == [[0.395, 0.605], [0.25, 0.75]]


def test_sheets(tmp_path) -> None:
    book = openpyxl.Workbook()
    book.active.title = "Info"
    book.active.append(["Made by", "A. Person"])
    for row in (["Sample", "Fe", "Ga", "P"], ["a", 0.5, 0.5, 1], ["b", 0.25, 0.75, 2]):
        if row[0] == "Sample":
            sheet = book.create_sheet("Data")
        sheet.append(row)
    book.save(tmp_path / "t.xlsx")
    assert values(read_library(tmp_path / "t.xlsx")) == [1, 2]  # the only sheet with numbers
    more = book.create_sheet("PEC")
    for row in (["Sample", "j"], ["a", 5], ["b", 6]):
        more.append(row)
    book.save(tmp_path / "t.xlsx")
    with pytest.raises(
        InputError, match=r"on 2 sheets \('Data' with Sample, Fe, Ga, P; 'PEC' with Sample, j\).*--sheet"
    ):
        read_library(tmp_path / "t.xlsx")
    assert values(read_library(tmp_path / "t.xlsx", options=LibraryOptions(sheet="Data"))) == [1, 2]


TABLE = [["Sample", "Fe", "Ga", "P"], ["a", 0.5, 0.5, 1], ["b", 0.25, 0.75, 2]]


@pytest.mark.parametrize("suffix", [".csv", ".tsv", ".txt", ".dat", ".asc", ".prn", ".table"])
@pytest.mark.parametrize("mark", [",", ";", "\t", "|", " "])
def test_tables_of_text_have_any_ending_and_any_mark(tmp_path, suffix, mark) -> None:
    (tmp_path / f"t{suffix}").write_text("".join(mark.join(map(str, row)) + "\n" for row in TABLE))
    assert values(read_library(tmp_path / f"t{suffix}")) == [1, 2]


@pytest.mark.parametrize("suffix", [".xlsx", ".xlsm"])
def test_workbooks_of_both_endings(tmp_path, suffix) -> None:
    book = openpyxl.Workbook()
    for row in TABLE:
        book.active.append(row)
    book.save(tmp_path / f"t{suffix}")
    assert values(read_library(tmp_path / f"t{suffix}")) == [1, 2]


def test_every_ending_of_the_documented_tables_is_tried_here() -> None:
    text = (Path(__file__).parents[3] / "docs" / "library_files.md").read_text(encoding="utf-8")
    table = text.partition("| table | files | what is done |")[2].partition("\n\n")[0]
    written = [re.findall(r"\.\w+", row.split("|")[2]) for row in table.splitlines()[2:]]
    assert written == [
        [".csv", ".tsv", ".txt", ".dat", ".asc", ".prn"],
        *(list(form.suffixes) for form in TABLE_FORMATS),
    ]


@pytest.mark.parametrize("suffix", [".xls", ".xlsb", ".ods", ".fods", ".numbers"])
def test_other_spreadsheets_are_named(tmp_path, suffix) -> None:
    path = tmp_path / f"old{suffix}"
    path.write_bytes(b"\xd0\xcf\x11\xe0" * 8)
    with pytest.raises(InputError, match=rf"old\{suffix} is a spreadsheet .* save it as XLSX or CSV"):
        read_library(path)


def test_percentages_of_a_workbook_are_what_it_shows(tmp_path) -> None:
    book = openpyxl.Workbook()
    for row in (["Sample", "Fe", "Ga", "FE"], ["a", 0.395, 0.605, 0.07], ["b", 0.25, 0.75, 0.123]):
        book.active.append(row)
    for row in book.active.iter_rows(min_row=2, min_col=2):
        for cell in row:
            cell.number_format = "0.0%"
    book.save(tmp_path / "t.xlsx")
    found = read_library(tmp_path / "t.xlsx")
    assert found.compositions.tolist() == [[0.395, 0.605], [0.25, 0.75]]
    assert (values(found, "FE"), found.unit("FE")) == ([7.0, 12.3], "%")


def test_names_that_are_broken_over_lines(tmp_path) -> None:
    found = read(tmp_path, 'Sample,Fe,Ga,"P\n(mA/cm2)"\na,0.5,0.5,1\nb,0.25,0.75,2\n')
    assert (list(found.merits), found.unit()) == (["P"], "mA/cm2")


@pytest.mark.parametrize("end", ["\r\n", "\r"])
def test_ends_of_lines(tmp_path, end) -> None:
    assert values(read(tmp_path, f"sep=;{end}Sample;Fe;Ga;P{end}a;0,5;0,5;1,5{end}b;0,25;0,75;2{end}")) == [1.5, 2]
