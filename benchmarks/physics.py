"""Measure the conduction solver: speed, memory, laminates, bounds, convergence with the grid, gradient.

    python benchmarks/physics.py                      # everything, some ten minutes on two cores
    python benchmarks/physics.py --quick              # smaller and fewer, under a minute
    python benchmarks/physics.py --only speed --threads 2

Each part leaves one JSON file in the output folder and is not measured again; remove the folder after a change of the
code. Each speed case has a process of its own, so that the peak memory is its own; run them on an idle machine.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import time
from collections.abc import Callable
from itertools import product
from math import log2, prod
from pathlib import Path
from typing import Any

import numpy as np
import torch

from matlens.microstructure.physics import check_conductivity, effective_conductivity, solve_conduction
from matlens.microstructure.problems import FAMILIES, draw_structure, gaussian_field

Row = dict[str, Any]
LIMITS = {2: 0.4, 3: 25.0}  # seconds a load case that were asked for


SCHEMES = ("rotated", "staggered")


def tensor_of(k: np.ndarray, tolerance: float = 1e-8, scheme: Any = "auto") -> np.ndarray:
    return effective_conductivity(torch.from_numpy(k)[None], tolerance=tolerance, scheme=scheme)[0].numpy()


# --- speed ------------------------------------------------------------------------------------------------------------


def speed(quick: bool, threads: int) -> list[Row]:
    shapes = [(256, 256), (64, 64, 64)] if quick else [(256, 256), (128, 128, 128)]
    cases = product(shapes, ("float32", "float64"), (100, 1e4), SCHEMES)
    return [in_own_process(*case, threads) for case in cases]


def in_own_process(shape: tuple[int, ...], dtype: str, contrast: float, scheme: str, threads: int) -> Row:
    case = json.dumps([list(shape), dtype, contrast, scheme, threads])
    command = [sys.executable, __file__, "--case", case]
    return json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def measure(shape: list[int], dtype: str, contrast: float, scheme: Any, threads: int) -> Row:
    torch.set_num_threads(threads)
    labels = gaussian_field(tuple(shape), 3.0, 0.4, seed=0).labels
    k = torch.from_numpy(np.where(labels == 1, contrast, 1.0)).to(getattr(torch, dtype))[None]
    solve_conduction(k[..., :16, :16], tolerance=0.1)  # libraries load
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    begin = time.perf_counter()
    solution = solve_conduction(k, scheme=scheme, tolerance=1e-5)
    seconds = (time.perf_counter() - begin) / len(shape)
    after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    iterations = float(solution.iterations.double().mean())
    flop, byte = floor(shape, k.element_size())
    return {
        "shape": "x".join(map(str, shape)),
        "dtype": dtype,
        "contrast": contrast,
        "scheme": scheme,
        "threads": threads,
        "iterations": iterations,
        "seconds a load case": round(seconds, 4),
        "ms an iteration": round(1e3 * seconds / iterations, 3),
        "FLOP/byte": round(flop / byte, 2),
        "floor, ms an iteration": round(1e3 * max(flop / flop_rate(k.dtype), byte / bandwidth()), 3),
        "peak MB": round(after / 1024),
        "of it the solver's": round((after - before) / 1024),
        "within what was asked": seconds <= LIMITS[len(shape)],
        "converged": bool(solution.converged.all()),
    }


def floor(shape: list[int], size: int) -> tuple[float, float]:
    """Operations and bytes that an iteration cannot do without: two FFTs, the faces, three updates, two products.

    Each array is counted once for each pass over it: an FFT passes once along each axis.
    """
    cells, ndim = prod(shape), len(shape)
    flop = cells * (2 * 2.5 * log2(cells) + 1 + 5 * ndim + 10)
    arrays = 2 * 2 * ndim + 3 + (ndim + 2) + 10
    return flop, arrays * cells * size


def bandwidth() -> float:
    """Bytes a second, read and written, of a copy that no cache holds."""
    source = torch.ones(2**25)
    target = torch.empty_like(source)
    return 2 * source.nbytes / best(lambda: target.copy_(source))


def flop_rate(dtype: torch.dtype) -> float:
    """Operations a second of a product of matrices: what the processor can do at best."""
    a = torch.ones(1024, 1024, dtype=dtype)
    return 2 * 1024**3 / best(lambda: a @ a)


def best(work: Callable[[], Any]) -> float:
    times = []
    for _ in range(5):
        begin = time.perf_counter()
        work()
        times.append(time.perf_counter() - begin)
    return min(times)


# --- truths -----------------------------------------------------------------------------------------------------------


def laminates(quick: bool, threads: int) -> list[Row]:
    rows = []
    for shape in ((32, 24), (16, 12, 10)):
        for contrast, scheme in ((0.0, "staggered"), *product((1e-4, 100.0, 1e4), SCHEMES)):
            worst = 0.0
            for axis in range(len(shape)):
                k = np.ones(shape)
                k[tuple(slice(0, 5) if i == axis else slice(None) for i in range(len(shape)))] = contrast
                share = 5 / shape[axis]
                expected = np.full(len(shape), share * contrast + 1 - share)
                expected[axis] = 1 / (share / contrast + 1 - share) if contrast else 0.0
                error = np.abs(tensor_of(k, 1e-10, scheme) - np.diag(expected)).max() / expected.max()
                worst = max(worst, float(error))
            rows.append(
                {"ndim": len(shape), "contrast": contrast, "scheme": scheme, "worst relative error": f"{worst:.1e}"}
            )
    return rows


def checkerboards(quick: bool, threads: int) -> list[Row]:
    """ln(k / sqrt(k1 k2)); each doubling divides it by a power of 4^lambda, lambda the corners' singularity."""
    rows = []
    for contrast, scheme in product((2.0, 10.0, 100.0), SCHEMES):
        sides = (2, 4, 8, 16, 32) if quick else (2, 4, 8, 16, 32, 64, 128)
        boards = [np.where(np.kron([[0, 1], [1, 0]], np.ones((side, side))), contrast, 1.0) for side in sides]
        errors = [np.log(tensor_of(board, scheme=scheme)[0, 0] / contrast**0.5) for board in boards]
        row: Row = {"contrast": contrast, "scheme": scheme} | {
            f"{side} px": f"{e:+.4f}" for side, e in zip(sides, errors)
        }
        row["last ratio"] = round(errors[-2] / errors[-1], 3)
        row["4^lambda"] = round(4 ** (4 / np.pi * np.arctan(contrast**-0.5)), 3)
        rows.append(row)
    return rows


