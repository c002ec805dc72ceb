"""
Closing the loop: learn, suggest, measure, learn
================================================

A model is worth what its suggestions are worth. Here the library is made by a known law, so that "measuring" a
suggestion is to ask the law, and the best composition there is can be found by search.
"""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd

import matlens as ml
from matlens.library.problems import blend

known = blend(60, seed=1)
library = known.library.select(np.arange(24))
library

# %%
# The law is a blend of a polymer with four dopants. 24 samples are measured at first. The conductivity spans decades
# and is learned as its logarithm.
#
# Measuring
# ---------
#
# The suggestions are made and measured, with the scatter of a measurement, and added to the table.


def measure(library, plan, random):
    """Add the suggested compositions, measured with a scatter of 10 %."""
    compositions = plan[list(library.components)].to_numpy() / 100
    values = known.response(compositions) * np.exp(0.1 * random.standard_normal(len(plan)))
    merits = pd.concat([library.merits, pd.DataFrame({"conductivity": values})], ignore_index=True)
    return ml.MaterialsLibrary(
        np.concatenate([library.compositions, compositions]), library.components, merits, library.merit_units
    )


# %%
# The loop
# --------
#
# Three rounds of five samples.

random = np.random.default_rng(0)
best = [known.response(library.compositions).max()]
for _ in range(3):
    model = ml.LibraryModel(n_models=6, transform="log10").fit(library, "conductivity")
    plan = ml.suggest(model, library, n=5)
    library = measure(library, plan, random)
    best.append(known.response(library.compositions).max())
plan[["move", "expected", "low", "high", "support"]]

# %%
# The table is the last plan, on the scale of the logarithm. ``support`` says whether samples were measured around a
# suggestion: 0 marks those that are guesses. They are made all the same, since a guess that is measured is one no
# longer.
#
# Was it worth it?
# ----------------
#
# Beside the loop stand five random blends a round, in the mean over 200 repetitions, and the best of 100 000 blends by
# the law, which nobody could measure.

blends = random.dirichlet(np.ones(5), 100_000)
truth = known.response(blends)
tries = random.choice(truth, (200, 15))
by_chance = [best[0]] + [np.maximum(best[0], tries[:, :count].max(axis=1)).mean() for count in (5, 10, 15)]

figure, axes = plt.subplots(figsize=(5, 3.2), layout="constrained")
axes.plot(range(4), best, "o-", label="learn and suggest")
axes.plot(range(4), by_chance, "s--", label="random blends")
axes.axhline(truth.max(), color="grey", lw=1, label="best of 100 000 by the law")
axes.set(xlabel="rounds of five samples", ylabel="best conductivity so far (S/cm)", xticks=range(4))
_ = axes.legend()
print(f"best after three rounds: {best[-1]:.0f} S/cm; by chance {by_chance[-1]:.0f}; by the law {truth.max():.0f}")
