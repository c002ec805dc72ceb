"""The steps of ``predict`` in a run directory: structures of any size and a stored model to a table of predictions."""

from __future__ import annotations

import hashlib
import logging
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from matlens.errors import InputError
from matlens.hooks import Progress
from matlens.microstructure.commands.feature_cache import FeatureCache
from matlens.microstructure.encoders import load_encoder
from matlens.microstructure.io.reading import READERS
from matlens.microstructure.properties import StructurePropertyModel, StructureSet, read_model, read_structures
from matlens.microstructure.properties.data_sets.label_tables import listed, matched, read_label_table
from matlens.microstructure.properties.data_sets.structure_set import SCHEMA
from matlens.microstructure.properties.evaluation import coverage_table, plain_scores
from matlens.microstructure.segmentation import CleaningOptions, load
from matlens.microstructure.structure import Microstructure
from matlens.runs.directory import RunDirectory
from matlens.runs.tables import write_table

__all__ = ["PredictOrder", "Sample", "notes_of", "predict_in"]

_log = logging.getLogger(__name__)
_SAME = 1e-6  # distance below which a structure is one that was learned from
_BATCH = 64  # structures between two steps of the progress bar


@dataclass(frozen=True)
class Sample:
    """A structure to predict.

    Attributes
    ----------
    name : str
        Of its file, or in its set.
    structure : Microstructure
        Itself.
    family : str
        Its kind, where that is known.
    targets : mapping of str to float
        Properties that are known of it.
    """

    name: str
    structure: Microstructure
    family: str = ""
    targets: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class PredictOrder:
    """What is asked, as a settings file holds it.

    Parameters
    ----------
    model : str
        Folder of the model.
    sources : tuple of str
        Pictures, volumes, folders of them, sets of structures.
    labels : str, optional
        CSV table with the target, to score the predictions.
    weights : str, optional
        File with the encoder's weights, where the model was trained with such.
    cleaning : mapping, optional
        What is done to raw micrographs.
    device : str
        Where the encoder runs.
    digest : str
        What the structures were when the run started.

    Examples
    --------
    >>> order = PredictOrder("/model", ("/a.tif",))
    >>> PredictOrder.of(order.settings()) == order
    True
    """

    model: str
    sources: tuple[str, ...]
    labels: str | None = None
    weights: str | None = None
    cleaning: Mapping[str, Any] | None = None
    device: str = "cpu"
    digest: str = ""

    def settings(self) -> dict[str, Any]:
        """Give the order as a settings file holds it, paths absolute."""
        asked = {
            "model": os.path.abspath(self.model),
            "sources": [os.path.abspath(source) for source in self.sources],
            "labels": None if self.labels is None else os.path.abspath(self.labels),
            "weights": None if self.weights is None else os.path.abspath(self.weights),
            "cleaning": dict(self.cleaning or {}) or None,
            "digest": self.digest,
        }
        return {"device": self.device, "predict": asked}

    @classmethod
    def of(cls, settings: Mapping[str, Any]) -> PredictOrder:
        """Read it back."""
        asked = dict(settings["predict"])
        asked["sources"] = tuple(asked["sources"])
        return cls(**asked, device=settings["device"])

    def read(self) -> list[Sample]:
        """Read the structures; they must be those that the run started with.

        Raises
        ------
        InputError
            If there are none, one cannot be read, or they have changed.
        """
        options = CleaningOptions(**(self.cleaning or {}))
        found = [sample for source in self.sources for sample in _samples(Path(source), options)]
        if not found:
            raise InputError(f"found no structures in {', '.join(self.sources)}; name pictures, folders or sets.")
        if self.digest and self.digest != _digest(found):
            raise InputError("the structures have changed since the run started; start a new run.")
        return found

    def resolved(self, found: Sequence[Sample]) -> PredictOrder:
        """Note what the structures are."""
        return replace(self, digest=_digest(found))

    def read_model(self, cache: FeatureCache | None = None) -> StructurePropertyModel:
        """Read the model, with the encoder of the user's weights where they are given."""
        encoder = None if self.weights is None else load_encoder(weights=self.weights, device=self.device)
        return read_model(self.model, encoder=encoder, device=self.device, cache=cache)


