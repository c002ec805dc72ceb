"""Regret of suggestions, as `benchmarks/library_regret.py` measures it, where a model knows the truth."""

import argparse
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

import library_regret
import suggestion_regret
from matlens import Campaign, InputError, Limits, MaterialsLibrary

NAMES = ("A", "B", "C")
PEAK = np.array([0.4, 0.35, 0.25])


def truth(x):
    return 5 - 20 * ((np.asarray(x) - PEAK) ** 2).sum(-1)


class Oracle:
    """A model that knows the truth."""

    members_, uses_composition_, uses_spectrum_, axis_, preprocessing_ = 1, True, False, None, None
    target_, unit_, components_ = "P", "mW", NAMES

    def fit(self, library, target=None):
        return self

    def respond(self, compositions, spectra):
        return truth(compositions)[None]


def library(count):
    """Compositions poor in C: the optimum lies beyond them, but within a quarter of their range."""
    x = np.random.default_rng(0).dirichlet([5, 5, 1], count)
    x = x[x[:, 2] < 0.22]
    x[: len(x) // 3, 2] = 0
    x /= x.sum(1, keepdims=True)
    return MaterialsLibrary(x, NAMES, {"P": truth(x)}, {"P": "mW"})


class Known:
    def __init__(self):
        self.library = library(160)

    def response(self, compositions, state=None):
        return truth(compositions)


@pytest.mark.parametrize(("minimise", "better"), [(False, 1.0), (True, 0.0)])
def test_values_above_the_interval_are_better_where_much_is_wanted(monkeypatch, minimise, better) -> None:
    modest = suggestion_regret.suggest
    monkeypatch.setattr(
        suggestion_regret, "suggest", lambda *given, **more: modest(*given, **more).assign(low=-99.0, high=-98.0)
    )
    campaign = Campaign(limits=Limits(increment=0.01), minimise=minimise)
    table = suggestion_regret.suggestion_regret(Known(), Oracle, n=3, share=0.3, campaign=campaign)
    own = table[table["strategy"] == "suggest"]
    assert own[["inside", "better"]].to_numpy().tolist() == [[0.0, better]]


def test_regret_of_a_model_that_knows_the_truth_is_nothing() -> None:
    table = suggestion_regret.suggestion_regret(
        Known(), Oracle, n=5, share=0.3, repeats=2, campaign=Campaign(limits=Limits(increment=0.01))
    )
    missed = table.pivot_table(index="repeat", columns="strategy", values="regret")
    assert (missed["suggest"] < 0.02).all()
    assert (missed["random"] > missed["suggest"]).all()
    assert (table["regret"] >= -1e-9).all()
    assert (table["possible"] <= 5 + 1e-9).all()
    own = table[table["strategy"] == "suggest"]
    assert (own["inside"] + own["better"] <= 1).all()
    with pytest.raises(InputError, match="1 compositions to suggest from"):
        suggestion_regret.suggestion_regret(Known(), Oracle, share=0.01)


class LittleIsWanted(Oracle):
    def respond(self, compositions, spectra):
        return -truth(compositions)[None]


def test_a_model_that_knows_a_table_finds_its_best_and_chance_does_not(monkeypatch, tmp_path):
    known = library(160)
    table = type(known)(known.compositions, known.components, {"P": -truth(known.compositions)}, {"P": "mW"})
    monkeypatch.setattr(library_regret, "POOLS", ("known",))
    monkeypatch.setitem(library_regret.DATA, "known", SimpleNamespace(read=lambda: table))
    monkeypatch.setattr(library_regret, "model_of", lambda *given: LittleIsWanted())
    monkeypatch.setattr(library_regret, "FOLDER", tmp_path)
    asked = argparse.Namespace(repeats=4, model="auto", seeds=[0])

    def last(x, y, candidates, n, minimise, seed):
        assert minimise
        return np.arange(len(candidates))[-n:]

    found = library_regret.in_pool("known", 0, asked, {"last": last})
    missed = found.pivot_table(index="repeat", columns="strategy", values="regret")
    assert (missed["suggest"] < 1e-12).all()
    assert missed["random"].mean() > 0.1
    assert (found["possible"] < found["measured"]).all()  # the best fifth was held back
    found.to_csv(library_regret.place("known", 0, "auto"), index=False)
    (line,) = library_regret.lines("known", asked)
    assert line["suggest"] == "0.000"
    assert float(line["random"]) > 0.1 / found["scale"].iloc[0]


def test_families_are_as_large_as_elsewhere():
    assert len(library_regret.FAMILIES["photoanode"](seed=0).library) == library_regret.SIZES["photoanode"]
    assert library_regret.FAMILIES["blend"](seed=1).library.samples


def test_splits_of_a_table_are_resampled_one_by_one_and_libraries_of_a_family_as_a_whole(monkeypatch, tmp_path):
    monkeypatch.setattr(library_regret, "FOLDER", tmp_path)
    asked = argparse.Namespace(model="auto", seeds=[0, 1, 2])
    names = library_regret.STRATEGIES
    for seed in asked.seeds:  # all differences are between repeats of a seed, whose means are equal
        rows = [
            {"repeat": repeat, "strategy": name, "regret": float(repeat and name != "suggest"), "scale": 1.0}
            for repeat in (0, 1)
            for name in names
        ]
        for name in ("phases", "Perovskite"):
            pd.DataFrame(rows).to_csv(library_regret.place(name, seed, "auto"), index=False)
    (family,), (table,) = (library_regret.lines(name, asked) for name in ("phases", "Perovskite"))
    assert family["gp-ucb less suggest"] == "0.500 (0.500 to 0.500)"
    low, high = table["gp-ucb less suggest"].removeprefix("0.500 (").removesuffix(")").split(" to ")
    assert float(low) < 0.3 < 0.7 < float(high)
    assert family["repeats"] == table["repeats"] == 6
