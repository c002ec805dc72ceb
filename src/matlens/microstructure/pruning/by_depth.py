"""Pruning in depth: the network ends after an ever shallower layer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar

from matlens.errors import InputError
from matlens.microstructure.encoders import Encoder
from matlens.microstructure.pruning.recommendation import NO_NETWORK
from matlens.microstructure.reconstruction import Matching, Preset
from matlens.microstructure.reconstruction.matching.objective import resolved_loss

__all__ = ["Depths", "truncated"]


@dataclass(frozen=True)
class Depths:
    """The cuts of a study of depth: one preset for each depth, and the same network for all.

    Attributes
    ----------
    network : Encoder
        The encoder.
    presets : mapping of str to Preset
        Preset with the layers of each depth, from shallow to deep.
    device : {"auto", "cpu", "cuda"}
        Device that computes.

    Examples
    --------
    >>> from matlens.microstructure.encoders import FilterBank
    >>> from matlens.microstructure.reconstruction import PRESETS
    >>> presets, _ = truncated(PRESETS["default"], FilterBank(), ["none", "scale1"])
    >>> cuts = Depths(FilterBank(), presets, "cpu")
    >>> cuts.names, list(cuts.settings()["layers"]["scale1"])
    (('none', 'scale1'), ['scale1'])
    """

    axis: ClassVar[str] = "depth"
    network: Encoder
    presets: Mapping[str, Preset]
    device: str

    @property
    def names(self) -> tuple[str, ...]:
        """Depths from shallow to deep."""
        return tuple(self.presets)

    @property
    def effort(self) -> float:
        """Cost of all cuts together, at most, where that of the whole network is 1."""
        return float(len(self.presets))

    @property
    def whole(self) -> Matching:
        """Reconstruction with the deepest network."""
        return self.matching("", self.names[-1])

    def settings(self) -> dict[str, Any]:
        """Return the depths and the layers of each.

        Returns
        -------
        dict of str to object
            ``depths`` and ``layers``.
        """
        return {
            "depths": list(self.presets),
            "layers": {depth: list(cut.layers or ()) for depth, cut in self.presets.items()},
        }

    def matching(self, material: str, depth: str) -> Matching:
        """Return the method of one depth, which is the same for all materials.

        Parameters
        ----------
        material : str
            Name of the material.
        depth : str
            Depth of the network.

        Returns
        -------
        Matching
            Reconstruction with the layers of this depth.
        """
        return Matching(self.network, preset=self.presets[depth], device=self.device)

    def facts(self, depth: str) -> dict[str, Any]:
        """Return what the tables say of a depth besides what is measured: nothing.

        Parameters
        ----------
        depth : str
            Depth of the network.

        Returns
        -------
        dict of str to object
            Empty.
        """
        return {}


def truncated(
    preset: Preset, encoder: Encoder, depths: Sequence[str] | None = None
) -> tuple[dict[str, Preset], list[str]]:
    """Truncate the loss of a preset at each depth.

    Parameters
    ----------
    preset : Preset
        Preset whose loss layers are truncated.
    encoder : Encoder
        Encoder that has the layers.
    depths : sequence of str, optional
        Layers to end at, as in `prune`.

    Returns
    -------
    presets : dict of str to Preset
        Preset by depth, from shallow to deep.
    notes : list of str
        Remarks on the layers, one sentence each.

    Raises
    ------
    InputError
        If a depth is unknown, or no depth has a network.

    Notes
    -----
    Li et al., Sci. Rep. 8, 13461 (2018).

    Examples
    --------
    >>> from matlens.microstructure.encoders import VGG19, random_weights
    >>> from matlens.microstructure.reconstruction import PRESETS
    >>> cut, _ = truncated(PRESETS["default"], VGG19(random_weights(4, seed=0)), ["none", "pool1", "conv1_2"])
    >>> {depth: list(one.layers) for depth, one in cut.items()}
    {'none': [], 'conv1_2': ['conv1_1', 'conv1_2'], 'pool1': ['conv1_1', 'pool1']}
    """
    resolved, notes = resolved_loss(preset, encoder)
    loss = resolved.layers
    order = [NO_NETWORK, *(layer.name for layer in encoder.layers)]
    asked = [NO_NETWORK, *loss] if depths is None else list(depths)
    if unknown := [depth for depth in asked if depth not in order]:
        raise InputError(f"encoder {encoder.name!r} has no depth {unknown[0]!r}; choose among {', '.join(order)}.")
    if NO_NETWORK in asked and not (preset.two_point or preset.total_variation):
        asked.remove(NO_NETWORK)
        notes.append(f"the preset {preset.name} matches nothing but the network, so depth zero is white noise")
    if not set(asked) - {NO_NETWORK}:
        raise InputError(f"no depth with a network was asked for; choose among {', '.join(order[1:])}.")
    presets = {}
    for depth in sorted(set(asked), key=order.index):
        above = {name: weight for name, weight in loss.items() if order.index(name) <= order.index(depth)}
        layers = above if depth == NO_NETWORK else {**above, depth: loss.get(depth, 1.0)}
        presets[depth] = replace(preset, layers=layers)
    return presets, notes
