"""A command whose tasks cost as much as they are asked to, for tests and measurements of pools.

``environment()`` gives the variables with which every MatLens process of this machine knows the command: its Python
reads ``startup/sitecustomize.py`` when it starts.
"""

import os
from pathlib import Path

HERE = Path(__file__).parent


def environment() -> dict[str, str]:
    """Variables of a process that knows the command ``draws``."""
    paths = [str(HERE / "startup"), str(HERE.parent), os.environ.get("PYTHONPATH", "")]
    return {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in paths if path), "OMP_NUM_THREADS": "1"}
