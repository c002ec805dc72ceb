"""How well effective properties are predicted from few labelled structures, and what the pre-trained layers are worth.

    python benchmarks/transfer.py structures            # makes the data set (once)
    python benchmarks/transfer.py curves depths networks families real coverage targets
    python benchmarks/transfer.py compare speed --encoders vgg19-oxford filterbank --weights mine=weights.safetensors
    python benchmarks/transfer.py --summary             # tables and figure from what is done

Every fit is a line in a JSON file and is not made again; any part may be stopped and started at any time. Data: six
families at 64 x 64 pixels, contrast 50, R squared of log k_00 on the frozen test set; models see the same draws.

`compare` judges encoders against each other, also at contrast 300, to which nothing is tuned. An encoder that was
trained without some families, or on conductivities, is marked by --left-out NAME=FAMILY and --seen-conductivities NAME.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch

from matlens.core.splits import draw_groups, leave_one_out
from matlens.microstructure.encoders import VGG19, load_encoder, random_weights
from matlens.microstructure.properties import StructurePropertyModel, sensitivity_scores, summarise_scores
from matlens.microstructure.properties.learning_curves import learning_curve, scores
from transfer_data import DRAWS, PHASES, PLACE, TARGET, Row, Store, data, features, real_windows, structures
from transfer_encoders import add_arguments, chosen_encoders, compare, speed

SIZES = (10, 25, 50, 100, 250, 500)
REFERENCE = "VGG-19"
DEPTHS = ("conv1_1", "conv1_2", "conv2_2", "conv3_4")
Make = Callable[[], StructurePropertyModel]


def vgg() -> VGG19:
    found = load_encoder("vgg19-oxford")
    assert isinstance(found, VGG19)
    return found


def encoders() -> dict[str, Any]:
    return {
        "VGG-19": vgg(),
        "VGG-19, random weights": VGG19(random_weights(8, seed=0), "vgg19-random"),
        "filter bank": load_encoder("filterbank"),
    }


def baselines(phase_values: tuple[float, ...] | None = PHASES) -> dict[str, Make]:
    model = partial(StructurePropertyModel, phase_values=phase_values, coverage=None)
    return {
        "volume fraction, GP": partial(model, features="volume-fraction", head="gp"),
        "two-point PCA, ridge": partial(model, features="two-point", head="ridge"),
        "two-point PCA, boosting": partial(model, features="two-point", head="boosting"),
        "two-point PCA, GP": partial(model, features="two-point", head="gp"),
    }


def fit_all(part: str, models: dict[str, Make], target: str = TARGET, sizes: Any = SIZES, draws: Any = DRAWS) -> None:
    train, test = data()
    store = Store(part)
    for name, make in models.items():
        for n in sizes:
            for draw in draws:
                store.keep(
                    f"{name}|{target}|{n}|{draw}",
                    lambda make=make, n=n, draw=draw: next(learning_curve(make, train, test, target, [n], [draw])),
                )


def curves() -> None:
    cache = features()
    for name, encoder in encoders().items():
        draws, share = (DRAWS, 0.9) if name == REFERENCE else (DRAWS[:3], None)
        made = {name: partial(StructurePropertyModel, encoder, phase_values=PHASES, coverage=share, cache=cache)}
        fit_all("curves", made, draws=draws)
        cache.flush()
        if name == REFERENCE:
            fit_all("curves", baselines())


def depths() -> None:
    """What each depth contributes, by head; and what bounds and symmetry are worth."""
    encoder, cache = vgg(), features()
    model = partial(StructurePropertyModel, encoder, phase_values=PHASES, coverage=None)
    fit = partial(fit_all, "depths", sizes=(25, 100, 500), draws=DRAWS[:3])
    for depth in DEPTHS:
        made = {f"to {depth}, {head}": partial(model, depth=depth, head=head, cache=cache) for head in ("ridge", "gp")}
        fit(made)
        cache.flush()
    fit({"without bounds": partial(model, scale="log", cache=cache)})
    fit({"without symmetry": partial(model, symmetry=False, cache=cache)})


def networks() -> None:
    """The network itself, trained end to end; without intervals, which would take six trainings a fit."""
    model = partial(StructurePropertyModel, vgg(), depth="conv2_2", phase_values=PHASES, coverage=None)
    for freedoms in (("scratch", "free"), ("partly-frozen", "frozen")):
        for draw in DRAWS[:2]:
            made = {f"network, {freedom}": partial(model, head=f"network-{freedom}") for freedom in freedoms}
            fit_all("networks", made, sizes=(25, 100, 250), draws=(draw,))


def families() -> None:
    """Each family held out: trained on 250 structures of the five others, tested on that family's test structures."""
    train, test = data()
    store, cache = Store("families"), features()
    model = partial(StructurePropertyModel, vgg(), phase_values=PHASES, coverage=None, cache=cache)
    for name, make in ({REFERENCE: model} | baselines()).items():
        for family, others, _ in leave_one_out(train.families):
            unseen = test.select(test.families == family)
            for draw in DRAWS[:3]:
                store.keep(
                    f"{name}|{family}|{draw}",
                    lambda make=make, others=others, unseen=unseen, draw=draw: next(
                        learning_curve(make, train.select(others), unseen, TARGET, [250], [draw])
                    ),
                )


