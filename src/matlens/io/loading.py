"""The one call every command uses for an input file: read, clean, segment."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from matlens.io.labels import image_labels, microstructure_of
from matlens.io.reading import read_image
from matlens.microstructure import Microstructure

__all__ = ["read_microstructure"]


def read_microstructure(
    path: str | os.PathLike[str],
    *,
    spacing: float | Sequence[float] | None = None,
    unit: str | None = None,
    dataset: str | None = None,
) -> Microstructure:
    """Read a segmented microstructure."""
    image = read_image(path, dataset=dataset)
    labels, _, names = image_labels(image, Path(path).name)
    m = microstructure_of(labels, replace(image, values=labels), names)
    if spacing is None and unit is None:
        return m
    return Microstructure(
        m.labels, m.spacing if spacing is None else spacing, unit or m.unit, m.phase_names, m.periodic
    )
