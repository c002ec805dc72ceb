"""What the numbers of a file mean: pixel sizes, channels, colours and orientation."""

import numpy as np
import pytest
import tifffile
from PIL import Image as Pillow
from scipy.ndimage import gaussian_filter

from matlens import InputError
from matlens.microstructure.io import Image, read_image
from matlens.microstructure.io.image import checked_image
from matlens.microstructure.segmentation import CleaningOptions, load, segment
from matlens.microstructure.segmentation.frame import data_bar

FIELD = gaussian_filter(np.random.default_rng(1).normal(size=(64, 96)), (2, 4), mode="wrap")
TWO = (np.quantile(FIELD, 0.7) < FIELD).astype(np.uint8)
THREE = np.digitize(FIELD, np.quantile(FIELD, [0.5, 0.8])).astype(np.uint8)
VOLUME = (np.random.default_rng(2).random((3, 20, 28)) > 0.4).astype(np.uint8)


@pytest.mark.parametrize("dpi", [72, 75, 93, 240, 254, 270.93, 350, 2400, 25400])
@pytest.mark.parametrize("unit", ["INCH", "CENTIMETER"])
def test_a_print_resolution_is_no_pixel_size(tmp_path, dpi, unit):
    tifffile.imwrite(tmp_path / "m.tif", TWO, resolution=(dpi, dpi), resolutionunit=unit, metadata=None)
    image = read_image(tmp_path / "m.tif")
    assert (image.spacing, image.unit) == (None, None)
    assert f"{dpi:g} per {'inch' if unit == 'INCH' else 'cm'}, is a print resolution" in image.scale


@pytest.mark.parametrize(
    ("unit", "resolution"),
    [("inch", 72), ("cm", 72 / 2.54), ("cm", 300 / 2.54), ("pixel", 1), ("micron", 0.002834), ("um", 96 / 25400)],
)
def test_imagej_takes_a_print_resolution_over_and_it_still_is_none(tmp_path, unit, resolution):
    tifffile.imwrite(tmp_path / "m.tif", TWO, imagej=True, resolution=(resolution, resolution), metadata={"unit": unit})
    assert read_image(tmp_path / "m.tif").spacing is None


def ome(path, **sizes):
    tifffile.imwrite(path, VOLUME, ome=True, photometric="minisblack", metadata={"axes": "ZYX", **sizes})


@pytest.mark.parametrize(
    ("sizes", "spacing", "unit"),
    [
        ({"X": (250, "nm"), "Y": (250, "nm"), "Z": (2, "µm")}, (2000, 250, 250), "nm"),
        ({"X": (0.25, "mm"), "Y": (250, "µm"), "Z": (250000, "nm")}, (0.25, 0.25, 0.25), "mm"),
        ({"X": (0.299, "µm"), "Y": (0.299, "µm"), "Z": (1e-5, "dm")}, (1.0, 0.299, 0.299), "um"),
        ({"X": (0.5, "µm"), "Y": (0.5, "µm"), "Z": (0, "µm")}, (0.5, 0.5, 0.5), "um"),
    ],
)
def test_ome_axes_have_one_unit(tmp_path, sizes, spacing, unit):
    found = {f"PhysicalSize{axis}": size for axis, (size, _) in sizes.items()}
    ome(tmp_path / "m.ome.tif", **found, **{f"PhysicalSize{axis}Unit": named for axis, (_, named) in sizes.items()})
    image = read_image(tmp_path / "m.ome.tif")
    assert image.spacing == pytest.approx(spacing, rel=1e-12)
    assumed = ", distance between slices assumed" if sizes["Z"][0] == 0 else ""
    assert (image.unit, image.scale) == (unit, f"OME metadata{assumed}")
    said = load(tmp_path / "m.ome.tif").steps
    assert any("distance between slices" in step for step in said) == (sizes["Z"][0] == 0)


