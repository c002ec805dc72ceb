"""Protocols of optimisers, which take an explicit state and return the next one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

import torch
from numpy.typing import NDArray
from torch import Tensor

from matlens.hooks import Arrays

__all__ = ["Arrays", "Objective", "Optimiser", "OptimiserState", "tensor"]

Objective = Callable[[Tensor], tuple[float, Tensor]]
"""A point to its value and gradient."""


class OptimiserState(Protocol):
    """State of an optimiser after an iteration; a protocol.

    Attributes
    ----------
    x : Tensor
        Present point.
    loss : float
        Value of the objective there.
    evaluations : int
        Number of evaluations so far.
    stuck : bool
        Whether no step lowers the objective.

    Examples
    --------
    >>> from matlens.microstructure.reconstruction import Adam
    >>> state: OptimiserState = Adam().start(torch.tensor([3.0]), lambda x: (float(x.square().sum()), 2 * x))
    >>> state.loss, state.evaluations, state.stuck
    (9.0, 1, False)
    """

    @property
    def x(self) -> Tensor:
        """Present point."""

    @property
    def loss(self) -> float:
        """Value of the objective at the present point."""

    @property
    def evaluations(self) -> int:
        """Number of evaluations so far."""

    @property
    def stuck(self) -> bool:
        """Whether no step lowers the objective."""

    def arrays(self) -> Arrays:
        """Return the state as NumPy arrays by name.

        Returns
        -------
        dict of str to ndarray
            All that `Optimiser.restore` needs.
        """


class Optimiser(Protocol):
    """Optimiser that holds settings only and takes its state as an argument; a protocol.

    Parameters
    ----------
    settings
        Each optimiser has its own: `LBFGS` and `Adam`.

    Examples
    --------
    >>> from matlens.microstructure.reconstruction import LBFGS
    >>> def quadratic(x):
    ...     return float(x.square().sum()), 2 * x
    >>> optimiser: Optimiser = LBFGS()
    >>> state = optimiser.start(torch.tensor([3.0]), quadratic)
    >>> optimiser.step(state, quadratic).loss < state.loss
    True
    """

    def start(self, x: Tensor, objective: Objective) -> Any:
        """Evaluate the objective at the start.

        Parameters
        ----------
        x : Tensor
            Start.
        objective : callable
            Takes a point and returns value and gradient.

        Returns
        -------
        OptimiserState
            State before the first step.
        """

    def step(self, state: Any, objective: Objective) -> Any:
        """Take one iteration.

        Parameters
        ----------
        state : OptimiserState
            Present state, which is not changed.
        objective : callable
            Takes a point and returns value and gradient.

        Returns
        -------
        OptimiserState
            State after the iteration.
        """

    def restore(self, arrays: Arrays, like: Tensor) -> Any:
        """Restore a state from its arrays.

        Parameters
        ----------
        arrays : dict of str to ndarray
            Result of `OptimiserState.arrays`.
        like : Tensor
            Tensor with the type and device of the state.

        Returns
        -------
        OptimiserState
            The same state.
        """


def tensor(array: NDArray[Any], like: Tensor) -> Tensor:
    """Convert an array to a tensor of the type and on the device of another.

    Parameters
    ----------
    array : ndarray
        Values, which are copied.
    like : Tensor
        Tensor with the type and device.

    Returns
    -------
    Tensor
        Values.

    Examples
    --------
    >>> import numpy as np
    >>> tensor(np.ones(2), torch.zeros(1)).dtype
    torch.float32
    """
    return torch.from_numpy(array.copy()).to(like)
