"""Pruning in width: which channels are kept, what the narrow network computes, and a study of some widths."""

import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import torch
from safetensors.torch import save_file

from matlens.errors import InputError, Interrupted
from matlens.microstructure.encoders import VGG19, load_encoder, random_weights
from matlens.microstructure.problems import bicontinuous, checkerboard
from matlens.microstructure.pruning import activation_maps, leading_channels, plan_pruning, prune, read_recommendation
from matlens.microstructure.pruning.breaking import breaking_sentences, breaks
from matlens.microstructure.pruning.channels import domain, explaining_channels, kept_channels, rank_channels
from matlens.microstructure.pruning.recommendation import recommend
from matlens.microstructure.pruning.width import important_channels, narrowed
from matlens.microstructure.reconstruction import reconstruct
from matlens.microstructure.reconstruction.matching.terms import gram
from matlens.microstructure.statistics.equivalence.sentences import NAMES
from matlens.microstructure.structure import Microstructure

TIMES = ["seconds", "seconds_per_evaluation"]


@pytest.fixture(scope="module")
def vgg():
    return VGG19(random_weights(2, seed=0))


@pytest.fixture(scope="module")
def image(exemplar):
    return torch.from_numpy(exemplar.indicators()).float()[None]


def test_with_all_channels_the_narrow_network_is_the_whole_one(vgg, image):
    net = narrowed(vgg, [image], {"conv1_1": 64, "conv1_2": 64})
    for layer in ("conv1_1", "conv1_2", "pool1"):
        full, narrow = (each.features(image, [layer])[layer][0].flatten(1) for each in (vgg, net))
        # Distances between positions are those of the whole network: the read-out turns its channels.
        for one, other in ((full, narrow), (full - full.roll(5, 1), narrow - narrow.roll(5, 1))):
            assert torch.allclose(
                one.norm(dim=0), other.norm(dim=0), rtol=0.02, atol=0.02 * float(one.norm(dim=0).max())
            )


def test_with_all_channels_distances_of_gram_matrices_are_those_of_the_whole_network(vgg, exemplar):
    other = bicontinuous((64, 64), wavelength=9, fraction=0.4, seed=2)
    images = [torch.from_numpy(each.indicators()).float()[None] for each in (exemplar, other)]

    def distance(net):
        first, second = (gram(net.features(each, ["conv1_2"])["conv1_2"]) for each in images)
        return float((first - second).norm())

    errors = [
        abs(distance(narrowed(vgg, images, {"conv1_1": width, "conv1_2": width})) / distance(vgg) - 1)
        for width in (2, 12, 64)
    ]
    assert errors[2] < 1e-3 < min(errors[:2])


def test_channels_that_are_given_are_kept(vgg, image):
    net = narrowed(vgg, [image], {"conv1_1": [5, 63, 2]})
    kernel = vgg.get_buffer("kernel0")[[5, 63, 2]] / (2 * vgg.get_buffer("std"))
    assert torch.allclose(net.get_buffer("kernel0"), kernel, atol=1e-6)


def test_a_repeated_channel_comes_late_and_one_that_is_silent_does_not_vary(exemplar):
    weights = random_weights(1, seed=0)
    weights["features.0.weight"][7] = 3 * weights["features.0.weight"][9]
    weights["features.0.weight"][4] = 0
    table = rank_channels(VGG19(weights), {"lace": exemplar}, "conv1_1").set_index("channel")
    assert not table.loc[4, "varies"]
    assert table["varies"].sum() == 63
    assert max(table.loc[[7, 9], "rank"]) > 25
    assert table["rank"].tolist() == list(range(1, 65))


def test_controls_keep_the_other_end_or_any_but_never_a_silent_channel_before_another():
    order = [3, 1, 4, 0, 2, 5]
    random = np.random.default_rng(0)
    assert kept_channels(order, 5, 2, "", random) == [3, 1]
    assert kept_channels(order, 5, 2, "reversed", random) == [2, 0]
    drawn = [tuple(kept_channels(order, 5, 2, "random", np.random.default_rng(seed))) for seed in range(20)]
    assert len(set(drawn)) > 5
    assert all(5 not in pair for pair in drawn)
    assert all(kept_channels(order, 5, 6, control, random)[-1] == 5 for control in ("", "random", "reversed"))


