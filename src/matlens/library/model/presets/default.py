"""The preset ``default``: small dense networks beside Gaussian processes, on inputs divided by ARD length scales."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

import numpy as np
import torch
from numpy.typing import NDArray

from matlens.library.model.inputs import Inputs
from matlens.library.model.networks.dense import DenseNetwork
from matlens.library.model.preprocessing_choice import CHAINS
from matlens.library.model.presets.preset import Preset, Stage
from matlens.library.spectra import Preprocessing

__all__ = ["DEFAULT"]

_WIDTH = 64
_SCORES = 20


def _stages(inputs: tuple[str, ...]) -> tuple[Stage, ...]:
    return (Stage("networks", inputs, 200, batch=32, rate=3e-3, decay=0.1, cosine=True, deviation=None),)


def _network(stage: Stage, sizes: Mapping[str, int], members: int, device: str | torch.device) -> DenseNetwork:
    return DenseNetwork({name: sizes[name] for name in stage.inputs}, (_WIDTH, _WIDTH), members, device)


def _preprocessing(axis: NDArray[np.float64] | None) -> Preprocessing:
    return Preprocessing()


DEFAULT = Preset(
    "default",
    "groups",
    _stages,
    _network,
    _preprocessing,
    partial(Inputs.scores, most=_SCORES, power=1.0),
    chains=CHAINS,
    sharpness=2.5,
)
