"""Dense layers of many members as batched products, differentiated by autograd."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise

import torch
from torch import Tensor
from torch.nn.functional import silu

from matlens.library.model.networks.stacked import Inputs, StackedNetwork

__all__ = ["DenseNetwork"]


class DenseNetwork(StackedNetwork):
    """Dense layers with SiLU between them, smooth to all orders, on all inputs side by side.

    Parameters
    ----------
    inputs : mapping of str to int
        Features of each input, in the order in which they are joined.
    widths : sequence of int
        Outputs of the hidden layers.
    members : int
        Number of members m.
    device : str or torch.device
        Where the parameters lie.

    Examples
    --------
    >>> network = DenseNetwork({"composition": 2}, [8], members=3)
    >>> network.size, network.forward({"composition": torch.ones(3, 5, 2)}).shape
    (33, torch.Size([3, 5]))
    """

    def __init__(
        self, inputs: Mapping[str, int], widths: Sequence[int], members: int, device: str | torch.device = "cpu"
    ) -> None:
        shapes: dict[str, tuple[int, ...]] = {}
        for number, (before, after) in enumerate(pairwise([sum(inputs.values()), *widths, 1])):
            # Activations count too: stored models name their weights so.
            shapes |= {f"head.{2 * number}.weight": (before, after), f"head.{2 * number}.bias": (after,)}
        super().__init__(shapes, members, device)
        self.inputs = tuple(inputs)

    def forward(self, inputs: Inputs, bits: Tensor | None = None) -> Tensor:
        """Output of each member, shape (m, B)."""
        with torch.enable_grad():
            self._given = {name: inputs[name].detach().requires_grad_() for name in self.inputs}
            self._leaves = [value.detach().requires_grad_(self.gradient is not None) for value in self.named.values()]
            x = torch.cat(list(self._given.values()), 2)
            for number, (weight, bias) in enumerate(zip(self._leaves[::2], self._leaves[1::2])):
                x = torch.baddbmm(bias[:, None], silu(x) if number else x, weight)
            self._out = x[..., 0]
        return self._out.detach()

    def backward(self, gradient: Tensor, *, inputs: bool = False) -> dict[str, Tensor]:
        """Carry the gradient in the output, shape (m, B), to parameters and, if asked, to the inputs."""
        leaves, given = [] if self.gradient is None else self._leaves, self._given if inputs else {}
        found = torch.autograd.grad(self._out, [*leaves, *given.values()], gradient)
        if self.gradient is not None:
            torch.cat([each.flatten() for each in found[: len(leaves)]], out=self.gradient)
        return dict(zip(given, found[len(leaves) :]))
