import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional

from matlens.errors import InputError
from matlens.microstructure.encoders import VGG19, phase_colours, random_weights
from matlens.microstructure.encoders.base import pad

WIDTHS = (64, 64, 128, 128, 256, 256, 256, 256, 512, 512, 512, 512, 512, 512, 512, 512)
INDICES = (0, 2, 5, 7, 10, 12, 14, 16, 19, 21, 23, 25, 28, 30, 32, 34)
PADDING = {"valid": (0, "zeros"), "reflect": (1, "reflect"), "circular": (1, "circular")}


def indicators(phases: int, height: int, width: int, seed: int = 0) -> torch.Tensor:
    labels = torch.randint(phases, (height, width), generator=torch.Generator().manual_seed(seed))
    return functional.one_hot(labels, phases).permute(2, 0, 1)[None].float()


@pytest.fixture(scope="module")
def four() -> VGG19:
    return VGG19(random_weights(4, seed=0))


def reference(weights: dict[str, torch.Tensor], padding: str) -> nn.Sequential:
    """conv1_1 .. pool2 as torch's own modules."""
    width, mode = PADDING[padding]
    parts: list[nn.Module] = []
    for place, (index, inputs) in enumerate(zip(INDICES[:4], (3, 64, 64, 128))):
        convolution = nn.Conv2d(inputs, WIDTHS[place], 3, padding=width, padding_mode=mode)
        convolution.weight.data = weights[f"features.{index}.weight"]
        convolution.bias.data = weights[f"features.{index}.bias"]
        parts += [convolution, nn.ReLU()]
        if place in (1, 3):
            parts.append(nn.AvgPool2d(2))
    return nn.Sequential(*parts)


def test_layer_table_is_that_of_vgg19():
    weights = {
        f"features.{index}.{part}": torch.zeros(width, *((inputs, 3, 3) if part == "weight" else ()), device="meta")
        for index, width, inputs in zip(INDICES, WIDTHS, (3, *WIDTHS))
        for part in ("weight", "bias")
    }
    layers = {layer.name: layer for layer in VGG19(weights).layers}
    assert len(layers) == 21
    assert list(layers)[:6] == ["conv1_1", "conv1_2", "pool1", "conv2_1", "conv2_2", "pool2"]
    assert list(layers)[-1] == "pool5"
    fields = {name: layers[name].receptive_field for name in ("conv1_1", "pool1", "pool2", "pool3", "pool4")}
    assert fields == {"conv1_1": 3, "pool1": 6, "pool2": 16, "pool3": 52, "pool4": 124}
    assert [layers[f"pool{block}"].stride for block in range(1, 6)] == [2, 4, 8, 16, 32]
    assert [layers[f"conv{block}_1"].stride for block in range(1, 6)] == [1, 2, 4, 8, 16]
    assert [layers[f"conv{block}_1"].channels for block in range(1, 6)] == [64, 128, 256, 512, 512]


@pytest.mark.parametrize("padding", ["valid", "reflect", "circular"])
def test_forward_equals_plain_torch(four: VGG19, padding: str):
    structure = indicators(2, 32, 24)
    images = ((structure[:, 1:].expand(-1, 3, -1, -1)) - four.get_buffer("mean")) / four.get_buffer("std")
    with torch.no_grad():
        expected = reference(random_weights(4, seed=0), padding)(images)
        found = four.features(structure, ["pool2"], padding)["pool2"]
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-5)


def test_one_receptive_field_sees_one_position(four: VGG19):
    for layer in four.layers:
        side = layer.receptive_field
        if side <= 16:
            seen = four.features(indicators(2, side, side), [layer.name], "valid")[layer.name]
            assert seen.shape == (1, layer.channels, 1, 1), layer.name
            assert layer.name not in four.features(indicators(2, side, side - 1), [layer.name], "valid")