def real() -> None:
    """Trained on 500 synthetic structures, tested on windows of real micrographs, material by material."""
    train, _ = data()
    test = real_windows()
    store, cache = Store("real"), features()
    models = {REFERENCE: partial(StructurePropertyModel, vgg(), phase_values=PHASES, cache=cache)} | baselines()
    for name, make in models.items():
        for draw in DRAWS[:3]:
            if all(f"{name}|{family}|{draw}" in store.rows for family in [*np.unique(test.families), "all"]):
                continue
            model = make().set_params(coverage=0.9).fit(train.select(draw_groups(train.groups, 500, draw)), TARGET)
            found, truth = model.predict_interval(test), test.targets[TARGET].to_numpy()
            inside = (found["low"] <= truth) & (truth <= found["high"])
            for family in [*np.unique(test.families), "all"]:
                one = np.full(len(test), True) if family == "all" else test.families == family
                row = scores(truth[one], found["predicted"][one]) | {
                    "inside": float(inside[one].mean()),
                    "in_domain": float(found["in_domain"][one].mean()),
                }
                store.keep(f"{name}|{family}|{draw}", lambda row=row: row)


def coverage() -> None:
    """200 draws of 50 structures; the share of test structures inside, altogether and by tercile and family."""
    train, test = data()
    store, cache = Store("coverage"), features()
    truth = test.targets[TARGET].to_numpy()
    tercile = np.searchsorted(np.quantile(truth, [1 / 3, 2 / 3]), truth)
    for draw in range(200):

        def row(draw: int = draw) -> Row:
            model = StructurePropertyModel(vgg(), phase_values=PHASES, cache=cache)
            found = model.fit(train.select(draw_groups(train.groups, 50, 1000 + draw)), TARGET).predict_interval(test)
            inside = ((found["low"] <= truth) & (truth <= found["high"])).to_numpy()
            parts = {f"tercile {i + 1}": inside[tercile == i].mean() for i in range(3)}
            parts |= {family: inside[test.families == family].mean() for family in np.unique(test.families)}
            width = (found["high"] / found["low"]).median()
            return {"all": float(inside.mean()), "width": float(width)} | {k: float(v) for k, v in parts.items()}

        store.keep(str(draw), row)


def targets() -> None:
    """Other contrasts, an off-diagonal component, and stiffness: the default model and the baselines."""
    cache = features()
    values = {
        "k_00_c10": (1.0, 10.0),
        "k_00_c1000": (1.0, 1000.0),
        "C_00_c10": None,
        "C_00_c100": None,
        "C_22_c100": None,
    }
    for target, phases in values.items():
        model = partial(StructurePropertyModel, vgg(), phase_values=phases, coverage=None, cache=cache)
        fit_all("targets", {REFERENCE: model} | baselines(phases), target, sizes=(100,), draws=DRAWS[:3])


def sensitivity() -> None:
    """Is the model right for the right reason? 24 test structures, 40 flips each, solved anew, beside what maps say."""
    train, test = data()
    chosen = test.select(np.linspace(0, len(test) - 1, 24).round().astype(int))
    model = partial(StructurePropertyModel, phase_values=PHASES, coverage=None)
    models = {REFERENCE: partial(model, vgg(), cache=features())} | {
        "two-point PCA, ridge": partial(model, features="two-point", head="ridge"),
        "volume fraction, GP": partial(model, features="volume-fraction", head="gp"),
    }
    store = Store("sensitivity")
    for name, make in models.items():

        def row(make: Make = make) -> Row:
            fitted = make().fit(train.select(draw_groups(train.groups, 500, 1)), TARGET)
            found = summarise_scores(sensitivity_scores(fitted, chosen))
            return {"r2": fitted.score(test), "summary": found.to_dict("records")}

        store.keep(name, row)


PARTS = {
    one.__name__: one for one in (structures, curves, depths, networks, families, real, coverage, targets, sensitivity)
}
JUDGING = {one.__name__: one for one in (compare, speed)}  # parts of the encoders that are asked for


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("parts", nargs="*", choices=[*PARTS, *JUDGING, []])
    add_arguments(parser)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--summary", action="store_true")
    parser.add_argument("--figure", type=Path)
    chosen = parser.parse_args()
    torch.set_num_threads(chosen.threads)
    for part in chosen.parts:
        if part in JUDGING:
            JUDGING[part](chosen_encoders(chosen))
        else:
            PARTS[part]()
    if chosen.summary:
        from transfer_tables import write_tables

        write_tables(PLACE, chosen.figure)


if __name__ == "__main__":
    main()
