import numpy as np
import pandas as pd
import pytest
import torch

from matlens.microstructure.physics import effective_conductivity, effective_stiffness
from matlens.microstructure.problems import gaussian_field
from matlens.microstructure.properties import StructureSet
from matlens.microstructure.properties.data_sets.duality import with_exchanged_phases
from matlens.microstructure.properties.data_sets.symmetry import views


def conductivity(labels):
    return effective_conductivity(torch.from_numpy(1 + 4.0 * labels), tolerance=1e-8).numpy()


def stiffness(labels):
    young = torch.from_numpy(1 + 4.0 * labels)
    return effective_stiffness(young, torch.full_like(young, 0.3), tolerance=1e-8).numpy()


@pytest.mark.parametrize(("letter", "solve", "shape"), [("k", conductivity, (8, 8)), ("C", stiffness, (8, 8)),
                                                        ("k", conductivity, (5, 5, 5))])  # fmt: skip
def test_a_view_has_the_property_that_is_solved_for_it(letter, solve, shape):
    labels = (np.random.default_rng(0).random((1, *shape)) < 0.4).astype(np.uint8)
    tensor = solve(labels)[0]
    size = len(tensor)
    known = {f"{letter}_{i}{j}": tensor[i, j] for i in range(size) for j in range(i, size)}
    for name in known:
        seen = views(name, list(known), len(shape))
        assert len(seen) == len(shape)
        i, j = int(name[-2]), int(name[-1])
        for view in seen:
            assert solve(view.see(labels))[0, i, j] == pytest.approx(known[view.column], abs=1e-6)


def test_exchanged_phases_have_the_conductivity_that_is_solved_for_them():
    fields = [gaussian_field((64, 96), (5.0, 12.0), fraction=0.3 + i / 10, seed=i) for i in range(3)]
    labels = np.stack([np.roll(field.labels, 7 * i, 1) for i, field in enumerate(fields)])
    slanted = np.stack([[np.roll(row, 3 * y // 2) for y, row in enumerate(one)] for one in labels])  # k_01 is not zero
    tensor = conductivity(slanted)
    targets = pd.DataFrame({f"k_{i}{j}": tensor[:, i, j] for i, j in ((0, 0), (1, 1), (0, 1))})
    data = StructureSet.from_arrays(slanted, targets=targets, periodic=True)
    both = with_exchanged_phases(data, "k_00", (1, 5))
    assert both.groups.tolist() == [0, 1, 2] * 2
    assert both.labels[:3].tobytes() == slanted.tobytes()
    solved = conductivity(both.labels[3:])
    assert np.abs(solved[:, 0, 1]).min() > 0.05
    for i, j in ((0, 0), (1, 1), (0, 1)):
        assert both.targets[f"k_{i}{j}"].to_numpy()[3:] == pytest.approx(solved[:, i, j], abs=0.01)
    assert len(with_exchanged_phases(data, "k_01", (1, 5))) == 3
    assert len(with_exchanged_phases(data, "k_00", None)) == 3
    window = StructureSet.from_arrays(slanted, targets=targets)
    assert len(with_exchanged_phases(window, "k_00", (1, 5))) == 3