def predict_in(run: RunDirectory, progress: Progress, found: Sequence[Sample] | None = None) -> None:
    """Predict as the run's settings say, and write ``predictions.csv`` and, with labels, ``scores.csv``.

    Parameters
    ----------
    run : RunDirectory
        Open.
    progress : Progress
        Called with structures done and total.
    found : sequence of Sample, optional
        The structures, where they have been read already.

    Raises
    ------
    InputError
        If a structure is none that the model can take.
    KeyboardInterrupt
        On an interrupt; features that were computed are kept.
    """
    order = PredictOrder.of(run.settings)
    samples = order.read() if found is None else found
    with FeatureCache() as cache:
        model = order.read_model(cache)
        _check(samples, model)
        table = _predicted(samples, model, progress)
    notes = notes_of(samples, model)
    table["value"] = _values(samples, model.target_, order.labels, order.sources[0])
    learned = (table["distance"] < _SAME) & (model.features != "volume-fraction") & table["value"].notna()
    if learned.any():
        notes.append(
            f"{int(learned.sum())} of {len(table)} structures are among those the model was trained on (distance 0); "
            "they are not scored."
        )
        table.loc[learned, "value"] = np.nan
    known = table["value"].notna()
    if known.any():
        inside = (table["lower"] <= table["value"]) & (table["value"] <= table["upper"])
        table["inside"] = inside.where(known)
        _write_scores(run, table[known], model)
    else:
        table = table.drop(columns="value")
    run.mark("running", resolved={**model.chosen_, "target": model.target_}, notes=notes,
             sentences=_sentences(table, model))  # fmt: skip
    write_table(run, "predictions", table)


def _samples(place: Path, options: CleaningOptions) -> list[Sample]:
    """The structures in a folder, a set, or a single file."""
    if place.is_dir():
        kept = place / "structures.h5"
        if kept.is_file():
            return _samples(kept, options)
        files = [file for file in sorted(place.iterdir()) if file.suffix.lower() in READERS and file.name[0] != "."]
        return [sample for file in files for sample in _samples(file, options)]
    if place.suffix.lower() in (".h5", ".hdf5") and _is_set(place):
        return _of_set(read_structures(place))
    return [Sample(place.name, load(place, options).microstructure)]


def _is_set(file: Path) -> bool:
    import h5py

    try:
        with h5py.File(file, "r") as content:
            return bool(content.attrs.get("schema") == SCHEMA)
    except OSError:  # read as any other file, and refused in its words
        return False


def _of_set(found: StructureSet) -> list[Sample]:
    rows = found.targets.to_dict("records")
    return [
        Sample(str(name), found.microstructure(i), str(found.families[i]), {str(k): v for k, v in rows[i].items()})
        for i, name in enumerate(found.names)
    ]


def _check(samples: Sequence[Sample], model: StructurePropertyModel) -> None:
    """Name the first structure that the model cannot take."""
    for sample in samples:
        structure = sample.structure
        if structure.ndim != model.ndim_ or structure.n_phases > model.phases_:
            raise InputError(
                f"{sample.name} is {structure.ndim}-D of {structure.n_phases} phases, and the model was trained on "
                f"{model.ndim_}-D structures of {model.phases_}; segment it alike (--threshold), or leave it out."
            )


