from .model import LibraryModel as LibraryModel
from .response import Gradients as Gradients
from .response import Mixed as Mixed
from .response import Response as Response
from .stored_library import LearnedLibrary as LearnedLibrary
from .stored_library import read_learned_library as read_learned_library
