"""Known planes of a volume, which a reconstruction keeps as they are and continues."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from matlens.core.units import is_length
from matlens.errors import InputError
from matlens.microstructure.axes import AXES
from matlens.microstructure.reconstruction.phases import phase_counts
from matlens.microstructure.reconstruction.plane_names import place_of
from matlens.microstructure.structure import Microstructure

__all__ = ["FREE", "Known", "check_room", "known_voxels"]

FREE = -1
"""Label of a voxel that is not known."""

Known = NDArray[np.int16]
"""Labels of a volume's known voxels, `FREE` elsewhere."""


def known_voxels(
    anchors: Mapping[str, Microstructure], shape: Sequence[int], like: Microstructure
) -> tuple[Known, tuple[str, ...]]:
    """Put known planes into a volume.

    Parameters
    ----------
    anchors : mapping of str to Microstructure
        Known planes by their place, such as ``z=0``; rows and columns are the other axes in the order z, y, x. Masked
        pixels are free.
    shape : sequence of int
        Depth, height and width of the volume in pixels.
    like : Microstructure
        Gives the volume its phases, spacing and unit.

    Returns
    -------
    known : ndarray of int16, shape ``shape``
        Labels of the known voxels, `FREE` elsewhere.
    said : tuple of str
        How each plane was taken, one sentence each.

    Raises
    ------
    InputError
        If a place is not understood or lies outside the volume, a plane has not the size, the spacing or the phases of
        the volume, or planes that cross differ where they do.

    Examples
    --------
    >>> plane = Microstructure([[0, 1], [1, 1]])
    >>> known, said = known_voxels({"y=2": plane}, (2, 3, 2), plane)
    >>> known[:, 2].tolist(), int((known == FREE).sum())
    ([[0, 1], [1, 1]], 8)
    >>> print(said[0])
    plane y=2 is kept as it was given: x grows with the column, z with the row
    """
    known = np.full(tuple(shape), FREE, dtype=np.int16)
    said = []
    for text, plane in anchors.items():
        axis, place = place_of(text)
        name = f"{AXES[axis]}={place}"
        if place >= shape[axis]:
            raise InputError(
                f"the known plane {name} lies outside the volume, which ends at {AXES[axis]}={shape[axis] - 1}; give a "
                "smaller number or a larger shape."
            )
        row, column = (other for other in range(3) if other != axis)
        _check_plane(plane, name, (shape[row], shape[column]), like)
        labels = plane.labels.astype(np.int16)  # FREE is no value of the labels' own type
        if plane.mask is not None:
            labels[~plane.mask] = FREE
        here = np.moveaxis(known, axis, 0)[place]  # a view
        crossed = here.copy()
        apart = int(((labels != FREE) & (crossed != FREE) & (labels != crossed)).sum())
        if apart:
            raise InputError(
                f"the known plane {name} differs from one that crosses it in {apart} of the voxels that both hold; "
                "give planes of one volume."
            )
        here[:] = np.where(labels == FREE, crossed, labels)
        words = f"{AXES[column]} grows with the column, {AXES[row]} with the row"
        said.append(f"plane {name} is kept as it was given: {words}")
    return known, tuple(said)


def check_room(known: Known, fractions: NDArray[np.float64]) -> None:
    """Check that the free voxels can take up what the known ones leave of each phase.

    Parameters
    ----------
    known : ndarray of int16
        Labels of the known voxels, `FREE` elsewhere.
    fractions : ndarray, shape (K,)
        Volume fractions of the whole volume.

    Raises
    ------
    InputError
        If the known voxels hold more of a phase than the whole volume should.

    Examples
    --------
    >>> check_room(np.array([[0, -1], [1, -1]], dtype=np.int16), np.array([0.5, 0.5]))
    """
    whole = phase_counts(fractions, known.size)
    held = np.bincount(known[known != FREE], minlength=len(whole))
    if (held > whole).any():
        phase = int((held - whole).argmax())
        raise InputError(
            f"the known planes hold {held[phase]} voxels of phase {phase}, but at a volume fraction of "
            f"{fractions[phase]:.4g} the whole volume has {whole[phase]}; give a larger shape or other fractions."
        )


def _check_plane(plane: Microstructure, name: str, sides: tuple[int, int], like: Microstructure) -> None:
    if plane.ndim != 2:
        raise InputError(f"found {plane!r} where the known plane {name} was expected; give an image.")
    if plane.shape != sides:
        found, wanted = (" x ".join(map(str, size)) for size in (plane.shape, sides))
        raise InputError(
            f"the known plane {name} has {found} px, but the volume has {wanted} px there; crop the image or change "
            "the shape."
        )
    if plane.n_phases != like.n_phases:
        raise InputError(
            f"the known plane {name} has {plane.n_phases} phases and the volume {like.n_phases}; give an image of the "
            "same phases."
        )
    own = plane.in_unit(like.unit)
    if is_length(plane.unit) and is_length(like.unit) and not np.allclose(own.spacing, like.spacing, rtol=1e-6):
        raise InputError(
            f"the known plane {name} has pixels of {' x '.join(f'{step:g}' for step in dict.fromkeys(own.spacing))} "
            f"{own.unit} and the volume of {like.spacing[0]:g} {like.unit}; bring the image to the volume's pixel size."
        )
