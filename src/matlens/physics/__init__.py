"""Physics: effective properties of microstructures by homogenisation."""

from matlens.physics.bound_checks import BoundCheck, check_conductivity, check_stiffness
from matlens.physics.bounds import (
    hashin_shtrikman,
    hashin_shtrikman_elastic,
    keller_dykhne,
    trace_means,
    voigt_reuss,
    wiener,
)
from matlens.physics.conduction import ConductionSolution, effective_conductivity, solve_conduction
from matlens.physics.elasticity import ElasticSolution, effective_stiffness, solve_elasticity
from matlens.physics.fluxes import flux_components, flux_magnitude
from matlens.physics.homogenization import Homogenization
from matlens.physics.homogenize import homogenize
from matlens.physics.krylov import Solution, conjugate_gradients
from matlens.physics.moduli import bulk_and_shear, isotropic_stiffness, lame
from matlens.physics.percolation import percolates, spanning_cells
from matlens.physics.properties import phase_index, phase_values
from matlens.physics.transport import Transport, formation_factor, tortuosity_factor
from matlens.physics.uniform_flux import solve_uniform_flux

__all__ = [
    "BoundCheck",
    "ConductionSolution",
    "ElasticSolution",
    "Homogenization",
    "Solution",
    "Transport",
    "bulk_and_shear",
    "check_conductivity",
    "check_stiffness",
    "conjugate_gradients",
    "effective_conductivity",
    "effective_stiffness",
    "flux_components",
    "flux_magnitude",
    "formation_factor",
    "hashin_shtrikman",
    "hashin_shtrikman_elastic",
    "homogenize",
    "isotropic_stiffness",
    "keller_dykhne",
    "lame",
    "percolates",
    "phase_index",
    "phase_values",
    "solve_conduction",
    "solve_elasticity",
    "solve_uniform_flux",
    "spanning_cells",
    "tortuosity_factor",
    "trace_means",
    "voigt_reuss",
    "wiener",
]
