"""The scale of the figure of merit: its way back, its slope, and when it is bent."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from matlens.library.model import LibraryModel
from matlens.library.model.output_warping import OutputWarping, find_output_warping
from matlens.library.table import MaterialsLibrary


@pytest.mark.parametrize("bend", [None, 0.05, 3.0])
def test_values_come_back_and_slopes_are_those_of_differences(bend: float | None) -> None:
    values = np.array([-0.3, 0.2, 1.0, 4.0, 30.0])
    warp = OutputWarping.fit(values, bend)
    assert warp.values(warp.standard(values)) == pytest.approx(values)
    assert warp.standard(values).std() == pytest.approx(1)
    at = np.linspace(-4, 5, 20)  # also beyond what was measured
    rise = (warp.values(at + 1e-5) - warp.values(at - 1e-5)) / 2e-5
    assert warp.gradient(at) == pytest.approx(rise, rel=1e-6)


def test_beyond_the_greatest_value_it_goes_on_straight() -> None:
    warp = OutputWarping.fit(np.geomspace(1, 1000, 30), 0.01)
    rise = np.diff(warp.values(warp.high + np.arange(4.0)))
    assert rise == pytest.approx(float(warp.gradient(warp.high)))


@pytest.mark.slow
def test_scale_is_bent_where_scatter_grows_with_the_value_whatever_its_unit() -> None:
    x = torch.rand(100, 2, generator=torch.Generator().manual_seed(1)) * 3 - 1.5
    smooth = x.sum(1).double().numpy()
    noise = np.random.default_rng(1).normal(0, 0.3, 100)
    for unit in (1e-6, 1.0, 1e6):
        assert find_output_warping(x, unit * np.exp(smooth + noise), 2, 0).bend is not None
        assert find_output_warping(x, unit * (smooth + noise), 2, 0).bend is None


@pytest.mark.slow
def test_gradients_of_a_bent_model_are_those_of_its_predictions_and_near_the_truth() -> None:
    random = np.random.default_rng(0)
    x = random.dirichlet([2, 2, 2], 90)
    merit = 10 ** (3 * x[:, 0] + random.normal(0, 0.1, 90))
    model = LibraryModel(n_models=3).fit(MaterialsLibrary(x, ("A", "B", "C"), {"P": merit}))
    assert model.warp_.bend is not None
    step = np.array([1e-3, -1e-3, 0])
    rise = (model.respond(x + step, None) - model.respond(x - step, None)) / 2e-3
    slope = model.gradients(x, None).composition @ np.array([1.0, -1, 0])
    assert np.corrcoef(rise.ravel(), slope.ravel())[0, 1] > 0.999
    truth = 3 * np.log(10) * 10 ** (3 * x[:, 0])
    assert np.corrcoef(slope.mean(0), truth)[0, 1] > 0.95
