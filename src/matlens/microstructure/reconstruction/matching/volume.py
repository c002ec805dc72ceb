"""The loss of a volume, which is seen as its planes along three axes, and as a whole."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from matlens.core.threads import side_by_side
from matlens.microstructure.encoders import Encoder
from matlens.microstructure.reconstruction.matching.objective import Match, matched_planes, normalised_covariance
from matlens.microstructure.reconstruction.matching.presets import Preset
from matlens.microstructure.reconstruction.matching.terms import (
    Fraction,
    PhaseRange,
    PlanarTerm,
    Sample,
    Term,
    TwoPoint,
    UnlikeNeighbours,
)

__all__ = ["KEPT", "Seen", "VolumeMatch", "match_volume"]

_REACH = 3  # two-point offsets up to so many correlation lengths
# docs/decisions/0012-pixel-swaps.md
_INTERFACE = 10  # times the weight of unlike neighbours while voxels are swapped
_CHUNK = 8  # planes at a time: as fast as any number, and the memory of few
# Activations of all chunks are kept for the gradient up to so many bytes; beyond, each chunk is computed twice.
KEPT = 1.5e9

Found = TypeVar("Found")


@dataclass(frozen=True)
class Seen:
    """Planes of a volume that are normal to one axis, and what they are compared with.

    Attributes
    ----------
    axis : int
        Axis of the volume that is normal to the planes.
    match : Match
        Terms on these planes.

    Examples
    --------
    >>> from matlens.microstructure.encoders import FilterBank
    >>> Seen(0, Match(FilterBank(), (), ())).axis
    0
    """

    axis: int
    match: Match

    def planes(self, volume: Tensor, first: int, step: int) -> Tensor:
        """Return planes of a volume as a view of it.

        Parameters
        ----------
        volume : Tensor, shape (1, K, D, H, W)
            Amounts of the phases.
        first, step : int
            Number of the first plane along the axis, and distance to the next.

        Returns
        -------
        Tensor, shape (planes, K, height, width)
            The planes; rows and columns are the other axes in their order.
        """
        return volume[0].movedim(1 + self.axis, 0)[first::step]


@dataclass(frozen=True)
class VolumeMatch:
    """Loss of a volume at one level.

    The planes normal to an axis are compared in the mean, and axes count alike. Chunks of planes go through the encoder
    one after the other, so that memory does not grow with the volume.

    Attributes
    ----------
    seen : tuple of Seen
        Axes whose planes are compared with exemplars.
    whole : tuple of Term
        Terms on the volume.
    notes : tuple of str
        Remarks on layers and borders, one sentence each.
    first, step : int
        First plane that is compared along each axis, and distance to the next; by default all planes are.

    Examples
    --------
    >>> from matlens.microstructure.encoders import FilterBank
    >>> from matlens.microstructure.reconstruction import PRESETS
    >>> image = (torch.arange(32) // 4 % 2).float().expand(1, 1, 32, 32)
    >>> image = torch.cat([1 - image, image], 1)
    >>> half = torch.tensor([0.5, 0.5])
    >>> found = match_volume(FilterBank(scales=1), [[image]] * 3, (16, 16, 16), half, PRESETS["fast"], 4.0)
    >>> parts, loss, gradient = found.evaluated(torch.full((1, 2, 16, 16, 16), 0.5))
    >>> list(parts), round(loss - sum(parts.values()), 6), gradient.shape
    (['Gram scale1', 'total variation', 'two-point', 'phase range'], 0.0, torch.Size([1, 2, 16, 16, 16]))
    """

    seen: tuple[Seen, ...]
    whole: tuple[Term, ...]
    notes: tuple[str, ...]
    first: int = 0
    step: int = 1

    @property
    def terms(self) -> tuple[Term, ...]:
        """All terms; those of planes once, although each axis has its own."""
        names = {term.name: term for seen in self.seen for term in seen.match.terms}
        return (*names.values(), *self.whole)

    def with_terms(self, *terms: Term) -> VolumeMatch:
        """Return the loss with additional terms on the whole volume.

        Parameters
        ----------
        *terms : Term
            Terms to add.

        Returns
        -------
        VolumeMatch
            The new loss.
        """
        return replace(self, whole=(*self.whole, *terms))

    def of_phases(self) -> VolumeMatch:
        """Return the loss of pure phases: every term as it stands for 0/1 indicators.

        Returns
        -------
        VolumeMatch
            The new loss.
        """
        seen = tuple(replace(one, match=_with_interface(one.match.of_phases())) for one in self.seen)
        return replace(self, seen=seen, whole=tuple(term.of_phases() for term in self.whole))

    def of_planes(self, first: int, step: int) -> VolumeMatch:
        """Return the loss that compares some of the planes only.

        Parameters
        ----------
        first : int
            Number of the first plane along each axis.
        step : int
            Distance between planes; 1 takes all of them.

        Returns
        -------
        VolumeMatch
            The new loss.
        """
        return replace(self, first=first, step=step)

    def evaluated(self, indicators: Tensor) -> tuple[dict[str, float], float, Tensor]:
        """Compute the weighted mismatches, the loss, and its gradient.

        Parameters
        ----------
        indicators : Tensor, shape (1, K, D, H, W)
            Amounts of the phases.

        Returns
        -------
        parts : dict of str to float
            Weighted mismatches by the names of the terms.
        loss : float
            Their sum.
        gradient : Tensor, shape (1, K, D, H, W)
            Derivative of the loss by the amounts.
        """
        indicators = indicators.detach().requires_grad_(True)
        whole = {term.name: term.weight * term(Sample(indicators, {})) for term in self.whole}
        if whole:
            total = torch.stack(list(whole.values())).sum()
            (gradient,) = torch.autograd.grad(total, indicators)
            gradient = gradient.contiguous()
        else:
            gradient = torch.zeros_like(indicators)
        parts: dict[str, float] = {}
        volume = indicators.detach()
        for seen in self.seen:
            planes, slopes = (seen.planes(of, self.first, self.step) for of in (volume, gradient))
            for name, value in _planar(seen.match, planes, slopes, 1 / len(self.seen)).items():
                parts[name] = parts.get(name, 0.0) + value
        parts.update({name: float(value.detach()) for name, value in whole.items()})
        return parts, sum(parts.values()), gradient


def _with_interface(match: Match) -> Match:
    """Give the term of interface its weight for decoded volumes."""
    return replace(
        match,
        terms=tuple(
            replace(term, weight=_INTERFACE * term.weight) if isinstance(term, UnlikeNeighbours) else term
            for term in match.terms
        ),
    )


def _planar(match: Match, planes: Tensor, gradient: Tensor, share: float) -> dict[str, float]:
    """Compare the mean over planes, and add the derivative to the gradient in place."""
    terms = [term for term in match.terms if isinstance(term, PlanarTerm)]
    kept = planes[:, 0].numel() * match.encoder.bytes_per_pixel * match.encoder.passes(planes.shape[1]) <= KEPT
    chunks = [_Chunk(match, terms, planes[begun : begun + _CHUNK]) for begun in range(0, len(planes), _CHUNK)]
    measured = _each_chunk(lambda chunk: chunk.measure(kept), chunks)
    sums = {name: torch.stack([found[name] for found in measured]).sum(dim=0) for name in measured[0]}
    means = {name: (value / len(planes)).requires_grad_(True) for name, value in sums.items()}
    parts = {term.name: share * term.weight * term.mismatch(means[term.name]) for term in terms}
    slopes = torch.autograd.grad(torch.stack(list(parts.values())).sum(), list(means.values()))
    wanted = {name: slope / len(planes) for name, slope in zip(means, slopes)}
    found = _each_chunk(lambda chunk: chunk.gradient(wanted), chunks)
    gradient += torch.cat(found)
    return {name: float(part.detach()) for name, part in parts.items()}


def _each_chunk(work: Callable[[_Chunk], Found], chunks: Sequence[_Chunk]) -> list[Found]:
    """Apply a function to each chunk; on processors a chunk a core at a time, which costs less than to share each."""
    if chunks[0].planes.device.type == "cpu":
        return side_by_side(work, chunks)
    return [work(chunk) for chunk in chunks]


class _Chunk:
    """A few planes on their way through the encoder: first what the terms measure, then the derivative of the loss."""

    def __init__(self, match: Match, terms: Sequence[PlanarTerm], planes: Tensor) -> None:
        self.planes = planes
        self._match, self._terms = match, terms
        self._kept: tuple[Tensor, dict[str, Tensor]] | None = None

    def measure(self, keep: bool) -> dict[str, Tensor]:
        """Sum over the planes what the terms measure; activations are kept for the gradient, or computed again."""
        with torch.set_grad_enabled(keep):
            leaf, found = self._measured()
        if keep:
            self._kept = leaf, found
        return {name: value.detach() for name, value in found.items()}

    def gradient(self, slopes: dict[str, Tensor]) -> Tensor:
        """Return the derivative by the planes, given the derivative by each sum; activations are freed."""
        with torch.enable_grad():
            leaf, found = self._kept or self._measured()
            self._kept = None
            (slope,) = torch.autograd.grad([found[name] for name in slopes], leaf, list(slopes.values()))
        return slope

    def _measured(self) -> tuple[Tensor, dict[str, Tensor]]:
        leaf = self.planes.detach().clone(memory_format=torch.contiguous_format)
        leaf.requires_grad_(torch.is_grad_enabled())
        sample = self._match.sample(leaf)
        found = {term.name: term.measure(sample) for term in self._terms}
        # An image of each phase has its own Gram matrix, and so its own target.
        passes, count = self._match.encoder.passes(leaf.shape[1]), len(leaf)
        split = {name: passes if value.shape[0] == passes * count else 1 for name, value in found.items()}
        return leaf, {n: v.reshape(count, split[n], *v.shape[1:]).sum(dim=0) for n, v in found.items()}


def match_volume(
    encoder: Encoder,
    sections: Sequence[Sequence[Tensor]],
    shape: Sequence[int],
    fractions: Tensor,
    preset: Preset,
    reach: float,
    change: NDArray[np.float64] | None = None,
) -> VolumeMatch:
    """Compute the loss of a periodic volume whose planes resemble sections.

    Parameters
    ----------
    encoder : Encoder
        Encoder of planes and sections.
    sections : sequence of sequence of Tensor, shape (1, K, H, W)
        For each axis of the volume, sections normal to it at this level; rows and columns are the other axes in their
        order. An axis may have none. Where all axes have the same sections, the volume is isotropic.
    shape : sequence of int
        Sides of the volume at this level.
    fractions : Tensor, shape (K,)
        Volume fractions wanted.
    preset : Preset
        Weights and layers.
    reach : float
        Correlation length at this level, in pixels.
    change : ndarray, shape (K, M), optional
        Of an isotropic volume, by how much its normalised covariances should differ from the sections', at the
        distances 0, 1, 2, ... in pixels.

    Returns
    -------
    VolumeMatch
        The loss.

    Raises
    ------
    InputError
        If the sections are too small for every layer.

    Notes
    -----
    In an isotropic volume every plane has the two-point probability of the section by distance; otherwise it is known
    on the planes that have a section, and free elsewhere.

    Examples
    --------
    >>> from matlens.microstructure.encoders import FilterBank
    >>> from matlens.microstructure.reconstruction import PRESETS
    >>> image = (torch.arange(32) // 4 % 2).float().expand(1, 1, 32, 32)
    >>> sections = [[], [torch.cat([1 - image, image], 1)], []]
    >>> found = match_volume(FilterBank(scales=1), sections, (16, 16, 16), torch.ones(2) / 2, PRESETS["fast"], 4.0)
    >>> [seen.axis for seen in found.seen]
    [1]
    """
    isotropic = all(len(found) == len(sections[0]) for found in sections) and all(
        one is other for found in sections for one, other in zip(found, sections[0])
    )
    seen: list[Seen] = []
    notes: list[str] = []
    turned = [image for one in sections[0] for image in _symmetries(one)] if isotropic else []
    found: dict[tuple[int, ...], Match] = {}  # of an isotropic volume, planes of one size have one loss
    for axis, own in enumerate(sections):
        if not own:
            continue
        plane = tuple(side for other, side in enumerate(shape) if other != axis)
        if not isotropic or plane not in found:
            found[plane] = Match(*matched_planes(encoder, turned if isotropic else own, plane, preset))
        seen.append(Seen(axis, found[plane]))
        notes += [note for note in found[plane].notes if note not in notes]
    whole: list[Term] = []
    if preset.two_point:
        if isotropic:
            whole.append(_radial_term(sections, shape, fractions, preset.two_point, reach, change))
        else:
            whole.append(_sectional_term(sections, shape, fractions, preset.two_point, reach))
    if preset.fraction:
        whole.append(Fraction(preset.fraction, fractions))
    if preset.phase_range:
        whole.append(PhaseRange(preset.phase_range))
    return VolumeMatch(tuple(seen), tuple(whole), tuple(notes))


def _symmetries(image: Tensor) -> list[Tensor]:
    """The image turned and mirrored, in eight ways."""
    turned = [image.rot90(quarter, (2, 3)) for quarter in range(4)]
    return [*turned, *(one.flip(3) for one in turned)]


def _half(sections: Sequence[Sequence[Tensor]], shape: Sequence[int], reach: float) -> list[int]:
    """Largest offset of the two-point term along each axis of the volume."""
    smallest = min(min(image.shape[-2:]) // 2 for found in sections for image in found)
    return [min(smallest, side // 2, max(8, round(_REACH * reach))) for side in shape]


def _offsets(half: Sequence[int], like: Tensor) -> list[Tensor]:
    """Offsets along each axis, shaped so that they broadcast to the whole map."""
    axes = torch.meshgrid(*(torch.arange(-h, h + 1, dtype=torch.float64) for h in half), indexing="ij")
    return [axis.to(like.device) for axis in axes]


def _radial_term(
    sections: Sequence[Sequence[Tensor]],
    shape: Sequence[int],
    fractions: Tensor,
    weight: float,
    reach: float,
    change: NDArray[np.float64] | None,
) -> TwoPoint:
    """Two-point term of an isotropic volume: the section's covariance by distance, at all offsets within reach."""
    half = _half(sections, shape, reach)
    most = max(half)
    flat = normalised_covariance(sections[0], [most, most])[0]  # (K, 2 m + 1, 2 m + 1)
    rows, columns = _offsets([most, most], flat)
    by_distance = _by_distance(flat, (rows.square() + columns.square()).sqrt(), most)
    if change is not None:
        stop = min(change.shape[1], most + 1)
        by_distance[:, :stop] += torch.from_numpy(change[:, :stop]).to(by_distance)
    distance = torch.stack([axis.square() for axis in _offsets(half, flat)]).sum(dim=0).sqrt()
    low = distance.floor().long().clamp(max=most - 1)
    part = (distance - low).clamp(max=1.0)
    covariance = by_distance[:, low] * (1 - part) + by_distance[:, low + 1] * part
    # A shell holds r^2 offsets, and all distances count alike.
    importance = (distance <= most) / distance.clamp(min=1).square()
    return _term(covariance[None], importance, fractions, weight, sections[0][0])


def _by_distance(flat: Tensor, distance: Tensor, most: int) -> Tensor:
    """Average a map over directions, shape (K, most + 1); an offset counts for both whole distances beside its own."""
    low = distance.floor().long()
    sums = torch.zeros(len(flat), most + 2, dtype=flat.dtype, device=flat.device)
    counts = torch.zeros(most + 2, dtype=flat.dtype, device=flat.device)
    inside = distance <= most
    for place, share in ((low, 1 - (distance - low)), (low + 1, distance - low)):
        sums.index_add_(1, place[inside], flat[:, inside] * share[inside])
        counts.index_add_(0, place[inside], share[inside])
    return (sums / counts.clamp(min=1e-12))[:, : most + 1]


def _sectional_term(
    sections: Sequence[Sequence[Tensor]], shape: Sequence[int], fractions: Tensor, weight: float, reach: float
) -> TwoPoint:
    """Two-point term of a volume with oriented sections: their covariances on the planes through the centre."""
    half = _half(sections, shape, reach)
    like = next(image for found in sections for image in found)
    size = [2 * h + 1 for h in half]
    covariance = torch.zeros(1, like.shape[1], *size, dtype=torch.float64, device=like.device)
    importance = torch.zeros(size, dtype=torch.float64, device=like.device)
    for axis, own in enumerate(sections):
        if not own:
            continue
        inside = [h for other, h in enumerate(half) if other != axis]
        rows, columns = _offsets(inside, like)
        distance = (rows.square() + columns.square()).sqrt().clamp(min=1)
        share = torch.where((rows == 0) | (columns == 0), 1 + 1 / distance, 1 / distance)
        covariance.select(2 + axis, half[axis]).add_(normalised_covariance(own, inside) * share)
        importance.select(axis, half[axis]).add_(share)
    covariance = covariance / importance.clamp(min=1e-12)
    return _term(covariance, importance, fractions, weight, like)


def _term(covariance: Tensor, importance: Tensor, fractions: Tensor, weight: float, like: Tensor) -> TwoPoint:
    asked = fractions.double().reshape(1, -1, 1, 1, 1).to(covariance.device)
    target = covariance * asked * (1 - asked) + asked.square()
    scale = float((importance * (target - asked.square()).square()[:, 1:]).sum())
    # The amounts sum to one, so that the first phase has the covariances of the others and costs a transform more.
    return TwoPoint(weight, target[:, 1:].to(like), importance.to(like), scale)
