"""The presets by name."""

from __future__ import annotations

from matlens.library.model.presets.default import DEFAULT
from matlens.library.model.presets.preset import Preset
from matlens.library.model.presets.umehara2019.preset import UMEHARA2019

__all__ = ["PRESETS"]

PRESETS: dict[str, Preset] = {preset.name: preset for preset in (DEFAULT, UMEHARA2019)}
