import numpy as np
import pytest
import torch
from torch.autograd import gradcheck

from matlens.microstructure.encoders import FilterBank
from matlens.microstructure.problems import bicontinuous, white_noise
from matlens.microstructure.reconstruction import PRESETS
from matlens.microstructure.reconstruction.matching.objective import match
from matlens.microstructure.reconstruction.matching.terms import (
    Fraction,
    Gram,
    PhaseRange,
    Sample,
    Sharpness,
    TotalVariation,
    TwoPoint,
    UnlikeNeighbours,
    gram,
)
from matlens.microstructure.statistics import total_variation, two_point_field, unlike_neighbours


def image_of(m) -> torch.Tensor:
    return torch.from_numpy(m.indicators()).float()[None]


@pytest.fixture(scope="module")
def exemplar() -> torch.Tensor:
    return image_of(bicontinuous((32, 48), wavelength=8, seed=2))


@pytest.fixture(scope="module")
def noise() -> torch.Tensor:
    return image_of(white_noise((32, 48), (0.5, 0.5), seed=0))


def terms_of(exemplar: torch.Tensor) -> list:
    half = (6, 6)
    target = two_point_field(exemplar, periodic=False, half=half)
    bank = FilterBank(filters=8, scales=1)
    found = gram(bank.features(exemplar, ["scale1"], "circular")["scale1"])
    return [
        Gram("scale1", 2.0, found, 1.0),
        TwoPoint(1.0, target, torch.ones(13, 13), 1.0),
        Fraction(1.0, exemplar.mean(dim=(2, 3))),
        TotalVariation(1.0, total_variation(exemplar, periodic=True), torch.ones(1, 2)),
        UnlikeNeighbours(1.0, unlike_neighbours(exemplar, periodic=True)),
        PhaseRange(1.0),
        Sharpness(1.0),
    ]


def sample_of(image: torch.Tensor) -> Sample:
    return Sample(image, FilterBank(filters=8, scales=1).to(image).features(image, ["scale1"], "circular"))


@pytest.mark.parametrize("index", range(7))
def test_an_exemplar_matches_itself_and_nothing_else(exemplar, noise, index):
    term = terms_of(exemplar)[index]
    assert float(term(sample_of(exemplar))) == pytest.approx(0, abs=1e-12)
    unlike = 1.6 * noise - 0.5  # other structure, other fraction, amounts outside [0, 1]
    assert float(term(sample_of(unlike))) > 1e-4
    assert term.name
    assert term.weight > 0
    assert term.name in repr(term) or isinstance(term, Gram)


@pytest.mark.parametrize("index", range(7))
def test_terms_have_the_gradients_of_their_values(index):
    structure = image_of(bicontinuous((8, 9), wavelength=4, seed=2)).double()
    bank = FilterBank(filters=3, scales=1).double()
    features = bank.features(structure, ["scale1"], "circular")
    term = [
        Gram("scale1", 1.0, 0.5 * gram(features["scale1"]), 2.0),
        TwoPoint(1.0, torch.zeros(1, 2, 5, 5).double(), torch.rand(5, 5).double(), 3.0),
        Fraction(1.0, torch.tensor([[0.2, 0.8]]).double()),
        TotalVariation(1.0, torch.tensor([[0.3, 0.2]]).double(), torch.ones(1, 2).double()),
        UnlikeNeighbours(1.0, torch.tensor([[0.3, 0.2]]).double()),
        PhaseRange(1.0),
        Sharpness(1.0),
    ][index]
    x = (structure + 0.3 * torch.randn(structure.shape, generator=torch.Generator().manual_seed(1)).double()) * 1.2

    def value(x):
        return term(Sample(x, bank.features(x, ["scale1"], "circular")))

    assert gradcheck(value, x.requires_grad_(True))


def test_of_pure_phases_the_gradient_of_unlike_neighbours_is_the_change_by_one_pixel_and_that_of_variation_is_not():
    labels = bicontinuous((12, 12), wavelength=6, seed=4).labels
    pure = torch.from_numpy(np.stack([labels == 0, labels == 1]).astype(float))[None]
    errors = {}
    for measure in (unlike_neighbours, total_variation):
        x = pure.clone().requires_grad_(True)
        measured = measure(x, periodic=True)[0, 1]
        (slope,) = torch.autograd.grad(measured, x)
        wrong = []
        for row, column in ((3, 3), (3, 7), (6, 2), (9, 9)):
            flipped = pure.clone()
            flipped[0, :, row, column] = 1 - flipped[0, :, row, column]
            change = flipped[0, 1, row, column] - pure[0, 1, row, column]
            actual = measure(flipped, periodic=True)[0, 1] - measured.detach()
            wrong.append(abs(float(actual - slope[0, 1, row, column] * change)))
        errors[measure] = max(wrong)
    assert errors[unlike_neighbours] < 1e-12
    assert errors[total_variation] > 1e-3


def test_gram_is_the_mean_of_outer_products():
    features = torch.randn(3, 5, 4, 6)
    expected = torch.zeros(3, 5, 5)
    for image in range(3):
        for y in range(4):
            for x in range(6):
                v = features[image, :, y, x]
                expected[image] += torch.outer(v, v) / 24
    torch.testing.assert_close(gram(features), expected)


@pytest.mark.parametrize("order", [torch.contiguous_format, torch.channels_last])
def test_gram_has_the_gradient_of_its_value_in_every_order_of_memory(order):
    drawn = torch.randn(2, 3, 5, 6, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    features = drawn.contiguous(memory_format=order).requires_grad_(True)
    assert gradcheck(gram, features)
    assert gradcheck(lambda values: gram(values[..., 1:4, 1:5]), features)


def test_gram_mismatch_by_hand():
    features = torch.tensor([[[[1.0, 2.0]], [[0.0, 2.0]]]])  # G = [[2.5, 2], [2, 2]]
    target = torch.tensor([[[2.5, 1.0], [1.0, 0.0]]])
    assert float(Gram("x", 1.0, target, 2.0)(Sample(features, {"x": features}))) == pytest.approx((1 + 1 + 4) / 2)


def test_walls_and_wells_by_hand():
    inside = torch.tensor([0.0, 1.0, 0.5, 0.5]).reshape(1, 2, 1, 2)
    outside = torch.tensor([-0.5, 1.5]).reshape(1, 2, 1, 1)
    for term, expected in ((PhaseRange(1.0), (0.0, 1.0)), (Sharpness(1.0), (0.25, 4.5))):
        assert [float(term(Sample(x, {}))) for x in (inside, outside)] == pytest.approx(expected)


def test_the_loss_is_blind_to_circular_shifts_except_for_the_window(exemplar):
    """All but the windowed two-point function, which sees the sample as a micrograph is seen."""
    found = match(FilterBank(filters=16), [exemplar], (32, 32), torch.tensor([0.5, 0.5]), PRESETS["default"], 3.0)
    field = torch.rand(1, 1, 32, 32, generator=torch.Generator().manual_seed(0))
    amounts = torch.cat([field, 1 - field], dim=1)
    still = found.mismatches(amounts)
    for shift in ((16, -16), (0, 16)):
        moved = found.mismatches(amounts.roll(shift, (2, 3)))
        for name in still:
            if name != "two-point":
                torch.testing.assert_close(moved[name], still[name], rtol=1e-4, atol=1e-7)
    by_one = found.mismatches(amounts.roll((1, 3), (2, 3)))
    for name in ("Gram scale1", "total variation", "phase range"):
        torch.testing.assert_close(by_one[name], still[name], rtol=1e-4, atol=1e-7)
