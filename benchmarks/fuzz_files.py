"""Valid files of every kind that MatLens reads, small, and made here; `fuzz.py` damages copies of them."""

from __future__ import annotations

import gzip
import io
import struct
import zipfile
from pathlib import Path

import h5py
import numpy as np
import openpyxl
import scipy.io
from PIL import Image as Pillow

import matlens as ml
from matlens.microstructure.io import FORMATS

__all__ = ["make_pictures", "make_spectra", "make_statistics", "make_tables"]

_SIDE = (12, 14)
_AXIS = np.linspace(100, 159, 60)
_COUNTS = np.round(np.random.default_rng(0).uniform(0, 2000, 60))


def make_pictures(folder: Path) -> list[Path]:
    """Write a picture or volume in every format that is read; each suffix that is declared has a file."""
    labels = (np.random.default_rng(1).random(_SIDE) < 0.4).astype(np.uint8)
    structure = ml.Microstructure(labels, 0.5, "um", ("pore", "solid"))
    grey = (labels * 150 + np.random.default_rng(2).normal(50, 8, _SIDE)).clip(0, 255).astype(np.uint8)
    volume = ml.Microstructure(np.repeat(labels[None], 3, axis=0), 0.5, "um", ("pore", "solid"))
    flat, three = labels.tobytes(), volume.labels.tobytes()
    rows, columns = _SIDE
    made = {
        "a.png": lambda p: ml.write_microstructure(structure, p),
        "palette.png": lambda p: Pillow.fromarray(labels).convert("P").save(p),
        "a.tif": lambda p: ml.write_microstructure(structure, p),
        "volume.tiff": lambda p: ml.write_microstructure(volume, p),
        "a.npy": lambda p: ml.write_microstructure(structure, p),
        "a.npz": lambda p: ml.write_microstructure(structure, p),
        "a.h5": lambda p: ml.write_microstructure(volume, p),
        "a.hdf5": lambda p: ml.write_microstructure(structure, p),
        "a.vti": lambda p: ml.write_microstructure(volume, p),
        "a.mat": lambda p: scipy.io.savemat(p, {"m": labels, "s": {"x": 3.5}}),
        "a.dream3d": _dream3d,
        "a.h5ebsd": _scan,
        "a.h5oina": _scan,
        "a.nrrd": lambda p: p.write_bytes(_nrrd("raw") + flat),
        "a.nhdr": lambda p: p.write_bytes(_nrrd("ascii") + b" ".join(b"%d" % v for v in flat)),
        "a.mha": lambda p: p.write_bytes(
            b"ObjectType = Image\nNDims = 3\nDimSize = %d %d 3\nElementType = MET_UCHAR\nElementSpacing = 1 1 2\n"
            b"ElementDataFile = LOCAL\n" % (columns, rows) + three
        ),
        "a.mhd": lambda p: p.write_bytes(
            b"DimSize = %d %d\nElementType = MET_UCHAR\nElementDataFile = LOCAL\n" % (columns, rows) + flat
        ),
        "a.am": lambda p: p.write_bytes(
            b"# AmiraMesh BINARY-LITTLE-ENDIAN 2.1\ndefine Lattice %d %d 3\nParameters { Units { Coordinates \"um\" } "
            b"BoundingBox 0 4 0 2 0 1 }\nLattice { byte Labels } @1\n# Data section follows\n@1\n" % (columns, rows)
            + three
        ),
        "a.nii": lambda p: p.write_bytes(_nifti() + flat),
        "a.nii.gz": lambda p: p.write_bytes(gzip.compress(_nifti() + flat, mtime=0)),
        "a.ang": lambda p: p.write_text(
            "# Phase 1\n# MaterialName  Iron\n# GRID: SqrGrid\n# XSTEP: 0.5\n# YSTEP: 0.5\n# NCOLS_ODD: 5\n"
            "# NCOLS_EVEN: 5\n# NROWS: 4\n"
            + "".join(f"0 0 0 {k % 5 / 2} {k // 5 / 2} 1 0.9 {k % 3}\n" for k in range(20))
        ),
        "a.ctf": lambda p: p.write_text(
            "Channel Text File\nXCells\t5\nYCells\t4\nXStep\t0.5\nYStep\t0.5\nPhases\t2\n"
            "3;3;3\t90;90;90\tIron\t11\n4;4;4\t90;90;90\tGold\t11\nPhase\tX\tY\n"
            + "".join(f"{k % 3}\t{k % 5 / 2}\t{k // 5 / 2}\n" for k in range(20))
        ),
        f"a_{rows}x{columns}_uint8.raw": lambda p: p.write_bytes(flat),
        "a.txt": lambda p: np.savetxt(p, labels, fmt="%d"),
        "a.csv": lambda p: np.savetxt(p, grey, fmt="%d", delimiter=","),
        "a.zip": lambda p: _zip(p, {f"slice_{k}.png": _png(labels) for k in range(3)}),
    }  # fmt: skip
    for suffix in ("jpg", "jpeg", "bmp", "gif", "webp", "pgm", "pnm"):
        made[f"a.{suffix}"] = lambda p: Pillow.fromarray(grey).save(p)
    made["a.pbm"] = lambda p: Pillow.fromarray(grey > 100).save(p)
    made["a.ppm"] = lambda p: Pillow.fromarray(np.stack([grey] * 3, axis=-1)).save(p)
    files = [found for found in FORMATS if found.read and not found.folder]  # a test of its own damages a folder
    missing = {s for f in files for s in f.suffixes} - {s for n in made for s in (Path(n).suffix, n[1:])}
    if missing:
        raise SystemExit(f"no file to damage for the suffixes {', '.join(sorted(missing))}; add one here.")
    return _write(folder, made)


