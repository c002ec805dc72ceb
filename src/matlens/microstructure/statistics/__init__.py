"""Statistics of microstructures: definitions, errors, and when two structures are the same material."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
