"""The statistics of size, shape and connection as variables of the data set (docs/statistics_schema.md)."""

from __future__ import annotations

import numpy as np

from matlens.microstructure.statistics.correlation.surface_surface import surface_surface
from matlens.microstructure.statistics.labelled import Named, fitted, variable
from matlens.microstructure.statistics.size_shape.local_thickness import (
    local_thickness,
    local_thickness_map,
    mean_local_thickness,
)
from matlens.microstructure.statistics.size_shape.mean_curvature import mean_curvature_density
from matlens.microstructure.statistics.size_shape.particle_sizes import particle_sizes
from matlens.microstructure.statistics.size_shape.triple_lines import triple_phase_boundary
from matlens.microstructure.statistics.transport.connectivity import connected_fraction, percolation
from matlens.microstructure.statistics.transport.diffusion import TORTUOSITY_CELLS, tortuosity
from matlens.microstructure.structure import Microstructure

__all__ = ["connections", "sizes", "surfaces"]

_ABSENT = "the phase is absent"


def sizes(m: Microstructure) -> Named:
    """Local thickness and particle sizes.

    Examples
    --------
    >>> m = Microstructure(np.tile([0, 0, 1, 1, 1, 1], (4, 2)), periodic=True)
    >>> sizes(m)["mean_local_thickness"].values
    array([2., 4.])
    """
    length = max(m.shape) // 2 + 1
    thickness = local_thickness_map(m)
    mean = mean_local_thickness(m, thickness=thickness)
    particles = [particle_sizes(m, phase) for phase in range(m.n_phases)]
    bounded = "the phase is absent or fills everything"
    whole = "the phase is absent or has no piece that lies inside the window"
    at_least = np.stack([found.at_least(length) for found in particles])
    diameter = np.array([found.mean for found in particles])
    density = np.array([found.density for found in particles])
    return {
        "local_thickness": variable(
            "phase r", local_thickness(m, thickness=thickness), "share with local thickness >= r", missing=bounded
        ),
        "mean_local_thickness": variable("phase", mean, "mean local thickness", m.unit, missing=bounded),
        "particle_size": variable("phase r", at_least, "share of particles with diameter >= r", missing=whole),
        "mean_particle_size": variable("phase", diameter, "mean equivalent diameter", m.unit, missing=whole),
        "particle_density": variable("phase", density, "particles per volume", f"{m.unit}^-{m.ndim}", missing=whole),
    }


def surfaces(m: Microstructure) -> Named:
    """Curvature, surface-surface correlation and triple-phase boundary.

    Examples
    --------
    >>> found = surfaces(Microstructure([[0, 0, 1], [0, 0, 1], [2, 2, 2]]))
    >>> found["triple_phase_boundary"].item(), found["mean_curvature"].attrs["missing"]
    (0.25, 'known in three dimensions only')
    """
    square, size = f"{m.unit}^-2", max(m.shape) // 2 + 1
    three = "needs three phases"
    total = triple_phase_boundary(m)
    along = np.array([triple_phase_boundary(m, connected_along=axis) for axis in range(m.ndim)])
    flat = "known in three dimensions only"
    return {
        "mean_curvature": variable(
            "phase", mean_curvature_density(m), "integral of mean curvature per volume", square, missing=flat
        ),
        "surface_surface": variable(
            "phase r", fitted(surface_surface(m), size), "P(both ends on the interface) by distance", missing=_ABSENT
        ),
        "triple_phase_boundary": variable("", total, "triple-phase boundary per volume", square, missing=three),
        "triple_phase_boundary_connected": variable(
            "axis", along, "of it, where all three phases connect both faces of the axis", square, missing=three
        ),
    }


def connections(m: Microstructure) -> Named:
    """Percolation and tortuosity.

    Examples
    --------
    >>> found = connections(Microstructure([[0, 1, 1, 1]] * 4))
    >>> found["percolates"].values.tolist(), found["tortuosity_factor"].values.round(3).tolist()
    ([[True, False], [True, False]], [[1.0, nan], [1.0, nan]])
    """
    reason = "the phase does not percolate along the axis"
    if m.labels.size > TORTUOSITY_CELLS:
        reason = f"not solved: more than {TORTUOSITY_CELLS} pixels"
    return {
        "percolates": variable("phase axis", percolation(m), "whether the phase connects both ends of the axis"),
        "connected_fraction": variable(
            "phase axis", connected_fraction(m), "share connected to both faces of the axis", missing=_ABSENT
        ),
        "tortuosity_factor": variable("phase axis", tortuosity(m), "tortuosity factor", missing=reason),
    }
