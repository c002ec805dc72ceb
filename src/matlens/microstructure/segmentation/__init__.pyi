from .chain import Segmentation as Segmentation
from .chain import segment as segment
from .loading import load as load
from .loading import read_microstructure as read_microstructure
from .options import CleaningOptions as CleaningOptions
from .options import parse_crop as parse_crop
from .options import parse_flatten as parse_flatten
from .options import parse_threshold as parse_threshold
