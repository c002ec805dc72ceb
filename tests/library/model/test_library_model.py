"""LibraryModel: gradients against finite differences, intervals on fresh samples, files against what was fitted."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from matlens.errors import InputError, ResourceError
from matlens.library.model import LibraryModel, Response
from matlens.library.model.presets.registry import PRESETS
from matlens.library.model.presets.umehara2019 import preset as published
from matlens.library.spectra import BandMaximum, Preprocessing
from matlens.library.table import MaterialsLibrary


def made(count: int = 80, seed: int = 0) -> MaterialsLibrary:
    """A merit that follows composition and the height of one band, with noise and replicates."""
    random = np.random.default_rng(seed)
    x = np.repeat(random.dirichlet([2, 2, 1], count // 2), 2, axis=0)
    axis, hidden = np.linspace(700, 900, 40), random.normal(size=count)
    spectra = np.exp(-0.5 * ((axis - axis[20]) / 20) ** 2) + 0.4 * (1 + 0.3 * hidden[:, None]) * np.exp(
        -0.5 * ((axis - 730) / 12) ** 2
    )
    spectra = 5 * (spectra + 0.002 * random.normal(size=spectra.shape))
    merit = x[:, 0] + 2 * x[:, 1] * x[:, 2] + 0.2 * hidden + 0.02 * random.normal(size=count)
    return MaterialsLibrary(x, ("Bi", "V", "W"), {"P": merit}, {"P": "mW/cm2"}, spectra, axis)


@pytest.fixture(scope="module")
def library() -> MaterialsLibrary:
    return made()


@pytest.fixture(scope="module")
def model(library: MaterialsLibrary) -> LibraryModel:
    return LibraryModel(n_models=20, preprocessing=Preprocessing([BandMaximum(750, 850)])).fit(library)


@pytest.fixture
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    """The published preset with few epochs."""
    stages = tuple(replace(stage, epochs=6, rate=3e-3, deviation=0.2) for stage in published._STAGES)
    monkeypatch.setattr(published, "_STAGES", stages)


def check_gradients(model: LibraryModel, library: MaterialsLibrary) -> None:
    """Against central differences of single precision: to a few parts in a thousand of the largest."""
    x, s = library.compositions[:6].copy(), library.spectra
    assert s is not None
    spectra = s[:6].copy()
    found = model.gradients(x, spectra)
    np.testing.assert_allclose(found.values, model.respond(x, spectra), rtol=1e-5, atol=1e-6)
    for column in range(x.shape[1]):
        step = np.zeros(x.shape[1])
        step[column] = 2e-3
        expected = (model.respond(x + step, spectra) - model.respond(x - step, spectra)) / 4e-3
        scale = np.abs(found.composition).max()
        np.testing.assert_allclose(found.composition[..., column], expected, atol=5e-3 * scale)
    random = np.random.default_rng(0)
    for _ in range(3):
        way = 0.02 * random.normal(size=spectra.shape[1])
        expected = (model.respond(x, spectra + way) - model.respond(x, spectra - way)) / 2
        assert found.spectrum is not None
        np.testing.assert_allclose(found.spectrum @ way, expected, atol=1e-2 * np.abs(expected).max())


@pytest.mark.slow
def test_gradients_of_the_default_preset(model: LibraryModel, library: MaterialsLibrary) -> None:
    assert isinstance(model, Response)
    assert model.uses_composition_
    assert model.uses_spectrum_
    check_gradients(model, library)


@pytest.mark.slow
@pytest.mark.usefixtures("short")
def test_gradients_of_the_published_preset(library: MaterialsLibrary) -> None:
    fitted = LibraryModel("umehara2019", n_models=3).fit(library)
    assert fitted.preprocessing_ == Preprocessing([BandMaximum(750, 850)])
    check_gradients(fitted, library)


@pytest.mark.slow
def test_what_was_learned_holds_for_fresh_samples(model: LibraryModel) -> None:
    fresh = made(200, seed=7)
    assert model.score(fresh) > 0.9
    ends = model.predict_interval(fresh, coverage=0.9)
    inside = (ends[:, 0] <= fresh.merit()) & (fresh.merit() <= ends[:, 1])
    assert 0.8 <= inside.mean() <= 0.98  # 200 samples of 100 compositions
    wide = model.predict_interval(fresh, coverage=0.99)
    assert (np.diff(wide, axis=1) > np.diff(ends, axis=1)).all()


@pytest.mark.slow
def test_held_out_predictions_come_from_members_that_saw_nothing(library: MaterialsLibrary) -> None:
    """A figure of merit of pure noise can be learned by heart, but not held out."""
    noise = replace(library, merits=pd.DataFrame({"P": np.random.default_rng(1).normal(size=len(library))}))
    fitted = LibraryModel(n_models=10).fit(noise)
    left = 1 - np.square(fitted.held_out_ - noise.merit()).sum() / np.square(noise.merit() - noise.merit().mean()).sum()
    assert left < 0.1


@pytest.mark.slow
@pytest.mark.parametrize("inputs", ["composition", "spectrum"])
def test_one_kind_of_input(library: MaterialsLibrary, inputs: str) -> None:
    fitted = LibraryModel(n_models=3, inputs=inputs).fit(library)
    found = fitted.gradients(library.compositions, library.spectra)
    assert (found.spectrum is None) == (inputs == "composition")
    assert bool(np.abs(found.composition).max() > 0) == (inputs == "composition")
    assert found.values.shape == (3, len(library))


@pytest.mark.slow
def test_logarithm_is_learned_on_its_own_scale(library: MaterialsLibrary) -> None:
    powers = replace(library, merits=pd.DataFrame({"P": 10 ** library.merit()}), merit_units={"P": "S/cm"})
    fitted = LibraryModel(n_models=4, transform="log10").fit(powers)
    assert fitted.unit_ == "log10(S/cm)"
    same = LibraryModel(n_models=4).fit(library)
    np.testing.assert_allclose(fitted.predict(powers), same.predict(library), atol=1e-4)


@pytest.mark.slow
def test_missing_figures_of_merit_are_not_learned_from(library: MaterialsLibrary) -> None:
    values = library.merit().copy()
    values[:10] = np.nan
    gaps = replace(library, merits=pd.DataFrame({"P": values}))
    fitted, alone = LibraryModel(n_models=2).fit(gaps), LibraryModel(n_models=2).fit(gaps.select(np.arange(10, 80)))
    np.testing.assert_array_equal(fitted.predict(library), alone.predict(library))
    assert np.isnan(fitted.held_out_[:10]).all()


@pytest.mark.slow
def test_censored_samples_are_believed_to_lie_beyond_their_limit(library: MaterialsLibrary) -> None:
    limit = float(np.quantile(library.merit(), 0.85))
    clipped = np.minimum(library.merit(), limit)
    over = library.merit() >= limit
    plain = replace(library, merits=pd.DataFrame({"P": clipped}))
    told = replace(plain, censored=pd.DataFrame({"P": over.astype(np.int8)}))
    error = [
        np.abs(LibraryModel(n_models=10).fit(each).predict(each) - library.merit())[over].mean()
        for each in (plain, told)
    ]
    assert error[1] < 0.95 * error[0]


def test_files_give_the_same_model(model: LibraryModel, library: MaterialsLibrary, tmp_path: Path) -> None:
    again = LibraryModel.load(model.save(tmp_path))
    np.testing.assert_array_equal(again.predict_members(library), model.predict_members(library))
    np.testing.assert_array_equal(again.predict_interval(library), model.predict_interval(library))
    first, second = (each.gradients(library.compositions, library.spectra) for each in (model, again))
    assert first.spectrum is not None
    np.testing.assert_array_equal(first.spectrum, second.spectrum)
    assert again.get_params()["n_models"] == 20
    assert (again.target_, again.unit_, again.components_) == ("P", "mW/cm2", ("Bi", "V", "W"))
    assert again.preprocessing_ == model.preprocessing_
    assert (model.resample, model.resample_, again.resample_) == ("auto", "groups", "groups")


@pytest.mark.slow
def test_the_library_comes_along(library: MaterialsLibrary, tmp_path: Path) -> None:
    covariates = pd.DataFrame({"plate": ["a", "b"] * 40, "thickness": np.linspace(1, 2, 80)})
    rich = replace(
        library, covariates=covariates, censored=pd.DataFrame({"P": np.arange(80) % 2}), notes=("2 rows renormalised",)
    )
    again = LibraryModel.load(LibraryModel(n_models=2).fit(rich).save(tmp_path)).library_
    for name in ("compositions", "spectra", "axis"):
        np.testing.assert_array_equal(getattr(again, name), getattr(rich, name))
    pd.testing.assert_frame_equal(again.covariates, rich.covariates)
    pd.testing.assert_frame_equal(again.merits, rich.merits)
    np.testing.assert_array_equal(again.censoring(), rich.censoring())
    assert (again.notes, again.samples, again.unit()) == (rich.notes, rich.samples, "mW/cm2")


def test_damaged_files_are_refused(model: LibraryModel, tmp_path: Path) -> None:
    place = model.save(tmp_path)
    content = json.loads((place / "model.json").read_text())
    (place / "model.json").write_text(json.dumps({**content, "example": content["example"] + 1}))
    with pytest.raises(ResourceError, match="predicts"):
        LibraryModel.load(place)
    (place / "model.json").write_text(json.dumps({**content, "schema": "else"}))
    with pytest.raises(ResourceError, match="schema"):
        LibraryModel.load(place)
    (place / "model.json").write_text(json.dumps({**content, "parameters": {}}))
    with pytest.raises(ResourceError, match="damaged"):
        LibraryModel.load(place)
    model.save(place)
    arrays = place / "arrays.safetensors"
    arrays.write_bytes(arrays.read_bytes()[:-4])
    with pytest.raises(ResourceError, match="copy both files"):
        LibraryModel.load(place)


@pytest.mark.usefixtures("short")
def test_without_resampling_there_are_no_intervals(library: MaterialsLibrary) -> None:
    fitted = LibraryModel("umehara2019", n_models=2, inputs="composition").fit(library)
    assert fitted.resample_ == "none"
    with pytest.raises(InputError, match="resample='groups'"):
        fitted.predict_interval(library)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"preset": "best"}, "default, umehara2019"),
        ({"n_models": 0}, "at least 1"),
        ({"resample": "some"}, "bootstrap"),
        ({"inputs": "x-rays"}, "composition"),
        ({"transform": "sqrt"}, "log10"),
    ],
)
def test_options_that_do_not_exist(library: MaterialsLibrary, options: dict[str, object], words: str) -> None:
    with pytest.raises(InputError, match=words):
        LibraryModel(**{"n_models": 2, **options}).fit(library)  # type: ignore[arg-type]


def test_libraries_that_do_not_fit(model: LibraryModel, library: MaterialsLibrary) -> None:
    with pytest.raises(InputError, match="same ones in the same order"):
        model.predict(replace(library, components=("V", "Bi", "W")))
    with pytest.raises(InputError, match="same axis"):
        model.predict(library.without_spectra())
    with pytest.raises(InputError, match="axis"):
        model.predict(library.with_spectra(library.spectra, library.axis * 2))  # type: ignore[operator, arg-type]


def test_presets_are_named_as_they_are_kept() -> None:
    assert all(name == preset.name for name, preset in PRESETS.items())
