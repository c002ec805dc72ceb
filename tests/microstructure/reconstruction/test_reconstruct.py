import sys
from dataclasses import replace

import numpy as np
import pytest
import torch

from matlens.errors import InputError, ResourceError
from matlens.hooks import Silent
from matlens.microstructure.encoders import random_weights
from matlens.microstructure.problems import bicontinuous, blurred_noise, checkerboard, laminate, white_noise
from matlens.microstructure.reconstruction import PRESETS, PhaseCode, phase_counts, plan, reconstruct
from matlens.microstructure.reconstruction.fractions import asked_fractions
from matlens.microstructure.reconstruction.matching.decoding import kmeans_anneal
from matlens.microstructure.statistics import correlation_length_radial, lineal_path_error, s2_error
from matlens.microstructure.structure import Microstructure


def made(exemplar, shape=None, **options):
    return reconstruct(exemplar, shape, **{"encoder": "filterbank", "seed": 0, **options})


def counts(m: Microstructure) -> list[int]:
    return np.bincount(m.labels.ravel(), minlength=m.n_phases).tolist()


@pytest.fixture(scope="module")
def vgg_file(tmp_path_factory):
    from safetensors.torch import save_file

    path = tmp_path_factory.mktemp("weights") / "two.safetensors"
    save_file(random_weights(2, seed=0), path)
    return path


@pytest.mark.slow
def test_a_reconstruction_resembles_its_exemplar_far_more_than_noise_does(exemplar):
    result = made(exemplar, preset="fast").microstructure
    length = float(np.nanmean(correlation_length_radial(exemplar)))
    white = white_noise((64, 64), exemplar.volume_fractions, seed=0)
    blurred = [blurred_noise((64, 64), exemplar.volume_fractions, length, seed=seed) for seed in range(3)]
    assert s2_error(result, exemplar) < 0.25 * s2_error(white, exemplar)
    assert s2_error(result, exemplar) < 0.5 * min(s2_error(control, exemplar) for control in blurred)
    assert lineal_path_error(result, exemplar) < 0.25 * lineal_path_error(white, exemplar)
    # It is no copy: no shift, turn or mirror image of the exemplar comes near.
    signs = [2.0 * m.labels - 1 for m in (result, exemplar)]
    turned = [np.rot90(np.flip(signs[1], 0) if flip else signs[1], k) for k in range(4) for flip in (False, True)]
    spectra = [np.fft.fft2(x - x.mean()) for x in (signs[0], *turned)]
    overlaps = [np.fft.ifft2(spectra[0] * np.conj(other)).real.max() / 64**2 for other in spectra[1:]]
    assert max(overlaps) / signs[1].var() < 0.8


@pytest.mark.slow
@pytest.mark.parametrize("shape", [(32, 64), (96, 48), (80, 96)])
def test_any_shape(exemplar, tiny, shape):
    result = made(exemplar, shape, preset=tiny)
    m = result.microstructure
    assert (m.shape, m.periodic, m.spacing, m.unit) == (shape, True, exemplar.spacing, exemplar.unit)
    assert counts(m) == phase_counts(exemplar.volume_fractions, m.labels.size).tolist()
    assert result.notes == () or not any("cropped" in note for note in result.notes)


def test_sizes_that_the_poolings_do_not_divide_are_cropped(exemplar):
    preset = replace(PRESETS["fast"], coarse=2, fine=4, sharpening=())
    result = made(exemplar, (41, 50), preset=preset)
    m = result.microstructure
    assert (m.shape, m.periodic) == ((41, 50), False)
    assert counts(m) == phase_counts(exemplar.volume_fractions, 41 * 50).tolist()
    assert result.settings["made"] == [48, 64]
    assert any("made at 48 x 64 px" in note and "not periodic" in note for note in result.notes)


@pytest.mark.parametrize(("side", "asked"), [(64, 80), (256, 272), (512, 528)])
def test_every_level_has_whole_pixels(side, asked):
    exemplar = bicontinuous((side, side), wavelength=side / 4, seed=0)
    problem = plan(exemplar, (asked, asked), encoder="filterbank").prepared.problem
    assert len(problem.factors) > 1
    assert all(pixels % (4 * factor) == 0 for pixels in problem.size for factor in problem.factors)