def _predicted(samples: Sequence[Sample], model: StructurePropertyModel, progress: Progress) -> pd.DataFrame:
    """Structures of one size together, in batches."""
    sizes: dict[tuple[int, ...], list[int]] = {}
    for index, sample in enumerate(samples):
        sizes.setdefault(sample.structure.shape, []).append(index)
    progress.begin(len(samples), f"predicting {model.target_}")
    parts, done = [], 0
    for rows in sizes.values():
        for start in range(0, len(rows), _BATCH):
            batch = rows[start : start + _BATCH]
            found = model.predict_interval(np.stack([samples[i].structure.labels for i in batch]))
            parts.append(found.set_axis(batch, axis=0))
            done += len(batch)
            progress.update(done, "structures")
    progress.end()
    table = pd.concat(parts).sort_index()
    table.insert(0, "structure", [sample.name for sample in samples])
    table.insert(1, "family", [sample.family for sample in samples])
    return table


def _values(samples: Sequence[Sample], target: str, labels: str | None, place: str) -> list[float]:
    if labels is None:
        return [float(sample.targets.get(target, float("nan"))) for sample in samples]
    table = read_label_table(labels, [target])
    rows = matched(table, [sample.name for sample in samples], place)
    return [float(table[target].iloc[row]) if row >= 0 else float("nan") for row in rows]


def notes_of(samples: Sequence[Sample], model: StructurePropertyModel) -> list[str]:
    """Warn where structures are not as those in training: a pixel of another size or unit, borders of another kind.

    Examples
    --------
    >>> labels = (np.arange(16).reshape(1, 4, 4) < np.arange(2, 14)[:, None, None]).astype(np.uint8)
    >>> model = StructurePropertyModel(features="volume-fraction", head="ridge").fit(labels, labels.mean((1, 2)))
    >>> notes_of([Sample("a", Microstructure(labels[0], periodic=True))], model)
    ['the model was trained on structures that are not periodic; 1 of 1 are not so.']
    """
    trained = (tuple(model.spacing_), model.unit_)
    odd = [s.name for s in samples if (s.structure.spacing, s.structure.unit) != trained]
    notes = []
    if odd:
        step = " x ".join(f"{value:g}" for value in dict.fromkeys(trained[0]))
        notes.append(
            f"{len(odd)} of {len(samples)} structures have another pixel size than those the model was trained on "
            f"({step} {trained[1]}): {listed(odd)}; their predictions hold for patterns of that size in pixels."
        )
    odd = [s.name for s in samples if s.structure.periodic != model.periodic_]
    if odd:
        kind = ("not periodic", "periodic")[model.periodic_]
        notes.append(f"the model was trained on structures that are {kind}; {len(odd)} of {len(samples)} are not so.")
    for note in notes:
        _log.warning(note)
    return notes


def _write_scores(run: RunDirectory, table: pd.DataFrame, model: StructurePropertyModel) -> None:
    log = model.scale_.kind != "linear" and bool((table["value"] > 0).all())
    scores = {"model": "model", "n": len(table), "scale": "log" if log else "linear", **plain_scores(table, log=log)}
    write_table(run, "scores", pd.DataFrame([{**scores, "coverage": float(table["inside"].mean())}]))
    if len(table) > 2:
        write_table(run, "coverage", coverage_table(table, "predicted"))


def _sentences(table: pd.DataFrame, model: StructurePropertyModel) -> list[str]:
    outside = int((~table["in_domain"]).sum())
    said = [
        f"{model.target_} of {len(table)} structures: {table['predicted'].min():.4g} to "
        f"{table['predicted'].max():.4g}, median {table['predicted'].median():.4g}."
    ]
    if outside:
        said.append(
            f"{outside} of {len(table)} lie outside what the model was trained on; nothing is claimed for them."
        )
    if "value" in table:
        known = table[table["value"].notna()]
        error = (known["predicted"] / known["value"] - 1).abs().median()
        said.append(
            f"Of {len(known)} with labels, {100 * known['inside'].mean():.0f} % lie inside their intervals; median "
            f"error {100 * error:.2g} %."
        )
    return said


def _digest(samples: Sequence[Sample]) -> str:
    found = hashlib.sha256()
    for sample in samples:
        found.update(f"{sample.name} {sample.structure.shape}".encode())
        found.update(sample.structure.labels.tobytes())
    return found.hexdigest()
