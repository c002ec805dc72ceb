from .campaign import Campaign as Campaign
from .campaign import Suggestions as Suggestions
from .campaign import plate_list as plate_list
from .campaign import suggest as suggest
from .limits import Limits as Limits
from .limits import decimals as decimals
from .predictive import PredictiveDistribution as PredictiveDistribution
from .predictive import predictive_distribution as predictive_distribution
