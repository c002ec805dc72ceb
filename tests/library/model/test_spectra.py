import json
import re
from pathlib import Path

import numpy as np
import pytest
import torch

from matlens.errors import InputError, ResourceError
from matlens.library.spectra import (
    Area,
    BandMaximum,
    Baseline,
    Crop,
    Despike,
    Detrend,
    Preprocessing,
    Resample,
    Smooth,
    StandardNormalVariate,
    background,
)
from matlens.library.spectra.channels import mean_matrix, widths
from matlens.library.spectra.preprocessing import STEPS

CHAIN = Preprocessing(
    [Crop(1.0, 9.0), Despike(), Resample(step=0.5), BandMaximum(4, 6), Area(2, 8), Detrend(2), StandardNormalVariate()]
)


def uneven_axis(count: int = 41) -> np.ndarray:
    """An axis whose channels are wider at its start, as Raman axes are."""
    return 10 * np.linspace(0, 1, count) ** 0.8


def spectra(count: int = 3, *, seed: int = 0) -> torch.Tensor:
    axis, random = uneven_axis(), np.random.default_rng(seed)
    peaks = np.exp(-0.5 * ((axis - random.uniform(4, 6, (count, 1))) / 0.8) ** 2)
    return torch.tensor(peaks + 0.3 + 0.01 * random.normal(size=peaks.shape))


def test_paper_normalisation() -> None:
    prepared, axis = Preprocessing([BandMaximum(4, 6)]).apply(spectra(), uneven_axis())
    band = (axis >= 4) & (axis <= 6)
    np.testing.assert_allclose(prepared[:, band].amax(1), 1)
    np.testing.assert_allclose(prepared[0] / spectra()[0], prepared[0, 0] / spectra()[0, 0])


def test_resampling_is_the_mean_of_the_lines_between_channels() -> None:
    old, new = uneven_axis(), np.array([0.0, 0.7, 2.0, 2.1, 9.0, 10.0])
    values = spectra(1)[0].numpy()
    edges = np.concatenate([new[:1], (new[1:] + new[:-1]) / 2, new[-1:]])
    for row, low, high in zip(mean_matrix(old, new), edges[:-1], edges[1:], strict=True):
        fine = np.linspace(low, high, 20001)
        truth = np.trapezoid(np.interp(fine, old, values), fine) / (high - low)
        assert row @ values == pytest.approx(truth, abs=1e-6)


def test_resampling_keeps_lines_inside_and_averages_noise() -> None:
    axis = np.linspace(0, 100, 1001)
    line, _ = Resample(step=2.0)(torch.tensor(3 * axis), axis)
    np.testing.assert_allclose(line[1:-1], 3 * np.arange(2, 100, 2))
    noise = torch.tensor(np.random.default_rng(0).normal(size=(50, 1001)))
    assert float(Resample(step=2.0)(noise, axis)[0].std()) == pytest.approx(1 / np.sqrt(20), rel=0.1)


def test_spikes_go_and_peaks_stay() -> None:
    axis, random = np.arange(400.0), np.random.default_rng(1)
    clean = np.exp(-0.5 * ((axis - 150) / 3) ** 2) + 0.01 * random.normal(size=400)
    spiked = clean.copy()
    spiked[[60, 61, 151, 300]] += [2.0, 1.5, 3.0, 0.5]
    found = Despike()(torch.tensor(spiked), axis)[0].numpy()
    untouched = np.delete(np.arange(400), [60, 61, 151, 300])
    np.testing.assert_array_equal(found[untouched], clean[untouched])
    assert np.abs(found - clean).max() < 0.15


def test_smoothing_keeps_parabolas_and_takes_noise() -> None:
    axis, random = np.arange(200.0), np.random.default_rng(2)
    parabola = torch.tensor(0.01 * (axis - 80) ** 2)
    np.testing.assert_allclose(Smooth(9, 2)(parabola, axis)[0], parabola, atol=1e-9)
    noise = torch.tensor(random.normal(size=(40, 200)))
    smooth = Smooth(9, 2)(noise, axis)[0][:, 10:-10]
    assert float(smooth.std()) == pytest.approx(
        np.sqrt(0.2554), rel=0.05
    )  # middle weight of the filter of 9 and order 2
    with pytest.raises(InputError, match="window of 4 channels"):
        Smooth(4)
    with pytest.raises(InputError, match="the spectra have 5"):
        Smooth(7)(torch.zeros(5), np.arange(5.0))


