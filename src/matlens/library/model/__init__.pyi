from .model import LibraryModel as LibraryModel
from .response import Gradients as Gradients
from .response import Response as Response
from .storage import read_library_model as read_library_model
from .storage import write_library_model as write_library_model
