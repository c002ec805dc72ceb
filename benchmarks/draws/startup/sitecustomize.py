"""Read by Python at its start: lets the command line know the command ``draws``."""

from matlens.cli.registry import FOLDERS

FOLDERS.append("draws")
