import os
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def data_dir() -> Path:
    """The folder of real inputs, or a skip."""
    folder = os.environ.get("MATLENS_DATA", "").split(os.pathsep)[0]
    if not folder or not Path(folder).is_dir():
        pytest.skip("MATLENS_DATA names no folder with the real inputs")
    return Path(folder)
