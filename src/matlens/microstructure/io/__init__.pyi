from .image import Image as Image
from .reading import read_image as read_image
from .writing import write_microstructure as write_microstructure
