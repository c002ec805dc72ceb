"""Structure-property models: labelled data sets, features, regressions, models and their sensitivity."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
