"""Read by Python at its start: lets the command line know the command ``draws``."""

import os

from matlens.cli.registry import FOLDERS

FOLDERS.append("draws")
if os.environ.get("DRAWS_FSYNC") == "0":  # to measure what a pool costs without what the disk does
    os.fsync = lambda descriptor: None
