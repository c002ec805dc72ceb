"""Insight: what a trained model has learned, and whether for the right reason."""

from matlens.insight.beyond import additions_left_out, summarise_additions
from matlens.insight.composition_response import CompositionResponse, channel_noise, fit_composition_response
from matlens.insight.correlations import correlate_gradients, relative_gradients, resampled_correlations
from matlens.insight.explain import explain
from matlens.insight.family import ERROR_FACTOR, FamilyTest, bootstrap_family, permutation_family
from matlens.insight.flips import Conduction, draw_flips, flip_effects, flip_map, interface, linearised_map, toggled
from matlens.insight.gradients import explain_library
from matlens.insight.groups import ComponentGroups, component_groups, group_components
from matlens.insight.identifiability import Identifiability, identifiability
from matlens.insight.integrated import Integrated, integrate_gradients
from matlens.insight.limits import Limits
from matlens.insight.nulls import closure_null, label_null, permuted_library, smooth_gradients
from matlens.insight.off_manifold import Subspaces, channel_width, local_subspaces, pinned_channels
from matlens.insight.older_ways import older_ways
from matlens.insight.outlook import Outlook, look_out
from matlens.insight.prediction_support import prediction_support
from matlens.insight.regions import average_regions, cluster_regions, composition_box, merit_regions
from matlens.insight.regret import suggestion_regret
from matlens.insight.sanity import (
    check_differences,
    check_halves,
    check_insight,
    check_labels,
    check_weights,
    with_random_weights,
)
from matlens.insight.scores import score_flips, summarise_scores
from matlens.insight.sensitivity import (
    SensitivityStudy,
    conduction_of,
    difference_map,
    sensitivity_map,
    sensitivity_scores,
    study_sensitivity,
)
from matlens.insight.sentences import statements
from matlens.insight.simplex import (
    SCHEMES,
    along,
    default_hosts,
    dilution,
    directions,
    exchange,
    longest_step,
    moved,
    tangent,
)
from matlens.insight.suggest import Campaign, plate_list, suggest
from matlens.insight.summaries import (
    composition_members,
    error_factor,
    gradient_correlations,
    gradient_statistics,
    spectral_members,
)
from matlens.insight.support import Support, composition_support, spectral_support
from matlens.insight.trend import Trend, fit_trend
from matlens.insight.windows import band_average, find_bands, smooth_along_axis, spectral_bands

__all__ = [
    "ERROR_FACTOR",
    "SCHEMES",
    "Campaign",
    "ComponentGroups",
    "CompositionResponse",
    "Conduction",
    "FamilyTest",
    "Identifiability",
    "Integrated",
    "Limits",
    "Outlook",
    "SensitivityStudy",
    "Subspaces",
    "Support",
    "Trend",
    "additions_left_out",
    "along",
    "average_regions",
    "band_average",
    "bootstrap_family",
    "channel_noise",
    "channel_width",
    "check_differences",
    "check_halves",
    "check_insight",
    "check_labels",
    "check_weights",
    "closure_null",
    "cluster_regions",
    "component_groups",
    "composition_box",
    "composition_members",
    "composition_support",
    "conduction_of",
    "correlate_gradients",
    "default_hosts",
    "difference_map",
    "dilution",
    "directions",
    "draw_flips",
    "error_factor",
    "exchange",
    "explain",
    "explain_library",
    "find_bands",
    "fit_composition_response",
    "fit_trend",
    "flip_effects",
    "flip_map",
    "gradient_correlations",
    "gradient_statistics",
    "group_components",
    "identifiability",
    "integrate_gradients",
    "interface",
    "label_null",
    "linearised_map",
    "local_subspaces",
    "longest_step",
    "look_out",
    "merit_regions",
    "moved",
    "older_ways",
    "permutation_family",
    "permuted_library",
    "pinned_channels",
    "plate_list",
    "prediction_support",
    "relative_gradients",
    "resampled_correlations",
    "score_flips",
    "sensitivity_map",
    "sensitivity_scores",
    "smooth_along_axis",
    "smooth_gradients",
    "spectral_bands",
    "spectral_members",
    "spectral_support",
    "statements",
    "study_sensitivity",
    "suggest",
    "suggestion_regret",
    "summarise_additions",
    "summarise_scores",
    "tangent",
    "toggled",
    "with_random_weights",
]
