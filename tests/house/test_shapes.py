"""Docstrings of functions that pass arrays on give their shapes, and the arrays have them."""

from functools import partial

import numpy as np
import pytest
import torch
from shapes import hold, hold_shapes

from matlens.library.gradients import correlations, simplex
from matlens.library.gradients.emsc import emsc
from matlens.microstructure.reconstruction.matching.terms import gram
from matlens.microstructure.reconstruction.phases import decode
from matlens.microstructure.statistics import differentiable

CHANCE = np.random.default_rng(0)
PLANE = torch.as_tensor(CHANCE.random((2, 3, 6, 8)))
SPACE = torch.as_tensor(CHANCE.random((2, 3, 4, 5, 6)))
X = CHANCE.dirichlet(np.ones(4), 7)  # n = 7 compositions of D = 4 components
G = CHANCE.normal(size=(5, 7, 4))  # of m = 5 members
HOSTS = np.array([1, 0, 0, 0])
CALLS = {
    "two-point function, plane": partial(differentiable.two_point_field, PLANE, periodic=True, half=(2, 3)),
    "two-point function, space": partial(differentiable.two_point_field, SPACE, periodic=False, half=(1, 2, 3)),
    "lineal path, plane": partial(differentiable.lineal_path_field, PLANE, periodic=True, reach=3),
    "lineal path, space": partial(differentiable.lineal_path_field, SPACE, periodic=False, reach=2),
    "volume fractions": partial(differentiable.fraction_field, SPACE),
    "total variation": partial(differentiable.total_variation, PLANE, periodic=True),
    "Gram matrix": partial(gram, PLANE),
    "decoding, plane": partial(decode, PLANE[0].numpy(), np.array([20, 20, 8])),
    "decoding, space": partial(decode, SPACE[0].numpy(), np.array([60, 30, 30])),
    "dilution": partial(simplex.dilution, G, X),
    "exchange": partial(simplex.exchange, G, X, HOSTS),
    "tangent": partial(simplex.tangent, G, X),
    "directions": partial(simplex.directions, "exchange", X, HOSTS),
    "longest step": partial(simplex.longest_step, X, np.eye(4)[0] - X),
    "relative gradients": partial(correlations.relative_gradients, G),
    "correlations": partial(correlations.correlate_gradients, G, CHANCE.normal(size=(5, 7, 3))),
    "correlations, resampled": partial(correlations.resampled_correlations, G, np.ones((6, 7))),
    "emsc spectra": partial(emsc, CHANCE.random((7, 200)) + 1, np.ones((7, 200))),
}


@pytest.mark.parametrize("name", CALLS)
def test_arrays_have_the_shapes_that_are_documented(name: str) -> None:
    call = CALLS[name]
    assert hold_shapes(call.func, *call.args, **call.keywords) >= 1


@pytest.mark.parametrize(
    ("shape", "found"),
    [
        ("K, *S", (2, 4, 5)),  # S is (3, 4)
        ("K", (2, 1)),
        ("K - 1, 2 reach + 1", (1, 6)),
        ("B, K, B", (3, 2, 4)),
        ("..., K", (7, 3)),
    ],
)
def test_other_shapes_are_refused(shape: str, found: tuple[int, ...]) -> None:
    with pytest.raises(AssertionError):
        hold(shape, found, {"K": 2, "*S": (3, 4), "reach": 2})
