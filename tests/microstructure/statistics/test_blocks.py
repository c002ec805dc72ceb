"""Statistics in blocks: any division of any structure gives what the whole gives."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from matlens import InputError, Microstructure, characterize
from matlens.microstructure.large import LargeMicrostructure
from matlens.microstructure.statistics import characterize_in_blocks, find_statistics, plan_blocks
from matlens.microstructure.statistics.blocks import clusters, pairs, runs
from matlens.microstructure.statistics.blocks.block import divided

IN_BLOCKS = [one.name for one in find_statistics() if one.blocks]
SUMS_OF_FLOATS = {"mean_particle_size", "mean_local_thickness"}


@st.composite
def structures(draw):
    """A small structure of grains, in the plane or in space, with one to three phases."""
    ndim = draw(st.sampled_from([2, 3]))
    shape = [draw(st.integers(1, 13 if ndim == 2 else 8)) for _ in range(ndim)]
    phases, grain = draw(st.integers(1, 3)), draw(st.sampled_from([1, 1, 2, 3]))
    seed = draw(st.integers(0, 2**31))
    labels = np.random.default_rng(seed).integers(0, phases, shape)
    spacing = draw(st.sampled_from([(1.0,) * ndim, (0.5,) * ndim, (2.0, 0.7, 0.7)[:ndim], (0.6, 1.0, 2.0)[:ndim]]))
    names = [f"p{k}" for k in range(phases)]
    return Microstructure(np.kron(labels, np.ones((grain,) * ndim, int)), spacing, "um", names, draw(st.booleans()))


def drawn_cuts(data, shape):
    return [sorted({0, side, *data.draw(st.lists(st.integers(0, side), max_size=3), label="cuts")}) for side in shape]


@pytest.mark.parametrize("name", IN_BLOCKS)
@settings(max_examples=25)
@given(data=st.data())
def test_any_division_gives_the_whole(name, data):
    m, statistic = data.draw(structures()), find_statistics([name])[0]
    whole, way = LargeMicrostructure.of(m), statistic.blockwise()
    reach = data.draw(st.integers(1, 6), label="reach")
    room = data.draw(st.sampled_from([2e4, 1e8]), label="room") if name.startswith("two_point") else 1e8
    blocks = data.draw(st.permutations(divided(whole, drawn_cuts(data, m.shape), reach=reach, room=room)))
    split = data.draw(st.integers(0, len(blocks) - 1), label="split")
    states = []
    for part in (blocks[:split], blocks[split:]):
        state = None
        for number, block in enumerate(part):
            state = way.update(state, block.fetched(way.halo(whole, reach)) if number % 2 else block)
        states += [] if state is None else [state]
    state = states[0] if len(states) == 1 else way.merge(*states)
    found = way.compute(state, whole)
    for variable, expected, values in zip(
        statistic.variables, statistic.measure(m), found if isinstance(found, tuple) else (found,), strict=True
    ):
        if name.startswith("two_point"):
            values = np.asarray(values)
            assert values.shape[-1] <= min(reach, max(m.shape) // 2) + 1
            expected = np.asarray(expected)[..., : values.shape[-1]]
        tolerance = 1e-13 if variable.name in SUMS_OF_FLOATS else 0
        np.testing.assert_allclose(values, expected, rtol=tolerance, atol=0, err_msg=variable.name)


@pytest.fixture
def small_tiles(monkeypatch):
    monkeypatch.setattr(clusters, "_LEAST", 64)
    monkeypatch.setattr(clusters, "_MOST", 64)
    monkeypatch.setattr(runs, "_AT_ONCE", 64)


@pytest.mark.parametrize("periodic", [False, True])
@pytest.mark.parametrize("shape", [(40, 33), (17, 20, 12)])
def test_tiles_within_blocks_change_nothing(small_tiles, shape, periodic):
    noise = np.random.default_rng(1).normal(size=shape)
    from scipy.ndimage import gaussian_filter

    m = Microstructure((gaussian_filter(noise, 1.5, mode="wrap") > 0).astype(int), periodic=periodic)
    names = ["lineal_path", "chord_length", "percolation", "particle_size"]
    found = characterize_in_blocks(m, statistics=names, blocks=(2,) * m.ndim)
    for name, values in characterize(m, statistics=names).data_vars.items():
        np.testing.assert_allclose(found[name], values, rtol=1e-13, atol=0, err_msg=name)
        assert found[name].attrs == values.attrs


def test_stripes_that_are_alike_count_each():
    m = Microstructure(np.tile([0, 1], (6, 4)))
    found = characterize_in_blocks(m, statistics=["percolation"], blocks=(2, 3))
    np.testing.assert_array_equal(found["connected_fraction"], [[1, 0], [1, 0]])
    np.testing.assert_array_equal(found["percolates"], [[1, 0], [1, 0]])


def test_balls_wider_than_the_first_halo_are_found():
    labels = (np.indices((150, 120)) // [[[70]], [[55]]]).sum(axis=0) % 2
    m = Microstructure(labels)
    found = characterize_in_blocks(m, statistics=["local_thickness"], blocks=(3, 2))
    expected = characterize(m, statistics=["local_thickness"])
    np.testing.assert_array_equal(found["local_thickness"], expected["local_thickness"])
    assert float(expected["mean_local_thickness"].max()) > 2 * 16


def test_a_plan_keeps_to_the_memory_and_says_what_would_fit():
    volume = LargeMicrostructure(np.broadcast_to(np.uint8(0), (1024,) * 3), (1.0,) * 3, "px", ("a", "b"))
    for memory in (0.7e9, 1.5e9, 8e9):
        plan = plan_blocks(volume, memory=memory)
        assert plan.bytes <= memory
        assert sum(np.prod(block.shape) for block in plan.blocks) == 1024**3
    assert plan.left_out == ("correlation_length", "cluster", "surface_surface", "triple_phase_boundary", "tortuosity")
    with pytest.raises(InputError, match=r"need about 6\d\d MB of memory, and 450 MB are given; give more --memory"):
        plan_blocks(volume, memory=0.45e9)
    with pytest.raises(InputError, match=r"^tortuosity cannot be taken in blocks"):
        plan_blocks(volume, statistics=["tortuosity", "two_point"])
    with pytest.raises(InputError, match=r"found \[0, 1, 1\] blocks along the axes"):
        plan_blocks(volume, blocks=(0, 1, 1))
    with pytest.raises(InputError, match="need about"):
        plan_blocks(volume, memory=1.5e9, blocks=(1, 1, 1))


def test_blocks_are_read_once_and_never_more_than_planned():
    sizes = []

    class Counted:
        shape, dtype = (64, 40, 30), np.dtype(np.uint8)

        def __getitem__(self, box):
            sizes.append(np.prod([part.stop - part.start for part in box]))
            return np.zeros([part.stop - part.start for part in box], np.uint8)

    volume = LargeMicrostructure(Counted(), (1.0,) * 3, "px", ("a", "b"))
    characterize_in_blocks(
        volume, statistics=["volume_fraction", "euler_number", "two_point"], reach=4, blocks=(4, 1, 1)
    )
    assert len(sizes) == 4
    assert max(sizes) <= (16 + 2 * 4) * 40 * 30


@pytest.mark.parametrize("room", [1e4, 1e6, 1e9])
def test_tiles_of_transforms_fit_into_the_room_where_any_does(room):
    whole = LargeMicrostructure(np.broadcast_to(np.uint8(0), (300,) * 3), (1.0,) * 3, "px", ("a", "b"))
    block = divided(whole, [[0, 100, 300], [0, 300], [0, 300]], reach=16, room=room)[0]
    layout = pairs._layout(block, (16,) * 3)
    assert layout.bytes() <= max(room, 16 * 3 * 64 * 64 * 33)
    assert all(n >= side + more for n, side, more in zip(layout.size, layout.tile, (16, 0, 0)))


def test_cuts_are_even():
    from matlens.microstructure.statistics.blocks.block import even_cuts

    for side, most in ((10, 3), (7, 7), (1, 5), (1024, 100)):
        lengths = [b - a for a, b in pairwise(even_cuts(5, 5 + side, most))]
        assert sum(lengths) == side
        assert max(lengths) <= most
        assert max(lengths) - min(lengths) <= 1


def test_structures_with_a_mask_are_refused():
    m = Microstructure([[0, 1]] * 4, mask=[[True, False]] * 4)
    with pytest.raises(InputError, match="work in blocks needs a rectangle"):
        characterize_in_blocks(m)
