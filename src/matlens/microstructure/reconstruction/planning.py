"""Reconstruction of statistically equivalent microstructures from one or a few micrographs."""

from __future__ import annotations

import inspect
import os
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Literal, NamedTuple, TypeAlias

import numpy as np

from matlens.core.arguments import checked_arguments
from matlens.errors import InputError
from matlens.hooks import NoStore, Progress, Silent, StateStore
from matlens.microstructure.reconstruction.anchors import Known, check_room, known_voxels
from matlens.microstructure.reconstruction.asked_shape import SMALLEST, checked_shape
from matlens.microstructure.reconstruction.default_shape import default_shape
from matlens.microstructure.reconstruction.faces import Faces, at_one_spacing, faces_of
from matlens.microstructure.reconstruction.fractions import FractionRule, asked_fractions, check_fraction
from matlens.microstructure.reconstruction.matching.presets import Preset
from matlens.microstructure.reconstruction.method import Method, Prepared, Wishes, Work
from matlens.microstructure.reconstruction.methods import METHOD_NAMES, find_method, options_of, with_options
from matlens.microstructure.reconstruction.realisations import Plan
from matlens.microstructure.reconstruction.result import Reconstruction
from matlens.microstructure.reconstruction.sections import (
    ISOTROPIC,
    Realisability,
    SectionChecks,
    check_realisable,
    checked_sections,
)
from matlens.microstructure.segmentation import StructureLike, StructuresLike, as_structure, as_structures
from matlens.microstructure.structure import Microstructure

__all__ = ["Exemplars", "plan", "plan_method", "reconstruct"]

Exemplars: TypeAlias = (
    Microstructure | Sequence[Microstructure] | Mapping[str, Microstructure | Sequence[Microstructure]]
)
"""Micrographs of one material; sections of a volume by the names of their planes."""


@checked_arguments
def reconstruct(
    exemplar: StructuresLike | Mapping[str, StructuresLike],
    shape: Sequence[int] | Literal["full"] | None = None,
    *,
    method: str | Method[Any] = "matching",
    encoder: str = "auto",
    weights: str | os.PathLike[str] | None = None,
    preset: str | Preset = "default",
    n: int = 1,
    fraction: FractionRule = "exact",
    seed: int = 0,
    force_sections: bool = False,
    nearest: bool = False,
    anchor: Mapping[str, StructureLike] | None = None,
    device: str = "auto",
    progress: Progress | None = None,
    checkpoint: StateStore | None = None,
) -> Reconstruction:
    """Reconstruct statistically equivalent microstructures, in the plane or in space, from one or a few micrographs.

    Parameters
    ----------
    exemplar : Microstructure, array_like or path-like, or sequence of them, or mapping of them by plane
        Two-dimensional micrographs to resemble; several are fields of view of one material and give one target. Arrays
        and files may hold labels or grey values; the progress says what was understood of them. Of masked pixels
        nothing is learned: Gram matrices are taken where no masked pixel is seen, two-point probabilities over pairs of
        known pixels.
    shape : (int, int) or "full", optional
        Height and width of the result in pixels; ``"full"`` takes those of the first exemplar. By default the result is
        a window that shows the material: 12 times the reach of its covariance, from 128 to 256 pixels, and no
        more than the exemplar.
    method : str or Method
        A key of `matlens.microstructure.reconstruction.METHODS`: ``"matching"`` or a classical method; or a method with
        its options. Classical methods compute on the processor and take no encoder, weights or preset.
    encoder : str
        ``"auto"`` or a key of `matlens.microstructure.encoders.ENCODERS`.
    weights : path-like, optional
        Weights file to use instead of the registered one.
    preset : str or Preset
        ``"default"``, ``"fast"`` or ``"li2018"``, or a preset; ``"li2018"`` makes no volumes.
    n : int
        Number of realisations.
    fraction : {"exact", "sampled"} or sequence of float
        Volume fractions: those of the exemplar; those with the variability of windows of the material; or given
        numbers, one per phase. A volume has no ``"sampled"`` ones: how much cubes vary, a section does not tell.
    seed : int
        Seed; the same seed, threads, device and versions give the same bytes.
    force_sections : bool
        Whether to make a volume although a check of its sections found that none can have them, or that they
        contradict one another.
    nearest : bool
        Whether the two-point target is the nearest that an isotropic volume can have, where that of the section is
        none that a volume has; a note says how far it is.
    anchor : mapping of str to Microstructure, array_like or path-like, optional
        Known planes of a volume by the axis normal to them and their number along it, such as ``{"z=0": image}``. The
        volume has exactly these planes and continues them; its fractions as a whole are as asked for. Rows and columns
        of an image are the other axes in the order z, y, x; masked pixels are free.
    device : {"auto", "cpu", "cuda"}
        Device that computes.
    progress : Progress, optional
        Called with evaluations done and total.
    checkpoint : StateStore, optional
        Stores optimiser state and finished realisations, so that a run can resume.

    Returns
    -------
    Reconstruction
        The realisations, with settings and history.

    Raises
    ------
    InputError
        If an argument cannot be used.
    ResourceError
        If weights are not found.
    Interrupted
        On KeyboardInterrupt, with the partial result.

    Notes
    -----
    Pixels move until the Gram matrices of an encoder's features match, after Gatys, Ecker and Bethge, NeurIPS (2015),
    and Li et al., Sci. Rep. 8, 13461 (2018), together with the two-point probability and total variation.

    Examples
    --------
    >>> from matlens.microstructure.problems import bicontinuous
    >>> exemplar = bicontinuous((32, 32), wavelength=8, seed=1)
    >>> result = reconstruct(exemplar, encoder="filterbank", preset="fast", seed=0)
    >>> result.microstructure
    Microstructure(32 x 32, 2 phases, 1 px, periodic)
    >>> bool((result.microstructure.volume_fractions == exemplar.volume_fractions).all())
    True
    """
    given = (
        {name: as_structures(each, progress) for name, each in exemplar.items()}
        if isinstance(exemplar, Mapping)
        else as_structures(exemplar, progress)
    )
    work = plan(
        given,
        shape,
        method=method,
        encoder=encoder,
        weights=weights,
        preset=preset,
        n=n,
        fraction=fraction,
        seed=seed,
        force_sections=force_sections,
        nearest=nearest,
        anchor={place: as_structure(plane, progress) for place, plane in (anchor or {}).items()},
        device=device,
    )
    return work.run(progress or Silent(), checkpoint or NoStore())


