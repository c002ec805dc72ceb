"""Questions asked of sections before a volume is made from them: can it be, do they agree, how far to believe it."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
