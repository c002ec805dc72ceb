"""
A library: learn, explain, suggest
==================================

A combinatorial library is a table with one row a sample: fractions of components, and a figure of merit. What does
each component do, how far do the data support it, and which samples should be made next?
"""

import matlens as ml

library = ml.examples.photoanode().without_spectra()
library

# %%
# The example has 150 photoanodes of bismuth, vanadium and five alloying elements, made by a known law. Your own would
# be ``ml.read_library("library.csv")``. We leave its spectra out, which takes less time.
#
# Learning
# --------
#
# An ensemble is trained; its members see different compositions, so that each composition was left out by some of them.

model = ml.LibraryModel(n_models=8).fit(library, "P")

import matplotlib.pyplot as plt
import numpy as np

measured, left_out = library.merit("P"), model.held_out_
figure, axes = plt.subplots(figsize=(4, 4), layout="constrained")
axes.plot(measured, left_out, "o", ms=3)
axes.axline((measured.mean(), measured.mean()), slope=1, color="grey", lw=1)
axes.set(xlabel="measured P (mW/cm2)", ylabel="predicted by members that left it out")
known = ~np.isnan(left_out)
print(f"R2 of compositions left out: {1 - np.mean((measured - left_out)[known] ** 2) / measured[known].var():.2f}")

# %%
# Explaining
# ----------
#
# Fractions sum to 1, so a component can only grow at the expense of others. ``dilution`` takes from all others in
# proportion. Each gradient has a mark from the data alone: 2 where samples were measured in that direction, 0 where
# none were.

insight = ml.explain(model)
insight.plot()

# %%
# The mean effect of each component where the data support it, in the unit of the figure of merit per at%:

total = insight.composition_gradient.sel(scheme="dilution", kind="total")
total.where(insight.support == 2).mean("sample").to_series().round(3)

# %%
# Suggesting
# ----------
#
# Suggestions are moves from measured compositions, chosen together, so that they do not all depend on one guess. Each
# states its expected value with an interval, and whether data support it.

plan = ml.suggest(model, library, insight, n=5)
plan[["move", "expected", "low", "high", "support", "reason"]]
