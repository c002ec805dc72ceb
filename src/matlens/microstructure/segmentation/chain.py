"""The segmentation of a raw micrograph in a fixed order of steps, with a record of each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from matlens.core.units import parse_spacing
from matlens.errors import InputError
from matlens.microstructure.io import Image
from matlens.microstructure.io.image import ASSUMED, PAGES
from matlens.microstructure.io.labels import (
    colour_codes,
    image_labels,
    microstructure_from_labels,
    require_phases,
    single_channel,
)
from matlens.microstructure.rectangle import NARROWEST, largest_rectangle
from matlens.microstructure.segmentation.background import flattened
from matlens.microstructure.segmentation.cleanup import block_majority, block_mean, found_thresholds, without_small
from matlens.microstructure.segmentation.decision import PROPOSED, decided
from matlens.microstructure.segmentation.frame import data_bar, trimmed_edges
from matlens.microstructure.segmentation.known import with_known
from matlens.microstructure.segmentation.options import (
    CleaningOptions,
    parse_crop,
    parse_flatten,
    parse_slice,
    parse_threshold,
)
from matlens.microstructure.segmentation.plateau import Variants, plateau
from matlens.microstructure.segmentation.proposal import proposed, uneven_light
from matlens.microstructure.segmentation.round_field import corner_value
from matlens.microstructure.segmentation.understood import (
    PhaseFound,
    Understood,
    colour_text,
    extent_text,
    grey_text,
    meanings_of,
    shape_text,
)
from matlens.microstructure.structure import MAX_PHASES, Microstructure, distinct_values

__all__ = ["Segmentation", "scaled", "segment"]

_OUTSIDE = 0.1  # share of the pixels that have the very value of all corners; a circle in a square leaves .21
_EMPTY = 0.005  # a phase with a smaller share is likely a mistake of the threshold
_LOOKED_AT = 20_000_000  # pixels; in larger volumes the light is not looked at

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
    variants : mapping of float to Microstructure
        The microstructure by thresholds at five places in their plateau (see `plateau`): -1 is its lower end, 0 the
        thresholds in use, 1 its upper end; empty when the file held labels. They are made when they are asked for.
    understood : Understood, optional
        What was understood of the file; None for structures that come from no file.
    options : CleaningOptions, optional
        The options as they were applied, with what was proposed.
    inverted : bool
        Whether the order of the phases is from bright to dark.
    origin : tuple of int
        Row and column of the file's picture at which the result begins, after crop and data bar.

    Examples
    --------
    >>> grey = np.tile(np.arange(16.0), (16, 1))
    >>> result = segment(Image(grey), CleaningOptions(threshold="7.5"))
    >>> result.microstructure.volume_fractions, sorted(result.variants)
    (array([0.5, 0.5]), [-1.0, -0.5, 0.0, 0.5, 1.0])
    """

    microstructure: Microstructure
    grey: NDArray[np.float32] | None = None
    steps: tuple[str, ...] = ()
    thresholds: tuple[float, ...] = ()
    mapping: dict[float, int] = field(default_factory=dict)
    variants: Mapping[float, Microstructure] = field(default_factory=dict)
    understood: Understood | None = None
    options: CleaningOptions | None = None
    inverted: bool = False
    origin: tuple[int, int] = (0, 0)

    def noted(self, sentence: str) -> Segmentation:
        """Add a sentence to the steps and to what was understood.

        Parameters
        ----------
        sentence : str
            What else was done with the file.

        Returns
        -------
        Segmentation
            The same result with the sentence.

        Examples
        --------
        >>> Segmentation(Microstructure([[0, 1]])).noted("A sentence.").steps
        ('A sentence.',)
        """
        steps, known = (*self.steps, sentence), self.understood
        return replace(self, steps=steps, understood=known and replace(known, notes=(*known.notes, sentence)))

    def in_rectangle(self, what: str) -> Segmentation:
        """Keep the largest rectangle without masked pixels, for what cannot take a mask, and say so.

        Parameters
        ----------
        what : str
            What needs the rectangle, as the subject of a sentence.

        Returns
        -------
        Segmentation
            The result itself where no pixel is masked.

        Raises
        ------
        InputError
            If the rectangle has a side below 16 pixels.

        Examples
        --------
        >>> mask = np.ones((20, 40), dtype=bool); mask[:, 3] = False
        >>> found = Segmentation(Microstructure(np.eye(20, 40, dtype=int), mask=mask)).in_rectangle("Pruning")
        >>> found.microstructure, found.steps
        (Microstructure(20 x 36, 2 phases, 1 px), ('Pruning takes no masked pixels: of the picture it uses the largest
        rectangle without them, x=4:40,y=0:20.',))
        """
        mask = self.microstructure.mask
        if mask is None:
            return self
        part = largest_rectangle(mask)
        if min(side.stop - side.start for side in part) < NARROWEST:
            raise InputError(
                f"{what} takes no masked pixels, and no rectangle of {NARROWEST} pixels a side is free of them "
                f"({self.microstructure.masked_share:.1%} are masked); fill small gaps with --fill-mask 30, crop to "
                "what is known, or give --unmasked."
            )
        said = (
            f"{what} takes no masked pixels: of the picture it uses the largest rectangle without them, "
            f"{extent_text(part, mask.shape)}."
        )
        kept = self.microstructure.crop(*part)
        variants = self.variants.cropped(part, kept) if isinstance(self.variants, Variants) else {}
        grey = None if self.grey is None else self.grey[part]
        return replace(self.noted(said), microstructure=kept, grey=grey, variants=variants)