def plan(
    exemplar: Exemplars,
    shape: Sequence[int] | Literal["full"] | None = None,
    *,
    method: str | Method[Any] = "matching",
    n: int = 1,
    fraction: FractionRule = "exact",
    seed: int = 0,
    force_sections: bool = False,
    nearest: bool = False,
    anchor: Mapping[str, Microstructure] | None = None,
    checks: SectionChecks | None = None,
    **options: Any,
) -> Plan[Prepared]:
    """Check the arguments of `reconstruct` and resolve every setting.

    Parameters
    ----------
    exemplar, shape, method, n, fraction, seed, force_sections, nearest, anchor
        As in `reconstruct`.
    checks : SectionChecks, optional
        What was found of the sections before; they are not checked again.
    **options
        Those that only a method knows, such as ``encoder`` and ``preset``; they reach the method by their names.

    Returns
    -------
    Plan
        Checked plan; nothing is reconstructed yet.

    Raises
    ------
    InputError
        If an argument cannot be used, or the method does not take it.
    ResourceError
        If weights are not found.

    Examples
    --------
    >>> from matlens.microstructure.problems import bicontinuous
    >>> plan(bicontinuous((32, 32), seed=1), (40, 24), method="gaussian-field").settings["method"]
    'gaussian-field'
    """
    chosen = find_method(method) if isinstance(method, str) else method
    known = options_of(chosen)
    # Defaults stand once, in the public signature; a value that equals one asks a classical method for nothing.
    defaults = {name: parameter.default for name, parameter in inspect.signature(reconstruct).parameters.items()}
    given = {name: value for name, value in options.items() if name not in defaults or value != defaults[name]}
    given = {name: value for name, value in given.items() if name in known or name != "device"}
    if unknown := [name for name in given if name not in known]:
        raise InputError(
            f"method {chosen.name!r} has no {unknown[0]}; leave it out, or choose a method that has, such as "
            f"{METHOD_NAMES[0]!r}."
        )
    return plan_method(
        with_options(chosen, given),
        exemplar,
        shape,
        n=n,
        fraction=fraction,
        seed=seed,
        force_sections=force_sections,
        nearest=nearest,
        anchor=anchor,
        checks=checks,
    )


