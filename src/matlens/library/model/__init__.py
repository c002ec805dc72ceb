"""Ensemble models of a figure of merit as a function of composition and spectrum."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
