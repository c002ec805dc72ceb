"""The segmentation of a raw micrograph in a fixed order of steps, with a record of each."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from matlens.core.units import parse_spacing
from matlens.errors import InputError
from matlens.microstructure.io import Image
from matlens.microstructure.io.labels import image_labels, microstructure_from_labels, require_phases, single_channel
from matlens.microstructure.segmentation.background import flattened
from matlens.microstructure.segmentation.cleanup import block_majority, block_mean, found_thresholds, without_small
from matlens.microstructure.segmentation.frame import data_bar_height, largest_rectangle, trimmed_edges
from matlens.microstructure.segmentation.options import CleaningOptions, parse_crop, parse_flatten, parse_threshold
from matlens.microstructure.structure import Microstructure

__all__ = ["SHIFT", "Segmentation", "segment"]

SHIFT = 0.05  # relative shift of the thresholds that shows how sensitive the result is to them

_Valid = NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Segmentation:
    """The result of a segmentation, with a record of how it was made.

    Parameters
    ----------
    microstructure : Microstructure
        The phases.
    grey : ndarray of float, optional
        Cleaned grey values of the same pixels; None when the file held labels.
    steps : tuple of str
        Steps that were applied, one sentence each.
    thresholds : tuple of float
        Grey values between the phases, on the scale of ``grey``; empty when the file held labels.
    mapping : dict of float to int
        Phase of each value in the file, where values other than 0..K-1 were mapped.
    variants : dict of float to Microstructure
        The microstructure with every threshold shifted by the key, relative to its value (-0.05, 0, 0.05).

    Examples
    --------
    >>> grey = np.tile(np.arange(16.0), (16, 1))
    >>> result = segment(Image(grey), CleaningOptions(threshold="7.5"))
    >>> result.microstructure.volume_fractions, sorted(result.variants)
    (array([0.5, 0.5]), [-0.05, 0.0, 0.05])
    """

    microstructure: Microstructure
    grey: NDArray[np.float32] | None = None
    steps: tuple[str, ...] = ()
    thresholds: tuple[float, ...] = ()
    mapping: dict[float, int] = field(default_factory=dict)
    variants: dict[float, Microstructure] = field(default_factory=dict)


def segment(
    image: Image,
    options: CleaningOptions | None = None,
    *,
    mask: NDArray[Any] | None = None,
    name: str = "the picture",
) -> Segmentation:
    """Segment an image or volume into phases.

    The order of the steps is: channel; crop, data bar, mask; background, median filter, downsampling (of grey values);
    thresholds, inversion, small objects, small holes, downsampling (of labels); the largest rectangle that the mask
    allows; spacing.

    Parameters
    ----------
    image : Image
        Result of `read_image`.
    options : CleaningOptions, optional
        Options of the steps; by default no step is applied, and the image must hold labels.
    mask : ndarray, optional
        Zero where the image is not to be used, in the shape of the whole image.
    name : str
        File name, for messages.

    Returns
    -------
    Segmentation
        Microstructure, cleaned grey values, thresholds and record of the steps.

    Raises
    ------
    InputError
        If the image is coloured and no channel is chosen, if it holds grey values and no threshold is given, if an
        option does not fit the image, or if only one phase results.

    Notes
    -----
    Automatic thresholds: Otsu, IEEE Trans. Syst. Man Cybern. 9, 62 (1979).

    Examples
    --------
    >>> grey = np.random.default_rng(0).normal(100, 5, (64, 64)); grey[16:48, 16:48] += 60
    >>> result = segment(Image(grey), CleaningOptions(threshold="otsu", median=3))
    >>> result.microstructure.volume_fractions.round(2)
    array([0.75, 0.25])
    """
    options = options or CleaningOptions()
    steps = list(image.notes)
    if image.colour and options.channel not in (None, "colours"):
        steps.append(f"Channel {options.channel} was taken from a colour picture.")
    indexed = image.palette is not None
    image = single_channel(image, options.channel, name)
    if image.palette is not None:
        steps.append(f"Colours were mapped to phases: {_colours(image, indexed=indexed)}.")
    image, valid = _framed(image, options, mask, steps)
    image = _scaled(image, options, steps)
    if options.threshold is not None:
        return _thresholded(image, valid, options, steps, name)
    if options.flatten or options.median:
        raise InputError("flattening and the median filter act on grey values; add a threshold (--threshold otsu).")
    return _labelled(image, valid, options, steps, name)


def _framed(
    image: Image, options: CleaningOptions, mask: NDArray[Any] | None, steps: list[str]
) -> tuple[Image, _Valid]:
    values = image.values
    if mask is not None and mask.shape != values.shape:
        raise InputError(f"the mask has shape {mask.shape}, expected that of the picture, {values.shape}; resize it.")
    valid = np.ones(values.shape, dtype=bool) if mask is None else np.asarray(mask) != 0
    if image.valid is not None:
        valid &= image.valid
    if options.crop is not None:
        slices = parse_crop(options.crop) or trimmed_edges(values)
        if len(slices) != values.ndim or values[slices].size == 0:
            raise InputError(f"the crop {options.crop!r} leaves nothing of a picture of shape {values.shape}.")
        steps.append(f"Cropped {_extent(slices, values.shape)} out of {_size(values.shape)}.")
        values, valid = values[slices], valid[slices]
    rows = _bar_rows(values, options)
    if rows:
        steps.append(f"A data bar of {rows} rows was cut off at the bottom.")
        values, valid = values[..., :-rows, :], valid[..., :-rows, :]
    if not valid.any():
        raise InputError("the mask leaves nothing of the picture; it must be non-zero where the picture is to be used.")
    if not valid.all():
        steps.append(f"The mask excludes {1 - valid.mean():.1%} of the pixels.")
    periodic = image.periodic and values.shape == image.values.shape
    return replace(image, values=values, periodic=periodic), valid


def _bar_rows(values: NDArray[Any], options: CleaningOptions) -> int:
    rows = options.data_bar_rows
    if rows is None:
        if values.ndim == 3:
            raise InputError("a data bar can be found in 2-D pictures only; crop the volume instead (--crop).")
        return data_bar_height(values)
    if rows >= values.shape[-2]:
        raise InputError(f"a data bar of {rows} rows leaves nothing of a picture of shape {values.shape}.")
    return rows


def _scaled(image: Image, options: CleaningOptions, steps: list[str]) -> Image:
    ndim = image.values.ndim
    spacing, unit = image.spacing, image.unit
    if options.spacing is not None:
        given, unit = parse_spacing(options.spacing)
        spacing = given if isinstance(given, tuple) else (given,) * ndim
        if len(spacing) != ndim:
            raise InputError(
                f"the spacing {options.spacing!r} has {len(spacing)} sizes for {ndim} axes; give one for each."
            )
        if image.spacing is not None and (image.spacing, image.unit) != (spacing, unit):
            steps.append(f"The spacing of the file, {image.spacing} {image.unit}, was replaced by {options.spacing}.")
    if options.downsample > 1 and spacing is not None:
        spacing = tuple(step * options.downsample for step in spacing)
    elif options.downsample > 1:
        spacing, unit = (float(options.downsample),) * ndim, "px"
    return replace(image, spacing=spacing, unit=unit)


def _thresholded(image: Image, valid: _Valid, options: CleaningOptions, steps: list[str], name: str) -> Segmentation:
    grey, valid = _cleaned_grey(image.values.astype(np.float32), valid, options, steps)
    levels = found_thresholds(grey[valid], parse_threshold(options.threshold or ""))
    steps.append(f"Phases were separated at grey {', '.join(f'{v:.4g}' for v in levels)} ({options.threshold}).")
    part = largest_rectangle(valid)
    base = min(0.0, float(grey[valid].min()))  # zero of the relative shift, for images with negative grey values
    names = tuple(f"phase {k}" for k in range(len(levels) + 1))
    variants: dict[float, Microstructure] = {}
    for shift in (-SHIFT, 0.0, SHIFT):
        moved = [base + (level - base) * (1 + shift) for level in levels]
        labels = np.digitize(grey, moved, right=True).astype(np.uint8)
        labels = _cleaned_labels(labels, len(names), options, steps if shift == 0 else [])[part]
        variants[shift] = microstructure_from_labels(labels, image, names, whole=bool(valid.all()))
    if not valid.all():
        steps.append(f"The sample is the largest rectangle without masked pixels, {_extent(part, grey.shape)}.")
    require_phases(variants[0.0].labels, name)
    return Segmentation(variants[0.0], grey[part], tuple(steps), levels, {}, variants)


def _labelled(image: Image, valid: _Valid, options: CleaningOptions, steps: list[str], name: str) -> Segmentation:
    labels, mapping, names = image_labels(image, name)
    if mapping:
        steps.append(f"Values were mapped to phases: {', '.join(f'{v:g} -> {k}' for v, k in mapping.items())}.")
    if options.downsample > 1:
        valid = block_mean(valid, options.downsample) == 1
    labels = _cleaned_labels(labels, len(names), options, steps)
    if options.downsample > 1:
        steps.append(f"Blocks of {options.downsample} pixels a side were joined by majority.")
        labels = block_majority(labels, options.downsample, len(names))
    part = largest_rectangle(valid)
    if not valid.all():
        steps.append(f"The sample is the largest rectangle without masked pixels, {_extent(part, labels.shape)}.")
    require_phases(labels[part], name)
    if options.invert:
        names = names[::-1]
    whole = bool(valid.all()) and options.downsample == 1
    return Segmentation(
        microstructure_from_labels(labels[part], image, names, whole=whole), None, tuple(steps), (), mapping
    )


def _cleaned_grey(
    grey: NDArray[np.float32], valid: _Valid, options: CleaningOptions, steps: list[str]
) -> tuple[NDArray[np.float32], _Valid]:
    if options.flatten is not None:
        grey = flattened(grey, valid, *parse_flatten(options.flatten))
        steps.append(f"The background was flattened ({options.flatten}).")
    if options.median > 1:
        from scipy.ndimage import median_filter

        grey = median_filter(grey, options.median, mode="nearest")
        steps.append(f"A median filter of {options.median} pixels a side was applied.")
    if options.downsample > 1:
        grey, valid = block_mean(grey, options.downsample), block_mean(valid, options.downsample) == 1
        steps.append(f"Blocks of {options.downsample} pixels a side were joined by their mean grey.")
    return grey, valid


def _cleaned_labels(
    labels: NDArray[np.uint8], n_phases: int, options: CleaningOptions, steps: list[str]
) -> NDArray[np.uint8]:
    if options.invert:
        labels = (n_phases - 1 - labels).astype(np.uint8)
        steps.append("The order of the phases was reversed.")
    for size, phases, what in (
        (options.min_object, list(range(1, n_phases)), "objects"),
        (options.min_hole, [0], "holes"),
    ):
        if size > 1:
            labels, count = without_small(labels, phases, size)
            steps.append(f"{count} {what} smaller than {size} pixels were removed.")
    return labels


def _colours(image: Image, *, indexed: bool) -> str:
    """List colour -> phase, with the indices of a palette where the file has one."""
    assert image.palette is not None
    used = np.unique(image.values)
    names = (f"index {index} " if indexed else "" for index in used)
    return ", ".join(
        f"{name}#{bytes(image.palette[index].tolist()).hex()} -> {phase}"
        for phase, (name, index) in enumerate(zip(names, used))
    )


def _size(shape: tuple[int, ...]) -> str:
    return " x ".join(str(side) for side in shape)


def _extent(slices: tuple[slice, ...], shape: tuple[int, ...]) -> str:
    """Extent of a part as a user writes it for --crop, x first."""
    ends = [part.indices(side)[:2] for part, side in zip(slices, shape)]
    return ",".join(f"{axis}={low}:{high}" for axis, (low, high) in zip("xyz", reversed(ends)))
