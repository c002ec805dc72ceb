"""Run directories of a library with made-up tables in the formats that the runs write, for the tests of reports."""

import numpy as np
import pandas as pd
from library_example import example_insight

from matlens.library.commands.explain.tables import averages_table, axis_table, regions_of, write_gradients
from matlens.library.evidence import conclusions, statements
from matlens.runs.directory import RunDirectory
from matlens.runs.tables import write_table

FACTS = {"target": "P", "unit": "mW/cm2", "members": 50, "samples": 60}
BASELINES = ("model", "ridge", "pls", "random-forest", "kernel-ridge", "gaussian-process")
PARTITIONS = ("grouped", "regions", "systems")


def learned_run(folder, rng=None, samples=60):
    """What learn leaves of a library."""
    rng = rng or np.random.default_rng(0)
    run = RunDirectory.create(folder, "library learn", {"options": {"seed": 0, "target": "P"}})
    names = ["Bi", "V", "W", "Dy", "Gd", "Mo", "Tb"]
    pairs = pd.DataFrame(rng.integers(0, 300, (7, 7)), columns=names)
    write_table(run, "component_pairs", pairs.assign(component=names)[["component", *names]])
    mean = np.repeat(rng.uniform(1, 3, 20), 3)
    write_table(run, "replicates", pd.DataFrame({"mean": mean, "value": mean + 0.1 * rng.normal(size=60)}))
    reach = {"name": ["noise ceiling", "x alone", "order in the file alone"], "r2": [0.97, 0.1, -0.2]}
    write_table(run, "reach", pd.DataFrame({**reach, "low": [0.95, np.nan, np.nan], "high": [0.98, np.nan, np.nan]}))
    write_table(run, "checks", pd.DataFrame({"sentence": ["Replicates: 20 compositions were made more than once."]}))
    places = {"x": np.arange(samples) % 8, "y": np.arange(samples) // 8}
    write_table(run, "positions", pd.DataFrame({**places, "sample": [f"{row:04d}" for row in range(samples)]}))
    write_table(run, "held_out", _held_out(rng, samples))
    write_table(run, "scores", _scores())
    write_table(run, "paired", _paired())
    run.mark("finished", resolved=FACTS, notes=["3 rows renormalised"], sentences=["P from composition and spectrum."])
    return run


def _held_out(rng, samples):
    value = rng.uniform(1, 3, samples)
    parts = []
    for number, model in enumerate(BASELINES):
        for partition in PARTITIONS:
            predicted = value + 0.1 * (1 + number) * rng.normal(size=samples)
            columns = {"model": model, "partition": partition, "repeat": 0, "fold": "0", "group": np.arange(samples)}
            columns |= {"sample": [f"{row:04d}" for row in range(samples)], "value": value, "predicted": predicted}
            columns |= {"low": predicted - 0.2, "high": predicted + 0.2, "censored": (value > 2.9).astype(int)}
            parts.append(pd.DataFrame(columns))
    return pd.concat(parts)


def _scores():
    rows = []
    for partition in PARTITIONS:
        for number, model in enumerate(BASELINES):
            row = {"model": model, "partition": partition, "n": 60, "censored": 3, "concordance": 0.9}
            for name, value in (("r2", 0.95 - 0.1 * number), ("rmse", 0.1), ("spearman", 0.9), ("coverage", 0.91),
                                ("width", 0.4), ("interval_score", 0.5)):  # fmt: skip
                row |= {name: value, f"{name}_low": value - 0.03, f"{name}_high": value + 0.03}
            rows.append(row)
    return pd.DataFrame(rows)


def _paired():
    rows = []
    for partition in PARTITIONS:
        for number, other in enumerate(BASELINES[1:]):
            row = {"model": "model", "other": other, "partition": partition}
            gains = (("r2_gain", 0.1 * number - 0.05), ("spearman_gain", 0.1), ("rmse_ratio", 0.8),
                     ("interval_score_ratio", 0.7))  # fmt: skip
            for name, value in gains:
                row |= {name: value, f"{name}_low": value - 0.03, f"{name}_high": value + 0.03}
            rows.append(row)
    return pd.DataFrame(rows)


def explained_run(folder, model="model", **kind):
    """What explain leaves of a library; ``kind`` as for `example_insight`."""
    insight = example_insight(**kind)
    run = RunDirectory.create(folder, "library explain", {"options": {"seed": 0, "model": str(model)}})
    write_gradients(run, insight, members=False)
    names = insight["component"].values.astype(str)[:-1]
    pairs = [(a, b, 0.8, 0.7, True) for i, a in enumerate(names) for b in names[i + 1 :]]
    write_table(run, "correlations", pd.DataFrame(pairs, columns=["first", "second", "r", "together", "beyond"]))
    group = {"components": ", ".join(names[:2]), "size": 2, "correlation": 0.8, "least": 0.8, "null": 0.5, "p": 0.01}
    write_table(run, "groups", pd.DataFrame([{**group, "stability": 0.9, "supported": 0.8}]))
    if "spectral_gradient" in insight:
        band = {"low": 338.0, "high": 353.0, "peak": 345.0, "sign": 1.0, "channels": 12, "gradient": 2.0, "t": 9.0}
        write_table(run, "bands", pd.DataFrame([{**band, "p": 0.01}]))
        write_table(run, "component_axis", axis_table(insight))
    write_table(run, "regions", averages_table(insight, regions_of(insight, [])))
    write_table(run, "ways", _ways(insight))
    check = {"check": "halves", "what": "composition", "value": 0.97, "limit": 0.9, "passed": True}
    failed = {"check": "permuted labels", "what": "spectrum", "value": 0.7, "limit": 0.5, "passed": False}
    checks = pd.DataFrame([{**check, "sentence": "halves agree."}, {**failed, "sentence": "70 % is left."}])
    write_table(run, "sanity", checks)
    said = statements(insight, checks=checks)
    write_table(run, "conclusions", conclusions(insight, said).assign(next="Bi 50, V 50 at%", separation=1.5))
    write_table(run, "statements", said)
    run.mark("finished", resolved=FACTS, notes=[], sentences=[])
    return run


def _ways(insight):
    names = insight["component"].values.astype(str)
    parts = [pd.DataFrame({"way": way, "line": "", "place": names, "value": 0.1}) for way in ("gradient", "PLS")]
    if "axis" in insight.coords:
        axis = insight["axis"].to_numpy()
        for way, line in (("gradient", ""), ("PLS", ""), ("factors", "1: r = 0.3"), ("factors", "2: r = −0.1")):
            parts.append(pd.DataFrame({"way": way, "line": line, "place": axis, "value": np.sin(axis / 50)}))
    return pd.concat(parts)
