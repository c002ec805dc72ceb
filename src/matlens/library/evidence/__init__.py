"""Evidence for statements about gradients: null distributions, groups, bands, sanity checks and the statements."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
