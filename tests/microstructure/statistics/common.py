"""One tester for every statistic: it knows what a function claims of itself, and runs what follows from that.

What statistics of the catalogue claim stands in their declarations: dimensions and units say along which axis phases
and directions lie and how values scale with the spacing, and `matlens.microstructure.statistics.Facts` says the rest.
Other functions of a microstructure that return an array claim it in the tests.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from matlens import Microstructure
from matlens.microstructure.statistics import Facts, Statistic, Variable

LAYER = 4  # pixels of a layer of the laminate


@dataclass(frozen=True)
class Claims:
    """What a function claims of itself.

    compute: of a microstructure, an array whose axis 0 is the phase (by_phase), whose axis 1 is the second phase of a
    pair (pairs) and, if ``axis`` is given, whose axis of that number runs over array axes. power: exponent of length in
    its unit (None: a function of ndim). curve: the last axis runs over offsets. brute: the definition, slow. spatial:
    number of the first axis of a result that is a map. facts: see there.
    """

    compute: Callable[[Microstructure], np.ndarray]
    power: int | Callable[[int], int] = 0
    by_phase: bool = True
    pairs: bool = False
    axis: int | None = None
    curve: bool = False
    brute: Callable[[Microstructure], np.ndarray] | None = None
    spatial: int | None = None
    small: tuple[tuple[int, ...], ...] = ((9, 7), (5, 6, 4))
    facts: Facts = field(default_factory=Facts)


def claims_of(statistic: Statistic, **brute: Callable[[Microstructure], np.ndarray]) -> dict[str, Claims]:
    """What a statistic of the catalogue claims, by variable; ``brute`` holds slow definitions by variable."""
    measured: dict[tuple, tuple] = {}

    def measure(m: Microstructure) -> tuple:
        key = (m.labels.tobytes(), m.labels.dtype, m.shape, m.spacing, m.periodic, m.n_phases)
        if key not in measured:
            measured[key] = statistic.measure(m)
        return measured[key]

    def claims(number: int, variable: Variable) -> Claims:
        return Claims(
            lambda m: np.asarray(measure(m)[number]),
            power=lambda ndim: power_of(variable.units.format(unit="px", ndim=ndim)),
            by_phase="phase" in variable.dims,
            pairs="other" in variable.dims,
            axis=variable.dims.index("axis") if "axis" in variable.dims else None,
            curve="r" in variable.dims,
            brute=brute.get(variable.name),
            facts=variable.facts,
        )

    return {variable.name: claims(number, variable) for number, variable in enumerate(statistic.variables)}


def power_of(units: str) -> int:
    unit, _, power = units.partition("^")
    return 0 if unit == "1" else int(power or 1)


def random_structure(shape, *, phases=3, periodic=False, spacing=1.0, seed=0, smooth=True):
    """Labels with some structure, all phases present."""
    rng = np.random.default_rng(seed)
    field = rng.normal(size=shape)
    if smooth:
        for axis in range(len(shape)):
            field = field + np.roll(field, 1, axis) + np.roll(field, -1, axis)
    labels = np.digitize(field, np.quantile(field, np.arange(1, phases) / phases))
    return Microstructure(labels, spacing=spacing, unit="um", phase_names=list("abcdefgh")[:phases], periodic=periodic)


def check(claims: Claims) -> None:
    """Run everything that follows from the claims; each part can be called alone."""
    for shape in claims.small:
        for periodic in (False, True):
            m = random_structure(shape, periodic=periodic, seed=len(shape))
            against_brute_force(claims, m)
            against_brute_force(claims, with_spacing(m, (1.5, 1.0, 2.0)[: m.ndim]))
            units(claims, m)
            phase_permutation(claims, m)
            absent_phase(claims, m)
            dtypes(claims, m)
            bounds(claims, m)
            if periodic:
                shift_invariance(claims, m)
            axis_permutation(claims, m)
    if claims.facts.layers:
        thin_volume(claims)
    if claims.facts.laminate is not None:
        laminate(claims)


def with_spacing(m, spacing):
    return Microstructure(m.labels, spacing, m.unit, m.phase_names, m.periodic)


def against_brute_force(claims, m):
    if claims.brute is not None:
        same(claims, claims.compute(m), claims.brute(m))


def units(claims, m):
    power = claims.power if isinstance(claims.power, int) else claims.power(m.ndim)
    doubled = claims.compute(with_spacing(m, [2 * s for s in m.spacing]))
    same(claims, doubled, claims.compute(m) * 2.0**power)


def phase_permutation(claims, m):
    order = np.roll(np.arange(m.n_phases), 1)  # old label -> new label
    permuted = claims.compute(Microstructure(order[m.labels], m.spacing, m.unit, m.phase_names, m.periodic))
    plain = claims.compute(m)
    if claims.by_phase:
        permuted = permuted[order]
    if claims.pairs:
        permuted = permuted[:, order]
    same(claims, permuted, plain)


def absent_phase(claims, m):
    more = Microstructure(m.labels, m.spacing, m.unit, [*m.phase_names, "none"], m.periodic)
    found, plain = claims.compute(more), claims.compute(m)
    if claims.by_phase:
        same(claims, found[:-1, :-1] if claims.pairs else found[:-1], plain)
        known = np.asarray(found[-1], dtype=float)
        near = np.isclose(known, claims.facts.absent, rtol=0, atol=claims.facts.tolerance)
        ok = np.isnan(known) if np.isnan(claims.facts.absent) else np.isnan(known) | near
        assert ok.all(), known
    else:
        same(claims, found, plain)


def dtypes(claims, m):
    plain = claims.compute(m)
    for dtype in (np.int64, np.int16, np.uint8):
        again = Microstructure(np.asfortranarray(m.labels.astype(dtype)), m.spacing, m.unit, m.phase_names, m.periodic)
        np.testing.assert_array_equal(claims.compute(again), plain)


def shift_invariance(claims, m):
    if claims.facts.shift:
        shifted = m.with_labels(np.roll(m.labels, (1, 3, 2)[: m.ndim], axis=range(m.ndim)))
        same(claims, claims.compute(shifted), claims.compute(m))


def axis_permutation(claims, m):
    turned = Microstructure(m.labels.T, m.spacing[::-1], m.unit, m.phase_names, m.periodic)
    found, plain = claims.compute(turned), claims.compute(m)
    if claims.axis is not None:
        found = np.flip(found, claims.axis)
    if claims.spatial is not None:
        found = found.transpose(*range(claims.spatial), *reversed(range(claims.spatial, found.ndim)))
    if claims.facts.turns:
        same(claims, found, plain)


def thin_volume(claims):
    flat = random_structure((12, 10), periodic=True)
    layers = Microstructure(np.stack([flat.labels] * 6), 1.0, "um", flat.phase_names, periodic=True)
    found, plain = claims.compute(layers), claims.compute(flat)
    if claims.axis is not None:
        found = np.take(found, [1, 2], claims.axis)
    length = min(found.shape[-1], plain.shape[-1])
    same(claims, found[..., :length], plain[..., :length])


def bounds(claims, m):
    found, facts = np.asarray(claims.compute(m), dtype=float), claims.facts
    if m.ndim not in facts.ndim:
        assert np.isnan(found).all()
    known = found[~np.isnan(found)]
    assert (known >= facts.least - facts.tolerance).all(), known.min()
    assert (known <= facts.most + facts.tolerance).all(), known.max()


def laminate(claims):
    m = Microstructure(np.tile(np.repeat([0, 1], LAYER), (4 * LAYER, 2)), periodic=True)
    found = claims.compute(m)
    if claims.by_phase:
        found = found[1]
    if claims.curve:
        found = found[..., : LAYER + 1]
    same(claims, found, claims.facts.laminate(LAYER))


def same(claims, found, expected):
    np.testing.assert_allclose(
        np.asarray(found, dtype=float), np.asarray(expected, dtype=float), atol=claims.facts.tolerance, rtol=1e-9
    )
