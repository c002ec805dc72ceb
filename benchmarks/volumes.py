"""Volumes of Berea sandstone from single sections, judged by the 27 true cubes that the sections do not cut.

    python benchmarks/volumes.py                            # everything at 64^3; resumes what is there
    python benchmarks/volumes.py --side 128                 # at full resolution
    python benchmarks/volumes.py --rows ours noise          # only these rows
    python benchmarks/volumes.py --markdown docs/table.md   # write the tables there too
    python benchmarks/volumes.py --summary                  # only the tables of what is there
    python benchmarks/volumes.py --side 128 --summary --picture docs/images/volume.png   # a true cube beside ours

At full resolution the cubes have 128^3 voxels, as published. A smaller side averages blocks of the volume and cuts the
means at the volume's porosity, so that a cube keeps its physical content: at half resolution it has 64^3 voxels.

Sections, fixed beforehand: all planes normal to z and y at every 16th voxel, each cut to its first 256 x 256 voxels,
are sorted by porosity. The five sections are those whose porosities are nearest to the 10, 30, 50, 70 and 90 %
quantiles of all of these planes, taken in turn from the planes normal to z and to y. Each section is reconstructed
once, with its number as the seed, and the middle one by our method with three more seeds too. A cube that a section
cuts is left out of its truth.

R = median d(result, cube) / median d(cube, other cube). The median of R is taken over the runs with sections whose
porosity lies within one standard deviation of the cubes'; the other runs stand beside it. Distances d: two-point, the
sum of |c - c*| over that of |c*| up to three times the distance at which the covariance of the mean cube falls below
0.1 (radially; along the 3 axes, the 6 diagonals of faces, the 4 of the body); lineal path likewise, along the axes in
both phases, and cluster function of the pores, up to half the side; specific surface and Euler density of the pores,
the absolute difference; formation factor, the mean over the axes of the absolute difference of logarithms, between
fixed faces. At 128^3 the cubes' formation factors are the published ones. Real cubes are judged by the other cubes.

Each run leaves a JSON and an NPY file in the output folder, is made in a process of its own, which measures time and
memory, and is not made again; remove the folder after a change of the code. Data: Mosser et al., Phys. Rev. E 96,
043309 (2017); name their folder in MATLENS_DATA.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from functools import cached_property
from itertools import permutations
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from berea import data_file
from matlens import Microstructure, read_microstructure

Array = NDArray[np.float64]
Facts = dict[str, Any]

FULL, WHOLE, WINDOW, STEP = 128, 400, 256, 16  # voxels at full resolution: cube, volume, section, between planes
QUANTILES, NORMALS = (0.1, 0.3, 0.5, 0.7, 0.9), (0, 1, 0, 1, 0)
MIDDLE, MORE_SEEDS = 2, (5, 6, 7)
AXES = "zyx"
# must, stretch
LIMITS = {"radial": (1.6, 1.25), "axes": (1.4, 1.25), "110": (1.4, 1.25), "111": (1.4, 1.25), "lineal path": (1.1, 0.9),
          "cluster": (1.1, 0.9), "Euler": (2.0, 1.25), "surface": (1.25, 1.0), "FF": (1.5, 1.1)}  # fmt: skip
DIAGONALS = {
    "axes": [(1, 0, 0), (0, 1, 0), (0, 0, 1)],
    "110": [(1, 1, 0), (1, -1, 0), (1, 0, 1), (1, 0, -1), (0, 1, 1), (0, 1, -1)],
    "111": [(1, 1, 1), (1, 1, -1), (1, -1, 1), (1, -1, -1)],
}


class Section(NamedTuple):
    """Plane of the volume, by its normal and its place at full resolution."""

    normal: int
    place: int

    def cuts(self, corner: Sequence[int]) -> bool:
        return all(
            start <= self.place < start + FULL if axis == self.normal else start < WINDOW
            for axis, start in enumerate(corner)
        )

    def plane(self, volume: NDArray[Any], factor: int = 1) -> NDArray[Any]:
        window = slice(WINDOW // factor)
        return volume[tuple(self.place // factor if axis == self.normal else window for axis in range(3))]


class Berea:
    """The volume at one resolution, its cubes and its sections."""

    def __init__(self, side: int, folder: Path) -> None:
        if side not in (16, 32, 64, 128):
            sys.exit(f"the side is {side}; give 128, 64, 32 or 16")
        self.side, self.factor, self.folder = side, FULL // side, folder
        self.table = pd.read_csv(data_file("berea_128_subvolume_permeability.csv"))

    @cached_property
    def full(self) -> NDArray[np.uint8]:
        return read_microstructure(data_file("berea_400.zip")).labels

    @cached_property
    def labels(self) -> NDArray[np.uint8]:
        """Labels, 0 in the pores, with the porosity of full resolution; kept, so that a run need not read it all."""
        path = self.folder / "volume.npy"
        if not path.is_file():
            np.save(path, self._coarse())
        return np.load(path, mmap_mode="r")

    def _coarse(self) -> NDArray[np.uint8]:
        if self.factor == 1:
            return self.full
        size = WHOLE // self.factor
        blocks = self.full.reshape(size, self.factor, size, self.factor, size, self.factor)
        means = blocks.mean(axis=(1, 3, 5)).ravel()
        # Means take few values, so that the level is cut within a value, in an order that prefers no place.
        order = np.lexsort((np.random.default_rng(0).random(means.size), means))
        labels = np.ones(means.size, dtype=np.uint8)
        labels[order[: round(float((self.full == 0).mean()) * means.size)]] = 0
        return labels.reshape((size,) * 3)

    @cached_property
    def corners(self) -> list[tuple[int, ...]]:
        return [tuple(int(row[f"{name}0"]) for name in AXES) for _, row in self.table.iterrows()]

    def cube(self, number: int) -> Microstructure:
        starts = [start // self.factor for start in self.corners[number]]
        return structure(self.labels[tuple(slice(start, start + self.side) for start in starts)])

    @cached_property
    def sections(self) -> list[Section]:
        path = self.folder / "sections.json"
        if not path.is_file():
            path.write_text(json.dumps(self._chosen()), encoding="utf-8")
        return [Section(*one) for one in json.loads(path.read_text("utf-8"))]

    def _chosen(self) -> list[Section]:
        planes = [Section(normal, place) for normal in (0, 1) for place in range(STEP, WHOLE, STEP)]
        porosity = {plane: float((plane.plane(self.full) == 0).mean()) for plane in planes}
        wanted = np.quantile(list(porosity.values()), QUANTILES)
        return [
            min((plane for plane in planes if plane.normal == normal), key=lambda plane: abs(porosity[plane] - goal))
            for normal, goal in zip(NORMALS, wanted)
        ]

    def section(self, number: int) -> Microstructure:
        return structure(self.sections[number].plane(self.labels, self.factor))

    @property
    def shape(self) -> tuple[int, int, int]:
        return (self.side,) * 3


def structure(labels: NDArray[Any]) -> Microstructure:
    return Microstructure(labels, phase_names=("pore", "solid"))


def ours(berea: Berea, section: int, seed: int) -> Microstructure:
    import matlens

    return matlens.reconstruct(berea.section(section), shape=berea.shape, seed=seed).microstructure


def by_method(name: str) -> Callable[[Berea, int, int], Microstructure]:
    """A classical method behind the same call."""

    def made(berea: Berea, section: int, seed: int) -> Microstructure:
        import matlens

        plane = berea.section(section)
        found = matlens.reconstruct(plane, shape=berea.shape, method=name, seed=seed, force_sections=True)
        return found.microstructure

    return made


def true_slices(berea: Berea, section: int, seed: int) -> Microstructure:
    from matlens.microstructure.problems import stacked_planes

    plane = berea.sections[section]
    planes = [structure(one) for one in np.moveaxis(berea.labels, plane.normal, 0)]
    return stacked_planes(planes, berea.shape, seed)


def one_slice(berea: Berea, section: int, seed: int) -> Microstructure:
    from matlens.microstructure.problems import extruded

    return extruded(berea.section(section), berea.shape)


def noise(berea: Berea, section: int, seed: int) -> Microstructure:
    from matlens.microstructure.problems import white_noise

    return structure(white_noise(berea.shape, berea.section(section).volume_fractions, seed).labels)


ROWS: dict[str, Callable[[Berea, int, int], Microstructure]] = {
    "ours": ours,
    "level-cut": by_method("gaussian-field"),
    "annealing": by_method("annealing"),  # to the two-point probability along the three axes
    "true-slices": true_slices,
    "extruded": one_slice,
    "noise": noise,
}


def runs_of(row: str) -> list[tuple[int, int]]:
    """Section and seed of each run of a row."""
    more = [(MIDDLE, seed) for seed in MORE_SEEDS] if row == "ours" else []
    return [(section, section) for section in range(len(QUANTILES))] + more  # one seed for all would join the runs


# Statistics of one volume


def measured(m: Microstructure, factors: Sequence[float] | None = None) -> Facts:
    """Statistics of a volume as a window of the material; formation factors are solved unless they are given."""
    from matlens.microstructure.statistics import (
        cluster_radial,
        euler_density,
        lineal_path,
        normalised_covariance,
        specific_surface,
        two_point_map,
    )
    from matlens.microstructure.statistics.correlation.offsets import radial_mean

    pairs, half, porosity = two_point_map(m)[0], m.shape[0] // 2, float(m.volume_fractions[0])
    steps = np.arange(half + 1)
    lines = {
        name: [normalised_covariance(pairs[tuple(half + step * steps for step in way)], porosity) for way in ways]
        for name, ways in DIAGONALS.items()
    }
    found = {name: np.array(curves).tolist() for name, curves in lines.items()}
    found["radial"] = [normalised_covariance(radial_mean(pairs, (half,) * 3), porosity).tolist()]
    found["lineal path"] = lineal_path(m).reshape(-1, half + 1).tolist()
    found["cluster"] = [cluster_radial(m)[0].tolist()]
    found["Euler"], found["surface"] = float(euler_density(m)[0]), float(specific_surface(m)[0])
    return found | {"porosity": porosity} | transport(m, factors)


def transport(m: Microstructure, factors: Sequence[float] | None) -> Facts:
    """Formation factors of the pores, and shares of the pores that join opposite faces, along z, y and x."""
    from matlens.microstructure.physics import formation_factor, spanning_cells

    pores = m.labels == 0
    spanning = [float(spanning_cells(pores, axis).sum() / pores.sum()) for axis in range(3)]
    if factors is None:
        solved = [formation_factor(m, 0, axis, boundary="fixed", tolerance=1e-4, dtype="float32") for axis in range(3)]
        factors = [found.value for found in solved]
    # JSON has no infinity
    return {"spanning": spanning, "FF": [float(value) if np.isfinite(value) else None for value in factors]}


# Distances, and what they are judged by


def relative(mine: Sequence[float], theirs: Sequence[float], stop: int) -> float:
    one, other = np.array(mine)[1 : stop + 1], np.array(theirs)[1 : stop + 1]
    return float(np.abs(one - other).sum() / max(np.abs(other).sum(), 1e-12))


def factors_of(facts: Facts) -> Array:
    return np.array([np.inf if value is None else value for value in facts["FF"]])


class Judge:
    """Cubes, their distances from each other and from results."""

    def __init__(self, cubes: Sequence[Facts]) -> None:
        self.cubes = cubes
        mean = np.mean([cube["radial"][0] for cube in cubes], axis=0)
        below = np.flatnonzero(mean < 0.1)
        self.reach = min(3 * int(below[0]) if below.size else len(mean), len(mean) - 1)
        self.between = {name: np.full((len(cubes),) * 2, np.nan) for name in LIMITS}
        for i, j in permutations(range(len(cubes)), 2):
            for name, value in self.distances(cubes[i], cubes[j]).items():
                self.between[name][i, j] = value

    def distances(self, result: Facts, cube: Facts) -> dict[str, float]:
        apart = {}
        for name in ("radial", *DIAGONALS):
            ways = DIAGONALS.get(name, [(1, 0, 0)])
            stops = [int(self.reach / np.linalg.norm(way)) for way in ways]
            apart[name] = np.mean([relative(a, b, stop) for a, b, stop in zip(result[name], cube[name], stops)])
        half = len(cube["cluster"][0]) - 1
        for name in ("lineal path", "cluster"):
            apart[name] = np.mean([relative(a, b, half) for a, b in zip(result[name], cube[name])])
        for name in ("Euler", "surface"):
            apart[name] = abs(result[name] - cube[name])
        with np.errstate(invalid="ignore", divide="ignore"):  # one or both may be infinite
            apart["FF"] = np.mean(np.abs(np.log(factors_of(result) / factors_of(cube))))
        return {name: float(value) for name, value in apart.items()}

    def ratios(self, result: Facts, kept: Sequence[int]) -> dict[str, float]:
        """R against the cubes that the result's section does not cut."""
        rows = [self.distances(result, self.cubes[i]) for i in kept]
        inside = np.ix_(kept, kept)
        return {
            name: float(np.nanmedian([row[name] for row in rows]) / np.nanmedian(matrix[inside]))
            for name, matrix in self.between.items()
        }

    def archie_ratio(self, porosity: float, kept: Sequence[int]) -> float:
        """R of the formation factor that Archie's line gives for a porosity."""
        line, _ = self.archie(kept)
        guess = np.polyval(line, np.log(porosity))
        apart = [np.abs(guess - np.log(factors_of(self.cubes[i]))).mean() for i in kept]
        return float(np.nanmedian(apart) / np.nanmedian(self.between["FF"][np.ix_(kept, kept)]))

    def pass_rates(self) -> dict[str, float]:
        """Share of the cubes that, judged by the others, stay within the limit that must be reached."""
        rates = {}
        for name, matrix in self.between.items():
            passed = []
            for i in range(len(self.cubes)):
                others = [j for j in range(len(self.cubes)) if j != i]
                ratio = np.nanmedian(matrix[i, others]) / np.nanmedian(matrix[np.ix_(others, others)])
                passed.append(ratio <= LIMITS[name][0])
            rates[name] = float(np.mean(passed))
        return rates

    def archie(self, kept: Sequence[int]) -> tuple[Array, float]:
        """Line of the mean ln FF over ln porosity through cubes, as (slope, intercept), and the scatter about it."""
        x = np.log([self.cubes[i]["porosity"] for i in kept])
        y = np.array([np.log(factors_of(self.cubes[i])).mean() for i in kept])
        known = np.isfinite(y)
        line = np.polyfit(x[known], y[known], 1)
        return line, float((y - np.polyval(line, x))[known].std(ddof=2)) if known.sum() > 2 else np.nan

    def beyond_archie(self, result: Facts, kept: Sequence[int]) -> float:
        line, _ = self.archie(kept)
        return float(np.log(factors_of(result)).mean() - np.polyval(line, np.log(result["porosity"])))


