from .elements import atomic_fractions as atomic_fractions
from .formats import SPECTRUM_FORMATS as SPECTRUM_FORMATS
from .formats import TABLE_FORMATS as TABLE_FORMATS
from .formats import FileFormat as FileFormat
from .options import LibraryOptions as LibraryOptions
from .reading import read_library as read_library
from .spectra import Spectra as Spectra
from .writing import write_library as write_library
