import json

import numpy as np
import pandas as pd
import pytest

from matlens import InputError
from matlens.core.nearness import Nearness
from matlens.microstructure.encoders import VGG19, random_weights
from matlens.microstructure.properties import StructurePropertyModel, StructureSet
from matlens.microstructure.properties.features import EncoderFeatures, VolumeFractions
from matlens.microstructure.properties.lengths import CorrelationLengths


@pytest.fixture(scope="module")
def layers():
    """Layers of different thickness across the first axis."""
    thickness = np.tile([2, 4, 8], 8)
    lines = np.stack([(np.arange(32) // t) % 2 for t in thickness])
    return np.repeat(lines[:, :, None], 32, axis=2).astype(np.uint8), thickness


def test_correlation_lengths_follow_the_thickness_of_layers(layers):
    labels, thickness = layers
    found = CorrelationLengths(2, periodic=True)(labels)
    assert found.shape == (24, 2)
    assert (found[:, 1] == 16).all()  # along the layers there is no end
    order = [found[thickness == t, 0].mean() for t in (2, 4, 8)]
    assert order[0] < order[1] < order[2]


def test_extras_stand_behind_the_layers_at_every_depth(layers):
    labels, _ = layers
    encoder = VGG19(random_weights(2, seed=0))
    plain = EncoderFeatures(encoder, ("conv1_1", "conv1_2"))
    more = EncoderFeatures(encoder, ("conv1_1", "conv1_2"), extras=(VolumeFractions(),))
    rows = more(labels[:3])
    assert np.array_equal(rows[:, :-1], plain(labels[:3]))
    assert rows[:, -1] == pytest.approx(labels[:3].mean((1, 2)))
    kept = more.columns("conv1_1", rows.shape[1])
    assert kept.sum() == 2 * 64 + 1
    assert kept[-1]


def test_a_model_with_extras_learns_what_only_they_tell(layers):
    labels, thickness = layers
    options = {"depth": "scale1", "head": "ridge", "scale": "linear", "extras": ("correlation-lengths", "gram")}
    model = StructurePropertyModel("filterbank", **options).fit(labels, thickness.astype(float))
    assert model.predict(labels) == pytest.approx(thickness, abs=0.2)


def test_unknown_extras_are_said(layers):
    with pytest.raises(InputError, match=r"'colour' are not known; choose among gram"):
        StructurePropertyModel("filterbank", extras=("colour",)).fit(layers[0], layers[1] * 1.0)


def test_a_pruning_study_sets_the_depth(layers, tmp_path):
    study = {
        "layer": "conv1_1",
        "encoder": "vgg19-oxford",
        "materials": {"steel": {"layer": "conv1_1", "depth": "conv1_1"}},
    }
    (tmp_path / "recommendation.json").write_text(json.dumps(study))
    encoder = VGG19(random_weights(2, seed=0))
    model = StructurePropertyModel(encoder, depth=str(tmp_path), head="ridge", coverage=None)
    assert model.fit(layers[0], layers[1] * 1.0).chosen_["depth"] == "conv1_1"


def test_derived_structures_do_not_widen_the_domain(layers):
    random = np.random.default_rng(0)
    labels = (random.random((12, 16, 16)) < random.uniform(0.1, 0.3, (12, 1, 1))).astype(np.uint8)
    k = pd.DataFrame({"k_00": labels.mean((1, 2)) + 1, "k_11": labels.mean((1, 2)) + 1, "k_01": 0.0})
    data = StructureSet.from_arrays(labels, targets=k, periodic=True)
    model = StructurePropertyModel(features="volume-fraction", head="ridge", phase_values=(1.0, 3.0)).fit(data, "k_00")
    assert (~model.training_.natural).sum() == 24
    exchanged = StructureSet.from_arrays(1 - labels, periodic=True)
    assert not model.predict_interval(exchanged)["in_domain"].any()
    assert isinstance(model.domain_, Nearness)