# Runs


def write_whole(path: Path, facts: Facts) -> None:
    part = path.with_suffix(".part")
    part.write_text(json.dumps(facts), encoding="utf-8")
    part.replace(path)


def truth(berea: Berea, folder: Path) -> list[Facts]:
    """Statistics of the cubes, computed once."""
    found = []
    for number in range(len(berea.corners)):
        path = folder / f"cube_{number:02d}.json"
        if not path.is_file():
            published = [float(berea.table.iloc[number][f"FF_{axis}"]) for axis in AXES]
            write_whole(path, measured(berea.cube(number), published if berea.side == FULL else None))
        found.append(json.loads(path.read_text("utf-8")))
    return found


def make(berea: Berea, row: str, section: int, seed: int, stem: Path) -> None:
    """Make and measure one volume in this process."""
    volume_path, facts_path = stem.with_suffix(".npy"), stem.with_suffix(".json")
    plane = berea.section(section)  # so that reading the data is nobody's time
    begun, cpu = time.perf_counter(), time.process_time()
    volume = ROWS[row](berea, section, seed)
    facts: Facts = {"row": row, "section": section, "seed": seed, "porosity of section": plane.volume_fractions[0]}
    facts |= {"seconds": time.perf_counter() - begun, "cpu": time.process_time() - cpu}
    facts["peak_mb"] = peak_mb()
    np.save(volume_path, volume.labels)
    write_whole(facts_path, facts | {"statistics": measured(structure(volume.labels))})


