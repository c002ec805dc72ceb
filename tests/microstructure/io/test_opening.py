"""Opening of large files: the same phases, scale and line of truth as reading whole, block by block."""

import gzip
import pickle
import subprocess
import sys
import zlib
from pathlib import Path

import h5py
import numpy as np
import pytest
import tifffile
import zarr
from PIL import Image as Picture

from matlens import (
    InputError,
    Microstructure,
    characterize,
    open_microstructure,
    read_microstructure,
    write_microstructure,
)
from matlens.microstructure.io import FORMATS, open_image, read_image
from matlens.microstructure.segmentation import CleaningOptions, load, open_large
from matlens.microstructure.segmentation.cleanup import found_thresholds, thresholds_of_counts
from matlens.microstructure.statistics import characterize_in_blocks
from matlens.runs.provenance import sha256

SHAPE = (9, 12, 10)
LABELS = np.random.default_rng(0).integers(0, 2, SHAPE).astype(np.uint8) * 255
STRUCTURE = Microstructure(LABELS // 255, spacing=0.5, unit="um")


def as_tiff(folder):
    tifffile.imwrite(folder / "m.tif", LABELS, photometric="minisblack", metadata={"axes": "ZYX"})
    return folder / "m.tif"


def as_packed_tiff(folder):
    tifffile.imwrite(folder / "m.tif", LABELS, photometric="minisblack", compression="zlib")
    return folder / "m.tif"


def as_tiff_of_ours(folder):
    write_microstructure(STRUCTURE, folder / "m.tif")
    return folder / "m.tif"


def as_big_endian_tiff(folder):
    tifffile.imwrite(folder / "m.tif", LABELS.astype(np.uint16) + 7, byteorder=">", photometric="minisblack")
    return folder / "m.tif"


def as_npy(folder):
    np.save(folder / "m.npy", LABELS)
    return folder / "m.npy"


def as_fortran_npy(folder):
    np.save(folder / "m.npy", np.asfortranarray(LABELS.astype(np.int32)))
    return folder / "m.npy"


def as_hdf5(folder):
    write_microstructure(STRUCTURE, folder / "m.h5")
    return folder / "m.h5"


def as_chunked_hdf5(folder):
    with h5py.File(folder / "m.h5", "w") as file:
        file.create_dataset("a/grey", data=LABELS, chunks=(4, 5, 6), compression="gzip")
    return folder / "m.h5"


def as_zarr(folder):
    attributes = {"spacing": [0.5, 0.5, 0.5], "unit": "um", "phase_names": ["pore", "solid"], "periodic": True}
    array = zarr.create_array(folder / "m.zarr", shape=SHAPE, chunks=(4, 5, 6), dtype="u1", attributes=attributes)
    array[:] = LABELS // 255
    return folder / "m.zarr"


def as_ome_zarr(folder):
    scale = {"type": "scale", "scale": [2.0, 0.5, 0.5]}
    axes = [{"name": name, "type": "space", "unit": "micrometer"} for name in "zyx"]
    levels = [{"path": str(n), "coordinateTransformations": [scale]} for n in range(2)]
    group = zarr.create_group(folder / "m.zarr", attributes={"multiscales": [{"axes": axes, "datasets": levels}]})
    group.create_array("0", shape=SHAPE, chunks=(4, 5, 6), dtype="u1")[:] = LABELS
    group.create_array("1", shape=(4, 6, 5), chunks=(4, 5, 6), dtype="u1")
    return folder / "m.zarr"


def as_raw(folder):
    path = folder / "rock_9x12x10_uint8.raw"
    path.write_bytes(LABELS.tobytes())
    return path


def as_metaimage(folder):
    head = (
        "NDims = 3\nDimSize = 10 12 9\nElementType = MET_UCHAR\nElementSpacing = 0.5 0.5 2\nElementDataFile = LOCAL\n"
    )
    (folder / "m.mha").write_bytes(head.encode() + LABELS.tobytes())
    return folder / "m.mha"


def as_metaimage_with_its_data_beside(folder):
    head = "DimSize = 10 12 9\nElementType = MET_USHORT\nBinaryDataByteOrderMSB = True\nElementDataFile = m.raw\n"
    (folder / "m.mhd").write_text(head)
    (folder / "m.raw").write_bytes(LABELS.astype(">u2").tobytes())
    return folder / "m.mhd"


def as_nrrd(folder):
    head = "NRRD0004\ntype: ushort\ndimension: 3\nsizes: 10 12 9\nencoding: raw\nendian: big\nspacings: 1 2 3\n\n"
    (folder / "m.nrrd").write_bytes(head.encode() + LABELS.astype(">u2").tobytes())
    return folder / "m.nrrd"


def as_nrrd_with_its_data_beside(folder):
    head = "NRRD0004\ntype: uint8\ndimension: 3\nsizes: 10 12 9\nencoding: raw\nline skip: 1\ndata file: m.bin\n"
    (folder / "m.nhdr").write_text(head)
    (folder / "m.bin").write_bytes(b"a line\n" + LABELS.tobytes())
    return folder / "m.nhdr"


def as_slices(folder):
    (folder / "slices").mkdir()
    for number, plane in enumerate(LABELS):
        Picture.fromarray(plane).save(folder / "slices" / f"s{number + 8}.png")
    return folder / "slices"


WAYS = [value for name, value in list(globals().items()) if name.startswith("as_")]


ASKED = [{}, {"crop": "2:9,1:11,3:8"}, {"slice": "y=4"}, {"invert": True, "spacing": "3nm"}]


@pytest.mark.parametrize("options", ASKED)
@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.__name__)
def test_what_is_opened_is_what_is_read(tmp_path, way, options):
    path = way(tmp_path)
    whole, opened = load(path, CleaningOptions(**options)), open_large(path, CleaningOptions(**options))
    m, large = whole.microstructure, opened.microstructure
    box = tuple(slice(1, side - 1) for side in m.shape)
    np.testing.assert_array_equal(large.read([1] * m.ndim, [side - 1 for side in m.shape]), m.labels[box])
    assert (large.spacing, large.unit, large.phase_names, large.periodic) == (
        m.spacing, m.unit, m.phase_names, m.periodic,
    )  # fmt: skip
    assert str(opened.understood) == str(whole.understood)
    assert set(opened.understood.notes) == set(whole.understood.notes)
    again = pickle.loads(pickle.dumps(large))  # noqa: S301 - what workers are given
    np.testing.assert_array_equal(again.crop(*box).labels, m.labels[box])