def test_calibration_moves_the_axis_and_later_steps_use_it() -> None:
    chain = Preprocessing.parse(["calibrate:4:5", "crop:5:6"])
    prepared, axis = chain.apply(torch.arange(8.0), np.arange(8.0))
    assert (prepared.tolist(), axis.tolist()) == ([4.0, 5.0], [5.0, 6.0])
    assert chain.new_axis(np.arange(8.0)).tolist() == [5.0, 6.0]
    assert Preprocessing.from_settings(chain.settings()) == chain


def test_every_step_is_documented_and_each_documented_one_is_understood() -> None:
    text = (Path(__file__).parents[3] / "docs" / "library_files.md").read_text(encoding="utf-8")
    table = text.partition("| step | effect on each spectrum |")[2].partition("\n\n")[0]
    written = [step for row in re.findall(r"^\| (`.*?) \|", table, re.MULTILINE) for step in re.findall("`(.*?)`", row)]
    assert {step.split(":")[0] for step in written} == set(STEPS)
    numbers = {"THRESHOLD": "8", "CHANNELS": "5", "DEGREE": "1", "ORDER": "2", "STEP": "2"}
    numbers |= {"LOW": "4", "HIGH": "6", "FOUND": "5", "TRUE": "5"}
    for step in written:
        name, *options = step.split(":")
        Preprocessing.parse([":".join([name, *(numbers.get(option, option) for option in options)])])


def test_regions_are_kept_by_cropping_and_cutting() -> None:
    axis = np.arange(100.0, 200.0)
    spectra = np.random.default_rng(0).normal(size=(3, 100))
    found, kept = Preprocessing.parse(["crop:110:190", "cut:140:160.5"]).transform(spectra, axis)
    there = ((axis >= 110) & (axis < 140)) | ((axis > 160.5) & (axis <= 190))
    np.testing.assert_array_equal(kept, axis[there])
    np.testing.assert_array_equal(found, spectra[:, there])
    np.testing.assert_array_equal(Preprocessing.parse(["cut:140:160.5"]).new_axis(axis[::-1]).size, 79)
    with pytest.raises(InputError, match="no channels are left without those from 0 to 300"):
        Preprocessing.parse(["cut:0:300"]).transform(spectra, axis)
    with pytest.raises(InputError, match=r"'calibrate' lacks found and true; give e\.g\. calibrate:519\.5:520\.5"):
        Preprocessing.parse(["calibrate"])


def test_area_and_standard_normal_variate() -> None:
    axis = uneven_axis()
    area = Area()(spectra(), axis)[0].numpy()
    np.testing.assert_allclose(np.trapezoid(area, axis, axis=1), 1)
    found = StandardNormalVariate()(spectra(), axis)[0]
    np.testing.assert_allclose(found.mean(1), 0, atol=1e-12)
    np.testing.assert_allclose(found.std(1), 1)


def test_detrending_takes_off_polynomials_of_an_uneven_axis_and_nothing_else() -> None:
    axis = uneven_axis()
    place = torch.tensor((axis - 5) / 5)
    band = spectra(1)
    once = Detrend(3)(band, axis)[0]
    np.testing.assert_allclose(Detrend(3)(band + 4 - place + 2 * place**3, axis)[0], once, atol=1e-12)
    np.testing.assert_allclose(Detrend(3)(once, axis)[0], once, atol=1e-12)
    assert float(Detrend(2)(place[None] ** 3, axis)[0].abs().max()) > 0.1
    np.testing.assert_allclose(Detrend(0)(band, axis)[0], band - band.mean(1, keepdim=True))


@pytest.mark.parametrize("method", ["asls", "airpls"])
def test_baseline_is_found(method: str) -> None:
    axis = np.arange(600.0)
    background_truth = 1 + 0.5 * np.sin(axis / 200)
    peaks = np.exp(-0.5 * ((axis - 200) / 8) ** 2) + 0.5 * np.exp(-0.5 * ((axis - 420) / 5) ** 2)
    noisy = background_truth + peaks + 0.003 * np.random.default_rng(0).normal(size=600)
    found = Baseline(method, stiffness=1e5)(torch.tensor(noisy[None]), axis)[0].numpy()[0]
    assert np.abs(found - peaks).max() < 0.05


