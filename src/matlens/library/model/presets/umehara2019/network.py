"""A network of two branches, composition and spectrum, joined in a head, with backward passes written by hand."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import torch
from torch import Tensor

from matlens.library.model.networks.stacked import Inputs, StackedNetwork
from matlens.library.model.presets.umehara2019.layers import Dropout, Layer

__all__ = ["JoinedNetwork"]


class JoinedNetwork(StackedNetwork):
    """Branches, one for each kind of input, and a head on their outputs.

    Parameters
    ----------
    branches : mapping of str to sequence of Layer
        Layers of each branch; a branch without layers hands its input on.
    head : sequence of Layer
        From the branches' outputs, side by side, to one number.
    members : int
        Number of members m.
    device : str or torch.device
        Where the parameters lie.

    Examples
    --------
    >>> from matlens.library.model.presets.umehara2019.layers import Dense, Elu
    >>> network = JoinedNetwork({"composition": []}, [Dense(2, 8), Elu(), Dense(8, 1)], members=3)
    >>> network.size, network.forward({"composition": torch.ones(3, 5, 2)}).shape
    (33, torch.Size([3, 5]))
    """

    def __init__(
        self,
        branches: Mapping[str, Sequence[Layer]],
        head: Sequence[Layer],
        members: int,
        device: str | torch.device = "cpu",
    ) -> None:
        self.branches = {name: list(layers) for name, layers in branches.items()}
        self.head = list(head)
        shapes = {f"{prefix}.{name}": shape for prefix, layer in self.layers() for name, shape in layer.shapes.items()}
        super().__init__(shapes, members, device)
        self.bind()

    def layers(self) -> Iterator[tuple[str, Layer]]:
        """Name and layer, e.g. "spectrum.1", in the order of the vector."""
        for name, layers in {**self.branches, "head": self.head}.items():
            for number, layer in enumerate(layers):
                yield f"{name}.{number}", layer

    def bind(self) -> None:
        """Give each layer its views of the parameters and, where they are wanted, of their gradients."""
        gradients = {} if self.gradient is None else self.views(self.gradient)
        for prefix, layer in self.layers():
            layer.parameters = {name: self.named[f"{prefix}.{name}"] for name in layer.shapes}
            layer.gradients = {name: gradients[f"{prefix}.{name}"] for name in layer.shapes if gradients}

    def with_gradient(self) -> Tensor:
        """Make `backward` write the gradient of the parameters into the vector that is returned."""
        found = super().with_gradient()
        self.bind()
        return found

    def words(self, batch: int) -> int:
        """Number of random 64-bit words that a member's dropout needs for a batch."""
        return sum(layer.words(batch) for layer in self._dropouts())

    def forward(self, inputs: Inputs, bits: Tensor | None = None) -> Tensor:
        """Output of each member, shape (m, B); ``bits``, shape (m, `words`), switch dropout on."""
        self._give(bits, next(iter(inputs.values())).shape[1])
        parts = []
        for name, layers in self.branches.items():
            x = inputs[name]
            for layer in layers:
                x = layer.forward(x)
            parts.append(x)
        self._widths = [part.shape[2] for part in parts]
        x = parts[0] if len(parts) == 1 else torch.cat(parts, 2)
        for layer in self.head:
            x = layer.forward(x)
        return x[..., 0]

    def backward(self, gradient: Tensor, *, inputs: bool = False) -> dict[str, Tensor]:
        """Carry the gradient in the output, shape (m, B), to parameters and, if asked, to the inputs."""
        deeper = inputs or any(layer.shapes for layers in self.branches.values() for layer in layers)
        joined = _back(self.head, gradient[..., None], deeper)
        if joined is None:
            return {}
        found = {}
        for (name, layers), part in zip(self.branches.items(), torch.split(joined, self._widths, 2)):
            back = _back(layers, part, inputs)
            if back is not None:
                found[name] = back
        return found if inputs else {}

    def _give(self, bits: Tensor | None, batch: int) -> None:
        """Hand each dropout its words."""
        start = 0
        for layer in self._dropouts():
            stop = start + layer.words(batch)
            layer.bits, start = (None if bits is None else bits[:, start:stop]), stop

    def _dropouts(self) -> Iterator[Dropout]:
        return (layer for _, layer in self.layers() if isinstance(layer, Dropout))


def _back(layers: Sequence[Layer], gradient: Tensor | None, inputs: bool) -> Tensor | None:
    """Through layers in reverse; below the first that has parameters only if the inputs are asked for."""
    first = next((number for number, layer in enumerate(layers) if layer.shapes), len(layers))
    for number in range(len(layers) - 1, -1, -1):
        if gradient is None or (number < first and not inputs):
            return None
        gradient = layers[number].backward(gradient, inputs=inputs or number > first)
    return gradient