def test_every_opener_is_tried(tmp_path):
    opened = set()
    for way in WAYS:
        (tmp_path / way.__name__).mkdir()
        opened.add(way(tmp_path / way.__name__).suffix)
    assert {suffix for found in FORMATS if found.open for suffix in found.suffixes} <= opened | {".tiff", ".hdf5"}


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.int16])
@pytest.mark.parametrize("classes", [2, 3])
def test_thresholds_by_counts_are_those_by_pixels(dtype, classes):
    random = np.random.default_rng(3)
    grey = np.concatenate([random.normal(at, 9, 4000) for at in (40, 90, 200)[:classes]]).astype(dtype)
    grey[:2] = np.iinfo(dtype).max  # hot pixels
    values, counts = np.unique(grey, return_counts=True)
    assert thresholds_of_counts(values, counts, classes) == pytest.approx(
        found_thresholds(grey.astype(np.float32), classes), rel=1e-6
    )


@pytest.mark.parametrize(
    ("threshold", "dtype"),
    [("otsu", np.uint8), ("80.5", np.uint8), ("60,120", np.uint8), ("80.1", np.float32), ("60.3,120.7", np.float32)],
)
def test_grey_volumes_are_cut_at_the_same_thresholds(tmp_path, threshold, dtype):
    random = np.random.default_rng(1)
    grey = np.where(random.random((12, 14, 16)) < 0.4, random.normal(50, 8, (12, 14, 16)), 150).clip(0, 255)
    np.save(tmp_path / "m.npy", grey.astype(dtype))
    m = read_microstructure(tmp_path / "m.npy", threshold=threshold)
    large = open_microstructure(tmp_path / "m.npy", threshold=threshold)
    np.testing.assert_array_equal(large.read((0, 0, 0), m.shape), m.labels)
    found = open_large(tmp_path / "m.npy", CleaningOptions(threshold=threshold)).understood
    np.testing.assert_allclose([phase.share for phase in found.phases], m.volume_fractions, atol=1e-15)


