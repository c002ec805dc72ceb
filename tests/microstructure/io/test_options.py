import subprocess
import sys

import pytest

from matlens import InputError
from matlens.core.units import parse_spacing
from matlens.microstructure.segmentation import CleaningOptions, parse_crop, parse_flatten, parse_threshold


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("0.35um", (0.35, "um")),
        ("0.35 µm", (0.35, "um")),
        (" 12 nm ", (12.0, "nm")),
        ("1e-3mm", (1e-3, "mm")),
        ("2.5x0.5x0.5 microns", ((2.5, 0.5, 0.5), "um")),
        (".5x1um", ((0.5, 1.0), "um")),
        ("2px", (2.0, "px")),
    ],
)
def test_spacing(text, expected):
    assert parse_spacing(text) == expected


@pytest.mark.parametrize("text", ["", "0.35", "um", "0um", "-1um", "1furlong", "1x2x3x4um", "nanum"])
def test_bad_spacing(text):
    with pytest.raises(InputError, match="such as"):
        parse_spacing(text)


@pytest.mark.parametrize(
    "text", ["", "otsuu", "multiotsu", "multiotsu:1", "multiotsu:6", "1,two", "nan", "multiotsu:x"]
)
def test_bad_threshold(text):
    with pytest.raises(InputError, match="multiotsu:K"):
        parse_threshold(text)


@pytest.mark.parametrize("text", ["", "10:20", "a:b,c:d", "1,2", "0:1,0:1,0:1,0:1", "0:1:2,0:1"])
def test_bad_crop(text):
    with pytest.raises(InputError, match="x0:x1,y0:y1"):
        parse_crop(text)


def test_crop_of_a_volume_is_reversed_to_array_order():
    assert parse_crop("0:1,2:3,4:5") == (slice(4, 5), slice(2, 3), slice(0, 1))
    assert parse_crop("auto") is None


@pytest.mark.parametrize(
    "text", ["", "poly", "polynomial:0", "polynomial:9", "gaussian", "gaussian:-1", "polynomial:x"]
)
def test_bad_flattening(text):
    with pytest.raises(InputError, match="gaussian:SIGMA"):
        parse_flatten(text)


@pytest.mark.parametrize(
    "options",
    [
        {"channel": "alpha"},
        {"crop": "?"},
        {"data_bar": "some"},
        {"data_bar": -3},
        {"flatten": "?"},
        {"threshold": "?"},
        {"spacing": "?"},
        {"median": -1},
        {"downsample": 0},
        {"min_object": -1},
    ],
)
def test_options_are_checked_when_made(options):
    with pytest.raises(InputError, match=next(iter(options)).split("_")[0]):
        CleaningOptions(**options)


def test_settings_rebuild_the_options():
    options = CleaningOptions(crop="auto", data_bar=12, mask="m.png", threshold="120", invert=True, spacing="1um")
    assert CleaningOptions(**options.settings()) == options
    assert CleaningOptions().settings() == {}


def test_importing_io_is_quick():
    heavy = ("torch", "h5py", "skimage", "tifffile", "scipy")
    code = f"import sys, matlens.microstructure.io; print([m for m in {heavy} if m in sys.modules])"
    output = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert output.stdout.strip() == "[]"
