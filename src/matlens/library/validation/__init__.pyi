from .checks import LibraryChecks as LibraryChecks
from .checks import check_library as check_library
from .partitions import PARTITIONS as PARTITIONS
from .partitions import Fold as Fold
from .scoring import concordance as concordance
from .scoring import held_out as held_out
from .scoring import paired as paired
from .scoring import summarise as summarise
