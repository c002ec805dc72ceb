"""Sizes come from headers before data are read, and what does not fit the free memory is refused in one sentence."""

import gzip
import io
import resource
import struct
import subprocess
import sys
import tracemalloc
import zipfile
import zlib

import h5py
import numpy as np
import openpyxl
import pytest
from PIL import Image as Pillow
from typer.testing import CliRunner

from matlens import InputError, Microstructure, map_labels, read_library, read_microstructure
from matlens import write_microstructure as write
from matlens.cli.app import application
from matlens.core import memory
from matlens.microstructure.io import read_image
from matlens.microstructure.structure import distinct_values
from matlens.runs.command import Plan


@pytest.fixture
def little_memory(monkeypatch):
    """A machine with 50 MB left."""
    monkeypatch.setattr(memory, "_of_machine", lambda: 50e6)


def bomb_npy(path):
    head = io.BytesIO()
    np.lib.format.write_array_header_1_0(head, {"descr": "|u1", "fortran_order": False, "shape": (30000, 30000)})
    path.write_bytes(head.getvalue())


def bomb_npz(path):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive, archive.open("labels.npy", "w") as file:
        np.lib.format.write_array_header_1_0(file, {"descr": "|u1", "fortran_order": False, "shape": (8000, 8000)})
        for _ in range(64):
            file.write(bytes(10**6))


def bomb_png(path):
    Pillow.new("1", (8000, 8000)).save(path)


def bomb_zip(path):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.raw", bytes(64 * 10**6))


def sparse_h5(path):
    with h5py.File(path, "w") as file:
        file.create_dataset("labels", (60000, 60000), "u1", chunks=(100, 100))


def bomb_nii(path):
    head = bytearray(352)
    struct.pack_into("<i", head, 0, 348)
    struct.pack_into("<8h", head, 40, 3, 1000, 1000, 64, 1, 1, 1, 1)
    struct.pack_into("<2h", head, 70, 2, 8)
    struct.pack_into("<f", head, 108, 352.0)
    head[344:347] = b"n+1"
    path.write_bytes(gzip.compress(bytes(head) + bytes(64 * 10**6)))


def bomb_mha(path):
    head = b"DimSize = 1000 1000 64\nElementType = MET_UCHAR\nCompressedData = True\nElementDataFile = LOCAL\n"
    path.write_bytes(head + zlib.compress(bytes(64 * 10**6)))


def bomb_nrrd(path):
    head = b"NRRD0004\ntype: uint8\ndimension: 3\nsizes: 1000 1000 64\nencoding: gzip\n\n"
    path.write_bytes(head + gzip.compress(bytes(64 * 10**6)))


def sparse_raw(path):
    with path.open("wb") as file:
        file.truncate(10**10)


BOMBS = {
    "a.npy": bomb_npy, "a.npz": bomb_npz, "a.png": bomb_png, "a.zip": bomb_zip, "a.h5": sparse_h5, "a.nii.gz": bomb_nii,
    "a.mha": bomb_mha, "a.nrrd": bomb_nrrd, "100000x100000_uint8.raw": sparse_raw,
}  # fmt: skip


@pytest.mark.parametrize("name", BOMBS)
def test_a_picture_that_does_not_fit_is_refused_before_it_is_read(tmp_path, little_memory, name):
    BOMBS[name](tmp_path / name)
    tracemalloc.start()
    try:
        with pytest.raises(InputError, match=r"needs about .* of memory, and 50 MB are free; save a part") as error:
            read_image(tmp_path / name)
        assert tracemalloc.get_traced_memory()[1] < 20e6
    finally:
        tracemalloc.stop()
    assert name.split(".")[0] in str(error.value)


