"""Cost of one evaluation of a loss and its gradient: arithmetic, memory and time."""

from __future__ import annotations

import time
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.autograd.graph import saved_tensors_hooks
from torch.utils.flop_counter import FlopCounterMode

from matlens.microstructure.reconstruction.matching.optimisers.base import Objective

__all__ = ["Cost", "evaluation_cost"]


@dataclass(frozen=True)
class Cost:
    """Cost of one evaluation of a loss with its gradient.

    Attributes
    ----------
    flop : int
        Floating-point operations in convolutions and matrix products, two for each multiply-add; Fourier transforms are
        not counted.
    kept_bytes : int
        Bytes stored for the gradient, weights included: most of the memory of an evaluation.
    seconds : float
        Wall time, the median of a few evaluations; the only number here that is measured and not counted.

    Examples
    --------
    >>> Cost(flop=2048, kept_bytes=512, seconds=0.1).flop
    2048
    """

    flop: int
    kept_bytes: int
    seconds: float


def evaluation_cost(objective: Objective, x: Tensor, repeats: int = 3) -> Cost:
    """Count the operations and bytes of an evaluation, and time it.

    Parameters
    ----------
    objective : callable
        Takes a field and returns loss and gradient.
    x : Tensor
        Field.
    repeats : int
        Number of evaluations to time.

    Returns
    -------
    Cost
        Operations, bytes and seconds.

    Examples
    --------
    >>> a = torch.ones(8, 8)
    >>> def objective(x):
    ...     x = x.detach().requires_grad_(True)
    ...     loss = (a @ x).square().sum()
    ...     return float(loss.detach()), torch.autograd.grad(loss, x)[0]
    >>> cost = evaluation_cost(objective, torch.ones(8, 8))
    >>> cost.flop == 2 * (2 * 8**3), cost.kept_bytes == 2 * 8 * 8 * 4
    (True, True)
    """
    kept: dict[int, int] = {}

    def pack(tensor: Tensor) -> Tensor:
        storage = tensor.untyped_storage()
        kept[storage.data_ptr()] = storage.nbytes()
        return tensor

    counter = FlopCounterMode(display=False)
    with counter, saved_tensors_hooks(pack, lambda tensor: tensor):
        objective(x)
    spent = []
    for _ in range(repeats):
        if x.is_cuda:
            torch.cuda.synchronize()
        begun = time.perf_counter()
        objective(x)  # ends with the loss as a number, which waits for the device
        spent.append(time.perf_counter() - begun)
    return Cost(int(counter.get_total_flops()), sum(kept.values()), sorted(spent)[repeats // 2])
