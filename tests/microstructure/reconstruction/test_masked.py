"""Reconstruction from exemplars with masked pixels: targets over what is known, and no word of what is hidden."""

import numpy as np
import pytest
import torch

import matlens as ml
from matlens import InputError, Microstructure
from matlens.microstructure.encoders import FilterBank, filled_in, known_pixels, load_encoder, untouched
from matlens.microstructure.problems import gaussian_field
from matlens.microstructure.reconstruction import PRESETS, plan
from matlens.microstructure.reconstruction.matching.levels import reduce, shown, variance
from matlens.microstructure.reconstruction.matching.objective import match
from matlens.microstructure.statistics import total_variation, two_point_map

HALF = torch.tensor([0.6, 0.4])


def field(seed, side=64):
    return gaussian_field((side, side), 2.5, 0.4, seed=seed, periodic=False)


def masked(m, mask):
    return Microstructure(m.labels, phase_names=m.phase_names, mask=mask)


def disc(side):
    offset = np.arange(side) - (side - 1) / 2
    return np.hypot(offset[:, None], offset[None]) <= side / 2


def tensor(m):
    return torch.from_numpy(m.indicators()).float()[None]


@pytest.mark.parametrize("encoder", [load_encoder("matlens"), FilterBank()], ids=lambda encoder: encoder.name)
@pytest.mark.parametrize("side", [64, 71])
def test_untouched_positions_are_those_that_a_mask_does_not_change(encoder, side):
    image = tensor(masked(field(0, side), disc(side)))
    known, names = known_pixels(image), [layer.name for layer in encoder.layers]
    other = filled_in(image).clone()
    other[..., ~known] = torch.rand(2, 1)
    before, after = (encoder.features(seen, names, "valid") for seen in (filled_in(image), other))
    for name, found in before.items():
        free = untouched(known, encoder.layer(name))
        assert free.shape == found.shape[-2:]
        changed = (found - after[name]).abs().amax((0, 1))
        assert changed[free].numel() == 0 or float(changed[free].max()) < 1e-4
        assert float(changed[~free].max()) > 1e-3


def test_targets_are_those_of_the_full_picture_within_the_scatter_of_fields():
    encoder, differences = load_encoder("matlens"), {}
    for seed in range(6):
        m = field(seed, 96)
        full, part = (
            match(encoder, [tensor(each)], (96, 96), HALF, PRESETS["default"], 4.0) for each in (m, masked(m, disc(96)))
        )
        for a, b in zip(full.terms, part.terms, strict=True):
            if hasattr(a, "target"):
                differences.setdefault(a.name, []).append((b.target - a.target) / a.target.norm())
    assert {"Gram conv1_1", "Gram pool1", "Gram pool2", "two-point", "total variation"} <= set(differences)
    for name, found in differences.items():
        each = torch.stack(found)
        scatter = (each - each.mean(0)).square().flatten(1).sum(1).mean().sqrt() * (6 / 5) ** 0.5
        assert 0 < float(each.mean(0).norm()) < 2.5 * float(scatter) / 6**0.5, name
        assert float(scatter) < 0.12, name


def test_what_is_behind_a_mask_never_matters():
    m = field(1)
    mask = disc(64)
    other = np.where(mask, m.labels, 1 - m.labels)
    first, second = (
        match(FilterBank(), [tensor(Microstructure(labels, mask=mask))], (64, 64), HALF, PRESETS["default"], 4.0)
        for labels in (m.labels, other)
    )
    for a, b in zip(first.terms, second.terms, strict=True):
        if hasattr(a, "target"):
            assert torch.equal(a.target, b.target)


def test_the_two_point_target_is_the_masked_two_point_probability():
    m = masked(field(2), np.random.default_rng(0).random((64, 64)) < 0.7)
    fractions = torch.tensor(m.volume_fractions)
    found = match(FilterBank(), [tensor(m)], (64, 64), fractions, PRESETS["default"], 4.0)
    (term,) = (term for term in found.terms if term.name == "two-point")
    half = [side // 2 for side in term.target.shape[-2:]]
    expected = two_point_map(m)[:, 32 - half[0] : 33 + half[0], 32 - half[1] : 33 + half[1]]
    np.testing.assert_allclose(term.target[0].numpy(), expected, atol=1e-5)
    assert any("masked pixels took the nearest phase" in note for note in found.notes)


def test_levels_and_variation_leave_masked_pixels_out():
    image = tensor(masked(field(3), disc(64)))
    known = known_pixels(image)
    coarse = reduce(image, 4)
    blocks = known.float().reshape(16, 4, 16, 4).mean((1, 3))
    assert torch.equal(coarse.sum(1)[0] > 0.5, blocks >= 0.5)
    y, x = (int(place) for place in torch.nonzero((blocks >= 0.5) & (blocks < 1))[0])
    part = image[0, :, 4 * y : 4 * y + 4, 4 * x : 4 * x + 4].sum((1, 2))
    torch.testing.assert_close(coarse[0, :, y, x], part / part.sum())
    values = image[0, 1][known]
    assert variance(image) == pytest.approx(2 * float(values.var(correction=0)), rel=1e-5)
    assert shown(image, image).shape == (1, 2, int(known.sum()), 1)
    v, shape = filled_in(image)[0, 1].numpy(), known.numpy()
    places = [(i, j) for i in range(63) for j in range(63) if shape[i, j] and shape[i + 1, j] and shape[i, j + 1]]
    steps = [((v[i + 1, j] - v[i, j]) ** 2 + (v[i, j + 1] - v[i, j]) ** 2 + 1e-6) ** 0.5 for i, j in places]
    found = total_variation(filled_in(image), periodic=False, known=known)[0, 1]
    assert float(found) == pytest.approx(np.mean(steps), rel=1e-4)


@pytest.mark.parametrize("method", ["matching", "gaussian-field", "annealing", "quilting", "tree"])
def test_each_method_says_what_it_makes_of_a_mask(method):
    m = masked(field(4), disc(64))
    options = {"encoder": "filterbank"} if method == "matching" else {}
    planned = plan(m, (32, 32), method=method, **options)
    assert planned.notes[0].startswith(f"{m.masked_share:.1%} of the pixels are masked: ")
    takes = "nothing is learned from them" in planned.notes[0]
    assert takes == (method in ("matching", "gaussian-field", "annealing"))
    assert takes or " x ".join(map(str, m.unmasked().shape)) in planned.notes[0]


@pytest.mark.slow
def test_a_reconstruction_has_the_fractions_of_what_is_known():
    m = masked(field(5), disc(64))
    result = ml.reconstruct(m, (48, 48), encoder="filterbank", preset="fast", seed=0)
    assert result.microstructure.mask is None
    np.testing.assert_allclose(result.microstructure.volume_fractions, m.volume_fractions, atol=1 / 48**2)


def test_pruning_needs_every_pixel():
    with pytest.raises(InputError, match="pruning needs a rectangle"):
        ml.prune(masked(field(6), disc(64)), (32, 32), encoder="filterbank", preset="fast")
