"""Each kind of bad file is one sentence for the user."""

import zipfile

import h5py
import numpy as np
import pytest
import scipy.io
import tifffile
from PIL import Image as Pillow

from matlens import InputError, Microstructure
from matlens.microstructure.io import read_image, write_microstructure
from matlens.microstructure.segmentation import read_microstructure

GOOD = Microstructure(np.random.default_rng(0).integers(0, 2, (40, 50)))
SUFFIXES = [".tif", ".npy", ".npz", ".png", ".h5", ".mat", ".jpg", ".bmp", ".zip", ".dream3d"]


def good_bytes(tmp_path, suffix):
    path = tmp_path / f"good{suffix}"
    if suffix in (".jpg", ".bmp"):
        Pillow.fromarray(GOOD.labels * 255).save(path)
    elif suffix == ".mat":
        scipy.io.savemat(path, {"m": GOOD.labels})
    elif suffix == ".zip":
        with zipfile.ZipFile(path, "w") as archive:
            archive.write(write_microstructure(GOOD, tmp_path / "inner.tif"), "inner.tif")
    elif suffix == ".dream3d":
        write_microstructure(GOOD, tmp_path / "inner.h5").rename(path)
    else:
        write_microstructure(GOOD, path)
    return path.read_bytes()


def one_sentence(error):
    text = str(error.value)
    return "\n" not in text and len(text) < 600 and text.endswith(".")


@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.parametrize("damage", ["truncated", "garbage", "header only"])
def test_damaged_files(tmp_path, suffix, damage):
    content = good_bytes(tmp_path, suffix)
    bad = {
        "truncated": content[: len(content) * 2 // 3],
        "garbage": bytes(range(256)) * 4,
        "header only": content[:20],
    }[damage]
    (tmp_path / f"bad{suffix}").write_bytes(bad)
    with pytest.raises(InputError, match="bad") as error:
        read_image(tmp_path / f"bad{suffix}")
    assert one_sentence(error)


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_missing_and_empty_files(tmp_path, suffix):
    with pytest.raises(InputError, match="there is no file"):
        read_image(tmp_path / f"none{suffix}")
    (tmp_path / f"empty{suffix}").touch()
    with pytest.raises(InputError, match="is empty"):
        read_image(tmp_path / f"empty{suffix}")


def test_unknown_suffix_lists_the_known_ones(tmp_path):
    (tmp_path / "m.doc").write_text("x")
    with pytest.raises(InputError, match=r"'\.doc'.*\.png.*\.dream3d.*\.zip"):
        read_image(tmp_path / "m.doc")
    with pytest.raises(InputError, match="without slices"):
        read_image(tmp_path)


@pytest.mark.parametrize(
    ("array", "message"),
    [
        (np.zeros((8, 8)), "one phase only"),
        (np.arange(8), r"shape \(8,\)"),
        (np.zeros((2, 3, 4, 5)), r"shape \(2, 3, 4, 5\)"),
        (np.zeros((0, 5)), r"shape \(0, 5\)"),
        (np.full((4, 4), np.nan), "NaN"),
        (np.full((4, 4), np.inf), "infinite"),
        (np.arange(100).reshape(10, 10), r"100 distinct values.*threshold 'otsu'"),
        (np.zeros((4, 4), dtype=complex), "complex128"),
        (np.array([["a", "b"]]), "plain numbers"),
    ],
)
@pytest.mark.parametrize("suffix", [".npy", ".npz"])
def test_arrays_that_are_no_microstructure(tmp_path, array, message, suffix):
    np.save(tmp_path / "m.npy", array) if suffix == ".npy" else np.savez(tmp_path / "m.npz", labels=array)
    if suffix == ".npz" and array.ndim < 2:
        message = "no array that could be a picture"
    with pytest.raises(InputError, match=message) as error:
        read_microstructure(tmp_path / f"m{suffix}")
    assert one_sentence(error)


def test_object_arrays_are_refused_everywhere(tmp_path):
    objects = np.array([[{}, {}], [{}, {}]], dtype=object)
    np.save(tmp_path / "m.npy", objects, allow_pickle=True)
    np.savez(tmp_path / "m.npz", labels=objects)
    cell = np.empty((2, 2), dtype=object)
    cell[:] = [[np.eye(2), 1], [2, "x"]]
    scipy.io.savemat(tmp_path / "m.mat", {"m": cell})
    for name in ("m.npy", "m.npz"):
        with pytest.raises(InputError, match=r"[Oo]bject"):
            read_microstructure(tmp_path / name)
    with pytest.raises(InputError, match="object"):
        read_microstructure(tmp_path / "m.mat", dataset="m")
    with pytest.raises(InputError, match="no array that could be a picture"):
        read_microstructure(tmp_path / "m.mat")


def test_files_without_a_picture(tmp_path):
    with h5py.File(tmp_path / "m.h5", "w") as file:
        file["curve"] = np.arange(5)
    with zipfile.ZipFile(tmp_path / "m.zip", "w") as archive:
        archive.writestr("a.txt", "x")
    with pytest.raises(InputError, match="no array that could be a picture"):
        read_image(tmp_path / "m.h5")
    with pytest.raises(InputError, match="put a TIFF"):
        read_image(tmp_path / "m.zip")


def test_a_grey_picture_as_labels(data_dir):
    with pytest.raises(InputError, match=r"superalloy_me3_grey.png.*141 distinct values.*threshold 'otsu'"):
        read_microstructure(data_dir / "micrographs" / "superalloy_me3_grey.png")


def test_a_tiff_cut_inside_its_last_slice(tmp_path):
    tifffile.imwrite(tmp_path / "m.tif", np.random.default_rng(0).integers(0, 2, (20, 60, 60), dtype=np.uint8))
    content = (tmp_path / "m.tif").read_bytes()
    (tmp_path / "m.tif").write_bytes(content[:-500])
    with pytest.raises(InputError, match="truncated or damaged"):
        read_image(tmp_path / "m.tif")


def test_numpy_files_under_each_others_suffix(tmp_path):
    (write_microstructure(GOOD, tmp_path / "a.npz")).rename(tmp_path / "a.npy")
    (write_microstructure(GOOD, tmp_path / "b.npy")).rename(tmp_path / "b.npz")
    for name in ("a.npy", "b.npz"):
        assert np.array_equal(read_microstructure(tmp_path / name).labels, GOOD.labels)


def test_an_empty_dataset_beside_the_picture_does_no_harm(tmp_path):
    path = write_microstructure(GOOD, tmp_path / "a.h5")
    with h5py.File(path, "a") as file:
        file["nothing"] = h5py.Empty("f4")
    assert read_microstructure(path).shape == GOOD.shape
