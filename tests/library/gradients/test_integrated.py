"""Integrated gradients against Captum: its numbers stand here (captum 0.9.0, torch 2.13.0, 8 Gauss-Legendre nodes)."""

import numpy as np
import pytest

from matlens.errors import InputError
from matlens.library.gradients import integrate_gradients
from matlens.library.model import Gradients

W1 = np.sin(np.arange(32.0)).reshape(4, 8)
W2 = np.cos(np.arange(4.0))
X = np.array([[0.5, 0.3, 0.2], [0.7, 0.0, 0.3]])
LIGHT = np.array([[1.0, 0.2, 0.5, 0.1, 0.9], [0.3, 0.8, 0.0, 0.4, 0.6]])
REFERENCE = ([0.4, 0.4, 0.2], [0.5] * 5)
CAPTUM_COMPOSITION = [
    [0.12763344687264983, -0.14164942383201823, 0.0],
    [0.3328130282848939, -0.5893880128711312, 0.04828617510769181],
]
CAPTUM_SPECTRUM = [
    [-0.570828933616021, 0.44640494821683235, 0.0, -0.393652390305072, 0.6119024358185259],
    [0.19033747942661094, -0.4533778624050579, 0.34069331639020917, -0.0774950003592218, 0.1518801180527215],
]


class Network:
    """tanh(W1 [x; I]) . W2"""

    components_ = ("A", "B", "C")
    axis_ = np.arange(5.0)
    target_, unit_, members_ = "P", "", 1
    uses_composition_ = uses_spectrum_ = True
    preprocessing_ = None

    def respond(self, compositions, spectra):
        return (np.tanh(np.hstack([compositions, spectra]) @ W1.T) @ W2)[None]

    def gradients(self, compositions, spectra, *, progress=None):
        hidden = np.tanh(np.hstack([compositions, spectra]) @ W1.T)
        slope = ((1 - hidden**2) * W2) @ W1
        return Gradients(self.respond(compositions, spectra), slope[None, :, :3], slope[None, :, 3:])


def test_channels_are_those_of_captum():
    found = integrate_gradients(Network(), X, LIGHT, reference=REFERENCE, steps=8)
    np.testing.assert_allclose(found.spectrum, CAPTUM_SPECTRUM, atol=1e-12)


def test_components_share_what_captum_gives_them_together():
    """Captum credits growth times g_k, which changes with what the model does off the simplex; the sum does not."""
    found = integrate_gradients(Network(), X, LIGHT, reference=REFERENCE, steps=8)
    np.testing.assert_allclose(found.composition.sum(1), np.sum(CAPTUM_COMPOSITION, 1), atol=1e-12)
    assert np.abs(found.composition - CAPTUM_COMPOSITION).max() > 0.01
    assert np.abs(found.error).max() < 1e-8


def test_the_error_of_a_coarse_path_is_reported():
    coarse = integrate_gradients(Network(), X, LIGHT, reference=REFERENCE, steps=1)
    whole = coarse.composition.sum(1) + coarse.spectrum.sum(1)
    np.testing.assert_allclose(whole - coarse.difference, coarse.error)
    assert np.abs(coarse.error).max() > 1e-3
    with pytest.raises(InputError, match="at least one step"):
        integrate_gradients(Network(), X, LIGHT, steps=0)
