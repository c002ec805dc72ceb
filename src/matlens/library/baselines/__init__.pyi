from .model import BASELINES as BASELINES
from .model import BaselineModel as BaselineModel
