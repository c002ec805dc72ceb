from ._version import __version__ as __version__
from .api import explain as explain
from .api import segment as segment
from .errors import InputError as InputError
from .errors import Interrupted as Interrupted
from .errors import MatlensError as MatlensError
from .errors import ResourceError as ResourceError
from .errors import RunError as RunError
from .library.io.options import LibraryOptions as LibraryOptions
from .library.io.reading import read_library as read_library
from .library.io.writing import write_library as write_library
from .library.model.model import LibraryModel as LibraryModel
from .library.suggestions.campaign import Campaign as Campaign
from .library.suggestions.campaign import plate_list as plate_list
from .library.suggestions.campaign import suggest as suggest
from .library.suggestions.limits import Limits as Limits
from .library.table import MaterialsLibrary as MaterialsLibrary
from .microstructure.io.writing import write_microstructure as write_microstructure
from .microstructure.physics.effective import homogenize as homogenize
from .microstructure.properties.data_sets.generation import Recipe as Recipe
from .microstructure.properties.data_sets.reading import read_labelled as read_labelled
from .microstructure.properties.data_sets.structure_set import StructureSet as StructureSet
from .microstructure.properties.data_sets.structure_set import read_structures as read_structures
from .microstructure.properties.data_sets.workers import generate_structures as generate_structures
from .microstructure.properties.model import StructurePropertyModel as StructurePropertyModel
from .microstructure.pruning.study import prune as prune
from .microstructure.reconstruction.from_statistics.annealed import (
    reconstruct_from_statistics as reconstruct_from_statistics,
)
from .microstructure.reconstruction.planning import reconstruct as reconstruct
from .microstructure.segmentation.loading import read_microstructure as read_microstructure
from .microstructure.statistics.dataset import characterize as characterize
from .microstructure.statistics.equivalence.comparison import compare as compare
from .microstructure.structure import Microstructure as Microstructure
from .microstructure.structure import map_labels as map_labels
