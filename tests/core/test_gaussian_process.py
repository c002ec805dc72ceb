"""Gaussian processes whose covariance is at the edge of what a double can hold."""

import pytest
import torch

from matlens.core.gaussian_process import Posterior, rbf


@pytest.fixture
def x():
    return torch.linspace(-2, 2, 60, dtype=torch.float64)[:, None]


def test_a_covariance_that_rounding_makes_singular_is_mended(x):
    """A line search of the traces of five dopants tried a variance of 4e8 with a noise of 1e-7, and the fit failed."""
    covariance = 1e9 * rbf(x, x) + 1e-7 * torch.eye(60)
    assert torch.linalg.cholesky_ex(covariance).info > 0
    known = Posterior.given(covariance, x[:, 0].sin())
    assert torch.allclose(known.mean(covariance), x[:, 0].sin(), atol=1e-3)
    assert torch.isfinite(known.likelihood_gradient()).all()


def test_other_covariances_are_as_they_are(x):
    covariance = rbf(x, x) + 1e-3 * torch.eye(60)
    assert torch.equal(Posterior.given(covariance, x[:, 0]).factor, torch.linalg.cholesky(covariance))


def test_what_is_no_covariance_is_refused(x):
    with pytest.raises(torch.linalg.LinAlgError):
        Posterior.given(rbf(x, x) - torch.eye(60), x[:, 0])
    with pytest.raises(torch.linalg.LinAlgError):
        Posterior.given(rbf(x, x) + float("nan"), x[:, 0])
