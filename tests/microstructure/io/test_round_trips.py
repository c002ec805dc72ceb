import base64
import re

import numpy as np
import pytest
import tifffile
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from matlens import InputError, Microstructure, RunError
from matlens.microstructure.io import read_image, write_microstructure
from matlens.microstructure.segmentation import read_microstructure

FULL = (".npz", ".h5", ".tif")


@st.composite
def microstructures(draw, ndim=None):
    ndim = ndim or draw(st.integers(2, 3))
    n_phases = draw(st.integers(2, 5))
    shape = draw(st.tuples(*[st.integers(2, 7)] * ndim))
    labels = draw(arrays(np.uint8, shape, elements=st.integers(0, n_phases - 1)))
    labels.flat[:2] = (0, n_phases - 1)
    steps = st.floats(1e-4, 1e4)
    spacing = draw(st.tuples(*[steps] * ndim))
    names = draw(
        st.lists(
            st.text(
                st.characters(codec="utf-8", exclude_characters="\0", exclude_categories=("Cs",)),
                min_size=1,
                max_size=8,
            ),
            min_size=n_phases,
            max_size=n_phases,
        )
    )
    return Microstructure(labels, spacing, draw(st.sampled_from(["um", "nm", "px"])), names, draw(st.booleans()))


def assert_same(read, written):
    assert np.array_equal(read.labels, written.labels)
    assert read.spacing == written.spacing
    assert read.unit == written.unit
    assert read.phase_names == written.phase_names
    assert read.periodic == written.periodic


@pytest.mark.slow
@pytest.mark.parametrize("suffix", FULL)
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(m=microstructures())
def test_everything_survives(tmp_path, suffix, m):
    assert_same(read_microstructure(write_microstructure(m, tmp_path / f"m{suffix}")), m)


@pytest.mark.slow
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(m=microstructures(ndim=2))
def test_everything_survives_in_png(tmp_path, m):
    assert_same(read_microstructure(write_microstructure(m, tmp_path / "m.png")), m)


@pytest.mark.parametrize("suffix", [*FULL, ".png"])
def test_a_window_without_a_phase_keeps_its_labels(tmp_path, suffix):
    m = Microstructure([[0, 2], [2, 2]], phase_names=("a", "b", "c"))
    assert_same(read_microstructure(write_microstructure(m, tmp_path / f"m{suffix}")), m)


def test_npy_keeps_the_labels(tmp_path):
    m = Microstructure([[0, 1], [2, 1]], 0.5, "um")
    read = read_microstructure(write_microstructure(m, tmp_path / "m.npy"))
    assert np.array_equal(read.labels, m.labels)
    assert np.load(tmp_path / "m.npy").dtype == np.uint8


def test_tiff_is_what_imagej_expects(tmp_path):
    m = Microstructure(np.arange(24).reshape(2, 3, 4) % 2, (3.0, 0.5, 0.25), "um")
    with tifffile.TiffFile(write_microstructure(m, tmp_path / "m.tif")) as file:
        assert file.imagej_metadata["unit"] == "um"
        assert file.imagej_metadata["spacing"] == 3.0
        assert file.pages[0].tags["XResolution"].value == (4, 1)
        assert np.array_equal(file.asarray(), m.labels)


def test_a_scale_set_later_by_another_program_goes_before_the_comment(tmp_path):
    m = Microstructure([[0, 1, 0]] * 3, 0.5, "um", ("pore", "solid"))
    path = write_microstructure(m, tmp_path / "m.tif")
    with tifffile.TiffFile(path) as file:
        info = file.imagej_metadata["Info"]
    tifffile.imwrite(path, m.labels, imagej=True, resolution=(10, 10), metadata={"unit": "nm", "Info": info})
    read = read_microstructure(path)
    assert read.spacing == pytest.approx((0.1, 0.1))
    assert read.unit == "nm"
    assert read.phase_names == ("pore", "solid")


def test_png_spreads_the_grey_levels(tmp_path):
    m = Microstructure([[0, 1, 2]] * 3)
    assert sorted(np.unique(_grey(write_microstructure(m, tmp_path / "m.png")))) == [0, 128, 255]


def test_vti_holds_x_fastest_with_spacing(tmp_path):
    m = Microstructure(np.arange(24).reshape(2, 3, 4) % 5, (3.0, 0.5, 0.25), "um")
    text = write_microstructure(m, tmp_path / "m.vti").read_text()
    assert 'WholeExtent="0 4 0 3 0 2"' in text
    assert 'Spacing="0.25 0.5 3.0"' in text
    content = base64.b64decode(re.search(r'base64">_([^<]*)<', text)[1])
    assert int.from_bytes(content[:8], "little") == 24
    assert np.array_equal(np.frombuffer(content[8:], np.uint8).reshape(2, 3, 4), m.labels)


