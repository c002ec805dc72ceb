"""Volumes, maps and tables of other programs: each row of the table of formats in docs/micrographs.md is tried."""

import base64
import gzip
import re
import struct
import zipfile
import zlib
from pathlib import Path

import h5py
import numpy as np
import pytest
import scipy.io
import tifffile
from PIL import Image as Pillow

from matlens import InputError, Microstructure
from matlens.cli.app import main
from matlens.microstructure.io import read_image, write_microstructure
from matlens.microstructure.segmentation import CleaningOptions, load

PLANE = (np.random.default_rng(0).random((20, 28)) > 0.6).astype(np.uint8)
VOLUME = (np.random.default_rng(1).random((5, 20, 28)) > 0.6).astype(np.uint8)
PAGE = (Path(__file__).parents[3] / "docs" / "micrographs.md").read_text(encoding="utf-8")


def nrrd(path, values=VOLUME, encoding="raw", extra='spacings: 1 2 3\nspace units: "um" "um" "um"', order="<"):
    kinds = {"uint8": "uchar", "int16": "short", "float32": "float"}
    sizes = " ".join(str(side) for side in values.shape[::-1])
    endian = "little" if order == "<" else "big"
    head = (
        f"NRRD0005\n# made by a test\ntype: {kinds[values.dtype.name]}\ndimension: {values.ndim}\nsizes: {sizes}\n"
        f"encoding: {encoding}\nendian: {endian}\n{extra}\n\n"
    )
    content = values.astype(values.dtype.newbyteorder(order)).tobytes()
    path.write_bytes(head.encode() + (gzip.compress(content) if encoding == "gzip" else content))


def mha(path, values=VOLUME, compressed=False, spacing="1 2 3", beside=None):
    content = zlib.compress(values.tobytes()) if compressed else values.tobytes()
    head = (
        f"ObjectType = Image\nNDims = {values.ndim}\nDimSize = {' '.join(map(str, values.shape[::-1]))}\n"
        f"CompressedData = {compressed}\nElementSpacing = {spacing}\nElementType = MET_UCHAR\n"
        f"ElementDataFile = {beside or 'LOCAL'}\n"
    )
    path.write_bytes(head.encode() + (b"" if beside else content))
    if beside:
        (path.parent / beside).write_bytes(content)


def amira(path, packing="", unit='Units { Coordinates "um" }'):
    z, y, x = VOLUME.shape
    data = VOLUME.tobytes()
    if packing == "HxZip":
        data = zlib.compress(data)
    elif packing == "HxByteRLE":
        parts = [data[100 + k : 200 + k] for k in range(0, len(data) - 100, 100)]
        data = b"".join(bytes([1, value]) for value in data[:100])  # single runs, then copies
        data += b"".join(bytes([128 + len(part)]) + part for part in parts)
    at = f"@1({packing},{len(data)})" if packing else "@1"
    head = (
        f"# AmiraMesh BINARY-LITTLE-ENDIAN 2.1\n\ndefine Lattice {x} {y} {z}\n\nParameters {{\n    Materials {{\n"
        f"        Pore {{ Id 1 }}\n        Solid {{ Id 2 }}\n    }}\n    {unit}\n"
        f'    BoundingBox 0 {x - 1} 0 {2 * (y - 1)} 0 {3 * (z - 1)},\n    CoordType "uniform"\n}}\n\n'
        f"Lattice {{ byte Labels }} {at}\n\n# Data section follows\n@1\n"
    )
    path.write_bytes(head.encode() + data)


def nifti(path, order="<", slope=1.0, unit=3):
    head = bytearray(352)
    struct.pack_into(f"{order}i", head, 0, 348)
    struct.pack_into(f"{order}8h", head, 40, 3, *VOLUME.shape[::-1], 1, 1, 1, 1)
    struct.pack_into(f"{order}2h", head, 70, 4, 16)
    struct.pack_into(f"{order}4f", head, 76, 1.0, 1.0, 2.0, 3.0)
    struct.pack_into(f"{order}3f", head, 108, 352.0, slope, 0.0)
    head[123], head[344:347] = unit, b"n+1"
    content = bytes(head) + VOLUME.astype(f"{order}i2").tobytes()
    path.write_bytes(gzip.compress(content) if path.suffix == ".gz" else content)