def test_circular_features_move_with_the_image(four: VGG19):
    structure = indicators(3, 16, 32)
    names = ["conv1_1", "pool1", "pool2"]
    still = four.features(structure, names, "circular")
    moved = four.features(structure.roll((4, -8), (2, 3)), names, "circular")
    for name in names:
        stride = four.layer(name).stride
        expected = still[name].roll((4 // stride, -8 // stride), (2, 3))
        torch.testing.assert_close(moved[name], expected, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize(("wanted", "count"), [(["conv1_1"], 1), (["pool1", "conv1_1"], 2), (["conv2_1"], 3), ([], 0)])
def test_the_pass_ends_after_the_deepest_wanted_layer(four: VGG19, monkeypatch, wanted, count):
    calls = []
    convolve = functional.conv2d
    monkeypatch.setattr(functional, "conv2d", lambda *given: calls.append(1) or convolve(*given))
    found = four.features(indicators(2, 16, 16), wanted, "valid")
    assert (set(found), len(calls)) == (set(wanted), count)


@pytest.mark.parametrize("phases", [2, 3, 4])
def test_colours_are_equidistant_and_inside_the_cube(phases: int):
    colours = phase_colours(phases)
    assert colours.shape == (phases, 3)
    assert float(colours.abs().max()) == 1.0
    distances = torch.cdist(colours, colours)[~torch.eye(phases, dtype=bool)]
    assert float(distances.min()) == pytest.approx(float(distances.max()))
    with pytest.raises(InputError, match="one pass per phase"):
        phase_colours(5)


@pytest.mark.parametrize("phases", [2, 3, 4])
def test_prepare_maps_colours_to_imagenet_units(four: VGG19, phases: int):
    structure = indicators(phases, 6, 7)
    images = four.prepare(structure)
    pixel = (phase_colours(phases)[structure[0, :, 2, 3].argmax()] + 1) / 2
    mean, std = torch.tensor([0.485, 0.456, 0.406]), torch.tensor([0.229, 0.224, 0.225])
    assert images.shape == (1, 3, 6, 7)
    torch.testing.assert_close(images[0, :, 2, 3], (pixel - mean) / std)


def test_five_phases_take_one_pass_each(four: VGG19):
    structure = indicators(5, 16, 16)
    found = four.features(structure, ["pool1"], "circular")["pool1"]
    assert found.shape == (5, 64, 8, 8)
    for phase in range(5):
        alone = torch.stack([1 - structure[0, phase], structure[0, phase]])[None]
        torch.testing.assert_close(found[phase], four.features(alone, ["pool1"], "circular")["pool1"][0])


def test_odd_sizes_and_sizes_without_a_position(four: VGG19):
    found = four.features(indicators(2, 15, 17), ["conv1_1", "pool1", "pool2"], "valid")
    assert {name: tuple(x.shape[2:]) for name, x in found.items()} == {"conv1_1": (13, 15), "pool1": (5, 6)}
    assert four.features(indicators(2, 2, 9), ["conv1_1"], "valid") == {}
    tiny = four.features(indicators(2, 1, 1), ["conv1_1", "pool1"], "circular")
    assert set(tiny) == {"conv1_1"}


@pytest.mark.parametrize("padding", ["circular", "reflect"])
@pytest.mark.parametrize("shape", [(2, 5), (3, 2), (7, 7)])
def test_padding_more_than_the_image_is_wide(shape, padding):
    image = torch.arange(float(np.prod(shape))).reshape(1, 1, *shape)
    expected = np.pad(image[0, 0].numpy(), 4, mode={"circular": "wrap", "reflect": "reflect"}[padding])
    assert np.array_equal(pad(image, 4, padding)[0, 0].numpy(), expected)
    assert pad(image, 4, "valid") is image


def test_unknown_layer_names_those_there_are(four: VGG19):
    with pytest.raises(InputError, match=r"no layer 'conv9_9'; it has conv1_1, .*pool2"):
        four.features(indicators(2, 16, 16), ["conv9_9"])


def test_weights_that_are_not_vgg19():
    good = random_weights(2, seed=0)
    with pytest.raises(InputError, match=r"features\.0\.weight"):
        VGG19({"layer1.weight": torch.zeros(3)})
    with pytest.raises(InputError, match=r"conv1_2 have shape \(64, 32, 3, 3\)"):
        VGG19({**good, "features.2.weight": torch.zeros(64, 32, 3, 3)})
    with pytest.raises(InputError, match="conv1_1 has no bias"):
        VGG19({"features.0.weight": good["features.0.weight"]})


def test_gradients_reach_the_phases(four: VGG19):
    structure = indicators(3, 16, 16).requires_grad_(True)
    four.features(structure, ["pool2"], "circular")["pool2"].square().sum().backward()
    assert float(structure.grad.abs().min()) > 0
    assert not any(buffer.requires_grad for buffer in four.buffers())
