"""Files of instruments, made here byte by byte: every reader gives the numbers that were put in."""

import contextlib
import re
import struct
import zipfile
from pathlib import Path

import numpy as np
import pytest

from matlens import InputError, LibraryOptions, read_library
from matlens.library.io import SPECTRUM_FORMATS, Spectra
from matlens.library.io.formats import find_format

AXIS = np.linspace(100, 159, 60)
TRUTH = np.round(np.random.default_rng(0).uniform(0, 2000, 60)).astype(float)


def wdf(path, axis=AXIS, spectra=TRUTH, unit=1):
    spectra = np.atleast_2d(spectra)
    head = bytearray(512)
    head[:4] = b"WDF1"
    struct.pack_into("<IQQ", head, 60, len(axis), len(spectra) + 3, len(spectra))  # three more were planned
    data = np.vstack([spectra, np.zeros((3, len(axis)))]).astype("<f4").tobytes()
    places = struct.pack("<II", 1, unit) + np.asarray(axis, "<f4").tobytes()
    blocks = [(b"TEXT", b"a comment"), (b"DATA", data), (b"XLST", places)]
    path.write_bytes(bytes(head) + b"".join(struct.pack("<4sIQ", n, 0, 16 + len(d)) + d for n, d in blocks))


def spc(path, axis=AXIS, spectra=TRUTH, *, power=-128, own_axis=False, kind=1):
    spectra = np.atleast_2d(spectra)
    flags = 0x04 * (len(spectra) > 1) | 0x80 * own_axis
    head = struct.pack("<BBBbiddiB", flags, 0x4B, 0, power, len(axis), axis[0], axis[-1], len(spectra), kind)
    body = np.asarray(axis, "<f4").tobytes() if own_axis else b""
    for row in spectra:
        body += struct.pack("<xb30x", power if len(spectra) > 1 else 0)
        body += (row.astype("<f4") if power == -128 else (row * 2.0 ** (32 - power)).astype("<i4")).tobytes()
    path.write_bytes(head.ljust(512, b"\0") + body)


def old_spc(path, axis=AXIS, spectrum=TRUTH, power=12):
    head = struct.pack("<BBhfffB", 0, 0x4D, power, len(axis), axis[0], axis[-1], 1).ljust(256, b"\0")
    whole = (spectrum * 2.0 ** (32 - power)).astype("<i4").view("<u2").reshape(-1, 2)
    path.write_bytes(head + np.ascontiguousarray(whole[:, ::-1]).tobytes())


def jcamp(path, lines, form="XYDATA= (X++(Y..Y))", points=60, more=""):
    head = (
        f"##TITLE= a\n##JCAMP-DX= 4.24 $$ a comment\n##XUNITS= 1/CM\n##FIRSTX= 100\n##LASTX= 159\n##NPOINTS= {points}\n"
    )
    path.write_text(f"{head}{more}##XFACTOR= 1\n##YFACTOR= 1\n##{form}\n" + "\n".join(lines) + "\n##END=\n")


def squeezed(value, first="@ABCDEFGHI", negative="abcdefghi"):
    digits = str(abs(int(value)))
    letter = first[int(digits[0])] if value >= 0 else negative[int(digits[0]) - 1]
    return letter + digits[1:]


def affn(path):
    jcamp(path, [f"{AXIS[k]:g} " + " ".join(f"{y:g}" for y in TRUTH[k : k + 6]) for k in range(0, 60, 6)])


def packed(path):
    jcamp(path, [f"{AXIS[k]:g}" + "".join(f"+{y:g}" for y in TRUTH[k : k + 6]) for k in range(0, 60, 6)])


def differences(path):
    """Each line begins with a whole value, which on all but the first repeats the end of the line before."""
    lines = []
    for k in range(0, 60, 6):
        start = max(k - 1, 0)
        steps = np.diff(TRUTH[start : k + 6])
        lines.append(
            f"{AXIS[start]:g}{squeezed(TRUTH[start])}" + "".join(squeezed(s, "%JKLMNOPQR", "jklmnopqr") for s in steps)
        )
    jcamp(path, lines)


