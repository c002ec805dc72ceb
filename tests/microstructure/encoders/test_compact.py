import numpy as np
import pytest
import torch

from matlens.errors import InputError
from matlens.microstructure.encoders import Compact, load_encoder, phase_colours
from matlens.microstructure.problems import bicontinuous

CONVOLUTIONS = ["conv1_1", "conv1_2", "conv2_1", "conv2_2", "conv3_1", "conv3_2", "conv3_3", "conv3_4"]


@pytest.fixture(scope="module")
def net():
    return load_encoder("matlens")


@pytest.fixture(scope="module")
def image():
    return torch.from_numpy(bicontinuous((32, 32), wavelength=9, seed=1).indicators()).float()[None]


def test_it_has_the_layers_of_vgg_to_conv3_4_and_is_small(net):
    assert [layer.name for layer in net.layers if layer.name.startswith("conv")] == CONVOLUTIONS
    assert net.layer("conv3_4").receptive_field == 48
    assert sum(value.numel() for value in net.buffers()) * 2 < 600_000


def test_two_phases_are_one_channel_and_equal_to_three_equal_colours(net, image):
    grey = net.prepare(image)
    assert grey.shape == (1, 1, 32, 32)
    colours = torch.einsum("bkhw,kc->bchw", image, phase_colours(2))
    layers = frozenset(CONVOLUTIONS)
    one, three = (net.forward_layers(each, layers, "circular") for each in (grey, colours))
    for layer in CONVOLUTIONS:
        assert torch.allclose(one[layer], three[layer], atol=1e-4 * float(three[layer].abs().max()))


@pytest.mark.parametrize("phases", [2, 3, 4, 5, 7])
def test_any_number_of_phases_and_grey_levels(net, phases):
    amounts = torch.rand(1, phases, 24, 24, generator=torch.Generator().manual_seed(0))
    amounts = amounts / amounts.sum(1, keepdim=True)
    found = net.features(amounts, ["pool2"], "circular")["pool2"]
    assert found.shape == (net.passes(phases), 64, 6, 6)
    assert torch.isfinite(found).all()


def test_shift_of_a_periodic_image_shifts_the_features(net, image):
    found = net.features(image, ["pool2"], "circular")["pool2"]
    moved = net.features(image.roll((8, 4), (2, 3)), ["pool2"], "circular")["pool2"]
    assert torch.allclose(found.roll((2, 1), (2, 3)), moved, atol=1e-4 * float(found.abs().max()))


def test_the_read_out_of_a_pooling_is_the_pooled_read_out(net, image):
    found = net.features(image, ["conv1_2", "pool1"], "circular")
    pooled = torch.nn.functional.avg_pool2d(found["conv1_2"], 2)
    assert torch.allclose(found["pool1"], pooled, atol=1e-4 * float(pooled.abs().max()))


def test_a_copy_for_training_has_no_read_outs_and_shares_nothing(net, image):
    copy = net.trainable("conv2_2")
    assert [layer.name for layer in copy.layers][-2:] == ["conv2_2", "pool2"]
    assert list(copy.weights_to("conv2_2")) == [f"{part}{i}" for i in (0, 2, 5, 7) for part in ("kernel", "bias")]
    read = net.features(image, ["conv2_2"], "circular")["conv2_2"]
    plain = copy.features(image, ["conv2_2"], "circular")["conv2_2"]
    assert torch.allclose(net.read("conv2_2", plain), read, atol=1e-3)
    assert plain.min() == 0
    copy.get_buffer("kernel0").zero_()
    assert float(net.get_buffer("kernel0").abs().max()) > 0
    again = Compact.restore("matlens", net.trainable("conv2_2").weights_to("conv2_2"))
    assert torch.equal(again.features(image, ["conv2_2"], "circular")["conv2_2"], plain)


def test_random_weights_of_one_seed_are_equal_and_of_another_are_not(net):
    first, again, other = (net.trainable("conv1_2", seed).get_buffer("kernel2") for seed in (3, 3, 4))
    assert torch.equal(first, again)
    assert not torch.equal(first, other)
    assert abs(float(first.std()) - np.sqrt(2 / (9 * 16))) < 0.02


def test_its_stored_tensors_build_it_again(net, image):
    again = Compact(net.stored())
    found, expected = (each.features(image, CONVOLUTIONS, "reflect") for each in (again, net))
    assert all(torch.equal(found[layer], expected[layer]) for layer in CONVOLUTIONS)


def test_fingerprints_see_the_read_out(net):
    plain = Compact({name: value for name, value in net.stored().items() if "read" not in name})
    assert len({net.fingerprint("pool1"), plain.fingerprint("pool1"), net.fingerprint("pool2")}) == 3


def test_a_read_out_of_another_width_is_refused(net):
    weights = net.stored() | {"read0.weight": torch.zeros(4, 5), "read0.bias": torch.zeros(4)}
    with pytest.raises(InputError, match=r"read-out of conv1_1 has shapes \(4, 5\)"):
        Compact(weights)