@pytest.mark.parametrize("phases", [3, 5])
def test_any_number_of_phases_can_be_pruned_for(vgg, phases):
    labels = np.stack([bicontinuous((48, 48), seed=seed).labels for seed in range(phases - 1)]).sum(axis=0)
    structure = Microstructure(labels)
    net = narrowed(vgg, domain(structure, vgg), {"conv1_1": 6, "conv1_2": 8})
    image = torch.from_numpy(structure.indicators()).float()[None]
    found = net.features(image, ["pool1"], "circular")["pool1"]
    assert found.shape[:2] == (vgg.passes(structure.n_phases), 8)
    assert torch.isfinite(found).all()


def test_activations_stand_where_they_are_seen(vgg):
    labels = np.zeros((40, 40), dtype=int)
    labels[20:, 30:] = 1
    structure = Microstructure(labels)
    maps = activation_maps(vgg, structure, {"conv1_1": [3], "conv1_2": [1, 2]})
    assert maps["conv1_2"].dims == ("conv1_2_channel", "conv1_2_y", "conv1_2_x")
    values = maps["conv1_2"].sel(conv1_2_channel=2)
    inside = values.sel(conv1_2_y=slice(0, 15), conv1_2_x=slice(0, 25))  # sees one phase alone
    assert float(inside.max() - inside.min()) < 1e-5
    beside = values.sel(conv1_2_y=slice(0, 25), conv1_2_x=slice(0, 30))
    assert float(abs(beside - float(inside.max())).max()) > 1e-2
    assert maps.attrs["window"] == [40, 40]


def test_the_leading_channels_are_those_that_vary():
    ranking = pd.DataFrame({"layer": ["a"] * 3 + ["b"] * 2, "rank": [1, 2, 3, 1, 2], "channel": [9, 8, 7, 6, 5],
                            "varies": [True, True, True, True, False]})  # fmt: skip
    assert leading_channels(ranking, 2) == {"a": [9, 8], "b": [6]}


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        ({"encoder": "filterbank", "widths": [0.5]}, "filterbank has no trained channels.*choose matlens"),
        ({"widths": [2]}, "width 2 is no share"),
        ({"widths": [0]}, "no width with a network"),
        ({"widths": []}, "no width with a network"),
        ({"widths": [0.5], "depths": ["conv1_1", "pool1"]}, "found depths conv1_1, pool1 for widths; name the one"),
        ({"widths": [0.5], "depths": ["none"]}, "found depths none"),
        ({"widths": [0.5], "depths": ["conv9_1"]}, "no depth 'conv9_1'"),
        ({"widths": [0.5], "depths": ["conv3_4"]}, "64 x 64 pixels, and conv3_4 sees 48 px.*larger micrograph"),
    ],
)
def test_widths_that_cannot_be_studied_are_refused(exemplar, asked, words):
    with pytest.raises(InputError, match=words):
        plan_pruning({"lace": exemplar}, **{"encoder": "matlens", **asked})


def test_without_other_terms_there_is_no_width_zero(exemplar):
    work = plan_pruning(exemplar, encoder="matlens", preset="li2018", depths=["conv1_1"], widths=[0, 0.5])
    assert "none" not in work.cuts.names
    assert any("width zero is white noise" in note for note in work.notes)


