"""The images that the encoder `matlens` is trained on: structures made by code, and photographs of scikit-image.

No micrograph is among them: nothing of the benchmarks, and none of scikit-image's own micrographs (gravel, cell, ...).
Every image depends on its number and the seed alone, so that any of them can be made again.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from matlens.microstructure.problems import FAMILIES, draw_structure

__all__ = ["PHOTOGRAPHS", "SIDE", "Image", "image"]

SIDE = 96  # pixels: twice the receptive field of conv3_4
PHOTOGRAPHS = ("astronaut", "brick", "camera", "chelsea", "clock", "coffee", "coins", "grass", "horse", "moon", "page",
               "rocket", "text")  # fmt: skip
# Shares of the kinds of images.
_KINDS = {"two phases": 0.62, "three phases": 0.1, "four phases": 0.06, "grey levels": 0.08, "photograph": 0.14}
# What is done to a structure: what an optimiser passes through on its way, and what cameras and thresholds do.
_LOOKS = {"sharp": 0.42, "blurred": 0.14, "noisy": 0.14, "half size": 0.12, "rough": 0.12, "overshooting": 0.06}


@dataclass(frozen=True)
class Image:
    """One image: colours in [-1, 1], shape (1 or 3, SIDE, SIDE), and how it was made."""

    colours: NDArray[np.float32]
    kind: str
    families: tuple[str, ...]
    look: str


def image(number: int, seed: int) -> Image:
    """Make one image."""
    from matlens.microstructure.encoders import phase_colours

    rng = np.random.default_rng([seed, number])
    kind = str(rng.choice(list(_KINDS), p=list(_KINDS.values())))
    look = str(rng.choice(list(_LOOKS), p=list(_LOOKS.values())))
    if kind == "photograph":
        return Image(_photograph(rng), kind, (), "as it is")
    families = [str(rng.choice(list(FAMILIES)))]
    if kind == "grey levels":
        return Image(_grey(families[0], rng)[None], kind, tuple(families), "grey")
    amounts = _amounts(families[0], look, rng)
    if kind == "two phases":
        return Image((2 * amounts - 1)[None].astype(np.float32), kind, tuple(families), look)
    # A second structure divides one phase of the first, and a third one the other phase.
    families.append(str(rng.choice(list(FAMILIES))))
    second = _amounts(families[-1], look, rng)
    parts = [amounts * second, amounts * (1 - second), 1 - amounts]
    if kind == "four phases":
        families.append(str(rng.choice(list(FAMILIES))))
        third = _amounts(families[-1], look, rng)
        parts[2:] = [(1 - amounts) * third, (1 - amounts) * (1 - third)]
    order = rng.permutation(len(parts))
    colours = phase_colours(len(parts)).numpy()
    mixed = np.einsum("khw,kc->chw", np.stack(parts)[order], colours).astype(np.float32)
    return Image(mixed, kind, tuple(families), look)


def _amounts(family: str, look: str, rng: np.random.Generator) -> NDArray[np.float64]:
    """Amount of phase 1: a structure, as it looks; one in two has features half as large as the families make."""
    fine = look == "half size" or bool(rng.integers(2))
    side = 2 * SIDE if fine else SIDE
    labels = draw_structure(family, (side, side), rng)[0].labels.astype(float)
    if rng.integers(2):
        labels = 1 - labels
    if fine:
        labels = labels.reshape(SIDE, 2, SIDE, 2).mean((1, 3))
        if look != "half size":  # ties are broken by chance
            labels = (labels + 1e-3 * rng.standard_normal(labels.shape) > 0.5).astype(float)
    if look == "blurred":
        return ndimage.gaussian_filter(labels, rng.uniform(0.5, 2.0), mode="wrap")
    if look == "noisy":
        return labels + rng.uniform(0.05, 0.5) * rng.standard_normal(labels.shape)
    if look == "overshooting":
        blurred = ndimage.gaussian_filter(labels, rng.uniform(0.5, 1.5), mode="wrap")
        return labels + rng.uniform(0.2, 1.0) * (labels - blurred)
    if look == "rough":
        noise = ndimage.gaussian_filter(rng.standard_normal(labels.shape), rng.uniform(0.0, 1.0), mode="wrap")
        blurred = ndimage.gaussian_filter(labels, rng.uniform(0.5, 1.5), mode="wrap")
        return (blurred + rng.uniform(0.05, 0.4) * noise / noise.std() > 0.5).astype(float)
    return labels


def _grey(family: str, rng: np.random.Generator) -> NDArray[np.float32]:
    """A band-pass field with continuous grey levels, or a structure with a grey level and shade of each phase."""
    if rng.integers(2):
        labels = draw_structure(family, (SIDE, SIDE), rng)[0].labels.astype(float)
        low, high = np.sort(rng.uniform(-1, 1, 2))
        shade = ndimage.gaussian_filter(rng.standard_normal(labels.shape), rng.uniform(0.5, 12), mode="wrap")
        return (low + (high - low) * labels + rng.uniform(0, 0.3) * shade / shade.std()).clip(-1.2, 1.2).astype("f4")
    wave = np.hypot(*np.meshgrid(np.fft.fftfreq(SIDE), np.fft.fftfreq(SIDE)))
    centre, width = np.exp(rng.uniform(np.log(0.02), np.log(0.3))), rng.uniform(0.1, 0.6)
    band = np.exp(-(np.log(np.maximum(wave, 1e-6) / centre) ** 2) / (2 * width**2))
    field = np.fft.ifft2(np.fft.fft2(rng.standard_normal((SIDE, SIDE))) * band).real
    return np.tanh(rng.uniform(0.5, 3) * field / field.std()).astype("f4")


def _photograph(rng: np.random.Generator) -> NDArray[np.float32]:
    """A part of a photograph at one of three sizes, grey or in colour."""
    import skimage.data

    whole = getattr(skimage.data, str(rng.choice(PHOTOGRAPHS)))().astype(float)
    whole = whole / max(whole.max(), 1.0)
    if whole.ndim == 2:
        whole = whole[..., None]
    step = int(rng.integers(1, 4))
    step = min(step, min(whole.shape[:2]) // SIDE)
    y, x = (int(rng.integers(side - step * SIDE + 1)) for side in whole.shape[:2])
    part = whole[y : y + step * SIDE, x : x + step * SIDE].reshape(SIDE, step, SIDE, step, -1).mean((1, 3))
    if part.shape[-1] > 1 and rng.integers(2):
        part = part.mean(-1, keepdims=True)
    return (2 * np.moveaxis(part, -1, 0)[: 3 if part.shape[-1] >= 3 else 1] - 1).astype(np.float32)