def make_tables(folder: Path) -> list[Path]:
    """Write a library as plain CSV, with semicolons and decimal commas, as a workbook, and as MatLens writes it."""
    x = np.random.default_rng(3).dirichlet((3, 3, 3), 20).round(3)
    x[:, 2] = (1 - x[:, 0] - x[:, 1]).round(3)
    heads = ["Sample", "Bi", "V", "W", "T (K)", "P_mW_cm2"]
    rows = [[f"s{k}", *x[k].tolist(), 300 + k, round(float(x[k, 0] * 3 + k % 4), 3)] for k in range(20)]
    text = "\n".join(",".join(map(str, row)) for row in [heads, *rows]) + "\n"
    library = ml.MaterialsLibrary(
        x / x.sum(1, keepdims=True), ("Bi", "V", "W"), {"P": [row[-1] for row in rows]}, {"P": "mW/cm2"},
        np.random.default_rng(4).random((20, 6)), np.arange(6.0), samples=tuple(row[0] for row in rows),
    )  # fmt: skip
    made = {
        "plain.csv": lambda p: p.write_text(text),
        "quoted.csv": lambda p: p.write_text(text.replace("s1,", '"s,1",').replace("Sample", '"Sam""ple"')),
        "semicolon.csv": lambda p: p.write_text(text.replace(",", ";").replace(".", ","), encoding="utf-16"),
        "tabs.tsv": lambda p: p.write_text("Title µ\n" + text.replace(",", "\t"), encoding="cp1252"),
        "written.csv": lambda p: ml.write_library(library, p),
        "book.xlsx": lambda p: _book(p, [heads, *rows]),
        "book.xlsm": lambda p: _book(p, [heads, *rows]),
    }
    return _write(folder, made)


