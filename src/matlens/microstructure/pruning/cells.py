"""Results of a pruning study, as tables that grow by one material and depth or width at a time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pandas as pd

from matlens.core.display import Shown
from matlens.microstructure.pruning.breaking import breaking_sentences, breaks
from matlens.microstructure.pruning.recommendation import Recommendation, recommend
from matlens.microstructure.reconstruction import Reconstruction
from matlens.microstructure.reconstruction.matching.cost import Cost
from matlens.microstructure.statistics.equivalence.panel import Judged
from matlens.microstructure.structure import Microstructure

__all__ = ["Cell", "PruningStudy"]


@dataclass(frozen=True)
class Cell:
    """Realisations of one material at one depth or width, with their comparison to the material.

    Attributes
    ----------
    structures : sequence of Microstructure
        Realisations.
    judged : Judged
        Their errors, R and verdicts against windows of the material.
    result : Reconstruction, optional
        The reconstruction; None for noise.
    cost : Cost, optional
        Cost of one evaluation of the loss; None for noise.
    field_px : int
        Receptive field of the deepest layer, in pixels.
    facts : mapping of str to object
        What the tables say of the network besides.
    """

    structures: Sequence[Microstructure]
    judged: Judged
    result: Reconstruction | None = None
    cost: Cost | None = None
    field_px: int = 0
    facts: Mapping[str, Any] = field(default_factory=dict)


@dataclass(repr=False)
class PruningStudy(Shown):
    """Results of a pruning study; tables are ordered by material and by depth or width, from shallow or narrow on.

    The column ``depth`` is called ``width`` in a study of width.

    Attributes
    ----------
    table : DataFrame
        One row per material and depth, the controls "white noise" and "blurred noise" last: cost, receptive field,
        joint verdict, and R and mean error of every statistic. In a study of width ``share`` and number of the
        ``channels`` that were kept, and which were ``removed`` first, too.
    ratios : DataFrame
        R of every ``material``, ``depth`` and ``statistic`` with interval and verdict, from ``n_windows`` windows of
        ``window`` pixels.
    cells : DataFrame
        One row per ``material``, ``depth`` and ``realisation``: errors, Euler density, share of copied pixels,
        evaluations, and ``seconds`` (NaN if an earlier run made the realisation).
    scales : DataFrame
        R of each curve in bands of distance (`matlens.microstructure.statistics.scale_ratios`).
    recommendations : dict of str to Recommendation
        Recommendation of every finished material.
    structures : dict of (str, str) to tuple of Microstructure
        Realisations by material and depth or width.
    exemplars : dict of str to Microstructure
        The micrographs by name.
    settings : dict
        Every setting with its resolved value.
    notes : list of str
        Remarks on layers and sizes, one sentence each.
    axis : {"depth", "width"}
        What was varied.
    breaks : DataFrame
        Of a study of width: the widest network that loses each ``statistic``, by ``material`` and order of removal.
    ranking : DataFrame
        Of a study of width: the channels of each ``material`` and ``layer`` by importance.

    Examples
    --------
    >>> from matlens.microstructure.problems import bicontinuous
    >>> study = PruningStudy({"foam": bicontinuous((64, 64), seed=1)}, {"encoder": "filterbank", "depths": []})
    >>> study, study.layer
    (PruningStudy(filterbank; nothing finished), None)
    """

    exemplars: dict[str, Microstructure]
    settings: dict[str, Any]
    table: pd.DataFrame = field(default_factory=pd.DataFrame)
    ratios: pd.DataFrame = field(default_factory=pd.DataFrame)
    cells: pd.DataFrame = field(default_factory=pd.DataFrame)
    scales: pd.DataFrame = field(default_factory=pd.DataFrame)
    recommendations: dict[str, Recommendation] = field(default_factory=dict)
    structures: dict[tuple[str, str], tuple[Microstructure, ...]] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    axis: str = "depth"
    breaks: pd.DataFrame = field(default_factory=pd.DataFrame)
    ranking: pd.DataFrame = field(default_factory=pd.DataFrame)

    @property
    def layer(self) -> str | None:
        """The deepest of the layers that the materials need; None before a material is finished, or of widths."""
        return self._most_needed(self.settings["depths"]) if self.axis == "depth" else None

    @property
    def width(self) -> str | None:
        """The widest of the widths that the materials need; None before a material is finished, or of depths."""
        return self._most_needed(self.settings["widths"]) if self.axis == "width" else None

    def _most_needed(self, order: Sequence[str]) -> str | None:
        needed = [found.network for found in self.recommendations.values()]
        return max(needed, key=order.index) if needed else None

    def add(self, material: str, name: str, cell: Cell) -> None:
        """Add a cell to the tables.

        Parameters
        ----------
        material : str
            Name of the material.
        name : str
            Depth or width of the network, or name of a control.
        cell : Cell
            Results.
        """
        exemplar, judged = self.exemplars[material], cell.judged
        self.structures[material, name] = tuple(cell.structures)
        rows = _rows(cell, exemplar)
        summary = pd.DataFrame([{**_facts(cell, exemplar, rows), "joint": judged.joint, **_by_statistic(judged)}])
        self.table = _grown(self.table, summary, {"material": material, self.axis: name})
        self.ratios = _grown(self.ratios, judged.ratios, {"material": material, self.axis: name})
        self.cells = _grown(self.cells, rows, {"material": material, self.axis: name})
        self.scales = _grown(self.scales, judged.scales, {"material": material, self.axis: name})
        for note in cell.result.notes if cell.result is not None else ():
            if "pairs of pixels" not in note and f"{material}: {note}" not in self.notes:
                self.notes.append(f"{material}: {note}")

    def conclude(self, material: str) -> None:
        """Recommend a depth or width for a material whose cells are complete.

        Parameters
        ----------
        material : str
            Name of the material.
        """
        table, ratios, scales = (
            frame[frame["material"] == material] for frame in (self.table, self.ratios, self.scales)
        )
        found = recommend(table, ratios, scales, self.exemplars[material].unit, self.axis)
        if self.axis == "width":
            self.breaks = _grown(self.breaks, breaks(table, ratios), {"material": material})
            found = replace(found, sentences=(*found.sentences, *breaking_sentences(table, ratios)))
        self.recommendations[material] = found

    def __repr__(self) -> str:
        found = ", ".join(f"{name}: {r.chosen}" for name, r in self.recommendations.items())
        return f"PruningStudy({self.settings['encoder']}; {found or 'nothing finished'})"


def _grown(table: pd.DataFrame, rows: pd.DataFrame, keys: Mapping[str, str]) -> pd.DataFrame:
    rows = rows.copy()
    for place, (column, key) in enumerate(keys.items()):
        rows.insert(place, column, key)
    return pd.concat([table, rows], ignore_index=True) if len(table) else rows


def _rows(cell: Cell, exemplar: Microstructure) -> pd.DataFrame:
    """Return one row per realisation."""
    rows = cell.judged.errors.copy()
    rows.insert(0, "realisation", range(len(rows)))
    if len(cell.judged.copying):
        worst = cell.judged.copying.groupby("realisation")[["copy_share", "limit", "copies"]].max()
        rows = rows.join(worst.rename(columns={"limit": "copy_limit"}), on="realisation")
    if cell.result is not None:
        before = np.abs(cell.result.fraction_before - exemplar.volume_fractions).max(axis=1)
        rows = rows.assign(
            fraction_error_before=before, evaluations=cell.result.evaluations, seconds=cell.result.seconds
        )
    return rows


def _facts(cell: Cell, exemplar: Microstructure, rows: pd.DataFrame) -> dict[str, Any]:
    """Return receptive field and cost of a depth or width; unknown for noise."""
    facts: dict[str, Any] = {
        **cell.facts,
        "receptive_field_px": cell.field_px,
        "receptive_field": cell.field_px * float(np.exp(np.log(exemplar.spacing).mean())),
        "unit": exemplar.unit,
    }
    if cell.cost is not None:
        facts |= {
            "gflop": cell.cost.flop / 1e9,
            "kept_mb": cell.cost.kept_bytes / 1e6,
            "seconds_per_evaluation": cell.cost.seconds,
        }
    for name in ("evaluations", "seconds", "fraction_error_before", "copy_share", "euler_density"):
        if name in rows:
            facts[name] = float(rows[name].astype(float).mean())
    if "copies" in rows:
        facts["copies"] = bool(rows["copies"].any())
    return facts


def _by_statistic(judged: Judged) -> dict[str, float]:
    """Return R and mean error of every statistic, as columns."""
    ratios = judged.ratios.set_index("statistic")["R"]
    values = {f"R_{_short(str(name))}": float(value) for name, value in ratios.items()}
    values["R_mean"] = float(np.exp(np.log(ratios.clip(lower=1.0)).mean()))
    return values | {
        f"error_{_short(name)}": float(judged.errors[name].mean()) for name in ratios.index if name in judged.errors
    }


def _short(name: str) -> str:
    return name.replace("_error", "")
