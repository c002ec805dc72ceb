"""Pruning in width: a network with fewer channels, in closed form from the activations that images cause."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

import numpy as np
import scipy.linalg
import torch
from torch import Tensor
from torch.nn import functional

from matlens.errors import InputError
from matlens.microstructure.encoders import VGG19, Compact, Padding, pad

__all__ = ["activations", "convolve", "important_channels", "in_colours", "narrowed", "read_out"]

_RIDGE = 1e-5  # of the mean squared input: keeps the regression solvable where channels repeat each other
_DEAD = 1e-3  # a channel that varies less than this share of the most lively one carries nothing
_POSITIONS = 20_000  # for the choice of channels; the regressions use all


def narrowed(
    teacher: VGG19,
    indicators: Sequence[Tensor],
    widths: Mapping[str, int | Sequence[int]],
    padding: Padding = "valid",
    name: str = "narrowed",
) -> Compact:
    """Prune a network to fewer channels without training.

    Layer by layer, the channels that explain the activations best are chosen (`important_channels`) unless they are
    given, and one ridge regression predicts them from the activations of the narrow network's layer before. The
    read-out of each layer maps to the principal components of the teacher's activations, as the narrow network predicts
    them.

    Parameters
    ----------
    teacher : VGG19
        Network to prune, VGG-19 or a `Compact` one.
    indicators : sequence of Tensor, shape (n, K, H, W)
        Phase indicators of the domain, such as one material's micrograph; K may differ between entries, and is at most
        4.
    widths : mapping of str to int or sequence of int
        Number of channels of each convolution, or the channels to keep, from the first convolution on; the network ends
        after the last of them.
    padding : {"valid", "circular", "reflect"}
        Treatment of the borders of the images.
    name : str
        Name of the result.

    Returns
    -------
    Compact
        The narrow network.

    Raises
    ------
    InputError
        If the widths do not name the first convolutions of the teacher in order, or ask for no channel or for more than
        the teacher has.

    Notes
    -----
    Pruning for one domain after Li et al., Sci. Rep. 8, 13461 (2018). Channels are chosen by QR decomposition with
    column pivoting: Businger and Golub, Numer. Math. 7, 269 (1965).

    Examples
    --------
    >>> from matlens.microstructure.encoders import random_weights
    >>> from matlens.microstructure.problems import bicontinuous
    >>> image = torch.from_numpy(bicontinuous((48, 48), seed=0).indicators()).float()[None]
    >>> net = narrowed(VGG19(random_weights(2, seed=0)), [image], {"conv1_1": 6, "conv1_2": 8})
    >>> {layer.name: layer.channels for layer in net.layers}
    {'conv1_1': 6, 'conv1_2': 8, 'pool1': 8}
    """
    kernels = teacher.weights_to(list(widths)[-1])
    weights: dict[str, Tensor] = {}
    narrow = [teacher.prepare(each) for each in indicators]
    for layer, index, before, full in _passed(teacher, indicators, _plan(teacher, widths), padding):
        if index is None:
            narrow = [functional.avg_pool2d(x, 2) for x in narrow]
            continue
        chosen = _chosen(widths[layer], full)
        if index == 0:  # both networks have the same input, so the teacher's own filters are exact
            kernel, bias = kernels["kernel0"][chosen], kernels["bias0"][chosen]
        else:
            kernel, bias = _regressed(narrow, [x[:, chosen] for x in before], padding)
        narrow = [functional.relu(convolve(x, kernel, bias, padding)) for x in narrow]
        weights[f"features.{index}.weight"], weights[f"features.{index}.bias"] = kernel, bias
        weights |= read_out(index, narrow, [teacher.read(layer, x) for x in full])
    return Compact(in_colours(teacher, weights), name, {"pruned from": teacher.name, **teacher.source})


def activations(
    teacher: VGG19, indicators: Sequence[Tensor], last: str, padding: Padding = "valid"
) -> Iterator[tuple[str, list[Tensor]]]:
    """Give the activations of every convolution as they are, without a read-out.

    Parameters
    ----------
    teacher : VGG19
        VGG-19 or a `Compact` network.
    indicators : sequence of Tensor, shape (n, K, H, W)
        Phase indicators.
    last : str
        The deepest convolution.
    padding : {"valid", "circular", "reflect"}
        Treatment of the borders of the images.

    Yields
    ------
    layer : str
        Name of the convolution.
    list of Tensor, shape (n, C, h, w)
        Activations after the rectifier, one tensor for each of ``indicators``.

    Examples
    --------
    >>> from matlens.microstructure.encoders import random_weights
    >>> found = activations(VGG19(random_weights(2, seed=0)), [torch.ones(1, 2, 9, 9)], "conv1_2")
    >>> {layer: tuple(images[0].shape) for layer, images in found}
    {'conv1_1': (1, 64, 7, 7), 'conv1_2': (1, 64, 5, 5)}
    """
    steps = teacher.steps[: [layer for layer, _ in teacher.steps].index(last) + 1]
    for layer, index, _, full in _passed(teacher, indicators, steps, padding):
        if index is not None:
            yield layer, full


def important_channels(activations: Tensor, count: int) -> list[int]:
    """Choose the channels from which all others follow best, the most important one first.

    Parameters
    ----------
    activations : Tensor, shape (n, C)
        Activations at positions of images.
    count : int
        Number of channels to choose.

    Returns
    -------
    list of int
        Channels; those that never vary come last.

    Notes
    -----
    QR decomposition with column pivoting of the standardised activations: Businger and Golub, Numer. Math. 7, 269
    (1965).

    Examples
    --------
    >>> a, b = torch.linspace(0, 1, 50), torch.linspace(0, 1, 50).square()
    >>> sorted(important_channels(torch.stack([a, 2 * a, b, 0 * a], 1), 2))[1]
    2
    """
    rows = activations[:: -(-len(activations) // _POSITIONS)].double().cpu().numpy()
    spread = rows.std(0)
    alive = spread > _DEAD * spread.max()
    standard = (rows - rows.mean(0)) / np.where(alive, spread, 1.0) * alive
    order = scipy.linalg.qr(standard, mode="r", pivoting=True, check_finite=False)[1]
    return [int(channel) for channel in order[:count]]


def convolve(images: Tensor, kernel: Tensor, bias: Tensor, padding: Padding) -> Tensor:
    """Compute a 3 x 3 convolution; one channel stands for equal colours.

    Parameters
    ----------
    images : Tensor, shape (B, C, H, W)
        Images, or a single channel of them.
    kernel : Tensor, shape (D, C, 3, 3)
        Filters.
    bias : Tensor, shape (D,)
        Biases.
    padding : {"valid", "circular", "reflect"}
        Treatment of borders.

    Returns
    -------
    Tensor, shape (B, D, H', W')
        Responses before the rectifier.

    Examples
    --------
    >>> convolve(torch.ones(1, 1, 4, 4), torch.ones(2, 3, 3, 3), torch.zeros(2), "valid").shape
    torch.Size([1, 2, 2, 2])
    """
    if kernel.shape[1] > images.shape[1]:
        kernel = kernel.sum(1, keepdim=True)
    return functional.conv2d(pad(images, 1, padding), kernel, bias)


def read_out(index: int, narrow: Sequence[Tensor], full: Sequence[Tensor]) -> dict[str, Tensor]:
    """Regress the teacher's activations on a narrow layer's, and keep as many principal components as it has channels.

    The components are orthonormal combinations of the teacher's channels, so that distances of Gram matrices are those
    of the predicted activations up to the components left out.

    Parameters
    ----------
    index : int
        Number of the convolution in the names of the result.
    narrow, full : sequence of Tensor, shape (n, C, h, w) and (n, D, h, w)
        Activations of the narrow network and of the teacher.

    Returns
    -------
    dict of str to Tensor
        ``readN.weight``, shape (C, C), and ``readN.bias``.

    Examples
    --------
    >>> x = torch.rand(4, 2, 5, 5, generator=torch.Generator().manual_seed(0))
    >>> found = read_out(0, [x], [torch.cat([x, x], 1)])
    >>> y = torch.einsum("dc,nchw->ndhw", found["read0.weight"], x) + found["read0.bias"].reshape(1, -1, 1, 1)
    >>> bool(torch.allclose(y.square().sum(1), 2 * x.square().sum(1), rtol=1e-3))
    True
    """
    inputs, products = _moments((_rows(x, ones=True), _rows(y)) for x, y in zip(narrow, full, strict=True))
    matrix = _ridge(inputs, products)
    energy = matrix.T @ inputs @ matrix  # second moments of the predicted activations
    components = torch.linalg.eigh(energy).eigenvectors[:, -(len(inputs) - 1) :]
    read = (matrix @ components).T.float()
    return {f"read{index}.weight": read[:, :-1].contiguous(), f"read{index}.bias": read[:, -1].contiguous()}


def in_colours(teacher: VGG19, weights: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Let the first convolution take colours from -1 to 1 instead of the teacher's normalised images.

    Parameters
    ----------
    teacher : VGG19
        Network whose preprocessing the weights expect.
    weights : mapping of str to Tensor
        Weights with torchvision's names.

    Returns
    -------
    dict of str to Tensor
        The weights, of which the first kernel and bias are changed.

    Examples
    --------
    >>> from matlens.microstructure.encoders import random_weights
    >>> weights = random_weights(1, seed=0)
    >>> vgg = VGG19(weights)
    >>> half = torch.full((1, 2, 3, 3), 0.5)
    >>> net = Compact(in_colours(vgg, weights))
    >>> bool(torch.allclose(*(each.features(half, ["conv1_1"])["conv1_1"] for each in (vgg, net)), atol=1e-5))
    True
    """
    mean, std = teacher.get_buffer("mean"), teacher.get_buffer("std")
    kernel, bias = weights["features.0.weight"], weights["features.0.bias"]
    shift = (kernel * (0.5 - mean) / std).sum(dim=(1, 2, 3))
    return {**weights, "features.0.weight": kernel * 0.5 / std, "features.0.bias": bias + shift}