def test_several_exemplars_of_unlike_sizes(tiny):
    fields = [bicontinuous(shape, wavelength=12, fraction=f, seed=1) for shape, f in (((48, 64), 0.4), ((32, 40), 0.5))]
    result = made(fields, preset=tiny)
    fractions = (3072 * fields[0].volume_fractions + 1280 * fields[1].volume_fractions) / 4352
    assert result.microstructure.shape == (48, 64)
    assert counts(result.microstructure) == phase_counts(fractions, 3072).tolist()


def test_an_exemplar_that_lacks_a_phase(tiny):
    three = white_noise((32, 32), (0.5, 0.3, 0.2), seed=0)
    flat = Microstructure(np.zeros((32, 32), dtype=int), phase_names=three.phase_names)
    result = made([three, flat], preset=replace(tiny, mend=True))
    assert np.isfinite(result.history.total).all()
    assert counts(result.microstructure) == phase_counts(np.array([0.75, 0.15, 0.1]), 1024).tolist()


@pytest.mark.slow
@pytest.mark.parametrize("phases", [3, 5])
@pytest.mark.parametrize("encoder", ["filterbank", "vgg19-oxford"])
def test_any_number_of_phases(tiny, tiny_vgg, phases, encoder, vgg_file):
    exemplar = blurred_noise((32, 32), np.full(phases, 1 / phases), 4.0, seed=1)
    weights = None if encoder == "filterbank" else vgg_file
    preset = tiny if encoder == "filterbank" else tiny_vgg
    result = made(exemplar, preset=preset, encoder=encoder, weights=weights)
    assert result.microstructure.n_phases == phases
    assert counts(result.microstructure) == counts(exemplar)
    assert result.fraction_before.shape == (1, phases)
    level = result.history[result.history.level == "full size"].total
    assert level.iloc[-1] < 0.9 * level.iloc[0]


@pytest.mark.slow
def test_fractions_exact_given_and_sampled(exemplar, tiny):
    short = replace(tiny, coarse=1, fine=4)
    given = made(exemplar, preset=short, fraction=(0.7, 0.3))
    assert counts(given.microstructure) == [2867, 1229]
    assert given.settings["fraction"] == [0.7, 0.3]
    np.testing.assert_allclose(given.fraction_after.sum(axis=1), 1)
    sampled = made(exemplar, preset=short, fraction="sampled", n=2)
    found = sampled.fraction_after[:, 1]
    assert found[0] != found[1]
    np.testing.assert_array_less(np.abs(found - 0.4), 0.25)


def test_sampled_fractions_scatter_as_windows_do():
    field = bicontinuous((128, 128), wavelength=16, fraction=0.4, seed=0)
    small, large = (
        np.array([asked_fractions([field], (side, side), "sampled", 0, i)[1] for i in range(300)]) for side in (64, 256)
    )
    windows = np.std([tile.volume_fractions[1] for tile in field.tiles((64, 64))], ddof=1)
    assert small.mean() == pytest.approx(0.4, abs=0.02)
    assert small.std() == pytest.approx(windows, rel=0.15)
    assert large.std() == pytest.approx(windows / 4, rel=0.15)
    assert np.array_equal(
        asked_fractions([field], (9, 9), "sampled", 5, 1), asked_fractions([field], (9, 9), "sampled", 5, 1)
    )


def test_structures_longer_than_their_window(tiny, monkeypatch):
    """Where no correlation length is found within half the side, half the side stands for it."""
    module = sys.modules["matlens.microstructure.reconstruction.default_shape"]
    stripe = laminate((32, 32), 32, fraction=0.1).crop(slice(32), slice(32))
    assert np.isnan(correlation_length_radial(stripe)).any()
    monkeypatch.setattr(module, "covariance_reach", lambda m: np.full(m.n_phases, np.nan))
    assert plan(stripe, encoder="filterbank").prepared.problem.covariance_reach == 16
    result = made(stripe, preset=replace(tiny, fine=4, sharpening=()))
    assert counts(result.microstructure) == counts(stripe)
    assert np.isfinite(result.history.total).all()