@pytest.mark.parametrize(
    ("metadata", "depth"),
    [({"spacing": 2.0, "zunit": "um"}, 2000.0), ({"spacing": -2.0}, 2.0), ({"spacing": 0.0}, 250.0), ({}, 250.0)],
)
def test_imagej_depths(tmp_path, metadata, depth):
    tifffile.imwrite(
        tmp_path / "m.tif",
        VOLUME,
        imagej=True,
        resolution=(1 / 250, 1 / 250),
        metadata={"axes": "ZYX", "unit": "nm", **metadata},
    )
    image = read_image(tmp_path / "m.tif")
    assert image.spacing == pytest.approx((depth, 250.0, 250.0))
    said = " ".join(load(tmp_path / "m.tif").steps)
    assert ("negative" in said) == (depth == 2.0)
    assert ("does not give the distance between slices" in said) == (depth == 250.0)


FEI, ZEISS, TESCAN = 34682, 34118, 50431
GATAN = [(65003, "s", 0, "µm".encode(), True), (65004, "s", 0, "µm".encode(), True)]


def text_tag(code, *lines):
    return [(code, "s", 0, "\r\n".join((*lines, "")), True)]


@pytest.mark.parametrize(
    ("tags", "spacing", "unit"),
    [
        (text_tag(FEI, "[Scan]", "PixelWidth=3.3724e-6", "PixelHeight=3e-6"), (3.0, 3.3724), "um"),
        (
            text_tag(FEI, "[IRBeam]", "HFW=0.096", "VFW=0.064", "[Image]", "ResolutionX=96", "ResolutionY=64"),
            (1.0, 1.0),
            "mm",
        ),
        (text_tag(FEI, "[Scan]", "PixelWidth=0", "PixelHeight=0"), None, None),
        (text_tag(ZEISS, "0", "AP_PIXEL_SIZE", "Pixel Size = 5 nm", "AP_WIDTH", "Width = 960 nm"), (10.0, 10.0), "nm"),
        (
            text_tag(
                ZEISS, "0", "AP_IMAGE_PIXEL_SIZE", "Image Pixel Size = 12.33 nm", "AP_PIXEL_SIZE", "Pixel Size = 24 nm"
            ),
            (12.33, 12.33),
            "nm",
        ),
        ([*GATAN, (65009, "d", 1, 0.25, True), (65010, "d", 1, 0.5, True)], (0.5, 0.25), "um"),
        (text_tag(TESCAN, "PixelSizeX=1.3e-08", "PixelSizeY=1.3e-08"), (13.0, 13.0), "nm"),
    ],
)
def test_pixel_sizes_of_instruments(tmp_path, tags, spacing, unit):
    tifffile.imwrite(tmp_path / "m.tif", TWO, metadata=None, extratags=tags, resolution=(96, 96), resolutionunit="INCH")
    image = read_image(tmp_path / "m.tif")
    assert image.spacing == (spacing and pytest.approx(spacing))
    assert image.unit == unit
    assert ("metadata" in image.scale) == (spacing is not None)


def test_a_jeol_transmission_microscope_gives_its_magnification(tmp_path):
    text = (
        "<TemReporter><Eos><EosMode>eosTEM</EosMode></Eos><ImageFormingSystem><ModeString>{}</ModeString>"
        "<SelectorValue>25400</SelectorValue></ImageFormingSystem></TemReporter>"
    )
    for mode, spacing in (("MAG", 10.0), ("DIFF", None)):
        tifffile.imwrite(
            tmp_path / "m.tif",
            TWO,
            metadata=None,
            description=text.format(mode),
            resolution=(100, 100),
            resolutionunit="INCH",
            extratags=[(271, "s", 0, "JEOL Ltd.", True)],
        )
        found = read_image(tmp_path / "m.tif").spacing
        assert found == (spacing and pytest.approx((spacing, spacing)))


