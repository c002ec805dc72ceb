"""The rule that recommends a depth of network for a material, and its result in words."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from matlens.errors import InputError
from matlens.microstructure.statistics.equivalence.sentences import NAMES, describe_briefly
from matlens.microstructure.statistics.equivalence.variability import MARGIN

__all__ = [
    "NO_NETWORK",
    "RECOMMENDATION",
    "RULE",
    "Recommendation",
    "carriers",
    "read_recommendation",
    "recommend",
    "studied_encoder",
]

NO_NETWORK = "none"
RECOMMENDATION = "recommendation.json"
RULE = (
    "The best depth has the lowest geometric mean of R over the statistics, where R below 1 counts as 1: closer than "
    "the material's own windows is no merit. A depth stays equivalent to the best when no statistic's R lies above the "
    "upper end of the best depth's 90 % interval (bootstrap over windows and realisations), or above "
    f"{MARGIN:g} where that is more. Of these the one with the least arithmetic an evaluation is recommended."
)

_Facts = Mapping[str, Mapping[Any, Any]]
"""Row of the table by depth."""


@dataclass(frozen=True)
class Recommendation:
    """Depth of network recommended for one material.

    Attributes
    ----------
    material : str
        Name of the material.
    depth : str
        The cheapest depth that stays equivalent to the best one; ``"none"`` if no network is needed.
    layer : str
        The same among depths with a network: the layer after which a model with a network should end.
    best : str
        The depth with the lowest geometric mean of R over the statistics; R below 1 counts as 1.
    joint : {"equivalent", "different", "undecided"}
        Joint verdict of ``depth`` against the material.
    sentences : tuple of str
        The result in words.

    Examples
    --------
    >>> found = Recommendation("foam", "none", "conv1_1", "pool1", "equivalent", ("No network is needed.",))
    >>> found.depth, found.layer
    ('none', 'conv1_1')
    """

    material: str
    depth: str
    layer: str
    best: str
    joint: str
    sentences: tuple[str, ...]


def recommend(table: pd.DataFrame, ratios: pd.DataFrame, scales: pd.DataFrame, unit: str) -> Recommendation:
    """Apply the rule of recommendation, `RULE`, to one material.

    Parameters
    ----------
    table, ratios, scales : DataFrame
        Rows of one material in the tables of a `matlens.microstructure.pruning.PruningStudy`, from shallow to deep.
    unit : str
        Unit of the receptive fields.

    Returns
    -------
    Recommendation
        The recommended depth, with reasons in words.

    Examples
    --------
    >>> table = pd.DataFrame({"material": "foam", "depth": ["none", "conv1_1", "pool1"], "joint": "undecided",
    ...     "receptive_field_px": [0, 3, 6], "receptive_field": [0.0, 1.5, 3.0], "gflop": [0.0, 1.0, 4.0],
    ...     "kept_mb": [1.0, 2.0, 4.0]})
    >>> ratios = pd.DataFrame({"depth": table["depth"], "statistic": "cluster_error", "R": [3.0, 1.3, 1.1],
    ...     "low": 1.0, "high": [4.0, 1.6, 1.4], "low_joint": [2.0, 0.9, 0.9]})
    >>> found = recommend(table, ratios, pd.DataFrame(), "um")
    >>> found.depth, found.best
    ('conv1_1', 'pool1')
    >>> print(found.sentences[0])
    conv1_1 is the cheapest depth that stays equivalent to the best one (pool1): 25 % of its arithmetic and 50 % of
    its memory an evaluation; it sees 3 px (1.5 um).
    """
    facts = {str(row["depth"]): row for row in table.to_dict("records")}
    depths = [depth for depth in facts if "noise" not in depth]
    values = ratios.pivot(index="depth", columns="statistic", values="R").loc[depths]
    upper = ratios.pivot(index="depth", columns="statistic", values="high").loc[depths]
    scores = np.log(values.clip(lower=1.0)).mean(axis=1)
    best = str(scores.idxmin())
    limit = pd.concat([upper.loc[best], values.loc[best]], axis=1).max(axis=1).clip(lower=MARGIN)
    kept = [depth for depth in depths if depth == best or not (values.loc[depth] > limit).any()]
    kept.sort(key=lambda depth: float(facts[depth]["gflop"]))  # a pooling's Gram may cost less than that before it
    layer = next((d for d in kept if d != NO_NETWORK), None) or str(scores.drop(NO_NETWORK).idxmin())
    sentences = [
        _choice(facts, kept[0], best, unit),
        *_verdict(facts, ratios, kept[0], depths),
        *_network(values, depths, best),
        *_scales(scales, facts, depths, unit),
    ]
    joint = str(facts[kept[0]]["joint"])
    return Recommendation(str(table["material"].iloc[0]), kept[0], layer, best, joint, tuple(sentences))


def carriers(scales: pd.DataFrame, depths: Sequence[str]) -> pd.DataFrame:
    """Find the shallowest depth that reproduces each curve in each band of distances.

    Parameters
    ----------
    scales : DataFrame
        Columns ``depth``, ``curve``, ``from_px``, ``to_px``, ``R`` of one material.
    depths : sequence of str
        Depths from shallow to deep.

    Returns
    -------
    DataFrame
        One row per curve and band: ``carrier``, the shallowest depth whose R lies within a factor 1.25 of the smallest
        over depths (or of 1 if that is more), with its ``R`` and with ``R_before``, the R of the next shallower depth.
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
        found = band.set_index("depth")["R"]
        values = found.loc[list(depths)]
        if values.isna().any() or found.get("white noise", np.inf) <= MARGIN:
            continue
        limit = MARGIN * max(1.0, float(values.min()))
        place = int(np.argmax(values.to_numpy() <= limit))
        before = float(values.iloc[place - 1]) if place else float("nan")
        rows.append((curve, first, last, depths[place], float(values.iloc[place]), before))
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
    path = Path(run) / RECOMMENDATION if Path(run).is_dir() else Path(run)
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        found = content if material is None else content["materials"].get(material)
        if found is None:
            known = ", ".join(content["materials"])
            raise InputError(f"{run} studied no material {material!r}; choose one of {known}.")
        return str(found["layer"])
    except OSError as error:
        raise InputError(f"{run} holds no finished pruning study; finish it with 'matlens resume' first.") from error
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        if isinstance(error, InputError):
            raise
        raise InputError(f"{path} is no recommendation of a pruning study; name a run of 'matlens prune'.") from error


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
    path = Path(run) / RECOMMENDATION if Path(run).is_dir() else Path(run)
    return str(json.loads(path.read_text(encoding="utf-8")).get("encoder", "auto"))


