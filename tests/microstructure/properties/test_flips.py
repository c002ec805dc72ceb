import numpy as np
import pandas as pd
import pytest
import torch

from matlens.errors import InputError
from matlens.microstructure.physics import effective_conductivity
from matlens.microstructure.problems import gaussian_field
from matlens.microstructure.properties import (
    Conduction,
    StructurePropertyModel,
    StructureSet,
    draw_flips,
    flip_effects,
    flip_map,
    interface,
    linearised_map,
    score_flips,
    sensitivity_map,
    sensitivity_scores,
    study_sensitivity,
    summarise_scores,
    toggled,
)

CONDUCTION = Conduction((1.0, 50.0), (0, 0), (1.0, 1.0))


@pytest.fixture(scope="module")
def labels():
    return np.stack([gaussian_field((16, 16), 3.0, fraction=0.3 + i / 50, seed=i).labels for i in range(14)])


@pytest.fixture(scope="module")
def structures(labels):
    tensors = effective_conductivity(torch.from_numpy(1 + 49.0 * labels)).numpy()
    targets = pd.DataFrame({"k_00_c50": tensors[:, 0, 0], "k_11_c50": tensors[:, 1, 1]})
    return StructureSet.from_arrays(labels, targets=targets, periodic=True)


@pytest.fixture(scope="module")
def model(structures):
    asked = StructurePropertyModel("filterbank", depth="scale2", head="ridge", phase_values=(1, 50))
    return asked.fit(structures, "k_00_c50")


@pytest.mark.parametrize("periodic", [True, False])
def test_interface_pixels_by_looking_at_each_neighbour(labels, periodic):
    found = interface(labels[0], periodic=periodic)
    for i in range(16):
        for j in range(16):
            near = [(i + 1, j), (i - 1, j), (i, j + 1), (i, j - 1)]
            if not periodic:
                near = [(a, b) for a, b in near if 0 <= a < 16 and 0 <= b < 16]
            assert found[i, j] == any(labels[0, a % 16, b % 16] != labels[0, i, j] for a, b in near)


def test_flips_are_drawn_on_the_interface_half_of_each_phase(labels):
    places = draw_flips(labels[0], 20, seed=3)
    assert interface(labels[0]).ravel()[places].all()
    assert labels[0].ravel()[places].tolist() == [0] * 10 + [1] * 10
    assert len(set(places.tolist())) == 20
    assert draw_flips(np.zeros((4, 4), np.uint8), 20).size == 0


def test_flips_are_solved_as_if_alone(labels):
    places = draw_flips(labels[0], 6, seed=0)
    value, change = flip_effects(labels[0], places, CONDUCTION)
    many = torch.from_numpy(1 + 49.0 * np.concatenate([labels[:1], toggled(labels[0], places)]))
    exact = effective_conductivity(many, tolerance=1e-10)[:, 0, 0].numpy()
    assert value == pytest.approx(exact[0], rel=1e-7)
    np.testing.assert_allclose(change, exact[1:] - exact[0], rtol=1e-3)
    assert (change[:3] > 0).all()
    assert (change[3:] < 0).all()


def test_the_map_of_flips_is_of_every_interface_pixel(labels):
    found = flip_map(labels[1], CONDUCTION)
    assert (np.isfinite(found) == interface(labels[1])).all()
    places = draw_flips(labels[1], 4, seed=1)
    change = flip_effects(labels[1], places, CONDUCTION)[1]
    np.testing.assert_allclose(found.ravel()[places], np.abs(change), rtol=1e-3)


def test_the_linearised_map_is_the_derivative_and_no_flip(labels):
    found = linearised_map(labels[:1], CONDUCTION)[0]
    place = draw_flips(labels[0], 2, seed=5)
    for pixel in place:
        field = torch.from_numpy(1 + 49.0 * labels[:1])
        ends = []
        for step in (1e-4, -1e-4):
            moved = field.clone()
            moved.view(-1)[pixel] += step
            ends.append(float(effective_conductivity(moved, tolerance=1e-12)[0, 0, 0]))
        assert found.ravel()[pixel] == pytest.approx((ends[0] - ends[1]) / 2e-4 * 49, rel=1e-4)
    change = np.abs(flip_effects(labels[0], place, CONDUCTION)[1])
    assert change[0] < 0.5 * found.ravel()[place[0]]  # a good conductor among poor ones shields itself
    assert change[1] > found.ravel()[place[1]]


def test_first_order_is_what_small_changes_of_the_model_do(model, labels):
    study = study_sensitivity(model, labels[:2], flips_per_structure=8)
    flips = study.flips[study.flips["structure"] == "00000"]
    gradient = sensitivity_map(model, labels[:1])[0].ravel()
    for row in flips.to_dict("records"):
        pixels = [row["place"]] + ([row["partner"]] if row["move"] == "swap" else [])
        signs = 1 - 2.0 * labels[0].ravel()[pixels]
        assert row["gradient"] == pytest.approx(float((gradient[pixels] * signs).sum()))
        moved = labels[:1].copy()
        moved.reshape(-1)[pixels] = 1 - moved.reshape(-1)[pixels]
        expected = float(model.predict(moved)[0] - model.predict(labels[:1])[0])
        assert row["difference"] == pytest.approx(expected, abs=2e-4)
        assert moved.sum() == labels[0].sum() + (0 if row["move"] == "swap" else signs.sum())
    np.testing.assert_allclose(study.values["predicted"], model.predict(labels[:2]), rtol=1e-5)


def test_the_score_of_the_truth_is_one_and_of_a_constant_unknown(structures):
    fraction = StructurePropertyModel(features="volume-fraction", head="ridge", phase_values=(1, 50))
    flips = study_sensitivity(fraction.fit(structures, "k_00_c50"), structures.select([0, 1, 2])).flips
    scores = score_flips(flips.assign(linearised=2 * flips["truth"])).set_index("map")
    np.testing.assert_allclose(scores.loc["linearised", ["pearson", "spearman"]], 1.0)
    np.testing.assert_allclose(scores.loc["linearised", "ratio"].dropna(), 0.5)
    within = scores[scores["moves"] != "both"]
    assert within.loc["phase", "pearson"].isna().all()  # within a phase there is nothing to tell apart
    assert within.loc["gradient", "pearson"].isna().all()
    summary = summarise_scores(scores.reset_index()).set_index(["moves", "map"])
    assert summary.loc[("both", "linearised"), "structures"] == 3
    assert 0 < summary.loc[("both", "phase"), "pearson"] < 1


def test_the_same_seed_gives_the_same_scores(model, labels):
    first, second = (sensitivity_scores(model, labels[:1], flips_per_structure=6, seed=4) for _ in range(2))
    assert first.equals(second)
    assert not first.equals(sensitivity_scores(model, labels[:1], flips_per_structure=6, seed=5))


def test_what_cannot_be_solved_is_refused(model, labels):
    hardness = StructurePropertyModel(features="volume-fraction", head="ridge").fit(labels, labels.mean((1, 2)))
    with pytest.raises(InputError, match="components of conductivity"):
        study_sensitivity(hardness, labels[:1])
    with pytest.raises(InputError, match="give two"):
        study_sensitivity(model, labels[:1], phase_values=(1, 2, 3))
    with pytest.raises(InputError, match="on the diagonal"):
        Conduction((1.0, 2.0), (0, 1), (1.0, 1.0), periodic=False)
