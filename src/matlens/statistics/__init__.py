"""Statistics of microstructures: definitions, errors, and when two of them are the same material.

The differentiable forms load torch, on first use only.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from matlens.statistics.cluster import cluster_map, cluster_radial, label_clusters
from matlens.statistics.correlation_length import correlation_length, correlation_length_radial
from matlens.statistics.curves import Curves, cluster_error, fraction_error, lineal_path_error, s2_error
from matlens.statistics.lineal_path import lineal_path
from matlens.statistics.two_point import normalised_covariance, two_point_axes, two_point_map, two_point_radial

if TYPE_CHECKING:
    from matlens.statistics.differentiable import (
        cross_field,
        fraction_field,
        lineal_path_field,
        total_variation,
        two_point_field,
    )

_TORCH = ("cross_field", "fraction_field", "lineal_path_field", "total_variation", "two_point_field")

__all__ = [
    "Curves",
    "cluster_error",
    "cluster_map",
    "cluster_radial",
    "correlation_length",
    "correlation_length_radial",
    "cross_field",
    "fraction_error",
    "fraction_field",
    "label_clusters",
    "lineal_path",
    "lineal_path_error",
    "lineal_path_field",
    "normalised_covariance",
    "s2_error",
    "total_variation",
    "two_point_axes",
    "two_point_field",
    "two_point_map",
    "two_point_radial",
]


def __getattr__(name: str) -> Any:
    if name not in _TORCH:
        raise AttributeError(f"module 'matlens.statistics' has no attribute {name!r}")
    value = getattr(import_module("matlens.statistics.differentiable"), name)
    globals()[name] = value
    return value
