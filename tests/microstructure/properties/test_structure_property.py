import numpy as np
import pandas as pd
import pytest
from scipy.stats import binom
from sklearn.base import clone

from matlens import InputError
from matlens.core.intervals import conformal_factor
from matlens.core.splits import grouped_folds
from matlens.microstructure.encoders import VGG19, random_weights
from matlens.microstructure.properties import Recipe, StructurePropertyModel, StructureSet, generate_structures
from matlens.microstructure.properties import model as module

FRACTION = {"features": "volume-fraction", "head": "ridge"}


def noise(n, seed=0, phases=2, shape=(16, 16)):
    """Labels of shape (n, *shape) whose fractions differ."""
    random = np.random.default_rng(seed)
    level = random.uniform(0.2, 0.8, (n, *[1] * len(shape)))
    return ((random.random((n, *shape)) < level) * (phases - 1)).astype(np.uint8)


@pytest.fixture(scope="module")
def stripes():
    """Stripes across the first axis, of known conductivities: harmonic mean along it, arithmetic across."""
    lines = noise(30, seed=1, shape=(16,))
    labels = np.repeat(lines[:, :, None], 16, axis=2)
    fraction = labels.mean((1, 2))
    along, across = 1 / (fraction / 10 + 1 - fraction), 10 * fraction + 1 - fraction
    targets = pd.DataFrame({"k_00": along, "k_11": across})
    return StructureSet.from_arrays(labels, targets=targets, periodic=True)


def test_it_learns_what_the_fraction_tells():
    labels = noise(40)
    y = 3 * labels.mean((1, 2)) + 1
    model = StructurePropertyModel(**FRACTION, scale="linear").fit(labels, y)
    assert model.predict(labels) == pytest.approx(y, abs=1e-3)
    found = model.predict_interval(labels)
    assert ((found["low"] <= found["predicted"]) & (found["predicted"] <= found["high"])).all()


def test_a_tensor_is_learned_in_both_orders_of_the_axes(stripes):
    turned = StructureSet.from_arrays(stripes.labels.transpose(0, 2, 1), periodic=True)
    options = {"encoder": "filterbank", "depth": "scale2", "head": "ridge", "scale": "log"}
    model = StructurePropertyModel(**options).fit(stripes, "k_00")
    assert len(model.training_.values) == 2 * len(stripes)
    error = np.abs(np.log(model.predict(turned) / stripes.targets["k_11"]))
    assert np.median(error) < 0.1
    # Without the other component nothing tells what stripes along the first axis do.
    alone = StructurePropertyModel(**options).fit(stripes.labels, {"k_00": stripes.targets["k_00"]}, target="k_00")
    assert len(alone.training_.values) == len(stripes)
    assert np.median(np.abs(np.log(alone.predict(turned) / stripes.targets["k_11"]))) > 0.2


@pytest.mark.slow
def test_groups_are_never_split(stripes, monkeypatch):
    groups = np.repeat(np.arange(10), 3)
    seen = []

    def watched(given, folds, seed):
        for train, held in grouped_folds(given, folds, seed):
            seen.append(set(np.asarray(given)[train]) & set(np.asarray(given)[held]))
            yield train, held

    monkeypatch.setattr(module, "grouped_folds", watched)
    monkeypatch.setattr("matlens.microstructure.properties.selection.grouped_folds", watched)
    data = StructureSet.from_arrays(stripes.labels, targets=stripes.targets, groups=groups, periodic=True)
    StructurePropertyModel("filterbank", head="auto").fit(data, "k_00")
    assert len(seen) == 5 + 5  # to choose, and for the intervals
    assert seen.count(set()) == len(seen)


@pytest.mark.slow
def test_twins_in_one_group_widen_intervals():
    """A fold that splits copies predicts them from each other, and finds errors far too small."""
    random = np.random.default_rng(0)
    labels = np.repeat(noise(24, seed=3), 2, axis=0)
    y = np.repeat(random.normal(size=24), 2)  # nothing to learn but the copies
    groups = np.repeat(np.arange(24), 2)
    data = StructureSet.from_arrays(labels, targets=pd.DataFrame({"y": y}), groups=groups)
    options = {"encoder": "filterbank", "depth": "scale1", "head": "gp"}
    kept = StructurePropertyModel(**options).fit(data, "y").held_out_
    split = StructurePropertyModel(**options).fit(labels, y).held_out_
    missed = [np.abs(table["value"] - table["predicted"]).median() for table in (kept, split)]
    assert missed[0] > 2 * missed[1]


