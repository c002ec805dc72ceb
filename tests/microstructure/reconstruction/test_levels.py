import pytest
import torch

from matlens.microstructure.problems import checkerboard, laminate
from matlens.microstructure.reconstruction.matching.levels import coarse_factors, reduce, refine, variance


def image_of(m) -> torch.Tensor:
    return torch.from_numpy(m.indicators()).float()[None]


def stripes(period: int, side: int = 256) -> torch.Tensor:
    on = (torch.arange(side) // (period // 2) % 2).float().expand(1, 1, side, side)
    return torch.cat([1 - on, on], dim=1)


@pytest.mark.parametrize(
    ("period", "factors"), [(2, [1]), (4, [2, 1]), (8, [4, 2, 1]), (64, [8, 4, 2, 1]), (128, [8, 4, 2, 1])]
)
def test_only_levels_that_still_show_the_structure(period, factors):
    assert coarse_factors([stripes(period)], (256, 256)) == factors


def test_levels_end_where_result_or_exemplar_get_too_small():
    blocks = stripes(128)
    assert coarse_factors([blocks], (64, 512)) == [2, 1]
    assert coarse_factors([blocks], (63, 63)) == [1]
    assert coarse_factors([stripes(32, 64)], (512, 512)) == [2, 1]


def test_an_exemplar_without_structure_does_not_decide():
    flat = torch.zeros(1, 2, 256, 256)
    flat[:, 0] = 1
    assert coarse_factors([stripes(64), flat], (256, 256)) == [8, 4, 2, 1]


def test_reduce_averages_and_keeps_fractions():
    image = image_of(checkerboard((32, 32), 4))
    assert reduce(image, 1) is image
    torch.testing.assert_close(reduce(image, 4), image[..., ::4, ::4])
    torch.testing.assert_close(reduce(image, 8), torch.full((1, 2, 4, 4), 0.5))


def test_variance_of_one_hot_phases():
    image = image_of(laminate((16, 16), 8, fraction=0.25))
    assert variance(image) == pytest.approx(2 * 0.25 * 0.75)


@pytest.mark.parametrize("shape", [(8, 8), (6, 10)])
def test_refine_keeps_periodicity_and_the_mean(shape):
    field = torch.randn(1, 2, *shape, generator=torch.Generator().manual_seed(0))
    still = refine(field, 2, 0.0, torch.Generator())
    moved = refine(field.roll((3, -2), (2, 3)), 2, 0.0, torch.Generator())
    assert still.shape == (1, 2, 2 * shape[0], 2 * shape[1])
    torch.testing.assert_close(moved, still.roll((6, -4), (2, 3)))
    torch.testing.assert_close(still.mean(dim=(2, 3)), field.mean(dim=(2, 3)))


def test_refine_adds_the_missing_noise():
    field = torch.zeros(1, 1, 64, 64)
    noisy = refine(field, 2, 0.3, torch.Generator().manual_seed(1))
    assert float(noisy.std()) == pytest.approx(0.3, rel=0.05)
    assert torch.equal(noisy, refine(field, 2, 0.3, torch.Generator().manual_seed(1)))
