"""Materials libraries of known law, with exact gradients."""

from matlens.problems.libraries.blend import blend
from matlens.problems.libraries.diffraction import diffraction
from matlens.problems.libraries.known import KnownLibrary, Truth
from matlens.problems.libraries.photoanode import photoanode
from matlens.problems.libraries.registry import LIBRARIES

__all__ = ["LIBRARIES", "KnownLibrary", "Truth", "blend", "diffraction", "photoanode"]
