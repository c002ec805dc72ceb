import zipfile

import h5py
import numpy as np
import pytest
import scipy.io
import tifffile
from PIL import Image as Pillow

from matlens import InputError
from matlens.microstructure.io import read_image
from matlens.microstructure.segmentation import CleaningOptions, load, read_microstructure

LABELS = (np.arange(120).reshape(10, 12) % 3).astype(np.uint8)
VOLUME = (np.arange(4 * 5 * 6).reshape(4, 5, 6) % 2).astype(np.int32)


@pytest.mark.parametrize("suffix", [".png", ".bmp"])
def test_pictures_are_mapped_to_phases(tmp_path, suffix):
    Pillow.fromarray(LABELS * 85).save(tmp_path / f"m{suffix}")
    found = load(tmp_path / f"m{suffix}")
    assert np.array_equal(found.microstructure.labels, LABELS)
    assert found.mapping == {0: 0, 85: 1, 170: 2}
    assert "85 -> 1" in found.steps[0]


@pytest.mark.parametrize("mode", ["1", "L", "I;16", "P", "LA", "RGB", "RGBA"])
def test_grey_pictures_of_every_mode_are_read(tmp_path, mode):
    black_white = Pillow.fromarray((LABELS > 0).astype(np.uint8) * 255)
    black_white.convert(mode).save(tmp_path / "m.png")
    assert np.array_equal(read_microstructure(tmp_path / "m.png").labels, LABELS > 0)


def test_jpeg_is_read_as_grey(tmp_path):
    Pillow.fromarray(LABELS * 100).save(tmp_path / "m.jpg")
    assert read_image(tmp_path / "m.jpg").values.shape == LABELS.shape


def colour_picture(tmp_path):
    colours = np.array([[255, 0, 0], [0, 0, 255], [0, 255, 0]], dtype=np.uint8)
    Pillow.fromarray(colours[LABELS]).save(tmp_path / "m.png")
    return tmp_path / "m.png"


def test_colours_are_phases_only_when_asked(tmp_path):
    path = colour_picture(tmp_path)
    with pytest.raises(InputError, match=r"colour picture \(3 colours\).*--channel colours"):
        load(path)
    found = load(path, CleaningOptions(channel="colours"))
    assert found.microstructure.n_phases == 3
    assert np.array_equal(found.microstructure.labels == 2, LABELS == 0)
    red = load(path, CleaningOptions(channel="red"))
    assert np.array_equal(red.microstructure.labels, LABELS == 0)


def test_colour_tiff_and_array_are_recognised(tmp_path):
    rgb = np.zeros((16, 17, 3), dtype=np.uint8)
    rgb[4:, :, 1] = 200
    tifffile.imwrite(tmp_path / "m.tif", rgb, photometric="rgb")
    np.save(tmp_path / "m.npy", rgb)
    for name in ("m.tif", "m.npy"):
        assert read_image(tmp_path / name).colour
        assert load(tmp_path / name, CleaningOptions(channel="green")).microstructure.shape == (16, 17)


@pytest.mark.parametrize(("unit", "expected"), [("micron", "um"), ("\\u00B5m", "um"), ("nm", "nm"), ("mm", "mm")])
def test_imagej_scale(tmp_path, unit, expected):
    metadata = {"unit": unit, "spacing": 2.5, "axes": "ZYX"}
    tifffile.imwrite(tmp_path / "m.tif", VOLUME.astype(np.uint8), imagej=True, resolution=(4, 2), metadata=metadata)
    image = read_image(tmp_path / "m.tif")
    assert image.spacing == pytest.approx((2.5, 0.5, 0.25))
    assert image.unit == expected


def test_ome_scale(tmp_path):
    metadata = {
        "axes": "ZYX",
        "PhysicalSizeX": 0.2,
        "PhysicalSizeY": 0.3,
        "PhysicalSizeZ": 1.5,
        "PhysicalSizeXUnit": "µm",
    }
    tifffile.imwrite(tmp_path / "m.ome.tif", VOLUME.astype(np.uint8), metadata=metadata)
    image = read_image(tmp_path / "m.ome.tif")
    assert image.values.shape == VOLUME.shape
    assert image.spacing == pytest.approx((1.5, 0.3, 0.2))
    assert image.unit == "um"


