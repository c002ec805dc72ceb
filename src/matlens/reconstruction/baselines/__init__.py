"""Methods to compare the matching engine with; each is as good as its idea allows."""

from matlens.reconstruction.baselines.base import Baseline, Made, Maker, Task
from matlens.reconstruction.baselines.registry import BASELINES, find_baseline

__all__ = ["BASELINES", "Baseline", "Made", "Maker", "Task", "find_baseline"]