def test_each_material_has_a_network_of_its_own_and_layers_do_not_depend_on_the_width(exemplar):
    materials = {"lace": exemplar, "board": checkerboard((64, 64), cell=5)}
    work = plan_pruning(materials, encoder="matlens", depths=["pool1"], widths=[1, 0.25], seed=3)
    cuts = replace(work.cuts, ranking=work.cuts.rank())
    narrow = {name: cuts.matching(name, "1/4") for name in materials}
    whole = load_encoder("matlens")
    for matching in narrow.values():
        assert matching.encoder.layer("conv1_2").channels == whole.layer("conv1_2").channels / 4
        assert matching.preset == cuts.loss
        assert list(matching.preset.layers) == ["conv1_1", "pool1"]
    assert not torch.equal(*(each.encoder.get_buffer("kernel2") for each in narrow.values()))
    assert cuts.matching("lace", "1").encoder.name == "matlens"


@pytest.fixture(scope="module")
def asked(tiny_vgg, tmp_path_factory):
    path = tmp_path_factory.mktemp("weights") / "two.safetensors"
    save_file(random_weights(2, seed=0), path)
    widths = {"widths": [1, 0.125, 0]}
    return widths | {
        "shape": (32, 32),
        "encoder": "vgg19-oxford",
        "weights": path,
        "preset": tiny_vgg,
        "n": 1,
        "seed": 3,
    }


@pytest.fixture(scope="module")
def study(exemplar, asked):
    return prune({"lace": exemplar}, **asked)


@pytest.mark.slow
def test_every_width_is_made_and_judged_beside_its_controls(study, exemplar, asked):
    table = study.table.set_index("width")
    assert list(table.index) == ["none", "1/8", "1", "1/8 random", "1/8 reversed", "white noise", "blurred noise"]
    assert table["channels"].tolist()[:5] == [0, 16, 128, 16, 16]
    assert table["removed"].tolist()[1:5] == ["least important", "least important", "random", "most important"]
    assert table["gflop"].iloc[:3].is_monotonic_increasing
    assert table.loc["white noise", "joint"] == "different"
    assert study.ranking.groupby("layer")["channel"].nunique().to_dict() == {"conv1_1": 64, "conv1_2": 64}
    assert set(study.recommendations) == {"lace"}
    assert study.recommendations["lace"].chosen in ("none", "1/8", "1")
    assert study.width in ("1/8", "1")
    assert study.layer is None
    whole = reconstruct(exemplar, **{name: value for name, value in asked.items() if name != "widths"})
    assert study.structures["lace", "1"][0].labels.tobytes() == whole.microstructure.labels.tobytes()
    assert len({made[0].labels.tobytes() for made in study.structures.values()}) == 7


@pytest.mark.slow
def test_an_interrupted_study_goes_on_to_the_same_end(study, exemplar, asked, memory, watch):
    kept: dict = {}

    def checkpoints(material, name):
        return kept.setdefault((material, name), memory())

    with pytest.raises(Interrupted, match="the widths that were finished") as stop:
        prune({"lace": exemplar}, **asked, progress=watch(60), checkpoints=checkpoints)
    assert 0 < len(stop.value.result.table) < 5
    resumed = prune({"lace": exemplar}, **asked, checkpoints=checkpoints)
    for name in ("table", "cells", "ratios", "scales", "breaks", "ranking"):
        again, whole = (getattr(s, name).drop(columns=TIMES, errors="ignore") for s in (resumed, study))
        pd.testing.assert_frame_equal(again, whole)


def tables(ratios, high=1.2):
    """One material's tables from R of two statistics by width."""
    removed = {"random": "random", "reversed": "most important"}
    rows = []
    for width in ratios:
        share, _, order = width.partition(" ")
        above, _, below = share.partition("/")
        value = 0.0 if share == "none" else float(above) / float(below or 1)
        rows.append({"material": "foam", "width": width, "share": value, "joint": "undecided", "channels": 100 * value,
                     "removed": removed.get(order, "least important"), "gflop": value, "kept_mb": 1.0})  # fmt: skip
    long = [(w, s, r, high) for w, pair in ratios.items() for s, r in zip(("s2_error", "cluster_error"), pair)]
    return pd.DataFrame(rows), pd.DataFrame(long, columns=["width", "statistic", "R", "high"])


