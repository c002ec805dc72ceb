"""Optimisers as objects with explicit state."""

from matlens.reconstruction.optimisers.adam import Adam
from matlens.reconstruction.optimisers.base import Objective, Optimiser, OptimiserState
from matlens.reconstruction.optimisers.lbfgs import LBFGS

__all__ = ["LBFGS", "Adam", "Objective", "Optimiser", "OptimiserState"]
