"""The commands on libraries: one folder each with its options, its steps, its tables and its report."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
