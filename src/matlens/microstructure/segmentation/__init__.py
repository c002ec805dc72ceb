"""Segmentation of a raw grey micrograph into phases, with a record of each step."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