@pytest.mark.parametrize(
    ("suffix", "text", "size", "unit"),
    [
        (".txt", "$CM_FULL_SIZE 96 64\n$$SM_MICRON_BAR 53\n$$SM_MICRON_MARKER 100nm\n", 100 / 53, "nm"),
        (".txt", "$CM_FULL_SIZE 192 128\n$$SM_MICRON_BAR 53\n$$SM_MICRON_MARKER 100nm\n", 200 / 53, "nm"),
        (".txt", "[SemImageFile]\nDataSize=96x64\nPixelSize=49.6\n", 49.6, "nm"),
        (".hdr", "[MAIN]\nPixelSizeX=1.3e-06\nPixelSizeY=1.3e-06\n", 1.3, "um"),
        (".txt", "a note on the sample\n", None, None),
    ],
)
@pytest.mark.parametrize("picture", [".tif", ".jpg", ".bmp"])
def test_the_text_beside_a_picture_gives_its_pixel_size(tmp_path, suffix, text, size, unit, picture):
    Pillow.fromarray(TWO * 255).save(tmp_path / f"m{picture}", dpi=(96, 96))
    (tmp_path / f"m{suffix}").write_text(text)
    image = read_image(tmp_path / f"m{picture}")
    assert image.spacing == (size and pytest.approx((size, size)))
    assert image.unit == unit


def alpha(path):
    opaque = np.full_like(TWO, 255)
    tifffile.imwrite(path, np.dstack([TWO * 255, opaque]), photometric="minisblack", extrasamples=["unassalpha"])


def half_transparent(path):
    transparent = np.dstack([TWO * 255, 255 * (FIELD > 0).astype(np.uint8)])
    tifffile.imwrite(path, transparent, photometric="minisblack", extrasamples=["unassalpha"])


def equal_channels(path):
    tifffile.imwrite(path, np.stack([TWO] * 2), imagej=True, metadata={"axes": "CYX"})


@pytest.mark.parametrize(
    "write",
    [
        alpha,
        half_transparent,
        equal_channels,
        lambda path: tifffile.imwrite(path, np.dstack([TWO.astype(np.float32)] * 3), photometric="rgb"),
        lambda path: tifffile.imwrite(path, np.dstack([TWO.astype(np.uint32)] * 3), photometric="rgb"),
        lambda path: tifffile.imwrite(path, np.stack([TWO * 255] * 3), photometric="rgb", planarconfig="separate"),
        lambda path: tifffile.imwrite(path, np.dstack([TWO] * 3), photometric="minisblack", planarconfig="contig"),
        lambda path: Pillow.fromarray(TWO * 255).convert("RGB").convert("CMYK").save(path),
        lambda path: Pillow.fromarray(TWO * 255).convert("RGBA").save(path),
    ],
)  # fmt: skip
def test_channels_are_no_axis_of_space(tmp_path, write):
    write(tmp_path / "m.tif")
    found = load(tmp_path / "m.tif").microstructure
    assert found.shape == (64, 96)
    assert np.array_equal(found.labels, TWO)


def test_lab_keeps_the_order_of_grey(tmp_path):
    lab = np.zeros((64, 96, 3), np.uint8)
    lab[..., 0] = TWO * 255
    tifffile.imwrite(tmp_path / "m.tif", lab, photometric="cielab")
    assert np.array_equal(load(tmp_path / "m.tif").microstructure.labels, TWO)


def test_three_equal_layers_of_an_array_are_grey(tmp_path):
    np.save(tmp_path / "m.npy", np.dstack([TWO.astype(float)] * 3))
    assert load(tmp_path / "m.npy").microstructure.shape == (64, 96)


@pytest.mark.parametrize(
    "options",
    [{"compression": name} for name in ("tiff_lzw", "tiff_adobe_deflate", "packbits", "group3", "group4", "lzma")],
    ids=lambda options: options["compression"],
)
def test_compressed_tiffs_are_read(tmp_path, options):
    picture = Pillow.fromarray(TWO * 255)
    bilevel = options["compression"].startswith("group")
    (picture.convert("1") if bilevel else picture).save(tmp_path / "m.tif", **options)
    assert np.array_equal(load(tmp_path / "m.tif").microstructure.labels, TWO)