def plan_method(
    method: Method[Work],
    exemplar: Exemplars,
    shape: Sequence[int] | Literal["full"] | None = None,
    *,
    n: int = 1,
    fraction: FractionRule = "exact",
    seed: int = 0,
    force_sections: bool = False,
    nearest: bool = False,
    anchor: Mapping[str, Microstructure] | None = None,
    checks: SectionChecks | None = None,
) -> Plan[Work]:
    """Check a reconstruction by a method with its options, and resolve every setting.

    Parameters
    ----------
    method : Method
        The method.
    exemplar, shape, n, fraction, seed, force_sections, nearest, anchor
        As in `reconstruct`.
    checks : SectionChecks, optional
        What was found of the sections before; they are not checked again.

    Returns
    -------
    Plan
        Checked plan; nothing is reconstructed yet.

    Raises
    ------
    InputError
        If an argument cannot be used, or the method or an option does not suit the exemplars.
    ResourceError
        If weights or a package that the method needs are missing.

    Examples
    --------
    >>> from matlens.microstructure.problems import bicontinuous
    >>> plan_method(find_method("quilting"), bicontinuous((64, 64), seed=1)).settings["options"]["overlap"]
    0.2
    """
    found = _sections(exemplar, shape, force_sections, nearest, checks)
    exemplars, faces, told = found.exemplars, found.faces, found.said
    asked = _checked(exemplars, shape, n, fraction, seed, in_space=bool(faces))
    seen, said = exemplars, _masked(exemplars, takes=method.takes_masks)
    if said and not method.takes_masks:
        seen = tuple(m.unmasked() for m in exemplars)
        _check_exemplars(seen)
    if nearest and not method.takes_nearest:
        raise InputError(
            f"method {method.name!r} aims at the section's own two-point function; leave the nearest target out, or "
            "choose 'matching'."
        )
    known, held = _held(anchor, exemplars, asked, fraction, method)
    if faces:
        prepared = method.prepare_volume(seen, faces, asked, seed, Wishes(known, found.nearest))
    else:
        prepared = method.prepare(seen, asked, seed)
    told = (*told, *held)
    if said or told:
        prepared = replace(prepared, notes=(*told, *said, *prepared.notes))
    settings = {
        "method": method.name,
        **prepared.choices,
        "shape": list(asked),
        "fraction": fraction if isinstance(fraction, str) else [float(value) for value in fraction],
        "n": n,
        "seed": seed,
    }
    if anchor:
        settings["anchors"] = list(anchor)
    if found.warned:
        settings["warnings"] = list(found.warned)
    return Plan(prepared, exemplars, asked, fraction, n, seed, settings, found.checks)


class _Sections(NamedTuple):
    """Exemplars; for a volume, also which of them planes normal to each axis resemble, and what was found of them.

    Of the sentences, those in ``warned`` speak against the volume.
    """

    exemplars: tuple[Microstructure, ...]
    faces: Faces = ()
    said: tuple[str, ...] = ()
    warned: tuple[str, ...] = ()
    checks: SectionChecks | None = None
    nearest: Realisability | None = None


def _sections(
    exemplar: Exemplars,
    shape: Sequence[int] | Literal["full"] | None,
    force: bool,
    nearest: bool,
    checks: SectionChecks | None,
) -> _Sections:
    """Return the exemplars, and check the sections of a volume unless that has been done."""
    in_space = shape is not None and not isinstance(shape, str) and len(shape) == 3
    if isinstance(exemplar, Mapping):
        if not in_space:
            raise InputError("sections of named planes make a volume; give its depth, height and width as the shape.")
        named = {name: [one] if isinstance(one, Microstructure) else list(one) for name, one in exemplar.items()}
        sections, faces, said = faces_of(named)
    else:
        sections = [exemplar] if isinstance(exemplar, Microstructure) else list(exemplar)
        if not in_space:
            if nearest:
                raise InputError("the nearest target is about a volume; give its depth, height and width as the shape.")
            return _Sections(tuple(sections))
        named, faces = {ISOTROPIC: sections}, (tuple(range(len(sections))),) * 3
        said = ["the micrograph is taken for a section of an isotropic material, which one section cannot test"]
    _check_exemplars(sections, one_scale=False)
    if checks is None:
        checks = checked_sections({name: [one.unmasked() for one in own] for name, own in named.items()})
    near = checks.nearest if nearest else None
    if nearest and near is None:
        raise InputError(
            "the nearest target is about isotropic volumes, and the sections have named planes; leave it out, or give "
            "sections without names."
        )
    stops = [sentence for sentence in checks.stops if near is None or sentence != near.finding.sentence]
    if stops and not force:
        ways = "--force-sections (in Python force_sections=True) makes a volume all the same"
        if checks.nearest is not None and checks.nearest.finding.stops and not nearest:
            ways = "--nearest (in Python nearest=True) takes the nearest that a volume can have, and " + ways
        raise InputError(f"{' '.join(stops)} Nothing was made; {ways}.")
    sections, brought = at_one_spacing(sections)
    if near is not None:
        if brought:  # distances are in pixels
            near = check_realisable([one.unmasked() for one in sections])
        said = [*said, near.sentence]
    warned = tuple(finding.sentence for finding in checks.findings if not finding.clear)
    return _Sections(tuple(sections), faces, (*said, *brought, *checks.sentences), warned, checks, near)