def make_spectra(folder: Path) -> list[Path]:
    """Write a file of each format of spectra."""
    columns = "\n".join(f"{x:g}\t{y:g}" for x, y in zip(_AXIS, _COUNTS, strict=True)) + "\n"
    values = _COUNTS.astype("<f4").tobytes()
    affn = "".join(f"{_AXIS[k]:g} {' '.join(f'{y:g}' for y in _COUNTS[k : k + 6])}\n" for k in range(0, len(_AXIS), 6))
    head = bytearray(512)
    head[:4] = b"WDF1"
    struct.pack_into("<IQQ", head, 60, len(_AXIS), 1, 1)
    places = struct.pack("<II", 1, 1) + _AXIS.astype("<f4").tobytes()
    blocks = b"".join(struct.pack("<4sIQ", n, 0, 16 + len(d)) + d for n, d in ((b"DATA", values), (b"XLST", places)))
    spc = struct.pack("<BBBbiddiB", 0, 0x4B, 0, -128, len(_AXIS), _AXIS[0], _AXIS[-1], 1, 1).ljust(512, b"\0")
    old = struct.pack("<BBhfffB", 0, 0x4D, 12, len(_AXIS), _AXIS[0], _AXIS[-1], 1).ljust(256, b"\0")
    made = {
        "a.wdf": lambda p: p.write_bytes(bytes(head) + blocks),
        "a.spc": lambda p: p.write_bytes(spc + struct.pack("<xb30x", 0) + values),
        "old.spc": lambda p: p.write_bytes(old + (_COUNTS * 2**20).astype("<i4").tobytes()),
        "a.xrdml": lambda p: p.write_text(
            '<?xml version="1.0"?><x xmlns="http://www.xrdml.com/1.5"><scan><dataPoints><positions axis="2Theta" unit='
            f'"deg"><startPosition>{_AXIS[0]}</startPosition><endPosition>{_AXIS[-1]}</endPosition></positions>'
            f"<counts>{' '.join(f'{y:g}' for y in _COUNTS)}</counts></dataPoints></scan></x>"
        ),
        "a.ras": lambda p: p.write_text(
            "*RAS_DATA_START\n*RAS_INT_START\n"
            + "".join(f"{x:.4f} {y:.1f} 1.0\n" for x, y in zip(_AXIS, _COUNTS, strict=True))
            + "*RAS_INT_END\n"
        ),
        "a.rasx": lambda p: _zip(
            p, {"root.xml": b"<x/>", "Data0/Profile0.txt": columns.replace("\n", "\t1\n").encode()}
        ),
    }
    range_head = struct.pack("<4sIfffIff", b"RAW ", len(_AXIS), 1.0, 1.0, 0.0, 0, _AXIS[0], _AXIS[0] / 2)
    scan_head = bytearray(160)
    struct.pack_into("<24s16xddI", scan_head, 32, b"Locked Coupled", _AXIS[0], 1.0, len(_AXIS))
    struct.pack_into("<II", scan_head, 136, 8, 92)
    drive = struct.pack("<III24s", 50, 92, 2, b"2Theta").ljust(92, b"\0")
    counts = b"".join(struct.pack("<fi", y, 1) for y in _COUNTS)
    axes = '<ScanAxisInfo AxisId="Theta"/><ScanAxisInfo AxisId="TwoTheta"/>'
    rows = "".join(f"<Datum>1,1,{x / 2:g},{x:g},{y:g}</Datum>" for x, y in zip(_AXIS, _COUNTS, strict=True))
    brml = f'<RawData><DataRoute RouteFlag="Measured">{axes}{rows}</DataRoute></RawData>'.encode()
    made |= {
        "first.raw": lambda p: p.write_bytes(range_head.ljust(156, b"\0") + values),
        "fourth.raw": lambda p: p.write_bytes(b"RAW4.00".ljust(61, b"\0") + bytes(scan_head) + drive + counts),
        "a.brml": lambda p: _zip(p, {"Experiment0/DataContainer.xml": b"<x/>", "Experiment0/RawData0.xml": brml}),
        "a.opus": lambda p: p.write_bytes(_opus()),
        "a.0": lambda p: p.write_bytes(_opus()),
    }
    for suffix in ("jdx", "dx", "jcm"):
        made[f"a.{suffix}"] = lambda p: p.write_text(
            f"##TITLE= a\n##JCAMP-DX= 4.24\n##XUNITS= 1/CM\n##FIRSTX= 100\n##LASTX= 159\n##NPOINTS= {len(_AXIS)}\n"
            f"##XFACTOR= 1\n##YFACTOR= 1\n##XYDATA= (X++(Y..Y))\n{affn}##END=\n"
        )
    for suffix in ("txt", "csv", "xy", "xye", "dat"):
        made[f"a.{suffix}"] = lambda p: p.write_text(columns.replace("\t", "," if p.suffix == ".csv" else "\t"))
    return _write(folder, made)