def _choice(facts: _Facts, depth: str, best: str, unit: str) -> str:
    if depth == NO_NETWORK:
        rest = "it is the best depth itself" if depth == best else f"the best depth is {best}"
        return f"No network is needed: the loss without one stays equivalent to the best depth; {rest}."
    sees = _sees(facts[depth], unit)
    if depth == best:
        return f"{depth} is the best depth, and no cheaper one stays equivalent to it; it sees {sees}."
    work, memory = (facts[depth][name] / facts[best][name] for name in ("gflop", "kept_mb"))
    cheaper = f"{_percent(work)} of its arithmetic and {_percent(memory)} of its memory an evaluation"
    return f"{depth} is the cheapest depth that stays equivalent to the best one ({best}): {cheaper}; it sees {sees}."


def _verdict(facts: _Facts, ratios: pd.DataFrame, depth: str, depths: Sequence[str]) -> list[str]:
    """Describe the verdict against windows of the material, which is independent of the comparison between depths."""
    joints = {name: str(facts[name]["joint"]) for name in depths}
    name = "the loss without a network" if depth == NO_NETWORK else depth
    said = [describe_briefly(name, joints[depth], ratios[ratios["depth"] == depth])]
    if "equivalent" not in joints.values():
        said.append("No depth is shown to be equivalent to the material in every statistic.")
    return said


def _network(values: pd.DataFrame, depths: Sequence[str], best: str) -> list[str]:
    if NO_NETWORK not in depths or best == NO_NETWORK:
        return []
    names = [str(name) for name in values.columns]
    without, with_it = (dict(zip(names, values.loc[[depth]].to_numpy()[0].tolist())) for depth in (NO_NETWORK, best))
    gain = {name: without[name] / with_it[name] for name in names}
    found = sorted((name for name in names if gain[name] > MARGIN), key=lambda name: -gain[name])
    shown = [f"{NAMES[name]} from {without[name]:.2f} to {with_it[name]:.2f}" for name in found[:4]]
    if not shown:
        return ["The network adds nothing that these statistics see: no R falls by more than a factor of 1.25."]
    return [f"What the network adds, R without it and at {best}: {', '.join(shown)}."]


def _scales(scales: pd.DataFrame, facts: _Facts, depths: Sequence[str], unit: str) -> list[str]:
    if scales.empty:
        return []
    found = carriers(scales, depths)
    sentences = []
    for depth in depths:
        own = found[found["carrier"] == depth]
        if own.empty:
            continue
        near, far = own[own["R"] <= MARGIN], own[own["R"] > MARGIN]
        parts = [f"{curve} {_joined(rows)} px" for curve, rows in near.groupby("curve", sort=False)]
        parts += [
            f"{curve} {_joined(rows)} px as far as any depth does (R {rows['R'].max():.2f})"
            for curve, rows in far.groupby("curve", sort=False)
        ]
        who = "The loss without a network" if depth == NO_NETWORK else f"{depth} (sees {_sees(facts[depth], unit)})"
        sentences.append(f"{who} gives {'; '.join(parts)}.")
    return sentences


def _joined(rows: pd.DataFrame) -> str:
    """Join adjacent bands: 1-2 and 3-4 become 1-4."""
    spans: list[list[int]] = []
    for first, last in zip(rows["from_px"], rows["to_px"]):
        if spans and spans[-1][1] + 1 == first:
            spans[-1][1] = last
        else:
            spans.append([first, last])
    return ", ".join(f"{first}–{last}" for first, last in spans)


def _sees(row: Mapping[Any, Any], unit: str) -> str:
    pixels = f"{int(row['receptive_field_px'])} px"
    return pixels if unit == "px" else f"{pixels} ({row['receptive_field']:.3g} {unit})"


def _percent(share: float) -> str:
    return f"{100 * share:.0f} %"
