"""The encoder itself as a property model: pooled activations and a linear output, trained together.

Which layers are trained distinguishes the kinds of transfer: none, the deepest ones, or all. The same network with
random initial weights shows the effect of pre-training.
"""

from __future__ import annotations

from typing import Literal, get_args

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from matlens.errors import InputError
from matlens.hooks import Progress, Silent
from matlens.microstructure.encoders import Encoder
from matlens.microstructure.properties.features import Labels, Matrix, layers_to, phase_indicators

__all__ = ["FREEDOMS", "Freedom", "NetworkLearner"]

Freedom = Literal["frozen", "partly-frozen", "free", "scratch"]
FREEDOMS: tuple[Freedom, ...] = get_args(Freedom)
Array = NDArray[np.float64]
_FREE_LAYERS = 2  # convolutions that are trained when partly frozen


class NetworkLearner:
    """Train an encoder cut after ``depth``, with global pooling and a linear output, by Adam.

    Means and standard deviations of the pooled layers are standardised over the training structures. The output starts
    as the ridge regression on them, so that training starts from the result of fixed features.

    Parameters
    ----------
    encoder : Encoder
        Encoder with weights and architecture; it must be trainable (`Encoder.trainable`), such as VGG-19.
    depth : str
        Last layer that is kept.
    freedom : {"frozen", "partly-frozen", "free", "scratch"}
        Convolutions that are trained: none, the last two, all, or all from random weights.
    phases : int
        Number of phases K; the encoder must take them in one image (VGG-19: at most 4).
    periodic : bool
        Whether borders are circular; else they are reflected.
    epochs : int
        Passes over the training structures.
    batch : int
        Structures per step.
    seed : int
        Seed of order, shifts, rotations and random weights.

    Raises
    ------
    InputError
        If the encoder needs several images for the phases, has no such layer, or cannot be trained.

    Notes
    -----
    Li et al., Sci. Rep. 8, 13461 (2018). Adam: Kingma and Ba, arXiv:1412.6980 (2014).

    Examples
    --------
    >>> from matlens.microstructure.encoders import VGG19, random_weights
    >>> encoder = VGG19(random_weights(2, seed=0))
    >>> labels = np.random.default_rng(0).integers(0, 2, (6, 8, 8)).astype(np.uint8)
    >>> learner = NetworkLearner(encoder, "conv1_2", "free", epochs=2).fit(labels, np.arange(6.0))
    >>> learner.predict(labels)[0].shape
    (6,)
    """

    def __init__(
        self,
        encoder: Encoder,
        depth: str,
        freedom: Freedom,
        *,
        phases: int = 2,
        periodic: bool = True,
        epochs: int = 12,
        batch: int = 16,
        seed: int = 0,
    ) -> None:
        if encoder.passes(phases) > 1:
            raise InputError(
                f"encoder {encoder.name} needs {encoder.passes(phases)} images for {phases} phases, and a network is "
                "trained on one; use the heads ridge or gp."
            )
        self.layers = layers_to(encoder, depth)
        self.freedom, self.phases, self.periodic = freedom, phases, periodic
        self.epochs, self.batch, self.seed = epochs, batch, seed
        self.encoder = encoder.trainable(self.layers[-1], seed if freedom == "scratch" else None)
        self.device = next(encoder.buffers()).device

    def fit(self, labels: Labels, values: Array, progress: Progress | None = None) -> NetworkLearner:
        """Train on these structures only; the result is deterministic for a seed.

        Parameters
        ----------
        labels : ndarray of uint8, shape (n, H, W)
            Phase labels.
        values : ndarray, shape (n,)
            Values to learn.
        progress : Progress, optional
            Called with steps done and total.

        Returns
        -------
        NetworkLearner
            This object.

        Raises
        ------
        InputError
            If the structures are not two-dimensional, or too small for a layer.
        """
        if labels.ndim != 3:
            raise InputError(
                f"a network is trained on 2-D structures, found {labels.ndim - 1}-D; use the heads ridge or gp."
            )
        target = torch.from_numpy((values - values.mean()) / max(float(values.std()), 1e-12)).float().to(self.device)
        self.centre, self.unit = float(values.mean()), max(float(values.std()), 1e-12)
        pooled = self._pooled_all(labels)
        self.mean, self.std = pooled.mean(0), pooled.std(0).clamp_min(1e-3 * float(pooled.std(0).mean()) + 1e-12)
        self.output = self._ridge((pooled - self.mean) / self.std, target)
        if trained := self._trainable():
            self._train(labels, target, trained, progress or Silent())
        return self

    def predict(self, labels: Labels, progress: Progress | None = None) -> tuple[Array, Array]:
        """Predict the value of each structure, with a standard deviation of 1, which held-out errors scale.

        Parameters
        ----------
        labels : ndarray of uint8, shape (n, H, W)
            Phase labels.
        progress : Progress, optional
            Not used.

        Returns
        -------
        mean, std : ndarray, shape (n,)
            Predicted values, and ones.
        """
        with torch.no_grad():
            found = self.output((self._pooled_all(labels) - self.mean) / self.std)[:, 0]
        return found.double().cpu().numpy() * self.unit + self.centre, np.ones(len(labels))

    def embed(self, labels: Labels) -> Matrix:
        """Compute the pooled activations, standardised over the training structures.

        Parameters
        ----------
        labels : ndarray of uint8, shape (n, H, W)
            Phase labels.

        Returns
        -------
        ndarray, shape (n, m)
            Standardised activations, divided by the root of m.
        """
        standard = (self._pooled_all(labels) - self.mean) / self.std
        found: Matrix = (standard / standard.shape[1] ** 0.5).double().cpu().numpy()
        return found

    def rows(self, labels: Labels) -> Matrix:
        """Compute the same as `embed`, as a network cannot be fitted again from features.

        Parameters
        ----------
        labels : ndarray of uint8, shape (n, H, W)
            Phase labels.

        Returns
        -------
        ndarray, shape (n, m)
            Standardised activations.
        """
        return self.embed(labels)

    def _trainable(self) -> list[Tensor]:
        """Return the weights that training changes."""
        weights = list(self.encoder.weights_to(self.layers[-1]).values())
        kept = {"frozen": 0, "partly-frozen": 2 * _FREE_LAYERS}.get(self.freedom, len(weights))
        return [weight.requires_grad_(True) for weight in weights[len(weights) - kept :]]

    def _train(self, labels: Labels, target: Tensor, trained: list[Tensor], progress: Progress) -> None:
        step = 3e-4 if self.freedom == "scratch" else 1e-4
        optimiser = torch.optim.Adam([*trained, *self.output.parameters()], lr=step)
        total = self.epochs * -(-len(labels) // self.batch)
        schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, max_lr=step, total_steps=total, pct_start=0.1)
        random = np.random.default_rng(self.seed)
        progress.begin(total, f"training ({self.freedom})")
        for epoch in range(self.epochs):
            order = random.permutation(len(labels))
            for start in range(0, len(order), self.batch):
                rows = order[start : start + self.batch]
                shown = self._turned(labels[rows], random)
                guess = self.output((self._pooled(shown) - self.mean) / self.std)[:, 0]
                loss = (guess - target[torch.from_numpy(rows)]).square().mean()
                optimiser.zero_grad()
                loss.backward()
                optimiser.step()
                schedule.step()
                progress.update(schedule.last_epoch, f"loss {float(loss.detach()):.3g}, epoch {epoch + 1}")
        progress.end()
        for weight in trained:
            weight.requires_grad_(False)

    def _turned(self, labels: Labels, random: np.random.Generator) -> Labels:
        """Shift the structures (if periodic) and rotate them by 180 degrees, which changes no second-order tensor."""
        if random.random() < 0.5:
            labels = labels[:, ::-1, ::-1]
        if self.periodic:
            labels = np.roll(labels, tuple(int(random.integers(side)) for side in labels.shape[1:]), axis=(1, 2))
        return np.ascontiguousarray(labels)

    def value_of(self, indicators: Tensor) -> Tensor:
        """Predict from phase indicators, differentiably.

        Parameters
        ----------
        indicators : Tensor, shape (n, K, H, W)
            Amounts of the phases.

        Returns
        -------
        Tensor of float64, shape (n,)
            Predicted values.
        """
        guess: Tensor = self.output((self.pooled(indicators.to(self.mean)) - self.mean) / self.std)[:, 0]
        return guess.double() * self.unit + self.centre

    def _pooled(self, labels: Labels) -> Tensor:
        return self.pooled(phase_indicators(labels, self.phases))

    def pooled(self, indicators: Tensor) -> Tensor:
        """Compute the pooled activations of phase indicators, differentiably.

        Parameters
        ----------
        indicators : Tensor, shape (n, K, H, W)
            Amounts of the phases.

        Returns
        -------
        Tensor, shape (n, m)
            Means and standard deviations of the channels.

        Raises
        ------
        InputError
            If the structures are too small for a layer.
        """
        indicators = indicators.to(self.device)
        found = self.encoder.features(indicators, self.layers, "circular" if self.periodic else "reflect")
        if lost := [name for name in self.layers if name not in found or found[name][0, 0].numel() < 2]:
            raise InputError(
                f"structures of {indicators.shape[-2]} x {indicators.shape[-1]} pixels are too small for layer "
                f"{lost[0]} of {self.encoder.name}; choose a shallower depth or larger structures."
            )
        rows = [found[name].flatten(2) for name in self.layers]
        # The gradient of a standard deviation of zero, which a dead channel has, is not a number.
        return torch.cat([torch.cat([row.mean(2), (row.var(2) + 1e-10).sqrt()], 1) for row in rows], 1)

    def _pooled_all(self, labels: Labels) -> Tensor:
        with torch.no_grad():
            return torch.cat([self._pooled(labels[i : i + 32]) for i in range(0, len(labels), 32)])

    def _ridge(self, rows: Tensor, target: Tensor) -> nn.Linear:
        from sklearn.linear_model import BayesianRidge

        ridge = BayesianRidge().fit(rows.double().cpu().numpy(), target.double().cpu().numpy())
        output = nn.Linear(rows.shape[1], 1)
        with torch.no_grad():
            output.weight.copy_(torch.from_numpy(ridge.coef_)[None])
            output.bias.fill_(float(ridge.intercept_))
        return output.to(self.device)
