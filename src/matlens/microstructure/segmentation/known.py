"""Which pixels of an image are known, before any other step: what the file, a mask and the picture itself say."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from matlens.errors import InputError
from matlens.microstructure.io import Image
from matlens.microstructure.io.image import NOT_INDEXED
from matlens.microstructure.segmentation.round_field import round_field

__all__ = ["from_nearest", "with_known"]


def with_known(image: Image, mask: NDArray[Any] | None, steps: list[str], *, unmasked: bool) -> Image:
    """Join all masks of an image, and give pixels that are masked the value of the nearest that is not.

    So no value behind a mask is taken for a phase, for grey or for a border. Masked are, besides what the file says
    and ``mask``, points of a scan that were not indexed (if the others are of several phases) and what lies outside a
    round field of view.

    Parameters
    ----------
    image : Image
        An image without a colour axis.
    mask : ndarray, optional
        Zero where the image is not to be used, in its shape.
    steps : list of str
        A sentence is added for each reason to mask.
    unmasked : bool
        Whether points that were not indexed are a phase, and the outside of a round field of view counts as sample.

    Returns
    -------
    Image
        The image; ``valid`` is None where every pixel is known.

    Raises
    ------
    InputError
        If the mask has another shape, or nothing is left.

    Examples
    --------
    >>> steps = []
    >>> found = with_known(Image(np.array([[1, 2, -1]]), value_names={-1: "not indexed"}), None, steps, unmasked=False)
    >>> found.values.tolist(), found.valid.tolist(), steps
    ([[1, 2, 2]], [[True, True, False]], ['33.3% of the points were not indexed and are masked.'])
    """
    values = image.values
    if mask is not None and mask.shape != values.shape:
        raise InputError(f"the mask has shape {mask.shape}, expected that of the picture, {values.shape}; resize it.")
    valid = np.ones(values.shape, dtype=bool) if image.valid is None else image.valid.copy()
    if mask is not None:
        given = np.asarray(mask) != 0
        valid &= given
        if not given.all():
            steps.append(f"The mask excludes {1 - given.mean():.1%} of the pixels.")
    lost = [value for value, name in image.value_names.items() if name == NOT_INDEXED]
    if (out := np.isin(values, lost) if lost else None) is not None and out.any():
        alone = np.unique(values[~out]).size < 2
        if not (unmasked or alone):
            valid &= ~out
        fate = "are masked" if not (unmasked or alone) else "are a phase of their own"
        why = ", because all others are of one phase" if alone and not unmasked else ""
        steps.append(f"{out.mean():.1%} of the points were not indexed and {fate}{why}.")
    field = None if unmasked or not valid.all() else round_field(values)
    if field is not None:
        valid &= field.valid
        steps.append(
            f"All pixels outside a circle of {field.diameter:.0f} pixels have the value {field.value:g}, as around a "
            "round field of view: they are masked, unless --unmasked says that they are sample."
        )
    if not valid.any():
        raise InputError("the mask leaves nothing of the picture; it must be non-zero where the picture is to be used.")
    if valid.all():
        return replace(image, valid=None)
    return replace(image, values=from_nearest(values, valid), valid=valid)


def from_nearest(values: NDArray[Any], valid: NDArray[np.bool_]) -> NDArray[Any]:
    """Replace values that are not valid by the nearest valid one; in a volume, of the same slice.

    Parameters
    ----------
    values : ndarray
        Shape (y, x) or (z, y, x).
    valid : ndarray of bool
        Same shape; some pixel is valid.

    Returns
    -------
    ndarray
        A copy of the values; slices without a valid pixel take the first valid value of all.

    Examples
    --------
    >>> from_nearest(np.array([[5, 7, 0, 0]]), np.array([[True, True, False, False]])).tolist()
    [[5, 7, 7, 7]]
    """
    from scipy.ndimage import distance_transform_edt

    planes, known = (array.reshape(-1, *array.shape[-2:]) for array in (values, valid))
    found = np.where(known, planes, values[valid][0])
    nearest: tuple[NDArray[Any], ...] = ()
    before: NDArray[np.bool_] | None = None
    for plane, shown in zip(found, known):
        if shown.all() or not shown.any():
            continue
        if before is None or not np.array_equal(shown, before):  # the same in every slice of most volumes
            nearest = tuple(distance_transform_edt(~shown, return_distances=False, return_indices=True))
            before = shown
        plane[...] = plane[nearest]
    return np.asarray(found.reshape(values.shape), dtype=values.dtype)
