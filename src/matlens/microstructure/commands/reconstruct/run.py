"""The steps of ``reconstruct`` in a run directory; every step can be killed and done again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from math import prod
from typing import Any, NamedTuple

from matlens.core.settings import taken_by
from matlens.errors import InputError
from matlens.hooks import Progress
from matlens.microstructure.commands.inputs import (
    Inputs,
    exemplars_of,
    read_inputs,
    store_structures,
    stored_inputs,
    understood,
)
from matlens.microstructure.commands.judging import compare_in
from matlens.microstructure.commands.outcome import check_weights, write_outcome
from matlens.microstructure.commands.realisation_store import RealisationStore
from matlens.microstructure.commands.reconstruct import from_statistics, in_space
from matlens.microstructure.commands.reconstruct.spec import ReconstructSpec
from matlens.microstructure.reconstruction import Plan as Realisations
from matlens.microstructure.reconstruction import find_method, plan, reconstruct
from matlens.microstructure.reconstruction.sections import SectionChecks
from matlens.microstructure.segmentation import Segmentation
from matlens.microstructure.statistics.equivalence.comparison import comparison_work
from matlens.microstructure.structure import Microstructure
from matlens.runs.codecs import JSON, read_value
from matlens.runs.command import LIBRARIES, Plan, Prepared, options_of
from matlens.runs.directory import RunDirectory
from matlens.runs.resumable import once

__all__ = ["described", "forecast", "prepare", "work"]

# Measured on one thread, on files from 256 x 256 to 746 x 1760 px.
_JUDGED = 5e-6  # seconds for each pixel of the work of a comparison
_REPORT = 8.0  # seconds
CHECKS = "sections.json"
ANCHORS, ANCHOR = "anchors", "anchor"  # in the settings, and the files of the known planes


class Found(NamedTuple):
    """Inputs that have been read, and what is planned with them.

    Attributes
    ----------
    sections, anchors : sequence of Segmentation
        Micrographs, and known planes of a volume.
    planned : Plan
        The reconstruction.
    """

    sections: Sequence[Segmentation]
    anchors: Sequence[Segmentation]
    planned: Realisations[Any]


def prepare(spec: ReconstructSpec, environment: Mapping[str, Any]) -> Prepared:
    """Read the micrographs, and resolve shape, encoder and options of the method.

    Parameters
    ----------
    spec : ReconstructSpec
        Options of the command.
    environment : mapping
        Device, threads and versions that the run works with.

    Returns
    -------
    Prepared
        The options with every ``auto`` resolved, what is kept in settings.toml besides, and the inputs read.

    Raises
    ------
    InputError
        If something asked for cannot be done.
    ResourceError
        If weights are not at hand, or cannot be used.
    """
    if spec.target is not None:
        return from_statistics.prepare(spec, environment)
    files = spec.files or tuple((spec.plane or {}).values())
    if not files:
        raise InputError("nothing to resemble: name one or more micrographs, or statistics with --target (see --help).")
    inputs = Inputs.asked(files, spec)
    found = read_inputs(inputs)
    spec = replace(spec, device=environment["device"])
    anchors = Inputs.asked(tuple((spec.anchor or {}).values()), spec)
    known = read_inputs(anchors) if anchors.sources else []
    planned = _plan(spec, [one.microstructure for one in found], [one.microstructure for one in known])
    choices = planned.settings
    spec = replace(
        spec,
        shape=tuple(choices["shape"]),
        encoder=choices.get("encoder", spec.encoder),
        set=choices.get("options", spec.set) or None,
    )
    return Prepared(
        spec,
        described(choices),
        {"inputs": inputs.hashed().settings(), **_kept_settings(anchors), "resolved": choices},
        Found(found, known, planned),
        understood([*found, *known]),
    )


def forecast(prepared: Prepared) -> Plan | None:
    """Estimate the cost of all realisations.

    The cost of a reconstruction from statistics alone is unknown: annealing ends when it has matched them.

    Parameters
    ----------
    prepared : Prepared
        What `prepare` returned.

    Returns
    -------
    Plan or None
        Size, seconds and bytes; None if they are unknown.
    """
    if prepared.found is None:
        return None
    planned = prepared.found.planned
    seconds, size = planned.cost
    seconds *= 1 + prepared.options.target_resamples / prepared.options.n
    exemplars = [segmentation.microstructure for segmentation in prepared.found.sections]
    sides = [exemplar.shape for exemplar in exemplars]
    seconds += _JUDGED * comparison_work(planned.shape, prepared.options.n, exemplars) + _REPORT
    words = f"{prepared.options.n} x {'x'.join(map(str, planned.shape))} px"
    if len(planned.shape) == 2 and planned.shape != sides[0]:
        words += f", a window of the {'x'.join(map(str, sides[0]))} px of the file (--shape full makes all of it)"
    # A realisation is written as NPY and TIFF of one byte a pixel each.
    disk = 2.0 * prepared.options.n * prod(planned.shape)
    advice = "use --downsample {factor} or --shape {shape}"
    return Plan(words, seconds, LIBRARIES + size, planned.shape, advice, disk)


def described(choices: Mapping[str, Any]) -> str:
    """Describe in one line what a reconstruction will do, with every choice resolved.

    Parameters
    ----------
    choices : mapping
        Resolved settings of the reconstruction.

    Returns
    -------
    str
        The line.

    Examples
    --------
    >>> choices = {"n": 2, "shape": [64, 64], "encoder": "filterbank", "preset": "fast", "seed": 0, "device": "cpu"}
    >>> described({**choices, "threads": 1})
    '2 x 64x64 px, encoder filterbank, preset fast, seed 0, device cpu, threads 1'
    """
    size = "x".join(str(side) for side in choices["shape"])
    names = [name for name in ("encoder", "preset", "seed", "device", "threads") if name in choices]
    if "encoder" not in choices:  # a classical method
        names.insert(0, "method")
    named = ", ".join(f"{name} {choices[name]}" for name in names)
    return f"{choices['n']} x {size} px, {named}"


def work(run: RunDirectory, progress: Progress, found: Found | None = None) -> None:
    """Reconstruct as the run's settings say, compare with the exemplars, and write everything but the report.

    Parameters
    ----------
    run : RunDirectory
        Open; may hold the beginning of the same work.
    progress : Progress
        Shows how far the work is.
    found : Found, optional
        The inputs and what is planned with them, where they have been read and the encoder is loaded already.

    Raises
    ------
    Interrupted
        On KeyboardInterrupt; the best so far is written as ``partial_I.npy`` and ``.tif``.
    SomeFailed
        If all of several realisations failed; those that fail beside others are named in the provenance.
    """
    spec = options_of(run, ReconstructSpec)
    if spec.target is not None:
        from_statistics.work(run, progress)
        return
    anchors = _anchors_of(run, None if found is None else found.anchors)
    sections = None if found is None else found.sections
    exemplars = exemplars_of(run, Inputs.from_settings(run.settings["inputs"]), sections)
    planned = _planned(run, spec, exemplars, anchors) if found is None else found.planned
    if planned.checks is not None:
        once(run, CHECKS, planned.checks.to_settings, JSON)
    check_weights(run, planned.settings.get("weights", {}))
    # Sections of a volume are brought to one pixel size, which is that of the result.
    store = RealisationStore(run, planned.exemplars[0], say=progress.say)
    result = store.make(planned, progress)
    write_outcome(run, result)

    def from_halves(halves: Sequence[Microstructure], seed: int) -> Realisations[Any]:
        return _plan(replace(spec, n=1, seed=seed), halves, anchors, planned.checks)

    # Before the comparisons, which every worker would repeat.
    in_space.share_halves(run, from_halves, exemplars, spec.target_resamples, spec.seed, progress)
    made = dict(zip(result.numbers, result.microstructures))
    if spec.plane:
        in_space.judge_by_axis(run, spec.plane, exemplars, made, progress, spec.seed)
    else:
        compare_in(run, result.microstructures, exemplars, progress, seed=spec.seed)
    if len(planned.shape) == 3:
        in_space.propose(run, made, progress)
    if spec.target_resamples:
        in_space.propose_from_halves(run, from_halves, exemplars, spec.target_resamples, spec.seed, progress)


def _kept_settings(anchors: Inputs) -> dict[str, Any]:
    """What the settings of the run keep of the files of known planes."""
    return {ANCHORS: anchors.hashed().settings()} if anchors.sources else {}


def _anchors_of(run: RunDirectory, read: Sequence[Segmentation] | None) -> list[Microstructure]:
    """The known planes, which the run keeps, so that it no longer needs their files."""
    if ANCHORS not in run.settings:
        return []
    stored = stored_inputs(run, ANCHOR)
    if stored is None:
        read = read or read_inputs(Inputs.from_settings(run.settings[ANCHORS]))
        stored = [one.microstructure for one in read]
        store_structures(run, ANCHOR, stored)
    return stored


def _planned(
    run: RunDirectory,
    spec: ReconstructSpec,
    exemplars: Sequence[Microstructure],
    anchors: Sequence[Microstructure],
) -> Realisations[Any]:
    """Plan again what a run was to make; its sections are not checked again."""
    kept = (run.path / CHECKS).is_file()
    return _plan(spec, exemplars, anchors, SectionChecks.from_settings(read_value(run, CHECKS, JSON)) if kept else None)


def _plan(
    spec: ReconstructSpec,
    exemplars: Sequence[Microstructure],
    anchors: Sequence[Microstructure],
    checks: SectionChecks | None = None,
) -> Realisations[Any]:
    given = dict(zip(spec.plane, exemplars, strict=True)) if spec.plane else exemplars
    known = dict(zip(spec.anchor or {}, anchors, strict=True))
    asked = {**taken_by(reconstruct, spec), "method": find_method(spec.method, spec.set or {}), "anchor": known}
    return plan(given, checks=checks, **asked)