def test_conformal_factors_cover_as_asked():
    """Scores of groups that are exchangeable: 90 % of new ones lie below the factor, whatever their distribution."""
    random = np.random.default_rng(0)
    trials, groups, new = 400, 40, 25
    hits = 0
    for _ in range(trials):
        own = random.lognormal(size=groups)
        rows = np.repeat(own, 2)  # two views of each, alike
        factor = conformal_factor(rows, np.repeat(np.arange(groups), 2), 0.9)
        hits += int((random.lognormal(size=new) <= factor).sum())
    # The expected share is ceil(41 * 0.9) / 41; factors scatter, so that new scores of one trial go together.
    expected = np.ceil((groups + 1) * 0.9) / (groups + 1)
    spread = np.sqrt(expected * (1 - expected) / (groups + 2) / trials + expected * (1 - expected) / (trials * new))
    assert abs(hits / (trials * new) - expected) < 4 * spread


def test_intervals_of_a_model_cover_new_structures():
    random = np.random.default_rng(5)
    inside = total = 0
    for trial in range(12):
        labels = noise(90, seed=100 + trial)
        y = labels.mean((1, 2)) + 0.1 * random.normal(size=90)
        model = StructurePropertyModel(**FRACTION, scale="linear", seed=trial).fit(labels[:50], y[:50])
        found = model.predict_interval(labels[50:])
        inside += int(((found["low"] <= y[50:]) & (y[50:] <= found["high"])).sum())
        total += 40
    # 12 draws of 50 calibration structures: their own scatter (0.04 each) comes to the binomial one.
    assert binom.ppf(0.001, total, 0.87) <= inside <= binom.ppf(0.999, total, 0.94)


def test_what_is_unlike_the_training_structures_is_flagged():
    labels = noise(30, seed=2)
    model = StructurePropertyModel("filterbank", depth="scale2", head="ridge").fit(labels, labels.mean((1, 2)))
    assert model.predict_interval(noise(20, seed=9))["in_domain"].mean() > 0.8
    stripes = np.repeat(np.arange(16) % 8 < 4, 16).reshape(1, 16, 16).astype(np.uint8)
    assert not model.predict_interval(stripes)["in_domain"].any()


def test_three_phases_and_volumes():
    three = noise(12, phases=3) // 2 + (noise(12, seed=4) & 1)
    y = (three == 2).mean((1, 2))
    model = StructurePropertyModel("filterbank", depth="scale1", head="ridge").fit(
        StructureSet.from_arrays(three, targets=pd.DataFrame({"y": y}), phase_names=("a", "b", "c")), "y"
    )
    assert np.corrcoef(model.predict(three), y)[0, 1] > 0.9
    volumes = noise(8, shape=(8, 8, 8))
    cubes = StructurePropertyModel("filterbank", depth="scale1", head="ridge").fit(volumes, volumes.mean((1, 2, 3)))
    assert cubes.predict(volumes).shape == (8,)
    with pytest.raises(InputError, match=r"trained on 3-D structures of 2 phases, found 2-D"):
        cubes.predict(noise(2))


def test_a_set_of_conductivities_keeps_between_the_bounds():
    made = generate_structures(Recipe(families=("fields",), shape=(32, 32), conductivity_contrasts=(50,)), 14)
    model = StructurePropertyModel("filterbank", depth="scale4", head="ridge", phase_values=(1, 50))
    model.fit(made, "k_00_c50")
    assert model.chosen_["scale"] == "bounds"
    found, fraction = model.predict_interval(made), made.volume_fractions
    low, high = 1 / (fraction @ [1, 1 / 50]), fraction @ [1, 50]
    assert ((found["low"] >= low - 1e-9) & (found["high"] <= high + 1e-9)).all()


@pytest.mark.parametrize("target", ["k_00", "k_11", "k_22"])
def test_models_of_volumes_look_along_the_axis_of_their_target(target):
    """The same layers across each axis in turn: only the direction tells harmonic from arithmetic mean."""
    random = np.random.default_rng(3)
    labels, tensors = [], []
    for _ in range(12):
        line = (random.random(12) < random.uniform(0.3, 0.7)).astype(np.uint8)
        mean = 9 * line.mean() + 1
        for axis in range(3):
            labels.append(np.broadcast_to(line.reshape(np.roll([12, 1, 1], axis)), (12, 12, 12)))
            tensors.append([1 / (1 - 0.9 * line.mean()) if k == axis else mean for k in range(3)])
    targets = pd.DataFrame(tensors, columns=["k_00", "k_11", "k_22"])
    data = StructureSet.from_arrays(np.stack(labels), targets=targets, groups=np.repeat(np.arange(12), 3))
    model = StructurePropertyModel("filterbank", depth="scale2", head="ridge", scale="log", coverage=None)
    last = data.select(data.groups >= 8)
    found = model.fit(data.select(data.groups < 8), target).predict(last).reshape(-1, 3)
    across = int(target[-1])
    assert (found[:, across] < 0.8 * np.delete(found, across, axis=1).min(axis=1)).all()


