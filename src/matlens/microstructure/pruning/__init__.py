"""Pruning studies: the depth and the width of network that a material's reconstruction needs."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
