"""What the loss does not see: structures of which a section's volume has properties that are not to be believed.

The features that a reconstruction compares are the same for a wall and for a wall with a hole, for a pore that goes on
through a throat and for one that ends, and nearly the same for two grains that touch and for one. Three kinds of
section are recognised, so that a report can warn of what follows.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from matlens.microstructure.reconstruction.sections.finding import Finding
from matlens.microstructure.statistics import label_clusters
from matlens.microstructure.statistics.correlation.cluster import Connectivity
from matlens.microstructure.structure import Microstructure

__all__ = ["check_limits"]

Mask = NDArray[np.bool_]

# Walls: one connected phase, the rest in many closed cells, none of which is most of it.
_WALL_CONNECTED, _WALL_MOST, _CELLS, _LARGEST_CELL = 0.9, 0.45, 8, 0.3
_WALL_THICKNESS = 0.4  # of a cell's diameter at most: the matrix of scattered discs is thicker (0.7 and more)
# Sparse pores: Berea sandstone, whose volumes conduct as they should, has sections down to 0.13.
_SPARSE, _SPARSE_LARGEST, _THIN_SHARE = 0.12, 0.3, 0.15
_THIN = 1.5  # pixels, the radius of a piece that may be a throat
# Convex particles: discs and their packings have a likeness to ellipses of 0.90 to 0.99, level-cut fields of a fraction
# from 0.2 on of 0.73 to 0.86, and both sandstones of 0.84 at most. Of a lower fraction such fields are round drops too,
# but few of these touch.
_LIKENESS, _PARTICLES, _TOUCHING = 0.87, 12, 0.15
_SMALLEST = 20  # pixels; the shape of smaller pieces is that of the grid
_DEPTH = 0.75  # pixels, by which a neck must be narrower than what it joins


def check_limits(sections: Sequence[Microstructure]) -> list[Finding]:
    """Recognise closed walls, sparse pores and touching convex particles in sections.

    Parameters
    ----------
    sections : sequence of Microstructure
        Two-dimensional sections of one material with the same phases.

    Returns
    -------
    list of Finding
        One for each kind that was recognised, named "walls", "sparse" or "particles", none of which is ``clear``. Each
        has the number of the ``phase`` and what it was recognised by, of the section in which it was seen first.

    Notes
    -----
    Limits lie between what was measured on tessellations, packings of discs and sparse pores on one side, and on
    sandstones, a ceramic, a carbonate and level-cut fields on the other. Masked pixels count as another phase.

    Examples
    --------
    >>> from matlens.microstructure.problems import bicontinuous, cell_walls, particles
    >>> [found.check for found in check_limits([cell_walls((128, 128), diameter=20, fraction=0.25)])]
    ['walls']
    >>> [found.check for found in check_limits([particles((128, 128), fraction=0.6)])]
    ['particles']
    >>> check_limits([bicontinuous((128, 128))])
    []
    """
    found: dict[tuple[str, int], Finding] = {}
    for m in sections:
        for phase, indicator in enumerate(m.indicators()):
            for check in (_walls, _sparse, _particles):
                if finding := check(indicator, m.phase_names[phase], phase):
                    found.setdefault((finding.check, phase), finding)
    # walls of a low fraction are no sparse pores, and the cells between walls are no particles
    if any(check == "walls" for check, _ in found):
        found = {key: finding for key, finding in found.items() if key[0] == "walls"}
    return list(found.values())


def _walls(indicator: Mask, name: str, phase: int) -> Finding | None:
    fraction = float(indicator.mean())
    if not 0 < fraction <= _WALL_MOST:
        return None
    own = _sizes(indicator, "full")
    # across a wall of one pixel that runs along a diagonal, cells touch by corners, which connect nothing
    cells = _sizes(~indicator, "face")
    cells = cells[cells >= _SMALLEST]
    if cells.size < _CELLS or own.max() < _WALL_CONNECTED * own.sum() or cells.max() > _LARGEST_CELL * cells.sum():
        return None
    diameter = float(np.sqrt(4 / np.pi * (cells**2.0).sum() / cells.sum()))
    thickness = float(np.quantile(2 * ndimage.distance_transform_edt(indicator)[indicator], 0.95))
    if thickness > _WALL_THICKNESS * diameter:
        return None
    sentence = (
        f"The section shows a closed network of walls ({name}) around {cells.size} cells; in a volume such walls get "
        "holes that nothing penalises, so do not believe its number and sizes of cells, nor what passes through walls."
    )
    numbers = {"phase": phase, "cells": cells.size, "diameter": diameter, "thickness": thickness}
    return Finding("walls", sentence, {k: float(v) for k, v in numbers.items()}, clear=False)


def _sparse(indicator: Mask, name: str, phase: int) -> Finding | None:
    fraction = float(indicator.mean())
    if not 0 < fraction < _SPARSE:
        return None
    labels, count = label_clusters(indicator, connectivity="full")
    sizes = np.bincount(labels.ravel())[1:]
    radii = ndimage.maximum(ndimage.distance_transform_edt(indicator), labels, np.arange(1, count + 1))
    thin = float((np.asarray(radii) <= _THIN).mean())
    if sizes.max() > _SPARSE_LARGEST * sizes.sum() or thin < _THIN_SHARE:
        return None
    sentence = (
        f"{name} fills {100 * fraction:.1f} % only and is cut into {count} pieces, {100 * thin:.0f} % of which are "
        "thinner than 3 pixels; how throats connect them is not determined by a section, so do not believe the "
        "volume's percolation, formation factor or permeability in this phase."
    )
    return Finding("sparse", sentence, {"phase": float(phase), "fraction": fraction, "thin_share": thin}, clear=False)


def _particles(indicator: Mask, name: str, phase: int) -> Finding | None:
    particles = _separated(indicator)
    boxes = ndimage.find_objects(particles)
    sizes = np.bincount(particles.ravel(), minlength=len(boxes) + 1)
    kept = [i for i, box in enumerate(boxes, 1) if sizes[i] >= _SMALLEST and _inside(box, particles.shape)]
    if len(kept) < _PARTICLES:
        return None
    likeness = float(np.average([_likeness(particles[boxes[i - 1]] == i) for i in kept], weights=sizes[kept]))
    clusters, _ = label_clusters(indicator, connectivity="full")
    large = np.flatnonzero(sizes[1:] >= _SMALLEST) + 1
    home = np.asarray(ndimage.maximum(clusters, particles, large), dtype=np.intp)
    touching = float((np.bincount(home)[home] > 1).mean())
    if likeness < _LIKENESS or touching < _TOUCHING:
        return None
    sentence = (
        f"{name} looks like convex particles, {100 * touching:.0f} % of which touch others in the section; in a volume "
        "they merge where they touch, so do not believe its number and sizes of particles, nor paths through contacts."
    )
    numbers = {"phase": phase, "particles": len(kept), "likeness": likeness, "touching": touching}
    return Finding("particles", sentence, {k: float(v) for k, v in numbers.items()}, clear=False)


def _sizes(indicator: Mask, connectivity: Connectivity) -> NDArray[np.intp]:
    return np.bincount(label_clusters(indicator, connectivity=connectivity)[0].ravel())[1:]


def _separated(indicator: Mask) -> NDArray[np.int32]:
    """Number the pieces of a phase after cutting its necks, by a watershed of the distance to the border."""
    from skimage.morphology import reconstruction
    from skimage.segmentation import watershed

    depth = ndimage.gaussian_filter(ndimage.distance_transform_edt(indicator), 1.0) * indicator
    tops = (depth - reconstruction(depth - _DEPTH, depth) >= _DEPTH - 1e-6) & indicator
    return np.asarray(watershed(-depth, ndimage.label(tops)[0], mask=indicator), dtype=np.int32)


def _inside(box: tuple[slice, ...], shape: tuple[int, ...]) -> bool:
    return all(part.start > 0 and part.stop < side for part, side in zip(box, shape))


def _likeness(piece: Mask) -> float:
    """Share that a piece and the ellipse of its moments have in common, of what either covers."""
    wide = np.pad(piece, 3)  # the ellipse may reach a little further than the piece
    places = np.argwhere(wide)
    centre = places.mean(axis=0)
    # the second moments of a filled ellipse are a quarter of its squared half axes; a pixel itself has 1 / 12
    inverse = np.linalg.inv(4 * (np.cov(places.T, bias=True) + np.eye(2) / 12))
    offset = np.moveaxis(np.indices(wide.shape), 0, -1) - centre
    ellipse = np.einsum("...i,ij,...j", offset, inverse, offset) <= 1
    return float((ellipse & wide).sum() / (ellipse | wide).sum())