def dilute(quick: bool, threads: int) -> list[Row]:
    """Deviation from Maxwell's formula in shares of the inclusions' effect; discs and spheres of radius 0.15."""
    sizes = {2: (16, 32, 64, 128), 3: (16, 32)} if quick else {2: (32, 64, 128, 256, 512), 3: (32, 64, 128)}
    rows = []
    for ndim, sides in sizes.items():
        for inclusion, scheme in ((0.0, "staggered"), *product((0.1, 20.0, 1000.0), SCHEMES)):
            row: Row = {"ndim": ndim, "inclusion": inclusion, "scheme": scheme}
            for side in sides:
                axes = np.meshgrid(*[(np.arange(side) + 0.5) / side - 0.5] * ndim, indexing="ij", sparse=True)
                inside = sum(axis**2 for axis in axes) < 0.15**2
                lever = inside.mean() * (inclusion - 1) / (inclusion + ndim - 1)
                maxwell = (1 + (ndim - 1) * lever) / (1 - lever)
                found = tensor_of(np.where(inside, inclusion, 1.0), 1e-5, scheme)[0, 0]
                row[f"{side} px"] = f"{(found - maxwell) / (maxwell - 1):+.4f}"
            rows.append(row)
    return rows


def bounds(quick: bool, threads: int) -> list[Row]:
    """Structures of all families, and noise of single pixels, whose corners no grid resolves."""
    count = 60 if quick else 1000
    rows = []
    for kind, contrast, scheme in product(("families", "pixel noise"), (10.0, 50.0, 1000.0), SCHEMES):
        checks = [bound_check(kind, contrast, scheme, seed) for seed in range(count)]
        worst = max(checks, key=lambda check: check.excess)
        rows.append(
            {
                "structures": kind,
                "count": count,
                "contrast": contrast,
                "scheme": scheme,
                "violations": sum(not check.satisfied for check in checks),
                "closest": worst.bound,
                "excess": f"{worst.excess:+.1e}",
            }
        )
    return rows