def peak_mb() -> float:
    """Largest memory of this process; ru_maxrss of a process that was started counts its parent's memory too."""
    status = Path("/proc/self/status")
    if status.is_file():
        return int(status.read_text("utf-8").partition("VmHWM:")[2].split()[0]) / 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def run(side: int, rows: Sequence[str], folder: Path) -> None:
    for row in rows:
        for section, seed in runs_of(row):
            stem = folder / f"{row}_{section}_{seed}"
            if stem.with_suffix(".json").is_file():
                continue
            command = [sys.executable, __file__, "--side", side, "--output", folder.parent]
            done = subprocess.run([*map(str, command), "--one", row, str(section), str(seed)])
            print(f"{stem.name}: {'made' if done.returncode == 0 else 'failed'}", flush=True)


# Tables


def summary(berea: Berea, cubes: list[Facts], folder: Path) -> str:
    judge = Judge(cubes)
    every = range(len(cubes))
    porosity = np.array([cube["porosity"] for cube in cubes])
    line, scatter = judge.archie(every)
    said = [
        f"Berea at {berea.side}^3: {len(cubes)} cubes, porosity {porosity.mean():.3f} ± {porosity.std(ddof=1):.3f}; "
        f"Archie's exponent {-line[0]:.2f}, scatter of ln FF about it {scatter:.3f}; two-point functions to "
        f"{judge.reach} voxels.",
        "",
        "| section | plane | porosity | cubes not cut |",
        "|---|---|---|---|",
    ]
    for number, section in enumerate(berea.sections):
        share, left = berea.section(number).volume_fractions[0], len(not_cut(berea, section))
        said.append(f"| {number} | {AXES[section.normal]} = {section.place} | {share:.4f} | {left} |")
    found = [json.loads(path.read_text("utf-8")) for row in ROWS for path in sorted(folder.glob(f"{row}_*.json"))]
    for one in found:
        kept = not_cut(berea, berea.sections[one["section"]])
        one["R"] = judge.ratios(one["statistics"], kept)
        one["Archie"] = judge.beyond_archie(one["statistics"], kept)
        one["lazy"] = judge.archie_ratio(one["porosity of section"], kept)
        one["typical"] = abs(one["porosity of section"] - porosity.mean()) <= porosity.std(ddof=1)
    said += ["", *medians(judge, found), "", *transport_rows(judge, found), "", *every_run(found)]
    return "\n".join(said)


