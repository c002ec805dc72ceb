from .model import LibraryModel as LibraryModel
from .response import Gradients as Gradients
from .response import Mixed as Mixed
from .response import Response as Response
