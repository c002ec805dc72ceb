"""BayBE as a rival of suggestions: Bayesian optimisation over a list of candidates, with its defaults.

It is no dependency of MatLens: install it (``pip install baybe``) into the environment that runs the study. Measured
once with 0.15.0; the numbers are in docs/results.md.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray

__all__ = ["baybe"]

Array = NDArray[np.float64]


def baybe(x: Array, y: Array, candidates: Array, n: int, minimise: bool, seed: int) -> Array:
    """Return the rows of the n candidates that BayBE recommends after it has been told what was measured."""
    from baybe import Campaign
    from baybe.objectives import SingleTargetObjective
    from baybe.parameters import NumericalDiscreteParameter
    from baybe.searchspace import SearchSpace
    from baybe.targets import NumericalTarget

    np.random.seed(seed)  # noqa: NPY002 - it is what BayBE draws from
    torch.manual_seed(seed)
    # The last fraction is what the others leave, so it tells nothing new.
    names = [f"x{k}" for k in range(x.shape[1] - 1)]
    table = pd.DataFrame(candidates[:, :-1], columns=names)
    every = np.concatenate([candidates, x])[:, :-1]
    parameters = [NumericalDiscreteParameter(name, np.unique(every[:, k])) for k, name in enumerate(names)]
    space = SearchSpace.from_dataframe(table, parameters)
    target = NumericalTarget("y", minimize=minimise)
    campaign = Campaign(space, SingleTargetObjective(target))
    measured = pd.DataFrame(x[:, :-1], columns=names).assign(y=y)
    campaign.add_measurements(measured, numerical_measurements_must_be_within_tolerance=False)
    asked = campaign.recommend(n)
    found: Array = asked.index.to_numpy()
    return found
