"""What a GPU computes beside the processor, how long it takes and what memory it needs: under ten minutes, in one call.

    python benchmarks/gpu.py                             # on CUDA: parity, then times
    python benchmarks/gpu.py --device cpu --small        # about a minute; shows that the script works
    python benchmarks/gpu.py --device simulated --small  # finds tensors on the wrong device, without a GPU
    python benchmarks/gpu.py --only homogenisation

Each section has a process of its own and a limit of time, so that neither a crash nor a slow part stops the others;
what was measured until then is kept. Every check states its tolerance. The table is printed, all numbers are written to
build/benchmark/gpu.json, and the exit code is 1 if a check failed or a section with checks did not end.

**So far this script has run on the processor and on the simulated device only, never on a GPU**: its tolerances are
what single precision and the tolerances of the solvers should give there, and its limits of time are guesses.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from matlens.library.model import Gradients, LibraryModel
from matlens.library.model.networks.training import ChunkTrainer, TrainingSet
from matlens.library.model.presets.preset import Preset, Stage
from matlens.library.model.presets.registry import PRESETS
from matlens.library.problems import LIBRARIES
from matlens.microstructure.encoders import ENCODERS, VGG19, load_encoder, random_weights
from matlens.microstructure.encoders.base import pad
from matlens.microstructure.physics import effective_conductivity, effective_stiffness, homogenize
from matlens.microstructure.problems import bicontinuous, gaussian_field
from matlens.microstructure.properties import StructurePropertyModel
from matlens.microstructure.properties.features import EncoderFeatures, layers_to
from matlens.microstructure.reconstruction import Matching, reconstruct
from matlens.microstructure.statistics import lineal_path_error, s2_error
from matlens.microstructure.structure import Microstructure
from simulated_device import NAME as SIMULATED
from simulated_device import simulated_device

PLACE = Path("build/benchmark")
Row = dict[str, Any]


class Work:
    """The device of a section, and the rows that it leaves as it goes."""

    def __init__(self, device: str | torch.device, small: bool, write: Callable[[Row], None]) -> None:
        self.device, self.small, self.write = device, small, write
        self.cuda = torch.device(device).type == "cuda"

    def check(self, name: str, tolerance: float, error: Callable[[], float]) -> None:
        """Note whether an error stays within its tolerance; an exception fails this check and no other."""
        try:
            found, note = float(error()), ""
        except Exception as problem:
            found, note = float("nan"), described(problem)
        passed = found <= tolerance  # what is not a number passes nothing
        row = {"kind": "check", "name": name, "error": found if np.isfinite(found) else None, "tolerance": tolerance}
        self.write(row | {"passed": passed} | noted(note))

    def time(self, name: str, task: Callable[[], object]) -> None:
        """Time a task once; on CUDA with its peak memory, after all that was begun before has ended."""
        if self.cuda:
            torch.cuda.synchronize()
            torch.cuda.reset_peak_memory_stats()
        begun, note = time.perf_counter(), ""
        try:
            task()
        except Exception as problem:
            note = described(problem)
        if self.cuda:
            torch.cuda.synchronize()
        row = {"kind": "time", "name": name, "seconds": time.perf_counter() - begun}
        self.write(row | ({"peak_bytes": torch.cuda.max_memory_allocated()} if self.cuda else {}) | noted(note))


def described(problem: Exception) -> str:
    return f"{type(problem).__name__}: {problem}".splitlines()[0][:200]


def noted(note: str) -> Row:
    return {"note": note} if note else {}


def relative(found: Any, expected: Any) -> float:
    """Norm of a difference over the norm of what was expected."""
    a, b = (torch.as_tensor(each).detach().cpu().double() for each in (found, expected))
    return float((a - b).norm() / b.norm())


@contextmanager
def full_precision() -> Iterator[None]:
    """Convolve in float32 as the processor does: CUDA takes numbers of ten bits for them by default (TF32)."""
    before = torch.backends.cudnn.allow_tf32
    torch.backends.cudnn.allow_tf32 = False
    try:
        yield
    finally:
        torch.backends.cudnn.allow_tf32 = before


def at_hand() -> list[str]:
    return [name for name, entry in ENCODERS.items() if entry.at_hand()]


def exemplar(side: int, seed: int = 1) -> Microstructure:
    return bicontinuous((side, side), wavelength=10, fraction=0.4, seed=seed)


def encoders(work: Work) -> None:
    """Features of grey indicators of two to five phases at all borders, and those of property models."""

    def features(name: str, phases: int, padding: Any, side: int) -> float:
        here, there = (load_encoder(name, device=device).for_phases(phases) for device in ("cpu", work.device))
        grey = torch.rand(2, phases, side, side, generator=torch.Generator().manual_seed(0)).softmax(1)
        layers = [layer.name for layer in here.layers]
        expected, found = here.features(grey, layers, padding), there.features(grey.to(work.device), layers, padding)
        return max(relative(found[layer], expected[layer]) for layer in expected)

    for name in at_hand():
        with full_precision():
            for phases, padding, side in (
                (2, "circular", 64),
                (3, "reflect", 48),
                (5, "valid", 64),
                (2, "circular", 12),
            ):
                label = f"features of {name}, {phases} phases, {side} px, {padding}"
                work.check(label, 1e-4, partial(features, name, phases, padding, side))
        if work.cuda:
            work.check(f"features of {name} as by default (TF32)", 5e-3, partial(features, name, 2, "circular", 64))

    def pooled(name: str, gram: int) -> float:
        labels = np.stack([exemplar(32, seed).labels for seed in range(4)])
        rows = []
        for device in ("cpu", work.device):
            encoder = load_encoder(name, device=device)
            rows.append(EncoderFeatures(encoder, layers_to(encoder, encoder.layers[2].name), gram=gram)(labels))
        return relative(rows[1], rows[0])

    def padded(width: int, border: Any) -> float:
        image = torch.arange(20.0).reshape(1, 1, 4, 5)
        return relative(pad(image.to(work.device), width, border), pad(image, width, border))

    with full_precision():
        for name in at_hand():
            work.check(f"pooled features of {name}", 1e-4, partial(pooled, name, 16))
        for border in ("circular", "reflect"):
            work.check(f"borders wider than the picture, {border}", 0, partial(padded, 9, border))


def matching(work: Work) -> None:
    """Loss and gradient of a start, and a short reconstruction."""
    side = 32 if work.small else 64

    @cache
    def evaluated(name: str, device: Any) -> tuple[float, Tensor]:
        problem = Matching(name, device=device).prepare([exemplar(side)], (side, side), seed=0).problem
        fractions = torch.tensor([0.6, 0.4]).to(problem.exemplars[0])
        x = torch.nn.functional.interpolate(problem.start(0, fractions), (side, side))
        return problem.objective(fractions)(x)

    def loss(name: str) -> float:
        return abs(evaluated(name, work.device)[0] / evaluated(name, "cpu")[0] - 1)

    def gradient(name: str) -> float:
        return relative(evaluated(name, work.device)[1], evaluated(name, "cpu")[1])

    with full_precision():
        for name in at_hand():
            work.check(f"loss of {name}", 1e-4, partial(loss, name))
            work.check(f"gradient of the loss of {name}", 1e-3, partial(gradient, name))

    like = exemplar(side)

    @cache
    def rebuilt(name: str, device: Any, again: int = 0) -> Microstructure:
        return reconstruct(like, encoder=name, preset="fast", seed=0, device=device).microstructure

    def differs(name: str, statistic: Callable[..., float]) -> float:
        found, expected = rebuilt(name, work.device), rebuilt(name, "cpu")
        return abs(statistic(found, like) - statistic(expected, like))

    def fractions(name: str) -> float:
        return float(np.abs(rebuilt(name, work.device).volume_fractions - like.volume_fractions).max())

    def repeated(name: str) -> float:
        return float((rebuilt(name, work.device, again=1).labels != rebuilt(name, work.device).labels).mean())

    for name in at_hand()[:1] if work.small else at_hand():
        work.check(f"{name}: fractions of a reconstruction, exact", 0, partial(fractions, name))
        # Rounding leads optimisers apart, so that pictures differ and statistics do not.
        work.check(f"{name}: two-point error beside that of the processor", 0.08, partial(differs, name, s2_error))
        work.check(f"{name}: lineal path error, likewise", 0.08, partial(differs, name, lineal_path_error))
        work.check(f"{name}: pixels that a second run changes", 0, partial(repeated, name))


def homogenisation(work: Work) -> None:
    """Effective tensors in two and three dimensions and both precisions, and their gradients."""
    sides = {2: 32 if work.small else 64, 3: 12 if work.small else 32}
    phases = {
        "conductivity": {"conductivity": {0: 1.0, 1: 50.0}},
        "stiffness": {"young": {0: 1.0, 1: 20.0}, "poisson": {0: 0.3, 1: 0.25}},
        "pores": {"conductivity": {0: 0.0, 1: 1.0}},
    }

    def structure(ndim: int) -> Microstructure:
        return gaussian_field((sides[ndim],) * ndim, 5.0, fraction=0.5, seed=2)

    def tensor(ndim: int, what: str, dtype: str, more: Row) -> float:
        tolerance = 1e-8 if dtype == "float64" else 1e-5
        options = {**phases[what], "dtype": dtype, "tolerance": tolerance, "fields": True, **more}
        found, expected = (homogenize(structure(ndim), device=device, **options) for device in (work.device, "cpu"))
        kept = np.isfinite(expected.tensor)
        return relative(found.tensor[kept], expected.tensor[kept])

    for ndim in (2, 3):
        for dtype, limit in (("float64", 1e-6), ("float32", 1e-3)):
            for what in ("conductivity", "stiffness"):
                work.check(f"{what}, {ndim}-D, {dtype}", limit, partial(tensor, ndim, what, dtype, {}))
            for what, boundary in (("pores", "fixed"), ("conductivity", "gradient"), ("conductivity", "flux")):
                label = f"{what}, {boundary}, {ndim}-D, {dtype}"
                work.check(label, limit, partial(tensor, ndim, what, dtype, {"boundary": boundary}))

    def gradient(ndim: int, solve: Callable[[Tensor], Tensor]) -> float:
        found = []
        for device in (work.device, "cpu"):
            field = (1 + 9 * torch.tensor(structure(ndim).labels).double())[None].to(device).requires_grad_(True)
            (slope,) = torch.autograd.grad(solve(field).sum(), field)
            found.append(slope)
        return relative(*found)

    for ndim in (2, 3):
        work.check(
            f"gradient of conductivity, {ndim}-D",
            1e-6,
            partial(gradient, ndim, partial(effective_conductivity, tolerance=1e-10)),
        )

        def stiffness(young: Tensor) -> Tensor:
            return effective_stiffness(young, torch.full_like(young, 0.3), tolerance=1e-10)

        work.check(f"gradient of stiffness, {ndim}-D", 1e-6, partial(gradient, ndim, stiffness))


def property_models(work: Work) -> None:
    """A regression on features of the device, and a network that is trained on it."""
    side, count, convolutions = (16, 8, 2) if work.small else (32, 48, 4)
    labels = np.stack([bicontinuous((side,) * 2, fraction=0.3 + 0.4 * i / count, seed=i).labels for i in range(count)])
    values = labels.mean((1, 2)) ** 2
    weights = random_weights(convolutions, seed=0)

    def predictions(head: str) -> float:
        found = []
        for device in (work.device, "cpu"):
            encoder = VGG19(weights, "vgg19-random").to(device)
            depth = encoder.layers[-1].name
            model = StructurePropertyModel(encoder, depth=depth, head=head, coverage=None, scale="linear")
            found.append(model.fit(labels, values).predict(labels))
        return float(np.abs(found[0] - found[1]).max() / np.std(values))

    with full_precision():
        work.check("ridge regression on features, of the scatter", 1e-3, partial(predictions, "ridge"))
        # Twelve epochs of Adam multiply rounding.
        work.check("network trained on the device, of the scatter", 0.1, partial(predictions, "network-free"))


def libraries(work: Work) -> None:
    """A model that the processor trained, moved to the device; one trained there; an epoch of every kind of network."""
    library = LIBRARIES["photoanode"](40 if work.small else 200, seed=0).library

    @cache
    def trained(device: Any) -> LibraryModel:
        return LibraryModel(n_models=2 if work.small else 6, device=device).fit(library)

    @cache
    def moved() -> LibraryModel:
        with tempfile.TemporaryDirectory() as folder:
            return LibraryModel.load(trained("cpu").save(folder), device=work.device)

    @cache
    def gradients(make: Callable[[], LibraryModel]) -> Gradients:
        return make().gradients(library.compositions, library.spectra)

    here, there = partial(trained, "cpu"), partial(trained, work.device)

    def predicted(make: Callable[[], LibraryModel]) -> float:
        found, expected = (gradients(one).values.mean(0) for one in (make, here))
        return float(np.abs(found - expected).max() / expected.std())

    def gradient(make: Callable[[], LibraryModel], part: str) -> float:
        found, expected = (getattr(gradients(one), part).mean(0) for one in (make, here))
        return relative(found, expected)

    def covariance() -> float:
        found, expected = (one().gradient_errors(library.compositions, library.spectra) for one in (moved, here))
        return relative(found.covariance, expected.covariance)

    work.check("model of the processor: predictions, of their scatter", 1e-3, partial(predicted, moved))
    for part in ("composition", "spectrum"):
        work.check(f"model of the processor: gradients of {part}", 1e-3, partial(gradient, moved, part))
    work.check("model of the processor: error covariance of gradients", 1e-3, covariance)
    # Whole trainings multiply rounding.
    work.check("trained on the device: predictions, of their scatter", 0.1, partial(predicted, there))
    work.check("trained on the device: gradients of composition", 0.2, partial(gradient, there, "composition"))

    def epoch(preset: Preset, stage: Stage) -> float:
        random = torch.Generator().manual_seed(0)
        inputs = {name: torch.rand(48, 7 if name == "composition" else 64, generator=random) for name in stage.inputs}
        found = []
        for device in (work.device, "cpu"):
            placed = {name: values.to(device) for name, values in inputs.items()}
            target = placed[stage.inputs[0]].sum(1)
            trainer = ChunkTrainer(preset, [stage], TrainingSet(placed, target, [np.arange(48)] * 2, seed=0), [0, 1])
            trainer.epoch()
            trainer.restore(trainer.arrays())  # as a run that was stopped does
            found.append(torch.cat([value.flatten() for value in trainer.parameters().values()]))
        return relative(*found)

    for name, preset in PRESETS.items():
        for stage in preset.stages(("composition", "spectrum")):
            work.check(f"weights of {name} after an epoch of {stage.name}", 1e-3, partial(epoch, preset, stage))


def reconstruction_times(work: Work) -> None:
    """Whole reconstructions by the preset `default`, network by network and size by size."""
    sides = (32,) if work.small else (128, 256, 512, 1024)
    names = at_hand()[:1] if work.small else at_hand()
    for name in names:  # kernels are chosen and loaded with the first use
        reconstruct(exemplar(32), encoder=name, preset="fast", device=work.device)
    for side in sides:
        for name in names:
            task = partial(reconstruct, exemplar(side), encoder=name, preset="default", seed=0, device=work.device)
            work.time(f"reconstruct {side} x {side}, {name}", task)


def homogenisation_times(work: Work) -> None:
    """Effective conductivity and stiffness from 128 x 128 to 128 x 128 x 128."""
    shapes = ((48, 48), (12, 12, 12)) if work.small else ((128,) * 2, (512,) * 2, (64,) * 3, (128,) * 3)
    cases: dict[str, Row] = {
        "conductivity": {"conductivity": {0: 1.0, 1: 50.0}},
        "stiffness": {"young": {0: 1.0, 1: 20.0}, "poisson": {0: 0.3, 1: 0.3}},
    }
    small = gaussian_field((16, 16), 5.0, seed=0)
    for options in cases.values():
        homogenize(small, device=work.device, **options)
    for shape in shapes:
        structure = gaussian_field(shape, 8.0, fraction=0.5, seed=0)
        for dtype in ("float64", "float32"):
            for what, options in cases.items():
                task = partial(homogenize, structure, device=work.device, dtype=dtype, tolerance=1e-5, **options)
                work.time(f"{what} of {' x '.join(map(str, shape))}, {dtype}", task)


def library_times(work: Work) -> None:
    """Training of an ensemble on a library of the published size, and its gradients."""
    samples, members = (40, 1) if work.small else (1379, 50)
    library = LIBRARIES["photoanode"](samples, seed=0).library
    LibraryModel(n_models=1, device=work.device).fit(library.select(range(40)))
    model = LibraryModel(n_models=members, device=work.device)
    work.time(f"library learn, {samples} samples, {members} models", lambda: model.fit(library))
    work.time("gradients of all models", lambda: model.gradients(library.compositions, library.spectra))


@dataclass(frozen=True)
class Section:
    """A part of the script with a limit of time in seconds; one with checks must end within it."""

    run: Callable[[Work], None]
    limit: float
    checks: bool = True


SECTIONS = {
    "encoders": Section(encoders, 50),
    "matching": Section(matching, 90),
    "homogenisation": Section(homogenisation, 60),
    "property_models": Section(property_models, 40),
    "libraries": Section(libraries, 80),
    "reconstruction_times": Section(reconstruction_times, 120, checks=False),
    "homogenisation_times": Section(homogenisation_times, 60, checks=False),
    "library_times": Section(library_times, 70, checks=False),
}  # 570 s in all, if each uses up its limit


def measure(name: str, device: str, small: bool, path: Path) -> None:
    """Run a section in this process, and append its rows to a file."""

    def write(row: Row) -> None:
        with path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(row) + "\n")

    SECTIONS[name].run(Work(simulated_device() if device == SIMULATED else device, small, write))


def run_section(name: str, device: str, small: bool) -> list[Row]:
    """Run a section in a process of its own until it ends, fails, or has used up its time."""
    # A trial on a busy processor is about whether the script works, not about time.
    limit = SECTIONS[name].limit * (1 if device == "cuda" else 10)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "rows"
        command = [sys.executable, __file__, "--child", name, str(path), "--device", device, *["--small"] * small]
        begun, ended = time.perf_counter(), ""
        try:
            done = subprocess.run(command, timeout=limit, stderr=subprocess.PIPE, text=True)
            if done.returncode:
                last = (done.stderr.strip().splitlines() or [""])[-1]
                ended = f"ended with code {done.returncode}: {last[:200]}"
        except subprocess.TimeoutExpired:
            ended = f"ran longer than its {limit:g} s; what follows was not measured"
        rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()] if path.exists() else []
    print(f"{name}: {len(rows)} rows in {time.perf_counter() - begun:.0f} s {ended}", flush=True)
    if ended:
        rows.append({"kind": "end", "name": name, "passed": not SECTIONS[name].checks, "note": ended})
    return [{"section": name} | row for row in rows]


def table(rows: list[Row]) -> str:
    """All checks and times, in Markdown."""
    lines = ["", "| check | error | tolerance | |", "|---|---|---|---|"]
    for row in rows:
        if row["kind"] == "check":
            verdict = "passed" if row["passed"] else f"**failed** {row.get('note', '')}"
            error = "no number" if row["error"] is None else f"{row['error']:.1e}"
            lines.append(f"| {row['name']} | {error} | {row['tolerance']:.0e} | {verdict} |")
    lines += ["", "| time | seconds | peak MB on the device | |", "|---|---|---|---|"]
    for row in rows:
        if row["kind"] == "time":
            peak = f"{row['peak_bytes'] / 2**20:.0f}" if "peak_bytes" in row else ""
            lines.append(f"| {row['name']} | {row['seconds']:.2f} | {peak} | {row.get('note', '')} |")
    lines += ["", *(f"{row['name']} {row['note']}" for row in rows if row["kind"] == "end")]
    return "\n".join(lines)


def facts(device: str, small: bool) -> Row:
    name = torch.cuda.get_device_name() if device == "cuda" else platform.processor() or platform.machine()
    cores = os.cpu_count()
    return {
        "device": device,
        "name": name,
        "small": small,
        "torch": torch.__version__,
        "cores": cores,
        "encoders": at_hand(),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--device", default="cuda", choices=["cuda", "cpu", SIMULATED])
    parser.add_argument("--small", action="store_true", help="small sizes, to try the script")
    parser.add_argument("--only", nargs="*", choices=SECTIONS, default=list(SECTIONS))
    parser.add_argument("--child", nargs=2, help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.device == "cuda" and not torch.cuda.is_available():
        sys.exit("found no CUDA device; run on a machine with a GPU, or try the script with --device cpu --small.")
    if chosen.child:
        measure(chosen.child[0], chosen.device, chosen.small, Path(chosen.child[1]))
        return
    rows: list[Row] = []
    PLACE.mkdir(parents=True, exist_ok=True)
    for name in chosen.only:
        rows += run_section(name, chosen.device, chosen.small)
        content = facts(chosen.device, chosen.small) | {"rows": rows}
        (PLACE / "gpu.json").write_text(json.dumps(content, indent=1), encoding="utf-8")
    print(table(rows))
    sys.exit(any(not row.get("passed", True) for row in rows))


if __name__ == "__main__":
    main()