def segment(
    image: Image,
    options: CleaningOptions | None = None,
    *,
    mask: NDArray[Any] | None = None,
    name: str = "the picture",
    propose: bool = False,
) -> Segmentation:
    """Segment an image or volume into phases.

    The order of the steps is: channel; mask; slice, crop, data bar; background, median filter, downsampling (of grey
    values); thresholds, inversion, small objects, small holes, downsampling (of labels); gaps in the mask; spacing.

    Parameters
    ----------
    image : Image
        Result of `read_image`.
    options : CleaningOptions, optional
        Options of the steps; by default no step is applied, and the image must hold labels or a blurred mask of them,
        which is cut between its two levels.
    mask : ndarray, optional
        Zero where the image is not to be used, in the shape of the whole image. Pixels that hold no number, points that
        were not indexed and the outside of a round field of view are masked too.
    name : str
        File name, for messages.
    propose : bool
        Whether a grey picture without a threshold is segmented as proposed (see `proposed`) instead of refused.

    Returns
    -------
    Segmentation
        Microstructure, cleaned grey values, thresholds and record of the steps.

    Raises
    ------
    InputError
        If the image is coloured and no channel is chosen, if it holds grey values and no threshold is given or
        proposed, if it holds numbers of grains, or a mask of three levels or more that was blurred, if an option does
        not fit the image, or if only one phase results.

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
    given = options.settings()
    steps = list(image.notes)
    if propose and image.colour and options.channel is None and _is_photograph(image):
        options = replace(options, channel="grey")
    if image.colour and options.channel not in (None, "colours"):
        steps.append(f"Channel {options.channel} was taken from a colour picture.")
    indexed = image.palette is not None
    image = single_channel(image, options.channel, name)
    if image.palette is not None:
        steps.append(f"Colours were mapped to phases: {_colours(image, indexed=indexed)}.")
    image = with_known(image, mask, steps, unmasked=options.unmasked)
    options, kind, said = decided(image, options, name, propose=propose)
    image, valid, origin = _framed(image, options, steps)
    image = scaled(image, options, steps)
    if said == PROPOSED:
        options = proposed(image, options, valid)
        taken = {key: value for key, value in options.settings().items() if given.get(key) != value}
        found = ", ".join(f"--{key.replace('_', '-')} {value}" for key, value in taken.items())
        said = f"{PROPOSED} {found}."
    steps += [said] if said else []
    if options.threshold is not None and parse_threshold(options.threshold) != ():
        made = _thresholded(image, valid, options, steps, name)
    elif options.flatten or options.median:
        raise InputError("flattening and the median filter act on grey values; add a threshold (--threshold otsu).")
    else:
        made = _labelled(image, valid, options, steps, name)
    return replace(made, understood=_understood(made, image, kind, name), options=options, origin=origin)


def _names(options: CleaningOptions, found: tuple[str, ...], name: str) -> tuple[str, ...]:
    """Names of the phases: those asked for, or those found."""
    asked = options.phase_names
    if asked and len(asked) != len(found):
        raise InputError(f"{name} has {len(found)} phases and --phases names {len(asked)}; name each of them.")
    return asked or found


def _understood(made: Segmentation, image: Image, kind: str, name: str) -> Understood:
    structure = made.microstructure
    meanings = meanings_of(structure.n_phases, made.thresholds, made.mapping, image.palette, inverted=made.inverted)
    phases = tuple(
        PhaseFound(phase, meaning, float(share))
        for phase, meaning, share in zip(structure.phase_names, meanings, structure.volume_fractions)
    )
    spacing = structure.spacing if image.spacing is not None else None
    return Understood(
        name,
        image.format or "array",
        kind,
        structure.shape,
        spacing,
        structure.unit,
        image.scale,
        phases,
        made.steps,
        structure.masked_share,
    )


def _framed(image: Image, options: CleaningOptions, steps: list[str]) -> tuple[Image, _Valid, tuple[int, int]]:
    values, row, column = image.values, 0, 0
    valid = np.ones(values.shape, dtype=bool) if image.valid is None else image.valid
    if options.slice is not None:
        image, valid = _sliced(image, valid, options.slice, steps)
        values = image.values
    if options.crop is not None:
        slices = parse_crop(options.crop) or trimmed_edges(values)
        if len(slices) != values.ndim or values[slices].size == 0:
            raise InputError(f"the crop {options.crop!r} leaves nothing of a picture of shape {values.shape}.")
        beyond = any((end or 0) > side for part, side in zip(slices, values.shape) for end in (part.start, part.stop))
        said = ", as the crop that was asked for reaches beyond the picture" if beyond else ""
        steps.append(f"Cropped {extent_text(slices, values.shape)} out of {shape_text(values.shape)}{said}.")
        row, column = (part.indices(side)[0] for part, side in zip(slices[-2:], values.shape[-2:]))
        values, valid = values[slices], valid[slices]
        thin = [axis for axis, side in enumerate(values.shape) if side == 1]
        if values.ndim == 3 and len(thin) == 1:  # one slice is a picture
            spacing = image.spacing and tuple(step for axis, step in enumerate(image.spacing) if axis != thin[0])
            values, valid = values.squeeze(thin[0]), valid.squeeze(thin[0])
            scale = image.scale.removesuffix(ASSUMED) if thin[0] == 0 else image.scale
            image = replace(image, spacing=spacing, scale=scale)
    top, bottom = _bar_rows(values, valid, options)
    if top or bottom:
        steps.append(f"A data bar of {top or bottom} rows was cut off at the {'top' if top else 'bottom'}.")
        kept = slice(top, values.shape[-2] - bottom)
        values, valid = values[..., kept, :], valid[..., kept, :]
    elif options.data_bar_rows is None:
        steps.append("No data bar was found.")
    if not valid.any():
        raise InputError("every pixel of this part of the picture is masked; take another slice or crop.")
    periodic = image.periodic and values.shape == image.values.shape
    return replace(image, values=values, valid=None, periodic=periodic), valid, (row + top, column)


def _sliced(image: Image, valid: _Valid, text: str, steps: list[str]) -> tuple[Image, _Valid]:
    """Take one slice of a volume as a picture, without the pixel size across it."""
    axis, position = parse_slice(text)
    values = image.values
    if values.ndim != 3:
        raise InputError(f"a slice is taken of a volume, and this picture has shape {values.shape}; leave out --slice.")
    if not -values.shape[axis] <= position < values.shape[axis]:
        raise InputError(f"there is no slice {text}; the volume has {values.shape[axis]} along {'xyz'[-1 - axis]}.")
    steps.append(f"Slice {text} was taken of a volume of {shape_text(values.shape)}.")
    spacing = image.spacing
    if spacing is not None:
        spacing = tuple(step for place, step in enumerate(spacing) if place != axis % 3)
    scale = image.scale.removesuffix(ASSUMED) if axis % 3 == 0 else image.scale
    values = values.take(position, axis=axis)
    taken = replace(image, values=values, spacing=spacing, scale=scale, valid=None, periodic=False)
    return taken, np.asarray(valid.take(position, axis=axis))


def _bar_rows(values: NDArray[Any], valid: _Valid, options: CleaningOptions) -> tuple[int, int]:
    rows = options.data_bar_rows
    if rows is None:
        if values.ndim == 3:
            raise InputError("a data bar can be found in 2-D pictures only; crop the volume instead (--crop).")
        if valid.any() and not valid.all():  # masked rows, all of one value, would be taken for a bar
            values = values.copy()
            values[~valid] = np.random.default_rng(0).choice(values[valid], int((~valid).sum()))
        return data_bar(values)
    if rows >= values.shape[-2]:
        raise InputError(f"a data bar of {rows} rows leaves nothing of a picture of shape {values.shape}.")
    return 0, rows


def scaled(image: Image, options: CleaningOptions, steps: list[str]) -> Image:
    """Take the pixel size that is asked for, or that of the file, and join pixels.

    Parameters
    ----------
    image : Image
        The part of the image that is used.
    options : CleaningOptions
        Options of the segmentation.
    steps : list of str
        Sentences are added on what was replaced or assumed.

    Returns
    -------
    Image
        With the spacing of the result.

    Raises
    ------
    InputError
        If the number of sizes does not fit.

    Examples
    --------
    >>> scaled(Image(np.eye(4)), CleaningOptions(spacing="2um"), []).spacing
    (2.0, 2.0)
    """
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
        image = replace(image, scale="as given")
    elif image.scale.endswith(ASSUMED) and spacing is not None:
        steps.append(
            f"The file does not give the distance between slices: it was taken as the pixel size, {spacing[0]:g} "
            f"{unit}; give --spacing {'ZxYxX' if ndim == 3 else 'DISTANCExSIZE'} with a unit if it is another."
        )
    if PAGES in steps and (ndim == 2 or options.spacing is not None):
        steps.remove(PAGES)
    if options.downsample > 1 and spacing is not None:
        spacing = tuple(step * options.downsample for step in spacing)
    elif options.downsample > 1:
        spacing, unit = (float(options.downsample),) * ndim, "px"
    return replace(image, spacing=spacing, unit=unit)


def _thresholded(image: Image, valid: _Valid, options: CleaningOptions, steps: list[str], name: str) -> Segmentation:
    outside = float((image.values == corner_value(image.values)).mean())
    if bool(valid.all()) and outside > _OUTSIDE:
        steps.append(
            f"{outside:.1%} of the pixels have exactly the value of all corners, but not around a circle: they count "
            "as sample unless --mask or --crop leaves them out."
        )
    grey, valid = _cleaned_grey(image.values.astype(np.float32), valid, options, steps)
    wanted = parse_threshold(options.threshold or "")
    levels = found_thresholds(grey[valid], wanted, name)
    around = plateau(grey[valid], levels)
    lowest, highest = (", ".join(map(grey_text, around[end])) for end in (min(around), max(around)))
    steps.append(
        f"Phases were separated at grey {', '.join(map(grey_text, levels))} ({options.threshold}); thresholds from "
        f"{lowest} to {highest} separate them nearly as well."
    )
    if options.flatten is None and isinstance(wanted, int) and grey.size <= _LOOKED_AT:
        even = uneven_light(grey, valid, wanted)
        if even is not None:
            listed = ", ".join(f"{share:.3f}" for share in even)
            steps.append(f"The light is uneven: with --flatten polynomial the volume fractions would be near {listed}.")
    names = _names(options, tuple(f"phase {k}" for k in range(len(levels) + 1)), name)

    def cut(at: tuple[float, ...], said: list[str]) -> Microstructure:
        labels = np.digitize(grey, at, right=True).astype(np.uint8)
        labels = _cleaned_labels(labels, valid, len(names), options, said)
        return _without_gaps(microstructure_from_labels(labels, image, names, mask=valid), options, said)

    structure = cut(levels, steps)
    require_phases(structure, name)
    for number, share in enumerate(structure.volume_fractions):
        if share < _EMPTY:
            steps.append(f"Phase {number} is nearly empty ({share:.2%} of the pixels); look at the threshold.")
    variants = Variants(around, lambda at: cut(at, []), structure)
    return Segmentation(structure, grey, tuple(steps), levels, {}, variants, inverted=options.invert)


def _without_gaps(made: Microstructure, options: CleaningOptions, steps: list[str]) -> Microstructure:
    """Fill small masked patches, if that is asked for."""
    filled = made.filled(options.fill_mask) if options.fill_mask > 1 else made
    if filled is not made:
        share = (filled.n_known - made.n_known) / made.labels.size
        steps.append(
            f"Masked patches smaller than {options.fill_mask} pixels, {share:.1%} of all pixels, were given the "
            "nearest phase."
        )
    return filled


def _labelled(image: Image, valid: _Valid, options: CleaningOptions, steps: list[str], name: str) -> Segmentation:
    labels, mapping, names = image_labels(image, name)
    if options.invert:
        last = len(names) - 1
        mapping = {value: last - label for value, label in (mapping or {float(k): k for k in range(last + 1)}).items()}
        names = tuple(
            f"phase {k}" if names[last - k] == f"phase {last - k}" else names[last - k] for k in range(last + 1)
        )
    if mapping and image.palette is None:
        steps.append(f"Values were mapped to phases: {', '.join(f'{v:g} -> {k}' for v, k in mapping.items())}.")
    labels = _cleaned_labels(labels, valid, len(names), options, steps)
    if options.downsample > 1:
        steps.append(f"Blocks of {options.downsample} pixels a side were joined by majority.")
        labels = block_majority(labels, options.downsample, len(names))
        valid = _known_blocks(valid, options.downsample)
    names = _names(options, names, name)
    made = microstructure_from_labels(labels, image, names, whole=options.downsample == 1, mask=valid)
    made = _without_gaps(made, options, steps)
    require_phases(made, name)
    return Segmentation(made, None, tuple(steps), (), mapping)


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
        grey, valid = block_mean(grey, options.downsample), _known_blocks(valid, options.downsample)
        steps.append(f"Blocks of {options.downsample} pixels a side were joined by their mean grey.")
    return grey, valid


def _known_blocks(valid: _Valid, factor: int) -> _Valid:
    """Blocks all of whose pixels are known."""
    known = np.asarray(block_mean(valid, factor) == 1)
    if not known.any():
        raise InputError(f"every block of {factor} pixels a side holds masked pixels; downsample less, or not at all.")
    return known


def _cleaned_labels(
    labels: NDArray[np.uint8], valid: _Valid, n_phases: int, options: CleaningOptions, steps: list[str]
) -> NDArray[np.uint8]:
    if options.invert:
        labels = (n_phases - 1 - labels).astype(np.uint8)
        steps.append("The order of the phases was reversed.")
    for size, phases, what in (
        (options.min_object, list(range(1, n_phases)), "objects"),
        (options.min_hole, [0], "holes"),
    ):
        if size > 1:
            labels, count = without_small(labels, phases, size, valid)
            steps.append(f"{count} {what} smaller than {size} pixels were removed.")
    return labels


def _is_photograph(image: Image) -> bool:
    """Whether a colour picture has more colours than there can be phases."""
    return distinct_values(colour_codes(image.values)).size > MAX_PHASES


def _colours(image: Image, *, indexed: bool) -> str:
    """List colour -> phase, with the indices of a palette where the file has one."""
    assert image.palette is not None
    used = distinct_values(image.values).astype(int).tolist()
    colours = [colour_text(image.palette, index) for index in used]
    names = [f"index {index} {colour}" for index, colour in zip(used, colours)] if indexed else colours
    return ", ".join(f"{name} -> {phase}" for phase, name in enumerate(names))
