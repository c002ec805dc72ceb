"""The methods of the reconstruction benchmark: how each makes one realisation of an exemplar's size.

A method sees the exemplar and nothing else of the image; so do the controls.
"""

from __future__ import annotations

import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

CONTROLS = ("white noise", "blurred noise", "perfect copy")
BASELINES = ("gaussian-field", "quilting", "tree", "particles", "annealing")
PEER = "mcrpy"
YARDSTICK = "pruned-by-others"  # an encoder of the benchmark alone
# Seconds at 128 x 128 on one thread, for estimates before anything was measured.
SECONDS = {
    "vgg19-oxford": 28.0,
    "filterbank": 15.0,
    "vgg19-oxford, fast": 14.0,
    "filterbank, fast": 7.0,
    "vgg19-oxford, li2018": 45.0,
    "annealing": 12.0,
    "gaussian-field": 0.3,
    "tree": 2.0,
    "quilting": 0.3,
    "particles": 2.0,
    PEER: 300.0,
    **dict.fromkeys(CONTROLS, 0.1),
}
ALL = tuple(SECONDS)
SLOW = ("vgg19-oxford, li2018", "annealing", PEER)  # outside the seven of Li et al. one seed


@dataclass(frozen=True)
class Made:
    """A realisation and what its method says of it."""

    microstructure: Any
    facts: dict[str, Any]


def matching(encoder: str, preset: str) -> str:
    """Name of a method of the matching engine."""
    return encoder if preset == "default" else f"{encoder}, {preset}"


def split(method: str) -> tuple[str, str]:
    """Encoder and preset of a method of the matching engine."""
    encoder, _, preset = method.partition(", ")
    return encoder, preset or "default"


def file_part(method: str) -> str:
    """The part of a record's file name that tells the method."""
    if is_matching(method):
        return "_".join(split(method))
    return method.replace(" ", "-")


def is_matching(method: str) -> bool:
    return method not in (*BASELINES, *CONTROLS, PEER)


def matching_method(name: str) -> Any:
    """The matching engine with its encoder, on the processor, whose seconds are compared."""
    from matlens.microstructure.reconstruction import Matching

    encoder, preset = split(name)
    if encoder == YARDSTICK:
        from pruned_by_others import pruned_by_others

        return Matching(pruned_by_others(YARDSTICK), preset=preset, device="cpu")
    return Matching(encoder, preset=preset, device="cpu")


def make(method: str, exemplar: Any, seed: int, mcrpy: str) -> Made:
    """Make one realisation; raises InputError where the method refuses the exemplar."""
    if method in CONTROLS:
        return Made(control(method, exemplar, seed), {})
    if method == PEER:
        return Made(exemplar.with_labels(of_peer(exemplar, seed, mcrpy)), {"environment": Path(mcrpy).name})
    from matlens import reconstruct

    result = reconstruct(exemplar, method=matching_method(method) if is_matching(method) else method, seed=seed)
    before, after = (
        float(abs(fractions[0] - exemplar.volume_fractions).max())
        for fractions in (result.fraction_before, result.fraction_after)
    )
    facts = {"evaluations": result.evaluations[0], "stop": result.status[0], "notes": list(result.notes)}
    return Made(result.microstructure, facts | {"fraction_error_before": before, "fraction_error_after": after})


def control(name: str, exemplar: Any, seed: int) -> Any:
    import numpy as np

    from matlens.microstructure.problems import blurred_noise, white_noise
    from matlens.microstructure.statistics import correlation_length_radial

    if name == "perfect copy":
        return exemplar
    if name == "white noise":
        noise = white_noise(exemplar.shape, exemplar.volume_fractions, seed)
    else:
        lengths = correlation_length_radial(exemplar)
        length = float(np.nanmean(lengths)) if np.isfinite(lengths).any() else min(exemplar.shape) / 8
        noise = blurred_noise(exemplar.shape, exemplar.volume_fractions, length, seed)
    return exemplar.with_labels(noise.labels)


def of_peer(exemplar: Any, seed: int, python: str) -> Any:
    """Labels that MCRpy makes in the environment of another Python."""
    import numpy as np

    script = Path(__file__).with_name("reconstruction_mcrpy.py")
    with tempfile.TemporaryDirectory() as folder:
        given, made = Path(folder, "exemplar.npy"), Path(folder, "made.npy")
        np.save(given, exemplar.labels, allow_pickle=False)
        subprocess.run([python, str(script), str(given), str(made), str(seed)], check=True, cwd=folder)
        return np.load(made, allow_pickle=False)
