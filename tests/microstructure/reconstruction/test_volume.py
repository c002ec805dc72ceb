"""Volumes from sections: the loss against plain formulas, and what comes out against known materials."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from matlens import compare, reconstruct
from matlens.errors import InputError, Interrupted
from matlens.hooks import Silent
from matlens.microstructure.encoders import load_encoder
from matlens.microstructure.problems import bicontinuous, gaussian_field, white_noise
from matlens.microstructure.reconstruction import PRESETS, plan
from matlens.microstructure.reconstruction.faces import at_one_spacing, faces_of
from matlens.microstructure.reconstruction.matching import engine, volume
from matlens.microstructure.reconstruction.matching.presets import InSpace
from matlens.microstructure.reconstruction.matching.terms import gram
from matlens.microstructure.statistics import euler_density, s2_error, two_point_map
from matlens.microstructure.structure import Microstructure

# A section of a volume: a field of the plane has no isotropic twin in space.
SECTION = bicontinuous((32, 96, 96), wavelength=12, seed=1)[16]


def _tensor(m):
    return torch.from_numpy(m.indicators()).float()[None]


def _loss(sections=None, shape=(16, 24, 20), **changes):
    sections = sections or [[_tensor(SECTION)]] * 3
    encoder = load_encoder("matlens")
    found = volume.match_volume(encoder, sections, shape, torch.tensor([0.5, 0.5]), PRESETS["default"], 3.0)
    return found.of_planes(**changes) if changes else found


def _noise(shape=(16, 24, 20)):
    amounts = torch.rand(1, 1, *shape, generator=torch.Generator().manual_seed(0))
    return torch.cat([1 - amounts, amounts], 1)


def _plainly(found, amounts):
    """The loss by its definition: every plane at once, in one graph."""
    amounts = amounts.clone().requires_grad_(True)
    total = sum(term.weight * term(volume.Sample(amounts, {})) for term in found.whole)
    for seen in found.seen:
        planes = amounts[0].movedim(1 + seen.axis, 0)[found.first :: found.step]
        features = seen.match.encoder.features(planes, seen.match.layers, "circular")
        for term in seen.match.terms:
            if term.name.startswith("Gram"):
                mean = gram(features[term.layer]).mean(dim=0, keepdim=True)
                part = (mean - term.target).square().sum() / term.scale
            else:
                part = term.mismatch(term.measure(volume.Sample(planes, {})).mean(dim=0, keepdim=True))
            total = total + term.weight * part / len(found.seen)
    total.backward()
    return float(total.detach()), amounts.grad


@pytest.mark.parametrize("kept", [1.5e9, 0], ids=["kept", "computed twice"])
@pytest.mark.parametrize("planes", [(0, 1), (1, 4)], ids=["all", "every fourth"])
def test_chunks_of_planes_give_the_loss_and_gradient_of_all_planes_at_once(monkeypatch, kept, planes):
    monkeypatch.setattr(volume, "KEPT", kept)
    found = _loss(first=planes[0], step=planes[1])
    amounts = _noise()
    parts, loss, gradient = found.evaluated(amounts)
    wanted, slope = _plainly(found, amounts)
    assert loss == pytest.approx(wanted, rel=1e-4)
    assert loss == pytest.approx(sum(parts.values()))
    assert float((gradient - slope).abs().max()) < 1e-4 * float(slope.abs().max())


def test_planes_between_those_compared_have_no_part_in_the_terms_on_planes():
    found = _loss(first=2, step=4)
    amounts = _noise()
    other = amounts.clone()
    other[0, :, 0, 0, 0] = other[0, :, 0, 0, 0].flip(0)  # in no plane 2 + 4 n of any axis
    of_planes = [{k: v for k, v in found.evaluated(a)[0].items() if "Gram" in k or "variation" in k}
                 for a in (amounts, other)]  # fmt: skip
    assert of_planes[0] == of_planes[1]


def test_the_mean_over_planes_is_matched_and_not_each_plane():
    """Planes of a true volume scatter: the loss of their mean is far below the mean of their losses."""
    material = bicontinuous((64, 64, 64), wavelength=12, seed=3)
    found = _loss(shape=material.shape)
    own = found.evaluated(_tensor(material))[0]["Gram pool1"]
    single = [
        float(found.seen[0].match.mismatches(_tensor(material[place]))["Gram pool1"]) for place in range(0, 64, 8)
    ]
    assert own < 0.5 * np.mean(single)


def test_an_isotropic_volume_has_the_sections_covariance_at_every_offset():
    material = bicontinuous((64, 64, 64), wavelength=12, seed=3)
    right = _loss(shape=material.shape).evaluated(_tensor(material))[0]["two-point"]
    stretched = Microstructure(material.labels[:32].repeat(2, axis=0))
    noise = _loss(shape=material.shape).evaluated(_tensor(white_noise(material.shape, (0.5, 0.5), 0)))[0]["two-point"]
    wrong = _loss(shape=material.shape).evaluated(_tensor(stretched))[0]["two-point"]
    assert right < 0.2 * wrong
    assert right < 0.1 * noise


@pytest.fixture(scope="module")
def made():
    return reconstruct(SECTION, shape=(32, 32, 32), seed=1, device="cpu")


@pytest.mark.slow
def test_a_volume_from_one_section_is_like_the_material(made):
    found = made.microstructure
    assert found.shape == (32, 32, 32)
    assert found.periodic
    assert np.abs(found.volume_fractions - SECTION.volume_fractions).max() <= 0.5 / 32**3
    truths = [bicontinuous((32, 32, 32), wavelength=12, seed=seed) for seed in range(6)]
    between = np.mean([s2_error(one, truths[0]) for one in truths[1:]])
    assert s2_error(found, truths[0]) < 1.5 * between
    assert s2_error(white_noise((32, 32, 32), (0.5, 0.5), 0), truths[0]) > 2 * between
    topology = [euler_density(one)[0] for one in truths]
    assert abs(euler_density(found)[0] - np.mean(topology)) < 4 * np.std(topology)
    shares = [value for name, value in made.history.iloc[-1].items() if name.startswith("Gram")]
    assert sum(shares) < 0.05
    assert made.settings["made"] == [32, 32, 32]
    assert any("isotropic" in note for note in made.notes)


@pytest.mark.slow
def test_a_volume_is_compared_with_an_image_by_its_planes(made):
    found = compare(made.microstructure, SECTION, copying=False, properties=())
    assert len(found.errors) == 9
    assert "z = 5, 16, 26" in found.notes[0]
    stack = np.stack([white_noise((32, 32), (0.5, 0.5), s).labels for s in range(32)])
    assert compare(Microstructure(stack), SECTION, copying=False, properties=()).joint == "different"


@pytest.mark.slow
def test_sections_of_named_planes_make_an_anisotropic_volume():
    long = Microstructure(np.repeat(gaussian_field((64, 16), 4.0, 0.5, seed=4).labels, 4, axis=1))
    found = reconstruct({"xy,xz": long}, shape=(32, 32, 32), preset="fast", device="cpu").microstructure
    side = two_point_map(found)[1]
    z, y, x = (size // 2 for size in side.shape)
    along_x, along_z = side[z, y, x + 3], side[z + 3, y, x]
    assert along_x > along_z + 0.02, (along_x, along_z)


def test_sections_are_turned_to_the_axes_of_the_volume():
    tall = Microstructure(np.arange(2 * 3 * 4).reshape(6, 4) % 2, spacing=(1.0, 1.0))
    sections, faces, said = faces_of({"zx": [tall]})  # columns z, rows x: rows of the section are x
    assert sections[0].shape == (4, 6)
    assert faces == ((), (0,), ())
    assert said == ["plane zx: z grows with the column, x with the row"]


def test_sections_with_other_pixels_are_brought_to_the_largest():
    fine = Microstructure(np.kron(np.eye(8, dtype=int), np.ones((2, 2), dtype=int)), spacing=0.5, unit="um")
    coarse = Microstructure(np.eye(8, dtype=int), spacing=1000.0, unit="nm")
    found, said = at_one_spacing([fine, coarse])
    assert (found[0].labels == np.eye(8)).all()
    assert found[1].spacing == (1.0, 1.0)
    assert said == ["section 1 was averaged from pixels of 0.5 um to the volume's of 1 um"]
    with pytest.raises(InputError, match="a pixel size in a unit of length, or none"):
        at_one_spacing([fine, Microstructure(np.eye(8, dtype=int))])


def test_the_forecast_of_a_volume_grows_with_its_voxels():
    small, large = (plan(SECTION, (side,) * 3, device="cpu").cost for side in (64, 128))
    assert 6 < large[0] / small[0] < 12
    assert large[1] - small[1] > 100 * (128**3 - 64**3)
    assert plan(SECTION, (32,) * 3, device="cpu").cost[1] < 1e8


def test_the_interface_of_decoded_voxels_weighs_ten_times_that_of_the_field():
    found = _loss(shape=(32, 32, 32)).of_phases()
    parts = found.evaluated(_tensor(white_noise((32, 32, 32), (0.5, 0.5), 0)))[0]
    in_planes = found.seen[0].match.sample(_tensor(white_noise((32, 32, 32), (0.5, 0.5), 0))[0].movedim(1, 0))
    plain = next(term for term in _loss(shape=(32, 32, 32)).seen[0].match.terms if term.name == "total variation")
    (own,) = (term for term in found.seen[0].match.terms if term.name == "unlike neighbours")
    assert own.weight == pytest.approx(10 * plain.weight)
    assert parts["unlike neighbours"] == pytest.approx(
        float(own.weight * own.mismatch(own.measure(in_planes).mean(0, keepdim=True))), rel=0.05
    )


def test_masks_and_several_sections_are_taken():
    known = np.ones((96, 96), dtype=bool)
    known[:, 80:] = False
    masked = Microstructure(SECTION.labels, mask=known)
    work = plan([masked, SECTION], (32, 32, 32), device="cpu")
    assert any("masked" in note for note in work.notes)
    assert work.prepared.problem.sections == ((0, 1),) * 3


def test_a_volume_is_resumed_to_the_same_bytes(monkeypatch, watch, memory):
    """Stopped in the second stage, on every fourth plane, and gone on with."""
    monkeypatch.setattr(engine, "_MANY", 16)
    tiny = replace(PRESETS["default"], space=InSpace(fine=24, swaps=3))
    work = plan(SECTION, (16, 16, 16), preset=tiny, device="cpu", seed=2)
    whole = work.run(Silent(), memory())
    kept = memory()
    with pytest.raises(Interrupted):
        work.run(watch(8), kept)
    again = plan(SECTION, (16, 16, 16), preset=tiny, device="cpu", seed=2).run(Silent(), kept)
    assert again.history["level"].nunique() == 4
    assert again.microstructure.labels.tobytes() == whole.microstructure.labels.tobytes()
    assert again.history.equals(whole.history)


def test_a_method_of_planes_makes_no_volume():
    with pytest.raises(InputError, match="method 'quilting' makes planes only"):
        plan(SECTION, (32, 32, 32), method="quilting")
    with pytest.raises(InputError, match="no section shows how the material is along z"):
        plan({"xy": SECTION}, (32, 32, 32), method="gaussian-field")
    assert plan(SECTION, (32, 32, 32), method="gaussian-field").shape == (32, 32, 32)


def test_sections_that_no_volume_has_are_refused_unless_forced():
    """Stripes have no isotropic volume; the findings on what is made all the same stand with the result."""
    stripes = Microstructure(np.tile(np.arange(128) // 4 % 2, (128, 1)))
    with pytest.raises(InputError, match="force_sections"):
        plan(stripes, (32, 32, 32))
    work = plan(stripes, (32, 32, 32), force_sections=True)
    assert work.settings["warnings"]
    assert set(work.settings["warnings"]) <= set(work.notes)