@pytest.mark.parametrize("fine", [checkerboard((32, 32), 1), laminate((32, 32), 4)])
def test_structures_that_pool_to_flat_grey(fine, tiny):
    result = made(fine, preset=replace(tiny, layers={"scale1": 1.0, "scale4": 1.0}))
    assert counts(result.microstructure) == counts(fine)
    assert np.isfinite(result.history.total).all()


@pytest.mark.slow
def test_settings_and_shape_of_the_result(exemplar, tiny):
    result = made(exemplar, preset=replace(tiny, name="mine"), n=2, device="cpu")
    assert len(result.microstructures) == len(result.status) == len(result.seconds) == len(result.evaluations) == 2
    assert result.microstructure is result.microstructures[0]
    assert "2 of Microstructure(64 x 64" in repr(result)
    expected = {"encoder": "filterbank", "preset": "mine", "shape": [64, 64], "made": [64, 64], "levels": [2, 1]}
    assert {key: result.settings[key] for key in expected} == expected
    assert (result.settings["device"], result.settings["threads"]) == ("cpu", 1)  # few pixels
    assert list(result.history.columns)[:4] == ["realisation", "level", "evaluation", "total"]
    assert {"Gram scale1", "two-point", "total variation", "sharpness"} <= set(result.history.columns)
    assert sorted(result.history.realisation.unique()) == [0, 1]


