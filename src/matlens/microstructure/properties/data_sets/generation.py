"""Generation of labelled structures, one sample at a time, each with a random stream of its own."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from importlib.metadata import version
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from matlens._version import __version__
from matlens.errors import InputError, Interrupted, RunError
from matlens.microstructure.problems import FAMILIES, draw_structure, family_shape
from matlens.microstructure.properties.data_sets.structure_set import StructureSet
from matlens.microstructure.structure import Microstructure

__all__ = ["Recipe", "make_samples"]

SPLITS = ("train", "test")
# docs/decisions/0027-labelled-data-sets.md
TEST_SEED = 20180913  # the frozen test set is the same whatever the user's seed
TOLERANCE = 1e-5  # of the residual; the error of the properties is quadratic in it: 1e-6 at a contrast of 1000
POISSON = 0.3
_HIGHEST_CONTRAST = 1e4


@dataclass(frozen=True)
class Recipe:
    """Specification of a generated data set, except for the number of its structures.

    Parameters
    ----------
    families : tuple of str
        Names from `matlens.microstructure.problems.FAMILIES`, used in turn, so that each has an equal share.
    shape : tuple of int
        Pixels along each of the two axes.
    conductivity_contrasts : tuple of float
        Conductivities of phase 1 relative to phase 0, which has 1; each gives the effective conductivity as a target.
    stiffness_contrasts : tuple of float
        Young's moduli of phase 1 relative to phase 0, which has 1; each gives the effective stiffness in plane strain
        as a target. Poisson's ratio is 0.3 in both phases.
    seed : int
        Seed of the training split.
    split : {"train", "test"}
        ``test`` gives structures that no training split has, whatever its seed; they are the same for every seed.

    Raises
    ------
    InputError
        If a family, a contrast, the split or the seed cannot be used.

    Examples
    --------
    >>> Recipe(families=("sheets", "particles"), conductivity_contrasts=(50,)).families
    ('sheets', 'particles')
    """

    families: tuple[str, ...] = tuple(FAMILIES)
    shape: tuple[int, int] = (64, 64)
    conductivity_contrasts: tuple[float, ...] = (10.0, 50.0, 1000.0)
    stiffness_contrasts: tuple[float, ...] = ()
    seed: int = 0
    split: str = "train"

    def __post_init__(self) -> None:
        unknown = [name for name in self.families if name not in FAMILIES]
        if unknown or not self.families:
            found = ", ".join(unknown) or "none"
            raise InputError(f"families must be some of {', '.join(FAMILIES)}, found {found}.")
        family_shape(self.shape)
        for kind in ("conductivity", "stiffness"):
            values = getattr(self, f"{kind}_contrasts")
            if not all(1 / _HIGHEST_CONTRAST <= value <= _HIGHEST_CONTRAST for value in values):
                raise InputError(
                    f"contrasts of {kind} must be positive and at most {_HIGHEST_CONTRAST:g}, found "
                    f"{', '.join(f'{value:g}' for value in values)}."
                )
            if len({f"{value:g}" for value in values}) < len(values):
                raise InputError(f"a contrast of {kind} stands there twice; name each once.")
        if self.split not in SPLITS or self.seed < 0:
            raise InputError(
                f"split must be one of {', '.join(SPLITS)} and seed zero or more, found {self.split!r} and {self.seed}."
            )

    @property
    def provenance(self) -> dict[str, Any]:
        """Provenance of the structures, as stored in a file."""
        packages = {name: version(name) for name in ("numpy", "scipy", "torch")}
        seed = TEST_SEED if self.split == "test" else self.seed
        return {"recipe": {**asdict(self), "seed": seed}, "matlens": __version__, **packages}

    def stream(self, index: int) -> np.random.Generator:
        """Return the random generator of one sample, which does not depend on the number of samples, their order or the
        process.

        Parameters
        ----------
        index : int
            Number of the sample.

        Returns
        -------
        numpy.random.Generator
            The generator.
        """
        seed = TEST_SEED if self.split == "test" else self.seed
        # The split is in the spawn key, so that no seed of a training split can lead to a stream of the test split.
        return np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(SPLITS.index(self.split), index)))


def make_samples(
    recipe: Recipe,
    start: int,
    stop: int,
    *,
    stopped: Callable[[], bool] = lambda: False,
) -> StructureSet:
    """Generate and label the samples ``start`` to ``stop - 1`` of a data set.

    Parameters
    ----------
    recipe : Recipe
        Specification of the data set.
    start, stop : int
        Range of the samples.
    stopped : callable
        Called before each sample; returns whether to stop.

    Returns
    -------
    StructureSet
        Periodic structures of two phases with their properties.

    Raises
    ------
    Interrupted
        If ``stopped()`` returns True.
    RunError
        If a property could not be computed.

    Examples
    --------
    >>> samples = make_samples(Recipe(shape=(32, 32), conductivity_contrasts=(50,)), 0, 2)
    >>> samples.families.tolist(), samples.targets.columns.tolist()
    (['fields', 'bicontinuous'], ['k_00_c50', 'k_11_c50', 'k_01_c50'])
    """
    labels, names, families = [], [], []
    parameters, targets = [], []
    for index in range(start, stop):
        if stopped():
            raise Interrupted("stopped before all samples were made.")
        family = recipe.families[index % len(recipe.families)]
        structure, drawn = draw_structure(family, recipe.shape, recipe.stream(index))
        labels.append(structure.labels)
        names.append(f"{family}-{index:05d}")
        families.append(family)
        parameters.append({name: float(value) for name, value in drawn.items()})
        targets.append(_properties(structure, recipe))
    return StructureSet(
        labels=np.stack(labels),
        names=np.array(names),
        families=np.array(families),
        groups=np.arange(start, stop),
        parameters=pd.DataFrame(parameters),
        targets=pd.DataFrame(targets, index=range(len(labels))),
        spacing=(1.0, 1.0),
        periodic=True,
        provenance=recipe.provenance,
    )


def _properties(structure: Microstructure, recipe: Recipe) -> Mapping[str, float]:
    """Compute all properties of a structure, each in a separate solve, so that none changes the digits of another."""
    found: dict[str, float] = {}
    for contrast in recipe.conductivity_contrasts:
        found |= _columns("k", _conductivity(structure, contrast), contrast)
    for contrast in recipe.stiffness_contrasts:
        found |= _columns("C", _stiffness(structure, contrast), contrast)
    return found


def _conductivity(structure: Microstructure, contrast: float) -> NDArray[np.float64]:
    import torch

    from matlens.microstructure.physics import solve_conduction

    field = torch.from_numpy(1.0 + structure.labels * (contrast - 1.0))
    solution = solve_conduction(field[None], tolerance=TOLERANCE)
    if not bool(solution.converged.all()):
        raise _unsolved("conductivity", contrast)
    return np.asarray(solution.tensor[0])


def _stiffness(structure: Microstructure, contrast: float) -> NDArray[np.float64]:
    import torch

    from matlens.microstructure.physics import solve_elasticity

    young = torch.from_numpy(1.0 + structure.labels * (contrast - 1.0))[None]
    solution = solve_elasticity(young, torch.full_like(young, POISSON), tolerance=TOLERANCE)
    if not bool(solution.converged.all()):
        raise _unsolved("stiffness", contrast)
    return np.asarray(solution.stiffness[0])


def _unsolved(what: str, contrast: float) -> RunError:
    return RunError(f"the {what} at a contrast of {contrast:g} could not be solved for; ask for a lower contrast.")


def _columns(letter: str, tensor: NDArray[np.float64], contrast: float) -> dict[str, float]:
    """Name the independent entries of a symmetric tensor: first the diagonal, then those above it."""
    size = len(tensor)
    pairs = [(i, i) for i in range(size)] + [(i, j) for i in range(size) for j in range(i + 1, size)]
    return {f"{letter}_{i}{j}_c{contrast:g}": float(tensor[i, j]) for i, j in pairs}
