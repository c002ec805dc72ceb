"""The terms of the loss at one level, computed from the exemplars."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from matlens.errors import InputError
from matlens.microstructure.encoders import Encoder, Loss, centred, filled_in, known_pixels, untouched
from matlens.microstructure.reconstruction.matching.presets import Preset
from matlens.microstructure.reconstruction.matching.terms import (
    Fraction,
    Gram,
    PhaseRange,
    PlanarTerm,
    Sample,
    Term,
    TotalVariation,
    TwoPoint,
    gram,
)
from matlens.microstructure.statistics import total_variation, two_point_field, unlike_neighbours

__all__ = ["Match", "match", "matched_planes", "normalised_covariance", "resolved_loss"]

_REACH = 4  # two-point offsets up to so many reaches of the covariance
_ENOUGH = 4  # a Gram matrix of C channels wants at least C / 4 positions


@dataclass(frozen=True)
class Match:
    """Loss at one level.

    Attributes
    ----------
    encoder : Encoder
        Encoder whose features are matched.
    terms : tuple of Term
        Terms of the loss.
    notes : tuple of str
        Remarks on layers and borders, one sentence each.

    Examples
    --------
    >>> from matlens.microstructure.encoders import FilterBank
    >>> from matlens.microstructure.reconstruction.matching.terms import Sharpness
    >>> found = Match(FilterBank(), (PhaseRange(0.1),), ()).with_terms(Sharpness(0.3))
    >>> print(found)
    0.1 x phase range
    0.3 x sharpness
    >>> {name: float(part) for name, part in found.mismatches(torch.ones(1, 1, 8, 8)).items()}
    {'phase range': 0.0, 'sharpness': 0.0}
    """

    encoder: Encoder
    terms: tuple[Term, ...]
    notes: tuple[str, ...]

    @property
    def layers(self) -> list[str]:
        """Names of the layers that the terms use."""
        return [term.layer for term in self.terms if isinstance(term, Gram)]

    def __str__(self) -> str:
        """Return weight and name of each term, one per line."""
        return "\n".join(str(term) for term in self.terms)

    def with_terms(self, *terms: Term) -> Match:
        """Return the loss with additional terms.

        Parameters
        ----------
        *terms : Term
            Terms to add.

        Returns
        -------
        Match
            The new loss.
        """
        return Match(self.encoder, (*self.terms, *terms), self.notes)

    def of_phases(self) -> Match:
        """Return the loss of pure phases: every term as it stands for 0/1 indicators.

        Returns
        -------
        Match
            The new loss.
        """
        return Match(self.encoder, tuple(term.of_phases() for term in self.terms), self.notes)

    def mismatches(self, indicators: Tensor) -> dict[str, Tensor]:
        """Compute the weighted mismatch of every term.

        Parameters
        ----------
        indicators : Tensor, shape (1, K, H, W)
            Amounts of the phases.

        Returns
        -------
        dict of str to Tensor
            Scalars by the names of the terms; the loss is their sum.
        """
        sample = self.sample(indicators)
        return {term.name: term.weight * term(sample) for term in self.terms}

    def sample(self, indicators: Tensor) -> Sample:
        """Compute what the terms need of periodic planes.

        Parameters
        ----------
        indicators : Tensor, shape (B, K, H, W)
            Amounts of the phases.

        Returns
        -------
        Sample
            The planes with their activations.
        """
        return Sample(indicators, self.encoder.features(indicators, self.layers, "circular") if self.layers else {})

    def evaluated(self, indicators: Tensor) -> tuple[dict[str, float], float, Tensor]:
        """Compute the weighted mismatches, the loss, and its gradient.

        Parameters
        ----------
        indicators : Tensor, shape (1, K, H, W)
            Amounts of the phases.

        Returns
        -------
        parts : dict of str to float
            Weighted mismatches by the names of the terms.
        loss : float
            Their sum.
        gradient : Tensor, shape (1, K, H, W)
            Derivative of the loss by the amounts.
        """
        indicators = indicators.detach().requires_grad_(True)
        parts = self.mismatches(indicators)
        loss = torch.stack(list(parts.values())).sum()
        (gradient,) = torch.autograd.grad(loss, indicators)
        return {name: float(part.detach()) for name, part in parts.items()}, float(loss.detach()), gradient


def resolved_loss(preset: Preset, encoder: Encoder) -> tuple[Loss, list[str]]:
    """Complete a preset by the encoder's defaults, and keep the loss layers that the encoder has.

    Parameters
    ----------
    preset : Preset
        Its layers and evaluations, where given, take precedence over the encoder's.
    encoder : Encoder
        Encoder; if its weights end early, its deepest layer replaces the layers beyond.

    Returns
    -------
    loss : Loss
        Layers and evaluations to use.
    notes : list of str
        Remarks on the layers, one sentence each.

    Examples
    --------
    >>> from matlens.microstructure.encoders import FilterBank
    >>> from matlens.microstructure.reconstruction import PRESETS
    >>> list(resolved_loss(PRESETS["default"], FilterBank(scales=2))[0].layers)
    ['scale1', 'scale2']
    """
    own = encoder.loss(preset.name)
    wanted = own.layers if preset.layers is None else preset.layers
    coarse, coarsest = (own.coarse, own.coarsest) if preset.coarse is None else (preset.coarse, None)
    coarsest = coarsest if preset.coarsest is None else preset.coarsest
    fine = own.fine if preset.fine is None else preset.fine
    names = [layer.name for layer in encoder.layers]
    kept = {name: weight for name, weight in wanted.items() if name in names}
    beyond = [name for name in wanted if name not in names]
    if not beyond or encoder.ends_at is None:
        return Loss(kept, coarse, fine, coarsest), []
    kept.setdefault(names[-1], 1.0)
    # The last layer with weights is named, not the deepest: a pooling after it needs none.
    note = f"the weights of {encoder.name} end at {encoder.ends_at}, so {names[-1]} stands in for {', '.join(beyond)}"
    return Loss(kept, coarse, fine, coarsest), [note]


def match(
    encoder: Encoder, exemplars: Sequence[Tensor], shape: Sequence[int], fractions: Tensor, preset: Preset, reach: float
) -> Match:
    """Compute the terms of the loss for a periodic sample.

    Parameters
    ----------
    encoder : Encoder
        Encoder of samples and exemplars.
    exemplars : sequence of Tensor, shape (1, K, H, W)
        Indicators at this level, zero in all phases where a pixel is masked; targets are their means over what is
        known, weighted by its area.
    shape : sequence of int
        Height and width of the sample at this level.
    fractions : Tensor, shape (K,)
        Volume fractions wanted.
    preset : Preset
        Weights and layers.
    reach : float
        How far the covariance reaches at this level, in pixels.

    Returns
    -------
    Match
        Terms, with remarks on layers that were left out.

    Raises
    ------
    InputError
        If the exemplars are too small for every layer.

    Notes
    -----
    Gatys, Ecker and Bethge, NeurIPS (2015); Li et al., Sci. Rep. 8, 13461 (2018).

    Examples
    --------
    >>> from matlens.microstructure.encoders import FilterBank
    >>> from matlens.microstructure.reconstruction import PRESETS
    >>> image = (torch.arange(32) // 4 % 2).float().expand(1, 1, 32, 32)
    >>> half = torch.tensor([0.5, 0.5])
    >>> found = match(FilterBank(scales=2), [torch.cat([1 - image, image], 1)], (32, 32), half, PRESETS["fast"], 4.0)
    >>> [term.name for term in found.terms]
    ['Gram scale1', 'Gram scale2', 'two-point', 'total variation', 'phase range']
    """
    encoder, planar, notes = matched_planes(encoder, exemplars, shape, preset)
    terms: list[Term] = [term for term in planar if isinstance(term, Gram)]
    if preset.two_point:
        terms.append(_two_point_term(exemplars, shape, fractions, preset.two_point, reach))
    terms += [term for term in planar if not isinstance(term, Gram)]
    if preset.fraction:
        terms.append(Fraction(preset.fraction, fractions))
    if preset.phase_range:
        terms.append(PhaseRange(preset.phase_range))
    return Match(encoder, tuple(terms), notes)


def matched_planes(
    encoder: Encoder, exemplars: Sequence[Tensor], shape: Sequence[int], preset: Preset
) -> tuple[Encoder, tuple[PlanarTerm, ...], tuple[str, ...]]:
    """Compute the terms on planes: a Gram matrix for each layer, and the total variation.

    Parameters
    ----------
    encoder : Encoder
        Encoder of planes and exemplars.
    exemplars : sequence of Tensor, shape (1, K, H, W)
        Indicators at this level, zero in all phases where a pixel is masked.
    shape : sequence of int
        Height and width of the planes at this level.
    preset : Preset
        Weights and layers.

    Returns
    -------
    encoder : Encoder
        The encoder, adapted to the exemplars.
    terms : tuple of PlanarTerm
        The terms.
    notes : tuple of str
        Remarks on layers and borders, one sentence each.

    Raises
    ------
    InputError
        If the exemplars are too small for every layer.

    Examples
    --------
    >>> from matlens.microstructure.encoders import FilterBank
    >>> from matlens.microstructure.reconstruction import PRESETS
    >>> image = (torch.arange(32) // 4 % 2).float().expand(1, 1, 32, 32)
    >>> image = torch.cat([1 - image, image], 1)
    >>> _, terms, _ = matched_planes(FilterBank(scales=1), [image], (32, 32), PRESETS["fast"])
    >>> [term.name for term in terms]
    ['Gram scale1', 'total variation']
    """
    encoder = encoder.adapted(exemplars)
    loss, notes = resolved_loss(preset, encoder)
    layers = dict(loss.layers)
    sample = torch.zeros(1, exemplars[0].shape[1], *shape).to(exemplars[0])
    with torch.no_grad():
        reachable = encoder.features(sample, list(layers), "circular")
        terms, dropped = _gram_terms(encoder, exemplars, {k: v for k, v in layers.items() if k in reachable}, preset)
    if missing := [name for name in layers if name not in reachable]:
        made = " x ".join(str(side) for side in shape)
        notes.append(f"at {made} px, which their poolings do not divide, {', '.join(missing)} was left out")
    if layers and not terms:
        side = min(min(image.shape[-2:]) for image in exemplars)
        raise InputError(
            f"an exemplar of {side} pixels on a side is too small for {encoder.name}: no layer has enough positions."
        )
    if preset.total_variation:
        shares = _weights(exemplars)
        varied, unlike = (
            torch.einsum("e,ebk->bk", shares.to(exemplars[0]), torch.stack(found))
            for found in zip(*(_interfaces(image) for image in exemplars))
        )
        terms.append(TotalVariation(preset.total_variation, varied, unlike))
    return encoder, tuple(terms), tuple(notes + dropped)


def _interfaces(image: Tensor) -> tuple[Tensor, Tensor]:
    """Total variation and share of unlike neighbours of each phase."""
    filled, known = filled_in(image), known_pixels(image)
    return (
        total_variation(filled, periodic=False, known=known),
        unlike_neighbours(filled, periodic=False, known=known),
    )


def _weights(exemplars: Sequence[Tensor]) -> Tensor:
    """Share of each exemplar in all that is known, shape (exemplars,)."""
    areas = torch.tensor([float(_area(image)) for image in exemplars])
    return areas / areas.sum()


def _gram_terms(
    encoder: Encoder, exemplars: Sequence[Tensor], layers: dict[str, float], preset: Preset
) -> tuple[list[PlanarTerm], list[str]]:
    """Compute one Gram term per layer: valid if it has enough positions, else with reflected borders, else left out.

    Of an exemplar with masked pixels, positions are valid that see none of them. Where these are too few, masked pixels
    take the nearest phase, and positions over them are left out.
    """
    totals: dict[str, list[tuple[float, Tensor]]] = {name: [] for name in layers}
    notes: list[str] = []
    for image in exemplars:
        reflected, dropped = [], []
        known, image = known_pixels(image), filled_in(image)
        valid = encoder.features(image, list(layers), "valid")
        if known is not None:
            valid = {name: _at(found, untouched(known, encoder.layer(name))) for name, found in valid.items()}
        short = [name for name in layers if name not in valid or not _enough(valid[name])]
        mirrored = encoder.features(image, short, "reflect") if short else {}
        if known is not None:
            mirrored = {name: _at(found, centred(known, found.shape[-2:])) for name, found in mirrored.items()}
        size = " x ".join(str(side) for side in image.shape[-2:])
        for name in layers:
            found = mirrored.get(name) if name in short else valid[name]
            if found is None or not _enough(found):
                dropped.append(name)
                continue
            if name in short:
                reflected.append(name)
            totals[name].append((float(found[0, 0].numel()), gram(found)))
        if reflected:
            filled = "" if known is None else ", and its masked pixels took the nearest phase,"
            notes.append(f"at {size} px the exemplar's borders were reflected{filled} for {', '.join(reflected)}")
        if dropped:
            notes.append(f"at {size} px {', '.join(dropped)} had too few positions and was left out")
    terms: list[PlanarTerm] = []
    for name, parts in totals.items():
        if parts:
            target = sum((n * g for n, g in parts), torch.zeros_like(parts[0][1])) / sum(n for n, _ in parts)
            # docs/decisions/0008-relative-gram-matrices.md
            scale = 4.0 * target.shape[-1] ** 2 if preset.gram == "li2018" else float(target.square().sum())
            terms.append(Gram(name, layers[name], target, scale))
    return terms, notes


def _at(features: Tensor, positions: Tensor) -> Tensor:
    """Features at the chosen positions, shape (B, C, n)."""
    return features[..., positions]


def _enough(features: Tensor) -> bool:
    return features[0, 0].numel() * _ENOUGH >= features.shape[1]


def _area(image: Tensor) -> int:
    """Number of known pixels."""
    known = known_pixels(image)
    return image[0, 0].numel() if known is None else int(known.sum())


def _two_point_term(
    exemplars: Sequence[Tensor], shape: Sequence[int], fractions: Tensor, weight: float, reach: float
) -> TwoPoint:
    """Compute the two-point term; offsets have weight 1 / |r|, so that all distances count alike, plus 1 on axes."""
    half = [
        min(*(image.shape[2 + axis] // 2 for image in exemplars), shape[axis] // 2, max(8, round(_REACH * reach)))
        for axis in range(2)
    ]
    asked = fractions.double().reshape(1, -1, 1, 1)
    target = normalised_covariance(exemplars, half) * asked * (1 - asked) + asked.square()
    rows, columns = (torch.arange(-h, h + 1, dtype=torch.float64) for h in half)
    distance = (rows[:, None].square() + columns[None].square()).sqrt().clamp(min=1)
    on_axis = (rows[:, None] == 0) | (columns[None] == 0)
    importance = torch.where(on_axis, 1 + 1 / distance, 1 / distance) * (distance <= max(8.0, _REACH * reach))
    importance = importance.to(exemplars[0].device)
    scale = float((importance * (target - asked.square()).square()).sum())
    return TwoPoint(weight, target.to(exemplars[0]), importance.to(exemplars[0]), scale)


def normalised_covariance(exemplars: Sequence[Tensor], half: Sequence[int]) -> Tensor:
    """Compute the covariance of all exemplars together over phi (1 - phi).

    At coarse levels the variance is below phi (1 - phi) for exemplar and sample alike, so that the ratio carries over.
    An exemplar without a phase does not count for it.

    Parameters
    ----------
    exemplars : sequence of Tensor, shape (1, K, H, W)
        Indicators at this level, zero in all phases where a pixel is masked.
    half : sequence of int
        Largest offset along each axis in pixels.

    Returns
    -------
    Tensor of float64, shape (1, K, 2 h + 1, 2 w + 1)
        Covariance of each phase by offset, 1 at the centre where pixels are pure.

    Examples
    --------
    >>> image = (torch.arange(32) // 4 % 2).float().expand(1, 1, 32, 32)
    >>> found = normalised_covariance([torch.cat([1 - image, image], 1)], (0, 4))
    >>> [round(float(value), 2) for value in found[0, 1, 0, 4:]]
    [1.0, 0.55, 0.07, -0.45, -1.0]
    """
    above: Tensor | float = 0.0
    below: Tensor | float = 0.0
    for w, image in zip(_weights(exemplars).tolist(), exemplars):
        own = image.double().sum(dim=(2, 3), keepdim=True) / _area(image)
        pairs, known = two_point_field(image.double(), periodic=False, half=half), known_pixels(image)
        if known is not None:  # of all pairs only those count whose ends are both known
            both = two_point_field(known.double()[None, None], periodic=False, half=half)
            pairs = torch.where(both * known.numel() > 0.5, pairs / both.clamp(min=1e-12), own.square())
        above = above + w * (pairs - own.square())
        below = below + w * own * (1 - own)
    return torch.as_tensor(above) / torch.as_tensor(below).clamp(min=1e-12)
