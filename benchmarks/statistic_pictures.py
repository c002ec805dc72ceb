"""One picture for each statistic of docs/statistics: two media that agree in one statistic and differ in another.

    python benchmarks/statistic_pictures.py            # writes docs/images/sees_*.png

Both media are synthetic, of one size and fraction; curves and bars are those of the light phase.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from scipy import ndimage

from matlens import Microstructure, reconstruct
from matlens.figures.style import CYCLE, DOUBLE, styled
from matlens.microstructure import problems
from matlens.microstructure import statistics as st
from matlens.microstructure.figures.pictures import draw_phases

SIDE, REACH = 128, 32
SHAPE = (SIDE, SIDE)
HEIGHT = 1.75  # inches


@dataclass(frozen=True)
class Measure:
    """What a panel shows: a curve over the distance in pixels, or one number."""

    title: str
    of: Callable[[Microstructure], Any]
    over: str = "distance, px"


S2 = Measure("two-point", lambda m: st.two_point_radial(m)[1, :REACH])
LINEAL = Measure("lineal path", lambda m: st.lineal_path(m)[1].mean(axis=0)[:REACH])
CLUSTER = Measure("cluster", lambda m: st.cluster_radial(m)[1, :REACH])
SURFACE = Measure("specific surface, 1 / px", lambda m: float(st.specific_surface(m)[1]))
EULER = Measure("Euler number / 1000 px", lambda m: 1000 * float(st.euler_density(m)[1]))
FRACTION = Measure("volume fraction", lambda m: float(m.volume_fractions[1]))
CONDUCTIVITY = Measure("conductivity, contrast 50", lambda m: float(effective(m)))
THICKNESS = Measure("share at least so thick", lambda m: st.local_thickness(m)[1, :REACH], "thickness, px")
SURFACES = Measure("surface-surface", lambda m: st.surface_surface(m)[1, 1:REACH])
CHORDS = Measure("chord length", lambda m: np.nanmean(st.chord_length_distribution(m)[1], axis=0)[:REACH])
ROWS = Measure("two-point along rows", lambda m: st.two_point_axes(m)[1, 1, :REACH])
SIZES = Measure("share of particles so large", lambda m: sizes(m), "diameter, px")
PERCOLATES = Measure("axes that percolate", lambda m: float(st.percolation(m)[1].sum()))
TORTUOSITY = Measure("tortuosity factor, downward", lambda m: float(st.tortuosity(m)[1, 0]))
TRIPLE = Measure("triple points / 1000 px", lambda m: 1000 * st.triple_phase_boundary(m))
CURVATURE = Measure("mean curvature / 1000 px²", lambda m: 1000 * float(st.minkowski_functionals(m).mean_curvature[1]))
EULER_3D = Measure("Euler number / (100 px)³", lambda m: 1e6 * float(st.euler_density(m)[1]))
WINDOWS = Measure("spread of fractions", lambda m: spreads(m), "side of the window, px")


def effective(m: Microstructure) -> float:
    """Mean of the conductivities along the axes; light conducts 50 times as well as dark."""
    from matlens import homogenize

    return float(np.trace(homogenize(m, conductivity={0: 1.0, 1: 50.0}).tensor) / m.ndim)


def sizes(m: Microstructure) -> Any:
    """Share of the particles of at least each diameter."""
    found = st.particle_sizes(m, 1)
    return [found.weight[found.diameter >= d].sum() / found.weight.sum() for d in range(REACH)]


def spreads(m: Microstructure) -> Any:
    """Standard deviation of the volume fraction between windows of 1, 2, ... pixels, from the two-point function."""
    fraction = float(m.volume_fractions[1])
    covariance = st.normalised_covariance(st.two_point_map(m)[1], fraction)
    found = [np.sqrt(st.fraction_variance(covariance, (side, side), fraction)) for side in range(1, REACH)]
    return [np.nan, *found]


@dataclass(frozen=True)
class Picture:
    """Two media, and the statistics in which they agree and differ."""

    name: str
    first: tuple[str, Microstructure]
    second: tuple[str, Microstructure]
    agree: Measure
    differ: Measure


def broken(m: Microstructure, holes: int) -> Microstructure:
    """Cut little gaps into the light phase and thicken it elsewhere, so that the fraction stays."""
    rng = np.random.default_rng(5)
    light = m.labels == 1
    rows, columns = np.nonzero(light)
    gaps = np.zeros(SHAPE, dtype=bool)
    picked = rng.choice(rows.size, holes, replace=False)
    gaps[rows[picked], columns[picked]] = True
    left = light & ~ndimage.binary_dilation(gaps, iterations=3)
    near = ndimage.binary_dilation(left) & ~light & ~ndimage.binary_dilation(gaps, iterations=6)
    given = rng.choice(np.flatnonzero(near), int(light.sum() - left.sum()), replace=False)
    left.ravel()[given] = True
    return m.with_labels(left.astype(np.uint8))


def rough(m: Microstructure) -> Microstructure:
    """Let pixels at the interface change sides, as many each way."""
    rng = np.random.default_rng(6)
    light = m.labels == 1
    rim = (light & ~ndimage.binary_erosion(light), ~light & ndimage.binary_dilation(light))
    count = int(0.3 * min(side.sum() for side in rim))
    for side, value in zip(rim, (False, True)):
        light.ravel()[rng.choice(np.flatnonzero(side), count, replace=False)] = value
    return m.with_labels(light.astype(np.uint8))


def levels(fields: tuple[Any, Any]) -> Microstructure:
    """Three phases: the lowest half of the first field is 0; the rest is 1, and where the second is highest 2."""
    first, second = fields
    labels = (first > np.quantile(first, 0.5)).astype(np.uint8)
    left = np.where(labels == 1, second, -np.inf)
    labels[left > np.quantile(second[labels == 1], 0.7)] = 2
    return Microstructure(labels, periodic=True)


def smooth(seed: int) -> Any:
    """Draw smoothed noise."""
    noise = np.random.default_rng(seed).standard_normal(SHAPE)
    return ndimage.gaussian_filter(noise, 5.0, mode="wrap")


def coated() -> Microstructure:
    """The third phase lies inside the second, which keeps it from the first."""
    field = smooth(1)
    return levels((field, field))


def uncoated() -> Microstructure:
    return levels((smooth(1), smooth(2)))


def pictures() -> list[Picture]:
    discs = problems.discs(SHAPE, radius=5.0, fraction=0.35, seed=1)
    noise = discs.with_labels(problems.white_noise(SHAPE, discs.volume_fractions, 1).labels)
    walls = problems.cell_walls(SHAPE, diameter=20.0, fraction=0.25, seed=1)
    field = reconstruct(walls, method="gaussian-field", seed=1).microstructure
    equal = problems.particles(SHAPE, diameter=9.0, spread=0.0, fraction=0.35, seed=1)
    mixed = problems.particles(SHAPE, diameter=9.0, spread=0.5, fraction=0.35, seed=1)
    labyrinth = problems.bicontinuous(SHAPE, wavelength=16.0, fraction=0.35, seed=1)
    sheets = problems.sheets(SHAPE, period=14.0, waviness=0.3, interruption=0.2, fraction=0.35, seed=1)
    gaps = broken(walls, 45)
    turned = sheets.with_labels(np.ascontiguousarray(sheets.labels.T))
    wavy, straight = (
        problems.sheets(SHAPE, period=14.0, angle=90.0, waviness=w, interruption=0.0, fraction=0.35, seed=1)
        for w in (1.0, 0.0)
    )
    rods = problems.ellipses(SHAPE, length=20.0, aspect=5.0, disorder=90.0, overlap=False, fraction=0.35, seed=1)
    balls = problems.discs((64, 64, 64), radius=7.0, fraction=0.35, seed=1)
    sponge = problems.bicontinuous((64, 64, 64), wavelength=16.0, fraction=0.35, seed=1)
    fine = problems.gaussian_field(SHAPE, 2.0, 0.35, seed=1)
    coarse = problems.gaussian_field(SHAPE, 6.0, 0.35, seed=1)
    return [
        Picture("two_point", ("discs", discs), ("white noise", noise), FRACTION, S2),
        Picture("lineal_path", ("cell walls", walls), ("random field", field), S2, LINEAL),
        Picture("cluster", ("cell walls", walls), ("random field", field), S2, CLUSTER),
        Picture("conductivity", ("cell walls", walls), ("walls with gaps", gaps), SURFACE, CONDUCTIVITY),
        Picture("chord_length", ("equal discs", equal), ("unequal discs", mixed), FRACTION, CHORDS),
        Picture("local_thickness", ("equal discs", equal), ("unequal discs", mixed), FRACTION, THICKNESS),
        Picture("euler_density", ("cell walls", walls), ("random field", field), S2, EULER),
        Picture("specific_surface", ("labyrinth", labyrinth), ("rough labyrinth", rough(labyrinth)), S2, SURFACE),
        Picture("surface_surface", ("cell walls", walls), ("random field", field), S2, SURFACES),
        Picture("directions", ("sheets", sheets), ("sheets, turned", turned), S2, ROWS),
        Picture("particle_sizes", ("discs", equal), ("rods", rods), THICKNESS, SIZES),
        Picture("percolation", ("cell walls", walls), ("random field", field), S2, PERCOLATES),
        Picture("tortuosity", ("straight sheets", straight), ("wavy sheets", wavy), PERCOLATES, TORTUOSITY),
        Picture("triple_phase_boundary", ("coated", coated()), ("not coated", uncoated()), FRACTION, TRIPLE),
        Picture("minkowski", ("balls (a slice)", balls), ("sponge (a slice)", sponge), CURVATURE, EULER_3D),
        Picture("representative", ("fine", fine), ("coarse", coarse), FRACTION, WINDOWS),
    ]


@styled
def drawn(picture: Picture, path: Path) -> Figure:
    """Both media, then what agrees and what differs."""
    figure = Figure(figsize=(DOUBLE, HEIGHT), dpi=150, layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.subplots(1, 4, width_ratios=(1, 1, 1.15, 1.15))
    media = (picture.first, picture.second)
    for place, (name, m), colour in zip(axes, media, CYCLE):
        draw_phases(place, m)
        place.set_title(name, color=colour)
    for place, measure, said in zip(axes[2:], (picture.agree, picture.differ), ("agree", "differ")):
        for number, (name, m) in enumerate(media):
            value = measure.of(m)
            if isinstance(value, float):
                bar = place.bar(number, value, width=0.6, color=CYCLE[number])
                place.bar_label(bar, fmt="%.3g", fontsize=7)
                place.set_xticks([])
                place.margins(y=0.15)
                place.axhline(0, color="black", linewidth=0.5)
            else:
                place.plot(value, color=CYCLE[number], linestyle="-" if number == 0 else "--", label=name)
                place.set_xlabel(measure.over)
                place.set_ylim(bottom=0)
        place.set_title(f"{measure.title}: {said}")
    figure.savefig(path, metadata={"Software": None})
    return figure


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--output", type=Path, default=Path("docs/images"))
    parser.add_argument("--only", nargs="+", help="names of pictures")
    args = parser.parse_args()
    for picture in pictures():
        if not args.only or picture.name in args.only:
            drawn(picture, args.output / f"sees_{picture.name}.png")
            print(picture.name, flush=True)


if __name__ == "__main__":
    main()
