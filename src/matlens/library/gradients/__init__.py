"""Gradients of a trained model in physical units, on the simplex of compositions and along the spectrum."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
