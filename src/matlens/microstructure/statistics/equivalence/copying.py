"""The copy test: does a result match its exemplar because it repeats pieces of it?

Every patch of the result is looked up in the exemplar: its best normalised match over all shifts and symmetries. What
counts as suspicious is set by the exemplar itself: how well its own patches are matched elsewhere in it.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import fft

from matlens.errors import InputError
from matlens.microstructure.statistics.correlation.correlation_length import covariance_reach
from matlens.microstructure.statistics.equivalence.verbatim import largest_verbatim_block, symmetries
from matlens.microstructure.structure import Microstructure

__all__ = ["COPY_LIMIT", "CopyTest", "coarseness", "pasted_blocks", "patch_sides"]

Array = NDArray[np.float32]

PATCHES = 144  # looked up per structure and side; all of them would be mostly the same pixels over again
QUANTILE = 0.99
COPY_LIMIT = 0.05  # beyond the expected share, which is 1 % by construction
CHANCE = 6  # disjoint patches above the best of as many others: less likely than 2 ** -6
SURE = 0.75  # however few patches there are
SAME = 0.9999  # a match this good is verbatim in float32
SCATTER = 2.5  # standard deviations
BATCH_VALUES = 1 << 21
COARSE = 12  # pixels across which a wide patch is looked up first
NARROW = 6  # pixels across which a patch still has a shape
PRODUCTS = 1e8  # of places and pixels of a patch: above, patches are averaged further, down to the narrowest
FEW_VALUES = 256  # of a patch; more are faster looked up by Fourier transforms
LEAST = 0.5  # sum of squares; a window of a single phase has none, and no correlation


class CopyTest:
    """Test whether results repeat parts of the exemplars.

    Parameters
    ----------
    exemplars : sequence of Microstructure
        One or more fields of the material, of one dimension and number of phases.

    Notes
    -----
    Patches are w = 2 and 4 reaches of the covariance wide, at most a quarter of the exemplar (`patch_sides`), and lie
    on a regular grid, about 144 of them. Their match is the correlation coefficient of the phase indicators; patches of
    a single phase say nothing and are left out. The threshold is the 99 % quantile of the same measure for patches of
    the exemplars themselves, each matched only with windows disjoint from it. Where simple patches repeat pixel for
    pixel, so that it is 1, the smaller w decides nothing; for the larger one "above" then means verbatim, and more than
    1 % is expected.

    A result copies if more patches lie above than expected by over 5 %, by over six disjoint patches (a field holds few
    of those, and one of them alone may be 8 % of a small image) and by over 2.5 standard deviations of the difference
    of two such shares; and always above 75 %.

    Examples
    --------
    >>> from matlens.microstructure.problems import gaussian_field
    >>> exemplar = gaussian_field((96, 96), 4.0, 0.4, seed=0)
    >>> test = CopyTest([exemplar])
    >>> copied, fresh = test(pasted_blocks(exemplar, (96, 96), 32)), test(gaussian_field((96, 96), 4.0, 0.4, seed=1))
    >>> bool(copied["copies"].any()), bool(fresh["copies"].any())
    (True, False)
    """

    def __init__(self, exemplars: Sequence[Microstructure]) -> None:
        self.exemplars = list(exemplars)
        self.sides = patch_sides(self.exemplars)
        self._finders = {w: [_Finder(e, w) for e in self.exemplars] for w in self.sides}
        self._own = {w: self._own_matches(w) for w in self._finders}
        self.largest_block_expected = max(map(_block_between_halves, self.exemplars))

    def __call__(self, result: Microstructure) -> pd.DataFrame:
        """Test one result.

        Parameters
        ----------
        result : Microstructure
            Structure of the exemplars' dimension and number of phases; its size is free.

        Returns
        -------
        DataFrame
            One row a patch side: ``patch`` (pixels), ``patches`` (number looked up), ``threshold``, ``copy_share``
            (share of patches above it), ``expected_share`` (of the exemplars' own), ``limit`` (``copies`` above it),
            ``median_match``, ``largest_block`` (side of the largest square of more than one phase that an exemplar
            holds too), ``largest_block_expected`` (the same between halves of an exemplar), ``copies``.

        Raises
        ------
        InputError
            If the dimension or the number of phases differs from the exemplars'.
        """
        first = self.exemplars[0]
        if result.ndim != first.ndim or result.n_phases != first.n_phases:
            raise InputError(f"cannot look for pieces of {first!r} in {result!r}: dimension and phases must agree.")
        block = largest_verbatim_block(result, self.exemplars)
        rows = []
        for w, finders in self._finders.items():
            own = self._own[w]
            patches, corners = _patches(result, w)
            matches = np.max([finder(patches) for finder in finders], axis=0) if len(patches) else own[:0]
            threshold = min(float(np.quantile(own, QUANTILE)), SAME) if own.size else SAME
            share, expected = _share_above(matches, threshold), _share_above(own, threshold)
            disjoint = min(_disjoint(result, w), sum(_disjoint(exemplar, w) for exemplar in self.exemplars))
            rows.append(
                {
                    "patch": w,
                    "patches": len(corners),
                    "threshold": threshold,
                    "copy_share": share,
                    "expected_share": expected,
                    "limit": min(expected + _margin(expected, disjoint), SURE),
                    "median_match": float(np.median(matches)) if matches.size else float("nan"),
                    "largest_block": block,
                    "largest_block_expected": self.largest_block_expected,
                }
            )
        table = pd.DataFrame(rows)
        judged = (table["threshold"] < SAME) | (table["patch"] == max(self.sides))
        return table.assign(copies=judged & (table["copy_share"] > table["limit"]))

    def _own_matches(self, w: int) -> Array:
        """Best matches of the exemplars' own patches among windows disjoint from them."""
        found = [np.zeros(0, dtype=np.float32)]
        for exemplar in self.exemplars:
            patches, corners = _patches(exemplar, w)
            if len(patches):
                own = [f(patches, corners if f.exemplar is exemplar else None) for f in self._finders[w]]
                found.append(np.max(own, axis=0))
        matches = np.concatenate(found)
        return matches[matches > -1]


def patch_sides(exemplars: Sequence[Microstructure]) -> list[int]:
    """Choose the patch sides: 2 and 4 reaches of the covariance, at most a quarter of an exemplar's shortest side.

    Parameters
    ----------
    exemplars : sequence of Microstructure
        Fields of one material.

    Returns
    -------
    list of int
        Sides in pixels, ascending.

    Examples
    --------
    >>> from matlens.microstructure.problems import gaussian_field
    >>> patch_sides([gaussian_field((96, 96), 4.0, 0.4, seed=0)])
    [8, 16]
    """
    smallest = min(side for exemplar in exemplars for side in exemplar.shape)
    lengths = np.concatenate([covariance_reach(exemplar) for exemplar in exemplars])
    known = lengths[~np.isnan(lengths)]
    length = float(known.mean()) if known.size else smallest / 8
    return sorted({min(max(4, round(factor * length)), max(2, smallest // 4)) for factor in (2, 4)})


def pasted_blocks(exemplar: Microstructure, shape: Sequence[int], block: int, seed: int = 0) -> Microstructure:
    """Fill an image with blocks cut out of the exemplar at random: the control that must fail the copy test.

    Parameters
    ----------
    exemplar : Microstructure
        Where the blocks come from; of one with masked pixels, the largest rectangle without them.
    shape : sequence of int
        Pixels of the image along each axis.
    block : int
        Side of the blocks in pixels, at most the exemplar's.
    seed : int
        Seed of the positions.

    Returns
    -------
    Microstructure
        Not periodic.

    Raises
    ------
    InputError
        If the block does not fit into the exemplar, or the shape has the wrong number of sizes.

    Examples
    --------
    >>> from matlens.microstructure.problems import white_noise
    >>> pasted_blocks(white_noise((16, 16), (0.5, 0.5)), (20, 12), 8)
    Microstructure(20 x 12, 2 phases, 1 px)
    """
    exemplar = exemplar.unmasked()
    if not 1 <= block <= min(exemplar.shape) or len(shape) != exemplar.ndim:
        raise InputError(f"blocks of {block} pixels for shape {tuple(shape)} cannot be cut out of {exemplar!r}.")
    rng = np.random.default_rng(seed)
    labels = np.empty([-(-side // block) * block for side in shape], dtype=np.uint8)
    for index in np.ndindex(*(side // block for side in labels.shape)):
        corner = [int(rng.integers(side - block + 1)) for side in exemplar.shape]
        target = tuple(slice(i * block, (i + 1) * block) for i in index)
        labels[target] = exemplar.labels[tuple(slice(c, c + block) for c in corner)]
    return exemplar.with_labels(labels[tuple(slice(side) for side in shape)], periodic=False)


def coarseness(w: int, shape: Sequence[int]) -> int:
    """Return the side of the blocks of pixels that are averaged before patches are looked up.

    Parameters
    ----------
    w : int
        Side of the patches.
    shape : sequence of int
        Pixels of the field in which they are looked up along each axis.

    Returns
    -------
    int
        Pixels along each axis; 1 for narrow patches, and more in a large field.

    Examples
    --------
    >>> coarseness(10, (512, 512)), coarseness(18, (512, 512)), coarseness(18, (2048, 2048)), coarseness(48, (512, 512))
    (1, 1, 2, 4)
    """
    factor = max(1, w // COARSE)
    products = float(np.prod(shape, dtype=float)) * w ** len(shape)
    while w // (factor + 1) >= NARROW and products > PRODUCTS * factor ** (2 * len(shape)):
        factor += 1
    return factor


class _Finder:
    """Best normalised match of patches of one side in one exemplar.

    Wide patches are looked up in an exemplar whose pixels are averaged over blocks, and the best place is then matched
    again with all pixels around it. A search at full size takes a time that grows with the square of the resolution.
    """

    def __init__(self, exemplar: Microstructure, w: int) -> None:
        self.exemplar, self.w = exemplar, w
        self.field, self.known = _channels(exemplar), exemplar.mask
        self.factor = coarseness(w, exemplar.shape)
        coarse, known = _averaged(self.field, self.factor, exemplar.ndim), self.known
        if known is not None and self.factor > 1:  # a block is known if all of its pixels are
            known = _averaged(known.astype(np.float32), self.factor, exemplar.ndim) > 1 - 1e-6
        self.search = _Search(coarse, w // self.factor, known, least=LEAST / self.factor**exemplar.ndim)

    def __call__(self, patches: Array, corners: NDArray[np.intp] | None = None) -> Array:
        """Best match of each patch, shape (n,); with ``corners``, only among windows disjoint from the patch's own."""
        if self.factor == 1:
            return self.search(patches, corners)[0]
        coarse = _averaged(patches, self.factor, self.exemplar.ndim)
        # Rounding of corners, sides and places, and the step to the exact place, take up to three blocks.
        taken = None if corners is None else corners // self.factor
        _, places, turns = self.search(coarse, taken, apart=3)
        return np.array([self._exact(*item) for item in zip(patches, places * self.factor, turns)], dtype=np.float32)

    def _exact(self, patch: Array, place: NDArray[np.intp], turn: int) -> float:
        """Best match with all pixels, of the patch turned as it was found, within a block of the coarse place."""
        if turn < 0:
            return -1.0  # no window was left to look at
        turned = symmetries(patch, self.exemplar.ndim)[turn]
        around = tuple(slice(max(0, int(at) - self.factor), int(at) + self.factor + self.w) for at in place)
        known = None if self.known is None else self.known[around]
        return float(_Search(self.field[(slice(None), *around)], self.w, known).plain(turned[None])[0])


class _Search:
    """Normalised match of patches at every place of a field: by Fourier transforms, or of small patches by products."""

    def __init__(self, field: Array, w: int, known: NDArray[np.bool_] | None = None, least: float = LEAST) -> None:
        self.w, self.ndim = w, field.ndim - 1
        shape = field.shape[1:]
        self.axes = tuple(range(-self.ndim, 0))
        self.field = field
        self.size = [fft.next_fast_len(side, real=True) for side in shape]
        self.valid = tuple(slice(side - w + 1) for side in shape)
        inside, squared = (
            self._windows(values.astype(np.float64)) for values in (field, field.astype(np.float64) ** 2)
        )
        variance = (squared - inside**2 / w**self.ndim).sum(axis=0)
        self.scale = np.where(variance > least, 1 / np.sqrt(np.maximum(variance, least)), 0).astype(np.float32)
        if known is not None:
            self.scale[~_windows_known(known, w)] = 0  # nothing matches what is not known

    def _windows(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """Sum values over every window, from running sums."""
        for axis in self.axes:
            total = np.cumsum(values, axis=axis)
            total = np.concatenate([np.zeros_like(total.take([0], axis)), total], axis=axis)
            count = total.shape[axis]
            values = total.take(range(self.w, count), axis) - total.take(range(count - self.w), axis)
        return values

    def __call__(
        self, patches: Array, corners: NDArray[np.intp] | None = None, *, apart: int = 0
    ) -> tuple[Array, NDArray[np.intp], NDArray[np.intp]]:
        """Best match of each patch in any orientation, its place, and the number of the orientation (-1: nowhere)."""
        best = np.full(len(patches), -1, dtype=np.float32)
        places, turns = np.zeros((len(patches), self.ndim), dtype=np.intp), np.full(len(patches), -1)
        if patches.size <= FEW_VALUES * len(patches):
            return self._by_products(patches, corners, apart)
        batch = max(1, BATCH_VALUES // (patches.shape[1] * int(np.prod(self.size))))
        for turn, turned in enumerate(symmetries(self._normalised(patches), self.ndim)):
            for start in range(0, len(patches), batch):
                part = slice(start, start + batch)
                match = self._match(turned[part])
                if corners is not None:
                    self._mask_own(match, corners[part], apart)
                flat = match.reshape(len(match), -1)
                at = flat.argmax(axis=1)
                found = np.take_along_axis(flat, at[:, None], axis=1)[:, 0]
                better = found > best[part]
                places[part][better] = np.stack(np.unravel_index(at[better], match.shape[1:]), axis=-1)
                turns[part][better] = turn
                best[part] = np.maximum(best[part], found)
        return best, places, turns

    def _by_products(
        self, patches: Array, corners: NDArray[np.intp] | None, apart: int
    ) -> tuple[Array, NDArray[np.intp], NDArray[np.intp]]:
        """Multiply every window with every patch in every orientation, some rows of the field at a time."""
        turned = symmetries(self._normalised(patches), self.ndim)
        best = np.full(len(patches), -1, dtype=np.float32)
        places, turns = np.zeros((len(patches), self.ndim), dtype=np.intp), np.full(len(patches), -1)
        windows = np.lib.stride_tricks.sliding_window_view(self.field, (self.w,) * self.ndim, axis=self.axes)
        windows = np.moveaxis(windows, 0, self.ndim)  # the places first
        rows = max(1, BATCH_VALUES // (len(patches) * int(np.prod(windows.shape[1 : self.ndim]))))
        for row in range(0, len(windows), rows):
            part, first = windows[row : row + rows], np.array([row, *[0] * (self.ndim - 1)])
            shape, columns = part.shape[: self.ndim], part.reshape(-1, patches[0].size).T
            for turn, kernels in enumerate(turned):
                match = kernels.reshape(len(patches), -1) @ columns
                match *= self.scale[row : row + rows].reshape(-1)
                if corners is not None:
                    self._mask_own(match.reshape(-1, *shape), corners - first, apart)
                at = match.argmax(axis=1)
                found = match[np.arange(len(patches)), at]
                better = found > best
                best[better], turns[better] = found[better], turn
                places[better] = np.stack(np.unravel_index(at[better], shape), axis=-1) + first
        return best, places, turns

    @cached_property
    def spectrum(self) -> NDArray[np.complex64]:
        """Fourier transform of the field."""
        made: NDArray[np.complex64] = fft.rfftn(self.field, s=self.size, axes=self.axes)
        return made

    def plain(self, patches: Array) -> Array:
        """Best match of each patch as it is, in no other orientation, shape (n,)."""
        match = self._match(self._normalised(patches))
        best: Array = match.reshape(len(match), -1).max(axis=1)
        return best

    def _normalised(self, patches: Array) -> Array:
        centred = patches - patches.mean(axis=self.axes, keepdims=True)
        norm = np.sqrt((centred**2).sum(axis=(1, *self.axes), keepdims=True))
        normalised: Array = centred / np.maximum(norm, np.finfo(np.float32).tiny)  # averages may be uniform
        return normalised

    def _match(self, patches: Array) -> Array:
        spectrum = fft.rfftn(patches, s=self.size, axes=self.axes)
        product = (self.spectrum * spectrum.conj()).sum(axis=1)
        match: Array = fft.irfftn(product, s=self.size, axes=self.axes)[(slice(None), *self.valid)] * self.scale
        return match

    def _mask_own(self, match: Array, corners: NDArray[np.intp], apart: int) -> None:
        reach = self.w + apart
        for row, corner in zip(match, corners, strict=True):
            row[tuple(slice(max(0, c - reach + 1), max(0, c + reach)) for c in corner)] = -1


def _averaged(fields: Array, factor: int, ndim: int) -> Array:
    """Average blocks of pixels over the last axes; pixels that fill no block are cut off."""
    for axis in range(fields.ndim - ndim, fields.ndim):
        whole = fields.shape[axis] // factor
        kept = fields.take(range(whole * factor), axis)
        fields = kept.reshape(*kept.shape[:axis], whole, factor, *kept.shape[axis + 1 :]).mean(axis=axis + 1)
    return fields


def _channels(m: Microstructure) -> Array:
    """Indicators that tell all phases apart: the second of two, or every one; shape (channels, *space)."""
    return m.indicators()[1 if m.n_phases == 2 else 0 :].astype(np.float32)


def _windows_known(mask: NDArray[np.bool_], w: int) -> NDArray[np.bool_]:
    """Whether the window of side w that starts at each pixel, where it fits, holds no masked pixel."""
    known = mask
    for axis in range(mask.ndim):
        known = np.asarray(np.lib.stride_tricks.sliding_window_view(known, w, axis=axis).all(axis=-1))
    return known


def _patches(m: Microstructure, w: int) -> tuple[Array, NDArray[np.intp]]:
    """Take patches of more than one phase on a regular grid: (n, channels, w, ...) and their corners (n, ndim)."""
    corners = _corners(m, w)
    if not len(corners):
        return np.zeros((0, 1, *[w] * m.ndim), dtype=np.float32), corners
    field = _channels(m)
    patches = np.stack([field[(slice(None), *(slice(c, c + w) for c in corner))] for corner in corners])
    mixed = (np.ptp(patches.reshape(*patches.shape[:2], -1), axis=2) > 0).any(axis=1)
    if m.mask is not None:
        mixed &= _windows_known(m.mask, w)[tuple(corners.T)]
    return patches[mixed], corners[mixed]


def _corners(m: Microstructure, w: int) -> NDArray[np.intp]:
    """Corners of about 144 patches spread evenly over a field, shape (n, ndim)."""
    if min(m.shape) < w:
        return np.zeros((0, m.ndim), dtype=np.intp)
    per_axis = max(2, round(PATCHES ** (1 / m.ndim)))
    grid = [np.unique(np.linspace(0, side - w, per_axis).astype(np.intp)) for side in m.shape]
    return np.stack(np.meshgrid(*grid, indexing="ij"), axis=-1).reshape(-1, m.ndim)


def _margin(expected: float, disjoint: float) -> float:
    """How much more than expected may lie above by chance: two fields' shares differ by their own scatter too."""
    scatter = SCATTER * np.sqrt(2 * expected * (1 - expected) / max(disjoint, 1))
    return float(max(COPY_LIMIT, CHANCE / max(disjoint, 1), scatter))


def _share_above(matches: Array, threshold: float) -> float:
    return float((matches >= threshold).mean()) if matches.size else 0.0


def _disjoint(m: Microstructure, w: int) -> float:
    """Count the disjoint patches of more than one phase that a field holds."""
    return float(np.prod(np.array(m.shape) / w)) * len(_patches(m, w)[1]) / max(len(_corners(m, w)), 1)


def _block_between_halves(m: Microstructure) -> int:
    """Largest verbatim block that two halves of one field share."""
    blocks, m = [], m.unmasked()
    for axis, side in enumerate(m.shape):
        if side < 2:
            continue
        parts = [[slice(None)] * m.ndim for _ in range(2)]
        parts[0][axis], parts[1][axis] = slice(0, side // 2), slice(side // 2, None)
        blocks.append(largest_verbatim_block(m.crop(*parts[0]), [m.crop(*parts[1])]))
    return max(blocks, default=0)
