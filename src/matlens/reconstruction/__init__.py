"""Reconstruction: move pixels until features and statistics match a micrograph's."""

from matlens.reconstruction.phases import PhaseCode, decode, phase_counts
from matlens.reconstruction.presets import PRESETS, Preset
from matlens.reconstruction.reconstruct import Plan, plan, reconstruct
from matlens.reconstruction.result import Reconstruction

__all__ = ["PRESETS", "PhaseCode", "Plan", "Preset", "Reconstruction", "decode", "phase_counts", "plan", "reconstruct"]
