"""Where good conductors touch at corners only, the schemes of conduction bracket the truth, and it is said."""

import numpy as np
import pandas as pd
import pytest

from matlens.cli.app import main
from matlens.microstructure.physics import corner_contacts
from matlens.microstructure.structure import Microstructure

BOARD = np.kron(np.indices((4, 4)).sum(0) % 2, np.ones((8, 8), int))


def test_contacts_are_counted():
    values = np.array([1e-6, 1.0])
    assert corner_contacts(Microstructure(BOARD), values) == 9 / 1024
    assert corner_contacts(Microstructure(BOARD, periodic=True), values) == 16 / 1024
    assert corner_contacts(Microstructure(BOARD), np.array([0.5, 1.0])) == 0
    assert corner_contacts(Microstructure(BOARD), np.array([0.0, 1.0])) == 9 / 1024
    cube = np.zeros((4, 4, 4), int)
    cube[1, 1, 1] = cube[1, 2, 2] = 1
    assert corner_contacts(Microstructure(cube), values) == 1 / 64


@pytest.mark.end_to_end
@pytest.mark.parametrize(
    ("options", "truth"), [("0=1e-6,1=1", 1e-3), ("0=1e-6,1=1 --boundary fixed", 1e-3), ("0=0,1=1", 0.0)]
)
def test_a_checkerboard_lies_between_the_schemes(tmp_path, capsys, options, truth):
    """Two phases of a checkerboard conduct as the geometric mean of both, at any contrast."""
    np.save(tmp_path / "m.npy", BOARD)
    command = f"homogenize {tmp_path / 'm.npy'} -o {tmp_path / 'run'} --axes 0 --conductivity {options}"
    with pytest.raises(SystemExit) as end:
        main(command.split())
    assert end.value.code == 0
    found = pd.read_csv(tmp_path / "run" / "schemes.csv").set_index("scheme")["conductivity"]
    assert found["staggered"] <= truth <= found["rotated"]
    assert "100 % of the current passes corners" in capsys.readouterr().out


@pytest.mark.end_to_end
def test_phases_go_by_the_values_of_the_file(tmp_path, capsys):
    labels = np.repeat([1, 2, 3], 8)[:, None] * np.ones((1, 24), int)
    np.save(tmp_path / "m.npy", labels)
    command = f"homogenize {tmp_path / 'm.npy'} -o {tmp_path / 'run'} --axes 1 --conductivity"
    for given in ("1=1,2=10,3=100", "0=1,1=10,2=100"):
        with pytest.raises(SystemExit) as end:
            main([*command.split(), given, "--force"])
        assert end.value.code == 0
        assert "37 along x" in capsys.readouterr().out
    with pytest.raises(SystemExit) as end:
        main([*command.split(), "2=10,3=100", "--force"])
    assert end.value.code == 2
    assert "0 (value 1), 1 (value 2), 2 (value 3)" in capsys.readouterr().err
