import numpy as np
import pytest
import torch
from scipy.optimize import linear_sum_assignment

from matlens.errors import InputError
from matlens.microstructure.reconstruction import PhaseCode, decode, phase_counts


@pytest.mark.parametrize("phases", [2, 3, 4, 5, 6])
def test_code_and_its_inverse(phases: int):
    code = PhaseCode(phases)
    amounts = torch.rand(2, phases, 5, 4, dtype=torch.float64)
    amounts = amounts / amounts.sum(dim=1, keepdim=True)
    field = code.field(amounts)
    assert field.shape == (2, phases - 1, 5, 4)
    torch.testing.assert_close(code.indicators(field), amounts, rtol=1e-6, atol=1e-6)
    free = torch.randn(1, phases - 1, 3, 3, dtype=torch.float64)
    torch.testing.assert_close(code.indicators(free).sum(dim=1), torch.ones(1, 3, 3).double(), rtol=1e-6, atol=1e-6)
    torch.testing.assert_close(code.field(code.indicators(free)), free, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("phases", [2, 3, 5])
def test_corners_are_equidistant_unit_vectors(phases: int):
    corners = PhaseCode(phases).corners
    torch.testing.assert_close(corners.norm(dim=1), torch.ones(phases))
    apart = torch.cdist(corners, corners)[~torch.eye(phases, dtype=bool)]
    torch.testing.assert_close(apart, torch.full_like(apart, (2 * phases / (phases - 1)) ** 0.5))


def test_two_phases_lie_at_minus_and_plus_one():
    assert sorted(PhaseCode(2).corners.flatten().tolist()) == pytest.approx([-1, 1])
    with pytest.raises(InputError, match="at least two phases, found 1"):
        PhaseCode(1)


@pytest.mark.parametrize("phases", [2, 3, 7, 64])
def test_phase_counts_sum_and_lie_within_one_pixel(phases: int):
    random = np.random.default_rng(phases)
    for size in (1, 17, 4096):
        fractions = random.dirichlet(np.ones(phases))
        counts = phase_counts(fractions, size)
        assert counts.sum() == size
        assert (counts >= 0).all()
        assert (np.abs(counts - fractions * size) < 1).all()
    assert phase_counts(np.bincount([0, 0, 1], minlength=2) / 3, 3).tolist() == [2, 1]


def amounts_of(kind: str, phases: int, size: int, random: np.random.Generator) -> np.ndarray:
    if kind == "constant":
        return np.full((phases, size), 1 / phases)
    if kind == "ties":
        return random.integers(0, 3, (phases, size)) / 2
    if kind == "one-hot":
        return np.eye(phases)[random.integers(0, phases, size)].T
    return random.normal(size=(phases, size))


@pytest.mark.parametrize("kind", ["random", "ties", "constant", "one-hot"])
@pytest.mark.parametrize("phases", [2, 3, 5, 64])
def test_decoded_counts_are_exact(kind: str, phases: int):
    random = np.random.default_rng(phases)
    for fractions in (np.full(phases, 1 / phases), random.dirichlet(np.full(phases, 0.1)), np.eye(phases)[-1]):
        counts = phase_counts(fractions, 24 * 24)
        labels = decode(amounts_of(kind, phases, 24 * 24, random).reshape(phases, 24, 24), counts)
        assert (labels.shape, labels.dtype) == ((24, 24), np.uint8)
        assert np.array_equal(np.bincount(labels.ravel(), minlength=phases), counts)


@pytest.mark.parametrize("kind", ["random", "ties", "one-hot"])
@pytest.mark.parametrize("phases", [2, 3, 6])
@pytest.mark.parametrize("seed", range(5))
def test_decoding_is_the_best_assignment(kind: str, phases: int, seed: int):
    random = np.random.default_rng(seed)
    amounts = amounts_of(kind, phases, 60, random)
    counts = phase_counts(random.dirichlet(np.ones(phases)), 60)
    labels = decode(amounts, counts)
    slots = np.repeat(np.arange(phases), counts)
    rows, columns = linear_sum_assignment(amounts.T[:, slots], maximize=True)
    best = amounts.T[:, slots][rows, columns].sum()
    assert amounts[labels, np.arange(60)].sum() == pytest.approx(best, abs=1e-5)


def test_a_clear_field_is_read_as_it_is():
    labels = np.random.default_rng(0).integers(0, 3, (20, 30))
    amounts = np.moveaxis(np.eye(3)[labels], -1, 0)
    assert np.array_equal(decode(amounts, np.bincount(labels.ravel())), labels)


@pytest.mark.parametrize("counts", [[1, 1], [5, -1], [2, 3]])
def test_counts_that_do_not_fit(counts):
    with pytest.raises(InputError, match="do not sum to the 4 pixels"):
        decode(np.zeros((2, 4)), np.array(counts))
