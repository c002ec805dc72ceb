"""Pruning in width: the network keeps ever fewer channels of every layer, chosen for each material by itself."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cached_property
from typing import Any, ClassVar

import numpy as np
import pandas as pd

from matlens.errors import InputError
from matlens.microstructure.encoders import VGG19, Encoder
from matlens.microstructure.pruning.by_depth import truncated
from matlens.microstructure.pruning.channels import domain, kept_channels, rank_channels
from matlens.microstructure.pruning.recommendation import NO_NETWORK, RANDOM, REVERSED
from matlens.microstructure.pruning.width import narrowed
from matlens.microstructure.reconstruction import Matching, Preset
from matlens.microstructure.reconstruction.matching.objective import resolved_loss
from matlens.microstructure.structure import Microstructure

__all__ = ["REMOVED", "Widths", "plan_widths"]

REMOVED = {"": "least important", RANDOM: "random", REVERSED: "most important"}
"""Channels that are removed first, by the last word of a cut's name."""


@dataclass(frozen=True)
class Widths:
    """The cuts of a study of width: one network for each material and width.

    Attributes
    ----------
    network : VGG19
        The whole network, VGG-19 or a `Compact` one.
    loss : Preset
        Preset with the layers and evaluations that all widths share.
    device : {"auto", "cpu", "cuda"}
        Device that computes.
    exemplars : mapping of str to Microstructure
        The micrographs by name.
    shares : tuple of float
        Share of the channels of every layer that each width keeps; 0 stands for no network.
    seed : int
        Seed of the random order.
    ranking : DataFrame, optional
        Result of `rank`; needed by `matching`.

    Examples
    --------
    >>> from matlens.microstructure.encoders import random_weights
    >>> from matlens.microstructure.problems import bicontinuous
    >>> foam, loss = {"foam": bicontinuous((48, 48), seed=1)}, Preset("mine", layers={"conv1_1": 1.0})
    >>> cuts = Widths(VGG19(random_weights(1, seed=0)), loss, "cpu", foam, (1.0, 0.25), seed=0)
    >>> cuts.names
    ('1/4', '1', '1/4 random', '1/4 reversed')
    >>> cuts.facts("1/4 random")
    {'share': 0.25, 'removed': 'random', 'channels': 16}
    """

    axis: ClassVar[str] = "width"
    network: VGG19
    loss: Preset
    device: str
    exemplars: Mapping[str, Microstructure]
    shares: tuple[float, ...]
    seed: int
    ranking: pd.DataFrame | None = None

    @cached_property
    def _cuts(self) -> dict[str, tuple[float, str]]:
        """Share and control by name."""
        shares = sorted(self.shares)
        pruned = [share for share in shares if 0 < share < 1]
        found = {_width_name(share): (share, "") for share in shares}
        return found | {f"{_width_name(s)} {control}": (s, control) for control in (RANDOM, REVERSED) for s in pruned}

    @property
    def names(self) -> tuple[str, ...]:
        """Widths from narrow to wide, then those whose channels are removed in another order."""
        return tuple(self._cuts)

    @property
    def effort(self) -> float:
        """Cost of all cuts together, at most, where that of the whole network is 1."""
        return sum(share for share, _ in self._cuts.values())

    @property
    def counts(self) -> dict[str, int]:
        """Number of channels of each convolution that the loss depends on."""
        order = [layer.name for layer in self.network.layers]
        deepest = max(self.loss.layers or (), key=order.index)
        steps = self.network.steps[: order.index(deepest) + 1]
        return {layer: self.network.layer(layer).channels for layer, index in steps if index is not None}

    @property
    def whole(self) -> Matching:
        """Reconstruction with the whole network."""
        return Matching(self.network, preset=self.loss, device=self.device)

    def rank(self) -> pd.DataFrame:
        """Rank the channels of each layer for each material.

        Returns
        -------
        DataFrame
            The ``ranking`` that `matching` needs (`matlens.microstructure.pruning.channels.rank_channels`).
        """
        return rank_channels(self.network, self.exemplars, list(self.counts)[-1])

    def settings(self) -> dict[str, Any]:
        """Return the widths, and the layers of all of them.

        Returns
        -------
        dict of str to object
            ``widths`` and ``layers``.
        """
        return {"widths": list(self.names), "layers": list(self.loss.layers or ())}

    def matching(self, material: str, width: str) -> Matching:
        """Prune the network for one material, and return the method that uses it.

        Parameters
        ----------
        material : str
            Name of the material.
        width : str
            Name of the cut.

        Returns
        -------
        Matching
            Reconstruction with the narrow network; with the whole one where nothing is removed.

        Raises
        ------
        InputError
            If the channels have not been ranked.
        """
        share, control = self._cuts[width]
        if share == 0:
            return replace(self.whole, preset=replace(self.loss, layers={}))
        if share == 1:
            return self.whole
        if self.ranking is None:
            raise InputError("the channels are not ranked; give ranking, the result of rank().")
        own = self.ranking[self.ranking["material"] == material]
        kept = {}
        for layer, count in self.counts.items():
            rows = own[own["layer"] == layer].sort_values("rank")
            order, varying = rows["channel"].tolist(), int(rows["varies"].sum())
            random = np.random.default_rng((self.seed, *layer.encode()))
            kept[layer] = kept_channels(order, varying, _share_of(count, share), control, random)
        images = domain(self.exemplars[material], self.network, self.seed)
        return replace(self.whole, encoder=narrowed(self.network, images, kept, name=f"{self.network.name} {width}"))

    def facts(self, width: str) -> dict[str, Any]:
        """Return what the tables say of a cut besides what is measured.

        Parameters
        ----------
        width : str
            Name of the cut.

        Returns
        -------
        dict of str to object
            ``share``, ``removed`` and the number of ``channels`` of all layers.
        """
        share, control = self._cuts[width]
        channels = sum(_share_of(count, share) for count in self.counts.values()) if share else 0
        return {"share": share, "removed": REMOVED[control], "channels": channels}


