"""
Properties from few samples
===========================

A property was measured or computed for some tens of structures. We learn it from their pictures, and predict it for
others with an interval that holds.
"""

import matlens as ml

# %%
# Labelled structures
# -------------------
#
# Here the labels are computed: the conductivity along the vertical axis, where phase 1 conducts 50 times as well as
# phase 0. The structures come from six families, from particles to sheets. Your own would be a folder of pictures and a
# table, read by ``ml.read_labelled``.

structures = ml.generate_structures(ml.Recipe(shape=(48, 48), conductivity_contrasts=(50,)), 72)
structures

# %%
# Learning
# --------
#
# The encoder that comes with the package describes each picture, and a regression on what it sees is fitted. Since the
# conductivities of the phases are known, the bounds of the mixture are too, and the model learns where between them a
# structure lies.

known, new = structures.select(slice(0, 48)), structures.select(slice(48, 72))
model = ml.StructurePropertyModel(phase_values=(1, 50), depth="pool2", head="ridge")
model.fit(known, "k_00_c50")
model.held_out_.head().round(2)

# %%
# Prediction
# ----------
#
# 24 structures were kept apart. Each prediction has a 90 % interval, which was calibrated on structures that the model
# did not see, and says whether the structure is like those that were learned from.

table = model.predict_interval(new)
table["true"] = new.targets["k_00_c50"].to_numpy()
table.head().round(2)

# %%
import matplotlib.pyplot as plt

figure, axes = plt.subplots(figsize=(4, 4), layout="constrained")
low, high = table["predicted"] - table["low"], table["high"] - table["predicted"]
axes.errorbar(table["true"], table["predicted"], [low, high], fmt="o", ms=4, lw=1)
axes.axline((0, 0), slope=1, color="grey", lw=1)
axes.set(xlabel="computed conductivity", ylabel="predicted conductivity")
inside = table["true"].between(table["low"], table["high"]).mean()
print(f"{100 * inside:.0f} % of the true values lie in their intervals")

# %%
# Is it better than the volume fraction?
# --------------------------------------
#
# That is the question to ask of any such model. Both are scored on the same 24 structures.

plain = ml.StructurePropertyModel(phase_values=(1, 50), features="volume-fraction", head="ridge").fit(known, "k_00_c50")
for name, each in {"encoder": model, "volume fraction alone": plain}.items():
    print(f"{name}: R2 = {each.score(new):.3f}")
