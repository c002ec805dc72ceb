from pathlib import Path

import numpy as np
import pytest

from matlens.errors import InputError
from matlens.library.io import read_library
from matlens.library.table import MaterialsLibrary
from matlens.library.validation import PARTITIONS, Fold


@pytest.fixture(scope="module")
def alloys() -> MaterialsLibrary:
    """A ternary of 66 compositions on a grid, each made twice; edges have two or one components."""
    grid = [(a, b, 10 - a - b) for a in range(11) for b in range(11 - a)]
    fractions = np.repeat(np.array(grid) / 10, 2, axis=0)
    return MaterialsLibrary(fractions, ("A", "B", "C"), {"P": np.arange(len(fractions))})


def held_once(folds: list[Fold], count: int) -> bool:
    return np.array_equal(np.sort(np.concatenate([fold.held for fold in folds])), np.arange(count))


@pytest.mark.parametrize("name", ["grouped", "regions", "shuffled"])
def test_every_sample_is_held_out_once_a_repeat(alloys: MaterialsLibrary, name: str) -> None:
    folds = PARTITIONS[name](alloys, folds=6, repeats=2, seed=3)
    assert len(folds) == 12
    for repeat in range(2):
        assert held_once([fold for fold in folds if fold.repeat == repeat], len(alloys))
    for fold in folds:
        assert np.array_equal(np.union1d(fold.train, fold.held), np.arange(len(alloys)))
        assert np.intersect1d(fold.train, fold.held).size == 0
    again = PARTITIONS[name](alloys, folds=6, repeats=2, seed=3)
    assert all(np.array_equal(a.held, b.held) for a, b in zip(folds, again, strict=True))
    assert not all(np.array_equal(a.held, b.held) for a, b in zip(folds[:6], folds[6:], strict=True))


@pytest.mark.parametrize("name", ["grouped", "regions", "systems"])
def test_replicates_stay_together(alloys: MaterialsLibrary, name: str) -> None:
    groups = alloys.replicates()
    for fold in PARTITIONS[name](alloys):
        assert np.intersect1d(groups[fold.train], groups[fold.held]).size == 0


def test_regions_are_farther_from_what_is_learned_than_groups(alloys: MaterialsLibrary) -> None:
    def distance(fold: Fold) -> float:
        gaps = alloys.compositions[fold.held][:, None] - alloys.compositions[fold.train][None]
        return float(np.linalg.norm(gaps, axis=-1).min(1).mean())

    far = np.mean([distance(fold) for fold in PARTITIONS["regions"](alloys, folds=5, repeats=1)])
    near = np.mean([distance(fold) for fold in PARTITIONS["grouped"](alloys, folds=5)])
    assert far > 1.4 * near


def test_systems_never_show_the_components_together(alloys: MaterialsLibrary) -> None:
    folds = PARTITIONS["systems"](alloys)
    assert {fold.name for fold in folds} == {"A-B", "A-C", "B-C", "A-B-C"}
    there = alloys.compositions > 0
    for fold in folds:
        names = [alloys.component(name) for name in fold.name.split("-")]
        assert not there[fold.train][:, names].all(axis=1).any()
        assert there[fold.train][:, names].any(axis=0).all()


def test_one_system_cannot_be_left_out(data_dir: Path) -> None:
    with pytest.raises(InputError, match="none of the 1 co-alloy systems"):
        PARTITIONS["systems"](read_library(data_dir / "library" / "fegapd"))


@pytest.mark.parametrize("options", [{"folds": 1}, {"folds": 67}, {"folds": 3, "repeats": 0}])
@pytest.mark.parametrize("name", ["grouped", "regions"])
def test_impossible_numbers_are_refused(alloys: MaterialsLibrary, name: str, options: dict[str, int]) -> None:
    with pytest.raises(InputError, match="expected at least"):
        PARTITIONS[name](alloys, **options)