@pytest.mark.parametrize("compression", ["lzw", "zstd", "deflate"])
@pytest.mark.parametrize("dtype", ["uint8", "uint16", "float32", "int16"])
def test_predictors_and_byte_orders(tmp_path, compression, dtype):
    grey = (TWO * 100).astype(dtype)
    for order in "<>":
        tifffile.imwrite(tmp_path / "m.tif", grey, compression=compression, predictor=True, byteorder=order)
        assert np.array_equal(read_image(tmp_path / "m.tif").values, grey)


def test_the_content_decides_and_not_the_suffix(tmp_path):
    Pillow.fromarray(TWO * 255).save(tmp_path / "m.tiff", format="PNG")
    np.save(tmp_path / "n.npy", TWO)
    (tmp_path / "n.npy").rename(tmp_path / "n.tif")
    for name, kind in (("m.tiff", "PNG"), ("n.tif", "NPY")):
        found = load(tmp_path / name)
        assert np.array_equal(found.microstructure.labels, TWO)
        assert found.steps[0] == f"{name} is a {kind} file by its content, and is read as such."


def palette_png(path):
    picture = Pillow.fromarray(THREE).convert("P")
    picture.putpalette([0, 0, 255, 255, 0, 0, 0, 255, 0] + [0] * 759)
    picture.save(path)


def palette_tiff(path):
    table = np.zeros((3, 256), np.uint16)
    table[:, :3] = np.array([[0, 0, 65535], [65535, 0, 0], [0, 65535, 0]]).T
    tifffile.imwrite(path, THREE, photometric="palette", colormap=table)


@pytest.mark.parametrize(("write", "name"), [(palette_png, "m.png"), (palette_tiff, "m.tif")])
@pytest.mark.parametrize("channel", [None, "colours"])
def test_indices_of_a_palette_are_phases_in_their_order(tmp_path, write, name, channel):
    write(tmp_path / name)
    found = load(tmp_path / name, CleaningOptions(channel=channel))
    assert np.array_equal(found.microstructure.labels, THREE)
    assert "index 1 #ff0000 -> 1" in " ".join(found.steps)
    red = load(tmp_path / name, CleaningOptions(channel="red"))
    assert np.array_equal(red.microstructure.labels, THREE == 1)


def test_colours_that_become_phases_are_listed(tmp_path):
    colours = np.array([[255, 0, 0], [0, 0, 255], [0, 255, 0]], np.uint8)
    Pillow.fromarray(colours[THREE]).save(tmp_path / "m.png")
    found = load(tmp_path / "m.png", CleaningOptions(channel="colours"))
    assert "#0000ff -> 0, #00ff00 -> 1, #ff0000 -> 2" in " ".join(found.steps)


def test_inverted_look_up_tables_are_read_as_they_are_shown(tmp_path):
    grey = (THREE * 90 + np.arange(96)).astype(np.uint8)
    tifffile.imwrite(tmp_path / "g.tif", grey, photometric="miniswhite")
    assert np.array_equal(read_image(tmp_path / "g.tif").values, 255 - grey)
    tifffile.imwrite(tmp_path / "b.tif", TWO > 0, photometric="miniswhite")
    found = load(tmp_path / "b.tif")
    assert np.array_equal(found.microstructure.labels, 1 - TWO)
    assert "white as zero" in found.steps[0]
    tifffile.imwrite(tmp_path / "m.tif", TWO * 255, imagej=True, photometric="miniswhite")
    mask = load(tmp_path / "m.tif")
    assert np.array_equal(mask.microstructure.labels, TWO)
    assert "--invert exchanges the phases" in mask.steps[0]


