import itertools

import numpy as np
import pytest
import torch

from matlens import InputError
from matlens.microstructure.physics import effective_conductivity, isotropic_stiffness
from matlens.microstructure.problems import FAMILIES
from matlens.microstructure.properties import Recipe, generate_structures, join_structures
from matlens.microstructure.properties.data_sets.generation import make_samples
from matlens.microstructure.properties.data_sets.workers import CHUNK, Memory

SMALL = Recipe(shape=(32, 32), conductivity_contrasts=(50.0,))


def bytes_of(found, tmp_path):
    return found.write(tmp_path / "set.h5").read_bytes()


def test_streams_of_training_and_test_never_meet():
    seeds = (0, 1, 20180913, 2**32, 2**32 + 20180913, 2**62)
    train = [Recipe(seed=seed).stream(index) for seed, index in itertools.product(seeds, (0, 1, 2**20))]
    test = [Recipe(split="test").stream(index) for index in (0, 1, 2**20)]
    drawn = [stream.integers(2**63) for stream in train + test]
    assert len(set(drawn)) == len(drawn)


@pytest.mark.slow
def test_the_test_set_is_the_same_for_every_seed(tmp_path):
    one, other = (generate_structures(Recipe(shape=(32, 32), seed=s, split="test"), 6) for s in (1, 2))
    assert bytes_of(one, tmp_path) == bytes_of(other, tmp_path)
    train = generate_structures(Recipe(shape=(32, 32), seed=1), 6)
    assert train.sha256 != one.sha256


def test_the_test_set_is_frozen():
    """These are the structures that published numbers were measured on; whoever changes a family changes them."""
    found = generate_structures(Recipe(shape=(64, 64), conductivity_contrasts=(), split="test"), 18)
    assert found.sha256.startswith("74f1b121eac0")


@pytest.mark.slow
def test_samples_do_not_depend_on_chunks(tmp_path):
    parts = [make_samples(SMALL, *bounds) for bounds in ((0, 1), (1, 5), (5, 14))]
    assert bytes_of(join_structures(parts), tmp_path) == bytes_of(generate_structures(SMALL, 14), tmp_path)
    longer = generate_structures(SMALL, 20)
    assert bytes_of(longer.select(slice(0, 14)), tmp_path) == bytes_of(generate_structures(SMALL, 14), tmp_path)


def test_targets_do_not_depend_on_the_other_contrasts():
    both = make_samples(Recipe(shape=(32, 32), conductivity_contrasts=(10.0, 50.0)), 0, 3).targets
    alone = make_samples(SMALL, 0, 3).targets
    assert both[alone.columns].equals(alone)


def test_families_have_equal_shares_and_groups_of_one():
    found = generate_structures(SMALL, 18)
    assert {family: (found.families == family).sum() for family in FAMILIES} == dict.fromkeys(FAMILIES, 3)
    assert found.groups.tolist() == list(range(18))
    assert len(set(found.names)) == 18
    assert found.periodic


@pytest.mark.slow
def test_conductivities_are_those_of_a_tight_solve():
    found = make_samples(Recipe(conductivity_contrasts=(10.0, 1000.0)), 0, 6)
    for contrast in (10.0, 1000.0):
        field = torch.from_numpy(1.0 + found.labels * (contrast - 1.0))
        truth = effective_conductivity(field, tolerance=1e-9).numpy()
        for name, (i, j) in {"00": (0, 0), "11": (1, 1), "01": (0, 1)}.items():
            error = np.abs(found.targets[f"k_{name}_c{contrast:g}"] - truth[:, i, j])
            assert (error < 1e-5 * truth[:, [0, 1], [0, 1]].min(axis=1)).all()


@pytest.mark.slow
def test_properties_lie_within_their_bounds():
    found = make_samples(Recipe(shape=(32, 32), conductivity_contrasts=(50.0,), stiffness_contrasts=(10.0,)), 0, 12)
    phi = found.volume_fractions[:, 1]
    assert found.targets.columns.tolist() == [
        *("k_00_c50", "k_11_c50", "k_01_c50"),
        *("C_00_c10", "C_11_c10", "C_22_c10", "C_01_c10", "C_02_c10", "C_12_c10"),
    ]
    stiffness = isotropic_stiffness(1.0, 0.3, 2)
    for letter, contrast, units in (("k", 50.0, (1.0, 1.0)), ("C", 10.0, np.diag(stiffness))):
        lower, upper = 1 / ((1 - phi) + phi / contrast), (1 - phi) + phi * contrast
        for index, unit in enumerate(units):
            value = found.targets[f"{letter}_{index}{index}_c{contrast:g}"] / unit
            assert (value > lower * (1 - 1e-9)).all()
            assert (value < upper * (1 + 1e-9)).all()


@pytest.mark.slow
def test_sheets_conduct_along_their_angle():
    found = generate_structures(Recipe(families=("sheets",), conductivity_contrasts=(1000.0,)), 24)
    angle = np.deg2rad(found.parameters["angle"].to_numpy())
    k = found.targets
    ratio = np.log((k["k_11_c1000"] / k["k_00_c1000"]).to_numpy())
    assert np.corrcoef(ratio, np.cos(2 * angle))[0, 1] > 0.8  # an angle of 0 runs along axis 1
    assert np.corrcoef(k["k_01_c1000"], np.sin(2 * angle))[0, 1] > 0.7


@pytest.mark.slow
@pytest.mark.parametrize("workers", [1, 2])
def test_interrupted_work_is_taken_up_again_to_the_same_bytes(tmp_path, workers):
    class Impatient(Memory):
        def __init__(self):
            super().__init__()
            self.saved = 0

        def save(self, start, chunk):
            super().save(start, chunk)
            self.saved += 1
            if self.saved == 2:
                raise KeyboardInterrupt

    recipe, n = Recipe(shape=(32, 32), conductivity_contrasts=(10.0,)), 4 * CHUNK + 5
    store = Impatient()
    with pytest.raises(KeyboardInterrupt):
        generate_structures(recipe, n, workers=workers, store=store)
    assert store.saved == 2
    resumed = generate_structures(recipe, n, workers=workers, store=store)
    assert store.saved == 5
    assert bytes_of(resumed, tmp_path) == bytes_of(generate_structures(recipe, n), tmp_path)


@pytest.mark.parametrize(
    "call",
    [
        lambda: Recipe(families=("sponge",)),
        lambda: Recipe(families=()),
        lambda: Recipe(conductivity_contrasts=(-1.0,)),
        lambda: Recipe(stiffness_contrasts=(float("nan"),)),
        lambda: Recipe(conductivity_contrasts=(1e6,)),
        lambda: Recipe(split="validation"),
        lambda: Recipe(seed=-1),
        lambda: generate_structures(Recipe(), 0),
        lambda: generate_structures(Recipe(), 1, workers=0),
        lambda: generate_structures(Recipe(shape=(16, 16)), 1),
    ],
)
def test_bad_recipes(call):
    with pytest.raises(InputError, match="found"):
        call()


def test_a_contrast_named_twice():
    with pytest.raises(InputError, match="twice"):
        Recipe(conductivity_contrasts=(10.0, 10.0))
