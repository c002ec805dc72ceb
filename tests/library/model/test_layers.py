"""Hand-written backward passes against automatic differentiation of textbook networks."""

import torch
from torch import Tensor
from torch.nn.functional import conv1d, elu

from matlens.library.model.presets.umehara2019.layers import Convolution, Dense, Dropout, Elu
from matlens.library.model.presets.umehara2019.network import JoinedNetwork

MEMBERS, BATCH, CHANNELS, COMPONENTS = 3, 5, 50, 4


def network() -> JoinedNetwork:
    convolution = Convolution(CHANNELS, filters=2, width=7)
    branches = {
        "spectrum": [Dropout(CHANNELS), convolution, Elu(), Dropout(convolution.outputs)],
        "composition": [Dense(COMPONENTS, 6), Elu()],
    }
    head = [Dense(convolution.outputs + 6, 8), Elu(), Dense(8, 1)]
    made = JoinedNetwork(branches, head, MEMBERS)
    made.vector = made.vector.double()
    made.named = made.views(made.vector)
    made.bind()
    made.vector.copy_(torch.randn(made.vector.shape, generator=torch.Generator().manual_seed(0)) * 0.3)
    return made


def alone(p: dict[str, Tensor], member: int, spectrum: Tensor, composition: Tensor, drop: list[Tensor]) -> Tensor:
    """One member, written with torch's own functions."""
    weight = p["spectrum.1.weight"][member].T[:, None]
    seen = conv1d((spectrum * drop[0])[:, None], weight, p["spectrum.1.bias"][member])
    seen = elu(seen.transpose(1, 2).flatten(1)) * drop[1]
    made = elu(composition @ p["composition.0.weight"][member] + p["composition.0.bias"][member])
    joined = torch.cat([seen, made], 1)
    hidden = elu(joined @ p["head.0.weight"][member] + p["head.0.bias"][member])
    return (hidden @ p["head.2.weight"][member] + p["head.2.bias"][member])[:, 0]


def compare(dropped: bool) -> None:
    made = network()
    gradient = made.with_gradient()
    random = torch.Generator().manual_seed(1)
    spectrum = torch.randn(MEMBERS, BATCH, CHANNELS, generator=random, dtype=torch.float64, requires_grad=True)
    composition = torch.randn(MEMBERS, BATCH, COMPONENTS, generator=random, dtype=torch.float64, requires_grad=True)
    outer = torch.randn(MEMBERS, BATCH, generator=random, dtype=torch.float64)
    bits = torch.empty(MEMBERS, made.words(BATCH), dtype=torch.int64).random_(-(2**63), None, generator=random)
    given = {"spectrum": spectrum.detach(), "composition": composition.detach()}
    found = made.forward(given, bits if dropped else None).clone()
    back = {name: value.clone() for name, value in made.backward(outer.clone(), inputs=True).items()}
    drops = [layer for _, layer in made.layers() if isinstance(layer, Dropout)]
    factors = [layer.factor.double() if dropped else torch.ones(MEMBERS, 1, 1) for layer in drops]
    own = {name: value.detach().clone().requires_grad_() for name, value in made.named.items()}
    expected = torch.stack(
        [alone(own, k, spectrum[k], composition[k], [factor[k] for factor in factors]) for k in range(MEMBERS)]
    )
    torch.testing.assert_close(found, expected.detach())
    (expected * outer).sum().backward()
    torch.testing.assert_close(back["spectrum"], spectrum.grad)
    torch.testing.assert_close(back["composition"], composition.grad)
    torch.testing.assert_close(gradient, torch.cat([value.grad.flatten() for value in own.values()]))


def test_values_and_all_gradients_without_dropout() -> None:
    compare(dropped=False)


def test_values_and_all_gradients_with_dropout() -> None:
    compare(dropped=True)


def test_dropout_keeps_three_of_four_inputs_independently() -> None:
    layer = Dropout(64)
    random = torch.Generator().manual_seed(0)
    layer.bits = torch.empty(2, layer.words(4000), dtype=torch.int64).random_(-(2**63), None, generator=random)
    kept = layer.forward(torch.ones(2, 4000, 64)) > 0
    share = kept.float().mean(1)  # 8000 draws an input: 0.75 +- 0.007
    assert ((share - 0.75).abs() < 0.03).all()
    correlation = torch.corrcoef(kept[0].float().T)
    assert (correlation - torch.eye(64)).abs().max() < 0.09
    assert torch.corrcoef(kept.float().flatten(1))[0, 1].abs() < 0.01


def test_convolution_shorter_than_a_block() -> None:
    layer = Convolution(9, filters=1, width=7)
    layer.parameters = {"weight": torch.ones(1, 7, 1), "bias": torch.zeros(1, 1)}
    x = torch.arange(9.0).view(1, 1, 9)
    assert layer.forward(x).flatten().tolist() == [21.0, 28.0, 35.0]
