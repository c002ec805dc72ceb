"""ARD length scales of a Gaussian process: MAP estimates with log-normal priors."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import pairwise
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from matlens.core.gaussian_process import LogNormal, Posterior, maximise_posterior, rbf, rbf_gradients
from matlens.core.threads import side_by_side
from matlens.hooks import Progress, Silent

__all__ = ["Covariance", "find_covariance", "find_covariances"]

Array = NDArray[np.float64]
# docs/decisions/0044-learned-sums-of-components.md
_ROWS = 700  # rows of a block of the log marginal likelihood; larger blocks take longer and improve it little
_SOME = 550  # rows that a search begins with; with 350 three of four searches ended 11 nats lower (photoanode 101)
_STEPS = (45, 15)  # of a search, the second part with all rows
_STEPS_WITH_SUMS = (110, 40)  # after 60 steps the sums still explain only what additive parts explain as well
_CLOSE = 20.0  # nats of log marginal likelihood; searches that end further below the best one have failed
_SAFE = 1e-7  # relative to the variance; keeps the matrix positive definite if rows are nearly equal
# Priors of the logarithms; inputs and figure of merit have standard deviation 1.
_LENGTH_SCALE = LogNormal(1.0, 1.0, (-4.0, 6.0))  # common to all fractions, and to all scores
# docs/decisions/0043-preset-default-of-libraries.md
_OWN = LogNormal(0.0, 0.3, (-4.0, 4.0))  # of each input, relative to that; wider priors fit noise in few samples
_VARIANCE = LogNormal(-1.0, 1.5, (-8.0, 4.0))
_WIDER = LogNormal(0.0, 1.0, (-3.0, 3.0))
_NOISE = LogNormal(-3.0, 1.5, (-9.0, 1.0))
_WEIGHT = LogNormal(0.0, 0.5, (-10.0, 10.0))  # weight of a fraction in a sum, not its logarithm
_START = 0.4  # standard deviation of the initial weights
_FIRST = (0.0, 1.0, -3.0)  # added to the first initial variances, so that sums are tried before additive parts
_NUMBERS = (*[_VARIANCE] * 6, *[_WIDER] * 3, _NOISE)  # in the order of `_Numbers`


class _Numbers(NamedTuple):
    """Variances of the parts, their length scales relative to the joint part, and the variance of the noise."""

    joint: Tensor
    fractions: Tensor
    each: Tensor
    scores: Tensor
    linear_fractions: Tensor
    linear_scores: Tensor
    wider_fractions: Tensor
    wider_each: Tensor
    wider_scores: Tensor
    noise: Tensor


@dataclass(frozen=True, eq=False)
class Covariance:
    """Covariance function of a Gaussian process with joint and additive parts.

    The parts are RBF kernels of sums and scores together, of the sums, of each fraction and of the scores, and linear
    kernels of fractions and of scores. The sums are weighted sums of fractions; components with similar effects have
    similar weights in them. Sums and additive parts generalise to co-alloys that were never made.

    Parameters
    ----------
    length_scales : ndarray, shape (F,)
        Length scale of each input (ARD); infinite for inputs that have no effect.
    numbers : ndarray, shape (10,)
        Logarithms of the variances of the parts in this order, of the length scales of the second to fourth relative to
        the first, and of the variance of the noise.
    fractions : int
        Number of inputs that are fractions; they come first.
    weights : ndarray, shape (fractions, R)
        Weights of the fractions in R sums, which are the inputs after the fractions.
    log_likelihood : float
        Log marginal likelihood of the training values plus the log density of the priors.

    Examples
    --------
    >>> covariance = Covariance(np.ones(2), np.zeros(10), fractions=2)
    >>> covariance(torch.zeros(1, 2), torch.zeros(1, 2))
    tensor([[3.]])
    """

    length_scales: Array
    numbers: Array
    fractions: int
    weights: Array = field(default_factory=lambda: np.zeros((0, 0)))
    log_likelihood: float = float("nan")

    def __call__(self, a: Tensor, b: Tensor) -> Tensor:
        """Return the covariance, shape (n, N), between scaled inputs of shapes (n, F) and (N, F)."""
        return _covariance(a, b, torch.as_tensor(self.numbers).to(a), *self.counts)

    @property
    def counts(self) -> tuple[int, int]:
        """Numbers of inputs that are fractions and that are sums of them."""
        return self.fractions, self.weights.shape[1]

    @property
    def noise(self) -> float:
        """Variance of the noise."""
        return float(np.exp(self.numbers[-1]))

    def prior(self, a: Tensor) -> Tensor:
        """Return the prior covariance of value and gradient at scaled inputs, shape (n, 1 + F, 1 + F)."""
        numbers, (count, size) = torch.as_tensor(self.numbers).to(a), a.shape
        planes = _plane_variances(numbers, *self.counts, size)
        found, steep = a.new_zeros(count, 1 + size, 1 + size), planes.clone()
        found[:, 0, 0] = a.square() @ planes
        found[:, 0, 1:] = found[:, 1:, 0] = a * planes
        for columns, variance, width in _smooth_parts(numbers, *self.counts, size):
            found[:, 0, 0] += variance
            steep[columns] += variance / width**2
        found[:, 1:, 1:] = steep.diag()
        return found

    def with_gradients(self, a: Tensor, b: Tensor) -> Tensor:
        """Return the covariance of value and gradient at ``a`` with values at ``b``, shape (n, 1 + F, N)."""
        numbers, size = torch.as_tensor(self.numbers).to(a), a.shape[1]
        planes = _plane_variances(numbers, *self.counts, size)
        parts = _smooth_parts(numbers, *self.counts, size)
        found = a.new_empty(len(a), 1 + size, len(b))
        value, gradients = found[:, 0], found[:, 1:]
        torch.matmul(a * planes, b.T, out=value)
        # The kernels that see an input have the same factor (b - a) in their derivative: they are summed first.
        ends = sorted({0, size} | {end for columns, *_ in parts for end in (columns.start, columns.stop)})
        steep: dict[int, Tensor] = {}
        for columns, variance, width in parts:
            kernel = rbf(a[:, columns] / width, b[:, columns] / width).mul_(variance)
            value += kernel
            kernel /= width**2
            for start in ends[ends.index(columns.start) : ends.index(columns.stop)]:
                steep[start] = steep[start] + kernel if start in steep else kernel
        for start, stop in pairwise(ends):
            own = slice(start, stop)
            if start in steep:
                torch.sub(b.T[own], a[:, own, None], out=gradients[:, own])
                gradients[:, own] *= steep[start][:, None]
            else:
                gradients[:, own] = 0
            gradients[:, own] += (b * planes).T[own]
        return found

    def of_finite(self) -> tuple[Covariance, Tensor]:
        """Return the covariance of the inputs with finite length scales, which have an effect, and their numbers."""
        there = np.isfinite(self.length_scales)
        sums = there[self.fractions : self.fractions + self.weights.shape[1]]
        kept = replace(self, length_scales=self.length_scales[there], weights=self.weights[:, sums])
        return kept, torch.from_numpy(np.flatnonzero(there))

    def pull(self, a: Tensor, b: Tensor, duals: Tensor) -> tuple[Tensor, Tensor]:
        """Evaluate functions that are weighted sums of the covariances with training samples.

        Parameters
        ----------
        a : Tensor, shape (n, F)
            Scaled inputs.
        b : Tensor, shape (N, F)
            Scaled inputs of training samples.
        duals : Tensor, shape (m, N)
            Weights of m functions.

        Returns
        -------
        values : Tensor, shape (m, n)
            Values at ``a``.
        gradients : Tensor, shape (m, n, F)
            Gradients with respect to the scaled inputs.
        """
        numbers = torch.as_tensor(self.numbers).to(a)
        variances = _plane_variances(numbers, *self.counts, a.shape[1])
        total = (a * variances) @ b.T
        gradients = ((duals @ b) * variances)[:, None].repeat(1, len(a), 1)
        for columns, variance, width in _smooth_parts(numbers, *self.counts, a.shape[1]):
            near, far = a[:, columns] / width, b[:, columns] / width
            kernel = rbf(near, far).mul_(variance)
            total += kernel
            gradients[..., columns] += rbf_gradients(kernel, near, far, duals) / width
        return (total @ duals.T).T, gradients


def find_covariances(
    inputs: Tensor,
    target: Tensor,
    fractions: int,
    seed: int,
    *,
    sums: int,
    times: int,
    progress: Progress | None = None,
) -> list[Covariance]:
    """Find several covariances with sums of fractions from different initial weights, and keep the best ones.

    If data hardly determine the weights, many have nearly the same log marginal likelihood, and differences between
    them are chance. Searches that end far below the best one are discarded.

    Parameters
    ----------
    inputs : Tensor, shape (n, F)
        Fractions, then scores, with standard deviations of about 1.
    target : Tensor, shape (n,)
        Standardised figure of merit.
    fractions : int
        Number of inputs that are fractions.
    seed : int
        Seed of blocks and initial weights.
    sums : int
        Number of sums in each covariance, as in `find_covariance`.
    times : int
        Number of searches; one is made if there are no sums.
    progress : Progress, optional
        Called with steps done and total, of all searches together.

    Returns
    -------
    list of Covariance
        At most ``times`` covariances. They have the sums of all searches as inputs, with the same ``weights``; the sums
        of other searches have infinite length scales.

    Examples
    --------
    >>> x = torch.rand(40, 3, generator=torch.Generator().manual_seed(0)) * 4 - 2
    >>> found = find_covariances(x, x.sum(1).sin(), fractions=3, seed=0, sums=1, times=2)
    >>> found[0].weights.shape, [np.isinf(one.length_scales).tolist() for one in found]
    ((3, 2), [[False, False, False, False, True], [False, False, False, True, False]])
    """
    report, stop, lock, done = progress or Silent(), threading.Event(), threading.Lock(), 0

    def step(_: Array) -> None:
        nonlocal done
        if stop.is_set():
            raise StopIteration  # ends the search
        with lock:
            done += 1
            report.update(done)

    def find(number: int) -> Covariance:
        return find_covariance(inputs, target, fractions, seed, sums=sums, start=number, step=step)

    several = _has_sums(fractions, sums)
    report.begin(sum(_steps(len(target), several)) * (times if several else 1), "fitting length scales")
    found = side_by_side(find, range(times if several else 1), stop)
    report.end()
    best = max(one.log_likelihood for one in found)
    found = [one for one in found if one.log_likelihood > best - _CLOSE]
    weights, each = np.concatenate([one.weights for one in found], 1), found[0].weights.shape[1]
    widened = []
    for number, one in enumerate(found):
        of_fractions, of_sums, of_scores = np.split(one.length_scales, [fractions, fractions + each])
        length_scales = np.full((len(found), each), np.inf)
        length_scales[number] = of_sums
        joined = np.concatenate([of_fractions, length_scales.ravel(), of_scores])
        widened.append(replace(one, length_scales=joined, weights=weights))
    return widened


def find_covariance(
    inputs: Tensor,
    target: Tensor,
    fractions: int,
    seed: int,
    *,
    sums: int = 0,
    start: int = 0,
    step: Callable[[Array], None] | None = None,
) -> Covariance:
    """Find MAP estimates of ARD length scales and variances, with log-normal priors.

    Automatic relevance determination (ARD): Rasmussen and Williams, Gaussian Processes for Machine Learning (2006),
    section 5.4. Sums: Vivarelli and Williams, Discovering hidden features with Gaussian processes regression,
    NeurIPS 11 (1999). Fractions have a common prior length scale, and so have scores; each input departs from it as far
    as the data require.

    Parameters
    ----------
    inputs : Tensor, shape (n, F)
        Fractions, then scores, with standard deviations of about 1.
    target : Tensor, shape (n,)
        Standardised figure of merit.
    fractions : int
        Number of inputs that are fractions.
    seed : int
        Seed of the division into blocks of at most 700 rows, and of the initial weights of sums.
    sums : int
        Number of weighted sums of fractions. They are left out unless there are more than twice as many fractions,
        because they serve to reduce the number of inputs.
    start : int
        Number of the initial weights.
    step : callable, optional
        Called with the parameters after each iteration; it may raise StopIteration.

    Returns
    -------
    Covariance
        The fitted covariance.

    Examples
    --------
    >>> x = torch.rand(60, 2, generator=torch.Generator().manual_seed(0)) * 4 - 2
    >>> length_scales = find_covariance(x, x[:, 0].sin(), fractions=2, seed=0).length_scales
    >>> bool(length_scales[1] > 2 * length_scales[0])
    True
    """
    order = np.random.default_rng(seed).permutation(len(target))
    x, y = inputs.cpu().double()[order], target.cpu().double()[order]
    whole = [slice(own[0], own[-1] + 1) for own in np.array_split(np.arange(len(x)), -(-len(x) // _ROWS))]
    size, sums = x.shape[1], sums if _has_sums(fractions, sums) else 0
    priors = [_OWN] * size + [_LENGTH_SCALE] * 2 + list(_NUMBERS) + [_WEIGHT] * (fractions * sums)
    counts = [size, 2, len(_NUMBERS), fractions * sums]
    common = torch.tensor([0] * fractions + [1] * (size - fractions))

    def likelihood(blocks: list[slice], point: Array) -> tuple[float, Array]:
        with torch.enable_grad():
            found = torch.tensor(point, requires_grad=True)
            own, both, numbers, weights = torch.split(found, counts)
            scaled, added = x / (own + both[common]).exp(), x[:, :fractions] @ weights.reshape(fractions, sums)
            scaled = torch.cat([scaled[:, :fractions], added, scaled[:, fractions:]], 1)
            parts = _smooth_parts(numbers, fractions, sums, scaled.shape[1])
            planes, noise = _plane_variances(numbers, fractions, sums, scaled.shape[1]), numbers[-1].exp() + _SAFE
            variances, widths = torch.stack([part[1] for part in parts]), torch.stack([part[2] for part in parts])
            terms = (scaled, planes, variances, widths, noise)
            columns = [part[0] for part in parts]
            value, gradients = _likelihood([term.detach() for term in terms], y, columns, blocks)
            free = [k for k, term in enumerate(terms) if term.requires_grad]  # of one part alone the width is fixed
            (gradient,) = torch.autograd.grad([terms[k] for k in free], found, [gradients[k] for k in free])
        return value, gradient.numpy()

    def search(start: Array) -> tuple[Array, float]:
        # Most of the way is gone with some of the rows, where a step costs a fraction.
        found, parts = (start, 0.0), ([slice(0, _SOME)], whole) if len(x) > _SOME else (whole,)
        for blocks, steps in zip(parts, _steps(len(x), sums > 0), strict=True):
            of_rows = partial(likelihood, blocks)
            found = maximise_posterior(of_rows, priors, steps=steps, start=found[0], callback=step)
        return found

    # on one thread, so that the result does not depend on the number of threads
    first = np.array([prior.mean for prior in priors])
    if sums:
        first[size + 2 : size + 5] += _FIRST
        first[-fractions * sums :] = _START * np.random.default_rng([seed, start]).standard_normal(fractions * sums)
    ((best, log_likelihood),) = side_by_side(search, [first])
    own, both, numbers, weights = np.split(best, np.cumsum(counts)[:-1])
    length_scales = np.insert(np.exp(own + both[common.numpy()]), [fractions] * sums, 1.0)
    return Covariance(length_scales, numbers, fractions, weights.reshape(fractions, sums), log_likelihood)


def _likelihood(
    terms: Sequence[Tensor], y: Tensor, columns: Sequence[slice], blocks: Sequence[slice]
) -> tuple[float, tuple[Tensor, ...]]:
    """Log marginal likelihood, without constants, and its derivatives with respect to the terms.

    The terms are inputs, variances of linear kernels, variances and length scales of RBF kernels, and noise. The chain
    rule from the covariance on is written out, because automatic differentiation through all matrices takes three times
    as long.
    """
    x, planes, variances, widths, noise = terms
    value, gradients = 0.0, tuple(torch.zeros_like(term) for term in terms)
    of_x, of_planes, of_variances, of_widths, of_noise = gradients
    for block in blocks:
        own = x[block]
        covariance, parts = (own * planes) @ own.T, []
        for cols, variance, width in zip(columns, variances, widths):
            near = own[:, cols] / width
            parts.append((cols, width, near, rbf(near, near)))
            covariance += variance * parts[-1][-1]
        covariance.diagonal().add_(noise)
        known = Posterior.given(covariance, y[block])
        value += known.log_likelihood()
        steep = known.likelihood_gradient()
        of_noise += steep.trace()
        moved = steep @ own
        of_planes += (own * moved).sum(0)
        of_x[block] += 2 * moved * planes
        for k, (cols, width, near, kernel) in enumerate(parts):
            kernel *= steep
            of_variances[k] += kernel.sum()
            pulled = 2 * variances[k] * (kernel @ near - kernel.sum(1)[:, None] * near)
            of_x[block, cols] += pulled / width
            of_widths[k] -= (pulled * near).sum() / width
    return value, gradients


def _steps(rows: int, sums: bool) -> tuple[int, ...]:
    """Greatest number of steps of each part of a search."""
    steps = _STEPS_WITH_SUMS if sums else _STEPS
    return steps if rows > _SOME else (sum(steps),)


def _has_sums(fractions: int, sums: int) -> bool:
    return 2 * sums < fractions


def _covariance(a: Tensor, b: Tensor, numbers: Tensor, fractions: int, sums: int) -> Tensor:
    total: Tensor = (a * _plane_variances(numbers, fractions, sums, a.shape[1])) @ b.T
    for columns, variance, width in _smooth_parts(numbers, fractions, sums, a.shape[1]):
        total = total + variance * rbf(a[:, columns] / width, b[:, columns] / width)
    return total


def _smooth_parts(numbers: Tensor, fractions: int, sums: int, count: int) -> list[tuple[slice, Tensor, Tensor]]:
    """Columns, variance and length scale of each RBF kernel."""
    n = _Numbers(*numbers.exp())
    first = slice(fractions if sums else 0, fractions + sums)
    parts = [(slice(first.start, count), n.joint, torch.ones_like(n.joint))]
    if fractions:
        each = n.each / fractions
        parts += [(first, n.fractions, n.wider_fractions)]
        parts += [(slice(k, k + 1), each, n.wider_each) for k in range(fractions)]
    if fractions and first.stop < count:  # with scores alone, the joint part is theirs
        parts += [(slice(first.stop, count), n.scores, n.wider_scores)]
    return parts


def _plane_variances(numbers: Tensor, fractions: int, sums: int, count: int) -> Tensor:
    n = _Numbers(*numbers.exp())
    scores = n.linear_scores.expand(count - fractions - sums)
    return torch.cat([n.linear_fractions.expand(fractions), n.noise.new_zeros(sums), scores])
