from matlens.library.figures import *  # noqa: F403
from matlens.microstructure.figures import *  # noqa: F403