def not_cut(berea: Berea, section: Section) -> list[int]:
    return [number for number, corner in enumerate(berea.corners) if not section.cuts(corner)]


def medians(judge: Judge, found: Sequence[Facts]) -> list[str]:
    rows = [header(["median R", "runs", *LIMITS])]
    rows.append(cells(["must / stretch", "", *(f"{must:g} / {stretch:g}" for must, stretch in LIMITS.values())]))
    for row in ROWS:
        runs = [one for one in found if one["row"] == row and one["typical"]]
        if runs:
            values = [number(float(np.median([one["R"][name] for one in runs]))) for name in LIMITS]
            rows.append(cells([row, len(runs), *values]))
    lazy = {one["section"]: one["lazy"] for one in found if one["typical"]}
    if lazy:
        guessed = number(float(np.median(list(lazy.values()))))
        rows.append(cells(["Archie from porosity alone", len(lazy), *[""] * (len(LIMITS) - 1), guessed]))
    rates = judge.pass_rates()
    rows.append(cells(["cubes within must", len(judge.cubes), *(f"{rates[name]:.0%}" for name in LIMITS)]))
    return rows


def transport_rows(judge: Judge, found: Sequence[Facts]) -> list[str]:
    names = ["transport, all runs", "runs", "mean ln FF beyond Archie", "scatter of it", "max/min over axes"]
    rows = [header([*names, "largest along z, y, x", "spanning share", "oblique / axes"])]
    groups = {row: [one for one in found if one["row"] == row] for row in ROWS}
    for row, runs in groups.items():
        if runs:
            beyond = np.array([one["Archie"] for one in runs])
            oblique = [max(one["R"]["110"], one["R"]["111"]) / one["R"]["axes"] for one in runs]
            facts = [one["statistics"] for one in runs]
            rows.append(cells([row, len(runs), *about(beyond), *axes_of(facts), number(float(np.median(oblique)))]))
    beyond = np.array([judge.beyond_archie(cube, range(len(judge.cubes))) for cube in judge.cubes])
    rows.append(cells(["cubes", len(judge.cubes), *about(beyond), *axes_of(judge.cubes), ""]))
    return rows


