"""Spectra as instruments export them: text with heads, other columns, axes and names; and what is not read."""

import numpy as np
import pytest

from matlens import InputError, LibraryOptions, read_library

AXIS = np.linspace(100, 159, 60)
SAMPLES = [f"s{k}" for k in range(6)]
TRUTH = np.round(np.random.default_rng(0).uniform(0, 2000, (6, 60)), 1)


def lines_of(k, axis=AXIS, form="{:.1f}\t{:.1f}"):
    return [form.format(x, y) for x, y in zip(axis, np.interp(axis, AXIS, TRUTH[k]), strict=True)]


@pytest.fixture
def folder(tmp_path):
    rows = [f"{name},{0.1 + k / 10:.1f},{0.9 - k / 10:.1f},{k}" for k, name in enumerate(SAMPLES)]
    (tmp_path / "table.csv").write_text("\n".join(["Sample,Fe,Ga,P", *rows]) + "\n")
    (tmp_path / "spectra").mkdir()
    return tmp_path


def write(folder, text_of, name_of="{}.txt".format):
    for k, name in enumerate(SAMPLES):
        path = folder / "spectra" / name_of(name)
        path.parent.mkdir(exist_ok=True)
        path.write_text("\n".join(text_of(k)) + "\n", encoding="utf-8")


@pytest.mark.parametrize("suffix", [".raw", ".spa", ".l6m", ".0", ".jdx", ".spc", ".spectrum"])
@pytest.mark.parametrize("named", [False, True], ids=["beside the table", "--spectra"])
def test_spectra_that_are_not_read_are_never_dropped(folder, suffix, named) -> None:
    for name in SAMPLES:
        (folder / "spectra" / f"{name}{suffix}").write_bytes(b"FI\0\0\1\2")
    place = folder / "table.csv" if named else folder
    options = {"spectra": str(folder / "spectra")} if named else {}
    with pytest.raises(InputError, match=rf"6 files .*not read: .*s0\{suffix}.*--ignore-unread"):
        read_library(place, options=LibraryOptions(**options))


def test_going_on_without_them_is_noted(folder) -> None:
    write(folder, lambda k: ["a binary file"], "{}.wip".format)
    found = read_library(folder, options=LibraryOptions(ignore_unread=True))
    assert not found.has_spectra
    assert "files that are not read: spectra/s0.wip" in found.notes[0]


HEADS = {
    "two columns": lambda k: lines_of(k),
    "a column of errors": lambda k: ["# x y sigma", *(f"{line}\t0.5" for line in lines_of(k))],
    "three columns without names": lambda k: [f"{line}\t0.5" for line in lines_of(k)],
    "rruff": lambda k: ["##NAMES=Quartz", "##RRUFFID=R1", *lines_of(k, form="{:.1f}, {:.1f}"), "##END="],
    "decimal commas between blanks": lambda k: [line.replace(".", ",") for line in lines_of(k, form="{:.1f} {:.1f}")],
    "comments among the numbers": lambda k: ["# head", *lines_of(k)[:30], "# pause", *lines_of(k)[30:]],
    "a head longer than the spectrum": lambda k: [f"#key{j}=\tvalue {j}" for j in range(90)] + lines_of(k),
}


@pytest.mark.parametrize("text_of", HEADS.values(), ids=list(HEADS))
def test_text_of_instruments(folder, text_of) -> None:
    write(folder, text_of)
    found = read_library(folder)
    np.testing.assert_allclose(found.axis, AXIS)
    np.testing.assert_allclose(found.spectra, TRUTH)


def test_thousands_marks_of_counts(folder) -> None:
    write(folder, lambda k: lines_of(k, form="{:.1f}\t{:,.0f}"))
    np.testing.assert_array_equal(read_library(folder).spectra, [[float(f"{y:.0f}") for y in row] for row in TRUTH])


@pytest.mark.parametrize(
    "head",
    [
        ["#Acq. time (s)=\t10", "#AxisUnit[0]=\tCnt", "#AxisUnit[1]=\t1/cm"],
        ["##TITLE= x", "##XUNITS=1/CM", "##YUNITS=ABSORBANCE"],
        ["Raman shift (cm-1)\tIntensity (counts)"],
        ["Wavenumber (cm⁻¹)\tIntensity"],
    ],
)
def test_units_of_heads(folder, head) -> None:
    write(folder, lambda k: [*head, *lines_of(k)])
    found = read_library(folder)
    assert (found.axis_name, found.axis_unit) == ("wavenumber", "cm-1")


def test_falling_axes_are_turned(folder) -> None:
    write(folder, lambda k: lines_of(k)[:: -1 if k % 2 else 1])
    found = read_library(folder)
    np.testing.assert_allclose(found.spectra, TRUTH)
    assert "the axes of 3 of 6 files fall and were turned" in found.notes


