"""How far sections of true isotropic volumes are from the two-point functions that volumes can have.

    python benchmarks/sections.py --draws 100 --output build/sections

A section of a Gaussian field in space is a Gaussian field in the plane, whose spectrum is that of the volume summed
along the normal. So sections are drawn without their volumes, cut at a level, and measured by
`matlens.microstructure.reconstruction.sections.check_realisable`. For each kind the 95 % quantile of the irreducible
error is printed beside the bound that the check uses, and the share of sections above the bound. Finished kinds are
kept in the output folder as JSON and not drawn again.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from itertools import product
from pathlib import Path

import numpy as np

Spectrum = Callable[[np.ndarray], np.ndarray]
"""From wave numbers in units of 1 / length to the power in space."""

SPECTRA: dict[str, Spectrum] = {
    "one wavelength": lambda k: np.exp(-(((k - 1) / 0.15) ** 2)),
    "one sharp wavelength": lambda k: np.exp(-(((k - 1) / 0.05) ** 2)),
    "Gaussian covariance": lambda k: np.exp(-((np.pi * k / 2) ** 2)),
    "exponential covariance": lambda k: (1 + (2 * np.pi * k / 3) ** 2) ** -2,
}
SIDES, FRACTIONS = (64, 128, 256), (0.1, 0.25, 0.5)
LENGTHS = (6, 12, 24, 40)  # pixels


def section(spectrum: Spectrum, side: int, length: float, fraction: float, rng: np.random.Generator) -> np.ndarray:
    """Labels of a section of a level-cut Gaussian field in space, cut out of one of twice the side."""
    along = np.fft.fftfreq(2 * side)
    radius = np.hypot(along[:, None], along)
    in_plane, normal = np.linspace(0, 0.75, 400), np.linspace(-1.5, 1.5, 1201)
    projected = spectrum(np.hypot(in_plane[:, None], normal) * length).sum(axis=1)
    amplitude = np.sqrt(np.interp(radius, in_plane, projected))
    noise = rng.standard_normal(radius.shape)
    field = np.fft.ifft2(np.fft.fft2(noise) * amplitude).real
    # the level is that of the wide field, so the fraction of the section scatters as that of a material does
    return (field > np.quantile(field, 1 - fraction))[:side, :side].astype(np.uint8)


def study(kind: str, side: int, length: float, fraction: float, draws: int, seed: int) -> dict[str, object]:
    from matlens.microstructure.reconstruction.sections import check_realisable
    from matlens.microstructure.structure import Microstructure

    rng = np.random.default_rng([seed, sorted(SPECTRA).index(kind), side, int(length), round(100 * fraction)])
    rows = []
    while len(rows) < draws:
        labels = section(SPECTRA[kind], side, length, fraction, rng)
        if 0 < labels.mean() < 1:
            rows.append(dict(check_realisable([Microstructure(labels)]).finding.numbers))
    errors, chances, windows = (
        np.array([row[name] for row in rows]) for name in ("irreducible_error", "chance", "windows_difference")
    )
    return {
        "kind": kind,
        "side": side,
        "length": length,
        "fraction": fraction,
        "draws": draws,
        "bound": float(np.median(chances)),
        "quantile": float(np.quantile(errors, 0.95)),
        "above": float((errors > chances).mean()),
        "stopped": float(((errors > chances) & (errors > windows)).mean()),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--draws", type=int, default=100)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--output", type=Path, default=Path("build/sections"))
    options = parser.parse_args()
    options.output.mkdir(parents=True, exist_ok=True)
    print(f"{'kind':24}{'side':>5}{'length':>7}{'phi':>6}{'bound':>7}{'q95':>7}{'above':>7}{'stopped':>8}")
    for kind, side, length, fraction in product(SPECTRA, SIDES, LENGTHS, FRACTIONS):
        if length > side / 4:
            continue  # hardly any structure in the section
        file = options.output / f"{kind}_{side}_{length}_{fraction}_{options.draws}_{options.seed}.json".replace(
            " ", "_"
        )
        if not file.exists():
            file.write_text(
                json.dumps(study(kind, side, length, fraction, options.draws, options.seed)), encoding="utf-8"
            )
        row = json.loads(file.read_text(encoding="utf-8"))
        numbers = "".join(f"{row[name]:{width}.3f}" for name, width in (("bound", 7), ("quantile", 7)))
        rates = "".join(f"{100 * row[name]:{width}.0f}%" for name, width in (("above", 6), ("stopped", 7)))
        print(f"{kind:24}{side:5}{length:7}{fraction:6}{numbers}{rates}", flush=True)


if __name__ == "__main__":
    main()
