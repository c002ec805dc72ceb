"""Preprocessing of spectra in recorded steps, through which gradients flow to the intensities of the file."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
