"""Preprocessing of spectra: a recorded chain of steps, through which gradients flow to the intensities of the file."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from torch import Tensor

from matlens.errors import InputError
from matlens.library.spectra.background import Baseline
from matlens.library.spectra.channels import Axis
from matlens.library.spectra.steps import (
    Area,
    BandMaximum,
    Calibrate,
    Crop,
    Cut,
    Despike,
    Detrend,
    Resample,
    Smooth,
    StandardNormalVariate,
)

__all__ = [
    "STEPS",
    "Area",
    "BandMaximum",
    "Baseline",
    "Calibrate",
    "Crop",
    "Cut",
    "Despike",
    "Detrend",
    "Preprocessing",
    "Resample",
    "Smooth",
    "StandardNormalVariate",
    "Step",
]


Step = (
    Crop
    | Cut
    | Resample
    | Calibrate
    | Smooth
    | Despike
    | BandMaximum
    | Area
    | StandardNormalVariate
    | Detrend
    | Baseline
)
_CLASSES: tuple[type[Step], ...] = (
    Crop,
    Cut,
    Resample,
    Calibrate,
    Smooth,
    Despike,
    BandMaximum,
    Area,
    StandardNormalVariate,
    Detrend,
    Baseline,
)
_EXAMPLES = {  # of steps that need numbers
    "crop": "crop:100:900",
    "cut": "cut:515:525",
    "calibrate": "calibrate:519.5:520.5",
    "band-maximum": "band-maximum:100:900",
}
STEPS: dict[str, type[Step]] = {kind.name: kind for kind in _CLASSES}


@dataclass(frozen=True)
class Preprocessing:
    """A chain of preprocessing steps. Each spectrum is treated by itself, so no step learns from the library.

    Parameters
    ----------
    steps : sequence of Step
        `Crop`, `Cut`, `Resample`, `Calibrate`, `Smooth`, `Despike`, `BandMaximum`, `Area`, `StandardNormalVariate`,
        `Detrend`, `Baseline`.

    Raises
    ------
    InputError
        If an object is not a preprocessing step.

    Examples
    --------
    >>> chain = Preprocessing([Crop(1, 3), BandMaximum(2, 3)])
    >>> chain.apply(torch.tensor([[1.0, 2.0, 4.0, 8.0]]), np.arange(4.0))
    (tensor([[0.2500, 0.5000, 1.0000]]), array([1., 2., 3.]))
    >>> chain == Preprocessing.from_settings(chain.settings()) == Preprocessing.parse(["crop:1:3", "band-maximum:2:3"])
    True
    """

    steps: tuple[Step, ...]

    def __init__(self, steps: Iterable[Step] = ()) -> None:
        object.__setattr__(self, "steps", tuple(steps))
        for step in self.steps:
            if not isinstance(step, _CLASSES):
                raise InputError(f"{step!r} is not a preprocessing step; choose from {', '.join(STEPS)}.")

    def apply(self, spectra: Tensor, axis: Axis) -> tuple[Tensor, Axis]:
        """Preprocess spectra; autograd carries gradients of the result back to them.

        Parameters
        ----------
        spectra : Tensor, shape (..., C)
            Intensities as in the file.
        axis : ndarray of float, shape (C,)
            Their axis; a descending one becomes ascending.

        Returns
        -------
        spectra : Tensor, shape (..., C')
            Preprocessed intensities.
        axis : ndarray of float, shape (C',)
            Their axis.

        Raises
        ------
        InputError
            If a step does not fit the axis or a spectrum.

        Examples
        --------
        >>> Preprocessing([Crop(1, 2)]).apply(torch.tensor([[1.0, 2.0, 4.0]]), np.arange(3.0))
        (tensor([[2., 4.]]), array([1., 2.]))
        """
        if self.steps and axis[0] > axis[-1]:
            spectra, axis = spectra.flip(-1), axis[::-1].copy()
        for step in self.steps:
            spectra, axis = step(spectra, axis)
        return spectra, axis

    def transform(self, spectra: ArrayLike, axis: ArrayLike) -> tuple[NDArray[np.float64], Axis]:
        """Preprocess arrays of spectra, in double precision and without gradients.

        Parameters
        ----------
        spectra : array_like, shape (..., C)
            Intensities as in the file.
        axis : array_like, shape (C,)
            Their axis; a descending one becomes ascending.

        Returns
        -------
        spectra : ndarray of float, shape (..., C')
            Preprocessed intensities.
        axis : ndarray of float, shape (C',)
            Their axis.

        Raises
        ------
        InputError
            If a step does not fit the axis or a spectrum.

        Examples
        --------
        >>> Preprocessing([Area()]).transform([[1, 2, 3]], [0, 1, 2])[0]
        array([[0.25, 0.5 , 0.75]])
        """
        with torch.no_grad():
            start = torch.tensor(np.asarray(spectra), dtype=torch.float64)
            found, kept = self.apply(start, np.asarray(axis, dtype=np.float64))
        return found.numpy(), kept

    def new_axis(self, axis: Axis) -> Axis:
        """Return the axis of preprocessed spectra.

        Parameters
        ----------
        axis : ndarray of float, shape (C,)
            Axis of the spectra as in the file.

        Returns
        -------
        ndarray of float, shape (C',)
            The axis; ascending if there is any step.

        Raises
        ------
        InputError
            If a step does not fit the axis.

        Examples
        --------
        >>> Preprocessing([BandMaximum(0, 1), Crop(1, 2)]).new_axis(np.arange(4.0))
        array([1., 2.])
        """
        for step in self.steps:
            if isinstance(step, Crop | Cut | Resample | Calibrate):
                axis = step(torch.zeros(1, len(axis)), np.sort(axis))[1]
        return np.sort(axis) if self.steps else axis

    def pull_back(self, gradients: Tensor, spectra: Tensor, axis: Axis) -> Tensor:
        """Transform gradients with respect to preprocessed intensities to gradients with respect to those of the file.

        Parameters
        ----------
        gradients : Tensor, shape (..., n, C')
            Gradients; leading dimensions are free, e.g. for many models.
        spectra : Tensor, shape (n, C)
            Intensities as in the file.
        axis : ndarray of float, shape (C,)
            Their axis.

        Returns
        -------
        Tensor, shape (..., n, C)
            On the device and in the precision of ``gradients``.

        Raises
        ------
        InputError
            If a step does not fit the axis or a spectrum.

        Examples
        --------
        >>> chain = Preprocessing([BandMaximum(0, 2)])
        >>> chain.pull_back(torch.tensor([[1.0, 0.0]]), torch.tensor([[1.0, 2.0]]), np.arange(2.0))
        tensor([[ 0.5000, -0.2500]])
        """
        back = self.puller(spectra.to(gradients), axis)
        flat = gradients.reshape(-1, *gradients.shape[-2:])
        return torch.stack([back(each) for each in flat]).reshape(*gradients.shape[:-2], *spectra.shape)

    def puller(self, spectra: Tensor, axis: Axis) -> Callable[[Tensor], Tensor]:
        """Preprocess spectra once, to transform many gradients back one after the other.

        Parameters
        ----------
        spectra : Tensor, shape (n, C)
            Intensities as in the file.
        axis : ndarray of float, shape (C,)
            Their axis.

        Returns
        -------
        callable
            Function of gradients of shape (n, C') that returns those of shape (n, C), as `pull_back` does.

        Raises
        ------
        InputError
            If a step does not fit the axis or a spectrum.

        Examples
        --------
        >>> back = Preprocessing([BandMaximum(0, 2)]).puller(torch.tensor([[1.0, 2.0]]), np.arange(2.0))
        >>> back(torch.tensor([[1.0, 0.0]]))
        tensor([[ 0.5000, -0.2500]])
        """
        if not self.steps:
            return lambda gradient: gradient
        with torch.enable_grad():
            start = spectra.detach().requires_grad_()
            prepared, _ = self.apply(start, axis)
        return lambda gradient: torch.autograd.grad(prepared, start, grad_outputs=gradient, retain_graph=True)[0]

    def settings(self) -> list[dict[str, Any]]:
        """Return plain values (for JSON or TOML), from which `from_settings` makes the same chain.

        Returns
        -------
        list of dict
            Name and options of each step.

        Examples
        --------
        >>> Preprocessing([Crop(1, 2), StandardNormalVariate()]).settings()
        [{'name': 'crop', 'low': 1, 'high': 2}, {'name': 'snv'}]
        """
        return [{"name": step.name} | _values(step) for step in self.steps]

    @classmethod
    def from_settings(cls, settings: Sequence[Mapping[str, Any]]) -> Preprocessing:
        """Build a chain from the result of `settings`.

        Parameters
        ----------
        settings : sequence of mapping
            Name and options of each step.

        Returns
        -------
        Preprocessing
            The chain.

        Raises
        ------
        InputError
            If a step or one of its options is unknown.

        Examples
        --------
        >>> Preprocessing.from_settings([{"name": "crop", "low": 1, "high": 2}])
        Preprocessing(steps=(Crop(low=1, high=2),))
        """
        named = [(str(entry.get("name", "")), dict(entry)) for entry in settings]
        return cls(
            _step(name, {key: value for key, value in options.items() if key != "name"}) for name, options in named
        )

    @classmethod
    def parse(cls, texts: Sequence[str]) -> Preprocessing:
        """Build a chain from texts: the name of a step and its options in order, e.g. ``"crop:100:900"`` or ``"snv"``.

        Parameters
        ----------
        texts : sequence of str
            One text for each step.

        Returns
        -------
        Preprocessing
            The chain.

        Raises
        ------
        InputError
            If a step is unknown, or an option is missing, superfluous or not a number where one is expected.

        Examples
        --------
        >>> Preprocessing.parse(["crop:1:2"])
        Preprocessing(steps=(Crop(low=1, high=2),))
        """
        steps = []
        for text in texts:
            name, *options = text.split(":")
            names = [field.name for field in fields(STEPS[name])] if name in STEPS else []
            if name in STEPS and len(options) > len(names):
                raise InputError(f"preprocessing {text!r} has {len(options)} options, expected at most {len(names)}.")
            steps.append(_step(name, dict(zip(names, map(_number, options), strict=False))))
        return cls(steps)


def _values(step: Step) -> dict[str, Any]:
    values = {field.name: getattr(step, field.name) for field in fields(step)}
    return {
        name: list(value) if isinstance(value, tuple) else value for name, value in values.items() if value is not None
    }


def _number(text: str) -> float | str:
    try:
        return int(text) if text.lstrip("-").isdigit() else float(text)
    except ValueError:
        return text


def _step(name: str, options: Mapping[str, Any]) -> Step:
    if name not in STEPS:
        raise InputError(f"preprocessing step {name!r} is not known; choose from {', '.join(STEPS)}.")
    known = {field.name: str(field.type) for field in fields(STEPS[name])}
    for option, value in options.items():
        if option not in known:
            raise InputError(
                f"preprocessing step {name!r} has no option {option!r}; it has {', '.join(known) or 'none'}."
            )
        if ("str" not in known[option]) == isinstance(value, str):
            raise InputError(f"option {option!r} of preprocessing step {name!r} is {value!r}; give a {known[option]}.")
    missing = [field for field in known if field not in options and name in _EXAMPLES]
    if missing:
        raise InputError(f"preprocessing step {name!r} lacks {' and '.join(missing)}; give e.g. {_EXAMPLES[name]}.")
    return STEPS[name](**options)
