"""The channels of a network that matter for one material, and what they answer to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
import torch
import xarray as xr
from torch import Tensor

from matlens.microstructure.encoders import VGG19, Encoder
from matlens.microstructure.pruning.recommendation import RANDOM, REVERSED
from matlens.microstructure.pruning.width import activations
from matlens.microstructure.statistics.equivalence.panel import noises_like
from matlens.microstructure.structure import Microstructure

__all__ = ["activation_maps", "domain", "explaining_channels", "kept_channels", "leading_channels", "rank_channels"]

_BLOCK = 256  # pixels: larger micrographs are taken in parts, so that the regressions fit into memory
_SILENT = 1e-3  # a channel that varies less than this share of the most lively one tells nothing
_EXPLAINED = 1e-9  # of a channel's variance: below, rounding alone is left
_SHOWN = 128  # pixels of a micrograph whose activations are shown: single positions are visible


def rank_channels(network: VGG19, exemplars: Mapping[str, Microstructure], last: str) -> pd.DataFrame:
    """Rank the channels of each layer by importance, for each material by itself.

    Parameters
    ----------
    network : VGG19
        Network to prune, VGG-19 or a `Compact` one.
    exemplars : mapping of str to Microstructure
        The micrographs by name.
    last : str
        The deepest convolution.

    Returns
    -------
    DataFrame
        ``material``, ``layer``, ``rank`` from 1 for the most important one, ``channel`` from 0, and whether it
        ``varies`` over the micrograph at all.

    Notes
    -----
    `explaining_channels` says what importance is.

    Examples
    --------
    >>> from matlens.microstructure.encoders import random_weights
    >>> from matlens.microstructure.problems import bicontinuous
    >>> foam = {"foam": bicontinuous((48, 48), seed=1)}
    >>> table = rank_channels(VGG19(random_weights(1, seed=0)), foam, "conv1_1")
    >>> table["layer"].unique().tolist(), int(table["rank"].max())
    (['conv1_1'], 64)
    """
    tables = []
    for material, exemplar in exemplars.items():
        for layer, images in activations(network, _blocks(exemplar, network), last):
            order, varying = explaining_channels(torch.cat([each.movedim(1, -1).flatten(0, 2) for each in images]))
            ranks = np.arange(1, len(order) + 1)
            rows = {"layer": layer, "rank": ranks, "channel": order, "varies": ranks <= varying}
            tables.append(pd.DataFrame({"material": material, **rows}))
    return pd.concat(tables, ignore_index=True)


def explaining_channels(activations: Tensor) -> tuple[list[int], int]:
    """Rank channels by how much of all others they explain, by forward selection.

    Each channel taken next is the one that, together with those taken before it, explains most of the variance of the
    standardised activations of all channels.

    Parameters
    ----------
    activations : Tensor, shape (n, C)
        Activations at positions of images.

    Returns
    -------
    order : list of int
        Channels, the most important one first; those that never vary come last.
    varying : int
        Number of channels that vary.

    Notes
    -----
    McCabe, Technometrics 26, 137 (1984): principal variables, of which the sum of the variances that they leave
    unexplained is least.

    Examples
    --------
    >>> a, b = torch.tensor([0.0, 1.0, 0.0, 1.0]), torch.tensor([0.0, 0.0, 1.0, 1.0])
    >>> explaining_channels(torch.stack([0 * a, a, b, a + 0.5 * b], 1))
    ([3, 1, 2, 0], 3)
    """
    # Not by pivoted QR, which prefers channels that answer to a few odd pixels:
    # docs/decisions/0047-channels-of-a-material.md
    rows = activations.double().cpu().numpy()
    deviation = rows.std(0)
    alive = deviation > _SILENT * deviation.max()
    standard = (rows - rows.mean(0)) / np.where(alive, deviation, 1.0) * alive
    left = standard.T @ standard / len(rows)  # covariance of what the channels taken so far leave unexplained
    order: list[int] = []
    candidates = np.flatnonzero(alive).tolist()
    while candidates:
        own = left.diagonal()[candidates]
        gains = np.where(own > _EXPLAINED, np.square(left[:, candidates]).sum(0) / np.maximum(own, _EXPLAINED), 0.0)
        order.append(candidates.pop(int(gains.argmax())))
        column = left[:, order[-1]].copy()
        if column[order[-1]] > _EXPLAINED:
            left -= np.outer(column, column) / column[order[-1]]
    return [*order, *np.flatnonzero(~alive).tolist()], len(order)


def kept_channels(
    order: Sequence[int], varying: int, count: int, control: str, random: np.random.Generator
) -> list[int]:
    """Choose the channels that a narrow layer keeps.

    Parameters
    ----------
    order : sequence of int
        Channels, the most important one first.
    varying : int
        Number of them that vary at all; the others are kept last in every order.
    count : int
        Number of channels to keep.
    control : {"", "random", "reversed"}
        Whether the least important go first, or chance decides, or the most important go first.
    random : numpy.random.Generator
        Generator of the random order.

    Returns
    -------
    list of int
        Channels.

    Examples
    --------
    >>> kept_channels([5, 2, 7, 0], 3, 2, "", np.random.default_rng(0))
    [5, 2]
    >>> kept_channels([5, 2, 7, 0], 3, 2, "reversed", np.random.default_rng(0))
    [7, 2]
    """
    # A channel that never varies tells nothing: a control that kept it would fail for a trivial reason.
    alive = list(order[:varying])
    if control == REVERSED:
        alive.reverse()
    elif control == RANDOM:
        random.shuffle(alive)
    return [*alive, *order[varying:]][:count]


def domain(exemplar: Microstructure, network: Encoder, seed: int = 0) -> list[Tensor]:
    """Return what a network that is pruned for a material must still see.

    Parameters
    ----------
    exemplar : Microstructure
        The micrograph, cut into parts of equal size where it is large.
    network : Encoder
        Network that will see the images.
    seed : int
        Seed of the noise.

    Returns
    -------
    list of Tensor, shape (1, K, h, w)
        Phase indicators of the micrograph, and of white and blurred noise of its fractions, on the network's device.

    Examples
    --------
    >>> from matlens.microstructure.encoders import random_weights
    >>> images = domain(Microstructure(np.eye(300, dtype=int)), VGG19(random_weights(1, seed=0)))
    >>> [tuple(image.shape[2:]) for image in images]
    [(150, 150), (150, 150), (150, 150), (150, 150), (256, 256), (256, 256)]
    """
    # A network that has seen the micrograph alone is blind to much of what is unlike it, and a reconstruction starts
    # from noise: docs/decisions/0047-channels-of-a-material.md
    sides = [min(side, _BLOCK) for side in exemplar.shape]
    noise = [made for kind in noises_like(exemplar, sides, 1, seed).values() for made in kind]
    return [image for structure in (exemplar, *noise) for image in _blocks(structure, network)]


def leading_channels(ranking: pd.DataFrame, count: int = 3) -> dict[str, list[int]]:
    """Return the most important channels of each layer.

    Parameters
    ----------
    ranking : DataFrame
        Rows of one material in the result of `rank_channels`.
    count : int
        Number of channels of each layer; fewer where fewer vary.

    Returns
    -------
    dict of str to list of int
        Channels by layer, the most important one first.

    Examples
    --------
    >>> rows = {"rank": [2, 1, 3], "channel": [7, 4, 0], "varies": [True, True, False]}
    >>> leading_channels(pd.DataFrame({"layer": "conv1_1", **rows}))
    {'conv1_1': [4, 7]}
    """
    shown = ranking[ranking["varies"] & (ranking["rank"] <= count)].sort_values("rank", kind="stable")
    order = dict.fromkeys(ranking["layer"])
    return {str(layer): shown.loc[shown["layer"] == layer, "channel"].tolist() for layer in order}


def activation_maps(network: VGG19, exemplar: Microstructure, channels: Mapping[str, Sequence[int]]) -> xr.Dataset:
    """Compute what some channels answer to, on the first 128 x 128 pixels of a micrograph.

    Parameters
    ----------
    network : VGG19
        The network.
    exemplar : Microstructure
        The micrograph.
    channels : mapping of str to sequence of int
        Channels of each layer, the most important one first; from the first convolution on.

    Returns
    -------
    Dataset
        One variable a layer, activations after the rectifier, of dimensions ``LAYER_channel``, ``LAYER_y`` and
        ``LAYER_x``. The coordinates are the channels, and the centres of the receptive fields in pixels.
        The attribute ``window`` holds height and width of what was shown.

    Examples
    --------
    >>> from matlens.microstructure.encoders import random_weights
    >>> net = VGG19(random_weights(2, seed=0))
    >>> maps = activation_maps(net, Microstructure(np.eye(32, dtype=int)), {"conv1_1": [4], "conv1_2": [7, 9]})
    >>> maps["conv1_2"].shape, maps["conv1_2_x"].values[:2].tolist()
    ((2, 28, 28), [2.0, 3.0])
    """
    rows, columns = (min(side, _SHOWN) for side in exemplar.shape)
    images = _blocks(exemplar.crop(slice(0, rows), slice(0, columns)), network)
    found = {}
    for layer, (values,) in activations(network, images, list(channels)[-1], "valid"):
        if layer not in channels or not values.numel():
            continue
        about = network.layer(layer)
        y, x = (about.stride * np.arange(size) + (about.receptive_field - 1) / 2 for size in values.shape[-2:])
        names = [f"{layer}_{part}" for part in ("channel", "y", "x")]
        maps = values[0, list(channels[layer])].cpu().numpy()
        found[layer] = xr.DataArray(maps, dict(zip(names, (list(channels[layer]), y, x))), names)
    return xr.Dataset(found, attrs={"window": [rows, columns]})


def _blocks(structure: Microstructure, network: Encoder) -> list[Tensor]:
    """Return the phase indicators of equal parts of a structure, each at most 256 x 256 pixels."""
    parts = [-(-side // _BLOCK) for side in structure.shape]
    rows = np.array_split(structure.indicators(), parts[0], axis=1)
    blocks = [block for row in rows for block in np.array_split(row, parts[1], axis=2)]
    device = next(network.buffers()).device
    return [torch.from_numpy(np.ascontiguousarray(block)).float()[None].to(device) for block in blocks]
