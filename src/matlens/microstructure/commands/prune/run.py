"""The steps of ``prune`` in a run directory; realisations that are finished are never made again."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import lru_cache, partial
from typing import Any

import numpy as np

from matlens.hooks import Progress
from matlens.microstructure.commands.inputs import Inputs, exemplars_of, read_inputs, stored_inputs, understood
from matlens.microstructure.commands.outcome import check_weights
from matlens.microstructure.commands.prune.spec import PruneSpec
from matlens.microstructure.commands.realisation_store import RealisationStore
from matlens.microstructure.commands.reconstruct.run import described
from matlens.microstructure.encoders import find_encoder
from matlens.microstructure.pruning import (
    Pruning,
    PruningStudy,
    Widths,
    activation_maps,
    leading_channels,
    plan_pruning,
)
from matlens.microstructure.pruning.recommendation import RECOMMENDATION, rule
from matlens.microstructure.reconstruction import Maker, MatchingWork, realisation_key
from matlens.microstructure.reconstruction import Plan as Realisations
from matlens.microstructure.segmentation import Segmentation
from matlens.microstructure.structure import Microstructure
from matlens.runs.codecs import DATASET, TABLE
from matlens.runs.command import LIBRARIES, Plan, Prepared, options_of
from matlens.runs.directory import RunDirectory
from matlens.runs.resumable import once, spread
from matlens.runs.tables import write_table

__all__ = ["cell_folder", "forecast", "prepare", "work"]


_WHOLE = "Pruning"


def prepare(spec: PruneSpec, environment: Mapping[str, Any]) -> Prepared:
    """Read the micrographs, and resolve shape, encoder and depths or widths.

    Parameters
    ----------
    spec : PruneSpec
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
    inputs = Inputs.asked(spec.files, spec)
    found = read_inputs(inputs, alike=False, whole=_WHOLE)
    spec = replace(spec, device=environment["device"])
    planned = _plan(spec, inputs, [segmentation.microstructure for segmentation in found])
    choices = planned.settings
    spec = replace(spec, shape=tuple(choices["shape"]), encoder=choices["encoder"])
    if spec.widths is None:
        spec = replace(spec, depths=tuple(choices["depths"]))
    said = f"{len(found)} material(s) x {len(planned.cuts.names)} {planned.cuts.axis}s x {described(choices)}"
    settings = {"inputs": inputs.hashed().settings(), "resolved": choices}
    return Prepared(spec, said, settings, (found, planned), understood(found))


def forecast(prepared: Prepared) -> Plan:
    """Estimate the cost of all realisations, at most: shallow depths take less than is counted here.

    Parameters
    ----------
    prepared : Prepared
        What `prepare` returned.

    Returns
    -------
    Plan
        Size, seconds and bytes.
    """
    spec, (found, planned) = prepared.options, prepared.found
    encoder = find_encoder(spec.encoder).load_class()
    loss = encoder.losses.get(spec.preset, encoder.losses["default"])
    count = len(found) * len(planned.cuts.names) * spec.n
    pixels = float(np.prod(spec.shape))
    # Most results have three levels; a coarser one has a quarter of the pixels of the next.
    each = sum(count / 4**level for level, count in enumerate(reversed(loss.evaluations(3))))
    effort = len(found) * planned.cuts.effort * spec.n * each
    seconds = effort * pixels * encoder.seconds_per_pixel
    size = f"{count} realisations of {'x'.join(map(str, spec.shape))} px"
    memory = LIBRARIES + pixels * encoder.bytes_per_pixel
    advice = "use --downsample {factor} or --shape {shape}"
    return Plan(size, seconds, memory, tuple(spec.shape), advice, 2.0 * count * pixels)  # NPY and TIFF of bytes


