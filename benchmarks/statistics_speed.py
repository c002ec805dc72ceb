"""Time every statistic, on the same array and in the same run as scikit-image and PoreSpy do theirs.

    python benchmarks/statistics_speed.py                                # some five minutes on two cores
    python benchmarks/statistics_speed.py --quick                        # 512^2 and 64^3, under a minute
    python benchmarks/statistics_speed.py --peer-python ENV/bin/python   # an environment that has PoreSpy
    python benchmarks/statistics_speed.py --only local_thickness

Each case has a process of its own, so that the peak memory is its own, and is kept in the output folder; remove the
folder after a change of the code. Run it on an idle machine. (Not named statistics.py: that would hide Python's own
module from whatever is run in this folder.)
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

Work = Callable[[Any], Any]
FLAT, DEEP = (2048, 2048), (256, 256, 256)
# seconds and megabytes that were asked for
LIMITS: dict[tuple[str, int], tuple[float, float]] = {
    ("two_point", 2): (0.5, np.inf),
    ("two_point", 3): (2.5, 1200),
    ("lineal_path", 3): (3, np.inf),
    ("minkowski", 3): (2, np.inf),
    ("cluster", 3): (20, np.inf),
    ("local_thickness", 3): (60, np.inf),
}


def ours() -> dict[str, Work]:
    from matlens.microstructure import statistics as s

    return {
        "two_point": s.two_point_map,
        "lineal_path": s.lineal_path,
        "chord_length": s.chord_length_distribution,
        "cluster": s.cluster_map,
        "minkowski": s.minkowski_functionals,
        "local_thickness": s.local_thickness_map,
        "local_thickness_whole": lambda m: s.local_thickness_map(m, whole=True),
        "particle_sizes": lambda m: s.particle_sizes(m, 1),
        "surface_surface": s.surface_surface_map,
        "triple_phase_boundary": lambda m: s.triple_phase_boundary(
            type(m)(m.labels + (m.labels == 1) * (np.arange(m.shape[-1]) % 2), phase_names="abc")
        ),
        "percolation": s.percolation,
    }


def peers() -> dict[str, tuple[str, Work]]:
    """What comes nearest in other packages, for both phases wherever ours gives both."""
    found: dict[str, tuple[str, Work]] = {}

    def both(function: Work) -> Work:
        return lambda labels: [function(labels == phase) for phase in (1, 0)]

    try:
        from skimage import measure

        found["minkowski"] = "scikit-image, Euler numbers and mesh", both(lambda image: _skimage(measure, image))
        found["particle_sizes"] = (
            "scikit-image, regionprops_table",
            lambda labels: measure.regionprops_table(
                measure.label(labels == 1, connectivity=1), properties=("equivalent_diameter_area",)
            ),
        )
    except ImportError:
        pass
    try:
        import porespy

        thick = porespy.filters.local_thickness
        whole = "PoreSpy, whole radii"
        found["local_thickness"] = found["local_thickness_whole"] = whole, both(thick)
        found["two_point"] = "PoreSpy, radial only", both(porespy.metrics.two_point_correlation)
        found["lineal_path"] = "PoreSpy, one axis", both(porespy.metrics.lineal_path_distribution)
        found["chord_length"] = "PoreSpy, one axis", both(_porespy_chords(porespy))
        found["percolation"] = "PoreSpy", both(_porespy_percolation(porespy))
    except ImportError:
        pass
    return found


def _skimage(measure: Any, image: np.ndarray) -> Any:
    numbers = [measure.euler_number(image, connectivity=c) for c in (1, image.ndim)]
    if image.ndim == 2:
        return numbers, measure.perimeter_crofton(image)
    vertices, faces, _, _ = measure.marching_cubes(image.astype(np.float32), 0.5)
    return numbers, measure.mesh_surface_area(vertices, faces)


def _porespy_chords(porespy: Any) -> Work:
    return lambda image: porespy.metrics.chord_length_distribution(porespy.filters.apply_chords(image, axis=0))


def _porespy_percolation(porespy: Any) -> Work:
    return lambda image: [porespy.metrics.is_percolating(image, axis=axis) for axis in range(image.ndim)]


def measure_one(name: str, side: str, array: Path) -> dict[str, Any]:
    """Time one statistic in this process: on a corner first, so that all is loaded and compiled, then best of two."""
    labels = np.load(array)
    corner = labels[tuple(slice(0, 48) for _ in labels.shape)]
    title = "MatLens"
    if side == "ours":
        from matlens import Microstructure

        work = ours()[name]
        whole: Any = Microstructure(labels)
        work(Microstructure(corner))
    else:
        title, work = peers().get(name, ("", None))  # type: ignore[assignment]
        if work is None:
            return {}
        whole = labels
        work(corner)
    before = peak()
    seconds = []
    while len(seconds) < 2 and sum(seconds) < 60:
        begin = time.perf_counter()
        work(whole)
        seconds.append(time.perf_counter() - begin)
    return {"by": title, "seconds": round(min(seconds), 3), "peak MB": peak(), "added MB": peak() - before}


def peak() -> int:
    """Peak memory in megabytes; getrusage's begins, on Linux, with that of the process that started this one."""
    status = Path("/proc/self/status")
    if status.is_file():
        return int(status.read_text().split("VmHWM:")[1].split()[0]) // 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024