def bound_check(kind: str, contrast: float, scheme: str, seed: int) -> Any:
    rng = np.random.default_rng([4, seed])
    if kind == "families":
        labels = draw_structure(list(FAMILIES)[seed % len(FAMILIES)], (64, 64), rng)[0].labels
    else:
        labels = (rng.random((32, 32)) < rng.uniform(0.1, 0.9)).astype(int)
    share = float(np.mean(labels))
    tensor = tensor_of(np.where(labels == 1, contrast, 1.0), 1e-6, scheme)
    return check_conductivity(tensor, [1 - share, share], [1.0, contrast])


def gradients(quick: bool, threads: int) -> list[Row]:
    """Worst relative difference of the gradient from central differences, at the cells of a small random field."""
    rows = []
    for boundary, scheme in (("periodic", "rotated"), *product(("periodic", "fixed", "gradient"), ("staggered",))):
        for shape in ((8, 7), (4, 5, 3)):
            rng = np.random.default_rng(0)
            k = torch.from_numpy(rng.uniform(0.05, 1, (1, *shape))).requires_grad_()
            weights = torch.from_numpy(rng.standard_normal((1, len(shape), len(shape))))

            def value(field: torch.Tensor, how: Any = (boundary, scheme), weights: Any = weights) -> torch.Tensor:
                tensor = effective_conductivity(field, boundary=how[0], scheme=how[1], tolerance=1e-12)
                return (tensor * weights).nansum()

            (exact,) = torch.autograd.grad(value(k), k)
            moves = 1e-5 * torch.eye(k.numel(), dtype=k.dtype).view(-1, *k.shape)
            with torch.no_grad():
                slopes = torch.stack([(value(k + move) - value(k - move)) / 2e-5 for move in moves]).view_as(k)
            worst = float((exact - slopes).abs().max() / slopes.abs().max())
            rows.append(
                {
                    "boundary": boundary,
                    "scheme": scheme,
                    "shape": "x".join(map(str, shape)),
                    "relative difference": f"{worst:.1e}",
                }
            )
    return rows


# --- the study --------------------------------------------------------------------------------------------------------

PARTS: dict[str, Callable[[bool, int], list[Row]]] = {
    "speed": speed,
    "laminates": laminates,
    "gradients": gradients,
    "checkerboards": checkerboards,
    "dilute": dilute,
    "bounds": bounds,
}


def table(rows: list[Row]) -> str:
    heads = list(dict.fromkeys(head for row in rows for head in row))
    lines = [heads, ["---"] * len(heads), *([str(row.get(head, "")) for head in heads] for row in rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--output", type=Path, default=Path("build/benchmark-physics"))
    parser.add_argument("--only", nargs="+", choices=PARTS, default=list(PARTS))
    parser.add_argument("--quick", action="store_true", help="smaller sizes and fewer structures")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--case", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.case:
        print(json.dumps(measure(*json.loads(options.case))))
        return
    torch.set_num_threads(options.threads)
    options.output.mkdir(parents=True, exist_ok=True)
    print(f"parts: {', '.join(options.only)}{' (quick)' if options.quick else ''}; {options.threads} threads")
    for part in options.only:
        path = options.output / f"{part}{'_quick' if options.quick else ''}.json"
        if not path.exists():
            rows = PARTS[part](options.quick, options.threads)
            path.write_text(json.dumps(rows, indent=1))
        print(f"\n### {part}\n\n{table(json.loads(path.read_text()))}", flush=True)


if __name__ == "__main__":
    main()
