"""Libraries in folders: a table with a matrix or a file a sample beside it, and what is refused."""

import numpy as np
import pytest

from matlens import InputError, LibraryOptions, read_library

TABLE = "Sample,Fe,Ga,P\n1,0.5,0.5,3\n2,0.25,0.75,4\n03,0.75,0.25,5\n"
SPECTRA = {"1": [1.0, 2.0, 4.0], "2": [3.0, 5.0, 7.0], "3": [0.0, 0.5, 0.25]}
AXIS = [100.0, 101.5, 104.0]


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "samples.csv").write_text(TABLE)
    (tmp_path / "spectra").mkdir()
    for name, values in SPECTRA.items():
        lines = [f"{x} {y}" for x, y in zip(AXIS, values, strict=True)]
        (tmp_path / "spectra" / f"{name}.txt").write_text("# shift intensity\n" + "\n".join(lines) + "\n")
    (tmp_path / "readme.txt").write_text("These are measured,\nwith care.\n")
    return tmp_path


def test_one_file_a_sample(folder) -> None:
    found = read_library(folder)
    assert found.axis is not None
    assert found.axis.tolist() == AXIS
    np.testing.assert_array_equal(found.spectra, list(SPECTRA.values()))
    (folder / "spectra" / "extra.txt").write_text("1 2\n3 4\n5 6\n")
    assert any("belong to no sample: extra" in note for note in read_library(folder).notes)


def test_a_matrix_beside_the_table(tmp_path) -> None:
    table, matrix = tmp_path / "samples.csv", tmp_path / "xrd.txt"
    table.write_text(TABLE)
    matrix.write_text("104,101.5,100\n4,2,1\n7,5,3\n.25,.5,0\n")
    for found in (read_library(tmp_path), read_library(table, options=LibraryOptions(spectra=str(matrix)))):
        assert found.axis is not None
        assert found.axis.tolist() == AXIS
        np.testing.assert_array_equal(found.spectra, list(SPECTRA.values()))
    matrix.write_text("id,100,101.5,104\n03,0,.5,.25\n2,3,5,7\n1,1,2,4\n")  # named, in another order
    np.testing.assert_array_equal(read_library(tmp_path).spectra, list(SPECTRA.values()))


@pytest.mark.parametrize(
    ("file", "text", "words"),
    [
        ("2.txt", "100 1\n101.5 2\n", ["3 channels", "2.txt (2)"]),
        ("2.txt", "100 1\n102.5 2\n104 3\n", ["axis of 2.txt differs"]),
        ("2.txt", "100 1\n101.5 nan\n104 3\n", ["2.txt", "line 2", "'intensity'"]),
        ("2.txt", "100 1\n101.5 2 9\n104 3\n", ["2.txt", "two columns", "3 in line 2"]),
        ("2.txt", None, ["1 of 3 samples have no spectrum", ": 2;"]),
        ("02.txt", None, []),
    ],
)
def test_spectra_that_do_not_fit(folder, file, text, words) -> None:
    path = folder / "spectra" / file
    if not words:
        (folder / "spectra" / "2.txt").rename(path)  # "02" means "2"
        assert read_library(folder).has_spectra
        return
    path.unlink() if text is None else path.write_text(text)
    with pytest.raises(InputError) as caught:
        read_library(folder)
    assert all(word in str(caught.value) for word in words), str(caught.value)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("100,101,x\n1,2,3\n1,2,3\n1,2,3\n", ["axis", "found x in the first row"]),
        ("100,101,101\n1,2,3\n1,2,3\n1,2,3\n", ["101.0", "more than once"]),
        ("100,101,102\n1,2,3\n1,2\n1,2,3\n", ["3 channels", "2 in line 3"]),
        ("100,101,102\n1,2,3\n1,2,inf\n1,2,3\n", ["'inf' in line 3, column '102'"]),
        ("100,101,102\n1,2,3\n1,2,3\n", ["2 spectra for 3 samples"]),
    ],
)
def test_matrices_that_do_not_fit(tmp_path, text, words) -> None:
    table, matrix = tmp_path / "samples.csv", tmp_path / "xrd.txt"
    table.write_text(TABLE)
    matrix.write_text(text)
    with pytest.raises(InputError) as caught:
        read_library(table, options=LibraryOptions(spectra=str(matrix)))
    assert all(word in str(caught.value) for word in words), str(caught.value)


