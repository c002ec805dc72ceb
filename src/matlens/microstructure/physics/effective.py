"""Effective conductivity or stiffness of a microstructure, from labels and properties of the phases."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple, cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from matlens.core.arguments import checked_arguments
from matlens.core.device import chosen_device
from matlens.core.numbers import shown
from matlens.errors import InputError
from matlens.hooks import Progress, Silent
from matlens.microstructure.physics.bound_checks import check_conductivity, check_stiffness
from matlens.microstructure.physics.conduction import (
    MAX_ITERATIONS,
    Boundary,
    ConductionSolution,
    Scheme,
    chosen_scheme,
    solve_conduction,
)
from matlens.microstructure.physics.elasticity import ElasticSolution, solve_count, solve_elasticity
from matlens.microstructure.physics.fluxes import flux_components, flux_magnitude
from matlens.microstructure.physics.meter import Meter
from matlens.microstructure.physics.percolation import percolates
from matlens.microstructure.physics.phases import phase_values
from matlens.microstructure.physics.result import Homogenization
from matlens.microstructure.physics.uniform_flux import solve_uniform_flux
from matlens.microstructure.segmentation import StructureLike, as_structure
from matlens.microstructure.structure import Microstructure

__all__ = ["homogenize"]

Properties = Mapping[int | str, float]
_BOUNDARIES = ("periodic", "fixed", "gradient", "flux")
_POISSON = (-0.99, 0.499)
_COARSE = 0.05  # hourglass share above which stiffnesses were found to be wrong by 10 % and more


class _Options(NamedTuple):
    """How to solve, and what to keep."""

    tolerance: float
    dtype: torch.dtype
    device: torch.device
    unit: str | None
    fields: bool
    progress: Progress
    start: Mapping[int, NDArray[np.generic]]
    scheme: Scheme
    max_iterations: int


@checked_arguments
def homogenize(
    microstructure: StructureLike,
    *,
    conductivity: Properties | None = None,
    young: Properties | None = None,
    poisson: Properties | None = None,
    boundary: str = "periodic",
    scheme: Scheme = "auto",
    axes: Sequence[int] | None = None,
    tolerance: float = 1e-6,
    max_iterations: int = MAX_ITERATIONS,
    dtype: str = "float64",
    device: str = "auto",
    unit: str | None = None,
    fields: bool = False,
    start: Mapping[int, NDArray[np.generic]] | None = None,
    progress: Progress | None = None,
) -> Homogenization:
    """Compute the effective conductivity or stiffness of a microstructure.

    Parameters
    ----------
    microstructure : Microstructure, array_like or path-like
        Two- or three-dimensional structure; stiffness in 2-D is that of plane strain.
    conductivity : mapping of int or str to float, optional
        Thermal, electrical or diffusive conductivity of each phase (by number or name), zero or more.
    young, poisson : mapping of int or str to float, optional
        Instead: Young's modulus (zero or more) and Poisson's ratio (-0.99 to 0.499) of each isotropic phase.
    boundary : {"periodic", "fixed", "gradient", "flux"}
        ``"periodic"``: the structure repeats itself. ``"fixed"``: potentials are fixed on two faces, half a cell beyond
        the outermost centres, and the other faces are insulated. ``"gradient"`` and ``"flux"``: the gradient or the
        flux is uniform on all faces, which bounds the apparent conductivity of a window from above and below. Stiffness
        is computed for ``"periodic"`` only.
    scheme : {"auto", "rotated", "staggered"}
        Discretisation of conduction, see :func:`matlens.microstructure.physics.effective_conductivity`. ``"rotated"``
        is closer to the limit of fine grids, but needs a periodic boundary and positive conductivities. Only results of
        the same scheme can be compared: for a periodic value between those of ``"gradient"`` and ``"flux"`` choose
        ``"staggered"``.
    axes : sequence of int, optional
        Array axes of the load cases of conduction; all by default.
    tolerance : float
        Relative residual at which a load case is solved.
    max_iterations : int
        Largest number of iterations for each load case; with 0 the result is that of ``start``.
    dtype : {"float64", "float32"}
        Precision.
    device : {"cpu", "cuda", "auto"}
        Where to compute.
    unit : str, optional
        Unit of the given values, which becomes the unit of the result.
    fields : bool
        Whether to keep potentials, fluxes or strain energies.
    start : mapping of int to ndarray, optional
        Initial potential of each axis (``fields["potential"]`` of an earlier call); for conductivity only, and not
        under uniform flux.
    progress : Progress, optional
        Called with the percent done, in decades of residual, 100 for each solve.

    Returns
    -------
    Homogenization
        The tensor, with residuals, convergence, percolation and a check of the bounds.

    Raises
    ------
    InputError
        If pixels are masked, properties are missing, unknown or out of range, or an option has an unknown value.

    Notes
    -----
    Conduction: harmonic face conductivities after Wiegmann and Zemitis, EJ-HEAT, Fraunhofer ITWM report 94 (2006), or
    Willot's rotated scheme, C. R. Mécanique 343, 232 (2015), which elasticity always uses.

    Examples
    --------
    >>> m = Microstructure([[0, 0], [1, 1]], periodic=True)
    >>> homogenize(m, conductivity={0: 1.0, 1: 4.0}).tensor.round(6)
    array([[1.6, 0. ],
           [0. , 2.5]])
    """
    structure = as_structure(microstructure, progress).whole("an effective property")
    options = _options(tolerance, dtype, device)._replace(
        unit=unit,
        fields=fields,
        progress=progress or Silent(),
        start=start or {},
        scheme=scheme,
        max_iterations=max_iterations,
    )
    if conductivity is not None and young is None and poisson is None:
        chosen = _axes(axes, structure.ndim)
        return _conductivity(structure, conductivity, _boundary(boundary), chosen, options)
    if conductivity is None and young is not None and poisson is not None:
        if boundary != "periodic" or axes is not None:
            raise InputError(
                "stiffness is computed for a periodic boundary and for all load cases; leave boundary and axes out."
            )
        return _stiffness(structure, young, poisson, options)
    raise InputError("give either a conductivity of each phase, or both Young's modulus and Poisson's ratio of each.")


def _conductivity(
    microstructure: Microstructure, given: Properties, boundary: str, axes: tuple[int, ...], options: _Options
) -> Homogenization:
    values = phase_values(microstructure, given, "conductivity")
    field = _field(microstructure, values, options)
    options = options._replace(scheme=chosen_scheme(options.scheme, boundary, field))
    solution = _solve(field, microstructure.spacing, boundary, axes, options)
    tensor = solution.tensor[0].double().cpu().numpy()
    through = percolates(values[microstructure.labels] > 0, periodic=boundary == "periodic")
    if boundary in ("periodic", "fixed"):
        _close(tensor, [axis for axis in axes if not through[axis]])
    blocked = [axis for axis in axes if tensor[axis, axis] == 0]
    whole = boundary == "periodic" and len(axes) == microstructure.ndim
    return Homogenization(
        tensor=tensor,
        name="conductivity",
        unit=options.unit,
        boundary=boundary,
        iterations=solution.iterations[0].cpu().numpy(),
        residual=solution.residual[0].double().cpu().numpy(),
        converged=bool(solution.converged.all()),
        percolates=through,
        status=" ".join([_outcome(solution, options.tolerance), *_blockage(blocked, boundary)]),
        bounds=check_conductivity(tensor, *_present(microstructure, values)) if whole else None,
        fields=_conduction_fields(field, solution, microstructure, boundary, axes) if options.fields else {},
        scheme=options.scheme,
    )


def _stiffness(
    microstructure: Microstructure, young: Properties, poisson: Properties, options: _Options
) -> Homogenization:
    moduli = phase_values(microstructure, young, "Young's modulus")
    ratios = phase_values(microstructure, poisson, "Poisson's ratio", limits=_POISSON)
    stiff, ratio = (_field(microstructure, values, options) for values in (moduli, ratios))
    with Meter(options.progress, solve_count(stiff), options.tolerance, "stiffness") as meter:
        solution = solve_elasticity(
            stiff,
            ratio,
            spacing=microstructure.spacing,
            tolerance=options.tolerance,
            max_iterations=options.max_iterations,
            watch=meter,
        )
    tensor = solution.stiffness[0].double().cpu().numpy()
    through = percolates(moduli[microstructure.labels] > 0, periodic=True)
    return Homogenization(
        tensor=tensor,
        name="stiffness",
        unit=options.unit,
        boundary="periodic",
        iterations=solution.iterations[0].cpu().numpy(),
        residual=solution.residual[0].double().cpu().numpy(),
        converged=bool(solution.converged.all()),
        percolates=through,
        status=" ".join([_outcome(solution, options.tolerance), *_reservations(solution, through)]),
        bounds=check_stiffness(tensor, *_present(microstructure, moduli, ratios)),
        fields={"strain energy": solution.strain_energy[0].cpu().numpy()} if options.fields else {},
        hourglass=solution.hourglass[0].double().cpu().numpy(),
    )


def _solve(
    field: Tensor, spacing: Sequence[float], boundary: str, axes: tuple[int, ...], options: _Options
) -> ConductionSolution:
    solves = 1 if field.ndim == 3 and boundary != "fixed" else len(axes)
    with Meter(options.progress, solves, options.tolerance, "conductivity") as meter:
        if boundary == "flux":  # the resistivity needs all load cases, whichever are asked for
            return solve_uniform_flux(
                field,
                spacing=spacing,
                tolerance=options.tolerance,
                max_iterations=options.max_iterations,
                watch=meter,
            )
        return solve_conduction(
            field,
            spacing=spacing,
            boundary=cast(Boundary, boundary),
            scheme=options.scheme,
            axes=axes,
            tolerance=options.tolerance,
            max_iterations=options.max_iterations,
            start=_fluctuations(options.start, field, spacing, axes) if options.start else None,
            watch=meter,
        )


def _conduction_fields(
    field: Tensor, solution: ConductionSolution, microstructure: Microstructure, boundary: str, axes: tuple[int, ...]
) -> dict[str, NDArray[np.generic]]:
    """Potential and magnitude of flux of each load case, for a mean gradient of 1."""
    spacing, periodic = microstructure.spacing, boundary == "periodic"
    axes = tuple(range(len(spacing))) if boundary == "flux" else axes
    flux = flux_magnitude(
        field, solution.potential, spacing=spacing, axes=axes, periodic=periodic, scheme=solution.scheme
    )
    potential = solution.potential[0].cpu().numpy() * min(spacing)
    for case, axis in zip(potential, axes):
        case += _ramp(case.shape, spacing, axis)
    found = {"potential": potential, "flux": flux[0].cpu().numpy()}
    if len(spacing) == 2:  # what streamlines are drawn from; of volumes only planes are looked at
        components = flux_components(
            field, solution.potential, spacing=spacing, axes=axes, periodic=periodic, scheme=solution.scheme
        )
        found["flux components"] = components[0].cpu().numpy()
    return found


def _ramp(shape: Sequence[int], spacing: Sequence[float], axis: int) -> NDArray[np.float64]:
    """Potential of the unit gradient along an axis, zero in the middle; has length 1 along the other axes."""
    centres = spacing[axis] * (np.arange(shape[axis]) - (shape[axis] - 1) / 2)
    return np.expand_dims(centres, [i for i in range(len(shape)) if i != axis])


def _fluctuations(
    known: Mapping[int, NDArray[np.generic]], field: Tensor, spacing: Sequence[float], axes: tuple[int, ...]
) -> Tensor:
    """Potentials without the unit gradient, as solved for; zero where none is known."""
    start = torch.zeros(1, len(axes), *field.shape[1:], dtype=field.dtype, device=field.device)
    for case, axis in enumerate(axes):
        if axis in known:
            fluctuation = (np.asarray(known[axis], dtype=np.float64) - _ramp(field.shape[1:], spacing, axis)) / min(
                spacing
            )
            start[0, case] = torch.from_numpy(fluctuation).to(field.device, field.dtype)
    return start


def _close(tensor: NDArray[np.float64], axes: list[int]) -> None:
    """Set entries to zero whose axis has no connected path; a solver leaves the square of its residual there."""
    for axis in axes:
        tensor[axis] = np.where(np.isnan(tensor[axis]), np.nan, 0.0)
        tensor[:, axis] = tensor[axis]


def _outcome(solution: ConductionSolution | ElasticSolution, tolerance: float) -> str:
    worst, most = float(solution.residual.max()), int(solution.iterations.max())
    if bool(solution.converged.all()):
        return f"Converged: residual {shown(worst, 2)} after up to {most} iterations."
    return (
        f"Not converged: residual {shown(worst, 2)} after up to {most} iterations, where {shown(tolerance, 2)} was "
        "asked; use float64, a larger tolerance, or less contrast between the phases (a phase that hardly conducts can "
        "be given 0)."
    )


def _blockage(axes: list[int], boundary: str) -> list[str]:
    if not axes:
        return []
    why = "do not connect the two ends" if boundary != "flux" else "do not fill and connect both borders"
    named = " and ".join(str(axis) for axis in axes)
    return [f"The conducting phases {why} of axis {named}: the conductivity there is zero."]


def _reservations(solution: ElasticSolution, through: tuple[bool, ...]) -> list[str]:
    """Warnings about a stiffness without a connected stiff phase, or on a grid that is too coarse."""
    if not all(through):
        named = " and ".join(str(axis) for axis, open_ in enumerate(through) if not open_)
        return [f"No stiff phase connects the two ends of axis {named}: what is found there is corners and rounding."]
    share = float(solution.hourglass.max())
    if share <= _COARSE:
        return []
    return [f"{share:.0%} of the energy alternates from voxel to voxel: check the stiffness on a finer grid."]


def _present(microstructure: Microstructure, *values: NDArray[np.float64]) -> list[NDArray[np.float64]]:
    """Fractions and values of the phases that fill cells: others need no value."""
    there = microstructure.volume_fractions > 0
    return [microstructure.volume_fractions[there], *(value[there] for value in values)]


def _field(microstructure: Microstructure, values: NDArray[np.float64], options: _Options) -> Tensor:
    """Values in the cells, shape ``1 x *space``."""
    return torch.from_numpy(values[microstructure.labels][None]).to(options.device, options.dtype)


def _options(tolerance: float, dtype: str, device: str) -> _Options:
    if dtype not in ("float32", "float64"):
        raise InputError(f"dtype {dtype!r} is not known; choose float64 or float32.")
    if not 0 < tolerance < 1:
        raise InputError(f"tolerance must lie between 0 and 1, found {tolerance!r}; 1e-6 is usual.")
    where = chosen_device(device)
    return _Options(tolerance, getattr(torch, dtype), where, None, False, Silent(), {}, "auto", MAX_ITERATIONS)


def _boundary(name: str) -> str:
    if name not in _BOUNDARIES:
        raise InputError(f"boundary {name!r} is not known; choose one of {', '.join(_BOUNDARIES)}.")
    return name


def _axes(axes: Sequence[int] | None, ndim: int) -> tuple[int, ...]:
    chosen = tuple(range(ndim)) if axes is None else tuple(axes)
    if not chosen or len(set(chosen)) != len(chosen) or not set(chosen) <= set(range(ndim)):
        raise InputError(f"axes must be different numbers from 0 to {ndim - 1}, found {axes!r}.")
    return chosen
