"""The materials of the reconstruction benchmark: what each is, and its image of 256 x 256 pixels.

Options and windows are fixed here, before anything was reconstructed.
"""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

SIDE = 256
SEVEN = ("alloy", "carbonate", "ceramics", "composite", "copolymer", "pmma", "sandstone")


class AbsentError(Exception):
    """A file is not at hand; says what to do."""


@dataclass(frozen=True)
class Fetched:
    """One of the seven of Li et al. (2018), from the registry."""

    file: str

    def path(self) -> Path:
        from matlens.core.registry import locate

        path = locate(self.file)
        if path is None:
            raise AbsentError(f"{self.file} is not at hand: run 'matlens fetch li2018', or name its folder in "
                              "MATLENS_DATA")  # fmt: skip
        return path

    def __call__(self) -> Any:
        from matlens import read_microstructure

        return read_microstructure(self.path())


@dataclass(frozen=True)
class Micrograph:
    """A file in a folder of MATLENS_DATA, through the cleaning chain; the image begins at a row and a column."""

    file: str
    row: int = 0
    column: int = 0
    cleaning: dict[str, Any] = field(default_factory=dict)

    def path(self) -> Path:
        folders = (Path(part) for part in os.environ.get("MATLENS_DATA", "").split(os.pathsep) if part)
        path = next((found for folder in folders for found in sorted(folder.rglob(self.file))), None)
        if path is None:
            raise AbsentError(f"{self.file} is in no folder that MATLENS_DATA names")
        return path

    def __call__(self) -> Any:
        from matlens.microstructure.segmentation import CleaningOptions, load

        whole = load(self.path(), CleaningOptions(**self.cleaning)).microstructure
        return whole.crop(slice(self.row, self.row + SIDE), slice(self.column, self.column + SIDE))


@dataclass(frozen=True)
class Synthetic:
    """A texture of `matlens.microstructure.problems`, not periodic."""

    problem: str
    options: dict[str, Any]

    def path(self) -> None:
        """Nothing is needed."""

    def __call__(self) -> Any:
        from matlens.microstructure import problems

        return getattr(problems, self.problem)((SIDE, SIDE), seed=2018, periodic=False, **self.options)


# Uneven light, dark edges, dirt; hydrides are dark.
_OPTICAL: dict[str, Any] = {"crop": "auto", "flatten": "polynomial", "median": 5, "threshold": "otsu", "invert": True}
_OPTICAL |= {"min_object": 30, "min_hole": 30, "downsample": 2}

MATERIALS: dict[str, Fetched | Micrograph | Synthetic] = {
    **{name: Fetched(f"li2018_{name}.npy") for name in SEVEN},
    # Solid oxide fuel cell; the corner at the lower right shows the thin third phase as often as the whole does.
    "sofc": Micrograph("sofc_3phase_labels.tiff", 192, 256, {"downsample": 2}),
    "superalloy": Micrograph("superalloy_me3_labels.png", 0, 0, {"downsample": 2}),
    "hydride": Micrograph("zr_hydride_55_grey.png", 0, 256, _OPTICAL),
    "discs": Synthetic("discs", {"radius": 5.0, "fraction": 0.4}),
    "field": Synthetic("gaussian_field", {"correlation_length": 6.0, "fraction": 0.4}),
    "labyrinth": Synthetic("bicontinuous", {"wavelength": 14.0, "fraction": 0.5}),
    "ellipses": Synthetic(
        "ellipses", {"length": 14.0, "aspect": 3.0, "angle": 30.0, "overlap": False, "fraction": 0.3}
    ),
    "walls": Synthetic("cell_walls", {"diameter": 18.0, "fraction": 0.25}),
}


def image_file(material: str, folder: Path) -> Path:
    """Where the labels of an image are kept; the name changes with what the material is."""
    made_from = hashlib.sha256(repr(MATERIALS[material]).encode()).hexdigest()[:8]
    return folder / f"image_{material}_{made_from}.npy"


def image_of(material: str, folder: Path) -> Any:
    """The whole image, from the folder where it is there; raises AbsentError.

    Cleaning a micrograph takes more memory than some methods do, and is therefore not done where memory is measured.
    """
    import numpy as np

    from matlens import Microstructure

    path = image_file(material, folder)
    if not path.is_file():
        np.save(path, MATERIALS[material]().labels, allow_pickle=False)
    return Microstructure(np.load(path, allow_pickle=False))


def corner(image: Any, size: int) -> Any:
    """The exemplar: the top-left window."""
    return image.crop(slice(0, size), slice(0, size))
