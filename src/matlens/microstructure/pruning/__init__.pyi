from .cells import PruningStudy as PruningStudy
from .recommendation import Recommendation as Recommendation
from .recommendation import read_recommendation as read_recommendation
from .study import Pruning as Pruning
from .study import plan_pruning as plan_pruning
from .study import prune as prune
