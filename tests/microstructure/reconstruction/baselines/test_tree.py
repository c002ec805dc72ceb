"""Trees reproduce what is determined, draw what is not as often as the exemplar has it, and leave no seam."""

import numpy as np
import pytest

from matlens import Microstructure, reconstruct
from matlens.errors import InputError
from matlens.microstructure.problems import discs, white_noise
from matlens.microstructure.reconstruction import Task, TreeSynthesis
from matlens.microstructure.reconstruction.classical.causal_tree import box_labels, grow, offsets, samples
from matlens.microstructure.statistics import cluster_error, lineal_path_error, s2_error


def drawn(exemplar, shape, seed=0, **options):
    make = TreeSynthesis(**options).learn([exemplar], shape, seed=0)
    return make(Task(shape, exemplar.volume_fractions, seed=seed)).labels


def test_a_determined_pattern_comes_out_whole():
    stripes = np.tile([0, 0, 0, 1, 1], (75, 15))
    squares = np.kron(np.indices((16, 16)).sum(axis=0) % 2, np.ones((4, 4), dtype=int))
    for labels, period in ((stripes, (1, 5)), (stripes.T, (5, 1)), (squares, (8, 8))):
        made = drawn(Microstructure(labels), (40, 35), scales=1, leaf=1, steering=0, radius=5)
        tiled = [np.roll(labels, (y, x), axis=(0, 1))[:40, :35] for y in range(period[0]) for x in range(period[1])]
        assert any((made == tile).all() for tile in tiled)


def test_a_markov_chain_keeps_its_probability():
    # Each pixel repeats the one above with probability 0.9, and columns know nothing of one another.
    random = np.random.default_rng(0)
    labels = np.cumsum(random.random((96, 96)) < 0.1, axis=0) % 2
    made = drawn(Microstructure(labels), (96, 96), scales=1, steering=0, radius=1, leaf=50)
    assert np.mean(made[1:] == made[:-1]) == pytest.approx(0.9, abs=0.02)
    assert np.mean(made[:, 1:] == made[:, :-1]) == pytest.approx(0.5, abs=0.04)


def test_discs_come_far_nearer_than_noise():
    exemplar = discs((96, 96), radius=5, fraction=0.4, seed=1, periodic=False)
    result = reconstruct(exemplar, method="tree", seed=2).microstructure
    noise = white_noise((96, 96), exemplar.volume_fractions, 0)
    for error, part in ((s2_error, 0.5), (lineal_path_error, 0.3), (cluster_error, 0.5)):
        assert error(result, exemplar) < part * error(noise, exemplar)
    assert not result.periodic


@pytest.mark.slow
def test_steering_holds_the_fractions():
    exemplar = discs((64, 64), radius=5, fraction=0.3, seed=1, periodic=False)
    off = [
        np.mean(
            [
                abs(drawn(exemplar, (64, 64), seed, steering=steering).mean() - exemplar.volume_fractions[1])
                for seed in range(4)
            ]
        )
        for steering in (0, 3)
    ]
    assert off[1] < min(0.03, off[0])


def test_neighbourhoods_are_those_of_the_definition():
    random = np.random.default_rng(3)
    fine, coarse = random.integers(0, 3, (14, 15)), random.integers(0, 3, (13, 14))
    own, parent = offsets(1, causal=True), offsets(1, causal=False)
    x, y = samples(fine.astype(np.uint8), coarse.astype(np.uint8), 2, (1, 0), own, parent)
    found = {(*row, phase) for row, phase in zip(map(tuple, x.tolist()), y.tolist())}
    wanted = set()
    for row in range(14):
        for column in range(15):
            near = [(row + 2 * a, column + 2 * b) for a, b in own]
            far = [(row + 4 * a - 2, column + 4 * b) for a, b in parent]
            inside = all(0 <= i < 14 and 0 <= j < 15 for i, j in near)
            if inside and all(0 <= i < 13 and 0 <= j < 14 for i, j in far):
                wanted.add((*(fine[p] for p in near), *(coarse[p] for p in far), fine[row, column]))
    assert found == {tuple(map(int, item)) for item in wanted}


def test_flat_trees_say_what_scikit_learn_says():
    from sklearn.tree import DecisionTreeClassifier

    random = np.random.default_rng(0)
    kinds = []
    for _ in range(2):
        x = random.integers(0, 2, (300, 6)).astype(np.uint8)
        kinds.append((x, (x[:, 0] ^ (random.random(300) < 0.2)).astype(np.uint8)))
    flat = grow(kinds, 2, 10, seed=0)
    for kind, (x, y) in enumerate(kinds):
        model = DecisionTreeClassifier(criterion="entropy", min_samples_leaf=10, random_state=0).fit(x, y)
        np.testing.assert_allclose(flat(x, np.full(len(x), kind)), model.predict_proba(x))


def test_boxes_keep_fractions_and_majorities():
    labels = np.kron(np.indices((8, 8)).sum(axis=0) % 2, np.ones((4, 4), dtype=int)).astype(np.uint8)
    boxes = box_labels(labels, 2, 2)
    assert boxes.shape == (31, 31)
    assert (boxes[::4, ::4] == labels[:-1:4, :-1:4]).all()
    assert boxes.mean() == pytest.approx(0.5, abs=0.001)


@pytest.mark.parametrize(
    ("options", "said"),
    [({"radius": 0}, "radius=0 px is out of range; give 1 to 8"), ({"leaf": 0}, "leaf=0"), ({"steering": -1}, "=-1")],
)
def test_options_out_of_range(options, said):
    exemplar = white_noise((32, 32), (0.5, 0.5))
    with pytest.raises(InputError, match=said):
        reconstruct(exemplar, method=TreeSynthesis(**options))


def test_three_phases_from_small_exemplars_of_several_sizes():
    exemplars = [white_noise((16, 16), (0.5, 0.3, 0.2)), white_noise((24, 20), (0.5, 0.3, 0.2), 1)]
    result = reconstruct(exemplars, (30, 20), method="tree", fraction=[0.5, 0.3, 0.2])
    assert np.bincount(result.microstructure.labels.ravel()).tolist() == [300, 180, 120]
