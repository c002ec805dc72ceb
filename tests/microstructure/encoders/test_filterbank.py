import pytest
import torch
from torch.nn import functional

from matlens.microstructure.encoders import FilterBank
from matlens.microstructure.problems import bicontinuous, white_noise


def image_of(m) -> torch.Tensor:
    return torch.from_numpy(m.indicators()).float()[None]


@pytest.fixture(scope="module")
def image() -> torch.Tensor:
    return image_of(bicontinuous((48, 64), wavelength=12, seed=3))


def kernels(bank: FilterBank) -> list[torch.Tensor]:
    return [bank.get_buffer(f"kernel_{layer.name}") for layer in bank.layers]


def test_layers_double_in_stride_and_field():
    bank = FilterBank(filters=4, scales=4)
    assert [layer.name for layer in bank.layers] == ["scale1", "scale2", "scale4", "scale8"]
    assert [layer.stride for layer in bank.layers] == [1, 2, 4, 8]
    assert [layer.receptive_field for layer in bank.layers] == [7, 14, 28, 56]
    assert {layer.channels for layer in bank.layers} == {4}


def test_the_same_seed_gives_the_same_bank_and_another_another(image):
    for make in (lambda seed: FilterBank(seed=seed), lambda seed: FilterBank(seed=seed).adapted([image])):
        first, again, other = make(0), make(0), make(1)
        for name, buffer in first.named_buffers():
            assert torch.equal(buffer, again.get_buffer(name))
        assert not torch.equal(kernels(first)[0], kernels(other)[0])


@pytest.mark.parametrize("adapted", [False, True])
def test_filters_have_zero_mean_over_space(image, adapted):
    bank = FilterBank(filters=24, scales=3)
    bank = bank.adapted([image]) if adapted else bank
    for kernel in kernels(bank):
        scale = kernel.abs().amax(dim=(1, 2, 3), keepdim=True)
        assert float((kernel / scale).mean(dim=(2, 3)).abs().max()) < 1e-5  # flat grey says nothing
        assert float((kernel / scale).sum(dim=1).abs().max()) < 1e-5  # nor does what all phases share


def test_adapted_filters_answer_to_the_exemplar(image):
    """Drawn filters respond sparsely and with unit strength; none is dead, none always on."""
    bank = FilterBank(filters=32, scales=2).adapted([image])
    for response in bank.features(image, ["scale1", "scale2"], "valid").values():
        strength = response.square().mean(dim=(0, 2, 3)).sqrt()
        torch.testing.assert_close(strength, torch.ones(32), rtol=1e-3, atol=1e-3)
        active = (response > 0).float().mean(dim=(0, 2, 3))
        assert float(active.min()) > 0
        assert float(active.max()) < 0.95


def test_adapted_banks_take_phases_from_the_exemplar():
    three = image_of(white_noise((32, 32), (0.5, 0.3, 0.2), seed=0))
    bank = FilterBank().adapted([three, three[..., :24]])
    assert bank.n_phases == 3
    assert bank.features(three, ["scale1"], "circular")["scale1"].shape == (1, 96, 32, 32)


def test_levels_that_do_not_fit_are_left_out(image):
    bank = FilterBank(filters=4)
    names = [layer.name for layer in bank.layers]
    valid = bank.features(image, names, "valid")
    assert {name: tuple(x.shape[2:]) for name, x in valid.items()} == {
        "scale1": (42, 58),
        "scale2": (18, 26),
        "scale4": (6, 10),
    }
    circular = bank.features(image, names, "circular")
    assert [tuple(x.shape[2:]) for x in circular.values()] == [(48, 64), (24, 32), (12, 16), (6, 8), (3, 4)]
    odd = bank.features(image[..., :36, :36], names, "circular")
    assert list(odd) == ["scale1", "scale2", "scale4"]  # 9 pixels have no half


def test_only_wanted_levels_are_filtered(image, monkeypatch):
    bank, calls, convolve = FilterBank(filters=4), [], functional.conv2d
    monkeypatch.setattr(functional, "conv2d", lambda *given: calls.append(1) or convolve(*given))
    bank.features(image, ["scale4"], "circular")
    assert len(calls) == 1


def test_circular_features_move_with_the_image(image):
    bank = FilterBank(filters=8, scales=3).adapted([image])
    names = [layer.name for layer in bank.layers]
    still, moved = (bank.features(x, names, "circular") for x in (image, image.roll((8, -4), (2, 3))))
    for name in names:
        stride = bank.layer(name).stride
        torch.testing.assert_close(moved[name], still[name].roll((8 // stride, -4 // stride), (2, 3)))


def test_a_bank_stays_on_its_exemplars_device(image):
    bank = FilterBank(filters=4, scales=2).adapted([image])
    assert {buffer.device for buffer in bank.buffers()} == {image.device}
    assert bank.to("meta").get_buffer("kernel_scale1").device.type == "meta"


def test_features_of_flat_grey_do_not_depend_on_the_grey(image):
    bank = FilterBank(filters=8, scales=1).adapted([image])
    greys = [torch.tensor([1 - v, v]).reshape(1, 2, 1, 1).expand(1, 2, 16, 16) for v in (0.2, 0.7)]
    first, second = (bank.features(grey, ["scale1"], "valid")["scale1"] for grey in greys)
    torch.testing.assert_close(first, second, rtol=1e-4, atol=1e-4)