TWO = Microstructure(np.eye(32, dtype=int))
BAD = {
    "no exemplar": ([], {}, "at least one micrograph"),
    "volume": (Microstructure(np.arange(2).repeat(4 * 32 * 16).reshape(4, 32, 32)), {}, "3-dimensional"),
    "small": (Microstructure(np.eye(15, dtype=int)), {}, "15 x 15 pixels; the smallest"),
    "one phase": (Microstructure(np.zeros((32, 32), dtype=int)), {}, "1 of 1 phases"),
    "empty phase": (Microstructure(np.eye(32, dtype=int), phase_names=list("abc")), {}, "2 of 3 phases"),
    "flat fields": (
        [Microstructure(np.full((32, 32), k), phase_names=list("ab")) for k in (0, 1)],
        {},
        "one phase throughout",
    ),
    "other scale": ([TWO, Microstructure(np.eye(32, dtype=int), spacing=2.0)], {}, "phases, spacing or unit"),
    "one side": (TWO, {"shape": (32,)}, "1 sides"),
    "four sides": (TWO, {"shape": (32, 32, 32, 32)}, "4 sides"),
    "sampled volume": (TWO, {"shape": (32, 32, 32), "fraction": "sampled"}, "scatter of cubes"),
    "volume as published": (TWO, {"shape": (32, 32, 32), "preset": "li2018"}, "published for planes"),
    "sections in the plane": ({"xy": TWO}, {"shape": (32, 32)}, "depth, height and width"),
    "no plane": ({"slice": TWO}, {"shape": (32, 32, 32)}, "such as xy"),
    "plane twice": ({"xy": TWO, "yx": TWO}, {"shape": (32, 32, 32)}, "normal to z are given twice"),
    "zero": (TWO, {"shape": (0, 32)}, "0x32 is too small"),
    "negative": (TWO, {"shape": (32, -32)}, "32x-32 is too small"),
    "encoder": (TWO, {"encoder": "vgg"}, "'vgg' is not known; choose one of"),
    "preset": (TWO, {"preset": "best"}, "'best' is not known; choose one of default, fast, li2018"),
    "n": (TWO, {"n": 0}, "n=0"),
    "seed": (TWO, {"seed": -1}, "seed=-1"),
    "device": (TWO, {"device": "tpu"}, "'tpu' is not known"),
    "rule": (TWO, {"fraction": "about"}, "'about' is not known"),
    "few fractions": (TWO, {"fraction": (1.0,)}, "1 numbers, but the exemplar has 2"),
    "sum": (TWO, {"fraction": (0.5, 0.6)}, "sum to 1.1"),
    "no share": (TWO, {"fraction": (0.0, 1.0)}, "must be positive"),
    "nan share": (TWO, {"fraction": (float("nan"), 1.0)}, "2 phases"),
    "weights": (TWO, {"weights": "x.pth"}, "takes no weights file"),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_input_is_one_sentence(case):
    exemplar, options, words = BAD[case]
    with pytest.raises(InputError, match=words) as error:
        plan(exemplar, options.pop("shape", None), **{"encoder": "filterbank", **options})
    assert "\n" not in str(error.value)
    assert str(error.value).endswith(".")


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a CUDA device")
def test_a_device_that_is_not_there():
    with pytest.raises(ResourceError, match="no CUDA device"):
        plan(TWO, encoder="filterbank", device="cuda")
    assert plan(TWO, encoder="filterbank").settings["device"] == "cpu"


def test_missing_weights_are_told_before_any_work(tmp_path):
    with pytest.raises(ResourceError, match="no weights file"):
        plan(TWO, encoder="vgg19-oxford", weights=tmp_path / "absent.pth")


@pytest.mark.slow
def test_li2018_reaches_pool4(tmp_path):
    weights = tmp_path / "random.pth"
    torch.save(random_weights(13, seed=0), weights)
    exemplar = bicontinuous((256, 256), wavelength=32, seed=0)
    preset = replace(PRESETS["li2018"], fine=1)
    result = reconstruct(exemplar, encoder="vgg19-oxford", weights=weights, preset=preset, shape="full")
    assert result.settings["levels"] == [1]
    assert list(result.settings["layers"]) == ["conv1_1", "pool1", "pool2", "pool3", "pool4"]
    assert list(result.history.columns)[4:] == [f"Gram {name}" for name in result.settings["layers"]]
    assert (result.history.iloc[0, 4:].astype(float) > 0).all()
    assert any("borders were reflected for pool4" in note for note in result.notes)  # 9 x 9 < 512 / 4
    assert counts(result.microstructure) == counts(exemplar)


def test_li2018_says_where_the_published_file_ends(data_dir):
    work = plan(bicontinuous((32, 32), seed=0), encoder="vgg19-oxford", preset="li2018")
    assert any("vgg19-oxford end at conv3_4" in note and "pool4" in note for note in work.notes)


def test_the_default_preset_with_published_weights(data_dir, tiny_vgg):
    result = reconstruct(bicontinuous((32, 32), wavelength=8, seed=0), encoder="vgg19-oxford", preset=tiny_vgg)
    level = result.history[result.history.level == "full size"].total
    assert level.iloc[-1] < 0.9 * level.iloc[0]
    assert result.settings["weights"]["sha256"]


def test_li2018_stays_within_the_exemplars_values(exemplar, tiny):
    preset = replace(PRESETS["li2018"], layers=tiny.layers, fine=30)
    work = plan(exemplar.crop(slice(32), slice(32)), encoder="filterbank", preset=preset)

    class Last:
        def load(self, realisation):
            return None

        def save(self, realisation, state, *, force=False):
            self.x = state()["x"]

        def show(self, key, labels, *, force=False):
            pass

        def finish(self, key, result):
            self.result_of = {key: result}

        def result(self, realisation):
            return None

    kept = Last()
    result = work.run(Silent(), kept)
    assert (kept.x.min(), kept.x.max()) == pytest.approx((-1, 1))
    assert len(result.history) > 15  # bounds waste no evaluations on line searches
    assert counts(result.microstructure) == counts(work.exemplars[0])


@pytest.mark.parametrize("phases", [2, 3])
@pytest.mark.parametrize("seed", [0, 1])
def test_kmeans_anneal_counts_are_exact(phases, seed):
    random = np.random.default_rng(seed)
    field = random.normal(size=(phases - 1, 24, 20))
    for shares in (np.full(phases, 1 / phases), random.dirichlet(np.ones(phases))):
        asked = phase_counts(shares, 480)
        labels = kmeans_anneal(field, PhaseCode(phases), asked, seed)
        assert np.bincount(labels.ravel(), minlength=phases).tolist() == asked.tolist()
        assert np.array_equal(labels, kmeans_anneal(field, PhaseCode(phases), asked, seed))


def test_kmeans_anneal_keeps_a_clear_field():
    labels = bicontinuous((32, 32), wavelength=8, seed=0).labels
    field = 0.9 * (2.0 * labels - 1)[None] * np.sign(PhaseCode(2).corners[1, 0].item())
    assert np.array_equal(kmeans_anneal(field, PhaseCode(2), np.bincount(labels.ravel()), 0), labels)
