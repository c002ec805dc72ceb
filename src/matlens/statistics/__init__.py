"""Statistics of microstructures: definitions, errors, and when two of them are the same material.

The differentiable forms and the apparent properties load torch, on first use only.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from matlens.statistics.characterize import SCHEMA_VERSION, characterize
from matlens.statistics.chord_length import chord_length_distribution, mean_chord_length
from matlens.statistics.cluster import cluster_map, cluster_radial, label_clusters
from matlens.statistics.copying import CopyTest, pasted_blocks, patch_sides
from matlens.statistics.correlation_length import anisotropy, correlation_length, correlation_length_radial
from matlens.statistics.curves import (
    Curves,
    chord_length_error,
    cluster_error,
    errors,
    euler_density_error,
    fraction_error,
    lineal_path_error,
    s2_error,
    specific_surface_error,
)
from matlens.statistics.directional import chord_survival, directional_lineal_path, directional_mean_chord
from matlens.statistics.equivalence import Comparison, compare
from matlens.statistics.euler import euler_density, euler_number
from matlens.statistics.integral_range import fraction_variance, integral_range
from matlens.statistics.lineal_path import lineal_path
from matlens.statistics.local_thickness import local_thickness, local_thickness_map, mean_local_thickness
from matlens.statistics.mean_curvature import mean_curvature_density
from matlens.statistics.minkowski import Minkowski, minkowski_functionals
from matlens.statistics.particle_sizes import ParticleSizes, particle_sizes
from matlens.statistics.properties import PROPERTIES, conductivity_error, stiffness_error
from matlens.statistics.representative import Representative, representative_size
from matlens.statistics.scales import distance_bands, scale_ratios
from matlens.statistics.specific_surface import specific_surface
from matlens.statistics.surface_surface import surface_surface, surface_surface_map
from matlens.statistics.threshold_sensitivity import threshold_sensitivity
from matlens.statistics.two_point import (
    normalised_covariance,
    two_point_axes,
    two_point_cross,
    two_point_map,
    two_point_radial,
)
from matlens.statistics.variability import Variability, joint_verdict, verdict
from matlens.statistics.verbatim import largest_verbatim_block
from matlens.statistics.volume_fraction import volume_fraction

if TYPE_CHECKING:
    from matlens.statistics.apparent import apparent_conductivity, apparent_stiffness
    from matlens.statistics.connectivity import connected_fraction, percolation
    from matlens.statistics.differentiable import (
        cross_field,
        fraction_field,
        lineal_path_field,
        total_variation,
        two_point_field,
    )
    from matlens.statistics.diffusion import tortuosity
    from matlens.statistics.triple_lines import triple_phase_boundary

_TORCH = {
    "apparent_conductivity": "apparent",
    "apparent_stiffness": "apparent",
    "connected_fraction": "connectivity",
    "cross_field": "differentiable",
    "fraction_field": "differentiable",
    "lineal_path_field": "differentiable",
    "percolation": "connectivity",
    "tortuosity": "diffusion",
    "total_variation": "differentiable",
    "triple_phase_boundary": "triple_lines",
    "two_point_field": "differentiable",
}

__all__ = [
    "PROPERTIES",
    "SCHEMA_VERSION",
    "Comparison",
    "CopyTest",
    "Curves",
    "Minkowski",
    "ParticleSizes",
    "Representative",
    "Variability",
    "anisotropy",
    "apparent_conductivity",
    "apparent_stiffness",
    "characterize",
    "chord_length_distribution",
    "chord_length_error",
    "chord_survival",
    "cluster_error",
    "cluster_map",
    "cluster_radial",
    "compare",
    "conductivity_error",
    "connected_fraction",
    "correlation_length",
    "correlation_length_radial",
    "cross_field",
    "directional_lineal_path",
    "directional_mean_chord",
    "distance_bands",
    "errors",
    "euler_density",
    "euler_density_error",
    "euler_number",
    "fraction_error",
    "fraction_field",
    "fraction_variance",
    "integral_range",
    "joint_verdict",
    "label_clusters",
    "largest_verbatim_block",
    "lineal_path",
    "lineal_path_error",
    "lineal_path_field",
    "local_thickness",
    "local_thickness_map",
    "mean_chord_length",
    "mean_curvature_density",
    "mean_local_thickness",
    "minkowski_functionals",
    "normalised_covariance",
    "particle_sizes",
    "pasted_blocks",
    "patch_sides",
    "percolation",
    "representative_size",
    "s2_error",
    "scale_ratios",
    "specific_surface",
    "specific_surface_error",
    "stiffness_error",
    "surface_surface",
    "surface_surface_map",
    "threshold_sensitivity",
    "tortuosity",
    "total_variation",
    "triple_phase_boundary",
    "two_point_axes",
    "two_point_cross",
    "two_point_field",
    "two_point_map",
    "two_point_radial",
    "verdict",
    "volume_fraction",
]


def __getattr__(name: str) -> Any:
    if name not in _TORCH:
        raise AttributeError(f"module 'matlens.statistics' has no attribute {name!r}")
    value = getattr(import_module(f"matlens.statistics.{_TORCH[name]}"), name)
    globals()[name] = value
    return value
