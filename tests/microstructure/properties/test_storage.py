import json

import numpy as np
import pandas as pd
import pytest
from sklearn.exceptions import NotFittedError

from matlens import InputError, ResourceError
from matlens.microstructure.encoders import VGG19, random_weights
from matlens.microstructure.problems import gaussian_field
from matlens.microstructure.properties import StructurePropertyModel, StructureSet
from matlens.microstructure.properties.heads import Head


@pytest.fixture(scope="module")
def data():
    """Twenty-four textures, stretched along either axis; the property is known by formula."""
    made = [gaussian_field((24, 24), (1.5 + i % 3, 2.5), 0.3 + 0.015 * i, seed=i) for i in range(24)]
    labels = np.stack([field.labels for field in made])
    steps = [1 + 10 * np.abs(np.diff(labels.astype(float), axis=axis)).mean((1, 2)) for axis in (1, 2)]
    targets = pd.DataFrame({"k_00": steps[0], "k_11": steps[1]})
    return StructureSet.from_arrays(labels, targets=targets, spacing=(0.5, 0.5), unit="um", periodic=True)


@pytest.fixture(scope="module")
def vgg():
    return VGG19(random_weights(3, seed=1), source={"file": "mine.safetensors", "sha256": "1234567890ab"})


def both(model, data, tmp_path, **options):
    """The model, and the one read back from where it was written."""
    fitted = model.fit(data, "k_00")
    return fitted, StructurePropertyModel.load(fitted.save(tmp_path / "model"), **options)


@pytest.mark.slow
@pytest.mark.parametrize(
    "options",
    [
        {"features": "volume-fraction", "head": "ridge"},
        {"features": "two-point", "head": "gp", "scale": "log"},
        {"features": "two-point", "head": "boosting"},
        {"encoder": "filterbank", "head": "gp", "scale": "bounds", "phase_values": (1.0, 50.0)},
        {"encoder": "filterbank", "coverage": None},
    ],
    ids=str,
)
def test_a_stored_model_predicts_as_the_fitted_one(data, tmp_path, options):
    model, again = both(StructurePropertyModel(**options), data, tmp_path)
    others = data.select(slice(0, 7))
    pd.testing.assert_frame_equal(again.predict_interval(others), model.predict_interval(others), rtol=1e-7)
    pd.testing.assert_frame_equal(again.held_out_, model.held_out_)
    pd.testing.assert_frame_equal(again.selection_, model.selection_, check_dtype=False)
    for name in ("target_", "chosen_", "spacing_", "unit_", "periodic_", "phases_", "scale_"):
        assert getattr(again, name) == getattr(model, name)
    same = {key: value for key, value in model.get_params().items() if key not in ("encoder", "phase_values")}
    assert {key: again.get_params()[key] for key in same} == same
    assert again.score(data) == pytest.approx(model.score(data))


def test_a_stored_model_can_be_stored_again(data, tmp_path):
    model, again = both(StructurePropertyModel(features="two-point", head="gp"), data, tmp_path)
    third = StructurePropertyModel.load(again.save(tmp_path / "again"))
    assert np.allclose(third.predict(data), model.predict(data), rtol=1e-9)


def test_larger_pictures_are_predicted_and_a_two_point_map_refuses_them(data, tmp_path):
    larger = np.tile(data.labels[:3], (1, 2, 2))
    _, again = both(StructurePropertyModel("filterbank", head="ridge", depth="scale2"), data, tmp_path)
    # Four periods of a periodic structure have the pooled activations of one.
    assert np.allclose(again.predict(larger), again.predict(data.select(slice(0, 3))), rtol=1e-4)
    _, maps = both(StructurePropertyModel(features="two-point", head="ridge"), data, tmp_path)
    with pytest.raises(InputError, match="a two-point map belongs to one size, found 48 x 48"):
        maps.predict(larger)


