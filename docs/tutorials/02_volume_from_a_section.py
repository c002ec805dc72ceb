"""
A volume from a section
=======================

A polished section shows a plane of a porous solid. We make a volume that has such planes in all directions, and
compare it with the volume from which the section was cut, which here is known.
"""

import matlens as ml

truth = ml.examples.porous()
truth.plot()

# %%
# The example volume has 96 x 96 x 96 voxels of 0.5 um. Of it we keep a single plane.

section = truth[48]
section

# %%
# Reconstruction
# --------------
#
# A shape of three sides makes a volume. The section is checked first: of some sections no isotropic volume can exist,
# and they are refused with the reason. 32 voxels a side and the preset ``fast`` keep this example short.

result = ml.reconstruct(section, shape=(32, 32, 32), preset="fast", seed=0)
volume = result.microstructure
# sphinx_gallery_thumbnail_number = 2
result.plot()

# %%
# What the section determines
# ---------------------------
#
# The two-point probability of the section was matched, and that of the true volume was never seen. This section happens
# to be more porous than the whole, and the made volume follows the section: more sections would come closer.

import matplotlib.pyplot as plt

from matlens.microstructure.statistics import connected_fraction, specific_surface, two_point_radial

figure, axes = plt.subplots(figsize=(5, 3.2), layout="constrained")
for name, structure in {"section": section, "made volume": volume, "true volume": truth}.items():
    curve = two_point_radial(structure)[1][:16]
    axes.plot([0.5 * r for r in range(len(curve))], curve, label=name)
axes.set(xlabel="distance (um)", ylabel="two-point probability of the pores")
_ = axes.legend()

# %%
# What it does not determine
# --------------------------
#
# Whether pores hang together in space cannot be seen in a plane. Here the model proposes, and only a measured volume
# can tell. The conductivity of the pore space depends on it.

import pandas as pd

parts = {
    "made volume": volume,
    **{f"part {n} of the true one": part for n, part in enumerate(truth.tiles((32, 32, 32)))},
}
rows = {}
for name, part in list(parts.items())[:5]:
    found = ml.homogenize(part, conductivity={"solid": 0.01, "pore": 1.0})
    rows[name] = {
        "porosity": part.volume_fractions[1],
        "surface (1/um)": specific_surface(part)[1],
        "connected share of the pores": connected_fraction(part)[1].min(),
        "conductivity": found.tensor.diagonal().mean(),
    }
pd.DataFrame(rows).T.round(3)
