"""What ``reconstruct`` does with volumes besides making them; every step can be killed and done again."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import pandas as pd

from matlens.errors import Interrupted
from matlens.hooks import Progress
from matlens.microstructure.axes import AXES
from matlens.microstructure.commands.judging import VERDICT
from matlens.microstructure.commands.realisation_store import RealisationStore
from matlens.microstructure.commands.reconstruct.spec import PLANES, PROPOSED, RESAMPLED
from matlens.microstructure.reconstruction import Plan, realisation_key
from matlens.microstructure.reconstruction.faces import at_one_spacing, faces_of
from matlens.microstructure.reconstruction.halves import half_sections
from matlens.microstructure.statistics import compare, proposed_statistics
from matlens.microstructure.statistics.equivalence.planes import joint_of_planes, planes_of
from matlens.microstructure.structure import Microstructure
from matlens.runs.codecs import JSON
from matlens.runs.directory import RunDirectory
from matlens.runs.resumable import each, spread
from matlens.runs.state_store import RunStateStore
from matlens.runs.tables import write_table

__all__ = ["judge_by_axis", "propose", "propose_from_halves", "share_halves"]


def judge_by_axis(
    run: RunDirectory,
    names: Iterable[str],
    exemplars: Sequence[Microstructure],
    volumes: Mapping[int, Microstructure],
    progress: Progress,
    seed: int,
) -> None:
    """Compare the planes normal to each axis with the sections of these planes: other sections show other structure.

    Writes ``planes.csv`` and ``verdict.json``.

    Parameters
    ----------
    run : RunDirectory
        Run directory, open.
    names : iterable of str
        Names of the planes of each exemplar.
    exemplars : sequence of Microstructure
        The sections.
    volumes : mapping of int to Microstructure
        What was made, by its number.
    progress : Progress
        Shows how far the work is.
    seed : int
        Seed of the bootstrap.
    """
    sections, faces, _ = faces_of({name: [one] for name, one in zip(names, exemplars, strict=True)})
    sections, _ = at_one_spacing(sections)
    wanted = {AXES[axis]: [sections[number] for number in own] for axis, own in enumerate(faces) if own}

    def judged(axis: str) -> dict[str, Any]:
        planes, _, _ = planes_of(list(volumes.values()), (AXES.index(axis),))
        found = compare(
            planes, wanted[axis], seed=seed, controls=False, copying=False, properties=(), progress=progress
        )
        table = found.ratios.assign(planes=f"normal to {axis}")
        return {"rows": table.to_dict("records"), "joint": found.joint, "sentence": found.sentences()[0]}

    # Volumes that failed are tried again by a resumed run, for which this judgement would be none of all.
    key = f"planes_of_{'_'.join(map(str, volumes))}" if run.failed else "planes"
    results = dict(each(run, key, {axis: axis for axis in wanted}, judged, JSON, label="planes against sections"))
    write_table(run, PLANES, pd.concat([pd.DataFrame(one["rows"]) for one in results.values()], ignore_index=True))
    joints = {axis: str(one["joint"]) for axis, one in results.items()}
    joint, sentence = joint_of_planes(joints)
    sentences = [sentence, *(f"Planes normal to {axis}: {one['sentence']}" for axis, one in results.items())]
    words = {"joint": joint, "word": _WORDS[joint], "joints": joints, "sentences": sentences}
    run.write_text(VERDICT, json.dumps(words, indent=2, ensure_ascii=False) + "\n")


_WORDS = {"equivalent": "Equivalent", "different": "Different", "undecided": "Not decided"}


def propose(run: RunDirectory, volumes: Mapping[int, Microstructure], progress: Progress) -> None:
    """Compute what sections do not determine, and write ``proposed.csv``.

    Parameters
    ----------
    run : RunDirectory
        Run directory, open.
    volumes : mapping of int to Microstructure
        What was made, by its number.
    progress : Progress
        Shows how far the work is.
    """
    tables = {index: _proposed(run, f"volume_{index}/", volume, progress) for index, volume in volumes.items()}
    write_table(run, PROPOSED, _numbered(tables, "realisation"))


def share_halves(
    run: RunDirectory,
    plan: Callable[[Sequence[Microstructure], int], Plan[Any]],
    exemplars: Sequence[Microstructure],
    number: int,
    seed: int,
    progress: Progress,
) -> None:
    """Let the workers of the run, if it has any, make the volumes of `propose_from_halves`.

    Parameters
    ----------
    run, plan, exemplars, number, seed, progress
        As for `propose_from_halves`.

    Raises
    ------
    KeyboardInterrupt
        On an interrupt; states and finished volumes are kept.
    SomeFailed
        If volumes failed; all others are finished.
    """
    key = realisation_key(0)
    files = {str(index): RunStateStore(run, _folder(index)).result_file(key) for index in range(number)}

    def make(name: str) -> None:
        planned, store = _from_half(run, plan, exemplars, int(name), seed)
        planned.make(planned.prepared.learn(), 0, progress, store)

    if number:
        spread(run, RESAMPLED, files, make, progress=progress, label="volumes from halves of the sections")


def propose_from_halves(
    run: RunDirectory,
    plan: Callable[[Sequence[Microstructure], int], Plan[Any]],
    exemplars: Sequence[Microstructure],
    number: int,
    seed: int,
    progress: Progress,
) -> None:
    """Make volumes from halves of the sections, and write ``resampled.csv``: what they propose.

    Parameters
    ----------
    run : RunDirectory
        Run directory, open.
    plan : callable
        Takes sections and a seed, and returns the plan of one volume.
    exemplars : sequence of Microstructure
        The sections.
    number : int
        Number of volumes, each from another half and other random numbers.
    seed : int
        Seed of the run.
    progress : Progress
        Shows how far the work is.

    Raises
    ------
    Interrupted
        On KeyboardInterrupt.
    """
    tables = {}
    for index in range(number):
        planned, store = _from_half(run, plan, exemplars, index, seed)
        try:
            volume = planned.run(progress, store).microstructure
        except Interrupted as stop:
            store.write_partial(stop.result)
            raise
        tables[index] = _proposed(run, _folder(index), volume, progress)
    write_table(run, RESAMPLED, _numbered(tables, "target"))


def _folder(index: int) -> str:
    return f"{RESAMPLED}_{index}/"


def _from_half(
    run: RunDirectory,
    plan: Callable[[Sequence[Microstructure], int], Plan[Any]],
    exemplars: Sequence[Microstructure],
    index: int,
    seed: int,
) -> tuple[Plan[Any], RealisationStore]:
    """Plan of a volume from a half of the sections, and where it is kept."""
    planned = plan(half_sections(exemplars, seed, index), seed + 1 + index)
    return planned, RealisationStore(run, planned.exemplars[0], _folder(index))


def _proposed(run: RunDirectory, folder: str, volume: Microstructure, progress: Progress) -> pd.DataFrame:
    return proposed_statistics(volume, progress, RunStateStore(run, folder))


def _numbered(tables: Mapping[int, pd.DataFrame], name: str) -> pd.DataFrame:
    return pd.concat([table.assign(**{name: index}) for index, table in tables.items()], ignore_index=True)
