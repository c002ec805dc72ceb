"""How good ten suggestions are: regret against Gaussian processes, chance and, where it is installed, BayBE.

    python benchmarks/library_regret.py                             # seven families, seeds 0 to 6, with `auto`
    python benchmarks/library_regret.py --families phases --seeds 0 1 --repeats 2
    python benchmarks/library_regret.py --tables                    # public tables: ten samples of those held back
    python benchmarks/library_regret.py --rivals baybe              # BayBE too
    python benchmarks/library_regret.py --summary

In families the best fifth of compositions is hidden and a quarter measured; what is suggested is looked up in the law.
In public tables a third of the compositions is measured, none of the best fifth, and ten are chosen of the rest; regret
is the best of the rest less the best of the ten, in standard deviations of the table. Every library leaves a file and
is not measured again.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from baybe_rival import baybe
from library_beyond import SIZES, TRANSFORMS, interval
from library_families import FAMILIES as OTHERS
from library_tables import DATA
from library_truth import SEEDS, Row, conclude, markdown, understood
from matlens.library.gradients import fit_trend
from matlens.library.model import LibraryModel
from matlens.library.problems import LIBRARIES
from matlens.library.stacking import StackedModel
from matlens.library.suggestions.campaign import batch
from matlens.library.suggestions.predictive import measured_merit, predictive_distribution
from matlens.library.table import MaterialsLibrary
from suggestion_regret import STRATEGIES, Bound, Rival, suggestion_regret, upper_confidence

Array = NDArray[np.float64]
FOLDER = Path("build/benchmark/library_regret")
OLD: dict[str, Callable[..., Any]] = {
    name: partial(make, SIZES[name]) if name in SIZES else make for name, make in LIBRARIES.items()
}
FAMILIES = {**OTHERS, **OLD}
POOLS = ("Perovskite", "OPV, PCE10", "OER, plate 3496")  # little is wanted in all three
RIVALS: dict[str, Rival] = {"baybe": baybe}
MEMBERS, SUGGESTED, BELOW, SHARE = 10, 10, 0.8, 1 / 3
AUTO = "auto"


def model_of(name: str, transform: str, seed: int) -> Any:
    """A model that has yet to learn."""
    kind = StackedModel if name == AUTO else LibraryModel
    return kind(n_models=MEMBERS, transform=transform, seed=seed)


def in_family(family: str, seed: int, args: argparse.Namespace, rivals: Mapping[str, Rival]) -> pd.DataFrame:
    """Regret of moves that are looked up in the law; the truth's spread is the unit."""
    known, transform = FAMILIES[family](seed=seed), TRANSFORMS.get(family, "none")
    truth = known.truth.merit if hasattr(known, "truth") else known.expected(known.library.compositions)
    table = suggestion_regret(
        known,
        lambda: model_of(args.model, transform, seed),
        n=SUGGESTED,
        below=BELOW,
        repeats=args.repeats,
        rivals=rivals,
        seed=seed,
    )
    return table.assign(scale=(np.log10(truth) if transform == "log10" else truth).std())


def in_pool(name: str, seed: int, args: argparse.Namespace, rivals: Mapping[str, Rival]) -> pd.DataFrame:
    """Regret of ten compositions of a table, chosen from those that were not given to the model."""
    library, rows = DATA[name].read(), []
    merit, group = library.merits[library.merit_name()], library.replicates()
    first = np.unique(group, return_index=True)[1]
    x, truth = library.compositions[first], np.array([np.mean(merit[group == g]) for g in range(len(first))])
    for repeat in range(args.repeats):
        random = np.random.default_rng([seed, repeat])
        usual = np.flatnonzero(truth >= np.quantile(truth, 1 - BELOW))
        given = np.sort(random.choice(usual, round(SHARE * len(truth)), replace=False))
        pool = np.setdiff1d(np.arange(len(truth)), given)
        seen = library.select(np.isin(group, given))
        model = model_of(args.model, "none", seed).fit(seen, seen.merit_name())
        values = measured_merit(model, seen)
        bound = Bound(fit_trend(seen.compositions, values[:, None], seen.replicates()), -1)
        chosen = {
            "suggest": _suggested(model, seen, x[given], x[pool], seed + repeat),
            "gp-ucb": upper_confidence(bound, x[pool], SUGGESTED),
            "random": random.choice(len(pool), SUGGESTED, replace=False),
        }
        for rival, choose in rivals.items():
            chosen[rival] = choose(seen.compositions, values, x[pool], SUGGESTED, True, seed + repeat)
        for strategy, picks in chosen.items():
            reached, best = truth[pool][picks].min(), truth[pool].min()
            line = {"repeat": repeat, "strategy": strategy, "measured": truth[given].min(), "reached": reached}
            rows.append(line | {"possible": best, "regret": reached - best, "scale": truth.std()})
    return pd.DataFrame(rows)


