"""Pictures and volumes in and out: one file a format family; every reader gives an `Image`, every writer is atomic."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
