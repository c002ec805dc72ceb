from dataclasses import replace

import numpy as np
import pytest
import torch

from matlens.errors import InputError
from matlens.microstructure.encoders import VGG19, FilterBank, random_weights
from matlens.microstructure.problems import bicontinuous, white_noise
from matlens.microstructure.reconstruction import PRESETS
from matlens.microstructure.reconstruction.matching.objective import match, resolved_loss
from matlens.microstructure.reconstruction.matching.terms import Gram, gram
from matlens.microstructure.statistics import two_point_field
from matlens.microstructure.structure import Microstructure

PLAIN = replace(PRESETS["default"], two_point=0.0, total_variation=0.0, phase_range=0.0)


def image_of(m: Microstructure) -> torch.Tensor:
    return torch.from_numpy(m.indicators()).float()[None]


@pytest.fixture(scope="module")
def image() -> torch.Tensor:
    return image_of(bicontinuous((48, 40), wavelength=10, fraction=0.4, seed=1))


def fractions_of(*images: torch.Tensor) -> torch.Tensor:
    total = sum(image.sum(dim=(2, 3))[0] for image in images)
    return total / total.sum()


def test_every_term_of_the_preset_is_there(image):
    preset = replace(PRESETS["default"], fraction=1.0)
    found = match(FilterBank(), [image], (64, 64), fractions_of(image), preset, 4.0)
    names = [term.name for term in found.terms]
    assert names[:2] == ["Gram scale1", "Gram scale2"]
    assert names[-4:] == ["two-point", "total variation", "fraction", "phase range"]
    assert [term.weight for term in found.terms[-4:]] == [
        preset.two_point,
        preset.total_variation,
        1.0,
        preset.phase_range,
    ]
    mismatches = found.mismatches(image)
    assert list(mismatches) == names
    assert all(value.ndim == 0 and torch.isfinite(value) for value in mismatches.values())


def test_an_exemplar_shows_itself_in_the_two_point_term(image):
    found = match(FilterBank(), [image], (48, 40), fractions_of(image), PRESETS["default"], 4.0)
    assert float(found.mismatches(image)["two-point"]) < 1e-8
    noise = image_of(white_noise((48, 40), (0.6, 0.4), seed=0))
    assert float(found.mismatches(noise)["two-point"]) > 0.1


def test_valid_layers_are_the_exemplars_own_grams(image):
    net = VGG19(random_weights(2, seed=0))
    preset = replace(PLAIN, layers={"conv1_1": 1.0, "pool1": 0.5})
    found = match(net, [image], (32, 32), fractions_of(image), preset, 4.0)
    features = net.features(image, ["conv1_1", "pool1"], "valid")
    for term in found.terms:
        assert isinstance(term, Gram)
        torch.testing.assert_close(term.target, gram(features[term.layer]))
        assert term.scale == pytest.approx(float(term.target.square().sum()))
    paper = match(net, [image], (32, 32), fractions_of(image), replace(preset, gram="li2018"), 4.0)
    assert [term.scale for term in paper.terms] == [4 * 64**2] * 2
    assert found.notes == ()


def test_layers_with_few_positions_are_mirrored_then_dropped_and_named():
    net = VGG19(random_weights(8, seed=0))
    image = image_of(bicontinuous((32, 32), wavelength=8, seed=1))
    preset = replace(PLAIN, layers={"conv1_1": 1.0, "pool2": 1.0, "conv3_4": 1.0})
    found = match(net, [image], (32, 32), fractions_of(image), preset, 4.0)
    # valid pool2 has 5 x 5 positions for 128 channels, fewer than a quarter; mirrored 8 x 8. conv3_4: none; 8 x 8.
    assert found.layers == ["conv1_1", "pool2", "conv3_4"]
    assert found.notes == ("at 32 x 32 px the exemplar's borders were reflected for pool2, conv3_4",)
    small = match(net, [image[..., :16, :16]], (32, 32), fractions_of(image), preset, 4.0)
    assert small.layers == ["conv1_1"]
    assert "at 16 x 16 px pool2, conv3_4 had too few positions and was left out" in small.notes


