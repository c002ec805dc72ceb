"""
Effective properties
====================

What does a microstructure conduct, how stiff is it, and where does the flux go?
"""

import matlens as ml

composite = ml.examples.particles()[:128, :128]

# %%
# Conductivity
# ------------
#
# The particles conduct 50 times as well as the matrix. The potential is solved for on the pixels, with the residual and
# the bounds that the result must keep.

found = ml.homogenize(composite, conductivity={"matrix": 1.0, "particles": 50.0}, unit="W/(m K)", fields=True)
print(found)
found.plot()

# %%
# The tensor, with index 0 being the vertical axis of the array:

found.tensor.round(3)

# %%
# Stiffness
# ---------
#
# The same call with elastic constants gives the stiffness, in plane strain for pictures.

stiff = ml.homogenize(
    composite, young={"matrix": 3.0, "particles": 70.0}, poisson={"matrix": 0.35, "particles": 0.2}, unit="GPa"
)
stiff.tensor.round(2)

# %%
# Beyond the volume fraction
# --------------------------
#
# Structures of one volume fraction conduct differently. Here three with half of either phase, at a contrast of 50: what
# the bounds of Hashin and Shtrikman leave open is decided by the arrangement.

import pandas as pd

from matlens.microstructure.problems import bicontinuous, gaussian_field, laminate

structures = {
    "labyrinth": bicontinuous((96, 96), seed=0),
    "random field": gaussian_field((96, 96), 4.0, 0.5, seed=0),
    "layers": laminate((96, 96), 16),
}
rows = {}
for name, structure in structures.items():
    tensor = ml.homogenize(structure, conductivity={0: 1.0, 1: 50.0}).tensor
    rows[name] = {"vertical": tensor[0, 0], "horizontal": tensor[1, 1]}
pd.DataFrame(rows).T.round(2)

# %%
# Layers conduct as well as any structure can along themselves, and as badly across, which both are known exactly: 25.5
# and 1.96.
#
# A window of a material
# ----------------------
#
# A picture is not periodic, and a window has no effective property of its own. Two kinds of borders bound what it says:
# under a uniform gradient windows conduct too well in the mean, under a uniform flux too badly. The two come closer
# with the size of the windows.

whole = ml.examples.particles()
means = {}
for side in (32, 64, 128):
    windows = list(whole.tiles((side, side)))
    means[side] = {"windows": len(windows)}
    for border in ("flux", "gradient"):
        found = [ml.homogenize(each, conductivity={0: 1.0, 1: 50.0}, boundary=border).tensor for each in windows]
        means[side][border] = sum(tensor.trace() / 2 for tensor in found) / len(found)
pd.DataFrame(means).T.rename_axis("side (px)").round(2)
