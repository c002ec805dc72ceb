"""Methods to compare the matching engine with; each is as good as its idea allows."""

from matlens.reconstruction.baselines.annealing import Annealing
from matlens.reconstruction.baselines.base import Baseline, Made, Maker, Task
from matlens.reconstruction.baselines.gaussian_field import GaussianField
from matlens.reconstruction.baselines.particles import ParticlePlacement
from matlens.reconstruction.baselines.plan import BaselinePlan, plan_baseline
from matlens.reconstruction.baselines.quilting import Quilting
from matlens.reconstruction.baselines.registry import BASELINES, find_baseline
from matlens.reconstruction.baselines.tree import TreeSynthesis

__all__ = [
    "BASELINES",
    "Annealing",
    "Baseline",
    "BaselinePlan",
    "GaussianField",
    "Made",
    "Maker",
    "ParticlePlacement",
    "Quilting",
    "Task",
    "TreeSynthesis",
    "find_baseline",
    "plan_baseline",
]