@pytest.mark.parametrize(
    ("tag", "text", "spacing", "unit"),
    [
        (34682, "[Scan]\r\nPixelWidth=2e-009\r\nPixelHeight=2.5e-009\r\n", (2.5, 2.0), "nm"),
        (34118, "0\r\n0\r\nAP_IMAGE_PIXEL_SIZE\r\nImage Pixel Size = 2.5 nm\r\n", (2.5, 2.5), "nm"),
    ],
)
def test_scale_of_electron_microscopes(tmp_path, tag, text, spacing, unit):
    tifffile.imwrite(tmp_path / "m.tif", LABELS, metadata=None, extratags=[(tag, "s", 0, text, True)])
    image = read_image(tmp_path / "m.tif")
    assert image.spacing == pytest.approx(spacing)
    assert image.unit == unit


def test_stack_of_pages_and_single_slice(tmp_path):
    tifffile.imwrite(tmp_path / "stack.tif", VOLUME.astype(np.uint8), metadata=None, photometric="minisblack")
    assert read_microstructure(tmp_path / "stack.tif").shape == (4, 5, 6)
    tifffile.imwrite(tmp_path / "one.tif", LABELS[None], metadata=None)
    assert read_microstructure(tmp_path / "one.tif").shape == LABELS.shape


def test_multichannel_tiff_is_refused(tmp_path):
    tifffile.imwrite(
        tmp_path / "m.tif", np.arange(162, dtype=np.uint8).reshape(2, 9, 9), imagej=True, metadata={"axes": "CYX"}
    )
    with pytest.raises(InputError, match="several channels"):
        read_image(tmp_path / "m.tif")


def test_several_arrays_need_a_name(tmp_path):
    np.savez(tmp_path / "m.npz", a=LABELS, b=LABELS > 0, note=np.array("text"))
    with h5py.File(tmp_path / "m.h5", "w") as file:
        file["group/a"], file["group/b"], file["name"] = LABELS, LABELS > 0, "text"
    scipy.io.savemat(tmp_path / "m.mat", {"a": LABELS, "b": LABELS > 0, "c": {"field": 1}, "d": 3.0})
    for name in ("m.npz", "m.h5", "m.mat"):
        with pytest.raises(InputError, match=r"--dataset.*a \(10, 12\).*b \(10, 12\)"):
            read_microstructure(tmp_path / name)
        with pytest.raises(InputError, match="no single array 'x'"):
            read_microstructure(tmp_path / name, dataset="x")
        assert read_microstructure(tmp_path / name, dataset="b").n_phases == 2
        assert read_microstructure(tmp_path / name, dataset="a").n_phases == 3
    assert read_microstructure(tmp_path / "m.h5", dataset="/group/a").n_phases == 3


def test_hdf5_element_size(tmp_path):
    with h5py.File(tmp_path / "m.h5", "w") as file:
        file["data"] = VOLUME
        file["data"].attrs["element_size_um"] = [3.0, 0.5, 0.5]
    m = read_microstructure(tmp_path / "m.h5")
    assert m.spacing == (3.0, 0.5, 0.5)
    assert m.unit == "um"


def test_new_matlab_files_are_hdf5_with_axes_reversed(tmp_path):
    with h5py.File(tmp_path / "m.mat", "w", userblock_size=512) as file:
        file["m"] = LABELS.T
    with open(tmp_path / "m.mat", "r+b") as file:
        file.write(b"MATLAB 7.3 MAT-file".ljust(116) + bytes(8) + b"\x00\x02IM")
    assert np.array_equal(read_microstructure(tmp_path / "m.mat").labels, LABELS)


def simpl_file(path, shape=(4, 5, 6)):
    with h5py.File(path, "w") as file:
        container = file.create_group("DataContainers/Image")
        container["_SIMPL_GEOMETRY/DIMENSIONS"] = np.array(shape[::-1], dtype=np.int64)
        container["_SIMPL_GEOMETRY/SPACING"] = np.array([0.25, 0.5, 2.0], dtype=np.float32)
        cells = np.arange(np.prod(shape)).reshape(*shape, 1)
        container["CellData/Phases"] = (cells % 2 + 1).astype(np.int32)
        container["CellData/FeatureIds"] = (cells % 7).astype(np.int32)
        container["CellData/EulerAngles"] = np.zeros((*shape, 3), np.float32)
        container["CellEnsembleData/CrystalStructures"] = np.array([[999], [1]], np.uint32)