def plan_widths(
    network: Encoder,
    preset: Preset,
    exemplars: Mapping[str, Microstructure],
    widths: Sequence[float],
    depths: Sequence[str] | None = None,
    *,
    seed: int = 0,
    device: str = "auto",
) -> tuple[Widths, list[str]]:
    """Check what is asked of a study of width.

    Parameters
    ----------
    network : Encoder
        Encoder to prune.
    preset : Preset
        Preset of the reconstructions.
    exemplars : mapping of str to Microstructure
        The micrographs by name.
    widths : sequence of float
        Shares of the channels of every layer to keep, from 0 to 1.
    depths : sequence of str, optional
        One layer to end at; by default the deepest that the preset uses.
    seed : int
        Seed of the random order.
    device : {"auto", "cpu", "cuda"}
        Device that computes.

    Returns
    -------
    cuts : Widths
        The cuts of the study.
    notes : list of str
        Remarks on layers and widths, one sentence each.

    Raises
    ------
    InputError
        If the encoder has no channels to remove, a width is no share, there are several depths, or a micrograph is
        smaller than twice what the deepest layer sees.

    Examples
    --------
    >>> from matlens.microstructure.encoders import random_weights
    >>> from matlens.microstructure.problems import checkerboard
    >>> from matlens.microstructure.reconstruction import PRESETS
    >>> network, board = VGG19(random_weights(4, seed=0)), {"board": checkerboard((32, 32), cell=4)}
    >>> cuts, _ = plan_widths(network, PRESETS["fast"], board, [1, 1/4, 0], ["pool2"])
    >>> cuts.names[:3], list(cuts.counts)
    (('none', '1/4', '1'), ['conv1_1', 'conv1_2', 'conv2_1', 'conv2_2'])
    """
    if not isinstance(network, VGG19):
        raise InputError(
            f"the encoder {network.name} has no trained channels to remove; choose matlens or vgg19-oxford for widths."
        )
    loss, notes = _loss(preset, network, depths)
    shares, more = _checked_shares(widths, preset)
    cuts = Widths(network, loss, device, exemplars, shares, seed)
    deepest = network.layer(max(loss.layers or (), key=[layer.name for layer in network.layers].index))
    for name, exemplar in exemplars.items():
        if min(exemplar.shape) < 2 * deepest.receptive_field:
            size = " x ".join(map(str, exemplar.shape))
            raise InputError(
                f"{name} has {size} pixels, and {deepest.name} sees {deepest.receptive_field} px, so too few positions "
                "are left to prune channels by; give a larger micrograph, or a shallower layer by depths."
            )
    return cuts, [*notes, *more]


def _loss(preset: Preset, network: VGG19, depths: Sequence[str] | None) -> tuple[Preset, list[str]]:
    """Return the preset with layers and evaluations of the whole network, so that they do not depend on the width."""
    own, notes = resolved_loss(preset, network)
    layers = own.layers
    if depths is not None:
        if len(depths) != 1 or NO_NETWORK in depths:
            asked = ", ".join(depths) or "none"
            raise InputError(f"found depths {asked} for widths; name the one layer at which the network ends.")
        cut, notes = truncated(preset, network, depths)
        layers = cut[depths[0]].layers or {}
    return replace(preset, layers=dict(layers), coarse=own.coarse, fine=own.fine, coarsest=own.coarsest), notes


def _checked_shares(widths: Sequence[float], preset: Preset) -> tuple[tuple[float, ...], list[str]]:
    """Return the shares, each once; without 0 where the loss would be empty."""
    shares = dict.fromkeys(float(share) for share in widths)
    if wrong := [share for share in shares if not 0 <= share <= 1]:
        raise InputError(f"the width {wrong[0]:g} is no share of the channels; give numbers from 0 to 1, such as 1/4.")
    notes = []
    if 0.0 in shares and not (preset.two_point or preset.total_variation):
        del shares[0.0]
        notes.append(f"the preset {preset.name} matches nothing but the network, so width zero is white noise")
    if not any(shares):
        raise InputError("no width with a network was asked for; give shares of the channels, such as 1,1/2,1/4.")
    return tuple(shares), notes


def _width_name(share: float) -> str:
    return str(Fraction(share).limit_denominator(1000)) if share else NO_NETWORK


def _share_of(count: int, share: float) -> int:
    return max(1, round(share * count))
