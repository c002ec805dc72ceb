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
from matlens.physics.elasticity import ElasticSolution, effective_stiffness, solve_elasticity
from matlens.physics.moduli import bulk_and_shear, isotropic_stiffness, lame

__all__ = [
    "BoundCheck",
    "ElasticSolution",
    "bulk_and_shear",
    "check_conductivity",
    "check_stiffness",
    "effective_stiffness",
    "hashin_shtrikman",
    "hashin_shtrikman_elastic",
    "isotropic_stiffness",
    "keller_dykhne",
    "lame",
    "solve_elasticity",
    "trace_means",
    "voigt_reuss",
    "wiener",
]
