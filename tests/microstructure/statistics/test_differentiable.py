"""Differentiable forms: gradients by finite differences, and the exact forms on 0/1 input."""

import subprocess
import sys

import numpy as np
import pytest
import torch

from matlens import InputError, Microstructure
from matlens.microstructure.statistics import (
    cross_field,
    fraction_field,
    lineal_path,
    lineal_path_field,
    total_variation,
    two_point_field,
    two_point_map,
    unlike_neighbours,
    volume_fraction,
)

SHAPES = [(5, 6), (4, 3, 5)]


@pytest.mark.parametrize("periodic", [False, True])
@pytest.mark.parametrize("shape", SHAPES)
def test_gradients(shape, periodic):
    field = torch.rand(
        2, 2, *shape, dtype=torch.float64, generator=torch.Generator().manual_seed(0), requires_grad=True
    )
    other = torch.rand(
        2, 2, *shape, dtype=torch.float64, generator=torch.Generator().manual_seed(1), requires_grad=True
    )
    half = [n // 2 for n in shape]
    assert torch.autograd.gradcheck(lambda v: two_point_field(v, periodic=periodic, half=half), field, fast_mode=True)
    assert torch.autograd.gradcheck(
        lambda v, w: cross_field(v, w, periodic=periodic, half=half), (field, other), fast_mode=True
    )
    assert torch.autograd.gradcheck(fraction_field, field, fast_mode=True)
    assert torch.autograd.gradcheck(lambda v: lineal_path_field(v, periodic=periodic, reach=2), field, fast_mode=True)
    assert torch.autograd.gradcheck(lambda v: total_variation(v, periodic=periodic), field, fast_mode=True)


@pytest.mark.parametrize("periodic", [False, True])
def test_second_derivative_of_the_two_point_probability(periodic):
    field = torch.rand(1, 2, 4, 5, dtype=torch.float64, generator=torch.Generator().manual_seed(0), requires_grad=True)
    assert torch.autograd.gradgradcheck(lambda v: two_point_field(v, periodic=periodic, half=(2, 2)), field)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("periodic", [False, True])
@pytest.mark.parametrize("shape", SHAPES)
def test_limits_are_the_exact_forms(shape, periodic, dtype):
    labels = np.random.default_rng(0).integers(0, 3, shape)
    m = Microstructure(labels, phase_names=list("abc"), periodic=periodic)
    field = torch.as_tensor(m.indicators(), dtype=dtype)[None]
    half = [n // 2 for n in shape]
    close = {"atol": 1e-12 if dtype == torch.float64 else 1e-6}
    auto = two_point_field(field, periodic=periodic, half=half)[0]
    assert auto.dtype == dtype
    np.testing.assert_allclose(auto, two_point_map(m), **close)
    cross = cross_field(field, field[:, [1, 1, 1]], periodic=periodic, half=half)[0]
    np.testing.assert_allclose(cross, two_point_map(m, other=1), **close)
    np.testing.assert_allclose(fraction_field(field)[0], volume_fraction(m), **close)
    reach = min(shape) // 2
    soft = lineal_path_field(field, periodic=periodic, reach=reach)[0]
    np.testing.assert_allclose(soft, lineal_path(m)[..., : reach + 1], **close)


def test_a_smaller_half_is_the_middle_of_a_larger_one():
    field = torch.rand(1, 1, 9, 8, dtype=torch.float64)
    wide, narrow = (two_point_field(field, periodic=False, half=h) for h in ((4, 4), (1, 2)))
    torch.testing.assert_close(wide[..., 3:6, 2:7], narrow)


def test_total_variation_is_isotropic_and_counts_edges():
    y, x = np.indices((128, 128)) - 63.5
    values = []
    for angle in (0, 30, 45):
        turned = x * np.cos(np.deg2rad(angle)) + y * np.sin(np.deg2rad(angle))
        ramp = torch.as_tensor(np.clip(turned / 8, -1, 1))[None, None]
        values.append(total_variation(ramp, periodic=False, eps=0.0).item() * np.cos(np.deg2rad(angle % 90)))
    assert max(values) / min(values) < 1.05
    flat = torch.zeros(1, 1, 4, 4, requires_grad=True)
    total_variation(flat, periodic=True).sum().backward()
    assert torch.isfinite(flat.grad).all()


@pytest.mark.parametrize("periodic", [True, False])
def test_unlike_neighbours_are_counted_pair_by_pair(periodic):
    labels = np.random.default_rng(0).integers(0, 2, (5, 6))
    known = np.random.default_rng(1).random((5, 6)) > (0.0 if periodic else 0.2)
    total = weight = 0.0
    for step in ((0, 1), (1, 0), (1, 1), (1, -1)):
        unlike = []
        for place in np.ndindex(5, 6):
            other = np.add(place, step)
            if periodic:
                other = other % (5, 6)
            elif not ((other >= 0) & (other < (5, 6))).all() or not (known[place] and known[tuple(other)]):
                continue
            unlike.append(labels[place] != labels[tuple(other)])
        total += np.mean(unlike) / np.hypot(*step)
        weight += 1 / np.hypot(*step)
    field = torch.from_numpy(labels.astype(float))[None, None]
    found = unlike_neighbours(field, periodic=periodic, known=None if periodic else torch.from_numpy(known))
    assert found.item() == pytest.approx(total / weight)


def test_unlike_neighbours_measure_interface_in_any_direction():
    y, x = np.indices((256, 256)) - 127.5
    lengths = []
    for angle in (0, 15, 22.5, 30, 45):
        across = x * np.cos(np.deg2rad(angle)) + y * np.sin(np.deg2rad(angle))
        inside = (np.hypot(y, x) < 100) & (np.abs(across) < 40)  # stripes in a disc have one length in any direction
        stripes = inside & (across.round() % 20 < 10)
        lengths.append(unlike_neighbours(torch.from_numpy(stripes.astype(float))[None, None], periodic=True).item())
    assert max(lengths) / min(lengths) < 1.08


def test_bad_reach_is_named():
    field = torch.zeros(1, 1, 6, 6)
    with pytest.raises(InputError, match="half"):
        two_point_field(field, periodic=True, half=(4, 1))
    with pytest.raises(InputError, match="reach"):
        lineal_path_field(field, periodic=True, reach=6)
    with pytest.raises(InputError, match="one shape"):
        cross_field(field, field[..., 1:], periodic=True, half=(1, 1))


def test_statistics_load_no_torch():
    code = "import sys, matlens.microstructure.statistics; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
