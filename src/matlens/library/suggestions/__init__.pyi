from .campaign import Campaign as Campaign
from .campaign import plate_list as plate_list
from .campaign import suggest as suggest
from .limits import Limits as Limits
from .outlook import Outlook as Outlook
from .outlook import look_out as look_out
