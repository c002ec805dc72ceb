"""Files of instruments, made here byte by byte: every reader gives the numbers that were put in."""

import contextlib
import re
import struct
import zipfile
from pathlib import Path

import numpy as np
import pytest

from matlens import InputError, LibraryOptions, read_library
from matlens.library.io import SPECTRUM_FORMATS, Spectra, lines_of_truth, write_library
from matlens.library.io.formats import find_format

AXIS = np.linspace(100, 159, 60)
TRUTH = np.round(np.random.default_rng(0).uniform(0, 2000, 60)).astype(float)


def wdf(path, axis=AXIS, spectra=TRUTH, unit=1, places=()):
    """``places`` are lists of a kind, a unit (5 is a micrometre) and a number for each spectrum."""
    spectra = np.atleast_2d(spectra)
    head = bytearray(512)
    head[:4] = b"WDF1"
    struct.pack_into("<IQQ", head, 60, len(axis), len(spectra) + 3, len(spectra))  # three more were planned
    data = np.vstack([spectra, np.zeros((3, len(axis)))]).astype("<f4").tobytes()
    positions = struct.pack("<II", 1, unit) + np.asarray(axis, "<f4").tobytes()
    lists = [
        struct.pack("<II16s", kind, of, b"") + np.append(values, [0.0] * 3).astype("<f8").tobytes()
        for kind, of, values in places
    ]
    origins = struct.pack("<I", len(lists)) + b"".join(lists)
    blocks = [(b"TEXT", b"a comment"), (b"DATA", data), (b"XLST", positions), (b"ORGN", origins)]
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


def raw1(path):
    ranges = struct.pack("<4sIfffIff", b"RAW ", 60, 1.0, 1.0, 0.0, 0, AXIS[0], AXIS[0] / 2).ljust(156, b"\0")
    path.write_bytes(ranges + TRUTH.astype("<f4").tobytes())


def raw2(path):
    head = struct.pack("<4sH", b"RAW2", 1).ljust(256, b"\0")
    over = struct.pack("<HH4xfff", 48, 60, 1.0, 1.0, AXIS[0]).ljust(48, b"\0")
    path.write_bytes(head + over + TRUTH.astype("<f4").tobytes())


def raw3(path, axes=(AXIS,), code=0):
    """Records of 12 bytes, as where the measured angle stands beside each count, behind a further head of 40 bytes."""
    content = bytearray(struct.pack("<8sII", b"RAW1.01", 1, len(axes)).ljust(712, b"\0"))
    for axis in axes:
        head = bytearray(304)
        struct.pack_into("<IIdd", head, 0, 304, len(axis), axis[0] / 2, axis[0])
        struct.pack_into("<d", head, 176, axis[1] - axis[0])
        struct.pack_into("<I", head, 196, code)
        struct.pack_into("<II", head, 252, 12, 40)
        pairs = zip(TRUTH[: len(axis)], axis, strict=True)
        content += bytes(head) + bytes(40) + b"".join(struct.pack("<fd", y, x) for y, x in pairs)
    path.write_bytes(content)


def raw4(path, scan=b"Locked Coupled"):
    remark = struct.pack("<III24s", 10, 40, 0, b"SAMPLEID") + b"TiO2"
    head = bytearray(160)
    struct.pack_into("<24s16xddI", head, 32, scan, AXIS[0], 1.0, 60)
    struct.pack_into("<II", head, 136, 8, 92)
    drive = struct.pack("<III24s", 50, 92, 2, b"2Theta").ljust(92, b"\0")
    records = b"".join(struct.pack("<fi", y, 1) for y in TRUTH)
    path.write_bytes(b"RAW4.00".ljust(61, b"\0") + remark + bytes(head) + drive + records)


def brml(path, axis="TwoTheta", frame=""):
    axes = f'<ScanAxisInfo AxisId="Theta"/><ScanAxisInfo AxisId="{axis}"/>'
    rows = "".join(f"<Datum>1,1,{x / 2:g},{x:g},{frame}{y:g}</Datum>" for x, y in zip(AXIS, TRUTH, strict=True))
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("Experiment0/DataContainer.xml", "<x/>")
        archive.writestr(
            "Experiment0/RawData0.xml",
            f'<RawData><DataRoute RouteFlag="Measured">{axes}{rows}</DataRoute><DataRoute RouteFlag="Edited">{axes}'
            "<Datum>1,1,1,2,3</Datum></DataRoute></RawData>",
        )