def test_a_short_file_is_cut_to(folder) -> None:
    write(folder, lambda k: lines_of(k)[: 59 if k == 2 else 60])
    found = read_library(folder)
    np.testing.assert_allclose(found.spectra, TRUTH[:, :59])
    assert any("cut to 59 channels from 100 to 158, which all files have: s2.txt (59)" in note for note in found.notes)
    write(folder, lambda k: lines_of(k)[: 40 if k == 2 else 60])
    with pytest.raises(InputError, match=r"60 channels, but not s2\.txt \(40\)"):
        read_library(folder)


def test_small_shifts_are_interpolated_and_large_ones_refused(folder) -> None:
    write(folder, lambda k: lines_of(k, AXIS + 0.2 * (k == 2)))
    found = read_library(folder)
    np.testing.assert_allclose(found.spectra[:, 1:-1], TRUTH[:, 1:-1], atol=0.3 * np.abs(np.diff(TRUTH, axis=1)).max())
    assert any("the axes of 1 of 6 files differ by up to 0.2 of a channel" in note for note in found.notes)
    write(folder, lambda k: lines_of(k, AXIS + 3.0 * (k == 2)))
    with pytest.raises(InputError, match=r"axis of s2\.txt differs"):
        read_library(folder)


NAMES = {
    "settings behind": lambda name: f"{name}_532nm_10s.txt",
    "a word before": lambda name: f"2020-01-01_spectrum_{name}.txt",
    "capitals and zeros": lambda name: f"S0{name[1:]}.TXT",
    "folders": lambda name: f"{name}/scan.txt",
}


@pytest.mark.parametrize("name_of", NAMES.values(), ids=list(NAMES))
def test_names_of_files(folder, name_of) -> None:
    write(folder, lines_of, name_of)
    np.testing.assert_allclose(read_library(folder).spectra, TRUTH)


def test_names_that_fit_no_sample_are_shown(folder) -> None:
    write(folder, lines_of, lambda name: f"run {'abcdef'[int(name[1:])]}.txt")
    with pytest.raises(InputError, match=r"6 of 6 samples .*: s0, s1.*Without a sample are run a, run b"):
        read_library(folder)


def test_two_files_of_a_sample_are_not_guessed_from(folder) -> None:
    write(folder, lines_of, "{}_532nm.txt".format)
    write(folder, lines_of, "{}_785nm.txt".format)
    with pytest.raises(InputError, match="samples have no spectrum"):
        read_library(folder)


def test_a_file_of_keys_and_numbers(folder) -> None:
    path = folder / "inst.dat"
    numbers = [",".join(f"{y:.1f}" for y in row) for row in (AXIS, *TRUTH)]
    text = ["N=6", f"Q={numbers[0]}", *(f"I{k + 1}={row}" for k, row in enumerate(numbers[1:]))]
    path.write_text("\n".join(text) + "\n")
    found = read_library(folder / "table.csv", options=LibraryOptions(spectra=str(path)))
    np.testing.assert_allclose(found.spectra, TRUTH)
    assert found.notes == ("lines of inst.dat that are not read: N",)


@pytest.mark.parametrize("names", [True, False], ids=["named", "in order"])
@pytest.mark.parametrize("place", ["beside the table", "elsewhere"])
def test_spectra_in_columns(folder, names, place) -> None:
    order = [3, 1, 0, 2, 5, 4] if names else range(6)
    rows = [[f"{x:.1f}", *(f"{TRUTH[k, j]:.1f}" for k in order)] for j, x in enumerate(AXIS)]
    head = [["Raman shift (cm-1)", *(SAMPLES[k] for k in order)]] if names else []
    (folder / "spectra").rmdir()
    path = folder / "raman.csv" if place == "beside the table" else folder.parent / "raman.csv"
    path.write_text("\n".join(",".join(row) for row in [*head, *rows]) + "\n")
    options = LibraryOptions() if place == "beside the table" and names else LibraryOptions(spectra=str(path))
    found = read_library(folder if options == LibraryOptions() else folder / "table.csv", options=options)
    np.testing.assert_allclose(found.axis, AXIS)
    np.testing.assert_allclose(found.spectra, TRUTH)
    assert found.axis_unit == ("cm-1" if names else "")


def test_samples_that_are_numbers_name_columns(tmp_path) -> None:
    (tmp_path / "t.csv").write_text("Sample,Fe,Ga,P\n1,0.5,0.5,1\n2,0.4,0.6,2\n3,0.3,0.7,3\n")
    (tmp_path / "x.csv").write_text("2theta,3,1,2\n10,30,10,20\n11,31,11,21\n")
    found = read_library(tmp_path / "t.csv", options=LibraryOptions(spectra=str(tmp_path / "x.csv")))
    assert found.spectra.tolist() == [[10, 11], [20, 21], [30, 31]]
    assert found.axis.tolist() == [10, 11]
