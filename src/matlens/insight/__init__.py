"""Insight: what a trained model has learned, and whether for the right reason."""

from matlens.insight.correlations import correlate_gradients, resampled_correlations
from matlens.insight.family import FamilyTest, bootstrap_family, permutation_family
from matlens.insight.flips import Conduction, draw_flips, flip_effects, flip_map, interface, linearised_map, toggled
from matlens.insight.groups import ComponentGroups, component_groups, group_components
from matlens.insight.nulls import closure_null, label_null, permuted_library, smooth_gradients
from matlens.insight.regions import average_regions, cluster_regions, composition_box, merit_regions
from matlens.insight.sanity import check_collapse, check_differences, check_halves, check_insight, check_labels
from matlens.insight.scores import score_flips, summarise_scores
from matlens.insight.sensitivity import (
    SensitivityStudy,
    conduction_of,
    difference_map,
    sensitivity_map,
    sensitivity_scores,
    study_sensitivity,
)
from matlens.insight.statements import statements
from matlens.insight.summaries import (
    composition_members,
    gradient_correlations,
    gradient_statistics,
    spectral_members,
)
from matlens.insight.windows import band_average, find_bands, smooth_along_axis, spectral_bands

__all__ = [
    "ComponentGroups",
    "Conduction",
    "FamilyTest",
    "SensitivityStudy",
    "average_regions",
    "band_average",
    "bootstrap_family",
    "check_collapse",
    "check_differences",
    "check_halves",
    "check_insight",
    "check_labels",
    "closure_null",
    "cluster_regions",
    "component_groups",
    "composition_box",
    "composition_members",
    "conduction_of",
    "correlate_gradients",
    "difference_map",
    "draw_flips",
    "find_bands",
    "flip_effects",
    "flip_map",
    "gradient_correlations",
    "gradient_statistics",
    "group_components",
    "interface",
    "label_null",
    "linearised_map",
    "merit_regions",
    "permutation_family",
    "permuted_library",
    "resampled_correlations",
    "score_flips",
    "sensitivity_map",
    "sensitivity_scores",
    "smooth_along_axis",
    "smooth_gradients",
    "spectral_bands",
    "spectral_members",
    "statements",
    "study_sensitivity",
    "summarise_scores",
    "toggled",
]
