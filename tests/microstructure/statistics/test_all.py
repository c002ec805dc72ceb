"""Every statistic through the common tester."""

import brute_force
import numpy as np
import pytest
from common import Facts, check

from matlens.microstructure import statistics as s


def stacked(*functions):
    return lambda m: np.stack([f(m) for f in functions], axis=1)


def particles(m, **options):
    found = [s.particle_sizes(m, phase, **options) for phase in range(m.n_phases)]
    return np.array([[f.mean, np.cbrt(f.density) if m.ndim == 3 else np.sqrt(f.density)] for f in found])


def minkowski(m):
    found = s.minkowski_functionals(m)
    return np.stack([found.surface, np.sign(found.euler) * np.abs(found.euler) ** (1 / m.ndim)], axis=1)


STATISTICS = {
    "volume_fraction": Facts(s.volume_fraction, absent=0, thin=True),
    "two_point_radial": Facts(s.two_point_radial, absent=0),
    "two_point_axes": Facts(s.two_point_axes, axis=1, absent=0, thin=True),
    "lineal_path": Facts(s.lineal_path, axis=1, absent=0, thin=True),
    "chord_length": Facts(s.chord_length_distribution, axis=1),
    "cluster_radial": Facts(s.cluster_radial, absent=0),
    "specific_surface": Facts(s.specific_surface, power=-1, absent=0, tolerance=1e-7),
    "specific_surface_faces": Facts(lambda m: s.specific_surface(m, method="faces"), power=-1, absent=0, thin=True),
    "euler_density": Facts(s.euler_density, power=lambda ndim: -ndim, absent=0),
    "minkowski": Facts(minkowski, power=-1, absent=0, tolerance=1e-7),
    "mean_curvature": Facts(s.mean_curvature_density, power=-2, absent=0, tolerance=1e-7),
    "local_thickness_map": Facts(
        s.local_thickness_map, power=1, by_phase=False, brute=brute_force.local_thickness_map, shift=False, spatial=0
    ),
    "local_thickness": Facts(s.local_thickness, thin=True),
    "mean_local_thickness": Facts(s.mean_local_thickness, power=1, thin=True),
    "particles": Facts(lambda m: particles(m) ** [1, -1], power=1),
    "particles_split": Facts(lambda m: particles(m, split=1.0, edges="all")[:, :1], power=1, shift=False, turns=False),
    "surface_surface_map": Facts(s.surface_surface_map, brute=brute_force.surface_surface_map, spatial=1),
    "surface_surface": Facts(s.surface_surface),
    "triple_phase_boundary": Facts(
        lambda m: np.array(s.triple_phase_boundary(m, method="edges")),
        power=-2,
        by_phase=False,
        brute=brute_force.triple_edges,
    ),
    "percolation": Facts(s.percolation, axis=1, absent=0, thin=True),
    "connected_fraction": Facts(s.connected_fraction, axis=1, brute=brute_force.spanning_share, shift=False, thin=True),
    "tortuosity": Facts(lambda m: s.tortuosity(m, tolerance=1e-6), axis=1, thin=True, tolerance=1e-4),
}


@pytest.mark.slow
@pytest.mark.parametrize("name", list(STATISTICS))
def test_it_is_what_it_claims(name):
    check(STATISTICS[name])
