from copy import deepcopy

import numpy as np
import pytest
import torch

from matlens.errors import InputError
from matlens.microstructure.encoders import VGG19, FilterBank, random_weights
from matlens.microstructure.problems import gaussian_field
from matlens.microstructure.properties import StructurePropertyModel
from matlens.microstructure.properties.differentiable import (
    head_mean,
    predicted_property,
    property_gradient,
    property_of,
)
from matlens.microstructure.properties.features import TwoPointMap, phase_indicators
from matlens.microstructure.properties.heads import Head
from matlens.microstructure.properties.network import NetworkLearner
from matlens.microstructure.properties.scales import Scale


@pytest.fixture(scope="module")
def labels():
    return np.stack([gaussian_field((16, 16), 3.0, fraction=0.2 + i / 40, seed=i).labels for i in range(16)])


def learned(labels, **options):
    lines = labels.mean(2).std(1)  # something of the arrangement beside the fraction
    y = {"k_00": 1 + 20 * labels.mean((1, 2)) ** 2 + 5 * lines}
    return StructurePropertyModel(**options).fit(labels, y, target="k_00")


MODELS = {
    "fraction": {"features": "volume-fraction", "head": "gp", "scale": "log"},
    "two-point": {"features": "two-point", "head": "ridge", "phase_values": (1, 50)},
    "encoder": {"head": "gp", "depth": "scale2", "phase_values": (1, 50)},
    "network": {"head": "network-frozen", "depth": "conv2_1", "scale": "linear"},
}


@pytest.fixture(scope="module", params=MODELS)
def model(request, labels):
    encoder = VGG19(random_weights(3, seed=0)) if request.param == "network" else FilterBank().double()
    return learned(labels, encoder=encoder, **MODELS[request.param])


def test_it_predicts_what_the_model_predicts(model, labels):
    with torch.no_grad():
        found = predicted_property(model, phase_indicators(labels, 2).double()).numpy()
    np.testing.assert_allclose(found, model.predict(labels), rtol=2e-5)


def test_the_gradient_is_that_of_finite_differences(model, labels):
    if isinstance(model.learner_, NetworkLearner):
        model = deepcopy(model)  # in double precision, or differences would drown
        learner = model.learner_
        learner.encoder.double(), learner.output.double()
        learner.mean, learner.std = learner.mean.double(), learner.std.double()
    middle = 0.3 + 0.4 * phase_indicators(labels[:1], 2).double()
    direction = torch.from_numpy(np.random.default_rng(0).normal(size=middle.shape))
    direction -= direction.mean(1, keepdim=True)  # indicators sum to one
    here = middle.clone().requires_grad_(True)
    (slope,) = torch.autograd.grad(predicted_property(model, here).sum(), here)
    with torch.no_grad():
        ends = [float(predicted_property(model, middle + step * direction)) for step in (1e-6, -1e-6)]
    assert float((slope * direction).sum()) == pytest.approx((ends[0] - ends[1]) / 2e-6, rel=1e-4)


@pytest.mark.parametrize("kind", ["ridge", "gp"])
def test_the_mean_of_a_head_and_its_slope(kind):
    random = np.random.default_rng(1)
    rows = random.normal(size=(40, 6))
    head = Head(kind).fit(rows, np.sin(rows[:, 0]) + rows[:, 1] * 0.5 + 3)
    at = rows[:3] + 0.1
    here = torch.from_numpy(at).requires_grad_(True)
    mean = head_mean(head, here)
    np.testing.assert_allclose(mean.detach().numpy(), head.predict(at)[0], rtol=1e-9)
    (slope,) = torch.autograd.grad(mean.sum(), here)
    shift = 1e-5 * np.eye(6)[2]
    expected = (head.predict(at + shift)[0] - head.predict(at - shift)[0]) / 2e-5
    np.testing.assert_allclose(slope[:, 2].numpy(), expected, atol=1e-7)


@pytest.mark.parametrize("scale", [Scale(), Scale("log"), Scale("bounds", (1.0, 50.0, 7.0))])
def test_the_way_back_from_a_scale(scale):
    random = np.random.default_rng(2)
    scaled, fractions = random.normal(size=5), random.dirichlet(np.ones(3), 5)
    found = property_of(scale, torch.from_numpy(scaled), torch.from_numpy(fractions))
    np.testing.assert_allclose(found.numpy(), scale.inverse(scaled, fractions), rtol=1e-12)


def test_the_volume_fraction_is_part_of_the_gradient_on_the_scale_of_bounds(labels):
    # A head that never varies: what is left of the gradient is that of the bounds.
    model = learned(labels, features="volume-fraction", head="ridge", phase_values=(1, 50))
    model.learner_.head.model.coef_ = np.zeros(1)
    gradient = property_gradient(model, labels[:1])[0]
    f, z, n = labels[0].mean(), 1 / (1 + np.exp(-float(model.learner_.head.model.intercept_))), labels[0].size
    harmonic, arithmetic = 1 / (1 - f + f / 50), 1 - f + 50 * f
    value = harmonic ** (1 - z) * arithmetic**z
    expected = value * ((1 - z) * harmonic * 49 / 50 + z * 49 / arithmetic) / n
    np.testing.assert_allclose(gradient[1] - gradient[0], expected, rtol=1e-9)


def test_a_two_point_map_is_counted_pairs():
    labels = np.random.default_rng(3).integers(0, 2, (1, 6, 5)).astype(np.uint8)
    found = TwoPointMap(2, periodic=False).pooled(phase_indicators(labels, 2).double())[0].reshape(4, 5)
    for row in range(4):
        for shift in range(-2, 3):
            pairs = [
                labels[0, i, j] * labels[0, i + row, j + shift]
                for i in range(6 - row)
                for j in range(5)
                if 0 <= j + shift < 5
            ]
            assert float(found[row, shift + 2]) == pytest.approx(np.mean(pairs), abs=1e-12)


@pytest.mark.slow
def test_trees_and_volumes_are_refused(labels):
    with pytest.raises(InputError, match="trees have no gradient"):
        property_gradient(learned(labels, features="volume-fraction", head="boosting"), labels)
    model = learned(labels, encoder="filterbank", depth="scale1", head="ridge")
    with pytest.raises(InputError, match="2-D structures"):
        predicted_property(model, torch.zeros(1, 2, 4, 4, 4))
