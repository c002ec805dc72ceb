"""Formation factors of the 27 Berea sandstone cubes of 128^3 voxels, against values published for them.

    python benchmarks/berea.py                   # all 81 cube-axis pairs, resumes what is there
    python benchmarks/berea.py --pairs 9         # nine pairs of different cubes, three along each axis
    python benchmarks/berea.py --summary         # only the table of what is there

The pore conducts and the solid does not. boundary="fixed" is what the published values were computed with; the periodic
value stands beside it. Each pair leaves a JSON file in the output folder and is not solved again; remove the folder
after a change of the code. Data: Mosser et al., Phys. Rev. E 96, 043309 (2017); name their folder in MATLENS_DATA.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import resource
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

AXES = "zyx"  # array order; x is the last axis of the published table too
SIDE = 128
WITHIN = 0.005  # relative error that is asked for
Row = dict[str, Any]


def data_file(name: str) -> Path:
    folders = [Path(folder) for folder in os.environ.get("MATLENS_DATA", "").split(os.pathsep) if folder]
    for folder in folders:
        for place in (folder, folder / "volumes"):
            if (place / name).is_file():
                return place / name
    sys.exit(f"{name} is not at hand: name the folder that holds it in MATLENS_DATA")


def pairs_of(number: int | None) -> list[tuple[int, str]]:
    """All pairs; or so many, of different cubes spread over the volume, the axes in turn."""
    every = [(cube, axis) for cube in range(27) for axis in AXES]
    if number is None or number >= len(every):
        return every
    if number > 27:
        return every[:number]
    return [(cube, AXES[i % 3]) for i, cube in enumerate(np.linspace(0, 26, number).round().astype(int).tolist())]


def solve(volume: Any, published: pd.Series, axis: str, tolerance: float) -> Row:
    from matlens import __version__
    from matlens.microstructure.physics import formation_factor

    corner = [int(published[f"{name}0"]) for name in AXES]
    cube = volume.crop(*(slice(start, start + SIDE) for start in corner))
    row: Row = {"cube": int(published["sample"]), "axis": axis, "porosity": float(cube.volume_fractions[0])}
    row["published"] = float(published[f"FF_{axis}"])
    for boundary in ("fixed", "periodic"):
        begun = time.perf_counter()
        found = formation_factor(cube, 0, AXES.index(axis), boundary=boundary, tolerance=tolerance)
        row[boundary] = found.value if np.isfinite(found.value) else None  # JSON has no infinity
        row[f"{boundary}_seconds"] = time.perf_counter() - begun
        row[f"{boundary}_iterations"], row[f"{boundary}_residual"] = found.iterations, found.residual
        row["connected"] = found.connected
    row["relative_error"] = None if row["fixed"] is None else row["fixed"] / row["published"] - 1
    row |= {"tolerance": tolerance, "peak_memory_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024}
    return row | {"matlens": __version__, "code": code_hash()}


def code_hash() -> str:
    """Tells whether records stem from one state of the physics."""
    import matlens

    files = sorted((Path(matlens.__file__).parent / "physics").glob("*.py"))
    return hashlib.sha256(b"".join(file.read_bytes() for file in files)).hexdigest()[:12]


def run(pairs: list[tuple[int, str]], folder: Path, tolerance: float, threads: int | None) -> None:
    import torch

    from matlens import read_microstructure

    if threads:
        torch.set_num_threads(threads)
    published = pd.read_csv(data_file("berea_128_subvolume_permeability.csv")).set_index("sample", drop=False)
    volume = read_microstructure(data_file("berea_400.zip"))
    for cube, axis in pairs:
        path = folder / f"{cube:02d}_{axis}.json"
        if path.is_file():
            continue
        row = solve(volume, published.loc[cube], axis, tolerance) | {"threads": torch.get_num_threads()}
        temporary = path.with_suffix(".part")
        temporary.write_text(json.dumps(row, indent=1), encoding="utf-8")
        temporary.replace(path)  # whole or not at all
        print(line(row), flush=True)


def line(row: Row) -> str:
    shown = {name: float("inf") if row[name] is None else row[name] for name in ("fixed", "periodic")}
    error = float("nan") if row["relative_error"] is None else 100 * row["relative_error"]
    return (
        f"| {row['cube']} | {row['axis']} | {row['porosity']:.4f} | {row['published']:.4f} | {shown['fixed']:.4f} "
        f"| {error:+.4f} | {row['fixed_iterations']} | {row['fixed_seconds']:.1f} | {shown['periodic']:.3f} "
        f"| {row['periodic_iterations']} | {row['periodic_seconds']:.1f} |"
    )


def table(rows: list[Row]) -> str:
    head = (
        "| cube | axis | porosity | FF published | fixed | error % | iterations | s | periodic | iterations | s |\n"
        "|---|---|---|---|---|---|---|---|---|---|---|"
    )
    errors = np.array([np.nan if row["relative_error"] is None else row["relative_error"] for row in rows])
    periodic = np.array([np.nan if row["periodic"] is None else row["periodic"] / row["published"] - 1 for row in rows])
    said = [
        f"{len(rows)} of 81 pairs; {int((np.abs(errors) <= WITHIN).sum())} within {100 * WITHIN:g} %; largest error "
        f"{100 * np.nanmax(np.abs(errors)):.4f} %, median {100 * np.nanmedian(np.abs(errors)):.4f} %.",
        f"Periodic against published: median {100 * np.nanmedian(periodic):+.1f} %, from "
        f"{100 * np.nanmin(periodic):+.1f} to {100 * np.nanmax(periodic):+.1f} %; "
        f"{int(np.isnan(periodic).sum())} infinite (pores do not meet across the border).",
        f"Threads {', '.join(sorted({str(row['threads']) for row in rows}))}; median "
        f"{np.median([row['fixed_seconds'] for row in rows]):.1f} s fixed and "
        f"{np.median([row['periodic_seconds'] for row in rows]):.1f} s periodic a pair; peak memory "
        f"{max(row['peak_memory_mb'] for row in rows):.0f} MB with the whole volume read.",
    ]
    if len({row["code"] for row in rows}) > 1 or rows[0]["code"] != code_hash():
        said.append("Some pairs were solved by another state of the code than the present one.")
    return "\n".join([head, *map(line, rows), "", *said])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pairs", type=int, help="how many pairs; default all 81")
    parser.add_argument("--tolerance", type=float, default=1e-4)
    parser.add_argument("--threads", type=int)
    parser.add_argument("--output", type=Path, default=Path("build/berea"))
    parser.add_argument("--summary", action="store_true", help="only sum up what is there")
    parser.add_argument("--markdown", type=Path, help="write the table here too")
    args = parser.parse_args()
    args.output.mkdir(parents=True, exist_ok=True)
    if not args.summary:
        run(pairs_of(args.pairs), args.output, args.tolerance, args.threads)
    rows = [json.loads(path.read_text("utf-8")) for path in sorted(args.output.glob("[0-9][0-9]_[xyz].json"))]
    if not rows:
        sys.exit(f"{args.output} holds no results yet; run without --summary")
    (args.output / "summary.json").write_text(json.dumps(rows, indent=1), encoding="utf-8")
    text = table(rows)
    print(text)
    if args.markdown:
        args.markdown.write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
