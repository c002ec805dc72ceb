"""Insight: what a trained model has learned, and whether for the right reason."""

from matlens.insight.flips import Conduction, draw_flips, flip_effects, flip_map, interface, linearised_map, toggled
from matlens.insight.scores import score_flips, summarise_scores
from matlens.insight.sensitivity import (
    SensitivityStudy,
    conduction_of,
    difference_map,
    sensitivity_map,
    sensitivity_scores,
    study_sensitivity,
)

__all__ = [
    "Conduction",
    "SensitivityStudy",
    "conduction_of",
    "difference_map",
    "draw_flips",
    "flip_effects",
    "flip_map",
    "interface",
    "linearised_map",
    "score_flips",
    "sensitivity_map",
    "sensitivity_scores",
    "study_sensitivity",
    "summarise_scores",
    "toggled",
]
