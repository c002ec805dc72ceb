"""Reading of an input file with segmentation, as every command does it."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import fields, replace
from difflib import get_close_matches
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from matlens.core.arguments import checked_arguments
from matlens.core.units import normal_unit
from matlens.errors import InputError
from matlens.microstructure.io.image import Image, checked_image
from matlens.microstructure.io.labels import single_channel
from matlens.microstructure.io.reading import read_image
from matlens.microstructure.segmentation import CleaningOptions, Segmentation, segment
from matlens.microstructure.structure import Microstructure

__all__ = ["asked_options", "load", "read_microstructure"]


def load(
    path: str | os.PathLike[str] | ArrayLike,
    options: CleaningOptions | None = None,
    *,
    dataset: str | None = None,
    propose: bool = False,
) -> Segmentation:
    """Read a file and segment it into phases.

    Parameters
    ----------
    path : path-like, or array_like of shape (y, x) or (z, y, x)
        See `read_image`; or the values themselves, which are treated as those of a file without a scale.
    options : CleaningOptions, optional
        Options of the segmentation; by default no step is applied, and the file must hold labels.
    dataset : str, optional
        Name of the array, in files that hold several.
    propose : bool
        Whether a grey picture without a threshold is segmented as proposed instead of refused.

    Returns
    -------
    Segmentation
        The microstructure, with a record of the steps.

    Raises
    ------
    InputError
        If the file cannot be read (see `read_image`) or segmented (see `segment`).

    Examples
    --------
    >>> import tempfile
    >>> import numpy as np
    >>> path = Path(tempfile.mkdtemp()) / "labels.npy"
    >>> np.save(path, np.array([[0, 85], [170, 85]]))
    >>> load(path).steps
    ('Values were mapped to phases: 0 -> 0, 85 -> 1, 170 -> 2.',)
    """
    options = options or CleaningOptions()
    if isinstance(path, str | os.PathLike):
        image, name = read_image(path, dataset=dataset), Path(path).name
    else:
        name = "the array"
        image = checked_image(Image(np.asarray(path)), name)
    mask = None
    if options.mask is not None:
        mask = single_channel(read_image(options.mask), "grey").values
    return segment(image, options, mask=mask, name=name, propose=propose)


@checked_arguments
def read_microstructure(
    path: str | os.PathLike[str],
    *,
    spacing: float | Sequence[float] | str | None = None,
    unit: str | None = None,
    dataset: str | None = None,
    threshold: str | float | Sequence[float] | None = None,
    segmentation: CleaningOptions | None = None,
    **cleaning: Any,
) -> Microstructure:
    """Read a microstructure from a file of labels, or segment a raw micrograph.

    Parameters
    ----------
    path : path-like
        A file of one of the formats of `read_image`, or a folder with the slices of a volume.
    spacing : float or sequence of float or str, optional
        Size of a pixel of the result along each axis; replaces the one from the file. As a text with a unit, such as
        ``"0.35um"``, it is the size of a pixel of the file.
    unit : str, optional
        Unit of the spacing; replaces the one from the file.
    dataset : str, optional
        Name of the array, in files that hold several.
    threshold : str or float or sequence of float, optional
        How grey values become phases: ``"otsu"``, ``"multiotsu:3"``, or the grey values between the phases. By default
        the file must hold labels.
    segmentation : CleaningOptions, optional
        All options of the segmentation in one object, such as one of `matlens.segment`.
    **cleaning
        The other options of `CleaningOptions` by name, as on the command line: ``crop``, ``data_bar``, ``flatten``,
        ``median``, ``min_object``, ``phases`` and so on; they replace those of ``segmentation``.

    Returns
    -------
    Microstructure
        Labels 0..K-1 in two or three dimensions, with a mask where pixels hold no number, points were not indexed, or
        the file shows a round field of view.

    Raises
    ------
    InputError
        If the file cannot be read, holds grey values and no threshold is given, or holds only one phase, or an option
        is unknown.

    Examples
    --------
    >>> import tempfile
    >>> import numpy as np
    >>> path = Path(tempfile.mkdtemp()) / "labels.npy"
    >>> np.save(path, np.array([[0, 255], [255, 255]]))
    >>> read_microstructure(path, spacing=2.8, unit="um")
    Microstructure(2 x 2, 2 phases, 2.8 um)
    >>> np.save(path, np.arange(64).reshape(8, 8))
    >>> read_microstructure(path, threshold=15.5, spacing="0.35um", downsample=2, phases="dark,bright")
    Microstructure(4 x 4, 2 phases, 0.7 um)
    """
    asked = asked_options(segmentation or CleaningOptions(), threshold, cleaning)
    if isinstance(spacing, str):
        asked, spacing = replace(asked, spacing=spacing), None
    found = load(path, asked, dataset=dataset).microstructure
    if spacing is None and unit is None:
        return found
    step = found.spacing if spacing is None else spacing
    name = found.unit if unit is None else normal_unit(unit)
    return Microstructure(found.labels, step, name, found.phase_names, found.periodic, found.mask)


def asked_options(
    options: CleaningOptions, threshold: str | float | Sequence[float] | None, others: dict[str, Any]
) -> CleaningOptions:
    """Complete options by those that are given by name.

    Parameters
    ----------
    options : CleaningOptions
        The options.
    threshold : str or float or sequence of float, optional
        How grey values become phases.
    others : dict
        Other options by name.

    Returns
    -------
    CleaningOptions
        All of them.

    Raises
    ------
    InputError
        If an option is unknown.

    Examples
    --------
    >>> asked_options(CleaningOptions(), 120, {"median": 3}).settings()
    {'median': 3, 'threshold': '120'}
    """
    known = [field.name for field in fields(options)]
    for name in others:
        if name not in known:
            near = get_close_matches(name, known, n=1)
            raise InputError(
                f"found the option {name!r} of reading; "
                + (f"did you mean {near[0]!r}?" if near else f"choose from {', '.join(known)}.")
            )
    if threshold is not None:
        values = [threshold] if isinstance(threshold, str | float | int) else threshold
        others = {**others, "threshold": ",".join(map(str, values))}
    return replace(options, **others)