def nx_file(path, shape=(4, 5, 6)):
    with h5py.File(path, "w") as file:
        file.attrs["FileVersion"] = "8.0"
        geometry = file.create_group("DataStructure/Image Geometry")
        geometry.attrs["ObjectType"] = "ImageGeom"
        geometry.attrs["_DIMENSIONS"] = np.array(shape[::-1], dtype=np.uint64)
        geometry.attrs["_SPACING"] = np.array([0.25, 0.5, 2.0], dtype=np.float32)
        geometry.attrs["_ORIGIN"] = np.zeros(3, np.float32)
        cells = np.arange(np.prod(shape)).reshape(*shape, 1)
        geometry["Cell Data/Phases"] = (cells % 2 + 1).astype(np.int32)
        geometry["Cell Data/FeatureIds"] = (cells % 7).astype(np.int32)


@pytest.mark.parametrize("make", [simpl_file, nx_file])
def test_both_generations_of_dream3d(tmp_path, make):
    make(tmp_path / "m.dream3d")
    found = load(tmp_path / "m.dream3d")
    m = found.microstructure
    assert m.shape == (4, 5, 6)
    assert m.spacing == (2.0, 0.5, 0.25)
    assert m.unit == "um"
    assert np.array_equal(m.labels.ravel(), np.arange(120) % 2)
    assert found.mapping == {1: 0, 2: 1}
    assert any("micrometres were assumed" in step for step in found.steps)
    assert read_microstructure(tmp_path / "m.dream3d", dataset="FeatureIds").n_phases == 7
    with pytest.raises(InputError, match="FeatureIds"):
        read_microstructure(tmp_path / "m.dream3d", dataset="Nothing")


@pytest.mark.parametrize("make", [simpl_file, nx_file])
def test_a_dream3d_map_is_two_dimensional(tmp_path, make):
    make(tmp_path / "m.dream3d", shape=(1, 5, 6))
    m = read_microstructure(tmp_path / "m.dream3d")
    assert m.shape == (5, 6)
    assert m.spacing == (0.5, 0.25)


def test_dream3d_without_a_grid_is_refused(tmp_path):
    with h5py.File(tmp_path / "m.dream3d", "w") as file:
        file["DataContainers/Mesh/FaceData/FaceLabels"] = np.zeros((9, 2), np.int32)
    with pytest.raises(InputError, match="regular grids"):
        read_image(tmp_path / "m.dream3d")


def test_zip_around_a_tiff(tmp_path):
    tifffile.imwrite(tmp_path / "m.tif", LABELS)
    with zipfile.ZipFile(tmp_path / "m.zip", "w") as archive:
        archive.write(tmp_path / "m.tif", "folder/m.tif")
        archive.writestr("readme.txt", "hello")
        archive.writestr("__MACOSX/folder/._m.tif", "junk")
    assert np.array_equal(read_microstructure(tmp_path / "m.zip").labels, LABELS)
    with zipfile.ZipFile(tmp_path / "m.zip", "a") as archive:
        archive.write(tmp_path / "m.tif", "folder/n.tif")
    with pytest.raises(InputError, match=r"m\.tif.*n\.tif"):
        read_microstructure(tmp_path / "m.zip")
    assert read_microstructure(tmp_path / "m.zip", dataset="n.tif").shape == LABELS.shape


def test_the_given_spacing_goes_before_the_files(tmp_path):
    tifffile.imwrite(tmp_path / "m.tif", LABELS, imagej=True, resolution=(4, 4), metadata={"unit": "nm"})
    assert read_microstructure(tmp_path / "m.tif", spacing=2.0, unit="microns").unit == "um"
    found = load(tmp_path / "m.tif", CleaningOptions(spacing="0.35um"))
    assert found.microstructure.spacing == (0.35, 0.35)
    assert "was replaced by 0.35um" in found.steps[0]


@pytest.mark.slow
def test_real_volume_in_a_zip(data_dir):
    m = read_microstructure(data_dir / "volumes" / "berea_400.zip", spacing=2.25, unit="um")
    assert m.shape == (400, 400, 400)
    assert m.volume_fractions[0] == pytest.approx(0.19645, abs=1e-5)


def test_real_labels(data_dir):
    folder = data_dir / "micrographs"
    assert read_microstructure(folder / "li2018_composite.npy").volume_fractions == pytest.approx(
        [0.5618, 0.2690, 0.1692], abs=1e-4
    )
    assert read_microstructure(folder / "sofc_3phase_labels.tiff").shape == (896, 1024)
    assert read_microstructure(folder / "superalloy_me3_labels.png").n_phases == 3