@pytest.mark.parametrize("head", ["network-frozen", "network-free", "network-scratch"])
def test_a_network_is_stored_whole(data, vgg, tmp_path, monkeypatch, head):
    monkeypatch.setattr("matlens.microstructure.properties.network.NetworkLearner._train", slightly_trained)
    model, again = both(StructurePropertyModel(vgg, head=head, coverage=None), data.select(slice(0, 8)), tmp_path)
    assert model.chosen_["depth"] == "conv2_1"
    assert np.allclose(again.predict(data), model.predict(data), rtol=1e-6)
    assert np.allclose(again.domain_.reach, model.domain_.reach)


def slightly_trained(learner, labels, target, trained, progress):
    """Weights that are not those the network began with, without the time of training."""
    for weight in trained:
        weight.data += 0.01
        weight.requires_grad_(False)


def test_weights_are_checked(data, vgg, tmp_path):
    model = StructurePropertyModel(vgg, depth="conv1_2", head="ridge").fit(data, "k_00")
    model.save(tmp_path)
    content = json.loads((tmp_path / "model.json").read_text())
    assert content["learner"]["source"]["file"] == "mine.safetensors"
    longer = VGG19(random_weights(4, seed=1))  # the same first layers, from a file that holds more
    assert np.allclose(StructurePropertyModel.load(tmp_path, encoder=longer).predict(data), model.predict(data))
    with pytest.raises(ResourceError, match=r"other weights of vgg19-oxford .* mine\.safetensors.*--weights"):
        StructurePropertyModel.load(tmp_path, encoder=VGG19(random_weights(3, seed=2)))


def test_missing_weights_are_named(data, vgg, tmp_path, monkeypatch):
    StructurePropertyModel(vgg, depth="conv1_2", head="ridge").fit(data, "k_00").save(tmp_path)
    monkeypatch.setattr("matlens.microstructure.encoders.loading.locate", lambda name: None)
    with pytest.raises(ResourceError, match="weights of vgg19-oxford are not on this machine"):
        StructurePropertyModel.load(tmp_path)


def test_damage_is_noticed(data, tmp_path):
    model = StructurePropertyModel(features="volume-fraction", head="ridge")
    with pytest.raises(NotFittedError):
        model.save(tmp_path)
    model.fit(data, "k_00").save(tmp_path)
    with pytest.raises(InputError, match="holds no model"):
        StructurePropertyModel.load(tmp_path / "elsewhere")
    file, arrays = tmp_path / "model.json", tmp_path / "arrays.safetensors"
    content, kept = json.loads(file.read_text()), arrays.read_bytes()
    arrays.write_bytes(kept[:-1] + bytes([kept[-1] ^ 1]))
    with pytest.raises(ResourceError, match="not the file written with the model"):
        StructurePropertyModel.load(tmp_path)
    arrays.write_bytes(kept)
    for change, message in (
        ({"schema": "matlens model 0"}, "'matlens model 0' where 'matlens model 1' is expected"),
        ({"fitted": None}, "cannot be read as a part of a model"),
        ({"chosen": 1, "learner": {}}, "cannot be read as a part of a model"),
    ):
        file.write_text(json.dumps({**content, **change}))
        with pytest.raises(ResourceError, match=message):
            StructurePropertyModel.load(tmp_path)
    file.write_text("{")
    with pytest.raises(ResourceError, match="cannot be read"):
        StructurePropertyModel.load(tmp_path)


def test_a_model_that_predicts_otherwise_is_refused(data, tmp_path, monkeypatch):
    StructurePropertyModel(features="two-point", head="ridge").fit(data, "k_00").save(tmp_path)
    before = Head.predict
    monkeypatch.setattr(Head, "predict", lambda self, rows: (before(self, rows)[0] + 0.01, before(self, rows)[1]))
    with pytest.raises(ResourceError, match="restore the versions named"):
        StructurePropertyModel.load(tmp_path)
