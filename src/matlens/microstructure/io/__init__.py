"""Reading and writing of images and volumes: one file for each family of formats.

Every reader returns an `Image`; every writer writes a file as a whole or not at all.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
