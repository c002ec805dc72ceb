"""Volumes of oriented materials whose truth is known, from two and from three sections; and of other materials.

    python benchmarks/volumes_oriented.py                            # all cases at 64^3; resumes what is there
    python benchmarks/volumes_oriented.py --side 32 --preset fast    # smaller and quicker
    python benchmarks/volumes_oriented.py --only fibres              # some of the cases
    python benchmarks/volumes_oriented.py --markdown docs/table.md   # write the tables there too

Oriented materials are overlapping ellipsoids of one orientation: long along x (ellipsoids), flat along z (layers), and
very long along x (fibres). The truth is a periodic volume of twice the side; its eight parts are the windows, whose
range is given relative to their median. Sections are planes of the truth. Two sections stand for three planes, since
two of the axes look alike; three are taken one for each. Conductivity is homogenised periodically, either phase in turn
10 and 50 times as conductive as the other. What is judged is the ratio of the conductivities along and across the axis
of symmetry, against that of the whole truth; it should lie within 15 %, or within the windows' 90 % range if wider. A
level-cut Gaussian field that is stretched like the sections, and annealing to their two-point probability along the
axes, stand beside it.

Other materials have no truth in space: what their section determines is compared, plane by plane, with its windows.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

import matlens
from material_kinds import Fetched
from matlens import Microstructure, read_microstructure

Array = NDArray[np.float64]
AXES, CONTRASTS = "zyx", (10.0, 50.0)
FRACTION = 0.3
# half axes along z, y and x in voxels at 64^3, and the axis of symmetry
ORIENTED = {"ellipsoids": ((4, 4, 12), 2), "layers": ((2.5, 10, 10), 0), "fibres": ((3, 3, 40), 2)}
METHODS = ("matching", "gaussian-field", "annealing")
DETERMINED = ("s2_error", "lineal_path_error", "chord_length_error", "specific_surface_error")


def ellipsoids(side: int, half_axes: Sequence[float], seed: int) -> Microstructure:
    """Overlapping ellipsoids of one orientation in a periodic cube, until they fill their share."""
    random = np.random.default_rng(seed)
    steps = np.arange(side)
    filled = np.zeros((side,) * 3, dtype=bool)
    while filled.mean() < FRACTION:
        apart = [(steps - centre + side / 2) % side - side / 2 for centre in random.uniform(0, side, 3)]
        squares = [(one / half) ** 2 for one, half in zip(apart, half_axes)]
        filled |= squares[0][:, None, None] + squares[1][:, None] + squares[2] <= 1
    return Microstructure(filled.astype(np.uint8), phase_names=("matrix", "inclusions"), periodic=True)


def named_sections(truth: Microstructure, symmetry: int, count: int) -> dict[str, Microstructure]:
    """Planes of the truth by their names: two, of which one stands for both planes along the axis; or three."""
    side = truth.shape[0]
    planes = {"yz": truth[:, :, side // 3], "xz": truth[:, side // 2, :], "xy": truth[side // 5]}
    if count == 3:
        return planes
    axis = AXES[symmetry]
    across = next(name for name in planes if axis not in name)
    along = [name for name in planes if axis in name]
    # Both are written with the axis of symmetry in one place, so that one image can stand for both.
    other = [next(letter for letter in name if letter != axis) for name in along]
    image = planes[along[0]].labels
    if along[0][0] != axis:
        image = image.T
    return {across: planes[across], ",".join(f"{axis}{letter}" for letter in other): Microstructure(image)}


def conductivities(m: Microstructure) -> dict[str, list[float]]:
    """Conductivity along z, y and x by the conducting phase and the contrast."""
    found = {}
    for phase in (0, 1):
        for contrast in CONTRASTS:
            solved = matlens.homogenize(
                m, conductivity={phase: contrast, 1 - phase: 1.0}, tolerance=1e-3, dtype="float32", device="cpu"
            )
            found[f"{phase} {contrast:g}"] = np.diag(solved.tensor).tolist()
    return found


def along_over_across(values: Sequence[float], symmetry: int) -> float:
    across = [value for axis, value in enumerate(values) if axis != symmetry]
    return float(values[symmetry] / np.mean(across))


def kept(path: Path, make: Callable[[], Any]) -> Any:
    """A result that is read where it has been made."""
    if not path.is_file():
        path.write_text(json.dumps(make()), encoding="utf-8")
    return json.loads(path.read_text("utf-8"))


def oriented_rows(name: str, side: int, preset: str, folder: Path) -> list[str]:
    half_axes, symmetry = ORIENTED[name]
    truth = ellipsoids(2 * side, [half * side / 64 for half in half_axes], seed=1)

    def of_windows() -> list[dict[str, list[float]]]:
        return [conductivities(window) for window in truth.tiles((side,) * 3)]

    windows = kept(folder / f"{name}_truth.json", of_windows)
    whole = kept(folder / f"{name}_whole.json", lambda: conductivities(truth))
    rows = []
    for count in (2, 3):
        found = {}
        for method in METHODS if count == 3 else METHODS[:2]:

            def made(method: str = method, count: int = count) -> dict[str, Any]:
                begun = time.process_time()
                sections = named_sections(truth, symmetry, count)
                options = {"preset": preset} if method == "matching" else {}
                result = matlens.reconstruct(
                    sections, (side,) * 3, method=method, seed=count, force_sections=True, **options
                )
                seconds = time.process_time() - begun
                np.save(folder / f"{name}_{count}_{method}.npy", result.microstructure.labels)
                warned = result.settings.get("warnings", [])
                return {"k": conductivities(result.microstructure), "seconds": seconds, "warnings": warned}

            found[method] = kept(folder / f"{name}_{count}_{method}.json", made)
        for key in windows[0]:
            ratios = np.array([along_over_across(window[key], symmetry) for window in windows])
            right = along_over_across(whole[key], symmetry)
            low, high = np.quantile(ratios, (0.05, 0.95)) / np.median(ratios)
            allowed = max(0.15, high - 1, 1 - low)
            cells = [f"{right:.2f} ({low:.2f} to {high:.2f})"]
            for method in METHODS:
                if method not in found:
                    cells.append("")
                    continue
                mine = along_over_across(found[method]["k"][key], symmetry)
                off = mine / right - 1
                cells.append(f"{mine:.2f} ({off:+.0%}{'' if abs(off) <= allowed else ', off'})")
            phase, contrast = key.split()
            rows.append(row([name, count, truth.phase_names[int(phase)], contrast, *cells]))
    return rows


def electrode(side: int) -> Microstructure:
    """A section of a medium of three phases: pores, and two kinds of grains between them."""
    from matlens.microstructure.problems import gaussian_field

    pores = gaussian_field((2 * side,) * 3, 7.0, 0.35, seed=11).labels
    grains = gaussian_field((2 * side,) * 3, 9.0, 0.45, seed=12).labels
    labels = np.where(pores == 1, 0, 1 + grains)[side]
    return Microstructure(labels, phase_names=("pore", "nickel-like", "ceramic-like"))


def cement(side: int) -> Microstructure:
    """A slice of a grey volume, segmented by this package: the unhydrated grains, which are bright."""
    from berea import data_file

    grey = read_microstructure(data_file("cement_128_grey.tif"), threshold="multiotsu:3")
    return grey[grey.shape[0] // 2]


OTHERS: dict[str, Callable[[int], Microstructure]] = {
    "ceramics": lambda side: halved(Fetched("li2018_ceramics.npy")()),
    "cement": cement,
    "composite": lambda side: halved(Fetched("li2018_composite.npy")()),
    "electrode-like": electrode,
}


def halved(m: Microstructure) -> Microstructure:
    """The image at half resolution: as many correlation lengths fit into the volume."""
    size = [side // 2 * 2 for side in m.shape]
    amounts = m.indicators()[:, : size[0], : size[1]].astype(float)
    blocks = amounts.reshape(len(amounts), size[0] // 2, 2, size[1] // 2, 2).mean(axis=(2, 4))
    return Microstructure(blocks.argmax(axis=0), phase_names=m.phase_names)


def other_row(name: str, side: int, preset: str, folder: Path) -> str:
    section = OTHERS[name](side)

    def made() -> dict[str, Any]:
        begun = time.process_time()
        result = matlens.reconstruct(section, (side,) * 3, preset=preset, seed=0, force_sections=True)
        seconds = time.process_time() - begun
        np.save(folder / f"{name}.npy", result.microstructure.labels)
        found = matlens.compare(result.microstructure, section, controls=False, copying=False, properties=())
        smallest = found.ratios[found.ratios["window"] == found.ratios["window"].iloc[-1]]
        ratios = dict(zip(smallest["statistic"], smallest["R"]))
        count = int(smallest["n_windows"].iloc[0])
        facts = {"window": str(smallest["window"].iloc[0]), "n": count, "seconds": seconds}
        return {**facts, "R": ratios, "warnings": result.settings.get("warnings", [])}

    found = kept(folder / f"{name}.json", made)
    values = [f"{found['R'][statistic]:.2f}" for statistic in DETERMINED]
    size = " x ".join(map(str, section.shape))
    warned = " ".join(found["warnings"]) or "none"
    return row([name, size, f"{found['n']} of {found['window']}", *values, f"{found['seconds']:.0f}", warned])


def row(values: Sequence[Any]) -> str:
    return "| " + " | ".join(map(str, values)) + " |"


def header(names: Sequence[str]) -> str:
    return row(names) + "\n" + "|" + "---|" * len(names)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--side", type=int, default=64, help="voxels along a side")
    parser.add_argument("--preset", default="default")
    parser.add_argument("--only", nargs="+", choices=[*ORIENTED, *OTHERS], default=[*ORIENTED, *OTHERS])
    parser.add_argument("--output", type=Path, default=Path("build/volumes_oriented"))
    parser.add_argument("--markdown", type=Path, help="write the tables here too")
    args = parser.parse_args()
    folder = args.output / f"{args.side}_{args.preset}"
    folder.mkdir(parents=True, exist_ok=True)
    names = ["material", "sections", "conductor", "contrast", "along / across: truth (windows, relative)"]
    lines = [header([*names, "ours", "level cut", "annealing"])]
    for name in ORIENTED:
        if name in args.only:
            lines += oriented_rows(name, args.side, args.preset, folder)
    lines += ["", header(["material", "section (px)", "windows", *DETERMINED, "s", "warnings"])]
    lines += [other_row(name, args.side, args.preset, folder) for name in OTHERS if name in args.only]
    text = "\n".join(lines)
    print(text)
    if args.markdown:
        args.markdown.write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
