import numpy as np
import pytest

from matlens.library.gradients import composition_support, spectral_support

HOSTS = np.array([0.52, 0.48])


def alloy(**loads: float) -> np.ndarray:
    """Bi and V with loadings of W, Mo, Dy, Tb."""
    x = np.zeros(6)
    for name, load in loads.items():
        x[2 + ["W", "Mo", "Dy", "Tb"].index(name)] = load
    x[:2] = HOSTS * (1 - x.sum())
    return x


@pytest.fixture(scope="module")
def layout() -> np.ndarray:
    """Series of W, Mo and Dy alone, W with Mo together; Dy with neither; Tb never."""
    loads = np.linspace(0.007, 0.077, 10)
    rows = [alloy()]
    for name in ("W", "Mo", "Dy"):
        rows += [alloy(**{name: load}) for load in loads]
    rows += [alloy(W=first, Mo=second) for first in loads[1::2] for second in loads[1::2]]
    return np.array(rows)


def flags(layout: np.ndarray, **loads: float) -> dict[str, int]:
    found = composition_support(alloy(**loads)[None], layout).flags[0]
    return dict(zip(("Bi", "V", "W", "Mo", "Dy", "Tb"), found.tolist()))


def test_along_a_series(layout):
    assert flags(layout, W=0.03)["W"] == 2


def test_adding_to_the_bare_host_is_supported_where_a_series_starts_there(layout):
    found = flags(layout)
    assert (found["W"], found["Mo"], found["Dy"], found["Tb"]) == (2, 2, 2, 0)


def test_pairs(layout):
    """Mo at W is measured; Dy at W is not, nor anything at all of Tb."""
    found = flags(layout, W=0.045)
    assert found["Mo"] == 2
    assert found["Dy"] == 0
    assert found["Tb"] == 0
    assert flags(layout, Dy=0.045)["W"] == 0


def test_traces_do_not_count_as_pairs(layout):
    assert flags(layout, W=0.001)["Dy"] == 2


def test_the_ratio_of_the_hosts_was_not_varied(layout):
    found = flags(layout, W=0.03)
    assert found["Bi"] < 2
    assert found["V"] < 2


def test_distance_and_count_by_hand():
    measured = np.array([[1 - w, w] for w in (0.0, 0.01, 0.02, 0.1)])
    found = composition_support([[0.985, 0.015]], measured)
    assert found.distance[0, 1] == pytest.approx(0.005)
    assert found.count[0, 1] == 3  # the fourth lies beyond reach
    assert found.pairs.tolist() == [[4, 3], [3, 3]]


def test_replicates_count_once(layout):
    twice = np.concatenate([layout, layout])
    groups = np.tile(np.arange(len(layout)), 2)
    one, two = composition_support(layout, layout), composition_support(layout, twice, groups)
    np.testing.assert_array_equal(one.flags, two.flags)
    np.testing.assert_array_equal(one.count, two.count)
    np.testing.assert_array_equal(one.elements, two.elements)


def test_an_empty_column_changes_nothing(layout):
    wider = np.hstack([layout, np.zeros((len(layout), 1))])
    found = composition_support(wider, wider).flags
    np.testing.assert_array_equal(found[:, :6], composition_support(layout, layout).flags)
    assert (found[:, 6] == 0).all()


def test_more_data_never_takes_support_away(layout):
    rng = np.random.default_rng(0)
    some = layout[rng.random(len(layout)) < 0.5]
    few, all_ = composition_support(some, some).flags, composition_support(some, layout).flags
    wide = layout.max(0) > some.max(0)  # a wider range also looks further
    assert (few <= all_)[:, ~wide].all()


def test_channels():
    variance = np.array([[9.0, 0.5, 0.1, 9.0, 9.0, 9.0]])
    unexplained = [0.5, 0.5, 0.5, 0.02, 0.001, np.nan]
    pinned = np.zeros((1, 6), bool)
    assert spectral_support(variance, np.ones(6), unexplained, pinned).tolist() == [[2, 1, 0, 1, 0, 0]]
    assert (spectral_support(variance, np.ones(6), unexplained, ~pinned) == 0).all()
