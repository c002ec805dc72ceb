from pathlib import Path

import pytest

import matlens as ml
from matlens.microstructure.structure import Microstructure


@pytest.fixture(scope="session")
def berea(data_dir: Path) -> Microstructure:
    """Berea sandstone, 400 voxels along each side."""
    file = data_dir / "volumes" / "berea_400.zip"
    if not file.is_file():
        pytest.skip(f"{file.name} is not there")
    return ml.read_microstructure(file)