HEAD = "Sample,Fe,Ga,100,101,P\n"
GOOD = "a,0.5,0.5,1,2,3\nb,0.4,0.6,1,2,4\nc,0.3,0.7,1,2,5\n"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (HEAD + GOOD + "d,0.5,0.6,1,2,3\n", ["line 5 (1.1)", "do not sum to 1"]),
        (HEAD + GOOD + "d,1.5,-0.5,1,2,3\n", ["'-0.5' in line 5, column 'Ga'", "negative"]),
        (HEAD + GOOD + "d,,0.5,1,2,3\n", ["'nothing' in line 5, column 'Fe'"]),
        (HEAD + GOOD + "d,0.5,abc,1,2,3\n", ["'abc' in line 5, column 'Ga'"]),
        (HEAD + GOOD + "d,inf,0.5,1,2,3\n", ["'inf' in line 5, column 'Fe'"]),
        (HEAD + GOOD + "d,0.5,0.5,,2,3\n", ["'nothing' in line 5, column '100'"]),
        (HEAD + GOOD + "d,0.5,0.5,1,Inf,3\n", ["'Inf' in line 5, column '101'"]),
        (HEAD + GOOD + "d,0.5,0.5,1,2,inf\n", ["'inf' in line 5, column 'P'"]),
        (HEAD + GOOD + "d,0.5,0.5,1,2,high\n", ["'high' in line 5, column 'P'"]),
        (HEAD + GOOD + "a,0.3,0.7,1,2,3\n", ["same sample id", "a (line 2), a (line 5)"]),
        (HEAD + GOOD + ",0.5,0.5,1,2,3\n", ["no sample id in line 5"]),
        (HEAD + GOOD + "d,0.5,0.5,1,2\n", ["6 columns", "line 5 with 5 cells"]),
        ("Sample,Fe,Ga,100,100.0,P\n" + GOOD, ["100.0", "more than once"]),
        ("Sample,Fe,Ga,100,100,P\n" + GOOD, ["column 100 more than once"]),
        ("Sample,Fe,Fe,100,101,P\n" + GOOD, ["column Fe more than once"]),
        ("Sample,Fe,Ga,100,101x,102,P\na,.5,.5,1,2,3,4\nb,.4,.6,1,2,3,4\n", ["101x among the channels"]),
        ("Sample,Fe,Ga,P\na,0.5,0.5,1\nb,0.5,0.5,2\n", ["all 2 samples", "same composition"]),
        ("Sample,Fe,Ga,P\na,0.2,0.5,1\nb,0.3,0.5,2\n", ["line 2 (0.7), line 3 (0.8)"]),
        ("Sample,u,v,P\na,0.2,0.5,1\nb,0.3,0.5,2\n", ["close to 1 or 100 %", "u, v, P"]),
        ("Sample,Fe,Ga,P\n", ["0 rows"]),
        ("", ["0 columns"]),
        ("\0\1\2", ["not a text file"]),
    ],
)
def test_bad_tables_are_refused_with_row_and_column(tmp_path, text, words) -> None:
    path = tmp_path / "t.csv"
    path.write_text(text)
    with pytest.raises(InputError) as caught:
        read_library(path)
    assert all(word in str(caught.value) for word in words), str(caught.value)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"merits": ("Q",)}, ["no column", "'Q'", "Sample, Fe, Ga, P"]),
        ({"components": ("Fe", "Xx")}, ["'Xx'", "Sample, Fe, Ga, P"]),
        ({"sample": "name"}, ["'name'"]),
        ({"merit_units": ("Q=K",)}, ["'Q'", "P"]),
        ({"censored": ("Q>3",)}, ["'Q'", "'P'"]),
        ({"axis_columns": "Fe:P"}, ["names need numbers"]),
    ],
)
def test_unknown_names_list_what_there_is(tmp_path, options, words) -> None:
    path = tmp_path / "t.csv"
    path.write_text(HEAD + GOOD)
    with pytest.raises(InputError) as caught:
        read_library(path, options=LibraryOptions(**options))
    assert all(word in str(caught.value) for word in words), str(caught.value)


@pytest.mark.parametrize(
    "options",
    [{"fraction_unit": "ppm"}, {"axis_columns": "7"}, {"censored": ("P=3",)}, {"merit_units": ("K",)}],
)
def test_options_that_are_not_understood(options) -> None:
    with pytest.raises(InputError):
        LibraryOptions(**options)


def test_missing_files(tmp_path) -> None:
    with pytest.raises(InputError, match="does not exist"):
        read_library(tmp_path / "none.csv")
    with pytest.raises(InputError, match="holds 0 tables"):
        read_library(tmp_path)
    (tmp_path / "t.xlsx").write_bytes(b"no workbook")
    with pytest.raises(InputError, match="cannot be read as a workbook"):
        read_library(tmp_path / "t.xlsx")


def test_a_damaged_first_line_is_said(tmp_path) -> None:
    path = tmp_path / "t.csv"
    path.write_text('# matlens library {"components"\n' + HEAD + GOOD)
    with pytest.raises(InputError, match="first line"):
        read_library(path)
