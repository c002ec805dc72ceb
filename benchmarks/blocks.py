"""Statistics of volumes that are larger than the memory they are given: time, memory, and equality with the whole.

A Boolean model of balls of radius 10 px, about half of it solid, is written as a raw file slab by slab, so that to make
a volume of any side takes little memory. Each side is measured by a process of its own, whose peak of resident memory
the system tells. Times are of the processor, so that other work on the machine matters less.

    python benchmarks/blocks.py --sides 256 512 1024 --memory 1.5 --folder build/blocks

Results are kept in FOLDER/blocks.json; sides that are there are not measured again.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
from pathlib import Path

import numpy as np

NAMES = ["volume_fraction", "two_point", "lineal_path", "chord_length", "euler_number", "euler_density",
         "specific_surface", "mean_curvature", "percolation"]  # fmt: skip
THICK = ["local_thickness"]
RADIUS, SOLID, SLAB, REACH = 10, 0.5, 64, 64


def write_balls(path: Path, side: int) -> None:
    """Write a Boolean model of balls; centres also lie outside, so that the volume is a window of the model."""
    random = np.random.default_rng(0)
    outer = side + 2 * RADIUS
    number = random.poisson(-np.log(1 - SOLID) / (4 / 3 * np.pi * RADIUS**3) * outer**3)
    centres = random.uniform(-RADIUS, side + RADIUS, (number, 3))
    centres = centres[np.argsort(centres[:, 0])]
    with path.open("wb") as file:
        for start in range(0, side, SLAB):
            slab = np.zeros((min(SLAB, side - start), side, side), dtype=np.uint8)
            first, last = np.searchsorted(centres[:, 0], [start - RADIUS, start + len(slab) + RADIUS])
            for centre in centres[first:last] - [start, 0, 0]:
                low = np.maximum(np.floor(centre - RADIUS).astype(int), 0)
                high = np.minimum(np.ceil(centre + RADIUS).astype(int) + 1, slab.shape)
                if (low < high).all():
                    z, y, x = (np.arange(a, b) - c for a, b, c in zip(low, high, centre))
                    inside = (z**2)[:, None, None] + (y**2)[:, None] + x**2 < RADIUS**2
                    slab[tuple(map(slice, low, high))] |= inside
            file.write(slab.tobytes())


def peak() -> float:
    """Most resident memory of this process so far, in bytes."""
    line = next(line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM"))
    return 1024.0 * int(line.split()[1])


def measure(path: Path, names: list[str], memory: float) -> dict[str, object]:
    """Measure in blocks, as `characterize_in_blocks` does, with the time of each kind of counting."""
    from matlens import open_microstructure
    from matlens.microstructure.statistics import plan_blocks

    begun, wall = time.process_time(), time.time()
    large = open_microstructure(path)
    seconds = {"opening": time.process_time() - begun}
    plan = plan_blocks(large, statistics=names, reach=REACH, memory=memory)
    ways = {one.blockwise().update.__name__: one.blockwise() for one in plan.statistics}
    states: dict[str, dict[str, object]] = {}
    for block in plan.blocks:
        at = time.process_time()
        held = block.fetched(plan.halo)
        seconds["reading"] = seconds.get("reading", 0.0) + time.process_time() - at
        for name, way in ways.items():
            at = time.process_time()
            states[name] = way.update(states.get(name), held)
            seconds[name] = seconds.get(name, 0.0) + time.process_time() - at
    values = {}
    for one in plan.statistics:
        at = time.process_time()
        name = one.blockwise().update.__name__
        found = one.blockwise().compute(states[name], large)
        seconds[name] += time.process_time() - at
        values[one.name] = [np.asarray(part).tolist() for part in (found if isinstance(found, tuple) else (found,))]
    return {"seconds": seconds, "wall": time.time() - wall, "peak": peak(), "planned": plan.bytes,
            "blocks": [list(plan.blocks[0].shape), len(plan.blocks)], "values": values}  # fmt: skip


def measure_whole(path: Path, names: list[str]) -> dict[str, object]:
    """Measure the whole volume in memory."""
    from matlens import read_microstructure
    from matlens.microstructure.statistics import find_statistics

    m = read_microstructure(path)
    seconds, values = {}, {}
    for one in find_statistics(names):
        at = time.process_time()
        values[one.name] = [np.asarray(part).tolist() for part in one.measure(m)]
        seconds[one.name] = time.process_time() - at
    return {"seconds": seconds, "peak": peak(), "values": values}


def in_process(*words: str) -> dict[str, object]:
    done = subprocess.run([sys.executable, __file__, *words], capture_output=True, text=True, check=True)
    return json.loads(done.stdout)


def differs(whole: dict[str, object], blocks: dict[str, object]) -> list[str]:
    """Statistics whose values in blocks are not those of the whole, as far as correlations reach."""
    found = []
    for name, parts in blocks.items():
        for a, b in zip(whole[name], parts):
            a, b = np.array(a, float), np.array(b, float)
            a = a[..., : b.shape[-1]] if name == "two_point" else a
            if not np.allclose(a, b, rtol=1e-12 if name in THICK else 0, atol=0, equal_nan=True):
                found.append(name)
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sides", type=int, nargs="+", default=[256, 512])
    parser.add_argument("--memory", type=float, default=1.5, help="GB")
    parser.add_argument("--folder", type=Path, default=Path("benchmarks/results/blocks"))
    parser.add_argument("--names", nargs="+", default=NAMES)
    parser.add_argument("--whole", type=int, default=256, help="sides up to this are measured whole, too")
    parser.add_argument("--child", choices=["blocks", "whole"])
    asked = parser.parse_args()
    path = asked.folder / f"balls_{asked.sides[0]}x{asked.sides[0]}x{asked.sides[0]}_uint8.raw"
    if asked.child:
        in_blocks = asked.child == "blocks"
        found = measure(path, asked.names, asked.memory * 1e9) if in_blocks else measure_whole(path, asked.names)
        print(json.dumps(found))
        return
    asked.folder.mkdir(parents=True, exist_ok=True)
    store = asked.folder / "blocks.json"
    results = json.loads(store.read_text()) if store.is_file() else {}
    for side in asked.sides:
        path = asked.folder / f"balls_{side}x{side}x{side}_uint8.raw"
        if not path.is_file():
            write_balls(path, side)
        words = ["--sides", str(side), "--memory", str(asked.memory), "--folder", str(asked.folder)]
        words += ["--names", *asked.names]
        key = f"{side}:{asked.memory}:{','.join(asked.names)}"
        if key not in results:
            results[key] = {"blocks": in_process(*words, "--child", "blocks")}
            if side <= asked.whole:
                results[key]["whole"] = in_process(*words, "--child", "whole")
            store.write_text(json.dumps(results))
        report(side, results[key])


def report(side: int, found: dict[str, dict[str, object]]) -> None:
    blocks, pixels = found["blocks"], side**3 / 1e6
    shape, number = blocks["blocks"]
    print(f"{side}^3 in {number} blocks of {' x '.join(map(str, shape))} pixels:", flush=True)
    print(f"  {sum(blocks['seconds'].values()):.0f} s of the processor, {blocks['wall']:.0f} s in all")
    print(f"  peak {blocks['peak'] / 1e9:.2f} GB, planned {blocks['planned'] / 1e9:.2f} GB")
    parts = dict.fromkeys(blocks["seconds"], blocks["seconds"])
    if whole := found.get("whole"):
        said = differs(whole["values"], blocks["values"]) or "none"
        print(f"  whole: peak {whole['peak'] / 1e9:.2f} GB; differences: {said}")
        parts |= dict.fromkeys(whole["seconds"], whole["seconds"])
    for name, seconds in parts.items():
        print(f"  {name:20s} {seconds[name]:8.2f} s   {1e3 * seconds[name] / pixels:8.1f} ns a voxel", flush=True)


if __name__ == "__main__":
    main()
