"""A new format of spectra is one file and one line: folders of libraries are read with it."""

import numpy as np
import pytest
from recipes import code, files_in, line_in

import matlens as ml
from matlens.errors import InputError

HOME = "matlens.library.io"
FILE, LINE = code("A format of spectra")
TABLE = "Sample,Fe,Ga,P\na,0.5,0.5,3\nb,0.25,0.75,4\n"
SPECTRA = {"a": [1.0, 2.0, 4.0], "b": [3.0, 5.0, 7.0]}


def write(folder, spectra=SPECTRA, unit="cm-1"):
    for name, values in spectra.items():
        text = f"x[{unit}] 100 101.5 104\ny {' '.join(map(str, values))}\n"
        (folder / f"{name}.spec").write_text(text)


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "library").mkdir()
    (tmp_path / "library" / "samples.csv").write_text(TABLE)
    with files_in(HOME, tmp_path / "package", {"lines.py": FILE}), line_in(f"{HOME}.formats", "SPECTRUM_FORMATS", LINE):
        yield tmp_path / "library"


@pytest.mark.parametrize("below", [False, True], ids=["beside the table", "in a folder"])
def test_a_folder_is_read(folder, below):
    place = folder / "spectra" if below else folder
    place.mkdir(exist_ok=True)
    write(place)
    found = ml.read_library(folder)
    np.testing.assert_array_equal(found.spectra, list(SPECTRA.values()))
    assert (found.axis.tolist(), found.axis_name, found.axis_unit) == ([100.0, 101.5, 104.0], "wavenumber", "cm-1")
    assert found.notes == ()


def test_what_is_of_no_format_is_refused(folder):
    write(folder)
    (folder / "c.spec").write_bytes(b"\0\1")  # the suffix, but not the content
    (folder / "d.wip").write_bytes(b"WIT_PR06")
    with pytest.raises(InputError, match=r"2 files of a kind that is not read: c\.spec, d\.wip .*--ignore-unread"):
        ml.read_library(folder)
    found = ml.read_library(folder, options=ml.LibraryOptions(ignore_unread=True))
    assert found.notes == ("files that are not read: c.spec, d.wip",)


def test_units_that_differ_are_refused(folder):
    write(folder)
    write(folder, {"b": SPECTRA["b"]}, unit="nm")
    with pytest.raises(InputError, match=r"axes in cm-1 \(a.spec\), nm \(b.spec\); convert"):
        ml.read_library(folder)


def test_errors_of_a_reader_reach_the_user(folder):
    write(folder, {**SPECTRA, "b": [1.0]})
    with pytest.raises(InputError, match=r"b\.spec must have two lines of one length"):
        ml.read_library(folder)


def test_a_file_by_itself_holds_a_spectrum_for_each_sample(folder):
    write(folder.parent)
    with pytest.raises(InputError, match=r"a\.spec has 1 spectra for 2 samples"):
        ml.read_library(folder, options=ml.LibraryOptions(spectra=str(folder.parent / "a.spec")))


def test_a_format_of_tables_is_a_line_too(tmp_path):
    source = "def read_bars(path, sheet=None):\n    return [row.split('|') for row in path.read_text().splitlines()]\n"
    line = 'FileFormat("bars", (".bars",), "matlens.library.io.bars:read_bars"),'
    (tmp_path / "t.bars").write_text(TABLE.replace(",", "|"))
    with files_in(HOME, tmp_path / "package", {"bars.py": source}), line_in(f"{HOME}.formats", "TABLE_FORMATS", line):
        assert ml.read_library(tmp_path / "t.bars").samples == ("a", "b")
