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
import pandas as pd

pd.read_csv(folder / "measured" / "groups.csv")
