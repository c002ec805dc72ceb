from .options import Table as Table
from .options import reading as reading
