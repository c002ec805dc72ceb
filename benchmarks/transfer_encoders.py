"""Encoders judged side by side by what their features predict, for benchmarks/transfer.py.

Each encoder has a file of its own, `compare/NAME.json`, so that several processes may judge different encoders at once.
Every fit keeps ln of what it predicts for each test structure and each real window: scores of one family or material,
and intervals over structures, need no further fit.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import torch

from matlens.core.splits import draw_groups
from matlens.microstructure.encoders import ENCODERS, Encoder, load_encoder
from matlens.microstructure.problems import FAMILIES
from matlens.microstructure.properties import StructurePropertyModel, join_structures
from matlens.microstructure.properties.features import EncoderFeatures, layers_to
from transfer_data import DRAWS, PHASES, TARGET, UNSEEN, UNSEEN_PHASES, Row, Store, data, features, real_windows

SIZES = (25, 100, 500)
TARGETS = {TARGET: PHASES, UNSEEN: UNSEEN_PHASES}


@dataclass(frozen=True)
class Judged:
    """An encoder under the name that tables give it, and what its training saw of what it is judged by."""

    name: str
    encoder: Encoder
    seen_conductivities: bool = False
    left_out: tuple[str, ...] = ()

    def facts(self) -> Row:
        return {
            "weights": self.encoder.fingerprint(self.encoder.layers[-1].name),
            "seen_conductivities": self.seen_conductivities,
            "left_out": list(self.left_out),
        }

    def store(self) -> Store:
        """Rows of this encoder; those of other weights, or with other marks, are refused."""
        store = Store(f"compare/{self.name}")
        if store.keep("encoder", self.facts) != self.facts():
            raise SystemExit(
                f"{store.path} holds rows of other weights or marks than {self.name} has now; give this encoder "
                "another name, or remove the file to judge it anew."
            )
        return store


def add_arguments(parser: argparse.ArgumentParser) -> None:
    at_hand = [name for name, entry in ENCODERS.items() if entry.at_hand()]
    parser.add_argument("--encoders", nargs="*", default=at_hand, choices=ENCODERS, metavar="NAME", help=str(at_hand))
    parser.add_argument("--weights", nargs="*", default=[], metavar="NAME=PATH", help="other weights of matlens")
    parser.add_argument("--seen-conductivities", nargs="*", default=[], metavar="NAME", help="trained with such heads")
    parser.add_argument("--left-out", nargs="*", default=[], metavar="NAME=FAMILY,FAMILY", help="not trained on these")


def chosen_encoders(chosen: argparse.Namespace) -> list[Judged]:
    """The encoders that the arguments ask for."""
    paths = dict(text.split("=", 1) for text in chosen.weights)
    left_out = {name: tuple(kinds.split(",")) for name, kinds in (text.split("=", 1) for text in chosen.left_out)}
    names = [*chosen.encoders, *paths]
    if unknown := {*chosen.seen_conductivities, *left_out} - {*names}:
        raise SystemExit(f"marks were given for {', '.join(sorted(unknown))}, but the encoders are {', '.join(names)}.")
    if unknown := {kind for kinds in left_out.values() for kind in kinds} - {*FAMILIES}:
        raise SystemExit(f"there is no family {', '.join(sorted(unknown))}; choose among {', '.join(FAMILIES)}.")
    if twice := {*chosen.encoders} & {*paths}:
        raise SystemExit(f"{', '.join(sorted(twice))} is an encoder of the package; give its file another name.")
    return [
        Judged(
            name,
            load_encoder("matlens", weights=paths[name]) if name in paths else load_encoder(name),
            name in chosen.seen_conductivities,
            left_out.get(name, ()),
        )
        for name in names
    ]


def compare(encoders: Iterable[Judged]) -> None:
    """Fit the same draws of training structures with each encoder, and predict test structures and real windows."""
    train, test = data()
    shown = join_structures([test, real_windows()])
    for one in encoders:
        store, cache = one.store(), features()
        for target, phases in TARGETS.items():
            for n in SIZES:
                for draw in DRAWS:

                    def row(encoder=one.encoder, cache=cache, target=target, phases=phases, n=n, draw=draw) -> Row:
                        start = time.process_time()
                        model = StructurePropertyModel(encoder, phase_values=phases, coverage=None, cache=cache)
                        model.fit(train.select(draw_groups(train.groups, n, draw)), target)
                        predicted = np.log(model.predict(shown)).round(6).tolist()
                        return {"predicted": predicted, "seconds": time.process_time() - start} | model.chosen_

                    store.keep(f"{target}|{n}|{draw}", row)
        cache.flush()


def speed(encoders: Iterable[Judged]) -> None:
    """Time the features of 1000 structures of 128 x 128 pixels, as a model of automatic depth computes them."""
    train, _ = data()
    big = np.roll(np.tile(train.labels[:1000], (1, 2, 2)), 3, 1)
    for one in encoders:
        layers = layers_to(one.encoder, one.encoder.layers[-1].name)

        def row(encoder: Encoder = one.encoder, layers: tuple[str, ...] = layers) -> Row:
            EncoderFeatures(encoder, layers)(big[:50])  # the first batch also pays for memory and kernels
            start, busy = time.perf_counter(), time.process_time()
            EncoderFeatures(encoder, layers)(big)
            return {"seconds": time.perf_counter() - start, "processor": time.process_time() - busy}

        one.store().keep(f"speed|{torch.get_num_threads()}", row)
