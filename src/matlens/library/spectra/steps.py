"""Preprocessing steps that need only the spectrum itself; each maps (spectra, axis) to new (spectra, axis)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import torch
from scipy.signal import savgol_filter
from torch import Tensor

from matlens.errors import InputError
from matlens.library.spectra.channels import Axis, band, check_scale, mean_matrix

__all__ = [
    "Area",
    "BandMaximum",
    "Calibrate",
    "Crop",
    "Cut",
    "Despike",
    "Detrend",
    "Resample",
    "Smooth",
    "StandardNormalVariate",
]


@dataclass(frozen=True)
class Crop:
    """Keep the channels between two positions.

    Parameters
    ----------
    low, high : float
        Ends of the band in the unit of the axis, both included.

    Raises
    ------
    InputError
        When called, if the band holds no channel.

    Examples
    --------
    >>> Crop(2, 3)(torch.arange(5.0), np.arange(5.0))
    (tensor([2., 3.]), array([2., 3.]))
    """

    low: float
    high: float
    name: ClassVar[str] = "crop"

    def __call__(self, spectra: Tensor, axis: Axis) -> tuple[Tensor, Axis]:
        """Return the cropped spectra and axis."""
        kept = band(axis, self.low, self.high)
        return spectra[..., kept], axis[kept]


@dataclass(frozen=True)
class Cut:
    """Leave out the channels between two positions, such as those of a substrate; with `Crop`, any regions are kept.

    Parameters
    ----------
    low, high : float
        Ends of the band in the unit of the axis, both included.

    Raises
    ------
    InputError
        When called, if the band holds no channel, or all of them.

    Examples
    --------
    >>> Cut(2, 3)(torch.arange(5.0), np.arange(5.0))
    (tensor([0., 1., 4.]), array([0., 1., 4.]))
    """

    low: float
    high: float
    name: ClassVar[str] = "cut"

    def __call__(self, spectra: Tensor, axis: Axis) -> tuple[Tensor, Axis]:
        """Return the spectra and axis without the band."""
        kept = np.ones(len(axis), dtype=bool)
        kept[band(axis, self.low, self.high)] = False
        if not kept.any():
            raise InputError(f"no channels are left without those from {self.low:g} to {self.high:g}; cut out less.")
        return spectra[..., torch.from_numpy(np.flatnonzero(kept)).to(spectra.device)], axis[kept]


@dataclass(frozen=True)
class Resample:
    """Resample the spectrum to a uniform axis of a given step, or to a given axis.

    Each new channel is the mean of the linearly interpolated spectrum over the channel's own width, so that a coarser
    axis averages noise and a finer one interpolates.

    Parameters
    ----------
    step : float, optional
        Distance of the new channels in the unit of the axis, from the first channel on.
    axis : sequence of float, shape (C',), optional
        New ascending axis.

    Raises
    ------
    InputError
        If not exactly one of the two is given, the step is not positive, or, when called, the new axis extends beyond
        the old one.

    Examples
    --------
    >>> Resample(step=2.0)(torch.arange(5.0) ** 2, np.arange(5.0))[1]
    array([0., 2., 4.])
    """

    step: float | None = None
    axis: tuple[float, ...] | None = None
    name: ClassVar[str] = "resample"

    def __post_init__(self) -> None:
        if (self.step is None) == (self.axis is None):
            raise InputError("resample needs a step or an axis, one of the two; give e.g. step=2.")
        if self.step is not None and not self.step > 0:
            raise InputError(f"resample has the step {self.step:g}, expected a positive number.")
        if self.axis is not None:
            object.__setattr__(self, "axis", tuple(float(value) for value in self.axis))

    def __call__(self, spectra: Tensor, axis: Axis) -> tuple[Tensor, Axis]:
        """Return the resampled spectra and axis."""
        if self.axis is not None:
            target = np.asarray(self.axis)
        else:
            step = float(self.step or np.nan)
            target = axis[0] + step * np.arange(int((axis[-1] - axis[0]) / step + 1e-9) + 1)
        matrix = torch.as_tensor(mean_matrix(axis, target)).to(spectra)
        return spectra @ matrix.T, target


@dataclass(frozen=True)
class Despike:
    """Replace spikes (cosmic rays) of one or two channels by the running median.

    Parameters
    ----------
    threshold : float
        Height of a spike above the running median, in robust standard deviations of the residual (by the median
        absolute deviation of the whole spectrum and of the window, whichever is larger).
    width : int
        Width of the window in channels, an odd number; spikes narrower than half of it are found.

    Raises
    ------
    InputError
        If the width is even or below 3.

    Examples
    --------
    >>> spectrum = torch.sin(torch.linspace(0, 3, 40, dtype=torch.float64))
    >>> spiked = spectrum.clone()
    >>> spiked[20] += 5
    >>> bool((Despike()(spiked, np.arange(40.0))[0] - spectrum).abs().max() < 0.01)
    True
    """

    threshold: float = 8.0
    width: int = 5
    name: ClassVar[str] = "despike"

    def __post_init__(self) -> None:
        if self.width < 3 or self.width % 2 == 0:
            raise InputError(f"despike has a window of {self.width} channels, expected an odd number from 3 on.")

    def __call__(self, spectra: Tensor, axis: Axis) -> tuple[Tensor, Axis]:
        """Return the spectra without spikes, and their axis."""
        half = self.width // 2
        around = torch.arange(spectra.shape[-1])[:, None] + torch.arange(-half, half + 1)
        windows = spectra[..., around.clamp(0, spectra.shape[-1] - 1).to(spectra.device)]
        middle = windows.median(-1).values
        above = (spectra - middle).detach()
        overall = 1.4826 * above.abs().median(-1, keepdim=True).values
        local = (windows - middle[..., None]).detach().abs().median(-1).values  # large on a true, narrow peak
        spike = above > self.threshold * torch.maximum(overall, local)
        return torch.where(spike, middle, spectra), axis


@dataclass(frozen=True)
class Smooth:
    """Smooth by local polynomials, as Savitzky and Golay (1964): each channel becomes the fit to a window around it.

    Parameters
    ----------
    width : int
        Width of the window in channels, an odd number.
    order : int
        Order of the polynomial, below the width.

    Raises
    ------
    InputError
        If the width is even or not above the order, or, when called, larger than the spectrum.

    Examples
    --------
    >>> parabola = torch.arange(9.0, dtype=torch.float64) ** 2
    >>> bool((Smooth(5, 2)(parabola, np.arange(9.0))[0] - parabola).abs().max() < 1e-9)
    True
    """

    width: int = 7
    order: int = 2
    name: ClassVar[str] = "smooth"

    def __post_init__(self) -> None:
        if self.width % 2 == 0 or self.order < 0 or self.width <= self.order:
            raise InputError(
                f"smooth has a window of {self.width} channels for polynomials of order {self.order}, expected an odd "
                "number above the order."
            )

    def __call__(self, spectra: Tensor, axis: Axis) -> tuple[Tensor, Axis]:
        """Return the smoothed spectra and their axis."""
        if self.width > len(axis):
            raise InputError(
                f"smooth has a window of {self.width} channels, and the spectra have {len(axis)}; take less."
            )
        matrix = savgol_filter(np.eye(len(axis)), int(self.width), int(self.order), axis=0)  # linear in the intensities
        return spectra @ torch.as_tensor(matrix).to(spectra).T, axis


@dataclass(frozen=True)
class Calibrate:
    """Shift the axis so that a reference peak lies where it belongs, as silicon does at 520.5 cm-1.

    Parameters
    ----------
    found : float
        Position at which the reference peak was measured.
    true : float
        Its true position.

    Examples
    --------
    >>> Calibrate(519.5, 520.5)(torch.zeros(2), np.array([519.5, 600.0]))[1].tolist()
    [520.5, 601.0]
    """

    found: float
    true: float
    name: ClassVar[str] = "calibrate"

    def __call__(self, spectra: Tensor, axis: Axis) -> tuple[Tensor, Axis]:
        """Return the spectra and their shifted axis."""
        return spectra, axis + (self.true - self.found)


@dataclass(frozen=True)
class BandMaximum:
    """Divide by the largest intensity in a band, as Umehara et al. (2019) did in 750 to 850 cm-1.

    Parameters
    ----------
    low, high : float
        Ends of the band in the unit of the axis, both included.

    Raises
    ------
    InputError
        When called, if the band holds no channel, or a maximum is not positive.

    Notes
    -----
    Umehara et al., npj Comput. Mater. 5, 34 (2019).

    Examples
    --------
    >>> BandMaximum(1, 2)(torch.tensor([8.0, 2.0, 4.0]), np.arange(3.0))[0]
    tensor([2.0000, 0.5000, 1.0000])
    """

    low: float
    high: float
    name: ClassVar[str] = "band-maximum"

    def __call__(self, spectra: Tensor, axis: Axis) -> tuple[Tensor, Axis]:
        """Return the scaled spectra and their axis."""
        scale = spectra[..., band(axis, self.low, self.high)].max(-1, keepdim=True).values
        check_scale(scale, f"maximum from {self.low:g} to {self.high:g}")
        return spectra / scale, axis


@dataclass(frozen=True)
class Area:
    """Divide by the area under the spectrum (trapezoidal rule), over the whole axis or a band.

    Parameters
    ----------
    low, high : float, optional
        Ends of the band in the unit of the axis, both included; by default those of the axis.

    Raises
    ------
    InputError
        When called, if the band holds fewer than two channels, or an area is not positive.

    Examples
    --------
    >>> Area()(torch.tensor([1.0, 1.0, 1.0]), np.array([0.0, 1.0, 4.0]))[0]
    tensor([0.2500, 0.2500, 0.2500])
    """

    low: float | None = None
    high: float | None = None
    name: ClassVar[str] = "area"

    def __call__(self, spectra: Tensor, axis: Axis) -> tuple[Tensor, Axis]:
        """Return the scaled spectra and their axis."""
        low = -np.inf if self.low is None else self.low
        high = np.inf if self.high is None else self.high
        inside = band(axis, low, high, least=2)
        area = torch.trapezoid(spectra[..., inside], torch.tensor(axis[inside]).to(spectra), dim=-1)[..., None]
        check_scale(area, "area")
        return spectra / area, axis


@dataclass(frozen=True)
class StandardNormalVariate:
    """Subtract each spectrum's mean and divide by its standard deviation.

    Raises
    ------
    InputError
        When called, if a spectrum is constant.

    Notes
    -----
    Barnes et al., Appl. Spectrosc. 43, 772 (1989).

    Examples
    --------
    >>> StandardNormalVariate()(torch.tensor([1.0, 2.0, 3.0]), np.arange(3.0))[0]
    tensor([-1.,  0.,  1.])
    """

    name: ClassVar[str] = "snv"

    def __call__(self, spectra: Tensor, axis: Axis) -> tuple[Tensor, Axis]:
        """Return the standardised spectra and their axis."""
        deviation = spectra.std(-1, keepdim=True)
        check_scale(deviation, "standard deviation")
        return (spectra - spectra.mean(-1, keepdim=True)) / deviation, axis


@dataclass(frozen=True)
class Detrend:
    """Subtract each spectrum's least-squares polynomial, e.g. a linear background.

    Parameters
    ----------
    degree : int
        Degree of the polynomial in the position on the axis; 0 subtracts the mean.

    Raises
    ------
    InputError
        If the degree is negative or not a whole number, or, when called, if there are not more channels than the
        degree.

    Notes
    -----
    Barnes et al., Appl. Spectrosc. 43, 772 (1989). The step is linear in the spectrum, so that gradients are exact.

    Examples
    --------
    >>> bool(Detrend()(torch.tensor([[1.0, 3.0, 7.0]]), np.array([0.0, 1.0, 3.0]))[0].abs().max() < 1e-6)
    True
    """

    degree: int = 1
    name: ClassVar[str] = "detrend"

    def __post_init__(self) -> None:
        if self.degree < 0 or int(self.degree) != self.degree:
            raise InputError(f"detrend has the degree {self.degree}, expected a whole number from 0 on.")

    def __call__(self, spectra: Tensor, axis: Axis) -> tuple[Tensor, Axis]:
        """Return the spectra without their polynomials, and their axis."""
        if len(axis) <= self.degree:
            raise InputError(f"detrend of degree {self.degree} needs more channels than that, found {len(axis)}.")
        place = np.interp(axis, (axis[0], axis[-1]), (-1.0, 1.0))
        smooth = torch.as_tensor(np.linalg.qr(np.vander(place, int(self.degree) + 1))[0]).to(spectra)
        return spectra - (spectra @ smooth) @ smooth.T, axis
