"""Which sections have volumes with properties that are not to be believed."""

import numpy as np
import pytest

import matlens as ml
from matlens.microstructure.problems import bicontinuous, cell_walls, discs, gaussian_field, particles
from matlens.microstructure.reconstruction.sections import check_limits
from matlens.microstructure.structure import Microstructure


def recognised(m: Microstructure) -> list[str]:
    return [finding.check for finding in check_limits([m])]


def tessellation_section(seed: int, side: int = 128, grains: int = 64, half: float = 1.2) -> Microstructure:
    """A plane through the walls of a periodic Voronoi tessellation in space."""
    from scipy.spatial import cKDTree

    points = np.random.default_rng(seed).uniform(size=(grains, 3)) * side
    pixels = np.stack(np.meshgrid(side / 2, np.arange(side), np.arange(side), indexing="ij"), axis=-1)
    distance, _ = cKDTree(points, boxsize=side).query(pixels[0], k=2)
    return Microstructure((distance[..., 1] - distance[..., 0] < 2 * half).astype(int))


def sparse_section(seed: int, side: int = 192, pores: int = 350, radius: float = 5) -> Microstructure:
    """A plane through spherical pores, each joined to its three neighbours by thin cylinders."""
    from scipy.spatial import cKDTree

    rng = np.random.default_rng(seed)
    centres = rng.uniform(size=(pores, 3)) * side
    radii = radius * np.exp(0.3 * rng.standard_normal(pores))
    grid = np.stack(np.meshgrid(side / 2, np.arange(side), np.arange(side), indexing="ij"), axis=-1)[0]
    labels = np.zeros((side, side), dtype=bool)
    _, neighbours = cKDTree(centres).query(centres, k=4)
    for first, size, others in zip(centres, radii, centres[neighbours[:, 1:]], strict=True):
        if abs(first[0] - side / 2) < size:
            labels |= ((grid - first) ** 2).sum(axis=-1) <= size**2
        for other in others:
            if (first[0] - side / 2) * (other[0] - side / 2) < 0:  # the throat passes through the plane
                share = np.clip((grid - first) @ (other - first) / ((other - first) ** 2).sum(), 0, 1)
                labels |= ((grid - first - share[..., None] * (other - first)) ** 2).sum(axis=-1) <= 1.6**2
    return Microstructure(labels.astype(int))


@pytest.mark.parametrize("seed", range(3))
def test_walls_are_recognised(seed: int) -> None:
    assert recognised(tessellation_section(seed)) == ["walls"]
    assert recognised(cell_walls((192, 192), diameter=20, fraction=0.25, seed=seed, periodic=False)) == ["walls"]
    assert recognised(cell_walls((192, 192), diameter=24, fraction=0.8, included=0, seed=seed)) == ["walls"]


def test_walls_with_holes_are_not_closed() -> None:
    closed = tessellation_section(0)
    holes = np.random.default_rng(0).random(closed.shape) < 0.01
    from scipy import ndimage

    leaky = closed.labels * ~ndimage.binary_dilation(holes, iterations=3)
    assert recognised(Microstructure(leaky)) != ["walls"]


def test_sparse_pores_are_recognised() -> None:
    found = [recognised(sparse_section(seed)) for seed in range(3)]
    assert all("sparse" in checks for checks in found)


@pytest.mark.parametrize(("fraction", "included"), [(0.3, 1), (0.5, 1), (0.7, 1), (0.4, 0)])
def test_packings_are_recognised(fraction: float, included: int) -> None:
    m = particles((192, 192), diameter=12, fraction=fraction, included=included, periodic=False)
    (finding,) = check_limits([m])
    assert finding.check == "particles"
    assert finding.numbers["phase"] == included
    assert not finding.stops


@pytest.mark.parametrize("seed", range(2))
def test_other_media_are_not(seed: int) -> None:
    fields = [bicontinuous((192, 192), fraction=f, seed=seed, periodic=False) for f in (0.25, 0.5)]
    fields += [gaussian_field((192, 192), 8, f, seed=seed, periodic=False) for f in (0.2, 0.3, 0.5)]
    assert [recognised(m) for m in fields] == [[]] * len(fields)


def test_separate_discs_do_not_touch() -> None:
    assert recognised(particles((192, 192), diameter=12, gap=4, fraction=0.2, periodic=False)) == []


def test_a_section_of_spheres_is_one_of_particles() -> None:
    assert recognised(discs((48, 192, 192), radius=7, fraction=0.3)[20]) == ["particles"]


@pytest.mark.slow
def test_micrographs(data_dir) -> None:
    files = sorted((data_dir / "micrographs").glob("li2018_*.npy"))
    if len(files) != 7:
        pytest.skip("the seven micrographs of Li et al. (2018) are not there")
    found = {file.stem.removeprefix("li2018_"): recognised(ml.read_microstructure(file)) for file in files}
    assert {name: checks for name, checks in found.items() if checks} == {"alloy": ["walls"], "pmma": ["sparse"]}


@pytest.mark.slow
def test_sections_of_berea_are_not(berea: Microstructure) -> None:
    assert [recognised(Microstructure(berea.labels[:256, :256, x])) for x in (0, 100, 200, 300)] == [[]] * 4
    assert [recognised(Microstructure(berea.labels[z])) for z in (50, 150, 250)] == [[]] * 3