def pairs(path):
    jcamp(path, [f"{x:g}, {y:g}" for x, y in zip(AXIS, TRUTH, strict=True)], "XYPOINTS= (XY..XY)")


def xrdml(path, listed=False):
    places = (
        f"<listPositions>{' '.join(map(repr, AXIS.tolist()))}</listPositions>"
        if listed
        else f"<startPosition>{AXIS[0]}</startPosition><endPosition>{AXIS[-1]}</endPosition>"
    )
    points = (
        f'<positions axis="2Theta" unit="deg">{places}</positions><positions axis="Omega"><commonPosition>1'
        f"</commonPosition></positions><intensities unit='counts'>{' '.join(f'{y:g}' for y in TRUTH)}</intensities>"
    )
    path.write_text(
        '<?xml version="1.0"?><xrdMeasurements xmlns="http://www.xrdml.com/XRDMeasurement/1.5"><xrdMeasurement><scan>'
        f"<dataPoints>{points}</dataPoints></scan></xrdMeasurement></xrdMeasurements>"
    )


def ras(path):
    lines = [f"{x:.4f} {y / 2:.1f} 2.0000" for x, y in zip(AXIS, TRUTH, strict=True)]  # behind an attenuator of 2
    path.write_text(
        "\n".join(["*RAS_DATA_START", '*FILE_COMMENT "µ"', "*RAS_INT_START", *lines, "*RAS_INT_END"]), "cp1252"
    )


def rasx(path):
    lines = [f"{x:.4f}\t{y:.0f}\t1" for x, y in zip(AXIS, TRUTH, strict=True)]
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("root.xml", "<x/>")
        archive.writestr("Data0/Profile0.txt", "\ufeff" + "\n".join(lines))


FILES = {
    "a.wdf": (wdf, "cm-1"),
    "a.spc": (spc, "cm-1"),
    "axis.spc": (lambda path: spc(path, own_axis=True, kind=3), "nm"),
    "whole.spc": (lambda path: spc(path, power=12), "cm-1"),
    "old.spc": (old_spc, "cm-1"),
    "affn.jdx": (affn, "cm-1"),
    "affn.jcm": (affn, "cm-1"),
    "packed.dx": (packed, "cm-1"),
    "differences.jdx": (differences, "cm-1"),
    "pairs.jdx": (pairs, "cm-1"),
    "a.xrdml": (xrdml, "deg"),
    "listed.xrdml": (lambda path: xrdml(path, listed=True), "deg"),
    "a.ras": (ras, "deg"),
    "a.rasx": (rasx, "deg"),
}

TEXTS = [".txt", ".csv", ".tsv", ".dat", ".xy", ".xye", ".asc", ".prn"]


def opened(path) -> Spectra:
    found = find_format(path, SPECTRUM_FORMATS)
    assert found is not None
    return found.open(path)


@pytest.mark.parametrize("name", FILES)
def test_the_numbers_come_back(tmp_path, name) -> None:
    write, unit = FILES[name]
    write(tmp_path / name)
    found = opened(tmp_path / name)
    np.testing.assert_allclose(found.axis, AXIS, atol=1e-4)
    np.testing.assert_allclose(found.intensities, TRUTH[None], atol=1e-3)
    assert found.axis_unit == unit


@pytest.mark.parametrize("suffix", TEXTS)
def test_the_numbers_of_text_come_back(tmp_path, suffix) -> None:
    path = tmp_path / f"a{suffix}"
    path.write_text("Raman shift (cm-1)\tcounts\n" + "".join(f"{x}\t{y}\n" for x, y in zip(AXIS, TRUTH, strict=True)))
    found = opened(path)
    np.testing.assert_allclose(found.axis, AXIS, rtol=1e-12)
    np.testing.assert_allclose(found.intensities, TRUTH[None], rtol=1e-12)
    assert found.axis_unit == "cm-1"


