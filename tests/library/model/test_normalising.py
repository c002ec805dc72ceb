"""Choosing how spectra are normalised: against libraries made so that one way is right."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from matlens.library.baselines import BASELINES, BaselineModel
from matlens.library.model import LibraryModel
from matlens.library.model import preprocessing_choice as normalising
from matlens.library.model.preprocessing_choice import CHAINS, Choice, _best, choose_preprocessing, in_words
from matlens.library.spectra import Area, Preprocessing, StandardNormalVariate
from matlens.library.table import MaterialsLibrary

AXIS = np.linspace(100, 900, 80)


def made(*, gain: float, informative: bool = False, background: float = 0.0, count: int = 80) -> MaterialsLibrary:
    """The figure of merit is the ratio of two bands; or, where told, how bright the whole spectrum is."""
    random = np.random.default_rng(3)
    x = np.repeat(random.dirichlet([2, 2, 2], count // 2), 2, axis=0)
    ratio, bright = random.uniform(0, 1, (count, 1)), np.exp(gain * random.normal(size=(count, 1)))
    bands = np.exp(-0.5 * ((AXIS - 300) / 40) ** 2) + ratio * np.exp(-0.5 * ((AXIS - 600) / 40) ** 2)
    place = (AXIS - 500) / 400
    below = background * (3 + random.normal(size=(count, 1)) * place + random.normal(size=(count, 1)) * place**2)
    spectra = bright * (bands + 0.2 + below) + 0.002 * random.normal(size=(count, 80))
    merit = np.log(bright) / max(gain, 1e-9) if informative else ratio
    merit = merit[:, 0] + 0.3 * x[:, 0] + 0.02 * random.normal(size=count)
    return MaterialsLibrary(x, ("Bi", "V", "W"), {"P": merit}, spectra=spectra, axis=AXIS)


def chosen(library: MaterialsLibrary) -> Choice:
    return choose_preprocessing(library, library.merit(), seed=1)


def test_a_factor_without_meaning_is_divided_out() -> None:
    found = chosen(made(gain=0.8))
    assert found.chain != Preprocessing()
    assert max(found.tried.values()) == found.tried[in_words(found.chain)] > found.tried["none"] + 0.01


def test_a_factor_with_meaning_is_kept() -> None:
    found = chosen(made(gain=0.5, informative=True))
    assert found.chain == Preprocessing()
    assert found.tried["none"] > found.tried["snv"] + 0.3


def test_a_curved_background_is_taken_off() -> None:
    assert chosen(made(gain=0.8, background=1.0)).chain == CHAINS[-1]


def test_what_may_be_chance_changes_nothing() -> None:
    groups, none, snv = np.arange(100) // 2, CHAINS[0], CHAINS[2]
    flat, odd = np.ones(100), np.where(groups % 2, 1.1, 0.89)  # a mean of 0.995
    assert _best({none: flat, snv: odd}, none, groups).chain == none
    assert _best({none: flat, snv: flat - 0.005}, none, groups).chain == snv


@pytest.mark.slow
def test_the_same_seed_gives_the_same_choice() -> None:
    library = made(gain=0.8)
    one = chosen(library)
    assert chosen(library) == one


@pytest.mark.slow
def test_the_level_and_scale_of_the_figure_of_merit_do_not_matter() -> None:
    library = made(gain=0.8)
    one, other = (choose_preprocessing(library, y).tried for y in (library.merit(), 7 - 1e-4 * library.merit()))
    assert one == pytest.approx(other, abs=2e-3)


def test_chains_that_do_not_fit_are_passed_over() -> None:
    library = made(gain=0.8)
    assert library.spectra is not None
    negative = library.with_spectra(library.spectra - 100, AXIS)
    assert set(chosen(negative).tried) == {in_words(chain) for chain in CHAINS} - {"area"}


def test_one_composition_alone_decides_nothing() -> None:
    library = made(gain=0.8).select([0, 1])
    assert choose_preprocessing(library, library.merit()) == Choice(Preprocessing(), {})


@pytest.mark.slow
def test_the_model_takes_the_chain_and_its_gradients_are_of_the_file(tmp_path: Path) -> None:
    library = made(gain=0.8)
    model = LibraryModel(n_models=2).fit(library)
    assert library.spectra is not None
    assert model.preprocessing_ == choose_preprocessing(library, library.merit()).chain != Preprocessing()
    x, spectra = library.compositions[:5], library.spectra[:5]
    found, scaled = model.gradients(x, spectra).spectrum, model.gradients(x, 2 * spectra).spectrum
    assert found is not None
    assert scaled is not None
    np.testing.assert_allclose(scaled, found / 2, atol=1e-3 * np.abs(found).max())  # brightness does not matter
    way = 0.001 * np.random.default_rng(0).normal(size=AXIS.size)
    expected = (model.respond(x, spectra + way) - model.respond(x, spectra - way)) / 2
    np.testing.assert_allclose(found @ way, expected, atol=2e-2 * np.abs(expected).max())
    again = LibraryModel.load(model.save(tmp_path))
    assert again.preprocessing_ == model.preprocessing_
    assert again.chains_tried_ == model.chains_tried_ != {}
    assert again.preprocessing is None


@pytest.mark.slow
@pytest.mark.parametrize("chain", [Preprocessing(), Preprocessing([Area(), StandardNormalVariate()])])
def test_what_the_user_asks_for_is_done(chain: Preprocessing) -> None:
    model = LibraryModel(n_models=2, preprocessing=chain).fit(made(gain=0.8, count=40))
    assert model.preprocessing_ == chain
    assert model.chains_tried_ == {}


@pytest.mark.slow
def test_models_of_the_same_samples_ask_once(monkeypatch: pytest.MonkeyPatch) -> None:
    tried, asked = normalising._held_out, []
    monkeypatch.setattr(normalising, "_held_out", lambda *given: (asked.append(given[2]), tried(*given))[1])
    library = made(gain=0.8, count=40)
    cache: dict[str, Choice] = {}
    one = LibraryModel(n_models=2, cache=cache).fit(library)
    others = [BASELINES[name](cache=cache).fit(library) for name in ("ridge", "pls")]
    assert asked == list(CHAINS)
    assert [model.chains_tried_ for model in others] == [one.chains_tried_] * 2
    one.chains_tried_.clear()  # nobody else's
    assert chosen(library).tried == BaselineModel("ridge", seed=1).fit(library).chains_tried_ != {}
    for other in (
        library.select(np.arange(len(library))[::-1]),
        replace(library, merits=library.merits**2),
        library.with_spectra(1.1 * np.asarray(library.spectra), AXIS),
    ):
        before = len(asked)
        BaselineModel("ridge", cache=cache).fit(other)
        assert len(asked) == before + len(CHAINS)
    assert len(cache) == 4


@pytest.mark.slow
@pytest.mark.parametrize("name", ["ridge", "gaussian-process"])
def test_a_baseline_normalises_as_default_does(name: str) -> None:
    """Where brightness means nothing, what is left of it would be noise; gradients are of the file's intensities."""
    library = made(gain=0.8, count=120)
    seen, rest = library.select(range(80)), library.select(range(80, 120))
    model, plain = BASELINES[name]().fit(seen), BASELINES[name](preprocessing=Preprocessing()).fit(seen)
    assert model.preprocessing_ == choose_preprocessing(seen, seen.merit()).chain != Preprocessing()
    assert model.preprocessing is None
    assert plain.preprocessing_ == Preprocessing()
    assert plain.chains_tried_ == {}
    assert model.score(rest) > plain.score(rest)
    x, spectra = rest.compositions[:5], np.asarray(rest.spectra)[:5]
    found, scaled = model.gradients(x, spectra).spectrum, model.gradients(x, 2 * spectra).spectrum
    assert found is not None
    assert scaled is not None
    np.testing.assert_allclose(scaled, found / 2, atol=1e-3 * np.abs(found).max())


def test_a_baseline_of_compositions_tries_nothing() -> None:
    model = BaselineModel("ridge", inputs="composition").fit(made(gain=0.8))
    assert model.chains_tried_ == {}
    assert model.preprocessing_ == Preprocessing()
