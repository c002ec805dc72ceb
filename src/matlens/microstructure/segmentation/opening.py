"""Opening of a large volume as phases: what `load` does of a file that fits, with one passage through the blocks."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from matlens.core.arguments import checked_arguments
from matlens.core.units import normal_unit
from matlens.errors import InputError
from matlens.hooks import Progress, Silent
from matlens.microstructure.io.image import Image, OpenImage
from matlens.microstructure.io.kinds import kind_of
from matlens.microstructure.io.labels import image_labels
from matlens.microstructure.io.opening import open_image
from matlens.microstructure.io.parts import PartOf, stand_in
from matlens.microstructure.large import BlockArray, LargeMicrostructure
from matlens.microstructure.segmentation.chain import scaled
from matlens.microstructure.segmentation.cleanup import thresholds_of_counts
from matlens.microstructure.segmentation.counting import counted
from matlens.microstructure.segmentation.loading import asked_options
from matlens.microstructure.segmentation.options import CleaningOptions, parse_crop, parse_slice, parse_threshold
from matlens.microstructure.segmentation.understood import (
    PhaseFound,
    Understood,
    extent_text,
    grey_text,
    meanings_of,
    shape_text,
)
from matlens.microstructure.structure import MAX_PHASES

__all__ = ["Opened", "open_large", "open_microstructure", "reopened"]

_AT_ONCE = 1 << 24  # values that are counted together
_LOOKED_AT = 96  # pixels along each axis, in the middle, by which the kind of values is told where counts do not tell
_WHOLE = {
    "channel": None,
    "data_bar": None,
    "mask": None,
    "flatten": None,
    "median": 0,
    "min_object": 0,
    "min_hole": 0,
    "fill_mask": 0,
    "downsample": 1,
}
"""Options of steps that look at the whole picture, and their values where these are not asked for."""


@dataclass(frozen=True, eq=False)
class Opened:
    """A large volume whose phases are known.

    Parameters
    ----------
    microstructure : LargeMicrostructure
        The phases, which are read in blocks.
    understood : Understood
        What was understood of the file.

    Examples
    --------
    >>> list(Opened.__annotations__)
    ['microstructure', 'understood']
    """

    microstructure: LargeMicrostructure
    understood: Understood

    @property
    def mapping(self) -> dict[float, int]:
        """Phase of each value of the file; empty where thresholds separate the phases."""
        label = self.microstructure.label
        return dict(zip(label.values, label.phases)) if isinstance(label, _Labels) else {}

    def to_settings(self) -> dict[str, Any]:
        """Return what `reopened` needs to read the same phases without another passage through the file.

        Returns
        -------
        dict
            Plain values, for a JSON file.
        """
        m = self.microstructure
        way = {"labels": asdict(m.label)} if isinstance(m.label, _Labels) else {"cut": asdict(cast(_Cut, m.label))}
        facts = {"spacing": m.spacing, "unit": m.unit, "phase_names": m.phase_names, "periodic": m.periodic}
        return {"way": way, "facts": facts, "understood": self.understood.to_settings()}


@dataclass(frozen=True)
class _Labels:
    """Turn values of the file into phases: the place of each among those that were found."""

    values: tuple[float, ...]
    phases: tuple[int, ...]

    def __call__(self, values: NDArray[Any]) -> NDArray[np.uint8]:
        known, phases = np.array(self.values), np.array(self.phases, dtype=np.uint8)
        if values.dtype == np.uint8:
            table = np.full(256, MAX_PHASES, dtype=np.uint8)
            table[known.astype(int)] = phases
            found = table[values]
            changed = bool((found == MAX_PHASES).any())
        else:
            place = np.minimum(np.searchsorted(known, values), known.size - 1)
            found, changed = phases[place], bool((known[place] != values).any())
        if changed:
            raise InputError("the file holds values that it did not hold when it was opened; open it again.")
        return np.asarray(found)


@dataclass(frozen=True)
class _Cut:
    """Turn grey values into phases by thresholds."""

    levels: tuple[float, ...]
    inverted: bool

    def __call__(self, values: NDArray[Any]) -> NDArray[np.uint8]:
        found = np.zeros(values.shape, dtype=np.uint8)
        grey = values.astype(np.float32, copy=False)
        for level in self.levels:  # as `digitize` does, without whole numbers of eight bytes
            found += grey > np.float64(level)
        return (len(self.levels) - found).astype(np.uint8) if self.inverted else found


def open_large(
    path: str | os.PathLike[str],
    options: CleaningOptions | None = None,
    *,
    dataset: str | None = None,
    progress: Progress | None = None,
) -> Opened:
    """Open a file of labels or grey values whose phases are read in blocks.

    Parameters
    ----------
    path : path-like
        As for `open_image`.
    options : CleaningOptions, optional
        Options of the segmentation: slice, crop, threshold, phases, invert, spacing and unmasked. Others need the whole
        picture. The crop is taken before anything is read.
    dataset : str, optional
        Name of the array, in files that hold several.
    progress : Progress, optional
        Shows how much of the file has been looked at.

    Returns
    -------
    Opened
        The phases, and what was understood.

    Raises
    ------
    InputError
        If the file cannot be opened, an option needs the whole picture, values are not known everywhere, or grey values
        need a threshold.

    Examples
    --------
    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "labels.npy"
    >>> np.save(path, np.tile(np.array([0, 255], dtype=np.uint8), (4, 8, 4)))
    >>> print(open_large(path, CleaningOptions(crop="0:6,0:8,1:4")).understood)
    labels.npy: NPY, 3-D, 3 x 8 x 6 px (slices x rows x columns), labels; voxel size unknown; phases: 0 = value 0
    (0.500), 1 = value 255 (0.500)
    """
    options, name = options or CleaningOptions(), Path(path).name
    _check_options(options)
    opened = open_image(path, dataset=dataset)
    steps = list(opened.image.notes)
    framed = _framed(opened, options, steps)
    image = scaled(framed.image, options, steps)
    values, counts = counted(framed.values, name, options, progress or Silent())
    wanted = None if options.threshold is None else parse_threshold(options.threshold)
    if wanted is None:
        _check_labels(framed.values, values, image, name)
    thresholds: tuple[float, ...] = ()
    mapping: dict[float, int] = {}
    if wanted:
        thresholds = wanted if isinstance(wanted, tuple) else thresholds_of_counts(values, counts, wanted, name)
        label: Any = _Cut(thresholds, options.invert)
        steps.append(f"Phases were separated at grey {', '.join(map(grey_text, thresholds))} ({options.threshold}).")
        found = tuple(f"phase {k}" for k in range(len(thresholds) + 1))
    else:
        labels, mapping, found = image_labels(replace(image, values=values), name)
        if options.invert:
            last = len(found) - 1
            labels = (last - labels).astype(np.uint8)
            mapping = {float(value): int(phase) for value, phase in zip(values, labels)}
            found = tuple(
                f"phase {k}" if found[last - k] == f"phase {last - k}" else found[last - k] for k in range(last + 1)
            )
        if mapping:
            steps.append(f"Values were mapped to phases: {', '.join(f'{v:g} -> {k}' for v, k in mapping.items())}.")
        label = _Labels(tuple(float(value) for value in values), tuple(int(phase) for phase in labels))
    if options.invert:
        steps.append("The order of the phases was reversed.")
    if options.phase_names and len(options.phase_names) != len(found):
        raise InputError(f"{name} has {len(found)} phases and --phases names {len(options.phase_names)}; name each.")
    shares = np.bincount(label(values), weights=counts, minlength=len(found)) / counts.sum()
    if np.count_nonzero(shares) < 2:
        raise InputError(
            f"{name} holds one phase only (every pixel is the same); a microstructure needs at least two, check the "
            "file, the threshold and the crop."
        )
    names = options.phase_names or found
    whole = tuple(framed.values.shape) == tuple(opened.values.shape)
    spacing = image.spacing or (1.0,) * len(framed.values.shape)
    structure = LargeMicrostructure(
        framed.values, tuple(spacing), image.unit or "px", tuple(names), image.periodic and whole, label
    )
    phases = meanings_of(len(names), thresholds, mapping, inverted=options.invert)
    understood = Understood(
        name,
        image.format,
        "grey" if thresholds else "labels",
        structure.shape,
        structure.spacing if image.spacing is not None else None,
        structure.unit,
        image.scale,
        tuple(PhaseFound(phase, meaning, float(share)) for phase, meaning, share in zip(names, phases, shares)),
        tuple(steps),
    )
    return Opened(structure, understood)


def reopened(
    path: str | os.PathLike[str], options: CleaningOptions, stored: Mapping[str, Any], *, dataset: str | None = None
) -> Opened:
    """Open a file again whose phases are known.

    Parameters
    ----------
    path : path-like
        The file.
    options : CleaningOptions
        The options with which it was opened.
    stored : mapping
        What `Opened.to_settings` returned.
    dataset : str, optional
        Name of the array, in files that hold several.

    Returns
    -------
    Opened
        The same phases.

    Raises
    ------
    InputError
        If the file cannot be opened.

    Examples
    --------
    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "labels.npy"
    >>> np.save(path, np.tile(np.array([0, 255], dtype=np.uint8), (4, 8, 4)))
    >>> stored = open_large(path).to_settings()
    >>> reopened(path, CleaningOptions(), stored).microstructure
    LargeMicrostructure(4 x 8 x 8, 2 phases, 1 px)
    """
    framed, facts = _framed(open_image(path, dataset=dataset), options, []), stored["facts"]
    ways: dict[str, Any] = {"labels": _Labels, "cut": _Cut}
    ((kind, way),) = stored["way"].items()
    label = ways[kind](**{name: tuple(value) if isinstance(value, list) else value for name, value in way.items()})
    m = LargeMicrostructure(
        framed.values, tuple(facts["spacing"]), facts["unit"], tuple(facts["phase_names"]), facts["periodic"], label
    )
    return Opened(m, Understood.from_settings(stored["understood"]))


@checked_arguments
def open_microstructure(
    path: str | os.PathLike[str],
    *,
    spacing: float | Sequence[float] | str | None = None,
    unit: str | None = None,
    dataset: str | None = None,
    threshold: str | float | Sequence[float] | None = None,
    segmentation: CleaningOptions | None = None,
    **cleaning: Any,
) -> LargeMicrostructure:
    """Open a microstructure that need not fit into memory; blocks of it are read when they are needed.

    Parameters
    ----------
    path : path-like
        A file of TIFF, NPY, HDF5, Zarr (with the extra ``volumes``) or raw numbers, or a folder with slices.
    spacing : float or sequence of float or str, optional
        Size of a pixel along each axis; replaces the one from the file.
    unit : str, optional
        Unit of the spacing; replaces the one from the file.
    dataset : str, optional
        Name of the array, in files that hold several.
    threshold : str or float or sequence of float, optional
        How grey values become phases, as for `read_microstructure`.
    segmentation : CleaningOptions, optional
        All options of the segmentation in one object.
    **cleaning
        The other options by name: ``slice``, ``crop``, ``phases``, ``invert``, ``unmasked``.

    Returns
    -------
    LargeMicrostructure
        The structure, for `characterize_in_blocks`; ``crop`` of it reads a part.

    Raises
    ------
    InputError
        If the file cannot be opened, or an option needs the whole picture.

    See Also
    --------
    read_microstructure : the same of files that fit.

    Examples
    --------
    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "labels.npy"
    >>> np.save(path, np.tile(np.array([0, 255], dtype=np.uint8), (4, 8, 4)))
    >>> open_microstructure(path, spacing=2.8, unit="um", phases="pore,solid")
    LargeMicrostructure(4 x 8 x 8, 2 phases, 2.8 um)
    """
    asked = asked_options(segmentation or CleaningOptions(), threshold, cleaning)
    if isinstance(spacing, str):
        asked, spacing = replace(asked, spacing=spacing), None
    found = open_large(path, asked, dataset=dataset).microstructure
    steps = found.spacing if spacing is None else tuple(np.broadcast_to(spacing, (found.ndim,)).tolist())
    name = found.unit if unit is None else normal_unit(unit)
    return LargeMicrostructure(found.values, steps, name, found.phase_names, found.periodic, found.label)


def _check_options(options: CleaningOptions) -> None:
    asked = [f"--{name.replace('_', '-')}" for name, none in _WHOLE.items() if getattr(options, name) not in (none, 0)]
    if options.crop is not None and parse_crop(options.crop) is None:
        asked.append("--crop auto")
    asked = [name for name in asked if (name, options.downsample) != ("--downsample", 1)]
    if asked:
        raise InputError(
            f"{', '.join(asked)}: such steps look at the whole picture, and of a volume in blocks only a part is in "
            "memory; leave them out, or --crop to what fits."
        )


def _framed(opened: OpenImage, options: CleaningOptions, steps: list[str]) -> OpenImage:
    """Take the slice and the crop that are asked for, before anything is read."""
    values, image = opened.values, opened.image
    shape = tuple(values.shape)
    if options.slice is not None:
        axis, position = parse_slice(options.slice)
        if len(shape) != 3:
            raise InputError(f"a slice is taken of a volume, and this picture has shape {shape}; leave out --slice.")
        if not -shape[axis] <= position < shape[axis]:
            raise InputError(
                f"there is no slice {options.slice}; the volume has {shape[axis]} along {'xyz'[-1 - axis]}."
            )
        steps.append(f"Slice {options.slice} was taken of a volume of {shape_text(shape)}.")
        box = [slice(0, side) for side in shape]
        box[axis] = slice(position % shape[axis], position % shape[axis] + 1)
        values, image = _taken(values, image, box, [axis % 3])
        shape = tuple(values.shape)
    if options.crop is not None:
        slices = parse_crop(options.crop) or ()
        ends = [part.indices(side)[:2] for part, side in zip(slices, shape)]
        if len(slices) != len(shape) or any(low >= high for low, high in ends):
            raise InputError(f"the crop {options.crop!r} leaves nothing of a picture of shape {shape}.")
        beyond = any((end or 0) > side for part, side in zip(slices, shape) for end in (part.start, part.stop))
        said = ", as the crop that was asked for reaches beyond the picture" if beyond else ""
        steps.append(f"Cropped {extent_text(slices, shape)} out of {shape_text(shape)}{said}.")
        thin = [axis for axis, (low, high) in enumerate(ends) if high - low == 1]
        dropped = thin if len(shape) == 3 and len(thin) == 1 else []  # one slice is a picture
        values, image = _taken(values, image, [slice(*pair) for pair in ends], dropped)
    return OpenImage(values, image)


def _taken(values: BlockArray, image: Image, box: Sequence[slice], dropped: Sequence[int]) -> tuple[BlockArray, Image]:
    part = PartOf(values, box, dropped)
    spacing = image.spacing
    if spacing is not None:
        spacing = tuple(step for axis, step in enumerate(spacing) if axis not in dropped)
    return part, replace(image, values=stand_in(part.shape, part.dtype), spacing=spacing)


def _check_labels(values: BlockArray, distinct: NDArray[Any], image: Image, name: str) -> None:
    """Refuse values that are no labels: by their number, else by the middle of the volume."""
    sides = values.shape
    starts = [max((side - _LOOKED_AT) // 2, 0) for side in sides]
    box = tuple(slice(start, min(start + _LOOKED_AT, side)) for start, side in zip(starts, sides))
    few = distinct.size <= 2 or image.phase_names is not None
    consecutive = distinct.dtype.kind in "bui" and int(distinct[-1]) - int(distinct[0]) == distinct.size - 1
    if few or (distinct.size <= MAX_PHASES and not image.lossy and (consecutive or distinct.size == 3)):
        return
    kind = "grey" if distinct.size > MAX_PHASES else kind_of(replace(image, values=values[box])).name
    if kind != "labels":
        raise InputError(
            f"{name} holds {distinct.size} different values, and no labels by its middle; give --threshold otsu, "
            "grey values between the phases (--threshold v1,v2), or --threshold labels, if every value is a phase."
        )