def _chosen(asked: int | Sequence[int], full: Sequence[Tensor]) -> list[int]:
    return important_channels(torch.cat([_rows(x) for x in full]), asked) if isinstance(asked, int) else list(asked)


def _passed(
    teacher: VGG19, indicators: Sequence[Tensor], steps: Sequence[tuple[str, int | None]], padding: Padding
) -> Iterator[tuple[str, int | None, list[Tensor], list[Tensor]]]:
    """Give layer, number of the convolution, and the teacher's activations before and after the rectifier."""
    full = [teacher.prepare(each) for each in indicators]
    for layer, index in steps:
        if index is None:
            before = full = [functional.avg_pool2d(x, 2) for x in full]
        else:
            kernel, bias = teacher.get_buffer(f"kernel{index}"), teacher.get_buffer(f"bias{index}")
            before = [convolve(x, kernel, bias, padding) for x in full]
            full = [functional.relu(x) for x in before]
        yield layer, index, before, full


def _plan(teacher: VGG19, widths: Mapping[str, int | Sequence[int]]) -> list[tuple[str, int | None]]:
    """List layers and numbers of convolutions up to the last one that has a width."""
    steps = teacher.steps
    convolutions = [layer for layer, index in steps if index is not None]
    if not widths or list(widths) != convolutions[: len(widths)]:
        raise InputError(
            f"widths are given for {', '.join(widths) or 'no layer'}; give one for each of the first convolutions of "
            f"{teacher.name} in order: {', '.join(convolutions)}."
        )
    for layer, asked in widths.items():
        width = asked if isinstance(asked, int) else len(asked)
        if not 1 <= width <= (most := teacher.layer(layer).channels):
            raise InputError(
                f"width {width} of {layer} is not possible; {teacher.name} has 1 to {most} channels there."
            )
    return steps[: [layer for layer, _ in steps].index(list(widths)[-1]) + 1]


