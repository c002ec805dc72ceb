"""Transport through one phase: formation factor and tortuosity factor of a pore space, or of any conducting phase."""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import inf

from matlens.errors import InputError
from matlens.hooks import Progress
from matlens.microstructure.phase_choice import phase_index
from matlens.microstructure.physics.effective import homogenize
from matlens.microstructure.physics.percolation import spanning_cells
from matlens.microstructure.structure import Microstructure

__all__ = ["Transport", "formation_factor", "tortuosity_factor"]


@dataclass(frozen=True)
class Transport:
    """A transport factor of one phase along one axis.

    Parameters
    ----------
    value : float
        The factor; infinite where the phase does not connect the two ends.
    conductivity : float
        Effective conductivity over that of the phase.
    fraction : float
        Volume fraction of the phase.
    connected : float
        Volume fraction of its cells that are connected to both faces of the window.
    residual : float
        Relative residual of the solve.
    iterations : int
        Iterations of the solve.
    converged : bool
        Whether the tolerance was reached.
    status : str
        Outcome in words, with advice where the tolerance was not reached.

    Examples
    --------
    >>> stripes = Microstructure([[0, 1, 1, 1]] * 4)
    >>> factor = formation_factor(stripes, 0, axis=0)
    >>> round(float(factor), 6), factor.fraction, factor.connected
    (4.0, 0.25, 0.25)
    """

    value: float
    conductivity: float
    fraction: float
    connected: float
    residual: float
    iterations: int
    converged: bool
    status: str

    def __float__(self) -> float:
        return self.value


def formation_factor(
    microstructure: Microstructure,
    phase: int | str,
    axis: int,
    *,
    boundary: str = "fixed",
    tolerance: float = 1e-4,
    dtype: str = "float64",
    device: str = "auto",
    progress: Progress | None = None,
) -> Transport:
    """Compute the formation factor of a phase: its conductivity over the effective one when no other phase conducts.

    Parameters
    ----------
    microstructure : Microstructure
        Two- or three-dimensional structure.
    phase : int or str
        Conducting phase, by number or name.
    axis : int
        Array axis of transport.
    boundary : {"fixed", "periodic", "gradient", "flux"}
        Boundary condition, see :func:`homogenize`; the default is the usual one for CT volumes.
    tolerance : float
        Relative residual; the error of the factor is about its square.
    dtype, device, progress
        As in :func:`homogenize`.

    Returns
    -------
    Transport
        Its value is infinite where the phase does not connect the two ends.

    Raises
    ------
    InputError
        If the phase or the axis does not exist, or an option is unknown.

    Examples
    --------
    >>> stripes = Microstructure([[0, 1, 1, 1]] * 4, phase_names=["pore", "solid"])
    >>> round(formation_factor(stripes, "pore", axis=0).value, 6)
    4.0
    >>> formation_factor(stripes, "pore", axis=1).value
    inf
    """
    chosen = phase_index(microstructure, phase)
    if axis not in range(microstructure.ndim):
        raise InputError(f"axis must be a number from 0 to {microstructure.ndim - 1}, found {axis!r}.")
    result = homogenize(
        microstructure,
        conductivity={k: float(k == chosen) for k in range(microstructure.n_phases)},
        boundary=boundary,
        axes=(axis,),
        tolerance=tolerance,
        dtype=dtype,
        device=device,
        progress=progress,
    )
    conductivity = float(result.tensor[axis, axis])
    cells = microstructure.labels == chosen
    return Transport(
        value=1 / conductivity if conductivity > 0 else inf,
        conductivity=conductivity,
        fraction=float(cells.mean()),
        connected=float(spanning_cells(cells, axis).mean()),
        residual=float(result.residual.max()),
        iterations=int(result.iterations.max()),
        converged=result.converged,
        status=result.status,
    )


def tortuosity_factor(
    microstructure: Microstructure,
    phase: int | str,
    axis: int,
    *,
    boundary: str = "fixed",
    tolerance: float = 1e-4,
    dtype: str = "float64",
    device: str = "auto",
    progress: Progress | None = None,
) -> Transport:
    """Compute the tortuosity factor of a phase: volume fraction times formation factor, 1 for straight channels.

    The volume fraction is that of the whole phase, including isolated clusters.

    Parameters
    ----------
    microstructure, phase, axis, boundary, tolerance, dtype, device, progress
        As in :func:`formation_factor`.

    Returns
    -------
    Transport
        Its value is infinite where the phase does not connect the two ends.

    Raises
    ------
    InputError
        If the phase or the axis does not exist, or an option is unknown.

    Notes
    -----
    Cooper et al., SoftwareX 5, 203 (2016).

    Examples
    --------
    >>> stripes = Microstructure([[0, 1, 1, 1]] * 4)
    >>> round(tortuosity_factor(stripes, 0, axis=0).value, 6)
    1.0
    """
    factor = formation_factor(
        microstructure,
        phase,
        axis,
        boundary=boundary,
        tolerance=tolerance,
        dtype=dtype,
        device=device,
        progress=progress,
    )
    return replace(factor, value=factor.fraction * factor.value)
