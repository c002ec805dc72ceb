"""How often the verdict is wrong: real windows called different, controls called equivalent.

    python benchmarks/error_rates.py --pairs 30 --output build/error_rates --markdown table.md

Every pair is an exemplar (256 x 256 pixels) and results of 64 x 64 pixels, all drawn independently, so what is the
same material is known. Results are judged as `matlens.compare` judges them: against the exemplar's 16 windows. Finished
pairs are kept in the output folder as JSON and not made again.
"""

from __future__ import annotations

import argparse
import json
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np

WIDEST, WINDOW = 512, 64
FRACTION, RADIUS, LENGTH = 0.4, 5.0, 6.0
VERDICTS = ("equivalent", "undecided", "different")
SAME = "same material"
Maker = Callable[[int, int], object]
"""From side and seed to a microstructure."""


def boolean(fraction: float = FRACTION, radius: float = RADIUS) -> Maker:
    from matlens.microstructure.problems import discs

    return lambda side, seed: discs((side, side), radius=radius, fraction=fraction, seed=seed, periodic=False)


def random_field(fraction: float = FRACTION, length: float = LENGTH) -> Maker:
    """Windows of a larger field, so that their fractions scatter as windows of a material do."""
    from matlens.microstructure.problems import gaussian_field

    def make(side: int, seed: int) -> object:
        wide = gaussian_field((WIDEST,) * 2, length, fraction, seed=seed)
        return wide.crop(slice(0, side), slice(0, side))

    return make


def noise(kind: str, length: float = 1.0) -> Callable[[int, int, object], object]:
    from matlens.microstructure.problems import blurred_noise, white_noise

    def make(side: int, seed: int, exemplar: object) -> object:
        fractions = exemplar.volume_fractions
        shape = (side, side)
        return white_noise(shape, fractions, seed) if kind == "white" else blurred_noise(shape, fractions, length, seed)

    return make


def media() -> dict[str, dict[str, Maker]]:
    """For each medium the same material first, then controls that are known to be another."""
    return {
        "Boolean discs": {
            SAME: boolean(),
            "fraction 0.45": boolean(fraction=0.45),
            "fraction 0.5": boolean(fraction=0.5),
            "radius x 1.25": boolean(radius=1.25 * RADIUS),
            "radius x 1.5": boolean(radius=1.5 * RADIUS),
        },
        "Gaussian field": {
            SAME: random_field(),
            "fraction 0.45": random_field(fraction=0.45),
            "fraction 0.5": random_field(fraction=0.5),
            "length x 1.25": random_field(length=1.25 * LENGTH),
            "length x 1.5": random_field(length=1.5 * LENGTH),
        },
    }


def judged(medium: str, pair: int, count: int, side: int) -> dict:
    """Verdicts on ``count`` results of every kind against one exemplar."""
    from matlens.microstructure.statistics import Curves, Variability, correlation_length_radial, joint_verdict

    kinds = media()[medium]
    first = 10_000 * (pair + 1)  # seeds of a pair; never those of another
    exemplar = kinds[SAME](side, first)
    windows = Variability([Curves(tile) for tile in exemplar.tiles((WINDOW, WINDOW))])
    length = float(np.nanmean(correlation_length_radial(exemplar)))
    made = {kind: [make(WINDOW, first + 1 + i) for i in range(count)] for kind, make in kinds.items()}
    for kind in ("white", "blurred"):
        maker = noise(kind, length)
        made[f"{kind} noise"] = [maker(WINDOW, first + 1 + i, exemplar) for i in range(count)]
    rows = {}
    for kind, results in made.items():
        table = windows.ratios(results, seed=pair)
        verdicts = dict(zip(table["statistic"], table["verdict"]))
        rows[kind] = {"joint": joint_verdict(table), "R": dict(zip(table["statistic"], table["R"].round(3)))} | {
            "verdicts": verdicts
        }
    return {"medium": medium, "pair": pair, "results": count, "exemplar": side, "kinds": rows}


def interval(hits: int, trials: int) -> tuple[float, float]:
    """95 % interval of a share (Wilson)."""
    z, share = 1.96, hits / trials
    centre = (share + z**2 / (2 * trials)) / (1 + z**2 / trials)
    half = z / (1 + z**2 / trials) * np.sqrt(share * (1 - share) / trials + z**2 / (4 * trials**2))
    return max(0.0, centre - half), min(1.0, centre + half)


def report(found: list[dict]) -> Iterator[str]:
    """Markdown: joint verdicts by kind, then verdicts of single statistics."""
    count, side = found[0]["results"], found[0]["exemplar"]
    yield (
        f"Exemplars of {side} x {side} px ({(side // WINDOW) ** 2} windows of {WINDOW} x {WINDOW}), {count} results of "
        f"{WINDOW} x {WINDOW} px a pair, all independent. Shares of pairs in percent with their 95 % interval."
    )
    for medium in dict.fromkeys(row["medium"] for row in found):
        rows = [row for row in found if row["medium"] == medium]
        yield f"\n**{medium}**, {len(rows)} pairs\n"
        yield "| results | joint: equivalent | undecided | different |\n|---|---|---|---|"
        for kind in rows[0]["kinds"]:
            counts = Counter(row["kinds"][kind]["joint"] for row in rows)
            yield f"| {kind} | " + " | ".join(share(counts[verdict], len(rows)) for verdict in VERDICTS) + " |"
        statistics = list(rows[0]["kinds"][SAME]["verdicts"])
        yield "\nSingle statistics, equivalent / different in percent of pairs:\n"
        yield "| statistic | " + " | ".join(rows[0]["kinds"]) + " |\n|---|" + "---|" * len(rows[0]["kinds"])
        for statistic in statistics:
            cells = []
            for kind in rows[0]["kinds"]:
                counts = Counter(row["kinds"][kind]["verdicts"][statistic] for row in rows)
                cells.append(" / ".join(f"{100 * counts[v] / len(rows):.0f}" for v in ("equivalent", "different")))
            yield f"| {statistic.removesuffix('_error').replace('_', ' ')} | " + " | ".join(cells) + " |"


def share(hits: int, trials: int) -> str:
    low, high = interval(hits, trials)
    return f"{100 * hits / trials:.0f} ({100 * low:.0f}-{100 * high:.0f})"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pairs", type=int, default=30, help="a medium")
    parser.add_argument("--results", type=int, default=4, help="realisations judged together")
    parser.add_argument("--exemplar", type=int, default=256, help="side of the exemplar, at most 512")
    parser.add_argument("--output", type=Path, default=Path("build/error_rates"))
    parser.add_argument("--markdown", type=Path)
    asked = parser.parse_args()
    import torch

    torch.set_num_threads(1)
    asked.output.mkdir(parents=True, exist_ok=True)
    found = []
    for pair in range(asked.pairs):
        for medium in media():
            file = asked.output / f"{medium.replace(' ', '_')}_{asked.exemplar}_{asked.results}_{pair}.json"
            if not file.is_file():
                begun = time.perf_counter()
                row = judged(medium, pair, asked.results, asked.exemplar)
                part = file.with_suffix(".part")
                part.write_text(json.dumps(row))
                part.replace(file)  # a killed run leaves no half file
                spent = time.perf_counter() - begun
                print(f"{medium}, pair {pair}: {row['kinds'][SAME]['joint']} ({spent:.1f} s)", flush=True)
            found.append(json.loads(file.read_text()))
    text = "\n".join(report(found)) + "\n"
    (asked.output / "summary.json").write_text(json.dumps(found))
    print(text)
    if asked.markdown:
        asked.markdown.write_text(text)


if __name__ == "__main__":
    main()