@pytest.mark.parametrize("orientation", range(1, 9))
def test_pictures_are_turned_as_viewers_turn_them(tmp_path, orientation):
    exif = Pillow.Exif()
    exif[0x0112] = orientation
    Pillow.fromarray(TWO * 255).save(tmp_path / "m.png", exif=exif)
    turned = (0x0112, "H", 1, orientation, True)
    tifffile.imwrite(
        tmp_path / "m.tif",
        TWO * 255,
        metadata=None,
        extratags=[turned, *text_tag(TESCAN, "PixelSizeX=2e-9 PixelSizeY=1e-9")],
    )
    upright = {
        1: TWO, 2: TWO[:, ::-1], 3: TWO[::-1, ::-1], 4: TWO[::-1], 5: TWO.T, 6: TWO[::-1].T, 7: TWO[::-1, ::-1].T,
        8: TWO[:, ::-1].T,
    }[orientation]  # fmt: skip
    for name in ("m.png", "m.tif"):
        assert np.array_equal(load(tmp_path / name).microstructure.labels, upright), name
    sizes = load(tmp_path / "m.tif").microstructure.spacing
    assert sizes == ((1.0, 2.0) if orientation < 5 else (2.0, 1.0))


def test_the_largest_picture_of_a_file_is_taken_and_equals_are_asked_for(tmp_path):
    with tifffile.TiffWriter(tmp_path / "m.tif") as file:
        file.write(TWO[::4, ::4], metadata=None)
        file.write(TWO, metadata=None)
    found = load(tmp_path / "m.tif")
    assert np.array_equal(found.microstructure.labels, TWO)
    assert "largest of 2 pictures" in found.steps[0]


def test_values_that_are_no_numbers_are_masked(tmp_path):
    values = THREE.astype(np.float32)
    values[:, :20] = np.nan
    np.save(tmp_path / "m.npy", values)
    found = load(tmp_path / "m.npy")
    assert np.array_equal(found.microstructure.labels[:, 20:], THREE[:, 20:])
    assert np.array_equal(found.microstructure.mask, np.isfinite(values))
    assert "hold no number" in found.steps[0]
    assert f"{20 / 96:.1%} masked; phases: 0 = value 0 ({(THREE[:, 20:] == 0).mean():.3f})" in str(found.understood)


