"""The law of the synthetic photoanodes: Raman bands that shift with composition, and a power that follows both."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import torch
from torch import Tensor

__all__ = ["AXIS", "A_SITE", "COMPONENTS", "STATES", "V_SITE", "PhotoanodeLaw", "draw_law"]

COMPONENTS = ("Bi", "V", "W", "Dy", "Gd", "Mo", "Tb")
A_SITE = frozenset({"Bi", "Dy", "Gd", "Tb"})
V_SITE = frozenset({"W", "Mo"})
_STEPS = 1.373 + (1.127 - 1.373) * np.arange(1014) / 1013  # cm-1, distances of channels of the published instrument
AXIS = 78.025 + np.concatenate([[0.0], np.cumsum(_STEPS * (1339.902 - 78.025) / _STEPS.sum())])

_CENTRES = (126.0, 210.0, 325.0, 365.0, 640.0, 710.0, 826.0)  # cm-1
_HEIGHTS = (0.24, 0.32, 0.36, 0.32, 0.12, 0.18, 1.0)
_WIDTHS = (9.0, 13.0, 11.0, 11.0, 14.0, 15.0, 12.0)  # half width at half maximum
_DOUBLET, _STRETCH = (2, 3), 6
_MIDDLE, _SPLITTING = 345.0, 41.0  # cm-1
_FURTHER = (0, 1, 4, 5)  # bands of which the seed draws the one that matters
STATES = ("anneal", "texture", "crystallinity", "orientation", "gain", "fluorescence", "decay")
_LOADING = 0.04  # a fraction of 4 at% is one unit of loading
_COUNTS = 2000.0  # height of the V-O stretch at nominal gain
_SHARPNESS = 0.12  # mW/cm2: width of the softplus, below which the power approaches zero and stays positive


@dataclass(frozen=True, eq=False)
class PhotoanodeLaw:
    """Raman bands and power of a photoanode.

    With loadings u = x / 4 at%, A = a.u (Bi, counted from 48 at%, and rare earths) and B = b.u (W, Mo):

    - the splitting of the doublet is 41 exp(-d.u) - 2.5 anneal (cm-1); band centres, widths and heights are smooth in
      u; the further band's height is proportional to exp(0.25 texture), all widths to exp(-0.05 crystallinity), the two
      of the doublet to exp(-0.08 orientation) and exp(0.08 orientation);
    - V = (I(345) - o) / (p - o) is the filling of the valley, p the mean of I(325) and I(365), o that of I(290) and
      I(400); H = (I(c) - its sides) / (I(826) - its sides), c the further band. I(.) are means with Gaussian weights
      of 7 (V) and 6 cm-1 (H), so that V and H do not depend on a factor or a straight baseline;
    - P = softplus(base + bump(A) + bump(B) + interaction A B + u'Qu - q (Bi:V off its best)^2 + k V + h H).

    Parameters
    ----------
    a, b : Tensor, shape (7,)
        Weights of the components in A and B.
    reduce : Tensor, shape (7,)
        Decrease d of the doublet's splitting by each component.
    shift, swell : Tensor, shape (7, 7)
        Change of each band's centre (cm-1) and of the logarithm of its height, per unit of loading (band, component).
    pairs : Tensor, shape (7, 7)
        Q, pair interactions (mW/cm2).
    numbers : dict of str to float
        The scalars of the law.
    further : int
        Index of the further band.

    Examples
    --------
    >>> law = draw_law(np.random.default_rng(0))
    >>> x = torch.tensor([[0.5, 0.5, 0, 0, 0, 0, 0]], dtype=torch.float64)
    >>> spectra = law.record(x, torch.zeros(1, 7, dtype=torch.float64))
    >>> spectra.shape, bool(law.merit(x, spectra) > 0)
    (torch.Size([1, 1015]), True)
    """

    a: Tensor
    b: Tensor
    reduce: Tensor
    shift: Tensor
    swell: Tensor
    pairs: Tensor
    numbers: dict[str, float]
    further: int
    state_names: tuple[str, ...] = field(default=STATES, init=False)

    @property
    def bands(self) -> tuple[tuple[float, float], ...]:
        """The bands of the doublet and of the further band, in cm-1."""
        centre = _CENTRES[self.further]
        return ((315.0, 375.0), (centre - 15.0, centre + 15.0))

    def record(self, compositions: Tensor, state: Tensor) -> Tensor:
        """Compute noise-free intensities.

        Parameters
        ----------
        compositions : Tensor, shape (n, 7)
            Fractions.
        state : Tensor, shape (n, 7)
            States, in the order of `STATES`.

        Returns
        -------
        Tensor, shape (n, 1015)
            Intensities in counts.
        """
        loads = compositions[:, 2:] / _LOADING
        axis = torch.as_tensor(AXIS)
        anneal, texture, crystallinity, orientation, gain, glow, decay = (state[:, k, None] for k in range(7))
        splitting = _SPLITTING * torch.exp(-loads @ self.reduce[2:])[:, None] - 2.5 * anneal
        broad = (1 + 0.12 * loads.sum(dim=1, keepdim=True)) * torch.exp(-0.05 * crystallinity)
        total = 0.05 + 0.2 * torch.exp(glow) * torch.exp(-(axis - axis[0]) / (900.0 * torch.exp(decay)))
        for k, (centre, height, width) in enumerate(zip(_CENTRES, _HEIGHTS, _WIDTHS)):
            place = centre + (loads @ self.shift[k, 2:])[:, None]
            strength = (loads @ self.swell[k, 2:])[:, None]
            if k in _DOUBLET:
                side = 1.0 if k == _DOUBLET[1] else -1.0
                place = place - centre + _MIDDLE + side * splitting / 2
                strength = strength + side * 0.08 * orientation
            if k == self.further:
                strength = strength + 0.25 * texture
            total = total + height * torch.exp(strength) / (1 + ((axis - place) / (width * broad)) ** 2)
        return _COUNTS * torch.exp(gain) * total

    def functionals(self, spectra: Tensor) -> tuple[Tensor, Tensor]:
        """Compute the two properties of a spectrum on which the power depends.

        Parameters
        ----------
        spectra : Tensor, shape (n, 1015)
            Intensities in counts.

        Returns
        -------
        filling, height : Tensor, shape (n,)
            Filling V of the valley, and relative height H of the further band.
        """
        peaks, sides = (_mean(spectra, (325.0, 365.0), 7.0), _mean(spectra, (290.0, 400.0), 7.0))
        filling = (_mean(spectra, (345.0,), 7.0) - sides) / (peaks - sides)
        centre, stretch = _CENTRES[self.further], _CENTRES[_STRETCH]
        band = _mean(spectra, (centre,), 6.0) - _mean(spectra, (centre - 35.0, centre + 35.0), 6.0)
        reference = _mean(spectra, (stretch,), 6.0) - _mean(spectra, (stretch - 60.0, stretch + 60.0), 6.0)
        return filling, band / (reference * _HEIGHTS[self.further])

    def merit(self, compositions: Tensor, spectra: Tensor | None) -> Tensor:
        """Compute the noise-free power.

        Parameters
        ----------
        compositions : Tensor, shape (n, 7)
            Fractions.
        spectra : Tensor, shape (n, 1015)
            Intensities in counts.

        Returns
        -------
        Tensor, shape (n,)
            Power in mW/cm2.

        Raises
        ------
        ValueError
            If there are no spectra.
        """
        if spectra is None:
            raise ValueError("the power of a photoanode needs its spectrum")
        c = self.numbers
        loads = compositions / _LOADING
        a, b = loads @ self.a - float(self.a[0]) * 0.48 / _LOADING, loads @ self.b
        filling, height = self.functionals(spectra)
        inside = (
            c["base"]
            + c["high_a"] * torch.exp(-0.5 * ((a - c["best_a"]) / c["wide_a"]) ** 2)
            + c["high_b"] * torch.exp(-0.5 * ((b - c["best_b"]) / c["wide_b"]) ** 2)
            + c["interaction"] * a * b
            - c["off_ratio"] * (loads[:, 0] - loads[:, 1] - c["best_ratio"]) ** 2
            + ((loads @ self.pairs) * loads).sum(dim=1)
            + c["filling"] * (filling - 0.5)
            + c["height"] * (height - 0.7)
        )
        return torch.nn.functional.softplus(inside / _SHARPNESS) * _SHARPNESS


def draw_law(rng: np.random.Generator) -> PhotoanodeLaw:
    """Draw a law: all its coefficients, the further band that matters, and the sign of its effect.

    Parameters
    ----------
    rng : Generator
        Source of the random numbers.

    Returns
    -------
    PhotoanodeLaw
        The law.

    Examples
    --------
    >>> draw_law(np.random.default_rng(0)).further in _FURTHER
    True
    """
    rare, site = [3, 4, 6], [2, 5]
    a, b, reduce = np.zeros(7), np.zeros(7), np.zeros(7)
    a[rare], a[0], b[site] = rng.uniform(0.85, 1.2, 3), rng.uniform(0.35, 0.5), rng.uniform(0.85, 1.2, 2)
    reduce[rare], reduce[site] = rng.uniform(0.07, 0.13, 3), rng.uniform(0.07, 0.13, 2)
    shift, swell = np.zeros((7, 7)), np.zeros((7, 7))
    shift[:, 2:], swell[:, 2:] = rng.normal(0, 0.5, (7, 5)), rng.normal(0, 0.03, (7, 5))
    shift[_STRETCH, site] = rng.uniform(-4, -2, 2)  # W and Mo are heavier than V
    shift[list(_DOUBLET)] = shift[_DOUBLET[0]]  # the doublet moves as one, apart from its splitting
    pairs = np.zeros((7, 7))
    pairs[np.ix_(site, rare)] = rng.normal(0, 0.06, (2, 3))
    numbers = {name: float(rng.uniform(low, high)) for name, (low, high) in _RANGES.items()}
    further = int(rng.choice(_FURTHER))
    numbers["height"] *= float(rng.choice([-1.0, 1.0]))
    tensors = {"a": a, "b": b, "reduce": reduce, "shift": shift, "swell": swell, "pairs": pairs}
    return PhotoanodeLaw(
        **{name: torch.as_tensor(one) for name, one in tensors.items()}, numbers=numbers, further=further
    )


_RANGES = {  # mW/cm2, or units of loading
    "base": (0.0, 0.2),
    "high_a": (0.6, 1.0),
    "best_a": (0.6, 1.1),
    "wide_a": (0.8, 1.1),
    "high_b": (0.8, 1.2),
    "best_b": (0.3, 0.6),
    "wide_b": (0.6, 0.9),
    "interaction": (-0.25, -0.1),
    "off_ratio": (0.02, 0.04),
    "best_ratio": (-0.3, 0.6),
    "filling": (0.7, 1.2),
    "height": (0.2, 0.35),
}


def _mean(spectra: Tensor, centres: tuple[float, ...], width: float) -> Tensor:
    """Mean intensity near some positions, with Gaussian weights that sum to 1, shape (n,)."""
    apart = torch.as_tensor(AXIS) - torch.tensor(centres, dtype=torch.float64)[:, None]
    weights = torch.exp(-0.5 * (apart / width) ** 2).sum(dim=0)
    return spectra @ (weights / weights.sum())
