"""Learning from a materials library: composition and spectrum to a figure of merit, with gradients."""

from matlens.learning.library.baselines import BASELINES, BaselineModel
from matlens.learning.library.checks import LibraryChecks, check_library
from matlens.learning.library.model import LibraryModel
from matlens.learning.library.partitions import PARTITIONS, Fold
from matlens.learning.library.response import Gradients, Response
from matlens.learning.library.scoring import concordance, held_out, paired, summarise
from matlens.learning.library.spectra import (
    Area,
    BandMaximum,
    Baseline,
    Crop,
    Despike,
    Detrend,
    Preprocessing,
    Resample,
    StandardNormalVariate,
)
from matlens.learning.library.storage import read_library_model, write_library_model

__all__ = [
    "BASELINES",
    "PARTITIONS",
    "Area",
    "BandMaximum",
    "Baseline",
    "BaselineModel",
    "Crop",
    "Despike",
    "Detrend",
    "Fold",
    "Gradients",
    "LibraryChecks",
    "LibraryModel",
    "Preprocessing",
    "Resample",
    "Response",
    "StandardNormalVariate",
    "check_library",
    "concordance",
    "held_out",
    "paired",
    "read_library_model",
    "summarise",
    "write_library_model",
]
