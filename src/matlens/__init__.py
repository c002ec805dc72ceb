"""MatLens: learn from small materials data.

The public names stand in ``__init__.pyi`` and load on first use, so ``import matlens`` stays quick and loads no torch.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
