"""Checks of a library before any model is trained: sampling, noise between replicates and confounding covariates."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.spatial import cKDTree
from sklearn.ensemble import RandomForestRegressor

from matlens.core.bootstrap import drawn_counts
from matlens.core.numbers import shown
from matlens.hooks import Progress, Silent
from matlens.library.baselines import BASELINES
from matlens.library.model.targets import Target, resolve_task
from matlens.library.spectra import Preprocessing
from matlens.library.table import PRESENT, MaterialsLibrary
from matlens.library.validation.oddities import confounded, odd_spectra, odd_values
from matlens.library.validation.partitions import grouped, shuffled
from matlens.library.validation.scoring import held_out

__all__ = ["LibraryChecks", "NoiseCeiling", "check_library", "confounding", "noise_ceiling", "sampled"]

Array = NDArray[np.float64]
ORDER = "order in the file"
ALL = "all together"
CONTROL = "composition (control)"
_DRAWS = 1000
_FOLDS = 5
_ALARMING = 0.3  # R squared of something other than the composition that is worth an alarm
_TELLING = 0.1  # R squared on held-out samples from which a covariate is reported as a possible cause
_FILLED = 0.5  # share of the samples for which another column must have a number to be tried as a cause
_WIDE = 0.8  # share of mixtures with a sample nearby, below which gaps are reported


@dataclass(frozen=True)
class NoiseCeiling:
    """Greatest R squared that noise between replicates leaves to a model of composition.

    Attributes
    ----------
    groups : int
        Number of compositions that were made more than once.
    samples : int
        Number of their samples.
    noise : float
        Standard deviation between replicates, in the unit of the figure of merit; NaN without replicates.
    ceiling : float
        R squared that a perfect model of composition would reach: 1 - noise variance / variance of all samples.
    low, high : float
        Ends of its 90 % bootstrap interval; groups of replicates are resampled.

    Examples
    --------
    >>> from matlens.library.model.targets import target_of
    >>> library = MaterialsLibrary([[1.0], [1.0]], ("A",), {"P": [0.0, 2.0]})
    >>> noise_ceiling(library, target_of(library, None)).samples
    2
    """

    groups: int
    samples: int
    noise: float
    ceiling: float
    low: float
    high: float


@dataclass(frozen=True, eq=False)
class LibraryChecks:
    """Results of the checks of a library. `check_library` makes them.

    Attributes
    ----------
    components : DataFrame
        One row per component: ``component``, ``samples`` (that contain it), ``alone`` (samples with no other component
        except hosts, which are in every sample), ``levels`` (number of different fractions), ``low``, ``median`` and
        ``high`` (fractions where it is present).
    pairs : DataFrame
        Number of samples that contain both components of each pair, components by components.
    systems : DataFrame
        One row per co-alloy system: ``system``, ``samples``, ``compositions`` (numbers of both).
    spacing : float
        Median distance from a composition to its nearest neighbour, in fractions.
    filled : float
        Share of random mixtures of two or three sampled compositions that have a sample within twice the spacing.
    noise : NoiseCeiling
        Noise between replicates.
    confounding : DataFrame
        Predictive power of covariates, as returned by `confounding`.
    sentences : tuple of str
        The results in words.
    alarms : tuple of str
        Warnings: values far from the rest, spikes, constant spectra, columns that follow a component, and what predicts
        the figure of merit about as well as the composition does.

    Examples
    --------
    >>> a = np.linspace(0, 1, 20)
    >>> checks = check_library(MaterialsLibrary(np.stack([a, 1 - a], 1), ("A", "B"), {"P": 3 * a}))
    >>> checks.components["samples"].tolist(), round(checks.filled, 2)
    ([19, 19], 1.0)
    """

    components: pd.DataFrame
    pairs: pd.DataFrame
    systems: pd.DataFrame
    spacing: float
    filled: float
    noise: NoiseCeiling
    confounding: pd.DataFrame
    sentences: tuple[str, ...]
    alarms: tuple[str, ...] = ()


def check_library(
    library: MaterialsLibrary,
    target: str | None = None,
    *,
    transform: str = "none",
    seed: int = 0,
    progress: Progress | None = None,
) -> LibraryChecks:
    """Check what a library sampled, how noisy it is, and whether covariates predict its figure of merit.

    Parameters
    ----------
    library : MaterialsLibrary
        Library to be checked.
    target : str, optional
        Name of the figure of merit; needed only if there are several.
    transform : {"none", "log10"}
        Scale of the figure of merit.
    seed : int
        Seed of all random numbers.
    progress : Progress, optional
        Called with checks done and total.

    Returns
    -------
    LibraryChecks
        Tables, numbers and sentences.

    Raises
    ------
    InputError
        If there is no such figure of merit, or nothing can be learned from it.

    Examples
    --------
    >>> a = np.linspace(0, 1, 40).round(1)
    >>> library = MaterialsLibrary(np.stack([a, 1 - a], 1), ("A", "B"), {"P": 3 * a})
    >>> checks = check_library(library)
    >>> checks.noise.ceiling, checks.sentences[1]
    (1.0, 'Replicates: 11 compositions were made more than once (40 samples) and differ by 0 (standard deviation), so \
that no model of composition alone can exceed an R2 of 1.00 (90 % interval 1.00 to 1.00).')
    """
    task = resolve_task(library, target, transform=transform)
    found, known = task.target, library.select(task.rows)
    components, pairs, systems = sampled(library)
    spacing, filled = _filling(library, seed)
    report = progress or Silent()
    report.begin(2, "checks")
    noise = noise_ceiling(known, found, seed=seed)
    report.update(1, "covariates")
    others = confounding(known, found, seed=seed)
    report.end()
    sentences = (
        _coverage_sentence(library, len(systems), spacing, filled),
        _noise_sentence(noise, found, spectra=library.spectra is not None),
        _confounding_sentence(others, found, inputs=_inputs(library)),
    )
    measured = known.select(np.flatnonzero(np.isfinite(found.values(known))))
    causes = _covariates(measured.covariates) | _other_merits(measured, found)
    alarms = (odd_values(known, found), *odd_spectra(library), *confounded(measured, causes), _alarm(others, found))
    alarms = tuple(alarm for alarm in alarms if alarm)
    return LibraryChecks(components, pairs, systems, spacing, filled, noise, others, sentences, alarms)


def sampled(library: MaterialsLibrary) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """Count the samples by component, by pair of components and by co-alloy system.

    Parameters
    ----------
    library : MaterialsLibrary
        Library whose samples are counted.

    Returns
    -------
    components, pairs, systems : DataFrame
        Tables as in `LibraryChecks`.

    Examples
    --------
    >>> library = MaterialsLibrary([[1, 0], [0.5, 0.5], [0.5, 0.5]], ("A", "B"), {"P": [1, 2, 3]})
    >>> components, pairs, systems = sampled(library)
    >>> components["samples"].tolist(), int(pairs.loc["A", "B"]), systems["compositions"].tolist()
    ([3, 2], 2, [1, 1])
    """
    there = np.asarray(library.compositions > PRESENT)
    optional = there & ~there.all(axis=0)
    rows = []
    for column, name in enumerate(library.components):
        present = there[:, column]
        held = library.compositions[present, column]
        others = np.delete(optional, column, axis=1).any(axis=1)
        low, median, high = np.quantile(held, [0, 0.5, 1]) if len(held) else [np.nan] * 3
        levels = len(np.unique(held.round(4)))
        rows.append((name, int(present.sum()), int((present & ~others).sum()), levels, low, median, high))
    columns = ["component", "samples", "alone", "levels", "low", "median", "high"]
    counts = there.astype(int).T @ there.astype(int)
    pairs = pd.DataFrame(counts, index=list(library.components), columns=list(library.components))
    named = pd.DataFrame({"system": library.systems(), "composition": library.replicates()})
    by_system = named.groupby("system", sort=False)["composition"]
    systems = pd.DataFrame({"samples": by_system.size(), "compositions": by_system.nunique()}).reset_index()
    systems = systems.sort_values("samples", ascending=False, kind="stable", ignore_index=True)
    return pd.DataFrame(rows, columns=columns), pairs, systems


def noise_ceiling(library: MaterialsLibrary, target: Target, *, seed: int = 0) -> NoiseCeiling:
    """Estimate from replicates the R squared that a perfect model of composition would reach.

    A model that also uses spectra can exceed this value where spectra show how replicates differ. Censored samples
    are left out.

    Parameters
    ----------
    library : MaterialsLibrary
        Library with samples of equal composition.
    target : Target
        Figure of merit on its scale.
    seed : int
        Seed of the bootstrap.

    Returns
    -------
    NoiseCeiling
        Noise and R squared; NaN without replicates.

    Examples
    --------
    >>> from matlens.library.model.targets import target_of
    >>> library = MaterialsLibrary([[1, 0], [1, 0], [0, 1], [0, 1]], ("A", "B"), {"P": [0.0, 2.0, 10.0, 12.0]})
    >>> found = noise_ceiling(library, target_of(library, None))
    >>> round(found.noise, 3), round(found.ceiling, 3)
    (1.414, 0.923)
    """
    value = target.values(library)
    used = ~np.isnan(value) & (library.censoring(target.name) == 0)
    table = pd.DataFrame({"group": library.replicates()[used], "value": value[used]}).groupby("group")["value"]
    sizes, within = table.size().to_numpy(), table.var(ddof=0).to_numpy() * table.size().to_numpy()
    many = sizes > 1
    groups, samples, total = int(many.sum()), int(sizes[many].sum()), float(value[used].var())
    if not groups or total == 0:
        return NoiseCeiling(groups, samples, *[float("nan")] * 4)
    draws = drawn_counts(np.arange(groups), _DRAWS, np.random.default_rng(seed))
    freedom = sizes[many] - 1
    variances = np.concatenate([[within[many].sum() / freedom.sum()], draws @ within[many] / (draws @ freedom)])
    # In the R squared of single samples a perfect model errs by the whole noise.
    ceilings = 1 - variances / total
    low, high = np.quantile(ceilings[1:], [0.05, 0.95])
    return NoiseCeiling(groups, samples, float(np.sqrt(variances[0])), float(ceilings[0]), float(low), float(high))


def confounding(library: MaterialsLibrary, target: Target, *, seed: int = 0) -> pd.DataFrame:
    """Test whether position, batch or another covariate predicts the figure of merit.

    On a composition spread, position and composition are correlated, so that position predicts the figure of merit
    without being its cause. The errors of a model of composition and spectrum, however, should not depend on position.

    Parameters
    ----------
    library : MaterialsLibrary
        Library whose covariates are tested, together with the order of its samples.
    target : Target
        Figure of merit on its scale.
    seed : int
        Seed of folds and random forests.

    Returns
    -------
    DataFrame
        ``covariate`` (each one, the order in the file, and all together), ``r2`` (R squared with which a random forest
        predicts the figure of merit from the covariate alone, on held-out compositions) and ``r2_rest`` (R squared
        with which it predicts the held-out errors of a Gaussian process on composition and spectrum). Values of 0 or
        less mean no predictive power. The last row is a control: the part of these errors that the composition
        predicts was missed by the process and is not due to covariates.

    Raises
    ------
    InputError
        If nothing can be learned from the figure of merit.

    Examples
    --------
    >>> from matlens.library.model.targets import target_of
    >>> a = np.random.default_rng(0).random(60)
    >>> drift = np.linspace(0, 3, 60)
    >>> library = MaterialsLibrary(np.stack([a, 1 - a], 1), ("A", "B"), {"P": a + drift})
    >>> bool(confounding(library, target_of(library, None))["r2_rest"][0] > 0.5)
    True
    """
    rows = np.flatnonzero(~np.isnan(target.values(library)) & (library.censoring(target.name) == 0))
    used = library.select(rows)
    value = target.values(used)
    compositions = len(np.unique(used.replicates()))
    folds = (grouped if compositions > 1 else shuffled)(used, folds=min(_FOLDS, max(compositions, 2)), seed=seed)
    process = partial(BASELINES["gaussian-process"], preprocessing=Preprocessing(), transform=target.transform)
    errors = held_out(process, used, folds, target=target.name)
    missed = (errors["value"] - errors["predicted"]).set_axis(errors["sample"].astype(str))
    rest = missed.loc[list(used.samples)].to_numpy(np.float64)
    tried = {ORDER: np.arange(len(used), dtype=np.float64)[:, None]} | _covariates(used.covariates)
    tried |= _other_merits(used, target)
    if len(tried) > 2:
        tried[ALL] = np.concatenate(list(tried.values()), axis=1)
    tried[CONTROL] = used.compositions

    def explained(x: Array, y: Array) -> float:
        guess = np.empty(len(y))
        for fold in folds:
            forest = RandomForestRegressor(50, min_samples_leaf=3, random_state=seed)
            guess[fold.held] = forest.fit(x[fold.train], y[fold.train]).predict(x[fold.held])
        return float(1 - np.mean((guess - y) ** 2) / max(float(y.var()), 1e-300))

    table = [(name, explained(x, value), explained(x, rest)) for name, x in tried.items()]
    return pd.DataFrame(table, columns=["covariate", "r2", "r2_rest"])


def _covariates(table: pd.DataFrame) -> dict[str, Array]:
    """Numbers for trees: numeric columns as they are, others as codes, columns of one value left out."""
    found: dict[str, Array] = {}
    for name in table.columns:
        column = table[name]
        if column.nunique(dropna=False) < 2:
            continue
        numbers = column if pd.api.types.is_numeric_dtype(column) else pd.Series(pd.factorize(column)[0])
        found[str(name)] = numbers.fillna(-1).to_numpy(np.float64)[:, None]
    return found


def _other_merits(library: MaterialsLibrary, target: Target) -> dict[str, Array]:
    """Every other column of numbers: a table does not tell what was set from what was measured."""
    others = library.merits.drop(columns=target.name)
    return _covariates(others[[name for name in others if others[name].notna().mean() > _FILLED]])


def _filling(library: MaterialsLibrary, seed: int) -> tuple[float, float]:
    """Median spacing of compositions, and the share of mixtures of two or three of them that lie near a sample."""
    _, first = np.unique(library.replicates(), return_index=True)
    points = library.compositions[first]
    if len(points) < 2:
        return float("nan"), float("nan")
    tree = cKDTree(points)
    spacing = float(np.median(tree.query(points, k=2)[0][:, 1]))
    random = np.random.default_rng(seed)
    chosen = random.integers(len(points), size=(_DRAWS, 3))
    shares = random.dirichlet(np.ones(3), size=_DRAWS)
    shares[::2, 2] = 0  # half of the mixtures are of two
    shares /= shares.sum(1, keepdims=True)
    mixtures = np.einsum("nk,nkd->nd", shares, points[chosen])
    return spacing, float(np.mean(tree.query(mixtures)[0] < 2 * spacing))


def _coverage_sentence(library: MaterialsLibrary, systems: int, spacing: float, filled: float) -> str:
    count = len(np.unique(library.replicates()))
    text = f"Sampled: {len(library)} samples of {count} compositions in {systems} co-alloy systems"
    if count < 2:
        return text + "."
    text += f", neighbours {100 * spacing:.2g} {library.fraction_name} apart (median); {100 * filled:.0f} % of mixtures"
    text += " of sampled compositions have a sample within two such distances"
    return text + (f", {100 - 100 * filled:.0f} % have none: there are wide gaps." if filled < _WIDE else ".")


def _noise_sentence(noise: NoiseCeiling, target: Target, *, spectra: bool) -> str:
    if not noise.groups:
        return "Replicates: none, so that noise cannot be distinguished from what a model fails to learn."
    return (
        f"Replicates: {noise.groups} compositions were made more than once ({noise.samples} samples) and differ by "
        f"{shown(float(noise.noise))}{' ' + target.unit if target.unit else ''} (standard deviation), so that no model "
        f"of composition alone can exceed an R2 of {noise.ceiling:.2f} (90 % interval {noise.low:.2f} to "
        f"{noise.high:.2f})" + ("; one that reads spectra too can." if spectra else ".")
    )


def _inputs(library: MaterialsLibrary) -> str:
    return "composition" if library.spectra is None else "composition and spectrum"


def _alarm(table: pd.DataFrame, target: Target) -> str:
    """Warn where something besides the composition predicts as well as it does, and what it leaves unexplained too."""
    control, others = table.iloc[-1], table.iloc[:-1]
    best = others.iloc[int(others["r2"].argmax())]
    left = best["r2_rest"] >= max(control["r2_rest"], 0.0) + _TELLING
    if not left or best["r2"] < max(_ALARMING, control["r2"] - _TELLING):
        return ""
    return (
        f"The {best['covariate']} alone predicts {target.name} with R2 {best['r2']:.2f}, the composition with "
        f"{control['r2']:.2f}: the model does not know it. Compare samples that were made alike, and look for drift or "
        "batches, before you trust any effect."
    )


def _confounding_sentence(table: pd.DataFrame, target: Target, *, inputs: str) -> str:
    control = max(float(table["r2_rest"].iloc[-1]), 0.0)
    table = table.iloc[:-1]
    # One covariate is named rather than all together, unless they tell clearly more.
    lead = np.where(table["covariate"] == ALL, _TELLING, 0.0)
    best, rest = (table.iloc[int(np.argmax(table[key] - lead))].to_dict() for key in ("r2", "r2_rest"))
    if best["r2"] < _TELLING and rest["r2_rest"] < control + _TELLING:
        return f"Other causes: neither the order in the file nor any other column predicts {target.name} by itself."
    if rest["r2_rest"] < control + _TELLING:
        return (
            f"Other causes: {best['covariate']} alone predicts {target.name} (R2 {best['r2']:.2f} on compositions held "
            f"out), but nothing of what a model of {inputs} leaves unexplained."
        )
    return (
        f"Other causes: {rest['covariate']} predicts what a model of {inputs} leaves unexplained of {target.name} "
        f"(R2 {rest['r2_rest']:.2f} on compositions held out): part of it is due to how or when samples were made."
    )
