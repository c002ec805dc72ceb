"""How often sections of one volume are found to disagree, and how often a turned one is found.

    python benchmarks/section_agreement.py --berea ../shared/data/volumes/berea_400.zip

False alarms: pairs of perpendicular sections at random places of Berea sandstone, and of ellipsoids. Power: ellipsoids
twice as long along x, of which the second section is turned. Prints one line for each size, with the mean time of a
comparison.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterator
from itertools import permutations
from pathlib import Path

import numpy as np

from matlens.microstructure.reconstruction.sections import check_agreement
from matlens.microstructure.structure import Microstructure

NORMALS = {"xy": 0, "xz": 1, "yz": 2}


def turned(section: Microstructure) -> Microstructure:
    """The section with rows and columns exchanged."""
    return Microstructure(section.labels.T, section.spacing[::-1], section.unit, section.phase_names)


def ellipsoid_sections(
    seed: int, side: int = 160, radius: float = 5, fraction: float = 0.3
) -> dict[str, Microstructure]:
    """The middle planes of overlapping ellipsoids, twice as long along x, made without their volume."""
    rng = np.random.default_rng(seed)
    half = np.array([radius, radius, 2 * radius])
    density = -np.log1p(-fraction) / (4 / 3 * np.pi * half.prod())
    extent = side + 2 * half
    centres = rng.uniform(size=(rng.poisson(density * extent.prod()), 3)) * extent - half
    pixels = np.stack(np.meshgrid(np.arange(side), np.arange(side), indexing="ij"), axis=-1)
    found = {}
    for normal, name in enumerate(("xy", "xz", "yz")):
        height = (side // 2 - centres[:, normal]) / half[normal]
        met = np.abs(height) < 1
        labels = np.zeros((side, side), dtype=np.uint8)
        for centre, scale in zip(np.delete(centres[met], normal, axis=1), np.sqrt(1 - height[met] ** 2), strict=True):
            axes = np.delete(half, normal) * scale
            start = np.clip(np.floor(centre - axes).astype(int), 0, side)
            stop = np.clip(np.ceil(centre + axes).astype(int) + 1, 0, side)
            box = tuple(slice(*ends) for ends in zip(start, stop, strict=True))
            labels[box] |= (((pixels[box] - centre) / axes) ** 2).sum(axis=-1) <= 1
        found[name] = Microstructure(labels, phase_names=("matrix", "ellipsoids"))
    return found


def berea_pairs(labels: np.ndarray, side: int, pairs: int) -> Iterator[dict[str, list[Microstructure]]]:
    """Sections of two of the three planes, at random places."""
    rng = np.random.default_rng([11, side])
    planes = list(permutations(NORMALS, 2))
    for _ in range(pairs):
        found = {}
        for name in planes[rng.integers(len(planes))]:
            whole = np.take(labels, rng.integers(labels.shape[0]), axis=NORMALS[name])
            rows, columns = (slice(start, start + side) for start in rng.integers(whole.shape[0] - side + 1, size=2))
            found[name] = [Microstructure(whole[rows, columns])]
        yield found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--berea", type=Path, help="Berea sandstone as a file that MatLens reads")
    parser.add_argument("--pairs", type=int, default=100)
    options = parser.parse_args()
    if options.berea:
        from matlens import read_microstructure

        labels = read_microstructure(options.berea).labels
        for side in (128, 256, 400):
            begun = time.perf_counter()
            alarms = [check_agreement(pair).finding.stops for pair in berea_pairs(labels, side, options.pairs)]
            seconds = (time.perf_counter() - begun) / options.pairs
            print(f"Berea {side}: false alarms {100 * np.mean(alarms):.1f} %, {seconds:.2f} s each", flush=True)
    for side, radius in ((96, 5), (128, 8), (160, 5), (256, 8), (256, 15)):
        alarms, seen, named = [], [], []
        for seed in range(options.pairs):
            cut = {name: [section] for name, section in ellipsoid_sections(seed, side, radius).items()}
            wrong = cut | {"xz": [turned(cut["xz"][0])]}
            alarms.append(check_agreement({name: cut[name] for name in ("xy", "xz")}).finding.stops)
            seen.append(check_agreement({name: wrong[name] for name in ("xy", "xz")}).finding.stops)
            named.append(check_agreement(wrong).swaps == (frozenset({"xz"}),))
        rates = ", ".join(
            f"{what} {100 * np.mean(rate):.1f} %"
            for what, rate in (("false alarms", alarms), ("power", seen), ("named among three", named))
        )
        print(f"ellipsoids {radius} x {radius} x {2 * radius} in {side}: {rates}", flush=True)


if __name__ == "__main__":
    main()
