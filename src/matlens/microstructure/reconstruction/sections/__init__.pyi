from .finding import Finding as Finding
from .isotropy import fraction_error as fraction_error
from .isotropy import isotropy as isotropy
from .realisable import Realisability as Realisability
from .realisable import chance_of_sections as chance_of_sections
from .realisable import realisability as realisability
