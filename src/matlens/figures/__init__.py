"""One function a figure, drawn with matplotlib objects (no global state) at journal widths; no numerics."""

from matlens.figures.cleaning import cleaning_overlay, threshold_sensitivity
from matlens.figures.copying import copy_shares
from matlens.figures.curves import loss_curves, statistic_curves
from matlens.figures.datasets import property_scatter, structure_families
from matlens.figures.homogenization import Plane, bounds_chart, field_planes
from matlens.figures.learning import depth_errors, learning_curves, parity, prediction_intervals, score_bars
from matlens.figures.library_checks import check_page
from matlens.figures.library_compositions import component_gradients, composition_arrows, support_shares
from matlens.figures.library_frames import (
    arrow_frame,
    gradient_frame,
    pair_frame,
    spectrum_frame,
    support_frame,
    ternary_frame,
    typical_samples,
)
from matlens.figures.library_maps import ternary_map, wafer_map
from matlens.figures.library_pairs import correlation_matrix, gradient_pairs
from matlens.figures.library_scores import held_out_parity, paired_differences
from matlens.figures.library_spectra import component_axis_map, spectrum_gradient, ways_beside
from matlens.figures.library_suggestions import suggestion_chart
from matlens.figures.measures import measure_bars
from matlens.figures.micrographs import micrographs
from matlens.figures.pruning import depth_pictures, depth_ratios, depth_scales
from matlens.figures.representative import window_scatter
from matlens.figures.save import save_figure
from matlens.figures.sensitivity import sensitivity_maps, sensitivity_scatter
from matlens.figures.sizes import distributions
from matlens.figures.style import DOUBLE, SINGLE
from matlens.figures.verdicts import verdict_forest

__all__ = [
    "DOUBLE",
    "SINGLE",
    "Plane",
    "arrow_frame",
    "bounds_chart",
    "check_page",
    "cleaning_overlay",
    "component_axis_map",
    "component_gradients",
    "composition_arrows",
    "copy_shares",
    "correlation_matrix",
    "depth_errors",
    "depth_pictures",
    "depth_ratios",
    "depth_scales",
    "distributions",
    "field_planes",
    "gradient_frame",
    "gradient_pairs",
    "held_out_parity",
    "learning_curves",
    "loss_curves",
    "measure_bars",
    "micrographs",
    "pair_frame",
    "paired_differences",
    "parity",
    "prediction_intervals",
    "property_scatter",
    "save_figure",
    "score_bars",
    "sensitivity_maps",
    "sensitivity_scatter",
    "spectrum_frame",
    "spectrum_gradient",
    "statistic_curves",
    "structure_families",
    "suggestion_chart",
    "support_frame",
    "support_shares",
    "ternary_frame",
    "ternary_map",
    "threshold_sensitivity",
    "typical_samples",
    "verdict_forest",
    "wafer_map",
    "ways_beside",
    "window_scatter",
]
