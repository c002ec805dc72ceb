from .options import LibraryOptions as LibraryOptions
from .reading import read_library as read_library
from .writing import write_library as write_library
