"""What each statistic of the catalogue costs: seconds and bytes, from which `Statistic.cost` is written down.

Every statistic is measured in a process of its own, on one core: processor time and peak memory for a random field of
about 2**20 pixels in two and in three dimensions (three phases for the triple-phase boundary, two for all others). The
table is printed as the declarations hold it, and written as JSON; what is measured already is not measured again.

    python benchmarks/statistics_cost.py -o runs/benchmark-statistics-cost [--only NAME ...]
"""

import argparse
import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

SHAPES = ((1024, 1024), (104, 100, 100))
PIXELS = 1 << 20


def measure_one(name: str, shape: tuple[int, ...]) -> dict[str, float]:
    from matlens.microstructure.problems import gaussian_field
    from matlens.microstructure.statistics import find_statistics
    from matlens.microstructure.structure import Microstructure

    (statistic,) = find_statistics([name])
    m = gaussian_field(shape, 6.0, 0.4, seed=0, periodic=False)
    if name == "triple_phase_boundary":
        labels = m.labels.copy()
        labels[..., ::2] *= 2
        m = Microstructure(labels, phase_names="abc")
    corner = m.crop(*(slice(0, 32) for _ in shape))
    statistic.compute(corner)  # loads and compiles
    before, begin = peak(reset=True), time.process_time()
    statistic.compute(m)
    seconds = time.process_time() - begin
    number = {"phase": m.n_phases, "pair": m.n_phases * (m.n_phases + 1) / 2, "structure": 1}[statistic.cost.each]
    scale = (PIXELS / m.labels.size) ** statistic.cost.exponent / number
    return {"seconds": seconds * scale, "bytes": (peak() - before) / m.labels.size}


def peak(*, reset: bool = False) -> int:
    """Peak memory in bytes, since the last reset (Linux)."""
    if reset:
        Path("/proc/self/clear_refs").write_text("5")
    return int(Path("/proc/self/status").read_text().split("VmHWM:")[1].split()[0]) * 1024


def in_own_process(name: str, shape: tuple[int, ...]) -> dict[str, Any]:
    threads = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS", "OPENBLAS_NUM_THREADS")
    command = [sys.executable, __file__, "--case", name, *map(str, shape)]
    done = subprocess.run(
        command, capture_output=True, text=True, env={**os.environ, **dict.fromkeys(threads, "1")}, check=True
    )
    found: dict[str, Any] = json.loads(done.stdout.strip().splitlines()[-1])
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("-o", "--output", type=Path, default=Path("runs/benchmark-statistics-cost"))
    parser.add_argument("--only", nargs="+", metavar="STATISTIC")
    parser.add_argument("--case", nargs="+", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.case:
        name, *shape = options.case
        print(json.dumps(measure_one(name, tuple(map(int, shape)))))
        return
    from matlens.microstructure.statistics import STATISTIC_NAMES

    options.output.mkdir(parents=True, exist_ok=True)
    file = options.output / "costs.json"
    rows = json.loads(file.read_text()) if file.is_file() else {}
    for name in options.only or STATISTIC_NAMES:
        if name not in rows:
            rows[name] = [in_own_process(name, shape) for shape in SHAPES]
            file.write_text(json.dumps(rows, indent=2))
        seconds, memory = ([found[what] for found in rows[name]] for what in ("seconds", "bytes"))
        pair = ", ".join(f"{value:.2g}" for value in seconds)
        print(f"{name:24}seconds=({pair}), bytes=({', '.join(f'{value:.0f}' for value in memory)})", flush=True)


if __name__ == "__main__":
    main()
