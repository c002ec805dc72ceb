"""Baselines for comparison: ridge, partial least squares, random forest, kernel ridge and a Gaussian process."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
