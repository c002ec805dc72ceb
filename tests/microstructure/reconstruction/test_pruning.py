import json

import numpy as np
import pandas as pd
import pytest
import torch
from safetensors.torch import save_file

from matlens.errors import InputError, Interrupted
from matlens.microstructure.encoders import VGG19, random_weights
from matlens.microstructure.problems import bicontinuous
from matlens.microstructure.pruning import plan_pruning, prune, read_recommendation
from matlens.microstructure.pruning.by_depth import truncated
from matlens.microstructure.pruning.recommendation import carriers, recommend
from matlens.microstructure.reconstruction import PRESETS, reconstruct
from matlens.microstructure.reconstruction.matching.cost import evaluation_cost
from matlens.microstructure.structure import Microstructure

TIMES = ["seconds", "seconds_per_evaluation"]


@pytest.fixture(scope="module")
def weights(tmp_path_factory):
    path = tmp_path_factory.mktemp("weights") / "two.safetensors"
    save_file(random_weights(2, seed=0), path)
    return path


@pytest.fixture(scope="module")
def asked(tiny_vgg, weights):
    return {"shape": (32, 32), "encoder": "vgg19-oxford", "weights": weights, "preset": tiny_vgg, "n": 2, "seed": 3}


@pytest.fixture(scope="module")
def study(exemplar, asked):
    return prune({"lace": exemplar}, **asked)


@pytest.mark.slow
def test_every_depth_is_made_and_judged_beside_the_controls(study):
    assert study.table["depth"].tolist() == ["none", "conv1_1", "pool1", "white noise", "blurred noise"]
    assert study.table["receptive_field_px"].tolist() == [0, 3, 6, 0, 0]
    assert len(study.cells) == 5 * 2
    assert study.ratios.groupby("depth")["statistic"].nunique().ge(7).all()
    assert study.table.set_index("depth").loc["white noise", "joint"] == "different"
    assert study.table["kept_mb"][:3].is_monotonic_increasing
    assert study.table["gflop"][:3].is_monotonic_increasing
    assert set(study.recommendations) == {"lace"}


@pytest.mark.slow
def test_the_deepest_is_the_reconstruction_itself(study, exemplar, asked):
    whole = reconstruct(exemplar, **asked)
    made = study.structures["lace", "pool1"]
    assert [m.labels.tobytes() for m in made] == [m.labels.tobytes() for m in whole.microstructures]
    assert study.structures["lace", "conv1_1"][0].labels.tobytes() != made[0].labels.tobytes()


def test_the_loss_holds_the_layers_of_the_depth_and_no_others(exemplar, asked):
    work = plan_pruning({"lace": exemplar}, **asked)
    fractions = torch.tensor(exemplar.volume_fractions, dtype=torch.float32)
    layers = {depth: work.cell("lace", depth).prepared.problem.match(1, fractions).layers for depth in work.cuts.names}
    assert layers == {"none": [], "conv1_1": ["conv1_1"], "pool1": ["conv1_1", "pool1"]}
    assert [term.name for term in work.cell("lace", "none").prepared.problem.match(1, fractions).terms] == [
        "two-point",
        "total variation",
        "phase range",
    ]


@pytest.mark.slow
def test_an_interrupt_keeps_what_is_finished_and_going_on_ends_the_same(study, exemplar, asked, memory, watch):
    kept: dict = {}

    def checkpoints(material, depth):
        return kept.setdefault((material, depth), memory())

    with pytest.raises(Interrupted) as stop:
        prune({"lace": exemplar}, **asked, progress=watch(30), checkpoints=checkpoints)
    early = stop.value.result
    assert 0 < len(early.table) < 3
    assert early.recommendations == {}
    resumed = prune({"lace": exemplar}, **asked, checkpoints=checkpoints)
    for name in ("table", "cells", "ratios", "scales"):
        again, whole = (getattr(s, name).drop(columns=TIMES, errors="ignore") for s in (resumed, study))
        pd.testing.assert_frame_equal(again, whole)
    assert resumed.recommendations == study.recommendations


def test_depths_between_loss_layers_join_those_above_them():
    cut, notes = truncated(PRESETS["default"], VGG19(random_weights(8, seed=0)), ["conv2_2", "none"])
    assert {depth: list(one.layers) for depth, one in cut.items()} == {
        "none": [],
        "conv2_2": ["conv1_1", "pool1", "conv2_2"],
    }
    assert notes == []


def test_a_preset_without_other_terms_has_no_depth_zero():
    cut, notes = truncated(PRESETS["li2018"], VGG19(random_weights(8, seed=0)))
    assert list(cut) == ["conv1_1", "pool1", "pool2", "pool3"]
    assert any("depth zero is white noise" in note for note in notes)


@pytest.mark.parametrize("depths", [["conv9_9"], ["none"], []])
def test_depths_that_make_no_sense_are_refused(depths):
    with pytest.raises(InputError, match=r"choose among .*conv1_1"):
        truncated(PRESETS["default"], VGG19(random_weights(1, seed=0)), depths)


@pytest.mark.parametrize(
    ("material", "words"),
    [
        (bicontinuous((40, 40), seed=0), "8 windows"),
        ({}, "at least one"),
        (Microstructure(np.indices((64, 64, 64)).sum(axis=0) % 2), "3-dimensional"),
    ],
)
def test_micrographs_that_cannot_be_judged_are_refused(material, words):
    with pytest.raises(InputError, match=words):
        plan_pruning(material, encoder="filterbank")