def test_layers_that_the_sample_cannot_have_are_named(image):
    found = match(FilterBank(), [image], (40, 40), fractions_of(image), PLAIN, 4.0)
    assert "Gram scale16" not in [term.name for term in found.terms]
    assert any(note.startswith("at 40 x 40 px") and note.endswith("scale16 was left out") for note in found.notes)


def test_no_layer_at_all_is_an_error(image):
    net = VGG19(random_weights(8, seed=0))
    preset = replace(PLAIN, layers={"conv3_4": 1.0})
    with pytest.raises(InputError, match="16 pixels on a side is too small for vgg19-oxford"):
        match(net, [image[..., :16, :16]], (32, 32), fractions_of(image), preset, 4.0)


def test_several_exemplars_give_one_target_weighted_by_positions(image):
    small = image_of(bicontinuous((24, 32), wavelength=10, fraction=0.5, seed=5))
    net = VGG19(random_weights(1, seed=0))
    preset = replace(PLAIN, layers={"conv1_1": 1.0})
    found = match(net, [image, small], (32, 32), fractions_of(image, small), preset, 4.0)
    grams, sizes = [], []
    for exemplar in (image, small):
        features = net.features(exemplar, ["conv1_1"], "valid")["conv1_1"]
        grams.append(gram(features))
        sizes.append(features[0, 0].numel())
    expected = (sizes[0] * grams[0] + sizes[1] * grams[1]) / sum(sizes)
    torch.testing.assert_close(found.terms[0].target, expected)


def test_twins_as_exemplars_are_one(image):
    one = match(FilterBank(), [image], (32, 32), fractions_of(image), PRESETS["default"], 4.0)
    two = match(FilterBank(), [image, image], (32, 32), fractions_of(image), PRESETS["default"], 4.0)
    for name in ("two-point", "total variation"):
        first, second = (next(t for t in found.terms if t.name == name).target for found in (one, two))
        torch.testing.assert_close(first, second)


def test_a_phase_absent_from_one_exemplar():
    """Its two-point function comes from the others alone, at any fraction asked for, without NaN."""
    labels = bicontinuous((32, 32), wavelength=8, seed=1).labels
    both = Microstructure(labels)
    flat = Microstructure(np.zeros((32, 32), dtype=int), phase_names=both.phase_names)
    images, asked = [image_of(both), image_of(flat)], torch.tensor([0.75, 0.25])
    found = match(FilterBank(), images, (32, 32), asked, PRESETS["default"], 3.0)
    term = next(t for t in found.terms if t.name == "two-point")
    centre = tuple(side // 2 for side in term.target.shape[2:])
    torch.testing.assert_close(term.target[0, :, centre[0], centre[1]], asked)
    half = [side // 2 for side in term.target.shape[2:]]
    own = two_point_field(images[0], periodic=False, half=half)
    covariance = (own - 0.25) / 0.25
    torch.testing.assert_close(term.target, covariance * 0.75 * 0.25 + asked.reshape(1, 2, 1, 1) ** 2)
    assert all(torch.isfinite(value) for value in found.mismatches(images[1]).values())


def test_five_phases_have_a_gram_each():
    image = image_of(white_noise((32, 32), (0.3, 0.2, 0.2, 0.2, 0.1), seed=0))
    net = VGG19(random_weights(2, seed=0))
    preset = replace(PLAIN, layers={"pool1": 1.0})
    found = match(net, [image, image], (32, 32), fractions_of(image), preset, 1.0)
    assert found.terms[0].target.shape == (5, 64, 64)
    assert float(found.mismatches(image)["Gram pool1"]) < 0.1
    assert float(found.mismatches(image.roll(1, 1))["Gram pool1"]) > float(found.mismatches(image)["Gram pool1"])


def test_the_deepest_layer_stands_in_where_the_weights_end():
    loss, notes = resolved_loss(PRESETS["li2018"], VGG19(random_weights(8, seed=0)))
    assert notes
    assert "stands in for" in notes[0]
    assert list(loss.layers)[:3] == ["conv1_1", "pool1", "pool2"]
    full, none = resolved_loss(PRESETS["li2018"], VGG19(random_weights(13, seed=0)))
    assert (list(full.layers), none) == (["conv1_1", "pool1", "pool2", "pool3", "pool4"], [])