def ang(path, hexagonal=False, confidence=1.0):
    rows, columns = PLANE.shape
    lines = [
        "# Phase 1", "# MaterialName  Iron", "# Formula Fe", "# Phase 2", "# MaterialName  Carbide",
        f"# GRID: {'HexGrid' if hexagonal else 'SqrGrid'}", "# XSTEP: 0.5", "# YSTEP: 0.25", f"# NCOLS_ODD: {columns}",
        f"# NCOLS_EVEN: {columns - 1 if hexagonal else columns}", f"# NROWS: {rows}",
    ]  # fmt: skip
    for row in range(rows):
        for column in range(columns - (hexagonal and row % 2)):
            found = confidence if (row, column) == (0, 0) else 1.0
            lines.append(f"0 0 0 {column * 0.5} {row * 0.25} 100 {found} {PLANE[row, column] + 1} 1 1")
    path.write_text("\n".join(lines) + "\n")


def ctf(path):
    rows, columns = PLANE.shape
    lines = [
        "Channel Text File", "Prj\ttest", f"XCells\t{columns}", f"YCells\t{rows}", "XStep\t0.5", "YStep\t0.25",
        "AcqE1\t0", "Phases\t1", "2.87;2.87;2.87\t90;90;90\tIron\t11\t229", "Phase\tX\tY\tBands",
    ]  # fmt: skip
    points = [f"{PLANE[r, c]}\t{c * 0.5}\t{r * 0.25}\t8" for r in range(rows) for c in range(columns)]
    path.write_text("\n".join(lines + points) + "\n")


def edax(path, oxford=False):
    names = ("Y Cells", "X Cells", "Y Step", "X Step") if oxford else ("nRows", "nColumns", "Step Y", "Step X")
    with h5py.File(path, "w") as file:
        file["Scan 1/EBSD/Data/Phase"] = PLANE.ravel() + 1
        file["Scan 1/EBSD/Data/Pattern"] = np.zeros((PLANE.size, 4, 4), np.uint8)
        for name, value in zip(names, (*PLANE.shape, 0.25, 0.5)):
            file[f"Scan 1/EBSD/Header/{name}"] = np.array([value])
        group, key = ("Phases", "Phase Name") if oxford else ("Phase", "MaterialName")
        file[f"Scan 1/EBSD/Header/{group}/1/{key}"] = np.array([b"Iron"])
        file[f"Scan 1/EBSD/Header/{group}/2/{key}"] = np.array([b"Carbide"])


def dream3d(path):
    with h5py.File(path, "w") as file:
        container = file.create_group("DataContainers/Image")
        container["_SIMPL_GEOMETRY/DIMENSIONS"] = np.array(VOLUME.shape[::-1])
        container["_SIMPL_GEOMETRY/SPACING"] = np.array([1.0, 2.0, 3.0])
        container["CellData/Phases"] = (VOLUME[..., None] + 1).astype(np.int32)
        container["CellEnsembleData/PhaseName"] = np.array([b"Unknown", b"Iron", b"Carbide"])


def raw(path):
    VOLUME.tofile(path.with_name("m_5x20x28_uint8.raw"))
    return path.with_name("m_5x20x28_uint8.raw")


def zipped(path):
    with zipfile.ZipFile(path, "w") as archive:
        for number, plane in enumerate(VOLUME, start=7):
            tifffile.imwrite(path.with_name("s.tif"), plane)
            archive.write(path.with_name("s.tif"), f"scan/slice_{number}.tif")


def folder(path):
    path = path.with_suffix("")
    path.mkdir()
    for number, plane in enumerate(VOLUME, start=7):
        Pillow.fromarray(plane * 255).save(path / f"slice_{number}.png")
    (path / "notes.docx").write_text("no slice")
    return path


def picture(path):
    Pillow.fromarray(PLANE * 255).save(path, **({"lossless": True} if path.suffix == ".webp" else {}))


def written(path):
    write_microstructure(Microstructure(VOLUME, (3.0, 2.0, 1.0), "um", ("pore", "solid")), path)


