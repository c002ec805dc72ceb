"""Surfaces against volumes and areas that are known, read by the definition of the format."""

import numpy as np
import pytest

from matlens import InputError, Microstructure, write_microstructure
from matlens.microstructure.problems import bicontinuous


def read(path):
    """Header and corners, shape (triangles, 3, 3), of a binary STL file."""
    content = path.read_bytes()
    count = int(np.frombuffer(content, "<u4", 1, 80)[0])
    assert len(content) == 84 + 50 * count
    rows = np.frombuffer(content, np.dtype([("floats", "<f4", (4, 3)), ("attribute", "<u2")]), count, 84)
    return content[:80].decode("ascii").strip(), rows["floats"][:, 1:].astype(float), rows["floats"][:, 0]


def volume_inside(corners):
    return float((np.cross(corners[:, 0], corners[:, 1]) * corners[:, 2]).sum() / 6)


@pytest.mark.parametrize(("spacing", "unit"), [((1.0, 1.0, 1.0), "px"), ((2.0, 0.5, 0.25), "um")])
def test_a_brick_has_its_place_and_volume_in_x_y_z(tmp_path, spacing, unit):
    labels = np.zeros((40, 50, 60), dtype=int)
    labels[10:30, 5:45, 7:57] = 1
    m = Microstructure(labels, spacing, unit, ("air", "brick"))
    header, corners, normals = read(write_microstructure(m, tmp_path / "m.stl", phase="brick"))
    assert header == f"MatLens: surface of brick; x, y, z in {unit}"
    z, y, x = spacing
    assert corners.min(axis=(0, 1)) == pytest.approx([7 * x, 5 * y, 10 * z])
    assert corners.max(axis=(0, 1)) == pytest.approx([57 * x, 45 * y, 30 * z])
    assert volume_inside(corners) == pytest.approx(20 * 40 * 50 * x * y * z, rel=2e-3)  # less the bevels
    outwards = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    assert (np.einsum("ij,ij->i", outwards, normals) > 0).all()
    assert np.linalg.norm(normals, axis=1) == pytest.approx(1.0, abs=1e-5)


@pytest.mark.parametrize("phase", [0, 1])
def test_surfaces_are_closed_and_enclose_their_phase(tmp_path, phase):
    m = bicontinuous((24, 20, 28), seed=0)
    _, corners, _ = read(write_microstructure(m, tmp_path / "m.stl", phase=phase))
    assert volume_inside(corners) == pytest.approx(np.count_nonzero(m.labels == phase), rel=0.05)
    points, places = np.unique(np.round(2 * corners.reshape(-1, 3)), axis=0, return_inverse=True)
    triangles = places.reshape(-1, 3)
    edges = np.concatenate([triangles[:, pair] for pair in ([0, 1], [1, 2], [2, 0])])
    there, back = ({tuple(edge) for edge in way.tolist()} for way in (edges, edges[:, ::-1]))
    assert there == back  # each edge is gone along once in either direction
    assert len(points) < len(corners) * 3


def test_an_absent_phase_has_no_surface(tmp_path):
    m = Microstructure(np.zeros((3, 3, 3), dtype=int), phase_names=("a", "b"))
    with pytest.raises(InputError, match=r"nothing of phase 1 \(b\)"):
        write_microstructure(m, tmp_path / "m.stl", phase=1)
