from .blends import blend as blend
from .diffraction_alloy import diffraction as diffraction
from .examples import example_photoanode as example_photoanode
from .known import KnownLibrary as KnownLibrary
from .known import Truth as Truth
from .photoanodes import photoanode as photoanode
from .registry import LIBRARIES as LIBRARIES
