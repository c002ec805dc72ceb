"""Support of compositions by what was measured around them: layouts where the answer is plain."""

import numpy as np
import pytest

from matlens import MaterialsLibrary
from matlens.library.gradients import neighbourhood_support


def alloys(*parts: np.ndarray) -> MaterialsLibrary:
    x = np.concatenate(parts)
    return MaterialsLibrary(x, ("Bi", "V", "W", "Mo"), {"P": x[:, 0]})


def test_lines_of_two_additions() -> None:
    w = np.linspace(0, 0.08, 9)
    tungsten = np.stack([0.5 - w / 2, 0.5 - w / 2, w, 0 * w], 1)
    found = neighbourhood_support(
        [
            [0.4775, 0.4775, 0.045, 0],  # among measured compositions
            [0.4, 0.4, 0.2, 0],  # far more W than was measured
            [0.48, 0.48, 0.02, 0.02],  # Mo and W were never made together
            [0.52, 0.46, 0.02, 0],  # Bi for V: beside everything
        ],
        alloys(tungsten, tungsten[1:, [0, 1, 3, 2]]),
    )
    assert found.flags.tolist() == [2, 0, 0, 0]
    assert "20 at% W is outside the measured range (0 to 8 at%)" in found.against[1]
    assert "nothing was measured with W-Mo" in found.against[2]
    assert "52 at% Bi is outside the measured range (46 to 50 at%)" in found.against[3]


@pytest.mark.parametrize("seed", range(5))
def test_a_component_that_no_sample_lacks_is_not_left_out(seed: int) -> None:
    """A move that ends without V is unsupported, whatever lies along the way; so is one beyond the range."""
    random = np.random.default_rng(seed)
    x = random.dirichlet([1, 1, 1], 400)
    x = np.column_stack([x[(x[:, 1] > 0.06) & (x[:, 0] > 0.05)], np.zeros(((x[:, 1] > 0.06) & (x[:, 0] > 0.05)).sum())])
    ends = np.array([[0.26, 0, 0.74, 0], [0.5, 0, 0.5, 0], [0.3, 0.001, 0.699, 0]])
    found = neighbourhood_support(ends, alloys(x))
    assert found.flags.tolist() == [0, 0, 0]
    assert "it has no V, of which every sample has" in found.against[0][0]


@pytest.mark.parametrize("seed", range(5))
def test_places_inside_and_outside_of_a_random_library(seed: int) -> None:
    """Of places within the measured range few are unsupported; of places beyond it all are."""
    random = np.random.default_rng(seed)
    known = alloys(np.column_stack([0.1 + 0.7 * random.dirichlet([1, 1, 1], 60), np.zeros(60)]))
    inside = np.column_stack([0.1 + 0.7 * random.dirichlet([2, 2, 2], 200), np.zeros(200)])
    assert (neighbourhood_support(inside, known).flags == 0).mean() <= 0.05
    outside = inside.copy()
    outside[:, 0] += known.compositions[:, 0].max() - outside[:, 0] + 0.1
    outside[:, 1:] *= ((1 - outside[:, 0]) / outside[:, 1:].sum(1))[:, None]
    assert (neighbourhood_support(outside, known).flags == 0).all()


def test_each_place_is_judged_by_the_spacing_around_it() -> None:
    """A dense cluster and a coarse scan: ten hundredths are usual in one, and far in the other."""
    dense = np.array([[a, 0.3 - a + 0.7, 0, 0] for a in np.linspace(0.05, 0.15, 21)])
    coarse = np.array([[a, 1 - a, 0, 0] for a in np.arange(0.3, 1.0, 0.1)])
    found = neighbourhood_support(
        [[0.1025, 0.8975, 0, 0], [0.22, 0.78, 0, 0], [0.75, 0.25, 0, 0]], alloys(dense, coarse)
    )
    assert found.flags[[0, 2]].tolist() == [2, 2]
    assert found.flags[1] == 0