def _regressed(narrow: Sequence[Tensor], wanted: Sequence[Tensor], padding: Padding) -> tuple[Tensor, Tensor]:
    """Return the 3 x 3 kernel and the bias that predict responses from activations best."""
    channels = narrow[0].shape[1]
    inputs, products = _moments((_patches(x, padding), _rows(y)) for x, y in zip(narrow, wanted, strict=True))
    matrix = _ridge(inputs, products).float()
    kernel = matrix[:-1].T.reshape(-1, channels, 3, 3).contiguous()
    return kernel, matrix[-1].contiguous()


def _moments(pairs: Iterable[tuple[Tensor, Tensor]]) -> tuple[Tensor, Tensor]:
    """Sum the products of inputs with inputs and with outputs, over positions and batches, and divide by positions."""
    inputs: Tensor | float = 0.0
    products: Tensor | float = 0.0
    positions = 0
    for x, y in pairs:
        inputs, products, positions = inputs + (x.T @ x).double(), products + (x.T @ y).double(), positions + len(x)
    return torch.as_tensor(inputs) / positions, torch.as_tensor(products) / positions


def _ridge(inputs: Tensor, products: Tensor) -> Tensor:
    scale = _RIDGE * float(inputs.diagonal()[:-1].mean())
    found: Tensor = torch.linalg.solve(inputs + scale * torch.eye(len(inputs)).to(inputs), products)
    return found


def _rows(x: Tensor, ones: bool = False) -> Tensor:
    """List activations by position, shape (positions, channels); ``ones`` adds a column of ones."""
    rows = x.movedim(1, -1).reshape(-1, x.shape[1])
    return torch.cat([rows, rows.new_ones(len(rows), 1)], 1) if ones else rows


def _patches(x: Tensor, padding: Padding) -> Tensor:
    """List the 3 x 3 neighbourhoods by position, with a column of ones at the end."""
    found = functional.unfold(pad(x, 1, padding), 3).movedim(1, -1).flatten(0, 1)
    return torch.cat([found, found.new_ones(len(found), 1)], 1)