OPUS = {"absorbance": 3 << 2 | 4 << 10, "sample spectrum": 1 << 2 | 1 << 10, "sample interferogram": 1 << 2 | 2 << 10}


def opus(path, spectra=None):
    """Blocks of numbers, each with the block that describes it; by default of every kind, with absorbance the truth."""
    spectra = {name: TRUTH + 100 * k for k, name in enumerate(OPUS)} if spectra is None else spectra
    facts = (
        struct.pack("<3sxHHi", b"DPF", 0, 2, 1) + struct.pack("<3sxHHi", b"NPT", 0, 2, 60)
        + struct.pack("<3sxHHd", b"FXV", 1, 4, AXIS[-1]) + struct.pack("<3sxHHd", b"LXV", 1, 4, AXIS[0])
        + struct.pack("<3sxHHd", b"CSF", 1, 4, 2.0) + struct.pack("<3sxHH4s", b"DXU", 3, 2, b"WN")
        + struct.pack("<3sxHH", b"END", 0, 0)
    )  # fmt: skip
    blocks = []
    for name, values in spectra.items():
        blocks += [(OPUS[name], (values[::-1] / 2).astype("<f4").tobytes()), (OPUS[name] | 1 << 4, facts)]
    place, entries = 24 + 12 * len(blocks), b""
    for kind, content in blocks:
        entries += struct.pack("<Iii", kind, len(content) // 4, place)
        place += len(content)
    head = struct.pack("<4sdiii", b"\n\n\xfe\xfe", 920622.0, 24, 40, len(blocks))
    path.write_bytes(head + entries + b"".join(content for _, content in blocks))


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
    "one.raw": (raw1, "deg"),
    "two.raw": (raw2, "deg"),
    "three.raw": (raw3, "deg"),
    "four.raw": (raw4, "deg"),
    "a.brml": (brml, "deg"),
    "a.0": (opus, "cm-1"),
    "a.opus": (lambda path: opus(path, {"sample spectrum": TRUTH}), "cm-1"),
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
    order = np.argsort(found.axis)  # OPUS writes falling axes
    np.testing.assert_allclose(found.axis[order], AXIS, atol=1e-4)
    np.testing.assert_allclose(found.intensities[:, order], TRUTH[None], atol=1e-3)
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
    table = text.partition("| spectra | files | read |")[2].partition("\n\n")[0]
    rows = re.findall(r"^\| [^|]+ \| (\.\w+(?:, \.\w+)*) \|", table, re.MULTILINE)
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


def table_of_three(folder, more="", values=("", "", "")) -> None:
    rows = "".join(f"{name},0.{5 - k},0.{5 + k}{values[k]},{k + 1}\n" for k, name in enumerate("abc"))
    (folder / "t.csv").write_text(f"Sample,Fe,Ga{more},P\n{rows}")


MAP = ((1, 0, [1, 2, 3]), (3 | 1 << 31, 5, [0, 10, 20]), (4 | 1 << 31, 5, [0, 5, 0]), (5, 5, [7, 7, 7]))


def test_positions_of_a_map_become_columns(tmp_path) -> None:
    table_of_three(tmp_path)
    wdf(tmp_path / "map.wdf", spectra=np.stack([TRUTH, TRUTH + 1, TRUTH + 2]), places=MAP)
    library = read_library(tmp_path / "t.csv", options=LibraryOptions(spectra=str(tmp_path / "map.wdf")))
    assert library.covariates.to_dict("list") == {"map x (um)": [0, 10, 20], "map y (um)": [0, 5, 0]}  # z stood still
    assert library.notes == ("map x (um) and map y (um) were read from the file of the spectra",)
    assert "positions map x (um), map y (um)" in lines_of_truth(library, "t.csv")[0]
    write_library(library, tmp_path / "again.csv")
    assert read_library(tmp_path / "again.csv").covariates.equals(library.covariates)


@pytest.mark.parametrize(("y", "astray"), [((2, 2.005, 2), False), ((2, 2, 2.005), True)])
def test_positions_of_a_table_in_another_order_than_the_map_are_said(tmp_path, y, astray) -> None:
    table_of_three(tmp_path, ",x (mm),y (mm)", [f",{0.01 * k},{y[k]}" for k in range(3)])
    wdf(tmp_path / "map.wdf", spectra=np.stack([TRUTH] * 4), places=[(k, of, [*v, 30]) for k, of, v in MAP])
    with (tmp_path / "t.csv").open("a") as file:  # a fourth point, as three can be mapped onto any three
        file.write("d,0.1,0.9,0.03,2.015,4\n" if not astray else "d,0.1,0.9,0.03,2.0,4\n")
    library = read_library(tmp_path / "t.csv", options=LibraryOptions(spectra=str(tmp_path / "map.wdf")))
    said = [note for note in library.notes if "check that the rows are in the order of the map" in note]
    assert bool(said) is astray


def test_positions_of_single_files_become_columns(tmp_path) -> None:
    table_of_three(tmp_path)
    for k, name in enumerate("abc"):
        wdf(tmp_path / f"{name}.wdf", places=[(3, 8, [k]), (4, 8, [2])])
    assert read_library(tmp_path).covariates.to_dict("list") == {"map x (mm)": [0, 1, 2], "map y (mm)": [2, 2, 2]}


def test_blocks_of_opus_are_named_and_chosen(tmp_path) -> None:
    table_of_three(tmp_path)
    for k, name in enumerate("abc"):
        opus(tmp_path / f"{name}.{k}")
    library = read_library(tmp_path)
    np.testing.assert_allclose(library.spectra, [TRUTH] * 3)
    assert (library.spectrum_name, library.axis_name, library.axis_unit) == ("absorbance", "wavenumber", "cm-1")
    assert library.notes[0] == (
        "files of OPUS hold sample interferogram, sample spectrum besides absorbance, which was read; --block names "
        "another"
    )
    other = read_library(tmp_path, options=LibraryOptions(block="sample spectrum"))
    np.testing.assert_allclose(other.spectra, [TRUTH + 100] * 3)
    assert other.spectrum_name == "sample spectrum"
    with pytest.raises(InputError, match=r"no block 'Raman'; it holds absorbance, sample interferogram, sample spec"):
        read_library(tmp_path, options=LibraryOptions(block="Raman"))
    opus(tmp_path / "b.1", {"sample spectrum": TRUTH})
    with pytest.raises(InputError, match=r"of different kinds, absorbance \(.*\), sample spectrum \(b\.1\); give"):
        read_library(tmp_path)
    opus(tmp_path / "b.1", {"sample interferogram": TRUTH})
    with pytest.raises(InputError, match=r"b\.1 has 0 blocks that may be the result; it holds sample interferogram"):
        read_library(tmp_path)


def test_raw_counts_of_xrdml_are_multiplied_by_the_attenuation(tmp_path) -> None:
    xrdml(tmp_path / "a.xrdml")
    text = (tmp_path / "a.xrdml").read_text()
    factors = f"<beamAttenuationFactors>{' '.join(['1'] * 30 + ['10'] * 30)}</beamAttenuationFactors>"
    for tag, factor in (("intensities", 1), ("counts", 10)):
        changed = text.replace("<intensities unit='counts'>", f"{factors}<{tag}>").replace(
            "</intensities>", f"</{tag}>"
        )
        (tmp_path / "a.xrdml").write_text(changed)
        np.testing.assert_allclose(opened(tmp_path / "a.xrdml").intensities[0, 30:], factor * TRUTH[30:])


@pytest.mark.parametrize(
    ("name", "write", "words"),
    [
        ("a.raw", lambda path: raw3(path, code=3), "another axis than 2 theta \\(kind 3\\); export"),
        ("a.raw", lambda path: raw4(path, b"Rocking Curve"), "another axis than 2 theta \\('Rocking Curve'\\)"),
        ("a.raw", lambda path: raw3(path, (AXIS, AXIS + 5)), "scans of different ranges \\(100 to 159, 105 to 164"),
        ("a.brml", lambda path: brml(path, "Phi"), "no scan over 2 theta"),
        ("a.brml", lambda path: brml(path, frame="7,8,"), "7 numbers for each point where 5 are expected"),
    ],
)
def test_other_measurements_of_diffractometers_are_refused(tmp_path, name, write, words) -> None:
    write(tmp_path / name)
    with pytest.raises(InputError, match=words):
        opened(tmp_path / name)


def test_ranges_over_the_same_angles_are_several_patterns(tmp_path) -> None:
    raw3(tmp_path / "a.raw", (AXIS, AXIS))
    np.testing.assert_allclose(opened(tmp_path / "a.raw").intensities, [TRUTH, TRUTH])


def test_scans_of_another_axis_are_refused(tmp_path) -> None:
    xrdml(tmp_path / "a.xrdml")
    text = (tmp_path / "a.xrdml").read_text()
    (tmp_path / "a.xrdml").write_text(text.replace("2Theta", "Phi"))
    with pytest.raises(InputError, match="no scan over 2 theta"):
        opened(tmp_path / "a.xrdml")
