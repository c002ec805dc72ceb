"""A fitted model as a differentiable function of the phases of its structures.

It computes the same features and the same prediction as `StructurePropertyModel.predict` in tensors, from the phase
indicators to the property; the dependence of the scale on the volume fractions is part of the derivative.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from sklearn.gaussian_process.kernels import RBF, ConstantKernel, DotProduct, Product, Sum, WhiteKernel
from torch import Tensor

from matlens.errors import InputError
from matlens.hooks import Progress, Silent
from matlens.microstructure.properties.features import EncoderFeatures, phase_indicators
from matlens.microstructure.properties.heads import Head
from matlens.microstructure.properties.learners import FeatureLearner
from matlens.microstructure.properties.network import NetworkLearner
from matlens.microstructure.properties.scales import Scale

if TYPE_CHECKING:
    from matlens.microstructure.properties.data_sets.structure_set import StructureSet
    from matlens.microstructure.properties.model import StructurePropertyModel

__all__ = ["head_mean", "predicted_property", "property_gradient", "property_of"]

_PIXELS = 2**15  # of one batch with its gradient: some hundred megabytes of activations


def predicted_property(model: StructurePropertyModel, indicators: Tensor) -> Tensor:
    """Predict from phase indicators, differentiably.

    Parameters
    ----------
    model : StructurePropertyModel
        Fitted, with any head but trees.
    indicators : Tensor, shape (n, K, *space)
        Amounts of the phases in [0, 1], which sum to one over phases.

    Returns
    -------
    Tensor of float64, shape (n,)
        Predictions in the target's unit.

    Raises
    ------
    InputError
        If the model's head is made of trees, or its encoder is applied to volumes.

    Examples
    --------
    >>> from matlens.microstructure.properties import StructurePropertyModel
    >>> labels = (np.arange(16).reshape(1, 4, 4) < np.arange(2, 14)[:, None, None]).astype(np.uint8)
    >>> model = StructurePropertyModel(features="volume-fraction", head="ridge", scale="linear")
    >>> model = model.fit(labels, labels.mean((1, 2)))
    >>> half = torch.full((1, 2, 4, 4), 0.5, dtype=torch.float64)
    >>> round(float(predicted_property(model, half)), 3)
    0.5
    """
    learner = model.learner_
    volumes = indicators.ndim != 4
    if isinstance(learner, NetworkLearner) and not volumes:
        scaled = learner.value_of(indicators)
    elif isinstance(learner, FeatureLearner) and not (volumes and isinstance(learner.features, EncoderFeatures)):
        rows = learner.features.pooled(indicators)
        if learner.columns is not None:
            rows = rows[:, torch.from_numpy(learner.columns).to(rows.device)]
        scaled = head_mean(learner.head, rows)
    else:
        raise InputError(
            f"the gradient of an encoder is taken of 2-D structures, found {indicators.ndim - 2}-D; explain slices, or "
            "a model of two-point statistics."
        )
    return property_of(model.scale_, scaled, indicators.flatten(2).mean(2).to(scaled))


def property_gradient(
    model: StructurePropertyModel, structures: StructureSet | ArrayLike, progress: Progress | None = None
) -> NDArray[np.float64]:
    """Compute the gradient of the predicted property with respect to the phase indicators of structures.

    Parameters
    ----------
    model : StructurePropertyModel
        Fitted, with any head but trees.
    structures : StructureSet or array_like of int, shape (n, *space)
        As for `StructurePropertyModel.predict`.
    progress : Progress, optional
        Called with structures done and total.

    Returns
    -------
    ndarray, shape (n, K, *space)
        Gradient in the target's unit per unit change of one pixel's indicator. Indicators sum to one over phases, so
        that only differences between phases are meaningful.

    Raises
    ------
    InputError
        If the model's head is made of trees, or its encoder is applied to volumes.

    Examples
    --------
    >>> from matlens.microstructure.properties import StructurePropertyModel
    >>> labels = (np.arange(16).reshape(1, 4, 4) < np.arange(2, 14)[:, None, None]).astype(np.uint8)
    >>> model = StructurePropertyModel(features="volume-fraction", head="ridge", scale="linear")
    >>> model = model.fit(labels, labels.mean((1, 2)))
    >>> gradient = property_gradient(model, labels[:1])
    >>> float((gradient[0, 1] - gradient[0, 0]).sum().round(2))
    1.0
    """
    labels = model._prepared(structures)[0]
    progress = progress or Silent()
    progress.begin(len(labels), "gradients of the model")
    step = max(1, _PIXELS // int(np.prod(labels.shape[1:])))
    found = []
    for start in range(0, len(labels), step):
        part = phase_indicators(labels[start : start + step], model.phases_).double().requires_grad_(True)
        (gradient,) = torch.autograd.grad(predicted_property(model, part).sum(), part)
        found.append(gradient.numpy())
        progress.update(start + len(part), "structures")
    progress.end()
    return np.concatenate(found)


def head_mean(head: Head, rows: Tensor) -> Tensor:
    """Compute the mean prediction of a fitted head, as `Head.predict`, differentiably.

    Parameters
    ----------
    head : Head
        Fitted ridge regression or Gaussian process.
    rows : Tensor, shape (n, features)
        Features.

    Returns
    -------
    Tensor of float64, shape (n,)
        Predictions on the scale of the property.

    Raises
    ------
    InputError
        If the head is made of trees, which are constant between their steps.

    Examples
    --------
    >>> x = np.linspace(-1, 1, 20)[:, None]
    >>> head = Head("ridge").fit(x, 3 * x[:, 0])
    >>> row = torch.tensor([[0.5]], requires_grad=True)
    >>> round(float(torch.autograd.grad(head_mean(head, row).sum(), row)[0]), 2)
    3.0
    """
    if head.kind == "boosting":
        raise InputError("boosted trees have no gradient: they are constant between steps; use the head ridge or gp.")
    rows = rows.double()

    def tensor(values: ArrayLike) -> Tensor:
        return torch.as_tensor(np.asarray(values, dtype=np.float64), device=rows.device)

    standard = (rows - tensor(head.mean)) / tensor(head.std)
    reduced = (standard - tensor(head.pca.mean_)) @ tensor(head.pca.components_).T / head.unit
    model = head.model
    if head.kind == "ridge":
        return reduced @ tensor(model.coef_) + float(model.intercept_)
    found = _kernel(model.kernel_, reduced, tensor(model.X_train_)) @ tensor(model.alpha_)
    return found * float(model._y_train_std) + float(model._y_train_mean)


def property_of(scale: Scale, scaled: Tensor, fractions: Tensor) -> Tensor:
    """Map values from a scale to the property, as `Scale.inverse`, differentiably.

    Parameters
    ----------
    scale : Scale
        Scale of the property.
    scaled : Tensor, shape (n,)
        Values on the scale.
    fractions : Tensor, shape (n, K)
        Volume fractions of the structures.

    Returns
    -------
    Tensor, shape (n,)
        Properties.

    Examples
    --------
    >>> place, half = torch.zeros(1), torch.full((1, 2), 0.5)
    >>> round(float(property_of(Scale("bounds", (1.0, 50.0)), place, half)), 4)
    7.0711
    """
    if scale.kind == "linear":
        return scaled
    if scale.kind == "log":
        return scaled.exp()
    phases = torch.tensor(scale.phase_values, dtype=fractions.dtype, device=fractions.device)
    low, high = -(fractions @ (1 / phases)).log(), (fractions @ phases).log()
    return (low + (high - low) * scaled.sigmoid()).exp()


def _kernel(kernel: Any, rows: Tensor, others: Tensor) -> Tensor:
    """Compute the covariance of rows (n, m) with others (k, m) under a kernel of scikit-learn."""
    if isinstance(kernel, Sum):
        return _kernel(kernel.k1, rows, others) + _kernel(kernel.k2, rows, others)
    if isinstance(kernel, Product):
        return _kernel(kernel.k1, rows, others) * _kernel(kernel.k2, rows, others)
    if isinstance(kernel, RBF):
        # Squares and products: the gradient of a distance is not a number where it is zero.
        square = rows.square().sum(1)[:, None] + others.square().sum(1) - 2 * rows @ others.T
        return torch.exp(-square / (2 * float(kernel.length_scale) ** 2))
    if isinstance(kernel, DotProduct):
        return rows @ others.T + float(kernel.sigma_0) ** 2
    if isinstance(kernel, ConstantKernel):
        return rows.new_full((len(rows), len(others)), kernel.constant_value)
    if isinstance(kernel, WhiteKernel):
        return rows.new_zeros(len(rows), len(others))  # noise is of no other row
    raise InputError(f"the gradient of the kernel {kernel} is not known here; use the head ridge.")
