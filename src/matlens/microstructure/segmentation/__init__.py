"""From a raw grey micrograph to phases: the steps, in their order, and what each did."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