def test_what_a_format_cannot_hold_is_said(tmp_path):
    cube = Microstructure(np.arange(8).reshape(2, 2, 2) % 2)
    with pytest.raises(InputError, match=r"PNG file holds a plane only.*\.vti"):
        write_microstructure(cube, tmp_path / "m.png")
    with pytest.raises(InputError, match=r"\.xyz.*\.tif, .*\.vti"):
        write_microstructure(cube, tmp_path / "m.xyz")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("suffix", [".tif", ".npy", ".npz", ".png", ".vti", ".h5"])
def test_a_full_disk_leaves_the_old_file(tmp_path, suffix, monkeypatch):
    old, new = Microstructure([[0, 1]] * 4), Microstructure([[1, 0]] * 4)
    path = write_microstructure(old, tmp_path / f"m{suffix}")
    before = path.read_bytes()

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(RunError, match="disk is full"):
        write_microstructure(new, path)
    assert path.read_bytes() == before
    assert [file.name for file in tmp_path.iterdir()] == [path.name]


def test_equal_microstructures_give_equal_bytes(tmp_path):
    m = Microstructure([[0, 1], [1, 0]], 0.3, "um")
    for suffix in (".tif", ".npy", ".npz", ".png", ".vti", ".h5"):
        first = write_microstructure(m, tmp_path / f"a{suffix}").read_bytes()
        assert write_microstructure(m, tmp_path / f"a{suffix}").read_bytes() == first, suffix


def _grey(path):
    from PIL import Image

    with Image.open(path) as picture:
        return np.asarray(picture)


def test_read_image_gives_numbers_as_they_are(tmp_path):
    np.save(tmp_path / "g.npy", np.linspace(0, 1, 12).reshape(3, 4))
    image = read_image(tmp_path / "g.npy")
    assert image.values.dtype == float
    assert image.spacing is None


def test_a_unit_beyond_ascii_is_written(tmp_path):
    m = Microstructure(np.eye(8, dtype=int), 0.5, "µm", ("поры", "s"))
    again = read_microstructure(write_microstructure(m, tmp_path / "a.tif"))
    assert (again.spacing, again.unit, again.phase_names) == ((0.5, 0.5), "um", ("поры", "s"))
    write_microstructure(Microstructure(m.labels, 2, "ли"), tmp_path / "a.tif")
    assert read_microstructure(tmp_path / "a.tif").spacing == (2, 2)


@pytest.mark.parametrize("suffix", [".npy", ".tif", ".vti"])
@pytest.mark.parametrize("values", [(0, 128, 255), (200, 7, 1), (3, 1, 2)])
def test_phases_keep_the_values_of_a_file(tmp_path, suffix, values):
    labels = np.arange(3 * 4 * 5).reshape(3, 4, 5) % 3
    m = Microstructure(labels, (3.0, 0.5, 0.25), "um", ("pore", "nickel", "zirconia"))
    path = write_microstructure(m, tmp_path / f"m{suffix}", values=values)
    assert np.array_equal(read_image(path).values, np.array(values)[labels])
    read = read_microstructure(path)  # phases in the order of their values
    assert np.array_equal(read.labels, np.argsort(np.argsort(values))[labels])
    if suffix != ".npy":
        assert (read.spacing, read.unit) == (m.spacing, m.unit)
        assert read.phase_names == tuple(m.phase_names[k] for k in np.argsort(values))


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        ("m.tif", {"values": (0,)}, "give each phase a value of its own"),
        ("m.tif", {"values": (7, 7)}, "give each phase a value of its own"),
        ("m.tif", {"values": (0, 256)}, "whole number from 0 to 255"),
        ("m.png", {"values": (0, 255)}, "values, which a PNG file does not take"),
        ("m.npz", {"phase": 1}, "phase, which a NPZ file does not take"),
        ("m.stl", {}, "surface of one phase"),
        ("m.stl", {"phase": "ice"}, "phase 'ice' does not exist"),
        ("m.stl", {"phase": 1}, "give a volume"),
    ],
)
def test_options_that_do_not_fit_are_refused(tmp_path, name, options, message):
    with pytest.raises(InputError, match=message):
        write_microstructure(Microstructure([[0, 1], [1, 1]]), tmp_path / name, **options)
    assert not (tmp_path / name).exists()


def test_values_of_masked_structures_leave_the_masks_value_free(tmp_path):
    m = Microstructure([[0, 1], [1, 1]], mask=[[True, True], [True, False]])
    with pytest.raises(InputError, match="255 stands for masked"):
        write_microstructure(m, tmp_path / "m.tif", values=(0, 255))
    read = read_microstructure(write_microstructure(m, tmp_path / "m.tif", values=(5, 250)))
    assert np.array_equal(read.labels, m.labels)
    assert np.array_equal(read.mask, m.mask)
