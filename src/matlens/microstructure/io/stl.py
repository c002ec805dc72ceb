"""Surfaces of a phase as binary STL, which meshers, printers and ParaView read."""

from __future__ import annotations

from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

from matlens.core.user_text import printable
from matlens.errors import InputError
from matlens.microstructure.phase_choice import listed_phases, phase_index
from matlens.microstructure.structure import Microstructure

__all__ = ["surface_of", "write_stl"]

_TRIANGLE = np.dtype([("normal", "<f4", 3), ("corners", "<f4", (3, 3)), ("attribute", "<u2")])


def surface_of(microstructure: Microstructure, phase: int) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Compute the surface of a phase by marching cubes; where the phase meets a face of the box, the box closes it.

    Parameters
    ----------
    microstructure : Microstructure
        A volume.
    phase : int
        Number of the phase.

    Returns
    -------
    points : ndarray, shape (n, 3)
        Corners (x, y, z) in the unit of the structure; the first voxel begins at zero.
    triangles : ndarray of int, shape (m, 3)
        Corners of each triangle, counter-clockwise as seen from outside the phase.

    Raises
    ------
    InputError
        If the structure is a plane, or holds nothing of the phase.

    Notes
    -----
    The surface runs through the middles between voxels, so that corners of voxels are bevelled. Lewiner et al., J.
    Graph. Tools 8, 1 (2003).

    Examples
    --------
    >>> cube = np.zeros((3, 3, 3), dtype=int)
    >>> cube[1, 1, 1] = 1
    >>> points, triangles = surface_of(Microstructure(cube, spacing=2, unit="um"), 1)
    >>> points.min(axis=0).tolist(), points.max(axis=0).tolist(), len(triangles)
    ([2.0, 2.0, 2.0], [4.0, 4.0, 4.0], 8)
    """
    if microstructure.ndim != 3:
        raise InputError("an STL file holds a surface in space, and the structure is a plane; give a volume.")
    mask = microstructure.labels == phase
    if not mask.any():
        raise InputError(
            f"the structure holds nothing of phase {phase} ({microstructure.phase_names[phase]}), which has no "
            "surface; choose another phase."
        )
    from skimage.measure import marching_cubes

    points, triangles, _, _ = marching_cubes(np.pad(mask, 1).astype(np.float32), 0.5)
    # Voxel i of the padded array has its middle half a voxel before the end of voxel i - 1 of the structure.
    places = (np.asarray(points, dtype=float) - 0.5) * microstructure.spacing
    # Marching cubes goes clockwise in the order (z, y, x), which is counter-clockwise in its mirror (x, y, z).
    return places[:, ::-1], np.asarray(triangles, dtype=np.int64)


def write_stl(microstructure: Microstructure, file: BinaryIO, phase: int | str | None = None) -> None:
    """Write the surface of a phase as binary STL; the unit of length and the phase stand in its first 80 bytes.

    Parameters
    ----------
    microstructure : Microstructure
        A volume.
    file : binary file
        Open for writing.
    phase : int or str
        The phase, by number or name.

    Raises
    ------
    InputError
        If no phase is given, it does not exist or is absent, or the structure is a plane.

    Examples
    --------
    >>> from io import BytesIO
    >>> file = BytesIO()
    >>> write_stl(Microstructure([[[0, 1]]], spacing=2, unit="um"), file, 1)
    >>> file.getvalue()[:80].rstrip()
    b'MatLens: surface of phase 1; x, y, z in um'
    """
    if phase is None:
        raise InputError(
            f"an STL file holds the surface of one phase, and the structure has {listed_phases(microstructure)}; give "
            "one as phase."
        )
    chosen = phase_index(microstructure, phase)
    points, triangles = surface_of(microstructure, chosen)
    said = f"MatLens: surface of {printable(microstructure.phase_names[chosen])}; x, y, z in {microstructure.unit}"
    table = np.zeros(len(triangles), dtype=_TRIANGLE)
    table["corners"] = points[triangles]
    corners = table["corners"].astype(float)
    normals = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    table["normal"] = normals / np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), 1e-300)
    file.write(said.encode("ascii", "replace")[:80].ljust(80))
    file.write(np.uint32(len(table)).astype("<u4").tobytes())
    file.write(table.tobytes())