def test_an_insulating_phase_needs_no_bounds_and_has_no_twin():
    labels = noise(20)
    fraction = labels.mean((1, 2))
    targets = pd.DataFrame({"k_00": fraction**2, "k_11": fraction**2, "k_01": 0 * fraction})
    data = StructureSet.from_arrays(labels, targets=targets, periodic=True)
    model = StructurePropertyModel(**FRACTION, phase_values=(0, 1)).fit(data, "k_00")
    assert model.chosen_["scale"] == "log"
    assert len(model.training_.values) == 2 * len(labels)  # both orders of the axes


BAD = {
    "nan labels": ({}, {"y": np.r_[np.nan, np.arange(19)]}, "1 of 20 labels of y are not numbers"),
    "constant": ({}, {"y": np.ones(20)}, "all labels of y are 1; a model needs structures that differ"),
    "no such target": ({}, {"y": {"k": np.arange(20)}, "target": "q"}, "there is no target 'q'; the structures have k"),
    "head": ({"head": "forest"}, {}, "head 'forest' is not known; choose auto, ridge, gp"),
    "network": ({"head": "network-warm"}, {}, "'network-warm' is not known; choose network-frozen"),
    "features": ({"features": "pixels"}, {}, "features 'pixels' are not known"),
    "scale": ({"scale": "cubic"}, {}, "scale 'cubic' is not known; choose auto"),
    "bounds without values": ({"scale": "bounds"}, {}, "needs a positive value of the property for each phase"),
    "values of three phases": (
        {"scale": "bounds", "phase_values": (1, 2, 3)}, {"y": np.arange(1, 21)}, "2 phases need as many phase values",
    ),
    "values of phases in the wrong order": (
        {"scale": "bounds", "phase_values": (1e3, 1e-3)}, {"y": np.geomspace(1e5, 1e6, 20)},
        "20 of 20 values lie outside of what phases of .* allow .first: row 0, 100000 where .* check",
    ),
    "log of zero": ({"scale": "log"}, {}, "1 of 20 values are not positive .first: row 0, 0., and have no logarithm"),
    "coverage": ({"coverage": 1.5}, {}, "coverage must lie between 0 and 1, found 1.5"),
    "depth": ({"features": "encoder", "depth": "pool9"}, {}, "has no layer 'pool9'; it has scale1"),
    "encoder": ({"features": "encoder", "encoder": "resnet"}, {}, "encoder 'resnet' is not known"),
}  # fmt: skip


@pytest.mark.parametrize(("options", "labels", "message"), BAD.values(), ids=BAD)
def test_bad_input_is_said(options, labels, message):
    model = StructurePropertyModel(**{"encoder": "filterbank", **FRACTION, **options})
    with pytest.raises(InputError, match=message):
        model.fit(noise(20), **{"y": np.arange(20.0), **labels})


def test_too_few_and_too_small_structures_are_said():
    with pytest.raises(InputError, match="found 4 groups of structures, expected at least 5"):
        StructurePropertyModel(**FRACTION).fit(noise(4), np.arange(4.0))
    deep = StructurePropertyModel(VGG19(random_weights(5, seed=0)), depth="conv3_1", head="ridge")
    with pytest.raises(InputError, match=r"2 x 2 pixels are too small for layer conv2_2|too small for layer"):
        deep.fit(noise(8, shape=(4, 4)), np.arange(8.0))


def test_what_a_network_cannot_learn_from_is_said():
    encoder = VGG19(random_weights(5, seed=0))
    options = {"depth": "conv3_1", "head": "network-frozen"}
    with pytest.raises(InputError, match="4 x 4 pixels are too small for layer conv3_1"):
        StructurePropertyModel(encoder, **options).fit(noise(8, shape=(4, 4)), np.arange(8.0))
    with pytest.raises(InputError, match="trained on 2-D structures, found 3-D"):
        StructurePropertyModel(encoder, **options).fit(noise(8, shape=(8, 8, 8)), np.arange(8.0))
    with pytest.raises(InputError, match="learns from pictures, not from two-point"):
        StructurePropertyModel(encoder, **options, features="two-point").fit(noise(8), np.arange(8.0))


def test_labels_that_a_byte_does_not_hold_are_refused():
    with pytest.raises(InputError, match="go from 0 to 255, found 0 to 256"):
        StructureSet.from_arrays(np.array([[[0, 256]]]))


def test_wrong_phases_are_said_when_predicting():
    model = StructurePropertyModel(**FRACTION).fit(noise(10), np.arange(10.0))
    with pytest.raises(InputError, match=r"2-D structures of 2 phases, found 2-D with labels up to 2"):
        model.predict(noise(3, phases=3))


def test_scikit_learn_can_clone_it():
    model = StructurePropertyModel(**FRACTION, scale="log", phase_values=(1, 2))
    assert clone(model).get_params() == model.get_params()
