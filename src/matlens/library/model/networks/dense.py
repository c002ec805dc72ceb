"""Dense layers of many members as batched products, with the chain rule written out."""

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

    @torch.no_grad()
    def forward(self, inputs: Inputs, bits: Tensor | None = None) -> Tensor:
        """Output of each member, shape (m, B)."""
        self._widths = {name: inputs[name].shape[2] for name in self.inputs}
        x = torch.cat([inputs[name] for name in self.inputs], 2)
        self._given: list[Tensor] = [x]
        self._sums: list[Tensor] = []
        for number, (weight, bias) in enumerate(_layers(self.named)):
            if number:
                self._given.append(silu(self._sums[-1]))
            self._sums.append(torch.baddbmm(bias[:, None], self._given[-1], weight))
        return self._sums[-1][..., 0]

    @torch.no_grad()
    def backward(self, gradient: Tensor, *, inputs: bool = False) -> dict[str, Tensor]:
        """Carry the gradient in the output, shape (m, B), to parameters and, if asked, to the inputs.

        The chain rule is written out, with the operations of automatic differentiation: recording them takes longer
        than they do.
        """
        flow, layers = gradient[..., None], _layers(self.named)
        found = None if self.gradient is None else _layers(self.views(self.gradient))
        for number in reversed(range(len(layers))):
            if found is not None:
                torch.bmm(self._given[number].mT, flow, out=found[number][0])
                torch.sum(flow, 1, out=found[number][1])
            if number or inputs:
                flow = torch.bmm(flow, layers[number][0].mT)
            if number:
                flow = torch.ops.aten.silu_backward(flow, self._sums[number - 1])
        return dict(zip(self._widths, torch.split(flow, list(self._widths.values()), 2))) if inputs else {}


def _layers(named: Mapping[str, Tensor]) -> list[tuple[Tensor, Tensor]]:
    """Weights and biases of each layer."""
    values = list(named.values())
    return list(zip(values[::2], values[1::2]))
