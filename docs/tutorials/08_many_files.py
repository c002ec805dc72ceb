"""
Many files, one table
=====================

Three samples as cast and three annealed, one file each: one command measures all of them, and gives a table with
units and the means of the groups.
"""

import subprocess
import sys
import tempfile
from pathlib import Path

import matlens as ml
from matlens.microstructure.problems import particles

folder = Path(tempfile.mkdtemp())
for group, diameter in {"as_cast": 10, "annealed": 14}.items():
    (folder / group).mkdir()
    for sample in range(3):
        made = particles((128, 128), diameter=diameter, gap=2, fraction=0.3, seed=sample, periodic=False)
        ml.write_microstructure(made, folder / group / f"sample_{sample}.tif")

# %%
# The command is that of the terminal; each folder is a group. ``--workers 2`` would share the files between two
# processes, and ``--pool slurm-array`` between the nodes of a cluster.

command = "batch characterize as_cast annealed --statistics volume_fraction,particle_size --spacing 0.5um -o measured"
done = subprocess.run([sys.executable, "-m", "matlens", *command.split()], cwd=folder, capture_output=True, text=True)
print(done.stdout or done.stderr)

# %%
# The means of the groups:

import pandas as pd

groups = pd.read_csv(folder / "measured" / "groups.csv")
groups[["group", "quantity", "phase", "mean", "unit", "samples"]]

# %%
# Each sample by itself, as ``values.csv`` has them:

import matplotlib.pyplot as plt

values = pd.read_csv(folder / "measured" / "values.csv")
sizes = values.query("quantity == 'mean_particle_size' and phase == 'particles'")
figure, axes = plt.subplots(figsize=(4, 3), layout="constrained")
axes.plot(sizes["group"], sizes["value"], "o")
axes.set(ylabel="mean particle size (um)")
axes.margins(x=0.5)
