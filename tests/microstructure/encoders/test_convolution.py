import itertools

import pytest
import torch
from torch import Tensor
from torch.nn import functional

from matlens.microstructure.encoders.base import pad
from matlens.microstructure.encoders.convolution import convolved

CASES = list(itertools.product(["valid", "circular", "reflect"], [1, 2, 3], [3, 5]))


def drawn(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(shape, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))


def plain(images: Tensor, kernel: Tensor, bias: Tensor, padding: str) -> Tensor:
    """The same of PyTorch's own layers."""
    return functional.relu(functional.conv2d(pad(images, kernel.shape[-1] // 2, padding), kernel, bias))


@pytest.mark.parametrize(("padding", "channels", "size"), CASES)
def test_result_and_gradient_are_those_of_plain_layers(padding: str, channels: int, size: int):
    images = drawn(2, channels, 7, 10).requires_grad_(True)
    kernel, bias = drawn(4, channels, size, size, seed=1), drawn(4, seed=2)
    found, expected = (make(images, kernel, bias, padding) for make in (convolved, plain))
    torch.testing.assert_close(found, expected, rtol=1e-12, atol=1e-12)
    cotangent = drawn(*found.shape, seed=3)  # channels first in memory, where the result has them last
    gradients = [torch.autograd.grad(result, images, cotangent)[0] for result in (found, expected)]
    torch.testing.assert_close(*gradients, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize(("padding", "channels", "size"), CASES)
def test_gradient_is_that_of_finite_differences(padding: str, channels: int, size: int):
    kernel, bias = drawn(2, channels, size, size, seed=1), drawn(2, seed=2)
    images = drawn(1, channels, 5, 6).requires_grad_(True)
    assert torch.autograd.gradcheck(lambda x: convolved(x, kernel, bias, padding), images)


@pytest.mark.parametrize("padding", ["valid", "circular", "reflect"])
def test_layers_in_a_row_on_pictures_of_single_precision(padding: str):
    images = drawn(1, 1, 24, 20).float().requires_grad_(True)
    weights = [(drawn(d, c, 3, 3, seed=d).float(), drawn(d, seed=c).float()) for d, c in ((6, 1), (8, 6), (5, 8))]
    found, expected = images, images
    for kernel, bias in weights:
        found, expected = convolved(found, kernel, bias, padding), plain(expected, kernel, bias, padding)
    gradients = [torch.autograd.grad(result.square().sum(), images)[0] for result in (found, expected)]
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-4)
    torch.testing.assert_close(*gradients, rtol=1e-4, atol=1e-3 * float(gradients[1].abs().max()))


def test_weights_that_are_trained_have_gradients_of_every_order():
    images = drawn(2, 2, 6, 6)
    kernel, bias = drawn(3, 2, 3, 3, seed=1).requires_grad_(True), drawn(3, seed=2).requires_grad_(True)
    assert torch.autograd.gradcheck(lambda k, b: convolved(images, k, b, "circular"), (kernel, bias))
    assert torch.autograd.gradgradcheck(lambda k, b: convolved(images, k, b, "circular"), (kernel, bias))


def test_a_second_derivative_with_fixed_weights_is_an_error_and_not_zero():
    images = drawn(1, 1, 6, 6).requires_grad_(True)
    result = convolved(images, drawn(3, 1, 3, 3, seed=1), drawn(3, seed=2), "circular")
    (gradient,) = torch.autograd.grad(result.square().sum(), images, create_graph=True)
    with pytest.raises(RuntimeError, match="once_differentiable"):
        gradient.sum().backward()


@pytest.mark.parametrize("padding", ["circular", "reflect"])
def test_borders_wider_than_the_image(padding: str):
    images, kernel, bias = drawn(1, 1, 2, 3), drawn(2, 1, 7, 7, seed=1), drawn(2, seed=2)
    torch.testing.assert_close(convolved(images, kernel, bias, padding), plain(images, kernel, bias, padding))


def test_images_and_weights_are_not_changed():
    images, kernel, bias = drawn(1, 3, 6, 6).requires_grad_(True), drawn(3, 3, 3, 3, seed=1), drawn(3, seed=2)
    before = [value.detach().clone() for value in (images, kernel, bias)]
    result = convolved(images, kernel, bias, "circular")
    cotangent = torch.ones_like(result)
    torch.autograd.grad(result, images, cotangent)
    assert bool((cotangent == 1).all())
    for value, was in zip((images, kernel, bias), before):
        assert torch.equal(value.detach(), was)
