"""The presets by name."""

from __future__ import annotations

from matlens.learning.library.default import DEFAULT
from matlens.learning.library.recipes import Preset
from matlens.learning.library.umehara2019 import UMEHARA2019

__all__ = ["PRESETS"]

PRESETS: dict[str, Preset] = {preset.name: preset for preset in (DEFAULT, UMEHARA2019)}
