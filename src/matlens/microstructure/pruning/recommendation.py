"""The rule that recommends a depth or a width of network for a material, and its result in words."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from matlens.core.guard import reading
from matlens.errors import InputError
from matlens.microstructure.statistics.equivalence.sentences import NAMES, describe_briefly
from matlens.microstructure.statistics.equivalence.variability import MARGIN

__all__ = [
    "NO_NETWORK",
    "RANDOM",
    "RECOMMENDATION",
    "REVERSED",
    "Recommendation",
    "carriers",
    "is_control",
    "limits",
    "read_recommendation",
    "recommend",
    "rule",
    "studied_encoder",
]

NO_NETWORK = "none"
RECOMMENDATION = "recommendation.json"
RANDOM, REVERSED = "random", "reversed"
"""Last words of the names of controls whose channels are removed in another order than by importance."""

_Facts = Mapping[str, Mapping[Any, Any]]
"""Row of the table by depth."""


@dataclass(frozen=True)
class Recommendation:
    """Depth of network recommended for one material.

    Attributes
    ----------
    material : str
        Name of the material.
    chosen : str
        The cheapest depth or width that stays equivalent to the best one; ``"none"`` if no network is needed.
    network : str
        The same among those with a network: of depths, the layer after which a model with a network should end.
    best : str
        The depth or width with the lowest geometric mean of R over the statistics; R below 1 counts as 1.
    joint : {"equivalent", "different", "undecided"}
        Joint verdict of ``chosen`` against the material.
    sentences : tuple of str
        The result in words.

    Examples
    --------
    >>> found = Recommendation("foam", "none", "conv1_1", "pool1", "equivalent", ("No network is needed.",))
    >>> found.chosen, found.network
    ('none', 'conv1_1')
    """

    material: str
    chosen: str
    network: str
    best: str
    joint: str
    sentences: tuple[str, ...]


def rule(axis: str) -> str:
    """Return the rule of recommendation in words.

    Parameters
    ----------
    axis : {"depth", "width"}
        What was varied.

    Returns
    -------
    str
        A few sentences.

    Examples
    --------
    >>> rule("width")[:59]
    'The best width has the lowest geometric mean of R over the '
    """
    return (
        f"The best {axis} has the lowest geometric mean of R over the statistics, where R below 1 counts as 1: closer "
        f"than the material's own windows is no merit. A {axis} stays equivalent to the best when no statistic's R "
        f"lies above the upper end of the best {axis}'s 90 % interval (bootstrap over windows and realisations), or "
        f"above {MARGIN:g} where that is more. Of these the one with the least arithmetic an evaluation is recommended."
    )


def is_control(name: str) -> bool:
    """Return whether a row of a study's tables is a control: noise, or channels removed in another order.

    Parameters
    ----------
    name : str
        Name of a depth, a width or a control.

    Returns
    -------
    bool
        False for depths and widths.

    Examples
    --------
    >>> [is_control(name) for name in ("pool1", "1/4", "white noise", "1/4 random")]
    [False, False, True, True]
    """
    return name.split()[-1] in ("noise", RANDOM, REVERSED)


def limits(ratios: pd.DataFrame, name: str, axis: str = "depth") -> pd.Series:
    """Return the largest R of each statistic with which a result stays equivalent to a given depth or width.

    Parameters
    ----------
    ratios : DataFrame
        Columns of the name of the axis, ``statistic``, ``R`` and ``high``, of one material.
    name : str
        Depth or width to compare with.
    axis : {"depth", "width"}
        What was varied.

    Returns
    -------
    Series
        Limit by statistic: the upper end of the interval, R itself or 1.25, whichever is most.

    Examples
    --------
    >>> names = ["s2_error", "chord_length_error"]
    >>> table = pd.DataFrame({"width": "1", "statistic": names, "R": 1.0, "high": [1.4, 1.1]})
    >>> limits(table, "1", "width").to_dict()
    {'s2_error': 1.4, 'chord_length_error': 1.25}
    """
    own = ratios[ratios[axis] == name].set_index("statistic")
    return own[["high", "R"]].max(axis=1).clip(lower=MARGIN)


def recommend(
    table: pd.DataFrame, ratios: pd.DataFrame, scales: pd.DataFrame, unit: str, axis: str = "depth"
) -> Recommendation:
    """Apply the rule of recommendation (`rule`) to one material.

    Parameters
    ----------
    table, ratios, scales : DataFrame
        Rows of one material in the tables of a `matlens.microstructure.pruning.PruningStudy`, from shallow to deep or
        from narrow to wide.
    unit : str
        Unit of the receptive fields.
    axis : {"depth", "width"}
        What was varied: name of the column that tells rows apart.

    Returns
    -------
    Recommendation
        The recommended depth or width, with reasons in words.

    Examples
    --------
    >>> table = pd.DataFrame({"material": "foam", "depth": ["none", "conv1_1", "pool1"], "joint": "undecided",
    ...     "receptive_field_px": [0, 3, 6], "receptive_field": [0.0, 1.5, 3.0], "gflop": [0.0, 1.0, 4.0],
    ...     "kept_mb": [1.0, 2.0, 4.0]})
    >>> ratios = pd.DataFrame({"depth": table["depth"], "statistic": "cluster_error", "R": [3.0, 1.3, 1.1],
    ...     "low": 1.0, "high": [4.0, 1.6, 1.4], "low_joint": [2.0, 0.9, 0.9]})
    >>> found = recommend(table, ratios, pd.DataFrame(), "um")
    >>> found.chosen, found.best
    ('conv1_1', 'pool1')
    >>> print(found.sentences[0])
    conv1_1 is the cheapest depth that stays equivalent to the best one (pool1): 25 % of its arithmetic and 50 % of
    its memory an evaluation; it sees 3 px (1.5 um).
    """
    facts = {str(row[axis]): row for row in table.to_dict("records")}
    names = [name for name in facts if not is_control(name)]
    values = ratios.pivot(index=axis, columns="statistic", values="R").loc[names]
    scores = np.log(values.clip(lower=1.0)).mean(axis=1)
    best = str(scores.idxmin())
    limit = limits(ratios, best, axis)
    kept = [name for name in names if name == best or not values.loc[name].gt(limit).any()]
    kept.sort(key=lambda name: float(facts[name]["gflop"]))  # a pooling's Gram may cost less than that before it
    network = next((name for name in kept if name != NO_NETWORK), None) or str(scores.drop(NO_NETWORK).idxmin())
    about = _Axis(axis, unit)
    sentences = [
        about.choice(facts, kept[0], best),
        *about.verdict(facts, ratios, kept[0], names),
        *about.gain(values, names, best),
        *about.scales(scales, facts, names),
    ]
    joint = str(facts[kept[0]]["joint"])
    return Recommendation(str(table["material"].iloc[0]), kept[0], network, best, joint, tuple(sentences))


def carriers(scales: pd.DataFrame, names: Sequence[str], axis: str = "depth") -> pd.DataFrame:
    """Find the shallowest depth, or the narrowest width, that reproduces each curve in each band of distances.

    Parameters
    ----------
    scales : DataFrame
        Columns of the name of the axis, ``curve``, ``from_px``, ``to_px``, ``R`` of one material.
    names : sequence of str
        Depths from shallow to deep, or widths from narrow to wide.
    axis : {"depth", "width"}
        What was varied.

    Returns
    -------
    DataFrame
        One row per curve and band: ``carrier``, the first name whose R lies within a factor 1.25 of the smallest over
        all names (or of 1 if that is more), with its ``R`` and with ``R_before``, the R of the name before it.
        Bands that white noise reproduces are left out, as they distinguish nothing.

    Examples
    --------
    >>> scales = pd.DataFrame({"depth": ["none", "conv1_1", "pool1"], "curve": "cluster", "from_px": 3, "to_px": 4,
    ...     "R": [4.0, 1.2, 1.1]})
    >>> carriers(scales, ["none", "conv1_1", "pool1"])["carrier"].tolist()
    ['conv1_1']
    """
    rows = []
    for (curve, first, last), band in scales.groupby(["curve", "from_px", "to_px"], sort=False):
        found = band.set_index(axis)["R"]
        values = found.loc[list(names)]
        if values.isna().any() or found.get("white noise", np.inf) <= MARGIN:
            continue
        limit = MARGIN * max(1.0, float(values.min()))
        place = int(np.argmax(values.to_numpy() <= limit))
        before = float(values.iloc[place - 1]) if place else float("nan")
        rows.append((curve, first, last, names[place], float(values.iloc[place]), before))
    return pd.DataFrame(rows, columns=["curve", "from_px", "to_px", "carrier", "R", "R_before"])


def read_recommendation(run: str | os.PathLike[str], material: str | None = None) -> str:
    """Read the layer that a pruning study recommends.

    Parameters
    ----------
    run : path-like
        The run directory of ``matlens prune``, or its ``recommendation.json``.
    material : str, optional
        Name of one of its materials; by default, the deepest of the layers that its materials need.

    Returns
    -------
    str
        Name of a layer of the encoder that the study used.

    Raises
    ------
    InputError
        If there is no finished study, the file is damaged, or the study has no such material.

    Examples
    --------
    >>> import tempfile
    >>> folder = Path(tempfile.mkdtemp())
    >>> _ = (folder / RECOMMENDATION).write_text('{"layer": "pool2", "materials": {"foam": {"layer": "pool1"}}}')
    >>> read_recommendation(folder), read_recommendation(folder, "foam")
    ('pool2', 'pool1')
    """
    content, path = _stored(run)
    with _guarded(path):
        if "width" in content:
            raise InputError(f"{run} studied widths, no depths; name a run of 'matlens prune' without --widths.")
        found = content if material is None else content["materials"].get(material)
        if found is None:
            known = ", ".join(content["materials"])
            raise InputError(f"{run} studied no material {material!r}; choose one of {known}.")
        return str(found["layer"])


def studied_encoder(run: str | os.PathLike[str]) -> str:
    """Read the name of the encoder that a pruning study used.

    Parameters
    ----------
    run : path-like
        The run directory of ``matlens prune``, or its ``recommendation.json``.

    Returns
    -------
    str
        Name of the encoder; ``"auto"`` if the study does not hold it.

    Raises
    ------
    InputError
        If there is no finished study, or the file is damaged.

    Examples
    --------
    >>> import tempfile
    >>> folder = Path(tempfile.mkdtemp())
    >>> _ = (folder / RECOMMENDATION).write_text('{"layer": "pool2", "encoder": "vgg19-oxford", "materials": {}}')
    >>> studied_encoder(folder)
    'vgg19-oxford'
    """
    read_recommendation(run)
    return str(_stored(run)[0].get("encoder", "auto"))


def _stored(run: str | os.PathLike[str]) -> tuple[dict[str, Any], Path]:
    path = Path(run) / RECOMMENDATION if Path(run).is_dir() else Path(run)
    if not path.is_file():
        raise InputError(f"{run} holds no finished pruning study; finish it with 'matlens resume' first.")
    with _guarded(path):
        return dict(json.loads(path.read_text(encoding="utf-8"))), path


def _guarded(path: Path) -> AbstractContextManager[None]:
    return reading(path, "the recommendation of a pruning study", "name a run of 'matlens prune'")


@dataclass(frozen=True)
class _Axis:
    """The words for depths or for widths."""

    axis: str
    unit: str

    def choice(self, facts: _Facts, name: str, best: str) -> str:
        if name == NO_NETWORK:
            rest = f"it is the best {self.axis} itself" if name == best else f"the best {self.axis} is {best}"
            return f"No network is needed: the loss without one stays equivalent to the best {self.axis}; {rest}."
        size = self._size(facts[name])
        if name == best:
            return f"{name} is the best {self.axis}, and no cheaper one stays equivalent to it; it {size}."
        work, memory = (facts[name][cost] / facts[best][cost] for cost in ("gflop", "kept_mb"))
        cheaper = f"{_percent(work)} of its arithmetic and {_percent(memory)} of its memory an evaluation"
        equivalent = f"is the cheapest {self.axis} that stays equivalent to the best one ({best})"
        return f"{name} {equivalent}: {cheaper}; it {size}."

    def verdict(self, facts: _Facts, ratios: pd.DataFrame, name: str, names: Sequence[str]) -> list[str]:
        """Describe the verdict against windows of the material, which is independent of the other depths or widths."""
        joints = {each: str(facts[each]["joint"]) for each in names}
        said = [describe_briefly(self._named(name), joints[name], ratios[ratios[self.axis] == name])]
        if "equivalent" not in joints.values():
            said.append(f"No {self.axis} is shown to be equivalent to the material in every statistic.")
        return said

    def gain(self, values: pd.DataFrame, names: Sequence[str], best: str) -> list[str]:
        """Describe what the network adds to the loss without one."""
        if NO_NETWORK not in names or best == NO_NETWORK:
            return []
        columns = [str(name) for name in values.columns]
        without, with_it = (
            dict(zip(columns, values.loc[[name]].to_numpy()[0].tolist())) for name in (NO_NETWORK, best)
        )
        gain = {name: without[name] / with_it[name] for name in columns}
        found = sorted((name for name in columns if gain[name] > MARGIN), key=lambda name: -gain[name])
        shown = [f"{NAMES[name]} from {without[name]:.2f} to {with_it[name]:.2f}" for name in found[:4]]
        if not shown:
            return ["The network adds nothing that these statistics see: no R falls by more than a factor of 1.25."]
        return [f"What the network adds, R without it and at {self._named(best)}: {', '.join(shown)}."]

    def scales(self, scales: pd.DataFrame, facts: _Facts, names: Sequence[str]) -> list[str]:
        """Describe which curves each depth or width is the first to reproduce, and at which distances."""
        if scales.empty:
            return []
        found = carriers(scales, names, self.axis)
        sentences = []
        for name in names:
            own = found[found["carrier"] == name]
            if own.empty:
                continue
            near, far = own[own["R"] <= MARGIN], own[own["R"] > MARGIN]
            parts = [f"{curve} {_joined(rows)} px" for curve, rows in near.groupby("curve", sort=False)]
            parts += [
                f"{curve} {_joined(rows)} px as far as any {self.axis} does (R {rows['R'].max():.2f})"
                for curve, rows in far.groupby("curve", sort=False)
            ]
            who = "The loss without a network"
            if name != NO_NETWORK:
                who = f"{'Width ' if self.axis == 'width' else ''}{name} ({self._size(facts[name])})"
            sentences.append(f"{who} gives {'; '.join(parts)}.")
        return sentences

    def _named(self, name: str) -> str:
        if name == NO_NETWORK:
            return "the loss without a network"
        return f"width {name}" if self.axis == "width" else name

    def _size(self, row: Mapping[Any, Any]) -> str:
        if self.axis == "width":
            return f"keeps {int(row['channels'])} channels"
        pixels = f"{int(row['receptive_field_px'])} px"
        return f"sees {pixels}" if self.unit == "px" else f"sees {pixels} ({row['receptive_field']:.3g} {self.unit})"


def _joined(rows: pd.DataFrame) -> str:
    """Join adjacent bands: 1-2 and 3-4 become 1-4."""
    spans: list[list[int]] = []
    for first, last in zip(rows["from_px"], rows["to_px"]):
        if spans and spans[-1][1] + 1 == first:
            spans[-1][1] = last
        else:
            spans.append([first, last])
    return ", ".join(f"{first}–{last}" for first, last in spans)


def _percent(share: float) -> str:
    return f"{100 * share:.0f} %"
