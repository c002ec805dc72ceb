"""Learning from a materials library: composition and spectrum to a figure of merit, with gradients."""

from matlens.learning.library.response import Gradients, Response

__all__ = ["Gradients", "Response"]
