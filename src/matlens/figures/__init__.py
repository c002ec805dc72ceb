"""One function a figure, drawn with matplotlib objects (no global state) at journal widths; no numerics."""

from matlens.figures.cleaning import cleaning_overlay, threshold_sensitivity
from matlens.figures.copying import copy_shares
from matlens.figures.curves import loss_curves, statistic_curves
from matlens.figures.datasets import property_scatter, structure_families
from matlens.figures.homogenization import Plane, bounds_chart, field_planes
from matlens.figures.learning import depth_errors, learning_curves, parity, prediction_intervals, score_bars
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
    "bounds_chart",
    "cleaning_overlay",
    "copy_shares",
    "depth_errors",
    "depth_pictures",
    "depth_ratios",
    "depth_scales",
    "distributions",
    "field_planes",
    "learning_curves",
    "loss_curves",
    "measure_bars",
    "micrographs",
    "parity",
    "prediction_intervals",
    "property_scatter",
    "save_figure",
    "score_bars",
    "sensitivity_maps",
    "sensitivity_scatter",
    "statistic_curves",
    "structure_families",
    "threshold_sensitivity",
    "verdict_forest",
    "window_scatter",
]