MAKERS = {
    ".png": picture, ".bmp": picture, ".gif": picture, ".webp": picture, ".pgm": picture, ".jpg": picture,
    ".tif": written, ".npz": written, ".h5": written, ".vti": written,
    ".npy": lambda path: np.save(path, VOLUME),
    ".mat": lambda path: scipy.io.savemat(path, {"scan": {"labels": VOLUME, "date": "today"}}),
    ".dream3d": dream3d, ".ang": ang, ".ctf": ctf, ".nrrd": nrrd, ".mha": mha,
    ".mhd": lambda path: mha(path, beside="m.bin"), ".am": amira, ".raw": raw,
    ".txt": lambda path: np.savetxt(path, PLANE, fmt="%d"),
    ".csv": lambda path: np.savetxt(path, PLANE, fmt="%d", delimiter=","),
    ".zip": zipped, ".nii": nifti, "a folder": folder,
}  # fmt: skip
SIZED = {".tif", ".npz", ".h5", ".vti", ".dream3d", ".nrrd", ".mha", ".mhd", ".am", ".nii"}
NAMED = {".tif", ".npz", ".h5", ".vti", ".dream3d", ".am", ".ang"}


def test_the_table_of_the_page_lists_what_is_tried():
    rows = re.findall(r"^\| ((?:`\.\w+`)[^|]*) \|", PAGE, re.MULTILINE)
    listed = {word for row in rows for word in re.findall(r"`(\.\w+)`|(a folder)", row)}
    assert {a or b for a, b in listed} == set(MAKERS)


@pytest.mark.parametrize("suffix", list(MAKERS))
def test_each_format_of_readme_is_read(tmp_path, suffix):
    path = tmp_path / f"m{suffix if suffix.startswith('.') else '.x'}"
    found = load(MAKERS[suffix](path) or path)
    m = found.microstructure
    assert np.array_equal(m.labels, VOLUME if m.ndim == 3 else PLANE)
    if suffix in SIZED:
        assert m.spacing == pytest.approx((3.0, 2.0, 1.0))
        assert m.unit == ("mm" if suffix in (".mha", ".mhd") else "um")
    if suffix in NAMED:
        assert m.phase_names[0] in ("pore", "Pore", "Iron")
    assert found.understood.format


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("dtype", ["uint8", "int16", "float32"])
@pytest.mark.parametrize("encoding", ["raw", "gzip"])
def test_nrrd_of_every_kind(tmp_path, order, dtype, encoding):
    directions = 'space directions: (0,0,0.5) (0,0.25,0) (2,0,0)\nspace units: "mm" "mm" "mm"'
    nrrd(tmp_path / "m.nrrd", VOLUME.astype(dtype), encoding, directions, order)
    image = read_image(tmp_path / "m.nrrd")
    assert np.array_equal(image.values, VOLUME)
    assert (image.spacing, image.unit) == ((2.0, 0.25, 0.5), "mm")


def test_a_spacing_without_a_unit_is_none(tmp_path):
    nrrd(tmp_path / "m.nrrd", extra="spacings: 1 2 3")
    mha(tmp_path / "m.mha", spacing="1 1 1", compressed=True)
    amira(tmp_path / "m.am", unit="")
    for name in ("m.nrrd", "m.mha", "m.am"):
        image = read_image(tmp_path / name)
        assert image.spacing is None
        assert image.scale


def test_nifti_of_either_order_zipped_and_scaled(tmp_path):
    nifti(tmp_path / "m.nii.gz", ">", slope=0.5, unit=0)
    image = read_image(tmp_path / "m.nii.gz")
    assert np.array_equal(image.values, VOLUME / 2)
    assert (image.spacing, image.format) == (None, "NIfTI")


@pytest.mark.parametrize("packing", ["", "HxZip", "HxByteRLE"])
def test_amira_unpacked(tmp_path, packing):
    amira(tmp_path / "m.am", packing)
    assert np.array_equal(read_image(tmp_path / "m.am").values, VOLUME)


