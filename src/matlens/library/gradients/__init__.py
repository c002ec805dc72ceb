"""Gradients of a model with respect to composition (on the simplex) and spectrum, in physical units."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
