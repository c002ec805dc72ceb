"""Preprocessing of spectra: recorded steps through which gradients flow back to the file's intensities."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
