"""
Statistics, and how large a window must be
==========================================

A micrograph is a sample of a material. How large must it be for a volume fraction that is right to five per cent?
"""

import matlens as ml
from matlens.microstructure.problems import discs

labels = discs((512, 512), radius=5, fraction=0.35, seed=0, periodic=False).labels
composite = ml.Microstructure(labels, 0.5, "um", ("matrix", "discs"))
composite

# %%
# The micrograph is made by code: discs of 5 um that lie anywhere and may overlap, 512 x 512 pixels of 0.5 um.
#
# Statistics
# ----------
#
# ``characterize`` measures all statistics of the catalogue; here we take four. The result is a labelled data set of
# xarray with units.

statistics = ml.characterize(composite, statistics=["volume_fraction", "two_point", "lineal_path", "particle_size"])
statistics.plot()

# %%
# Single numbers are read by name. Discs that overlap count as one particle, so that the mean diameter is larger than 5
# um; that the border cuts some of them is allowed for.

for name in ("volume_fraction", "mean_particle_size"):
    variable = statistics[name]
    print(f"{variable.long_name}: {float(variable.sel(phase=1)):.3f} {variable.units}")

# %%
# How large is large enough
# -------------------------
#
# Windows of several sizes are cut out, and the scatter between them is measured. For a material without long order the
# variance falls as one over the area of the window, so that a size follows for every precision.

from matlens.microstructure.statistics import representative_size

study = representative_size(composite, precision=0.05, statistics=["volume_fraction", "specific_surface"])
study.windows.query("phase == 'discs'")[["statistic", "n_windows", "side", "pixels", "extrapolated"]].round(1)

# %%
# A single window must have the side (in um) of its row for the mean to be right to five per cent in 19 of 20 cases; of
# several windows, each may be smaller. ``extrapolated`` marks sizes that are larger than any window of this micrograph.
# The law against what was measured:

import matplotlib.pyplot as plt

figure, axes = plt.subplots(figsize=(5, 3.2), layout="constrained")
for name, rows in study.spread.query("phase == 'discs'").groupby("statistic"):
    (line,) = axes.loglog(rows["side"], 100 * rows["relative"], "o", label=name.replace("_", " "))
    axes.loglog(rows["side"], 100 * rows["fitted"], "-", color=line.get_color())
axes.set(xlabel="side of the window (um)", ylabel="scatter between windows (%)")
_ = axes.legend()

# %%
# What should be known before these numbers are used:

print("\n".join(study.notes) or "nothing in particular")
