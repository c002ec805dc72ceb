"""The materials of the reconstruction benchmark: what each is, and its image of 256 x 256 pixels.

Options and windows are fixed here, before anything was reconstructed.
"""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from fresh_micrographs import FRESH
from material_kinds import AbsentError, Fetched, Micrograph, Published, Synthetic

SEVEN = ("alloy", "carbonate", "ceramics", "composite", "copolymer", "pmma", "sandstone")
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
EVERY: dict[str, Fetched | Micrograph | Published | Synthetic] = MATERIALS | FRESH


def at_hand(names: Iterable[str]) -> list[str]:
    """The materials whose files are there; says which are left out, and why."""
    found = []
    for name in names:
        try:
            EVERY[name].path()  # images are read in processes of their own
            found.append(name)
        except AbsentError as absent:
            print(f"{name} is left out: {absent}.", file=sys.stderr)
    return found


def image_file(material: str, folder: Path) -> Path:
    """Where the labels of an image are kept; the name changes with what the material is."""
    made_from = hashlib.sha256(repr(EVERY[material]).encode()).hexdigest()[:8]
    return folder / f"image_{material}_{made_from}.npy"


def image_of(material: str, folder: Path) -> Any:
    """The whole image, from the folder where it is there; raises AbsentError.

    Cleaning a micrograph takes more memory than some methods do, and is therefore not done where memory is measured.
    """
    import numpy as np

    from matlens import Microstructure

    path = image_file(material, folder)
    if not path.is_file():
        np.save(path, EVERY[material]().labels, allow_pickle=False)
    return Microstructure(np.load(path, allow_pickle=False))


def corner(image: Any, size: int) -> Any:
    """The exemplar: the top-left window."""
    return image.crop(slice(0, size), slice(0, size))
