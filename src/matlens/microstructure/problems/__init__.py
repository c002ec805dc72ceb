"""Structures whose statistics or properties are known exactly, families for data sets, and negative controls."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
