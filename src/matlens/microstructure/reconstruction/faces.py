"""Sections of a volume by the names of their planes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from matlens.errors import InputError
from matlens.microstructure.axes import AXES
from matlens.microstructure.reconstruction.plane_names import plane_names
from matlens.microstructure.structure import Microstructure

__all__ = ["Faces", "at_one_spacing", "faces_of"]

Faces = tuple[tuple[int, ...], ...]
"""For each axis of a volume, the numbers of the sections that planes normal to it resemble."""


def faces_of(named: Mapping[str, Sequence[Microstructure]]) -> tuple[list[Microstructure], Faces, list[str]]:
    """Assign sections to the axes of a volume.

    Parameters
    ----------
    named : mapping of str to sequence of Microstructure
        Sections by the names of their planes, as for `plane_names`.

    Returns
    -------
    sections : list of Microstructure
        The sections; rows and columns are the axes of the volume in the order z, y, x.
    faces : tuple
        For each axis of the volume, the numbers of the sections normal to it.
    said : list of str
        How each was taken, one sentence each.

    Raises
    ------
    InputError
        If a name is not understood, or two sections are given for one plane.

    Examples
    --------
    >>> section = Microstructure([[0, 1, 1], [1, 1, 0]])
    >>> sections, faces, said = faces_of({"xy": [section], "zx,zy": [section]})
    >>> [one.shape for one in sections], faces
    ([(2, 3), (3, 2)], ((0,), (1,), (1,)))
    >>> said[0]
    'plane xy: x grows with the column, y with the row'
    """
    sections: list[Microstructure] = []
    faces: list[list[int]] = [[], [], []]
    said: list[str] = []
    for text, own in named.items():
        for name in plane_names(text):
            column, row = name[0], name[1]
            axis = AXES.index(next(iter(set(AXES) - set(name))))
            if faces[axis]:
                raise InputError(f"the planes normal to {AXES[axis]} are given twice; give all their sections once.")
            turned = AXES.index(column) < AXES.index(row)
            for one in own:
                section = _turned(one) if turned else one
                known = next((i for i, other in enumerate(sections) if other is section or other == section), None)
                if known is None:
                    sections.append(section)
                    known = len(sections) - 1
                faces[axis].append(known)
            said.append(f"plane {name}: {column} grows with the column, {row} with the row")
    return sections, tuple(map(tuple, faces)), said


def at_one_spacing(sections: Sequence[Microstructure]) -> tuple[list[Microstructure], list[str]]:
    """Bring sections to square pixels of one size, the largest among them: finer ones hold what coarser ones lack.

    Parameters
    ----------
    sections : sequence of Microstructure
        The sections.

    Returns
    -------
    sections : list of Microstructure
        The sections at one spacing; those that had it are unchanged.
    said : list of str
        What was done, one sentence for each section that was changed.

    Raises
    ------
    InputError
        If one has a unit of length and another has not.

    Examples
    --------
    >>> import numpy as np
    >>> fine, coarse = (Microstructure(np.eye(4, dtype=int), spacing=step, unit="um") for step in (0.5, 1.0))
    >>> found, said = at_one_spacing([fine, coarse])
    >>> found[0]
    Microstructure(2 x 2, 2 phases, 1 um)
    >>> print(said[0])
    section 1 was averaged from pixels of 0.5 um to the volume's of 1 um
    """
    unit = sections[0].unit
    if len({one.in_unit(unit).unit for one in sections}) > 1:
        raise InputError(
            f"the sections have pixel sizes in {', '.join(dict.fromkeys(one.unit for one in sections))}; give all of "
            "them a pixel size in a unit of length, or none."
        )
    alike = [one.in_unit(unit) for one in sections]
    spacing = max(step for one in alike for step in one.spacing)
    found, said = [], []
    for number, one in enumerate(alike, 1):
        if np.allclose(one.spacing, spacing, rtol=1e-6):
            found.append(one)
            continue
        size = [max(1, round(side * step / spacing)) for side, step in zip(one.shape, one.spacing)]
        found.append(_averaged(one, size, spacing))
        before = " x ".join(f"{step:g}" for step in dict.fromkeys(one.spacing))
        said.append(
            f"section {number} was averaged from pixels of {before} {unit} to the volume's of {spacing:g} {unit}"
        )
    return found, said


def _averaged(section: Microstructure, size: Sequence[int], spacing: float) -> Microstructure:
    """Average the indicators over larger pixels, each of which takes the phase that has most of it."""
    from scipy import ndimage  # the command line reads names of planes without it

    ratio = [side / new for side, new in zip(section.shape, size)]
    amounts = []
    for indicator in section.indicators().astype(float):
        smooth = ndimage.uniform_filter(indicator, [max(1, round(r)) for r in ratio], mode="nearest")
        places = [np.minimum((np.arange(new) + 0.5) * r - 0.5, side - 1) for new, r, side in
                  zip(size, ratio, section.shape)]  # fmt: skip
        amounts.append(ndimage.map_coordinates(smooth, np.meshgrid(*places, indexing="ij"), order=1, mode="nearest"))
    stacked = np.stack(amounts)
    mask = None if section.mask is None else stacked.sum(axis=0) >= 0.5
    return Microstructure(stacked.argmax(axis=0), spacing, section.unit, section.phase_names, False, mask)


def _turned(section: Microstructure) -> Microstructure:
    """The section with rows and columns exchanged."""
    mask = None if section.mask is None else section.mask.T
    return Microstructure(section.labels.T, section.spacing[::-1], section.unit, section.phase_names, False, mask)
