"""A network of two branches, composition and spectrum, joined in a head: all members at once."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

import torch
from torch import Tensor

from matlens.library.model.networks.layers import Dropout, Layer

__all__ = ["Inputs", "StackedNetwork"]

Inputs = Mapping[str, Tensor]
"""What each branch is given: "composition" and "spectrum", shape (m, B, features)."""


class StackedNetwork:
    """Branches, one for each kind of input, and a head on their outputs, for m members that share no parameter.

    All parameters lie in one vector, ordered by layer and then by member, so that an optimiser passes over it once.

    Parameters
    ----------
    branches : mapping of str to sequence of Layer
        Layers of each branch; a branch without layers hands its input on.
    head : sequence of Layer
        From the branches' outputs, side by side, to one number.
    members : int
        m.
    device : str
        Where the parameters lie.

    Examples
    --------
    >>> from matlens.library.model.networks.layers import Dense, Elu
    >>> network = StackedNetwork({"composition": []}, [Dense(2, 8), Elu(), Dense(8, 1)], members=3)
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
        self.head, self.members = list(head), members
        self.size = sum(_count(shape) for _, layer in self.layers() for shape in layer.shapes.values())
        self.vector = torch.zeros(members * self.size, device=device)
        self.named: dict[str, Tensor] = {}
        self._bind(self.vector, self._name)

    def layers(self) -> Iterator[tuple[str, Layer]]:
        """Name and layer, e.g. "spectrum.1", in the order of the vector."""
        for name, layers in {**self.branches, "head": self.head}.items():
            for number, layer in enumerate(layers):
                yield f"{name}.{number}", layer

    def with_slopes(self) -> Tensor:
        """Make `backward` fill in the slope in every parameter; the vector they are written to is returned."""
        slopes = torch.zeros_like(self.vector)
        self._bind(slopes, lambda layer, prefix, name, view: layer.slopes.__setitem__(name, view))
        return slopes

    def forward(self, inputs: Inputs) -> Tensor:
        """Output of each member, shape (m, B)."""
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

    def backward(self, slope: Tensor, *, inputs: bool = False) -> dict[str, Tensor]:
        """Carry the loss' slope in the output, shape (m, B), to parameters and, if asked, to the inputs."""
        deeper = inputs or any(layer.shapes for layers in self.branches.values() for layer in layers)
        joined = _back(self.head, slope[..., None], deeper)
        if joined is None:
            return {}
        found = {}
        for (name, layers), part in zip(self.branches.items(), torch.split(joined, self._widths, 2)):
            back = _back(layers, part, inputs)
            if back is not None:
                found[name] = back
        return found if inputs else {}

    def words(self, batch: int) -> int:
        """Number of random 64-bit words that a member needs for a batch."""
        return sum(layer.words(batch) for layer in self._dropouts())

    def give_bits(self, bits: Tensor | None, batch: int) -> None:
        """Hand each dropout its words of ``bits``, shape (m, `words`); None switches dropout off."""
        start = 0
        for layer in self._dropouts():
            stop = start + layer.words(batch)
            layer.bits, start = (None if bits is None else bits[:, start:stop]), stop

    def _dropouts(self) -> Iterator[Dropout]:
        return (layer for _, layer in self.layers() if isinstance(layer, Dropout))

    def _bind(self, vector: Tensor, place: Callable[[Layer, str, str, Tensor], None]) -> None:
        start = 0
        for prefix, layer in self.layers():
            for name, shape in layer.shapes.items():
                stop = start + self.members * _count(shape)
                place(layer, prefix, name, vector[start:stop].view(self.members, *shape))
                start = stop

    def _name(self, layer: Layer, prefix: str, name: str, view: Tensor) -> None:
        layer.parameters[name] = self.named[f"{prefix}.{name}"] = view


def _back(layers: Sequence[Layer], slope: Tensor | None, inputs: bool) -> Tensor | None:
    """Through layers in reverse; below the first that has parameters only if the inputs are asked for."""
    first = next((number for number, layer in enumerate(layers) if layer.shapes), len(layers))
    for number in range(len(layers) - 1, -1, -1):
        if slope is None or (number < first and not inputs):
            return None
        slope = layers[number].backward(slope, inputs=inputs or number > first)
    return slope


def _count(shape: Sequence[int]) -> int:
    count = 1
    for side in shape:
        count *= side
    return count
