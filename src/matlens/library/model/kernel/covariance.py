"""ARD length scales of a Gaussian process: MAP estimates with log-normal priors."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
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
_ROWS = 700  # of which the evidence is taken together; more cost the square, and tell little more
_STEPS = 60
_STEPS_WITH_SUMS = 150  # at 60 their weights have not yet left what additive parts explain as well
_CLOSE = 20.0  # nats of evidence; searches that end further below the best one have failed
_SAFE = 1e-7  # of the variance, so that the matrix of near copies stays positive
# Logarithms: where a number is expected, how surely, and its range; inputs and figure of merit have spread 1.
_LENGTH = LogNormal(1.0, 1.0, (-4.0, 6.0))  # that of all fractions, and that of all scores
# docs/decisions/0043-preset-default-of-libraries.md
_OWN = LogNormal(0.0, 0.3, (-4.0, 4.0))  # each one's over that: freer ones fit noise where samples are few
_VARIANCE = LogNormal(-1.0, 1.5, (-8.0, 4.0))
_WIDER = LogNormal(0.0, 1.0, (-3.0, 3.0))
_NOISE = LogNormal(-3.0, 1.5, (-9.0, 1.0))
_WEIGHT = LogNormal(0.0, 0.5, (-10.0, 10.0))  # not a logarithm: of a fraction in a sum
_START = 0.4  # spread of weights to start from
_FIRST = (0.0, 1.0, -3.0)  # added to the first variances to start from: additive parts may take over once sums cannot
_NUMBERS = (*[_VARIANCE] * 6, *[_WIDER] * 3, _NOISE)  # in the order of `_Numbers`


class _Numbers(NamedTuple):
    """Variances of the parts, widths over those of the joint part, and the variance of the noise."""

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
    """Covariance of figures of merit as a sum: what depends on all inputs together, and simpler parts.

    The parts are smooth functions of sums and scores together, of the sums, of each fraction by itself, of the scores,
    and planes in fractions and in scores. Sums are weighted ones of the fractions, in which components that act alike
    have like weights; they and the simple parts are what carries over to co-alloys that were never made.

    Parameters
    ----------
    length_scales : ndarray, shape (F,)
        By how much each input must change to matter; infinite where it never does.
    numbers : ndarray, shape (10,)
        Logarithms of the parts' variances in this order; of the widths of the second to fourth over the first's; of
        the variance of the noise.
    fractions : int
        How many of the inputs, the first ones, are fractions.
    weights : ndarray, shape (fractions, R)
        Of the fractions in the sums, which are the inputs behind the fractions.
    log_likelihood : float
        Logarithm of how likely it makes the figures of merit it was found from, priors included.

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
        """Covariance, shape (n, N), between inputs over their length scales, shapes (n, F) and (N, F)."""
        return _covariance(a, b, torch.as_tensor(self.numbers).to(a), *self.counts)

    @property
    def counts(self) -> tuple[int, int]:
        """How many inputs are fractions, and how many are sums of them."""
        return self.fractions, self.weights.shape[1]

    @property
    def noise(self) -> float:
        """Variance of what the inputs do not explain."""
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
        """Covariance of value and slopes at a with values at b, shape (n, 1 + F, N)."""
        numbers, size = torch.as_tensor(self.numbers).to(a), a.shape[1]
        slopes = (b * _plane_variances(numbers, *self.counts, size)).T.repeat(len(a), 1, 1)
        for columns, variance, width in _smooth_parts(numbers, *self.counts, size):
            near, far = a[:, columns] / width, b[:, columns] / width
            slopes[:, columns] += (variance * rbf(near, far))[:, None] * (far.T - near[:, :, None]) / width
        return torch.cat([self(a, b)[:, None], slopes], 1)

    def pull(self, a: Tensor, b: Tensor, duals: Tensor) -> tuple[Tensor, Tensor]:
        """Values, shape (m, n), and slopes, shape (m, n, F), at a of the functions with these duals, shape (m, N)."""
        numbers = torch.as_tensor(self.numbers).to(a)
        planes = (duals @ b) * _plane_variances(numbers, *self.counts, a.shape[1])
        slopes = planes[:, None].repeat(1, len(a), 1)
        for columns, variance, width in _smooth_parts(numbers, *self.counts, a.shape[1]):
            near, far = a[:, columns] / width, b[:, columns] / width
            slopes[..., columns] += rbf_gradients(variance * rbf(near, far), near, far, duals) / width
        return (self(a, b) @ duals.T).T, slopes


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
    """Find a covariance with sums of fractions several times, from other weights, and keep what is about as evident.

    Data that do not tell the weights have many of nearly the same evidence; what depends on which was found is chance.
    Some searches end where evidence is far less.

    Parameters
    ----------
    inputs, target, fractions, seed, sums
        As for `find_covariance`.
    times : int
        How often; once where there are no sums.
    progress : Progress, optional
        Called with steps done and total, of all searches together.

    Returns
    -------
    list of Covariance
        At most ``times``. Each has the sums of all for its inputs, with the same ``weights``; those that others found
        have infinite length scales.

    Examples
    --------
    >>> x = torch.rand(40, 3, generator=torch.Generator().manual_seed(0)) * 4 - 2
    >>> found = find_covariances(x, x.sum(1).sin(), fractions=3, seed=0, sums=1, times=2)
    >>> found[0].weights.shape, [np.isinf(one.length_scales).tolist() for one in found]
    ((3, 2), [[False, False, False, False, True], [False, False, False, True, False]])
    """
    told, stop, lock, done = progress or Silent(), threading.Event(), threading.Lock(), 0

    def step(_: Array) -> None:
        nonlocal done
        if stop.is_set():
            raise StopIteration  # ends the search
        with lock:
            done += 1
            told.update(done)

    def find(number: int) -> Covariance:
        return find_covariance(inputs, target, fractions, seed, sums=sums, start=number, step=step)

    several = _has_sums(fractions, sums)
    told.begin(times * _STEPS_WITH_SUMS if several else _STEPS, "finding what matters")
    found = side_by_side(find, range(times if several else 1), stop)
    told.end()
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
    """Find MAP estimates of length scales and variances, with log-normal priors.

    Fractions have a length in common, and so have scores, from which the length of each departs as far as the data ask.

    Parameters
    ----------
    inputs : Tensor, shape (n, F)
        Fractions, then scores, of spread about 1.
    target : Tensor, shape (n,)
        Standardised figure of merit.
    fractions : int
        How many inputs are fractions.
    seed : int
        Of which rows are looked at together, where there are more than 700, and of the weights that sums start from.
    sums : int
        Weighted sums of the fractions to find; none unless there are more than twice as many fractions, for sums are
        to say the same with fewer numbers.
    start : int
        Number of the weights to start from.
    step : callable, optional
        Called after every step; may raise StopIteration.

    Notes
    -----
    Rasmussen and Williams, Gaussian Processes for Machine Learning (2006), section 5.4: automatic relevance
    determination. Vivarelli and Williams, Discovering hidden features with Gaussian processes regression (1999): the
    sums.

    Examples
    --------
    >>> x = torch.rand(60, 2, generator=torch.Generator().manual_seed(0)) * 4 - 2
    >>> length_scales = find_covariance(x, x[:, 0].sin(), fractions=2, seed=0).length_scales
    >>> bool(length_scales[1] > 2 * length_scales[0])
    True
    """
    order = np.random.default_rng(seed).permutation(len(target))
    x, y = inputs.cpu().double()[order], target.cpu().double()[order]
    blocks = [slice(own[0], own[-1] + 1) for own in np.array_split(np.arange(len(x)), -(-len(x) // _ROWS))]
    size, sums = x.shape[1], sums if _has_sums(fractions, sums) else 0
    priors = [_OWN] * size + [_LENGTH] * 2 + list(_NUMBERS) + [_WEIGHT] * (fractions * sums)
    counts = [size, 2, len(_NUMBERS), fractions * sums]
    common = torch.tensor([0] * fractions + [1] * (size - fractions))

    def likelihood(point: Array) -> tuple[float, Array]:
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

    def search(first: Array) -> tuple[Array, float]:
        steps = _STEPS_WITH_SUMS if sums else _STEPS
        return maximise_posterior(likelihood, priors, steps=steps, start=first, callback=step)

    # on one thread, so that the number of threads changes nothing
    first = np.array([prior.mean for prior in priors])
    if sums:
        first[size + 2 : size + 5] += _FIRST
        first[-fractions * sums :] = _START * np.random.default_rng([seed, start]).standard_normal(fractions * sums)
    ((best, evidence),) = side_by_side(search, [first])
    own, both, numbers, weights = np.split(best, np.cumsum(counts)[:-1])
    length_scales = np.insert(np.exp(own + both[common.numpy()]), [fractions] * sums, 1.0)
    return Covariance(length_scales, numbers, fractions, weights.reshape(fractions, sums), evidence)


def _likelihood(
    terms: Sequence[Tensor], y: Tensor, columns: Sequence[slice], blocks: Sequence[slice]
) -> tuple[float, tuple[Tensor, ...]]:
    """Log marginal likelihood, without constants, and its derivatives with respect to the terms.

    These are inputs, variances of planes, variances and widths of smooth parts, and noise. From the derivative with
    respect to the covariance on, the chain rule is written out: recording every step on matrices takes three times as
    long.
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


def _has_sums(fractions: int, sums: int) -> bool:
    return 2 * sums < fractions


def _covariance(a: Tensor, b: Tensor, numbers: Tensor, fractions: int, sums: int) -> Tensor:
    total: Tensor = (a * _plane_variances(numbers, fractions, sums, a.shape[1])) @ b.T
    for columns, variance, width in _smooth_parts(numbers, fractions, sums, a.shape[1]):
        total = total + variance * rbf(a[:, columns] / width, b[:, columns] / width)
    return total


def _smooth_parts(numbers: Tensor, fractions: int, sums: int, count: int) -> list[tuple[slice, Tensor, Tensor]]:
    """Columns, variance and width of each part that is a squared exponential."""
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