def test_rows_without_numbers_and_round_fields_of_view_are_no_data_bar():
    grey = np.random.default_rng(0).normal(100, 10, (128, 128)) + 80 * (np.indices((128, 128)).sum(0) // 16 % 2)
    masked = grey.copy()
    masked[:12] = np.nan
    found = segment(checked_image(Image(masked), "m.npy"), propose=True)
    assert found.microstructure.unmasked().shape == (116, 128)
    assert "No data bar was found." in found.steps
    outside = np.hypot(*(np.indices((128, 128)) - 63.5)) > 63
    assert data_bar(np.where(outside, 0, grey)) == (0, 0)
    (said,) = (step for step in segment(Image(np.where(outside, 0, grey)), propose=True).steps if "round field" in step)
    assert said.startswith("All pixels outside a circle of 126 pixels have the value 0")
    assert not any("round field" in step for step in segment(Image(grey), propose=True).steps)
    masked = np.where(outside, np.nan, grey)
    assert not any("data bar of" in step for step in segment(checked_image(Image(masked), "m.npy"), propose=True).steps)


def test_a_distance_between_slices_that_is_assumed_is_in_the_line_of_truth(tmp_path):
    tifffile.imwrite(tmp_path / "m.tif", VOLUME, imagej=True, resolution=(4, 4), metadata={"axes": "ZYX", "unit": "um"})
    assert "voxel 0.25 um (ImageJ metadata, distance between slices assumed)" in str(
        load(tmp_path / "m.tif").understood
    )
    for one in ({"slice": "z=0"}, {"crop": "0:28,0:20,2:3"}):
        plane = load(tmp_path / "m.tif", CleaningOptions(**one))
        assert "pixel 0.25 um (ImageJ metadata);" in str(plane.understood)
        assert not any("distance between slices" in step for step in plane.steps)
    said = (
        "The file does not give the distance between slices: it was taken as the pixel size, 0.25 um; give --spacing "
    )
    for axes, options in (("ZxYxX", {}), ("DISTANCExSIZE", {"slice": "y=3"}), ("DISTANCExSIZE", {"slice": "x=-1"})):
        steps = load(tmp_path / "m.tif", CleaningOptions(**options)).steps
        assert f"{said}{axes} with a unit if it is another." in steps
    given = load(tmp_path / "m.tif", CleaningOptions(spacing="2x0.25x0.25um"))
    assert given.microstructure.spacing == (2.0, 0.25, 0.25)
    assert not any("does not give" in step for step in given.steps)


def test_pages_are_slices_at_an_unknown_distance(tmp_path):
    tifffile.imwrite(tmp_path / "m.tif", np.stack([TWO, 1 - TWO]), photometric="minisblack", metadata=None)
    found = load(tmp_path / "m.tif")
    assert found.microstructure.shape == (2, 64, 96)
    assert "whose distance the file does not give" in found.steps[0]
    assert "voxel size unknown" in str(found.understood)
    first = load(tmp_path / "m.tif", CleaningOptions(slice="z=0"))
    assert np.array_equal(first.microstructure.labels, TWO)
    for options in ({"slice": "z=0"}, {"slice": "y=0"}, {"crop": "0:96,0:64,0:1"}, {"spacing": "1um"}):
        steps = load(tmp_path / "m.tif", CleaningOptions(**options)).steps
        assert not any("whose distance the file does not give" in step for step in steps)


CHANNELS = np.stack([TWO, 1 - TWO, THREE])


@pytest.mark.parametrize("named", ["channel=BSE", "channel=1", "0,channel=BSE"])
def test_a_channel_is_taken_by_its_name_or_number(tmp_path, named):
    metadata = {"axes": "CYX", "Channel": {"Name": ["SE", "BSE", "EDS"]}}
    tifffile.imwrite(tmp_path / "m.ome.tif", CHANNELS, ome=True, photometric="minisblack", metadata=metadata)
    assert np.array_equal(load(tmp_path / "m.ome.tif", dataset=named).microstructure.labels, CHANNELS[1])
    labels = {"axes": "CYX", "Labels": ["SE", "BSE", "EDS"]}
    tifffile.imwrite(tmp_path / "m.tif", CHANNELS, imagej=True, metadata=labels)
    assert np.array_equal(load(tmp_path / "m.tif", dataset=named).microstructure.labels, CHANNELS[1])


def test_channels_times_and_pages_that_are_not_there_are_refused_with_the_list(tmp_path):
    metadata = {"axes": "TCYX", "Channel": {"Name": ["SE", "BSE", "EDS"]}}
    several = np.stack([CHANNELS, 2 - CHANNELS])
    tifffile.imwrite(tmp_path / "m.ome.tif", several, ome=True, photometric="minisblack", metadata=metadata)
    with pytest.raises(InputError, match=r"it holds several channels, 0 \(SE\), 1 \(BSE\), 2 \(EDS\).*channel=0"):
        load(tmp_path / "m.ome.tif")
    with pytest.raises(InputError, match=r"there is no 'STEM' among its channels, 0 \(SE\)"):
        load(tmp_path / "m.ome.tif", dataset="channel=STEM")
    with pytest.raises(InputError, match="it holds several times, 0, 1"):
        load(tmp_path / "m.ome.tif", dataset="channel=SE")
    both = load(tmp_path / "m.ome.tif", dataset="time=1,channel=EDS")
    assert np.array_equal(both.microstructure.labels, 2 - CHANNELS[2])
    tifffile.imwrite(tmp_path / "m.tif", TWO)
    with pytest.raises(InputError, match="does not hold several times"):
        load(tmp_path / "m.tif", dataset="time=0")
    for wrong in ("page=x", "colour=1", "sheet"):
        with pytest.raises(InputError, match="number of a series, page=N, channel=N"):
            load(tmp_path / "m.tif", dataset=wrong)


def test_a_page_is_taken_by_its_number(tmp_path):
    tifffile.imwrite(tmp_path / "m.tif", CHANNELS, photometric="minisblack", metadata=None)
    for number, page in enumerate(CHANNELS):
        assert np.array_equal(load(tmp_path / "m.tif", dataset=f"page={number}").microstructure.labels, page)
    with pytest.raises(InputError, match="has 3 pages, numbered from 0; there is no page 3"):
        load(tmp_path / "m.tif", dataset="page=3")
