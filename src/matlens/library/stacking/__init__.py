"""Models of a library that are mixtures of several kinds, weighted by what they predict of left-out samples."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