def vtk(path, kind, compressed):
    """A VTK image as ParaView writes it: 32-bit heads, and packed in blocks."""
    values = VOLUME.astype("<f4")
    data, x = values.tobytes(), VOLUME.shape[::-1]
    if compressed:
        blocks = [zlib.compress(data[k : k + 3000]) for k in range(0, len(data), 3000)]
        table = struct.pack(f"<{3 + len(blocks)}I", len(blocks), 3000, len(data) % 3000, *map(len, blocks))
        parts = [table, b"".join(blocks)]
    else:
        parts = [struct.pack("<I", len(data)) + data]
    coded = b"".join(base64.b64encode(part) for part in parts)
    packing = ' compressor="vtkZLibDataCompressor"' if compressed else ""
    extent = f"0 {x[0]} 0 {x[1]} 0 {x[2]}"
    how = {"binary": b"", "appended": b' offset="0"', "raw": b' offset="0"'}[kind]
    body = coded if kind == "binary" else b""
    end = {
        "binary": b"",
        "appended": b'<AppendedData encoding="base64">_' + coded + b"</AppendedData>",
        "raw": b'<AppendedData encoding="raw">_' + b"".join(parts) + b"</AppendedData>",
    }[kind]
    path.write_bytes(
        f'<?xml version="1.0"?><VTKFile type="ImageData" byte_order="LittleEndian" header_type="UInt32"{packing}>'
        f'<ImageData WholeExtent="{extent}" Origin="0 0 0" Spacing="1 1 1"><Piece Extent="{extent}"><CellData>'
        f'<DataArray type="Float32" Name="solid" format="{"binary" if kind == "binary" else "appended"}"'.encode()
        + how + b">" + body + b"</DataArray></CellData></Piece></ImageData>" + end + b"</VTKFile>"
    )  # fmt: skip


@pytest.mark.parametrize("kind", ["binary", "appended", "raw"])
@pytest.mark.parametrize("compressed", [False, True])
def test_images_of_vtk(tmp_path, kind, compressed):
    vtk(tmp_path / "m.vti", kind, compressed)
    image = read_image(tmp_path / "m.vti")
    assert np.array_equal(image.values, VOLUME)
    assert (image.spacing, image.scale) == (None, "VTK gives no unit of length")


@pytest.mark.parametrize("hexagonal", [False, True])
def test_points_that_were_not_indexed_are_masked(tmp_path, hexagonal):
    ang(tmp_path / "m.ang", hexagonal, confidence=-1.0)
    found = load(tmp_path / "m.ang")
    m = found.microstructure
    assert m.phase_names == ("Iron", "Carbide")
    assert m.spacing == (0.25, 0.5)
    expected = PLANE[:, : 27 if hexagonal else 28]
    known = np.ones(expected.shape, dtype=bool)
    known[0, 0] = False
    assert np.array_equal(m.mask, known)
    assert np.array_equal(m.labels[known], expected[known])
    assert any("hexagonal" in step for step in found.steps) == hexagonal
    assert f"{1 / expected.size:.1%} of the points were not indexed and are masked." in found.steps
    phase = load(tmp_path / "m.ang", CleaningOptions(unmasked=True))
    assert phase.microstructure.phase_names == ("not indexed", "Iron", "Carbide")
    assert np.array_equal(phase.microstructure.labels == 0, ~known)
    assert load(tmp_path / "m.ang", CleaningOptions(fill_mask=2)).microstructure.mask is None


def test_points_that_were_not_indexed_are_a_phase_beside_a_single_one(tmp_path):
    ctf(tmp_path / "m.ctf")
    found = load(tmp_path / "m.ctf")
    assert found.microstructure.phase_names == ("not indexed", "Iron")
    assert "because all others are of one phase" in " ".join(found.steps)


@pytest.mark.parametrize("oxford", [False, True])
def test_scans_in_hdf5(tmp_path, oxford):
    edax(tmp_path / "m.h5", oxford)
    m = load(tmp_path / "m.h5").microstructure
    assert np.array_equal(m.labels, PLANE)
    assert (m.spacing, m.unit, m.phase_names) == ((0.25, 0.5), "um", ("Iron", "Carbide"))


def test_a_file_without_a_header_asks_for_shape_and_type(tmp_path):
    np.zeros((8, 8, 8), "<u2").tofile(tmp_path / "rock.raw")
    with pytest.raises(InputError, match=r"--dataset 400x400x400:uint8; it has 1024 bytes.*8x8x8:uint16"):
        read_image(tmp_path / "rock.raw")
    with pytest.raises(InputError, match=r"has 1024 bytes, and 8x8x9 of uint16 need 1152"):
        read_image(tmp_path / "rock.raw", dataset="8x8x9:uint16")
    VOLUME.astype(">u2").tofile(tmp_path / "rock.raw")
    image = read_image(tmp_path / "rock.raw", dataset="5x20x28:>u2")
    assert np.array_equal(image.values, VOLUME)
    assert "as given" in image.notes[0]


