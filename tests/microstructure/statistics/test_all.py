"""Every statistic through the common tester."""

import brute_force
import numpy as np
import pytest
from common import Claims, check, claims_of

from matlens.microstructure import statistics as s
from matlens.microstructure.statistics import Facts


def particles(m, **options):
    found = [s.particle_sizes(m, phase, **options) for phase in range(m.n_phases)]
    return np.array([found.mean for found in found])


def minkowski(m):
    found = s.minkowski_functionals(m)
    return np.stack([found.surface, np.sign(found.euler) * np.abs(found.euler) ** (1 / m.ndim)], axis=1)


BRUTE = {"connected_fraction": brute_force.spanning_share}
FUNCTIONS = {
    "specific_surface_faces": Claims(
        lambda m: s.specific_surface(m, method="faces"),
        power=-1,
        facts=Facts(least=0, absent=0, layers=True, laminate=lambda w: 1 / w),
    ),
    "minkowski": Claims(minkowski, power=-1, facts=Facts(absent=0, tolerance=1e-7)),
    "local_thickness_map": Claims(
        s.local_thickness_map,
        power=1,
        by_phase=False,
        brute=brute_force.local_thickness_map,
        spatial=0,
        facts=Facts(shift=False),
    ),
    "particles_split": Claims(
        lambda m: particles(m, split=1.0, edges="all"), power=1, facts=Facts(shift=False, turns=False)
    ),
    "surface_surface_map": Claims(s.surface_surface_map, brute=brute_force.surface_surface_map, spatial=1),
    "triple_phase_boundary_edges": Claims(
        lambda m: np.array(s.triple_phase_boundary(m, method="edges")),
        power=-2,
        by_phase=False,
        brute=brute_force.triple_edges,
    ),
    "tortuosity": Claims(lambda m: s.tortuosity(m, tolerance=1e-6), axis=1, facts=Facts(layers=True, tolerance=1e-4)),
}


@pytest.mark.slow
@pytest.mark.parametrize("name", s.STATISTIC_NAMES)
def test_statistics_of_the_catalogue_are_what_they_declare(name):
    (statistic,) = s.find_statistics([name])
    for claims in claims_of(statistic, **BRUTE).values():
        check(claims)


@pytest.mark.slow
@pytest.mark.parametrize("name", list(FUNCTIONS))
def test_functions_are_what_they_claim(name):
    check(FUNCTIONS[name])