def test_every_ending_of_the_documented_table_is_read_and_tried() -> None:
    text = (Path(__file__).parents[3] / "docs" / "library_files.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| [^|]+ \| (\.\w+(?:, \.\w+)*) \|", text, re.MULTILINE)
    documented = {ending for row in rows for ending in row.split(", ")}
    assert documented == {ending for form in SPECTRUM_FORMATS for ending in form.suffixes}
    assert documented == {*TEXTS, *(Path(name).suffix for name in FILES)}


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("left", [0.0, 0.02, 0.5, 0.95])
def test_files_that_are_cut_off_are_said(tmp_path, name, left) -> None:
    FILES[name][0](tmp_path / name)
    content = (tmp_path / name).read_bytes()
    (tmp_path / name).write_bytes(content[: int(left * len(content))])
    if find_format(tmp_path / name, SPECTRUM_FORMATS) is not None:
        with pytest.raises(InputError, match=name):
            opened(tmp_path / name)


@pytest.mark.parametrize("name", FILES)
def test_damaged_files_are_read_or_refused_and_never_crash(tmp_path, name) -> None:
    FILES[name][0](tmp_path / name)
    content, rng = (tmp_path / name).read_bytes(), np.random.default_rng(1)
    for _ in range(40):
        damaged = bytearray(content)
        for place in rng.integers(0, min(len(damaged), 700), 4):
            damaged[place] = rng.integers(0, 256)
        (tmp_path / name).write_bytes(bytes(damaged))
        with contextlib.suppress(InputError):
            if find_format(tmp_path / name, SPECTRUM_FORMATS) is not None:
                found = opened(tmp_path / name)
                assert found.intensities.shape[1] == found.axis.size


def test_several_spectra_of_a_file(tmp_path) -> None:
    spectra = np.stack([TRUTH, TRUTH[::-1], TRUTH / 2])
    for write, name in ((wdf, "map.wdf"), (spc, "map.spc")):
        write(tmp_path / name, spectra=spectra)
        np.testing.assert_allclose(opened(tmp_path / name).intensities, spectra, atol=1e-3)
    (tmp_path / "t.csv").write_text("Sample,Fe,Ga,P\na,0.5,0.5,1\nb,0.4,0.6,2\nc,0.3,0.7,3\n")
    library = read_library(tmp_path / "t.csv", options=LibraryOptions(spectra=str(tmp_path / "map.wdf")))
    np.testing.assert_allclose(library.spectra, spectra, atol=1e-3)
    assert (library.axis_name, library.axis_unit) == ("wavenumber", "cm-1")


def test_a_folder_of_files_of_instruments(tmp_path) -> None:
    (tmp_path / "t.csv").write_text("Sample,Fe,Ga,P\na,0.5,0.5,1\nb,0.4,0.6,2\n")
    (tmp_path / "raman").mkdir()
    for k, name in enumerate("ab"):
        wdf(tmp_path / "raman" / f"{name}.wdf", AXIS[::-1], TRUTH[::-1] + k)  # as WiRE writes them, falling
    library = read_library(tmp_path)
    np.testing.assert_allclose(library.axis, AXIS)
    np.testing.assert_allclose(library.spectra, [TRUTH, TRUTH + 1], atol=1e-3)


@pytest.mark.parametrize(
    ("write", "words"),
    [
        (lambda path: jcamp(path, ["100 1 2 3"], points=4), "has 3 points, and says 4"),
        (lambda path: jcamp(path, ["1, 2"], "PEAK TABLE= (XY..XY)"), "holds 0 spectra"),
        (lambda path: jcamp(path, ["100 1 2 x"], points=4), "has 2 points, and says 4"),
    ],
)
def test_jcamp_files_without_a_spectrum_are_refused(tmp_path, write, words) -> None:
    write(tmp_path / "a.jdx")
    with pytest.raises(InputError, match=words):
        opened(tmp_path / "a.jdx")


def test_scans_of_another_axis_are_refused(tmp_path) -> None:
    xrdml(tmp_path / "a.xrdml")
    text = (tmp_path / "a.xrdml").read_text()
    (tmp_path / "a.xrdml").write_text(text.replace("2Theta", "Phi"))
    with pytest.raises(InputError, match="no scan over 2 theta"):
        opened(tmp_path / "a.xrdml")