def test_slices_are_in_the_order_of_their_numbers_and_none_is_missing(tmp_path):
    place = folder(tmp_path / "m.x")
    image = read_image(place)
    assert image.notes[0] == "5 slices were put together, from slice_7.png to slice_11.png."
    (place / "slice_9.png").unlink()
    with pytest.raises(InputError, match="slice is missing before number 10"):
        read_image(place)
    Pillow.fromarray(PLANE[:10]).save(place / "slice_9.png")
    with pytest.raises(InputError, match="pictures of one shape"):
        read_image(place)
    (place / "settings.toml").touch()
    with pytest.raises(InputError, match="is a run directory"):
        read_image(place)


def test_slices_of_a_folder_keep_their_masks_and_must_agree(tmp_path):
    place = tmp_path / "scan"
    place.mkdir()
    for number in range(3):
        plane = PLANE.astype(np.float32)
        plane[:, : 4 + number] = np.nan
        np.save(place / f"s{number}.npy", plane)
    (place / "s9.png").write_bytes(b"another format")
    found = load(place)
    assert np.array_equal(found.microstructure.unmasked().labels, np.stack([PLANE[:, 6:]] * 3))
    assert found.microstructure.masked_share == pytest.approx(5 / 28)
    assert "Files of other formats in the folder were left out: s9.png." in found.steps
    assert sum("hold no number" in step for step in found.steps) == 1
    assert f"{5 / 28:.1%} masked" in str(found.understood)


def test_slices_of_other_pixel_sizes_or_colours_are_refused(tmp_path):
    for number, step in enumerate((1.0, 2.0)):
        write_microstructure(Microstructure(PLANE, spacing=step, unit="um"), tmp_path / f"s{number}.tif")
    with pytest.raises(InputError, match=r"s1.tif has the pixel size 2 x 2 um and s0.tif 1 x 1 um"):
        read_image(tmp_path)
    colours = tmp_path / "colours"
    colours.mkdir()
    for number, table in enumerate(([0, 0, 255, 255, 0, 0], [255, 0, 0, 0, 0, 255])):
        picture = Pillow.fromarray((PLANE > 0).astype(np.uint8)).convert("P")
        picture.putpalette(table + [0] * 762)
        picture.save(colours / f"s{number}.png")
    with pytest.raises(InputError, match=r"colour tables that differ"):
        read_image(colours)


def test_fields_of_structs_have_names(tmp_path):
    scan = {"grey": PLANE * 3.5, "inner": {"labels": PLANE}}
    scipy.io.savemat(tmp_path / "m.mat", {"scan": scan})
    with pytest.raises(InputError, match=r"scan/grey \(20, 28\), scan/inner/labels \(20, 28\)"):
        read_image(tmp_path / "m.mat")
    assert np.array_equal(read_image(tmp_path / "m.mat", dataset="labels").values, PLANE)


@pytest.mark.parametrize("content", ["a,b\n1,2\n", "1,2\n3\n", "\n\n"])
def test_texts_that_are_no_picture(tmp_path, content):
    (tmp_path / "m.csv").write_text(content)
    with pytest.raises(InputError, match=r"one row of the picture a line"):
        read_image(tmp_path / "m.csv")


