"""Reading of an input file with segmentation, as every command does it."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from matlens.core.arguments import checked_arguments
from matlens.core.units import normal_unit
from matlens.microstructure.io.labels import single_channel
from matlens.microstructure.io.reading import read_image
from matlens.microstructure.segmentation import CleaningOptions, Segmentation, segment
from matlens.microstructure.structure import Microstructure

__all__ = ["load", "read_microstructure"]


def load(
    path: str | os.PathLike[str],
    options: CleaningOptions | None = None,
    *,
    dataset: str | None = None,
    propose: bool = False,
) -> Segmentation:
    """Read a file and segment it into phases.

    Parameters
    ----------
    path : path-like
        See `read_image`.
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
    image = read_image(path, dataset=dataset)
    mask = None
    if options.mask is not None:
        mask = single_channel(read_image(options.mask), "grey").values
    return segment(image, options, mask=mask, name=Path(path).name, propose=propose)


@checked_arguments
def read_microstructure(
    path: str | os.PathLike[str],
    *,
    spacing: float | Sequence[float] | None = None,
    unit: str | None = None,
    dataset: str | None = None,
    segmentation: CleaningOptions | None = None,
) -> Microstructure:
    """Read a microstructure from a file of labels, or segment a raw micrograph.

    Parameters
    ----------
    path : path-like
        A file of one of the formats of `read_image`, or a folder with the slices of a volume.
    spacing : float or sequence of float, optional
        Size of a pixel of the result along each axis; replaces the one from the file.
    unit : str, optional
        Unit of the spacing; replaces the one from the file.
    dataset : str, optional
        Name of the array, in files that hold several.
    segmentation : CleaningOptions, optional
        Options of the segmentation of a raw micrograph; by default the file must hold labels.

    Returns
    -------
    Microstructure
        Labels 0..K-1 in two or three dimensions, with a mask where pixels hold no number, points were not indexed, or
        the file shows a round field of view.

    Raises
    ------
    InputError
        If the file cannot be read, holds grey values and no threshold is given, or holds only one phase.

    Examples
    --------
    >>> import tempfile
    >>> import numpy as np
    >>> path = Path(tempfile.mkdtemp()) / "labels.npy"
    >>> np.save(path, np.array([[0, 255], [255, 255]]))
    >>> read_microstructure(path, spacing=2.8, unit="um")
    Microstructure(2 x 2, 2 phases, 2.8 um)
    """
    found = load(path, segmentation, dataset=dataset).microstructure
    if spacing is None and unit is None:
        return found
    step = found.spacing if spacing is None else spacing
    name = found.unit if unit is None else normal_unit(unit)
    return Microstructure(found.labels, step, name, found.phase_names, found.periodic, found.mask)
