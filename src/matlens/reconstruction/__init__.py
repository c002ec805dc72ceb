"""Reconstruction: move pixels until features and statistics match a micrograph's."""

from matlens.reconstruction.baselines import BASELINES, Baseline, BaselinePlan, find_baseline
from matlens.reconstruction.curve_targets import CurveTargets
from matlens.reconstruction.from_statistics import plan_from_statistics, reconstruct_from_statistics
from matlens.reconstruction.phases import PhaseCode, decode, phase_counts
from matlens.reconstruction.presets import PRESETS, Preset
from matlens.reconstruction.pruning import Pruning, plan_pruning, prune
from matlens.reconstruction.pruning_study import PruningStudy
from matlens.reconstruction.recommendation import Recommendation, read_recommendation
from matlens.reconstruction.reconstruct import Plan, plan, plan_matching, reconstruct
from matlens.reconstruction.result import Reconstruction

__all__ = [
    "BASELINES",
    "PRESETS",
    "Baseline",
    "BaselinePlan",
    "CurveTargets",
    "PhaseCode",
    "Plan",
    "Preset",
    "Pruning",
    "PruningStudy",
    "Recommendation",
    "Reconstruction",
    "decode",
    "find_baseline",
    "phase_counts",
    "plan",
    "plan_from_statistics",
    "plan_matching",
    "plan_pruning",
    "prune",
    "read_recommendation",
    "reconstruct",
    "reconstruct_from_statistics",
]