BROKEN = {
    "none": [9.0, 9.0],
    "1/4": [1.3, 1.4],
    "1/2": [1.0, 1.3],
    "1": [1.0, 1.0],
    "1/4 random": [2.0, 3.0],
    "1/2 random": [1.0, 1.0],
    "1/2 reversed": [1.2, 1.1],
}


def test_the_statistic_that_breaks_first_is_found_in_each_order():
    table, ratios = tables(BROKEN)
    found = breaks(table, ratios)
    assert found[["removed", "statistic", "width", "R"]].to_records(index=False).tolist() == [
        ("least important", "cluster_error", "1/2", 1.3),
        ("least important", "s2_error", "1/4", 1.3),
        ("random", "cluster_error", "1/4 random", 3.0),
        ("random", "s2_error", "1/4 random", 2.0),
    ]
    assert found["limit"].unique().tolist() == [1.25]
    cluster = NAMES["cluster_error"]
    assert breaking_sentences(table, ratios) == [
        f"When the least important channels are removed first, {cluster} breaks first, at width 1/2: R 1.30, limit "
        "1.25.",
        f"When channels are removed in random order, {cluster} breaks first, at width 1/4: R 3.00, limit 1.25.",
        "When the most important channels are removed first, no statistic breaks down to width 1/2.",
    ]


def test_the_cheapest_width_within_the_noise_of_the_best_is_recommended_and_no_control():
    table, ratios = tables(BROKEN | {"1/4 reversed": [1.0, 1.0]}, high=1.35)
    found = recommend(table, ratios, pd.DataFrame(), "px", "width")
    assert (found.chosen, found.network, found.best) == ("1/2", "1/2", "1")
    assert found.sentences[0] == (
        "1/2 is the cheapest width that stays equivalent to the best one (1): 50 % of its arithmetic and 100 % of its "
        "memory an evaluation; it keeps 50 channels."
    )
    assert found.sentences[1].startswith("By windows of the material, width 1/2 is undecided")


def test_a_study_of_widths_recommends_no_depth(tmp_path):
    (tmp_path / "recommendation.json").write_text(json.dumps({"width": "1/4", "materials": {}}))
    with pytest.raises(InputError, match="studied widths, no depths"):
        read_recommendation(tmp_path)


def test_importance_finds_the_channels_that_others_follow_from():
    random = torch.Generator().manual_seed(0)
    sources = torch.randn(500, 3, generator=random)
    mixed = torch.cat([sources @ torch.randn(3, 5, generator=random), sources], 1)
    for chosen in (important_channels(mixed, 3), explaining_channels(mixed)[0][:3]):
        found = torch.linalg.lstsq(mixed[:, chosen], mixed).solution
        assert torch.allclose(mixed[:, chosen] @ found, mixed, atol=1e-4)


def test_the_most_important_channel_is_the_one_that_explains_most_and_not_an_odd_one():
    random = torch.Generator().manual_seed(0)
    common = torch.randn(2000, 1, generator=random)
    channels = torch.cat([common + 0.3 * torch.randn(2000, 4, generator=random), torch.zeros(2000, 1)], 1)
    channels[7, 4] = 50.0  # a channel that answers to one odd position
    order, varying = explaining_channels(channels)
    assert order[0] in range(4)
    assert order.index(4) > 0
    assert varying == 5


def test_forward_selection_is_that_by_brute_force():
    random = torch.Generator().manual_seed(1)
    channels = torch.randn(300, 4, generator=random) @ torch.randn(4, 7, generator=random)
    channels = channels + 0.1 * torch.randn(300, 7, generator=random)
    standard = (channels - channels.mean(0)) / channels.std(0, correction=0)

    def unexplained(some):
        solution = torch.linalg.lstsq(standard[:, some], standard).solution
        return float((standard - standard[:, some] @ solution).square().sum())

    expected: list[int] = []
    while len(expected) < 7:
        others = [channel for channel in range(7) if channel not in expected]
        expected.append(min(others, key=lambda channel: unexplained([*expected, channel])))
    assert explaining_channels(channels)[0][:6] == expected[:6]  # the last is what is left