def about(beyond: Array) -> list[str]:
    if not np.isfinite(beyond).all():
        return ["∞", ""]
    return [f"{beyond.mean():+.3f}", f"{beyond.std(ddof=1):.3f}" if len(beyond) > 1 else ""]


def axes_of(facts: Sequence[Facts]) -> list[str]:
    factors = np.array([factors_of(one) for one in facts])
    largest = np.bincount(factors.argmax(axis=1), minlength=3)
    spanning = np.median([one["spanning"] for one in facts])
    with np.errstate(invalid="ignore"):
        ratio = float(np.median(factors.max(axis=1) / factors.min(axis=1)))
    return [number(ratio), " ".join(map(str, largest)), f"{spanning:.3f}"]


def every_run(found: Sequence[Facts]) -> list[str]:
    names = ["run", "section", "seed", "porosity", *LIMITS, "ln FF beyond Archie", "FF z, y, x", "spanning", "s", "MB"]
    rows = [header(names)]
    for one in found:
        facts = one["statistics"]
        factors = ", ".join(number(value) for value in factors_of(facts))
        spanning = ", ".join(f"{value:.3f}" for value in facts["spanning"])
        said = [one["row"] + ("" if one["typical"] else " *"), one["section"], one["seed"], f"{facts['porosity']:.4f}"]
        said += [number(one["R"][name]) for name in LIMITS]
        said += [number(one["Archie"]), factors, spanning, f"{one['seconds']:.1f}", f"{one['peak_mb']:.0f}"]
        rows.append(cells(said))
    return [*rows, "", "\\* porosity of the section further than one standard deviation from the cubes'"]


