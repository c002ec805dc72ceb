"""Planes of volumes, by which they are compared with images."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from matlens.core.user_text import listed
from matlens.microstructure.axes import AXES
from matlens.microstructure.structure import Microstructure

__all__ = ["PLANES", "joint_of_planes", "planes_of", "shown_planes"]

PLANES = 3  # along each axis: a few correlation lengths lie between them, and all of them are judged together


def shown_planes(shape: Sequence[int]) -> list[tuple[int, int]]:
    """Choose planes of a volume that lie far apart.

    Parameters
    ----------
    shape : sequence of int
        Sides of the volume.

    Returns
    -------
    list of (int, int)
        Axis, and number of the plane along it: three for each axis, in the middles of its thirds.

    Examples
    --------
    >>> shown_planes((32, 64, 64))[:4]
    [(0, 5), (0, 16), (0, 26), (1, 10)]
    """
    return [(axis, int((i + 0.5) * side / PLANES)) for axis, side in enumerate(shape) for i in range(PLANES)]


def planes_of(
    volumes: Sequence[Microstructure], axes: Sequence[int] = (0, 1, 2)
) -> tuple[list[Microstructure], list[str], tuple[str, ...]]:
    """Cut planes from volumes, all of one size.

    Parameters
    ----------
    volumes : sequence of Microstructure
        Volumes.
    axes : sequence of int
        Axes that the planes are normal to.

    Returns
    -------
    planes : list of Microstructure
        The planes, cropped to the size that all have.
    names : list of str
        Where each plane lies, such as ``at z = 5``; of several volumes, the number of the volume first.
    said : tuple of str
        Which planes they are, one sentence.

    Examples
    --------
    >>> volume = Microstructure(np.random.default_rng(0).integers(2, size=(16, 24, 24)))
    >>> planes, names, said = planes_of([volume])
    >>> len(planes), planes[0].shape, names[3]
    (9, (16, 24), 'at y = 4')
    """
    found, names, said = [], [], []
    for number, volume in enumerate(volumes):
        chosen = [(axis, place) for axis, place in shown_planes(volume.shape) if axis in axes]
        found += [volume[(*[slice(None)] * axis, place)] for axis, place in chosen]
        names += [f"{number} " * (len(volumes) > 1) + f"at {AXES[axis]} = {place}" for axis, place in chosen]
        words = ", ".join(
            f"{AXES[axis]} = {', '.join(str(place) for other, place in chosen if other == axis)}" for axis in axes
        )
        said.append(f"The volume is judged by its planes at {words}.")
    sides = np.min([plane.shape for plane in found], axis=0)
    whole = [slice(int(side)) for side in sides]
    if any(plane.shape != tuple(sides) for plane in found):
        said.append(f"All planes were cropped to {' x '.join(map(str, sides))} px, the size that all of them have.")
    return [plane.crop(*whole) for plane in found], names, tuple(dict.fromkeys(said))


def joint_of_planes(joints: Mapping[str, str]) -> tuple[str, str]:
    """Join the verdicts on planes normal to several axes.

    Parameters
    ----------
    joints : mapping of str to str
        "equivalent", "different" or "undecided" by the axis that the planes are normal to.

    Returns
    -------
    joint : str
        "equivalent" if all are, "different" if one is, else "undecided".
    sentence : str
        The verdict in words.

    Examples
    --------
    >>> joint_of_planes({"z": "equivalent", "x": "undecided"})
    ('undecided', 'Not decided: of the planes, each against sections of its own, those normal to x are open.')
    """
    by_verdict = {verdict: [axis for axis, found in joints.items() if found == verdict] for verdict in joints.values()}
    whole = f"those normal to {listed(list(joints))}"
    if set(by_verdict) == {"equivalent"}:
        return "equivalent", f"Equivalent: all planes are, each against sections of its own, {whole}."
    verdict, word, begun = (
        ("different", "different", "Different") if "different" in by_verdict else ("undecided", "open", "Not decided")
    )
    own = listed(by_verdict[verdict])
    return verdict, f"{begun}: of the planes, each against sections of its own, those normal to {own} are {word}."
