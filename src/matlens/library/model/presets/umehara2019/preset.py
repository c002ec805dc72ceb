"""The networks of Umehara et al. (2019), in their three stages."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import torch
from numpy.typing import NDArray

from matlens.errors import InputError
from matlens.library.model.inputs import Inputs
from matlens.library.model.presets.preset import Preset, Stage
from matlens.library.model.presets.umehara2019.layers import Convolution, Dense, Dropout, Elu, Layer
from matlens.library.model.presets.umehara2019.network import JoinedNetwork
from matlens.library.spectra import BandMaximum, Preprocessing

__all__ = ["UMEHARA2019"]

_FILTERS, _TAPS = 2, 7
_BAND = (750.0, 850.0)  # cm-1, the V-O stretch whose maximum the spectra are divided by
_STAGES = (
    Stage("spectrum", ("spectrum",), 200),
    Stage("composition", ("composition",), 700),
    Stage("merged", ("composition", "spectrum"), 400, carried=("spectrum.", "composition.")),
)


def _stages(inputs: tuple[str, ...]) -> tuple[Stage, ...]:
    """Both inputs: all three; one: its own."""
    return tuple(stage for stage in _STAGES if set(stage.inputs) <= set(inputs))


def _network(stage: Stage, sizes: Mapping[str, int], members: int, device: str | torch.device) -> JoinedNetwork:
    branches: dict[str, list[Layer]] = {}
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
    head = [Dense(joined, 32), Elu(), Dense(32, 32), Elu(), Dense(32, 1)]
    return JoinedNetwork(branches, head, members, device)


def _preprocessing(axis: NDArray[np.float64] | None) -> Preprocessing:
    """Division by the maximum of the band, where the axis has it."""
    if axis is None or not np.any((axis >= _BAND[0]) & (axis <= _BAND[1])):
        return Preprocessing()
    return Preprocessing([BandMaximum(*_BAND)])


UMEHARA2019 = Preset("umehara2019", "none", _stages, _network, _preprocessing, Inputs.plain)