def test_a_workbook_that_does_not_fit_is_refused(tmp_path, little_memory):
    with zipfile.ZipFile(tmp_path / "a.xlsx", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/worksheets/sheet1.xml", bytes(8 * 10**6))
    with pytest.raises(InputError, match=r"a\.xlsx needs about .* save the sheet as CSV"):
        read_library(tmp_path / "a.xlsx")


def test_files_of_ordinary_size_are_read_with_little_memory(tmp_path, little_memory):
    structure = Microstructure(np.random.default_rng(0).integers(0, 2, (64, 64)))
    for name in ("a.npy", "a.npz", "a.png", "a.h5", "a.tif"):
        assert read_microstructure(write(structure, tmp_path / name)).shape == (64, 64)


def test_a_plan_that_does_not_fit_says_what_would(little_memory):
    plan = Plan("1 x 1024x1024 px", 60, 700e6, (1024, 1024), "use --downsample {factor} or --shape {shape}")
    with pytest.raises(
        InputError, match=r"needs about 700 MB .* 50 MB are free; use --downsample 4 or --shape 256x256"
    ):
        plan.check()
    Plan("1 x 64x64 px", 60, 40e6, (64, 64)).check()
    Plan("unknown").check()


def test_a_command_refuses_before_it_makes_a_run(tmp_path, little_memory):
    file = write(Microstructure(np.random.default_rng(0).integers(0, 2, (64, 64))), tmp_path / "a.tif")
    result = CliRunner().invoke(application(), ["characterize", str(file), "-o", str(tmp_path / "run")])
    assert isinstance(result.exception, InputError)
    assert "of memory, and 50 MB are free; use --downsample" in str(result.exception)
    assert not (tmp_path / "run").exists()
    result = CliRunner().invoke(application(), ["compare", str(file), str(file), "-o", str(tmp_path / "run")])
    assert isinstance(result.exception, InputError)
    assert "this work (2 files) needs about 401 MB of memory, and 50 MB are free; use --down" in str(result.exception)
    assert not (tmp_path / "run").exists()


def test_a_large_file_is_named_before_it_is_read(tmp_path, little_memory):
    np.save(tmp_path / "large.npy", np.random.default_rng(0).integers(0, 2, (2048, 2048), dtype=np.uint8))
    result = CliRunner().invoke(application(), ["characterize", str(tmp_path / "large.npy")])
    assert isinstance(result.exception, InputError)
    assert result.output.startswith("reading large.npy (4 MB)\n")


@pytest.mark.parametrize("dtype", ["u1", "i1", "u2", "i2", "i4", "u4", "i8", "u8", "f4", "f8", "?"])
def test_distinct_values_are_those_of_numpy(dtype):
    random = np.random.default_rng(0)
    for low, high in ((0, 2), (0, 60), (-100, 100)):
        values = random.integers(max(low, 0) if dtype[0] in "u?" else low, high, (7, 40, 50)).astype(dtype)
        found = distinct_values(values[:, ::2])
        assert found.dtype == values.dtype
        if dtype[0] != "f" or found.size <= 64:
            np.testing.assert_array_equal(found, np.unique(values[:, ::2]))


def test_distinct_values_of_extremes():
    large = np.array([[2**64 - 1, 2**64 - 2]], dtype=np.uint64)
    np.testing.assert_array_equal(distinct_values(large), large[0, ::-1])
    np.testing.assert_array_equal(distinct_values(np.array([[-(2**63), 2**63 - 1]])), [-(2**63), 2**63 - 1])
    with pytest.raises(InputError, match="less than double precision can tell; renumber"):
        map_labels(large)


def test_distinct_values_of_grey_values_take_little_memory():
    values = np.random.default_rng(0).random((2000, 1000))
    tracemalloc.start()
    assert distinct_values(values).size > 64
    assert tracemalloc.get_traced_memory()[1] < 60e6  # the blocks that are sorted, whatever the size of the picture
    tracemalloc.stop()


@pytest.mark.parametrize("extent", ["A1:D9", "A1"])
def test_a_wrong_extent_of_a_workbook_cuts_nothing(tmp_path, extent):
    book = openpyxl.Workbook()
    for row in [["Sample", "Fe", "Ga", "M"], *([f"s{k}", k / 20, 1 - k / 20, k] for k in range(20))]:
        book.active.append(row)
    book.save(tmp_path / "whole.xlsx")
    with zipfile.ZipFile(tmp_path / "whole.xlsx") as whole, zipfile.ZipFile(tmp_path / "a.xlsx", "w") as changed:
        for name in whole.namelist():
            content = whole.read(name).replace(b'<dimension ref="A1:D21"', f'<dimension ref="{extent}"'.encode())
            changed.writestr(name, content)
    assert len(read_library(tmp_path / "a.xlsx")) == len(read_library(tmp_path / "whole.xlsx")) == 20


@pytest.mark.parametrize("later", [0, 8000])
def test_the_line_of_an_open_quote_is_said(tmp_path, later):
    rows = [f"s{k},{k / 20000},{1 - k / 20000},{k}" for k in range(later + 5)]
    rows[1] = '"x,0.5,0.5,1'
    (tmp_path / "a.csv").write_text("\n".join(["Sample,Fe,Ga,M", *rows]) + "\n")
    with pytest.raises(InputError, match=r"a\.csv.*quote that opens in line 3 is not closed"):
        read_library(tmp_path / "a.csv")


def test_two_open_quotes_swallow_no_lines(tmp_path):
    rows = [f"s{k},{k / 20},{1 - k / 20},{k}" for k in range(12)]
    rows[2], rows[6] = '"x,0.5,0.5,1', '"y,0.5,0.5,2'
    (tmp_path / "a.csv").write_text("\n".join(["Sample,Fe,Ga,M", *rows]) + "\n")
    with pytest.raises(InputError, match="quote that opens in line 4 is not closed"):
        read_library(tmp_path / "a.csv")


def test_inches_in_names_are_no_open_quotes(tmp_path):
    rows = [f'3" wafer {k},{k / 20},{1 - k / 20},{k}' for k in range(6)]
    (tmp_path / "a.csv").write_text("\n".join(["Sample,Fe,Ga,M", *rows]) + "\n")
    assert read_library(tmp_path / "a.csv").samples[0] == '3" wafer 0'


def external(path):
    (path.parent / "secret").write_bytes(bytes(range(64)))
    with h5py.File(path, "w") as file:
        file.create_dataset("labels", (8, 8), "u1", external=[("secret", 0, 64)])


def virtual(path):
    with h5py.File(path.with_name("other.h5"), "w") as file:
        file["labels"] = np.eye(8, dtype="u1")
    layout = h5py.VirtualLayout((8, 8), "u1")
    layout[:] = h5py.VirtualSource(path.with_name("other.h5"), "labels", (8, 8))
    with h5py.File(path, "w") as file:
        file.create_virtual_dataset("labels", layout)


def linked(path):
    with h5py.File(path.with_name("other.h5"), "w") as file:
        file["labels"] = np.eye(8, dtype="u1")
    with h5py.File(path, "w") as file:
        file["labels"] = h5py.ExternalLink("other.h5", "labels")


@pytest.mark.parametrize("made", [external, virtual, linked])
def test_hdf5_files_whose_data_lie_elsewhere_are_refused(tmp_path, made):
    made(tmp_path / "a.h5")
    with pytest.raises(InputError, match=r"a\.h5 keeps 'labels' in another file"):
        read_image(tmp_path / "a.h5")


@pytest.mark.parametrize("name", ["/etc/passwd", "../secret", "sub/secret", "..", ""])
@pytest.mark.parametrize("suffix", [".mhd", ".nhdr"])
def test_headers_take_no_data_from_elsewhere(tmp_path, suffix, name):
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "secret").write_bytes(bytes(64))
    (tmp_path / "secret").write_bytes(bytes(64))
    place = tmp_path / "sub" if name.startswith("..") else tmp_path
    head = {
        ".mhd": f"DimSize = 8 8\nElementType = MET_UCHAR\nElementDataFile = {name}\n",
        ".nhdr": f"NRRD0004\ntype: uint8\ndimension: 2\nsizes: 8 8\nencoding: raw\ndata file: {name}\n\n",
    }[suffix]
    (place / f"a{suffix}").write_text(head)
    with pytest.raises(InputError, match=rf"a\{suffix}"):
        read_image(place / f"a{suffix}")


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="limits of address space are those of Linux")
def test_the_limit_of_a_process_counts_as_its_memory():
    code = (
        "import resource; resource.setrlimit(resource.RLIMIT_AS, (3 * 10**9,) * 2)\n"
        "from matlens.core.memory import free_memory; print(free_memory() < 3e9)"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert found.stdout.strip() == "True", found.stderr
    assert resource.getrlimit(resource.RLIMIT_AS)[0] == resource.RLIM_INFINITY or memory.free_memory() > 0