@pytest.mark.parametrize(
    "chain",
    [CHAIN, *(Preprocessing([step]) for step in CHAIN.steps), Preprocessing([Baseline("asls", 100.0)])],
    ids=lambda chain: "-".join(step.name for step in chain.steps),
)
def test_gradients_flow_back_to_the_file(chain: Preprocessing) -> None:
    axis, start = uneven_axis(), spectra(2).requires_grad_()
    assert torch.autograd.gradcheck(lambda x: chain.apply(x, axis)[0], (start,), eps=1e-7, atol=1e-5)


@pytest.mark.parametrize("falling", [False, True])
def test_pull_back_agrees_with_finite_differences(falling: bool) -> None:
    axis, start, random = uneven_axis(), spectra(2), np.random.default_rng(2)
    if falling:
        axis, start = axis[::-1].copy(), start.flip(-1)
    prepared, kept = CHAIN.apply(start, axis)
    np.testing.assert_array_equal(kept, CHAIN.new_axis(axis))
    of_members = torch.tensor(random.normal(size=(3, *prepared.shape)))
    found = CHAIN.pull_back(of_members, start, axis)
    assert found.shape == (3, 2, 41)
    move = 1e-6 * torch.tensor(random.normal(size=start.shape))
    moved = CHAIN.apply(start + move, axis)[0] - CHAIN.apply(start - move, axis)[0]
    np.testing.assert_allclose((found * move).sum((1, 2)), (of_members * moved).sum((1, 2)) / 2, rtol=1e-5)


def test_settings_survive_json_and_text() -> None:
    chain = Preprocessing([*CHAIN.steps, Resample(axis=(2.5, 3.0, 4.5)), Baseline("airpls", 1e4)])
    assert Preprocessing.from_settings(json.loads(json.dumps(chain.settings()))) == chain
    texts = ["crop:1:9", "despike", "resample:0.5", "band-maximum:4:6", "area:2:8", "detrend:2", "snv"]
    texts.append("baseline:airpls:1e4")
    assert Preprocessing.parse(texts) == Preprocessing([*CHAIN.steps, Baseline("airpls", 1e4)])
    assert Preprocessing([]).settings() == []


@pytest.mark.parametrize(
    ("texts", "message"),
    [
        (["sharpen:3"], "'sharpen' is not known"),
        (["crop:1"], "lacks high"),
        (["crop:1:2:3"], "3 options"),
        (["crop:low:high"], "give a float"),
        (["baseline:5"], "give a str"),
        (["baseline:arpls"], "'arpls' is not known"),
        (["resample"], "a step or an axis"),
        (["despike:8:4"], "odd number"),
    ],
)
def test_wrong_chains_are_refused(texts: list[str], message: str) -> None:
    with pytest.raises(InputError, match=message):
        Preprocessing.parse(texts)


@pytest.mark.parametrize(
    ("steps", "message"),
    [
        ([Crop(20, 30)], "0 channels lie between 20 and 30"),
        ([BandMaximum(20, 30)], "0 channels"),
        ([Resample(axis=(0.0, 12.0))], "within 0 to 10"),
        ([StandardNormalVariate()], "standard deviation of 1 spectra \\(numbers 1\\)"),
    ],
)
def test_steps_that_do_not_fit_the_spectra_are_refused(steps: list, message: str) -> None:
    values = spectra()
    values[1] = 0.0
    with pytest.raises(InputError, match=message):
        Preprocessing(steps).apply(values, uneven_axis())


def test_missing_pybaselines_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(background, "find_spec", lambda name: None)
    with pytest.raises(ResourceError, match=r"matlens\[spectra\]"):
        Baseline()(spectra(), uneven_axis())


def test_widths_sum_to_the_span_and_more() -> None:
    axis = uneven_axis()
    found = widths(axis)
    np.testing.assert_allclose(found[1:-1], (axis[2:] - axis[:-2]) / 2)
    np.testing.assert_allclose(found[[0, -1]], np.diff(axis)[[0, -1]])