def _suggested(model: Any, seen: MaterialsLibrary, given: Array, pool: Array, seed: int) -> Array:
    """What ``suggest`` would choose if these were all moves."""
    predictive = predictive_distribution(model, seen)
    draws = predictive.draws(np.concatenate([pool, given]), 400, seed)
    after, before = draws[:, : len(pool)], draws[:, len(pool) :]
    best = before[:, before.mean(axis=0).argmin()]
    found: Array = batch(best[:, None] - after, pool, SUGGESTED, 0.0, predictive.noise)
    return found


def place(name: str, seed: int, model: str) -> Path:
    return FOLDER / f"{name.replace(', ', '_').replace(' ', '-')}_{seed}_{model}.csv"


def lines(name: str, args: argparse.Namespace) -> list[Row]:
    """Mean regret of each strategy, paired with `suggest`, with intervals over libraries or splits."""
    found = [
        pd.read_csv(file).assign(seed=seed) for seed in args.seeds if (file := place(name, seed, args.model)).is_file()
    ]
    if not found:
        return []
    table = pd.concat(found, ignore_index=True)
    table["regret"] /= table["scale"]
    # A seed is another library of a family, but only another split of a table.
    over = "seed" if len(found) > 2 and name in FAMILIES else ["seed", "repeat"]
    each = table.pivot_table(index=over, columns="strategy", values="regret")
    names = [*STRATEGIES, *(other for other in RIVALS if other in each)]
    line: Row = {"library": name, "libraries": len(found), "repeats": len(table) // each.shape[1]}
    line |= {one: f"{each[one].mean():.3f}" for one in names}
    line |= {f"{one} less suggest": interval(each[one] - each["suggest"]) for one in names[1:]}
    if "inside" in table:
        line |= {"inside 90 % intervals": f"{table['inside'].mean():.2f}", "better": f"{table['better'].mean():.2f}"}
    return [line]


def summary(args: argparse.Namespace) -> str:
    """Table of everything that is there."""
    rows = [line for name in (*FAMILIES, *POOLS) for line in lines(name, args)]
    return "### Regret of the best of ten suggestions, in standard deviations\n\n" + markdown(rows) + "\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--families", nargs="*", default=list(FAMILIES), choices=list(FAMILIES))
    parser.add_argument("--tables", action="store_true", help="public tables in place of families")
    parser.add_argument("--seeds", nargs="+", type=int, default=list(SEEDS))
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--model", default=AUTO, choices=[AUTO, "ensemble"])
    parser.add_argument("--rivals", nargs="*", default=[], choices=list(RIVALS))
    args = understood(parser, FOLDER)
    rivals = {name: RIVALS[name] for name in args.rivals}
    args.parts = [] if args.summary else POOLS if args.tables else args.families
    measure = in_pool if args.tables else in_family
    for seed in args.seeds:
        for name in args.parts:
            file = place(name, seed, args.model)
            if not file.is_file():
                begun = time.process_time()
                table = measure(name, seed, args, rivals).assign(seconds=time.process_time() - begun)
                temporary = file.with_suffix(".part")
                table.to_csv(temporary, index=False)
                temporary.replace(file)
                print(file.name, round(time.process_time() - begun), "s", flush=True)
    conclude(args, summary)


if __name__ == "__main__":
    main()