def _held(
    anchor: Mapping[str, Microstructure] | None,
    exemplars: Sequence[Microstructure],
    shape: tuple[int, ...],
    fraction: FractionRule,
    method: Method[Any],
) -> tuple[Known | None, tuple[str, ...]]:
    """Return the labels of the known voxels, where there are any, and how each known plane was taken."""
    if not anchor:
        return None, ()
    if len(shape) != 3:
        raise InputError("known planes belong to a volume; give its depth, height and width as the shape.")
    if not method.holds_planes:
        raise InputError(f"method {method.name!r} keeps no known planes; leave them out, or choose 'matching'.")
    known, said = known_voxels(anchor, shape, exemplars[0])
    check_room(known, asked_fractions(exemplars, shape, fraction, 0, 0))
    return known, said


def _masked(exemplars: Sequence[Microstructure], *, takes: bool) -> tuple[str, ...]:
    """Say what a method makes of masked pixels, if there are any."""
    shares = [m.masked_share for m in exemplars if m.mask is not None]
    if not shares:
        return ()
    if takes:
        how = "nothing is learned from them, and from all others everything"
    else:
        sizes = ", ".join(" x ".join(map(str, m.unmasked().shape)) for m in exemplars if m.mask is not None)
        how = f"this method takes the largest rectangle without them, {sizes} px"
    return (f"{', '.join(f'{share:.1%}' for share in shares)} of the pixels are masked: {how}",)


def _checked(
    exemplars: Sequence[Microstructure],
    shape: Sequence[int] | Literal["full"] | None,
    n: int,
    fraction: FractionRule,
    seed: int,
    *,
    in_space: bool,
) -> tuple[int, ...]:
    """Check exemplars and shape as every method needs them, and return the shape."""
    _check_exemplars(exemplars)
    asked = checked_shape(_chosen_shape(exemplars, shape))
    check_fraction(fraction, exemplars[0].n_phases)
    if in_space and fraction == "sampled":
        raise InputError(
            "fraction='sampled' needs the scatter of cubes, which a section does not tell; give 'exact' or one number "
            "a phase."
        )
    if n < 1:
        raise InputError(f"n={n} realisations were asked for; give at least 1.")
    if seed < 0:
        raise InputError(f"seed={seed} is negative; give 0 or more.")
    return asked


def _scale(m: Microstructure, unit: str) -> tuple[tuple[float, ...], str]:
    """Spacing and unit, so that equal sizes in different units are equal."""
    same = m.in_unit(unit)
    return same.spacing, same.unit


def _check_exemplars(exemplars: Sequence[Microstructure], *, one_scale: bool = True) -> None:
    if not exemplars:
        raise InputError("no exemplar was given; give at least one micrograph.")
    first = exemplars[0]
    for m in exemplars:
        size = " x ".join(str(side) for side in m.shape)
        if m.ndim != 2:
            raise InputError(
                f"the exemplar is {m.ndim}-dimensional ({size}); reconstruction takes two-dimensional "
                f"ones: take a slice, for example the middle one (--slice z={m.shape[0] // 2})."
            )
        if min(m.shape) < SMALLEST:
            raise InputError(
                f"the exemplar has {size} pixels; the smallest that can be learned from is {SMALLEST} x {SMALLEST}."
            )
        same = not one_scale or _scale(m, first.unit) == _scale(first, first.unit)
        if m.n_phases != first.n_phases or not same:
            raise InputError(
                "the exemplars differ in phases, spacing or unit; give fields of one material at one scale."
            )
    present = np.sum([m.volume_fractions for m in exemplars], axis=0) > 0
    if present.sum() < 2 or not present.all():
        raise InputError(
            f"the exemplars hold {int(present.sum())} of {first.n_phases} phases; at least two are needed and none may "
            "be empty: check the threshold or the labels."
        )
    if all((m.volume_fractions == 1).any() for m in exemplars):
        raise InputError("every exemplar is one phase throughout; at least one must hold two: check the threshold.")


def _chosen_shape(exemplars: Sequence[Microstructure], shape: Sequence[int] | Literal["full"] | None) -> Sequence[int]:
    if shape is None:
        return default_shape(exemplars)
    if not isinstance(shape, str):
        return shape
    if shape != "full":
        raise InputError(f"the shape is {shape!r}; give height and width in pixels, as (256, 256), or 'full'.")
    return exemplars[0].shape
