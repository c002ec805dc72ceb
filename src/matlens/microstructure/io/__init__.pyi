from .formats import FORMATS as FORMATS
from .formats import FileFormat as FileFormat
from .formats import can_read as can_read
from .formats import suffixes_of as suffixes_of
from .image import Image as Image
from .reading import read_image as read_image
from .writing import put_microstructure as put_microstructure
from .writing import write_microstructure as write_microstructure