@pytest.mark.parametrize("way", [as_tiff, as_npy, as_zarr], ids=lambda way: way.__name__)
def test_statistics_of_a_file_in_blocks(tmp_path, way):
    path = way(tmp_path)
    names = ["volume_fraction", "two_point", "lineal_path", "euler_number", "percolation"]
    found = characterize_in_blocks(open_microstructure(path), statistics=names, reach=3, blocks=(2, 2, 1))
    whole = characterize(read_microstructure(path), statistics=names)
    for name, values in whole.data_vars.items():
        expected = values.where(values["r"] <= 3) if name.startswith("two_point") else values
        np.testing.assert_array_equal(found[name], expected, err_msg=name)


def refusals(folder):
    np.save(folder / "m.npy", LABELS)
    cut = (folder / "m.npy").read_bytes()
    (folder / "cut.npy").write_bytes(cut[:-50])
    np.save(folder / "nan.npy", np.where(LABELS > 0, np.nan, 1.0))
    np.save(folder / "many.npy", np.random.default_rng(0).normal(size=SHAPE))
    np.save(folder / "grey.npy", np.random.default_rng(0).integers(0, 200, (40, 40, 40)).astype(np.uint8))
    disc = np.hypot(*np.indices((64, 64)) - 31.5) < 31
    noise = np.random.default_rng(0).integers(1, 3, (8, 64, 64))
    np.save(folder / "round.npy", (noise * disc).astype(np.uint8))
    np.save(folder / "one.npy", np.zeros(SHAPE, np.uint8))
    tifffile.imwrite(folder / "colour.tif", np.zeros((20, 20, 3), np.uint8), photometric="rgb")
    write_microstructure(Microstructure(LABELS // 255, mask=LABELS > 0), folder / "masked.h5")
    write_microstructure(Microstructure(LABELS // 255, mask=LABELS > 0), folder / "masked.tif")
    write_microstructure(STRUCTURE, folder / "m.vti")
    return {
        ("m.npy", "median", 3): r"^--median: such steps look at the whole picture",
        ("m.npy", "crop", "auto"): r"^--crop auto: such steps",
        (
            "m.npy",
            "crop",
            "40:50,0:5,0:5",
        ): r"the crop '40:50,0:5,0:5' leaves nothing of a picture of shape \(9, 12, 10\)",
        ("m.npy", "slice", "z=9"): r"there is no slice z=9; the volume has 9 along z",
        ("m.npy", "phases", "a,b,c"): r"m.npy has 2 phases and --phases names 3",
        ("cut.npy", "invert", True): r"cut.npy has 1158 bytes, and 9 x 12 x 10 of uint8 need 1208",
        ("nan.npy", "invert", True): r"nan.npy holds values that are no numbers",
        ("many.npy", "invert", True): r"many.npy holds more than 64 different values of type float64",
        ("grey.npy", "invert", True): r"grey.npy holds 200 different values, and no labels by its middle; give --thres",
        (
            "round.npy",
            "invert",
            True,
        ): r"outside a circle of 6\d pixels have the value 0.*--crop \d+:\d+,\d+:\d+,0:8",
        ("one.npy", "invert", True): r"one.npy holds one phase only",
        ("colour.tif", "invert", True): r"colour.tif holds channels, times or colours, and is read whole only",
        ("masked.h5", "invert", True): r"masked.h5 holds masked pixels",
        ("masked.tif", "invert", True): r"masked.tif holds masked pixels, and is read whole only",
        (
            "m.vti",
            "invert",
            True,
        ): r"m.vti is read whole only; .*s \.tif, \.tiff, .*, \.zarr, \.nrrd, \.nhdr, \.mha, \.mhd, \.raw",
        ("none.npy", "invert", True): r"there is no file",
    }


def test_what_cannot_be_opened_is_one_sentence(tmp_path):
    for (name, option, value), said in refusals(tmp_path).items():
        with pytest.raises(InputError, match=said) as found:
            open_large(tmp_path / name, CleaningOptions(**{option: value}))
        assert "\n" not in str(found.value)
    assert open_large(tmp_path / "round.npy", CleaningOptions(unmasked=True)).microstructure.n_phases == 3


def test_a_broken_chunk_is_one_sentence_that_names_the_file(tmp_path):
    path = as_zarr(tmp_path)
    large, before = open_microstructure(path), sha256(path)
    for chunk in (path / "c").rglob("*"):
        if chunk.is_file():
            chunk.write_bytes(b"broken")
    assert sha256(path) != before
    with pytest.raises(InputError, match=r"m\.zarr cannot be read as a file of the format Zarr .*damaged"):
        large.read((0, 0, 0), (2, 2, 2))


def test_a_slice_of_another_shape_is_named_when_it_is_read(tmp_path):
    folder = as_slices(tmp_path)
    Picture.fromarray(LABELS[0, :5]).save(folder / "s12.png")
    with pytest.raises(InputError, match=r"s12.png has shape \(5, 10\) .* and s8.png \(12, 10\)"):
        open_microstructure(folder)
    (folder / "s12.png").unlink()
    with pytest.raises(InputError, match="a slice is missing before number 13"):
        open_microstructure(folder)


def test_zarr_is_read_whole_as_well(tmp_path):
    path = as_zarr(tmp_path)
    before = sha256(path)
    next(chunk for chunk in (path / "c").rglob("*") if chunk.is_file()).touch()
    assert sha256(path) == before
    image = read_image(path)
    np.testing.assert_array_equal(image.values, LABELS // 255)
    assert (image.spacing, image.unit, image.phase_names, image.format) == (
        (0.5,) * 3, "um", ("pore", "solid"), "Zarr",
    )  # fmt: skip
    assert open_image(path).image.spacing == image.spacing


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="the system does not tell the peak of a process")
def test_memory_is_what_was_planned(tmp_path):
    """A child process that measures a file of 400 MB keeps to the plan: the map of it is given up."""
    path = tmp_path / "m_200x1000x2000_uint8.raw"
    block = np.random.default_rng(0).integers(0, 2, 4_000_000).astype(np.uint8)
    with path.open("wb") as file:
        for _ in range(100):
            file.write(block.tobytes())
    code = (
        "import sys; from matlens import open_microstructure\n"
        "from matlens.microstructure.statistics import characterize_in_blocks, plan_blocks\n"
        "large, names = open_microstructure(sys.argv[1]), ['volume_fraction']\n"
        "plan = plan_blocks(large, statistics=names, memory=0.6e9)\n"
        "characterize_in_blocks(large, statistics=names, memory=0.6e9)\n"
        "peak = next(line for line in open('/proc/self/status') if line.startswith('VmHWM')).split()[1]\n"
        "print(1024 * int(peak), plan.bytes, len(plan.blocks))"
    )
    done = subprocess.run([sys.executable, "-c", code, str(path)], capture_output=True, text=True, check=True)
    peak, planned, blocks = (float(word) for word in done.stdout.split())
    assert blocks >= 4
    assert peak < planned <= 0.6e9


def test_packed_numbers_behind_a_header_are_read_whole_only(tmp_path):
    head = "DimSize = 10 12 9\nElementType = MET_UCHAR\nCompressedData = True\nElementDataFile = LOCAL\n"
    (tmp_path / "m.mha").write_bytes(head.encode() + zlib.compress(LABELS.tobytes()))
    kinds = "NRRD0004\ntype: uint8\ndimension: 3\nsizes: 10 12 9\nencoding: {}\n\n"
    (tmp_path / "packed.nrrd").write_bytes(kinds.format("gzip").encode() + gzip.compress(LABELS.tobytes()))
    text = b" ".join(b"%d" % one for one in LABELS.flat)
    (tmp_path / "text.nrrd").write_bytes(kinds.format("ascii").encode() + text)
    for name, words in (
        ("m.mha", "packed numbers"),
        ("packed.nrrd", "packed numbers"),
        ("text.nrrd", "numbers as text"),
    ):
        np.testing.assert_array_equal(read_image(tmp_path / name).values, LABELS)
        with pytest.raises(InputError, match=f"{name} holds {words}, which are read whole only"):
            open_image(tmp_path / name)
    (tmp_path / "m.mha").write_bytes(head.replace("True", "False").encode() + bytes(100))
    with pytest.raises(InputError, match="truncated"):
        open_image(tmp_path / "m.mha")