def work(run: RunDirectory, progress: Progress, found: tuple[Sequence[Segmentation], Pruning] | None = None) -> None:
    """Study as the run's settings say, and write everything but the report.

    Realisations are kept in ``MATERIAL/DEPTH/`` or ``MATERIAL/WIDTH/``; then come ``pruning.csv`` (one row a material
    and depth or width), ``ratios.csv``, ``cells.csv``, ``scales.csv`` and ``recommendation.json``. A study of width
    begins with ``channels.csv`` and ``activations_I.nc``, and ends with ``breaks.csv`` too.

    Parameters
    ----------
    run : RunDirectory
        Open; may hold the beginning of the same work.
    progress : Progress
        Shows how far the work is.
    found : sequence of Segmentation and Pruning, optional
        The inputs and what is planned with them, where they have been read and the encoder is loaded already.

    Raises
    ------
    Interrupted
        On KeyboardInterrupt; finished realisations and the state of the one in the making are kept.
    """
    inputs = Inputs.from_settings(run.settings["inputs"])
    read, planned = found or (None, None)
    if read is None and stored_inputs(run) is None:
        read = read_inputs(inputs, alike=False, whole=_WHOLE)
    exemplars = exemplars_of(run, inputs, read)
    planned = planned or _plan(options_of(run, PruneSpec), inputs, exemplars)
    check_weights(run, planned.settings["weights"])

    planned = _with_channels(run, planned)

    def store(material: str, name: str) -> RealisationStore:
        return RealisationStore(run, planned.exemplars[material], cell_folder(material, name))

    _spread(run, planned, store, progress)
    study = planned.run(progress, store)
    write_table(run, "pruning", study.table)
    write_table(run, "ratios", study.ratios)
    write_table(run, "cells", study.cells)
    write_table(run, "scales", study.scales)
    if study.axis == "width":
        write_table(run, "breaks", study.breaks)
    run.write_text(RECOMMENDATION, json.dumps(_outcome(study), indent=2, ensure_ascii=False) + "\n")
    run.mark("running", resolved=study.settings, notes=study.notes)


def cell_folder(material: str, name: str) -> str:
    """Name the folder of the realisations of one material and depth or width.

    Parameters
    ----------
    material : str
        Name of the material.
    name : str
        Name of the depth or width.

    Returns
    -------
    str
        Folder below the run, ending with ``/``.

    Examples
    --------
    >>> cell_folder("alloy", "pool1"), cell_folder("alloy", "1/4 random")
    ('alloy/pool1/', 'alloy/1_of_4_random/')
    """
    return f"{material}/{name.replace('/', '_of_').replace(' ', '_')}/"


def _with_channels(run: RunDirectory, planned: Pruning) -> Pruning:
    """Rank the channels of a study of width, or read how the run has ranked them; store what the first answer to."""
    cuts = planned.cuts
    if not isinstance(cuts, Widths):
        return planned
    ranking = once(run, "channels.csv", cuts.rank, TABLE)
    for number, (material, exemplar) in enumerate(planned.exemplars.items()):
        leading = leading_channels(ranking[ranking["material"] == material])
        once(run, f"activations_{number}.nc", partial(activation_maps, cuts.network, exemplar, leading), DATASET)
    return replace(planned, cuts=replace(cuts, ranking=ranking))


def _spread(
    run: RunDirectory, planned: Pruning, store: Callable[[str, str], RealisationStore], progress: Progress
) -> None:
    """Let the workers of the run, if it has any, make all realisations; the study reads them from the stores."""
    cells = {
        f"{number}_{cell_folder('', cut).strip('/')}_{index}": (material, cut, index)
        for number, material in enumerate(planned.exemplars)
        for cut in planned.cuts.names
        for index in range(planned.n)
    }

    @lru_cache(maxsize=1)  # realisations of a cell come one after the other, and share what is prepared for it
    def prepared(material: str, cut: str) -> tuple[Realisations[MatchingWork], Maker]:
        work = planned.cell(material, cut)
        return work, work.prepared.learn()

    def make(key: str) -> None:
        material, cut, index = cells[key]
        work, maker = prepared(material, cut)
        work.make(maker, index, progress, store(material, cut))

    files = {
        key: store(material, cut).result_file(realisation_key(index)) for key, (material, cut, index) in cells.items()
    }
    spread(run, "realisation", files, make, progress=progress, label="realisations")


def _plan(spec: PruneSpec, inputs: Inputs, exemplars: Sequence[Microstructure]) -> Pruning:
    return plan_pruning(
        dict(zip(inputs.names, exemplars, strict=True)),
        spec.shape,
        encoder=spec.encoder,
        weights=spec.weights,
        preset=spec.preset,
        depths=spec.depths,
        widths=spec.widths,
        n=spec.n,
        seed=spec.seed,
        device=spec.device,
    )


def _outcome(study: PruningStudy) -> dict[str, Any]:
    return {
        **({"layer": study.layer} if study.axis == "depth" else {"width": study.width}),
        "encoder": study.settings["encoder"],
        "weights": study.settings["weights"],
        "rule": rule(study.axis),
        "materials": {
            name: {
                study.axis: r.chosen,
                **({"layer": r.network} if study.axis == "depth" else {}),
                "best": r.best,
                "joint": r.joint,
                "sentences": r.sentences,
            }
            for name, r in study.recommendations.items()
        },
    }
