"""Dense layers of all members against one member written with torch's own layers."""

import pytest
import torch
from torch import nn

from matlens.library.model.networks.dense import DenseNetwork

MEMBERS, BATCH, SIZES = 3, 5, {"composition": 4, "spectrum": 6}


@pytest.mark.parametrize("inputs", [False, True])
@pytest.mark.parametrize("parameters", [False, True])
def test_values_and_gradients_are_those_of_members_alone(inputs: bool, parameters: bool) -> None:
    random = torch.Generator().manual_seed(0)
    network = DenseNetwork(SIZES, [8, 7], MEMBERS)
    network.vector.normal_(0, 0.3, generator=random)
    gradient = network.with_gradient() if parameters else None
    given = {name: torch.randn(MEMBERS, BATCH, size, generator=random) for name, size in SIZES.items()}
    outer = torch.randn(MEMBERS, BATCH, generator=random)
    with torch.no_grad():  # as in training
        found = network.forward(given)
        back = network.backward(outer, inputs=inputs) if inputs or parameters else {}
    assert not found.requires_grad
    assert list(back) == (list(SIZES) if inputs else [])
    for member in range(MEMBERS):
        linear = [nn.Linear(10, 8), nn.Linear(8, 7), nn.Linear(7, 1)]
        for number, layer in enumerate(linear):
            layer.weight.data = network.named[f"head.{2 * number}.weight"][member].T
            layer.bias.data = network.named[f"head.{2 * number}.bias"][member]
        x = torch.cat([given[name][member] for name in SIZES], 1).requires_grad_()
        alone = nn.Sequential(linear[0], nn.SiLU(), linear[1], nn.SiLU(), linear[2])(x)[:, 0]
        torch.testing.assert_close(found[member], alone.detach())
        alone.backward(outer[member])
        if inputs:
            torch.testing.assert_close(torch.cat([back[name][member] for name in SIZES], 1), x.grad)
        if gradient is not None:
            views = network.views(gradient)
            for number, layer in enumerate(linear):
                torch.testing.assert_close(views[f"head.{2 * number}.weight"][member].T, layer.weight.grad)
                torch.testing.assert_close(views[f"head.{2 * number}.bias"][member], layer.bias.grad)