def number(value: float) -> str:
    return "∞" if np.isinf(value) else "–" if np.isnan(value) else f"{value:.3g}"


def cells(values: Sequence[Any]) -> str:
    return "| " + " | ".join(map(str, values)) + " |"


def header(names: Sequence[str]) -> str:
    return cells(names) + "\n" + "|" + "---|" * len(names)


def picture(berea: Berea, folder: Path, path: Path) -> None:
    """The pores of the middle cube above those of our volume from the middle section with its first seed."""
    import matplotlib.pyplot as plt

    from matlens.microstructure.figures.volumes import volume_views

    made = np.load(folder / f"ours_{MIDDLE}_{MIDDLE}.npy")
    shown = {"real: a cube of Berea sandstone": berea.cube(len(berea.corners) // 2), "from one section": made}
    panels = [(title, Microstructure(labels, phase_names=("pores", "grains"))) for title, labels in shown.items()]
    figure = volume_views(panels, hidden="grains")
    figure.savefig(path, dpi=120)
    plt.close(figure)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--side", type=int, default=64, help="voxels along a side of a cube")
    parser.add_argument("--rows", nargs="+", choices=list(ROWS), default=list(ROWS))
    parser.add_argument("--output", type=Path, default=Path("build/volumes"))
    parser.add_argument("--summary", action="store_true", help="only sum up what is there")
    parser.add_argument("--markdown", type=Path, help="write the tables here too")
    parser.add_argument("--picture", type=Path, help="draw a true cube and our volume here")
    parser.add_argument("--one", nargs=3, metavar=("ROW", "SECTION", "SEED"), help="make one run in this process")
    args = parser.parse_args()
    folder = args.output / str(args.side)
    folder.mkdir(parents=True, exist_ok=True)
    berea = Berea(args.side, folder)
    if args.one:
        row, section, seed = args.one[0], int(args.one[1]), int(args.one[2])
        make(berea, row, section, seed, folder / f"{row}_{section}_{seed}")
        return
    cubes = truth(berea, folder)
    if not args.summary:
        run(args.side, args.rows, folder)
    text = summary(berea, cubes, folder)
    print(text)
    if args.markdown:
        args.markdown.write_text(text + "\n", encoding="utf-8")
    if args.picture:
        picture(berea, folder, args.picture)


if __name__ == "__main__":
    main()
