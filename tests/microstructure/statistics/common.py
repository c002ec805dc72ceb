"""One tester for every statistic: it declares facts, the tester runs what follows from them.

A statistic is a function of a microstructure that returns an array. Its facts say along which axis phases lie, how it
scales with the spacing, and whether a thin volume and a 2-D image have a common meaning.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from matlens import Microstructure


@dataclass(frozen=True)
class Facts:
    """What a statistic claims of itself.

    compute: of a microstructure, an array whose axis 0 is the phase (by_phase) and, if ``axis`` is given, whose axis of
    that number runs over array axes. power: exponent of length in its unit (None: a function of ndim). brute: the
    definition, slow. absent: the value of a phase that does not occur. thin: a volume of equal layers (periodic) has
    the value of one layer. shift: cyclic shifts of a periodic structure do not matter. spatial: number of the
    first axis of a result that is a map. turns: reversing the order of the axes reverses that of the result.
    """

    compute: Callable[[Microstructure], np.ndarray]
    power: int | Callable[[int], int] = 0
    by_phase: bool = True
    axis: int | None = None
    brute: Callable[[Microstructure], np.ndarray] | None = None
    absent: float = np.nan
    thin: bool = False
    shift: bool = True
    small: tuple[tuple[int, ...], ...] = ((9, 7), (5, 6, 4))
    tolerance: float = 1e-9
    spatial: int | None = None
    turns: bool = True


def random_structure(shape, *, phases=3, periodic=False, spacing=1.0, seed=0, smooth=True):
    """Labels with some structure, all phases present."""
    rng = np.random.default_rng(seed)
    field = rng.normal(size=shape)
    if smooth:
        for axis in range(len(shape)):
            field = field + np.roll(field, 1, axis) + np.roll(field, -1, axis)
    labels = np.digitize(field, np.quantile(field, np.arange(1, phases) / phases))
    return Microstructure(labels, spacing=spacing, unit="um", phase_names="abcdefgh"[:phases], periodic=periodic)


def check(facts: Facts) -> None:
    """Run everything that follows from the facts; each part can be called alone."""
    for shape in facts.small:
        for periodic in (False, True):
            m = random_structure(shape, periodic=periodic, seed=len(shape))
            against_brute_force(facts, m)
            against_brute_force(facts, with_spacing(m, (1.5, 1.0, 2.0)[: m.ndim]))
            units(facts, m)
            phase_permutation(facts, m)
            absent_phase(facts, m)
            dtypes(facts, m)
            if periodic:
                shift_invariance(facts, m)
            axis_permutation(facts, m)
    if facts.thin:
        thin_volume(facts)


def with_spacing(m, spacing):
    return Microstructure(m.labels, spacing, m.unit, m.phase_names, m.periodic)


def against_brute_force(facts, m):
    if facts.brute is not None:
        same(facts, facts.compute(m), facts.brute(m))


def units(facts, m):
    power = facts.power if isinstance(facts.power, int) else facts.power(m.ndim)
    doubled = facts.compute(with_spacing(m, [2 * s for s in m.spacing]))
    same(facts, doubled, facts.compute(m) * 2.0**power)


def phase_permutation(facts, m):
    order = np.roll(np.arange(m.n_phases), 1)  # old label -> new label
    permuted = facts.compute(Microstructure(order[m.labels], m.spacing, m.unit, m.phase_names, m.periodic))
    plain = facts.compute(m)
    same(facts, permuted[order] if facts.by_phase else permuted, plain)


def absent_phase(facts, m):
    more = Microstructure(m.labels, m.spacing, m.unit, [*m.phase_names, "none"], m.periodic)
    found, plain = facts.compute(more), facts.compute(m)
    if facts.by_phase:
        same(facts, found[:-1], plain)
        known = np.asarray(found[-1], dtype=float)
        ok = np.isnan(known) if np.isnan(facts.absent) else np.isnan(known) | (known == facts.absent)
        assert ok.all(), known
    else:
        same(facts, found, plain)


def dtypes(facts, m):
    plain = facts.compute(m)
    for dtype in (np.int64, np.int16, np.uint8):
        again = Microstructure(np.asfortranarray(m.labels.astype(dtype)), m.spacing, m.unit, m.phase_names, m.periodic)
        np.testing.assert_array_equal(facts.compute(again), plain)


def shift_invariance(facts, m):
    if facts.shift:
        shifted = m.with_labels(np.roll(m.labels, (1, 3, 2)[: m.ndim], axis=range(m.ndim)))
        same(facts, facts.compute(shifted), facts.compute(m))


def axis_permutation(facts, m):
    turned = Microstructure(m.labels.T, m.spacing[::-1], m.unit, m.phase_names, m.periodic)
    found, plain = facts.compute(turned), facts.compute(m)
    if facts.axis is not None:
        found = np.flip(found, facts.axis)
    if facts.spatial is not None:
        found = found.transpose(*range(facts.spatial), *reversed(range(facts.spatial, found.ndim)))
    if facts.turns:
        same(facts, found, plain)


def thin_volume(facts):
    flat = random_structure((12, 10), periodic=True)
    layers = Microstructure(np.stack([flat.labels] * 6), 1.0, "um", flat.phase_names, periodic=True)
    found, plain = facts.compute(layers), facts.compute(flat)
    if facts.axis is not None:
        found = np.take(found, [1, 2], facts.axis)
    length = min(found.shape[-1], plain.shape[-1])
    same(facts, found[..., :length], plain[..., :length])


def same(facts, found, expected):
    np.testing.assert_allclose(
        np.asarray(found, dtype=float), np.asarray(expected, dtype=float), atol=facts.tolerance, rtol=1e-9
    )