@pytest.mark.parametrize("suffix", [".nrrd", ".mha", ".am", ".ang", ".ctf", ".vti", ".nii"])
def test_truncated_files_are_refused_in_a_sentence(tmp_path, suffix):
    path = tmp_path / f"m{suffix}"
    MAKERS[suffix](path)
    content = path.read_bytes()
    for kept in (len(content) * 2 // 3, 30):
        path.write_bytes(content[:kept])
        with pytest.raises(InputError, match=f"m{suffix}"):
            read_image(path)


def test_one_slice_of_a_volume_is_a_picture_by_crop_too(tmp_path):
    written(tmp_path / "m.tif")
    found = load(tmp_path / "m.tif", CleaningOptions(crop="0:28,0:20,3:4")).microstructure
    assert np.array_equal(found.labels, VOLUME[3])
    assert found.spacing == (2.0, 1.0)


@pytest.mark.end_to_end
def test_commands_take_folders_of_slices_and_offer_a_slice(tmp_path, capsys):
    place = tmp_path / "scan"
    place.mkdir()
    for number, plane in enumerate(np.random.default_rng(0).random((16, 16, 16)) > 0.5):
        Pillow.fromarray((plane * 255).astype(np.uint8)).save(place / f"s{number}.png")
    words = ["-o", str(tmp_path / "run"), "--force", "--quiet"]
    with pytest.raises(SystemExit) as end:
        main(["characterize", str(place), "--statistics", "volume_fraction", *words])
    assert end.value.code == 0
    with pytest.raises(SystemExit) as end:
        main(["reconstruct", str(place), *words])
    assert end.value.code == 2
    assert "take a slice, for example the middle one (--slice z=" in capsys.readouterr().err


def test_lines_before_the_values_of_a_nrrd_file_are_skipped(tmp_path):
    head = "NRRD0004\ntype: uint8\ndimension: 2\nsizes: 3 2\nencoding: gzip\nline skip: 2\n\n"
    (tmp_path / "m.nrrd").write_bytes(
        head.encode() + b"two lines\nof text\n" + gzip.compress(bytes([0, 1, 0, 1, 1, 0]))
    )
    assert read_image(tmp_path / "m.nrrd").values.tolist() == [[0, 1, 0], [1, 1, 0]]


@pytest.mark.parametrize(
    ("name", "head"),
    [
        ("m.mhd", "DimSize = 3 2\nElementType = MET_UCHAR\nElementDataFile = m.zraw\n"),
        ("m.nhdr", "NRRD0004\ntype: uint8\ndimension: 2\nsizes: 3 2\nencoding: raw\ndata file: m.zraw\n\n"),
    ],
)
def test_a_header_without_its_values_names_the_file_that_is_missing(tmp_path, name, head):
    (tmp_path / name).write_text(head)
    with pytest.raises(InputError, match=rf"{name} is a header whose values are in m\.zraw; put that file beside it\."):
        read_image(tmp_path / name)


def test_vectors_in_a_metaimage_are_refused(tmp_path):
    head = "DimSize = 3 2\nElementNumberOfChannels = 2\nElementType = MET_FLOAT\nElementDataFile = LOCAL\n"
    (tmp_path / "m.mha").write_bytes(head.encode() + bytes(48))
    with pytest.raises(InputError, match="holds 2 numbers a pixel, expected one"):
        read_image(tmp_path / "m.mha")


def test_a_scan_that_was_thinned_after_its_header_was_written_is_read_by_its_coordinates(tmp_path):
    head = "# GRID: SqrGrid\n# XSTEP: 0.1\n# YSTEP: 0.1\n# NCOLS_ODD: 140\n# NCOLS_EVEN: 140\n# NROWS: 160\n"
    phases = np.arange(12).reshape(3, 4) % 2
    rows = [f"0 0 0 {0.4 * x:.1f} {0.2 * y:.1f} 9 0.8 {phases[y, x]}" for y in range(3) for x in range(4)]
    (tmp_path / "m.ang").write_text(head + "\n".join(rows) + "\n")
    found = read_image(tmp_path / "m.ang")
    assert np.array_equal(found.values, phases)
    assert found.spacing == pytest.approx((0.2, 0.4))
    assert "grid was taken from the coordinates" in found.notes[0]
    (tmp_path / "m.ang").write_text(head + "\n".join(rows[:-1]) + "\n")
    with pytest.raises(InputError, match="holds 11 points, and its header says 22400"):
        read_image(tmp_path / "m.ang")


def test_colours_of_a_dream3d_file_are_a_colour_picture(tmp_path):
    shown = np.arange(36, dtype=np.uint8).reshape(1, 3, 4, 3)
    with h5py.File(tmp_path / "m.dream3d", "w") as file:
        cells = file.create_group("DataStructure/Image")
        cells.attrs["_DIMENSIONS"], cells.attrs["_SPACING"] = [4, 3, 1], [0.5, 0.5, 1.0]
        cells["ImageArray"] = shown
    found = read_image(tmp_path / "m.dream3d")
    assert found.colour
    assert np.array_equal(found.values, shown[0])
    with h5py.File(tmp_path / "none.h5", "w") as file:
        file["table"] = np.arange(5)
    with pytest.raises(InputError, match=r"none\.h5 holds no array that could be a picture"):
        read_image(tmp_path / "none.h5")