def make_statistics(folder: Path) -> list[Path]:
    """Write a data set of statistics as `characterize` does."""
    labels = np.random.default_rng(5).integers(0, 2, (24, 24))
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / "statistics.nc"
    ml.characterize(ml.Microstructure(labels, 0.5, "um")).to_netcdf(file, engine="h5netcdf")
    return [file]


def _write(folder: Path, made: dict) -> list[Path]:
    folder.mkdir(parents=True, exist_ok=True)
    for name, write in made.items():
        write(folder / name)
    return [folder / name for name in made]


def _png(values: np.ndarray) -> bytes:
    content = io.BytesIO()
    Pillow.fromarray(values * 255).save(content, "PNG")
    return content.getvalue()


def _opus() -> bytes:
    """A block of absorbance and the block that describes it."""
    facts = (
        struct.pack("<3sxHHi", b"DPF", 0, 2, 1) + struct.pack("<3sxHHi", b"NPT", 0, 2, len(_AXIS))
        + struct.pack("<3sxHHd", b"FXV", 1, 4, _AXIS[-1]) + struct.pack("<3sxHHd", b"LXV", 1, 4, _AXIS[0])
        + struct.pack("<3sxHHd", b"CSF", 1, 4, 2.0) + struct.pack("<3sxHH4s", b"DXU", 3, 2, b"WN")
        + struct.pack("<3sxHH", b"END", 0, 0)
    )  # fmt: skip
    kind = 3 << 2 | 4 << 10
    blocks = [(kind, (_COUNTS[::-1] / 2).astype("<f4").tobytes()), (kind | 1 << 4, facts)]
    place, entries = 24 + 12 * len(blocks), b""
    for number, content in blocks:
        entries += struct.pack("<Iii", number, len(content) // 4, place)
        place += len(content)
    head = struct.pack("<4sdiii", b"\n\n\xfe\xfe", 920622.0, 24, 40, len(blocks))
    return head + entries + b"".join(content for _, content in blocks)


def _zip(path: Path, members: dict[str, bytes]) -> None:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)


def _book(path: Path, rows: list) -> None:
    book = openpyxl.Workbook()
    for row in rows:
        book.active.append(row)
    book.save(path)


def _nrrd(encoding: str) -> bytes:
    return (
        f"NRRD0004\ntype: uint8\ndimension: 2\nsizes: {_SIDE[1]} {_SIDE[0]}\nencoding: {encoding}\n"
        'spacings: 0.5 0.5\nspace units: "um" "um"\n\n'
    ).encode()


def _nifti() -> bytes:
    head = bytearray(352)
    struct.pack_into("<i", head, 0, 348)
    struct.pack_into("<8h", head, 40, 2, _SIDE[1], _SIDE[0], 1, 1, 1, 1, 1)
    struct.pack_into("<2h", head, 70, 2, 8)
    struct.pack_into("<8f", head, 76, 1, 0.5, 0.5, 1, 0, 0, 0, 0)
    struct.pack_into("<f", head, 108, 352.0)
    head[344:347] = b"n+1"
    return bytes(head)


def _dream3d(path: Path) -> None:
    with h5py.File(path, "w") as file:
        place = file.create_group("DataContainers/Image")
        place["_SIMPL_GEOMETRY/DIMENSIONS"] = np.array([5, 4, 3], np.int64)
        place["_SIMPL_GEOMETRY/SPACING"] = np.array([0.5, 0.5, 0.5], np.float32)
        place["_SIMPL_GEOMETRY/ORIGIN"] = np.zeros(3, np.float32)
        place["CellData/Phases"] = (np.arange(60) % 2 + 1).astype(np.int32).reshape(3, 4, 5, 1)
        place["CellEnsembleData/PhaseName"] = np.array([b"Unknown", b"Iron", b"Gold"])


def _scan(path: Path) -> None:
    with h5py.File(path, "w") as file:
        place = file.create_group("Scan 1/EBSD")
        place["Data/Phase"] = (np.arange(20) % 2).astype(np.int32)
        for name, value in {"nRows": 4, "nColumns": 5, "Step X": 0.5, "Step Y": 0.5}.items():
            place[f"Header/{name}"] = value
        place["Header/Phase/1/MaterialName"] = np.array([b"Iron"])
