"""The preset ``default``: small smooth networks beside a Gaussian process, on inputs scaled to where they matter."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

import numpy as np
from numpy.typing import NDArray

from matlens.library.model.inputs import Inputs
from matlens.library.model.networks.layers import Dense, Silu
from matlens.library.model.preprocessing_choice import CHAINS
from matlens.library.model.presets.preset import Layers, Preset, Stage
from matlens.library.spectra import Preprocessing

__all__ = ["DEFAULT"]

_WIDTH = 64
_SCORES = 20


def _stages(inputs: tuple[str, ...]) -> tuple[Stage, ...]:
    return (Stage("networks", inputs, 200, batch=32, rate=3e-3, decay=0.1, cosine=True, spread=None),)


def _layers(stage: Stage, sizes: Mapping[str, int]) -> Layers:
    joined = sum(sizes[name] for name in stage.inputs)
    head = [Dense(joined, _WIDTH), Silu(), Dense(_WIDTH, _WIDTH), Silu(), Dense(_WIDTH, 1)]
    return {name: [] for name in stage.inputs}, head


def _preprocessing(axis: NDArray[np.float64] | None) -> Preprocessing:
    return Preprocessing()


DEFAULT = Preset(
    "default",
    "groups",
    _stages,
    _layers,
    _preprocessing,
    partial(Inputs.scores, most=_SCORES, power=1.0),
    chains=CHAINS,
    sharpness=2.5,
)
