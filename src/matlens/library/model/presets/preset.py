"""Presets: architecture, inputs and training of networks."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import cast

import numpy as np
import torch
from numpy.typing import NDArray

from matlens.library.model.inputs import Inputs
from matlens.library.model.networks.stacked import StackedNetwork
from matlens.library.model.resampling import Resampling
from matlens.library.spectra import Preprocessing

__all__ = ["Preset", "Stage"]


@dataclass(frozen=True)
class Stage:
    """Stage of the training of a network.

    Parameters
    ----------
    name : str
        Name shown with progress.
    inputs : tuple of str
        Inputs of the network: "composition", "spectrum" or both.
    epochs : int
        Number of passes over the training rows of a member.
    batch : int
        Rows of a batch.
    rate : float
        Learning rate of Adam (Kingma and Ba, ICLR 2015).
    decay : float
        Weight decay of AdamW.
    cosine : bool
        Whether the learning rate falls to zero along a cosine; otherwise it is constant.
    deviation : float or None
        Standard deviation of the initial weights (normal distribution, truncated at two standard deviations); None for
        one over the square root of the number of inputs. Biases start at zero.
    carried : tuple of str
        Prefixes of the names of parameters that are taken from earlier stages, for example "spectrum.".
    """

    name: str
    inputs: tuple[str, ...]
    epochs: int
    batch: int = 10
    rate: float = 1e-3
    decay: float = 0.0
    cosine: bool = False
    deviation: float | None = 0.01
    carried: tuple[str, ...] = ()


@dataclass(frozen=True)
class Preset:
    """Recipe for an ensemble.

    Parameters
    ----------
    name : str
        Name of the preset.
    resample : {"none", "bootstrap", "groups"}
        Default choice of the training samples of members.
    stages : callable
        Function of the inputs that returns the stages of the training; the last one gives the model.
    network : callable
        Function of stage, sizes of the inputs, number of members and device that returns networks with zero weights.
    preprocessing : callable
        Function of the spectral axis (None without spectra) that returns the default preprocessing.
    network_inputs : callable
        Function of library, use of composition, use of spectrum and preprocessing that returns the `Inputs`.
    chains : tuple of Preprocessing
        Candidates; if there are any, the one that predicts held-out compositions best replaces ``preprocessing``.
    sharpness : float or None
        If given, inputs are divided by their ARD length scales (`find_covariance`) and multiplied by this number, and
        members have kernel models beside their networks.
    seconds_per_sample : float
        Wall time of training one member for each sample of 1000 channels, on two cores (docs/results.md).
    """

    name: str
    resample: Resampling
    stages: Callable[[tuple[str, ...]], tuple[Stage, ...]]
    network: Callable[[Stage, Mapping[str, int], int, str | torch.device], StackedNetwork]
    preprocessing: Callable[[NDArray[np.float64] | None], Preprocessing]
    network_inputs: Callable[..., Inputs]
    chains: tuple[Preprocessing, ...] = ()
    sharpness: float | None = None
    seconds_per_sample: float = 7e-4

    def resampling(self, asked: str) -> Resampling:
        """Resolve what members see: as asked for, or the preset's own where that is ``"auto"``."""
        return self.resample if asked == "auto" else cast("Resampling", asked)
