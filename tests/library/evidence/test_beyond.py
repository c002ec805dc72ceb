"""Additions to co-alloy systems that models never saw: what is left out, and what signs and sizes are worth."""

import numpy as np
import pytest
from sklearn.linear_model import LinearRegression

from matlens import InputError, MaterialsLibrary
from matlens.library.evidence import additions_left_out, summarise_additions
from matlens.library.model import Gradients

NAMES = ("Bi", "V", "W", "Mo", "Tb")
SLOPES = np.array([0.0, 1.0, 20.0, -12.0, 5.0])


def library(pair=0.0, noise=0.0, replicates=1, seed=0):
    """Single elements, all pairs of alloying elements, at four loadings each; ``pair`` is how W and Mo interact."""
    rng = np.random.default_rng(seed)
    rows = [np.zeros(3)]
    loads = (0.01, 0.02, 0.03, 0.04)
    rows += [load * np.eye(3)[k] for k in range(3) for load in loads]
    rows += [a * np.eye(3)[j] + b * np.eye(3)[k] for j, k in ((0, 1), (0, 2), (1, 2)) for a in loads for b in loads]
    w = np.repeat(np.array(rows), replicates, 0)
    share = np.repeat(rng.choice([0.48, 0.5, 0.52], len(rows)), replicates)
    rest = 1 - w.sum(1)
    x = np.column_stack([rest * share, rest * (1 - share), w])
    truth = x @ SLOPES + pair * w[:, 0] * w[:, 1]
    return MaterialsLibrary(x, NAMES, {"P": truth + noise * rng.normal(size=len(x))}), truth


class Linear:
    """Ordinary least squares; keeps what it was shown."""

    members_, uses_composition_, uses_spectrum_, axis_, preprocessing_ = 1, True, False, None, None
    unit_, target_, components_ = "", "P", NAMES
    shown: list[MaterialsLibrary]

    def __init__(self):
        self.model = LinearRegression()

    def fit(self, library, target=None):
        Linear.shown.append(library)
        self.model.fit(library.compositions, library.merit(target))
        return self

    def respond(self, compositions, spectra):
        return self.model.predict(np.asarray(compositions))[None]

    def gradients(self, compositions, spectra, *, progress=None):
        slopes = np.broadcast_to(self.model.coef_, (1, len(compositions), 5))
        return Gradients(self.respond(compositions, None), slopes.astype(np.float32), None)


@pytest.fixture(autouse=True)
def shown():
    Linear.shown = []
    return Linear.shown


def test_models_never_saw_what_they_are_asked(shown) -> None:
    known, _ = library()
    table = additions_left_out(Linear, known)
    assert set(table["system"]) == {"Bi-V-W-Mo", "Bi-V-W-Tb", "Bi-V-Mo-Tb"}
    for seen, system in zip(shown, table["system"].unique(), strict=True):
        assert not set(seen.systems()) & {system}
        assert set(seen.samples).isdisjoint(table.loc[table["system"] == system, "end"])
        assert set(table.loc[table["system"] == system, "start"]) <= set(seen.samples)
    rows = {sample: row for row, sample in enumerate(known.samples)}
    for item in table.to_dict("records"):
        start, end = known.compositions[rows[item["start"]]], known.compositions[rows[item["end"]]]
        k = NAMES.index(item["component"])
        assert start[k] == 0
        assert item["step"] == pytest.approx(100 * end[k])
        assert item["measured"] == pytest.approx(known.merit()[rows[item["end"]]] - known.merit()[rows[item["start"]]])
        assert 0.5 * np.abs(end - start).sum() <= 1.5 * end[k] + 1e-9  # little else changes


def test_additive_laws_are_told_right_and_an_unseen_interaction_is_not() -> None:
    known, _ = library()
    scores = summarise_additions(additions_left_out(Linear, known))
    assert scores["way"].tolist() == ["difference", "gradient"]
    assert (scores["sign"] == 1).all()
    assert (scores["error"] < 1e-5).all()
    np.testing.assert_allclose(scores["size"], 1, atol=1e-6)
    turned, _ = library(pair=-3000.0)  # W helps alone and harms beside Mo: nobody can know who never saw both
    table = additions_left_out(Linear, turned)
    scores = summarise_additions(table[(table["system"] == "Bi-V-W-Mo") & (table["component"] == "W")])
    assert (scores["sign"] < 0.5).all()
    assert (scores["error"] > 1).all()
    assert (scores["sign_low"] <= scores["sign"]).all()
    assert (scores["sign_high"] >= scores["sign"]).all()
    short = summarise_additions(table, least=0, longest=1.0)
    assert short["n"].max() == (table["step"] <= 1.0).sum()


def test_errors_of_differences_come_from_replicates() -> None:
    noise = 0.05
    known, truth = library(noise=noise, replicates=4)
    table = additions_left_out(Linear, known)
    np.testing.assert_allclose(table["error"], noise * np.sqrt(2 / 4), rtol=0.2)
    exact = additions_left_out(Linear, known, truth=truth)
    assert (exact["error"] == 0).all()
    scatter = (table["measured"] - exact["measured"]).std()
    assert scatter == pytest.approx(table["error"].mean(), rel=0.3)
    assert summarise_additions(table)["n"].max() <= summarise_additions(exact)["n"].max() <= len(table)


def test_libraries_without_co_alloys_are_refused() -> None:
    known, _ = library()
    with pytest.raises(InputError, match="co-alloy systems"):
        additions_left_out(Linear, known.select(np.arange(13)))
