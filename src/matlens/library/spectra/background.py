"""Baselines of spectra by penalised least squares, with weights from pybaselines, through which gradients pass."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Any, ClassVar

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.linalg import solveh_banded
from torch import Tensor

from matlens.errors import InputError, ResourceError
from matlens.library.spectra.channels import Axis

__all__ = ["METHODS", "Baseline"]

# docs/decisions/0030-preparing-spectra.md
METHODS = ("asls", "airpls")
Array = NDArray[np.float64]


@dataclass(frozen=True)
class Baseline:
    """Subtract a smooth baseline: weighted least squares with penalised second differences.

    Parameters
    ----------
    method : {"asls", "airpls"}
        How the weights are determined: asymmetric least squares (Eilers, Anal. Chem. 75, 3631, 2003), or adaptive
        iteratively reweighted (Zhang et al., Analyst 135, 1138, 2010).
    stiffness : float
        Weight of the penalty (lambda); the larger, the smoother. It counts in channels, so it has to change with a
        resampling.

    Raises
    ------
    InputError
        If the method is unknown or the stiffness is not positive.
    ResourceError
        When called, if pybaselines is not installed.

    Notes
    -----
    Given the weights, the baseline is linear in the spectrum, and gradients hold the weights fixed. That is exact
    almost everywhere for ``asls``, whose weights take two values, and correct within a percent for ``airpls``.

    Examples
    --------
    >>> Baseline("airpls", stiffness=1e5).name
    'baseline'
    """

    method: str = "asls"
    stiffness: float = 1e6
    name: ClassVar[str] = "baseline"

    def __post_init__(self) -> None:
        if self.method not in METHODS:
            raise InputError(f"baseline method {self.method!r} is not known; choose one of {', '.join(METHODS)}.")
        if not self.stiffness > 0:
            raise InputError(f"the baseline's stiffness is {self.stiffness:g}, expected a positive number, e.g. 1e6.")

    def __call__(self, spectra: Tensor, axis: Axis) -> tuple[Tensor, Axis]:
        """Subtract the baselines.

        Parameters
        ----------
        spectra : Tensor, shape (..., C)
            Intensities.
        axis : ndarray of float, shape (C,)
            Their axis, which is not used.

        Returns
        -------
        spectra : Tensor, shape (..., C)
            Intensities above the baselines.
        axis : ndarray of float, shape (C,)
            The same axis.

        Raises
        ------
        ResourceError
            If pybaselines is not installed.
        """
        found: Tensor = _Subtract.apply(spectra, self.method, self.stiffness)  # type: ignore[no-untyped-call]
        return found, axis


class _Subtract(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, spectra: Tensor, method: str, stiffness: float) -> Tensor:
        """Subtract the baselines, and keep their weights."""
        rows = spectra.detach().double().cpu().numpy().reshape(-1, spectra.shape[-1])
        weights = _weights(rows, method, stiffness)
        ctx.weights, ctx.stiffness = weights, stiffness
        left = rows - _smooth(weights * rows, weights, stiffness)
        return torch.as_tensor(left.reshape(spectra.shape)).to(spectra)

    @staticmethod
    def backward(ctx: Any, *gradients: Any) -> Any:
        """Apply the transpose of the subtraction with fixed weights."""
        above = gradients[0]
        rows = above.double().cpu().numpy().reshape(ctx.weights.shape)
        # The smoother is (W + stiffness D'D)^-1 W, so its transpose is W (W + stiffness D'D)^-1.
        back = rows - ctx.weights * _smooth(rows, ctx.weights, ctx.stiffness)
        return torch.as_tensor(back.reshape(above.shape)).to(above), None, None


def _weights(rows: Array, method: str, stiffness: float) -> Array:
    if find_spec("pybaselines") is None:
        raise ResourceError(
            "baselines of spectra need pybaselines, which is not installed; install matlens[spectra] or leave the "
            "baseline step out."
        )
    from pybaselines import Baseline as Fitter

    fitter = Fitter(np.arange(rows.shape[-1]))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # "did not converge": one more iteration would hardly change the weights
        return np.stack([getattr(fitter, method)(row, lam=stiffness)[1]["weights"] for row in rows])


def _smooth(right: Array, weights: Array, stiffness: float) -> Array:
    """Solve (W + stiffness D'D) z = right for each row."""
    count = right.shape[-1]
    second = np.diff(np.eye(min(count, 7)), 2, axis=0)
    penalty = stiffness * second.T @ second  # pentadiagonal: the middle repeats
    bands = np.zeros((3, count))
    for k in range(3):
        diagonal = np.diagonal(penalty, k)
        edge = 2
        bands[2 - k, k:] = diagonal[len(diagonal) // 2]
        bands[2 - k, k : k + edge], bands[2 - k, -edge:] = diagonal[:edge], diagonal[-edge:]
    solved = np.empty_like(right)
    for row, weight in enumerate(weights):
        system = bands.copy()
        system[2] += weight
        solved[row] = solveh_banded(system, right[row], check_finite=False)
    return solved
