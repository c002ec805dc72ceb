"""Choice of the preprocessing of spectra that predicts held-out samples best."""

from __future__ import annotations

from collections.abc import MutableMapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray

from matlens.core.splits import draw_groups, grouped_folds
from matlens.core.threads import side_by_side
from matlens.errors import InputError
from matlens.library.model.inputs import Inputs
from matlens.library.model.kernel.covariance import find_covariance
from matlens.library.model.kernel.kernel_part import KernelPart
from matlens.library.model.mixture import HeldOut, side_by_side_inputs
from matlens.library.spectra import Area, Detrend, Preprocessing, StandardNormalVariate
from matlens.library.table import MaterialsLibrary, array_digest

__all__ = ["CHAINS", "Choice", "choose_preprocessing"]

CHAINS = (
    Preprocessing(),
    Preprocessing([Area()]),
    Preprocessing([StandardNormalVariate()]),
    Preprocessing([Detrend(4), StandardNormalVariate()]),
)
# docs/decisions/0031-choice-of-preprocessing.md
_ROWS = 300  # rows that length scales are fitted to
_MOST = 1000  # rows that are used at all
_FOLDS = 10
_SCORES = 20


@dataclass(frozen=True)
class Choice:
    """Chosen preprocessing, with the scores of all candidates.

    Attributes
    ----------
    chain : Preprocessing
        The chosen chain.
    tried : dict of str to float
        R squared on held-out compositions by the name of the chain; chains that cannot be applied are left out.
    """

    chain: Preprocessing
    tried: dict[str, float]


def choose_preprocessing(
    library: MaterialsLibrary,
    values: ArrayLike,
    *,
    composition: bool = True,
    chains: Sequence[Preprocessing] = CHAINS,
    seed: int = 0,
    cache: MutableMapping[str, Choice] | None = None,
) -> Choice:
    """Choose the preprocessing with which a Gaussian process has the smallest error on held-out compositions.

    The first chain is kept unless the squared errors of the best one are smaller by more than one standard error of the
    difference.

    Parameters
    ----------
    library : MaterialsLibrary
        Samples with spectra.
    values : array_like, shape (n,)
        Figure of merit of each sample, on the scale of the model.
    composition : bool
        Whether the process also uses the composition.
    chains : sequence of Preprocessing
        Candidates.
    seed : int
        Seed of samples and folds.
    cache : mutable mapping, optional
        Choices by a digest of samples and options. Choices in it are reused and new ones are added, so that models that
        are compared on the same samples share them.

    Returns
    -------
    Choice
        The chosen chain and the scores of all.

    Examples
    --------
    >>> random = np.random.default_rng(0)
    >>> x, gain, height = random.dirichlet([1, 1], 80), random.uniform(0.5, 2, (80, 1)), random.uniform(0, 1, (80, 1))
    >>> axis = np.arange(30.0)
    >>> spectra = gain * (np.exp(-((axis - 8) ** 2) / 9) + height * np.exp(-((axis - 20) ** 2) / 9))
    >>> library = MaterialsLibrary(x, ("Fe", "Pd"), {"P": height[:, 0]}, spectra=spectra, axis=axis)
    >>> in_words(choose_preprocessing(library, height[:, 0]).chain) != "none"
    True
    """
    y = np.asarray(values, dtype=np.float64)
    how = (composition, [chain.settings() for chain in chains], seed)
    asked = array_digest(library.compositions, library.spectra, library.axis, y, about=how)
    kept = {} if cache is None else cache
    if asked not in kept:
        kept[asked] = _tried(library, y, composition, chains, seed)
    return replace(kept[asked], tried=dict(kept[asked].tried))


def _tried(
    library: MaterialsLibrary, y: NDArray[np.float64], composition: bool, chains: Sequence[Preprocessing], seed: int
) -> Choice:
    """Score the chains on held-out compositions."""
    groups = library.replicates()
    rows = np.arange(len(y))
    if len(rows) > _MOST:
        rows = draw_groups(groups, max(_FOLDS, len(np.unique(groups)) * _MOST // len(y)), seed)
    seen, y, groups = library.select(rows), y[rows], groups[rows]
    folds = min(_FOLDS, len(np.unique(groups)))
    if folds < 2 or y.std() == 0:
        return Choice(chains[0], {})
    y = (y - y.mean()) / y.std()
    trained = [train for train, _ in grouped_folds(groups, folds, seed)]

    def missed(chain: Preprocessing) -> NDArray[np.float64] | None:
        try:
            return np.square(_held_out(seen, composition, chain, y, trained, seed) - y)
        except InputError:  # e.g. no positive area
            return None

    found = zip(chains, side_by_side(missed, chains), strict=True)
    errors = {chain: error for chain, error in found if error is not None}
    return _best(errors, chains[0], groups)


def in_words(chain: Preprocessing) -> str:
    """Write the steps of a chain as text that `Preprocessing.parse` reads.

    Parameters
    ----------
    chain : Preprocessing
        Chain of steps.

    Returns
    -------
    str
        Steps separated by commas; "none" without any.

    Examples
    --------
    >>> in_words(CHAINS[0]), in_words(CHAINS[-1])
    ('none', 'detrend:4,snv')
    """
    steps = (":".join(map(str, settings.values())) for settings in chain.settings())
    return ",".join(steps) or "none"


def _held_out(
    library: MaterialsLibrary,
    composition: bool,
    chain: Preprocessing,
    y: NDArray[np.float64],
    trained: list[NDArray[np.intp]],
    seed: int,
) -> NDArray[np.float64]:
    """Predictions of a Gaussian process on held-out compositions, shape (n,)."""
    see = Inputs.scores(library, composition, True, chain, most=_SCORES, power=1.0)
    inputs, target = side_by_side_inputs(see(library.compositions, library.spectra)).double(), torch.from_numpy(y)
    some = np.random.default_rng(seed).permutation(len(y))[:_ROWS]
    covariance = find_covariance(inputs[some], target[some], len(library.components) if composition else 0, seed)
    members = KernelPart.fit(covariance, inputs, target, trained).values(inputs)
    return HeldOut.from_rows(trained, len(y)).summary(members.numpy())[0]


def _best(errors: dict[Preprocessing, NDArray[np.float64]], first: Preprocessing, groups: NDArray[np.intp]) -> Choice:
    """The chain with the smallest squared errors, unless the first one's are as small within one standard error."""
    tried = {in_words(chain): float(1 - error.mean()) for chain, error in errors.items()}
    if not errors:
        return Choice(first, {})
    best = min(errors, key=lambda chain: float(errors[chain].mean()))
    if first in errors:
        gain = np.bincount(np.unique(groups, return_inverse=True)[1], errors[first] - errors[best])
        if gain.sum() <= float(np.sqrt(np.square(gain).sum())):
            best = first
    return Choice(best, tried)