def in_own_process(python: str, name: str, side: str, array: Path, threads: int) -> dict[str, Any]:
    command = [python, __file__, "--case", name, side, str(array)]
    names = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS", "OPENBLAS_NUM_THREADS")
    done = subprocess.run(
        command, capture_output=True, text=True, env={**os.environ, **dict.fromkeys(names, str(threads))}
    )
    if done.returncode != 0:
        return {"by": "failed", "why": done.stderr.strip().splitlines()[-1:]}
    return json.loads(done.stdout.strip().splitlines()[-1])


def arrays(folder: Path, quick: bool) -> list[Path]:
    from matlens.microstructure.problems import gaussian_field

    found = []
    for shape in ((512, 512), (64, 64, 64)) if quick else (FLAT, DEEP):
        file = folder / f"field_{'x'.join(map(str, shape))}.npy"
        if not file.is_file():
            np.save(file, gaussian_field(shape, 6.0, 0.4, seed=0).labels)
        found.append(file)
    return found


def study(folder: Path, options: argparse.Namespace) -> list[dict[str, Any]]:
    rows = []
    for array in arrays(folder, options.quick):
        ndim = array.stem.count("x") + 1
        for name in ours():
            if options.only and name not in options.only:
                continue
            file = folder / f"{name}_{array.stem}_{options.threads}.json"
            if not file.is_file():
                mine = in_own_process(sys.executable, name, "ours", array, options.threads)
                pythons = dict.fromkeys((sys.executable, options.peer_python or sys.executable))
                others = [in_own_process(python, name, "peer", array, options.threads) for python in pythons]
                others = list({other["by"]: other for other in reversed(others) if other}.values())
                row = {"statistic": name, "array": array.stem, "threads": options.threads, "ours": mine}
                file.write_text(json.dumps({**row, "peers": others}, indent=2))
            rows.append({**json.loads(file.read_text()), "limit": LIMITS.get((name, ndim))})
    return rows


def report(rows: list[dict[str, Any]]) -> None:
    print(f"{'statistic':24}{'array':20}{'seconds':>9}{'asked':>8}{'peak MB':>9}  peers")
    for row in rows:
        mine, limit = row["ours"], row["limit"]
        asked = f"{limit[0]:g}" if limit and "512" not in row["array"] and "64x64" not in row["array"] else ""
        others = "; ".join(f"{p['by']}: {p.get('seconds', p.get('why'))}" for p in row["peers"])
        seconds = mine.get("seconds", "failed")
        print(f"{row['statistic']:24}{row['array']:20}{seconds:>9}{asked:>8}{mine.get('peak MB', ''):>9}  {others}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("-o", "--output", type=Path, default=Path("runs/benchmark-statistics"))
    parser.add_argument("--quick", action="store_true", help="smaller arrays")
    parser.add_argument("--only", nargs="+", metavar="STATISTIC")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--peer-python", help="a Python that has PoreSpy")
    parser.add_argument("--case", nargs=3, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.case:
        name, side, array = options.case
        print(json.dumps(measure_one(name, side, Path(array))))
        return
    options.output.mkdir(parents=True, exist_ok=True)
    rows = study(options.output, options)
    (options.output / "statistics.json").write_text(json.dumps(rows, indent=2))
    report(rows)


if __name__ == "__main__":
    main()