def test_the_cost_is_that_of_the_arithmetic():
    kernel = torch.randn(64, 3, 3, 3)

    def objective(x):
        x = x.detach().requires_grad_(True)
        loss = torch.nn.functional.conv2d(x, kernel).square().sum()
        return float(loss.detach()), torch.autograd.grad(loss, x)[0]

    cost = evaluation_cost(objective, torch.randn(1, 3, 18, 18))
    assert cost.flop == 2 * (2 * 16 * 16 * 64 * 27)  # forward, and back to the pixels
    assert cost.kept_bytes >= 4 * (16 * 16 * 64 + kernel.numel())
    assert cost.seconds > 0


def tables(ratios, high=None, scales=()):
    """One material's tables from R by depth and statistic."""
    depths, n = list(ratios), len(ratios)
    names = ["cluster_error", "s2_error"]
    upper = high or {depth: [1.2 * r for r in values] for depth, values in ratios.items()}
    counts = np.arange(n, dtype=float)
    sizes = {"receptive_field_px": range(n), "receptive_field": 0.5 * counts, "gflop": counts, "kept_mb": 1.0}
    table = pd.DataFrame({"material": "foam", "depth": depths, "joint": "undecided", **sizes})
    rows = [(depth, name, r, top) for depth in depths for name, r, top in zip(names, ratios[depth], upper[depth])]
    scales = pd.DataFrame(scales, columns=["depth", "curve", "from_px", "to_px", "R"])
    return table, pd.DataFrame(rows, columns=["depth", "statistic", "R", "high"]), scales


@pytest.mark.parametrize(
    ("ratios", "depth", "layer", "best"),
    [
        ({"none": [4.0, 1.0], "conv1_1": [2.3, 1.0], "pool1": [2.0, 1.0]}, "conv1_1", "conv1_1", "pool1"),
        ({"none": [4.0, 1.0], "conv1_1": [2.5, 1.0], "pool1": [2.0, 1.0]}, "pool1", "pool1", "pool1"),  # 2.5 > 2.4
        ({"none": [4.0, 1.0], "conv1_1": [1.0, 1.3], "pool1": [1.0, 0.5]}, "pool1", "pool1", "pool1"),  # one is worse
        ({"none": [1.2, 1.2], "conv1_1": [1.0, 1.0], "pool1": [1.0, 1.1]}, "none", "conv1_1", "conv1_1"),
        ({"none": [0.9, 0.9], "conv1_1": [0.2, 0.2], "pool1": [2.0, 3.0]}, "none", "conv1_1", "none"),  # < 1: no merit
        ({"none": [1.0, 1.0], "conv1_1": [5.0, 5.0], "pool1": [3.0, 3.0]}, "none", "pool1", "none"),
    ],
)
def test_the_cheapest_depth_within_the_noise_of_the_best_is_recommended(ratios, depth, layer, best):
    found = recommend(*tables(ratios), unit="um")
    assert (found.chosen, found.network, found.best) == (depth, layer, best)
    assert "No depth is shown to be equivalent" in " ".join(found.sentences)


def test_a_deeper_layer_that_costs_less_is_the_cheaper_one():
    table, ratios, scales = tables({"none": [4.0, 1.0], "conv1_2": [1.1, 1.0], "pool1": [1.1, 1.0]})
    table["gflop"] = [0.0, 3.3, 3.0]
    assert recommend(table, ratios, scales, unit="um").chosen == "pool1"


def test_words_say_what_the_network_adds_and_which_distances_it_gives():
    bands = [("none", "cluster", 1, 2, 1.0), ("none", "cluster", 3, 4, 6.0), ("none", "cluster", 5, 8, 6.0),
             ("pool1", "cluster", 1, 2, 1.0), ("pool1", "cluster", 3, 4, 1.1), ("pool1", "cluster", 5, 8, 2.0),
             ("white noise", "cluster", 1, 2, 9.0), ("white noise", "cluster", 3, 4, 9.0),
             ("white noise", "cluster", 5, 8, 9.0)]  # fmt: skip
    said = recommend(*tables({"none": [4.0, 1.0], "pool1": [1.1, 1.0]}, scales=bands), unit="um").sentences
    assert (
        "What the network adds, R without it and at pool1: cluster function (face-connected) from 4.00 to 1.10." in said
    )
    assert "The loss without a network gives cluster 1–2 px." in said
    assert "pool1 (sees 1 px (0.5 um)) gives cluster 3–4 px; cluster 5–8 px as far as any depth does (R 2.00)." in said


def test_distances_that_noise_has_too_tell_nothing():
    scales = pd.DataFrame(
        [
            ("none", "two-point", 9, 16, 2.0),
            ("pool1", "two-point", 9, 16, 1.0),
            ("white noise", "two-point", 9, 16, 1.1),
        ],
        columns=["depth", "curve", "from_px", "to_px", "R"],
    )
    assert carriers(scales, ["none", "pool1"]).empty


def test_a_recommendation_that_is_not_there_is_said_to_be(tmp_path):
    with pytest.raises(InputError, match="no finished pruning study"):
        read_recommendation(tmp_path)
    file = tmp_path / "recommendation.json"
    file.write_text("[]")
    with pytest.raises(InputError, match="cannot be read as the recommendation"):
        read_recommendation(file)
    file.write_text(json.dumps({"layer": "pool2", "materials": {"foam": {"layer": "pool1"}}}))
    with pytest.raises(InputError, match="no material 'steel'; choose one of foam"):
        read_recommendation(file, "steel")
