"""The steps of ``generate`` in a run directory; finished chunks are never made again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from matlens.hooks import Progress
from matlens.microstructure.properties import Recipe, StructureSet, generate_structures, read_structures
from matlens.runs.codecs import Codec, read_value, write_value
from matlens.runs.directory import STATE, RunDirectory
from matlens.runs.resumable import once
from matlens.runs.tables import write_table

__all__ = ["FILES", "GenerateOrder", "generate_in"]

FILES = {"train": ("structures.h5", "labels"), "test": ("test.h5", "test_labels")}
"""File of each split, and name of its table."""


@dataclass(frozen=True)
class GenerateOrder:
    """What is asked of a data set, as a settings file holds it.

    Examples
    --------
    >>> order = GenerateOrder(Recipe(families=("sheets",)), n=20, test=0)
    >>> GenerateOrder.of(order.settings()) == order
    True
    """

    recipe: Recipe
    n: int = 1000
    test: int = 300
    workers: int = 2

    def settings(self) -> dict[str, Any]:
        """Give the order as a settings file holds it."""
        return {
            "seed": self.recipe.seed,
            "generate": {
                "families": list(self.recipe.families),
                "n": self.n,
                "test": self.test,
                "shape": list(self.recipe.shape),
                "conductivity_contrasts": list(self.recipe.conductivity_contrasts),
                "stiffness_contrasts": list(self.recipe.stiffness_contrasts),
                "workers": self.workers,
            },
        }

    @classmethod
    def of(cls, settings: Mapping[str, Any]) -> GenerateOrder:
        """Read it back."""
        asked = settings["generate"]
        recipe = Recipe(
            families=tuple(asked["families"]),
            shape=(asked["shape"][0], asked["shape"][1]),
            conductivity_contrasts=tuple(asked["conductivity_contrasts"]),
            stiffness_contrasts=tuple(asked["stiffness_contrasts"]),
            seed=settings["seed"],
        )
        return cls(recipe, asked["n"], asked["test"], asked["workers"])


_SET: Codec[StructureSet] = Codec(".h5", lambda path, found: found.write(path), read_structures)


class _Chunks:
    """Finished chunks of a split as files of the run: processes of the generator make them, in any order."""

    def __init__(self, run: RunDirectory, split: str) -> None:
        self._run, self._split = run, split

    def load(self, start: int) -> StructureSet | None:
        name = self._name(start)
        return read_value(self._run, name, _SET) if (self._run.path / name).is_file() else None

    def save(self, start: int, chunk: StructureSet) -> None:
        write_value(self._run, self._name(start), chunk, _SET)

    def _name(self, start: int) -> str:
        return f"{STATE}/{self._split}/{start:07d}.h5"


def generate_in(run: RunDirectory, progress: Progress) -> None:
    """Make the data set that the run's settings ask for: ``structures.h5``, ``test.h5`` and a table of each as CSV.

    Parameters
    ----------
    run : RunDirectory
        Open; may hold the beginning of the same work.
    progress : Progress
        Called with structures done and total.

    Raises
    ------
    KeyboardInterrupt
        On an interrupt; finished chunks are kept.
    """
    order = GenerateOrder.of(run.settings)
    said = []
    for split, number in (("train", order.n), ("test", order.test)):
        if number:
            found = _split(run, replace(order.recipe, split=split), number, order.workers, progress)
            said.append(_sentence(split, found, len(order.recipe.families)))
    run.mark("running", sentences=said)


def _split(run: RunDirectory, recipe: Recipe, number: int, workers: int, progress: Progress) -> StructureSet:
    """Make a split, or take it as it stands; its file comes before its chunks go."""
    file, table = FILES[recipe.split]
    chunks = _Chunks(run, recipe.split)
    made = partial(generate_structures, recipe, number, workers=workers, store=chunks, progress=progress)
    found = once(run, file, made, _SET)
    write_table(run, table, found.table())
    run.drop(recipe.split)
    return found


def _sentence(split: str, found: StructureSet, families: int) -> str:
    size = " x ".join(str(side) for side in found.shape)
    kinds = "family" if families == 1 else "families"
    role = {"train": "to learn from", "test": "to test on, the same for every seed"}[split]
    return (
        f"{len(found)} structures of {size} px {role}: {families} {kinds}, {found.targets.shape[1]} properties each, "
        f"SHA-256 {found.sha256[:12]}."
    )
