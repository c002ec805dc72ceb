"""Which networks an ensemble is made of, and how they are trained."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from matlens.errors import InputError
from matlens.learning.library.layers import Convolution, Dense, Dropout, Elu, Layer

__all__ = ["PRESETS", "Branches", "Preset", "Stage"]

Branches = dict[str, list[Layer]]
_FILTERS, _TAPS = 2, 7


@dataclass(frozen=True)
class Stage:
    """One training of one network.

    Parameters
    ----------
    name : str
        In words, for progress.
    inputs : tuple of str
        Its branches: "composition", "spectrum" or both.
    epochs, batch : int
        Passes over a member's rows, and rows a step.
    rate : float
        Of Adam.
    spread : float
        Standard deviation of the first weights (normal, cut at two of it); biases start at zero.
    carried : tuple of str
        Beginnings of the names of parameters taken over from the stages before, e.g. "spectrum.".
    """

    name: str
    inputs: tuple[str, ...]
    epochs: int
    batch: int = 10
    rate: float = 1e-3
    spread: float = 0.01
    carried: tuple[str, ...] = ()


@dataclass(frozen=True)
class Preset:
    """A recipe for an ensemble.

    Parameters
    ----------
    name : str
        Its name.
    stages : tuple of Stage
        One after the other; the last network is the model.
    resample : str
        What members see where the user says "auto".
    """

    name: str
    stages: tuple[Stage, ...]
    resample: Literal["none", "bootstrap", "groups"]

    def stages_for(self, inputs: tuple[str, ...]) -> tuple[Stage, ...]:
        """Return the stages that lead to a network of these inputs.

        Examples
        --------
        >>> [stage.name for stage in PRESETS["umehara2019"].stages_for(("composition",))]
        ['composition']
        """
        return tuple(stage for stage in self.stages if set(stage.inputs) <= set(inputs))

    def layers(self, stage: Stage, sizes: Mapping[str, int]) -> tuple[Branches, list[Layer]]:
        """Return fresh branches and head of a stage's network, for inputs of these sizes."""
        return _umehara_layers(stage, sizes)


def _umehara_layers(stage: Stage, sizes: Mapping[str, int]) -> tuple[Branches, list[Layer]]:
    branches: Branches = {}
    joined = 0
    if "spectrum" in stage.inputs:
        if sizes["spectrum"] < _TAPS:
            raise InputError(f"found spectra of {sizes['spectrum']} channels, expected at least {_TAPS}; crop less.")
        convolution = Convolution(sizes["spectrum"], _FILTERS, _TAPS)
        branches["spectrum"] = [Dropout(sizes["spectrum"]), convolution, Elu(), Dropout(convolution.outputs)]
        joined += convolution.outputs
    if "composition" in stage.inputs:
        branches["composition"] = [Dense(sizes["composition"], 16), Elu(), Dense(16, 16), Elu()]
        joined += 16
    return branches, [Dense(joined, 32), Elu(), Dense(32, 32), Elu(), Dense(32, 1)]


_UMEHARA = Preset(
    "umehara2019",
    (
        Stage("spectrum", ("spectrum",), 200),
        Stage("composition", ("composition",), 700),
        Stage("merged", ("spectrum", "composition"), 400, carried=("spectrum.", "composition.")),
    ),
    "none",
)

PRESETS: dict[str, Preset] = {preset.name: preset for preset in (_UMEHARA,)}
