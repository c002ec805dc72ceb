"""Lineal path and chords in blocks, exact: runs of equal labels are put together over the faces of blocks."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from matlens.microstructure.large import LargeMicrostructure
from matlens.microstructure.statistics.blocks.block import Block
from matlens.microstructure.statistics.blocks.pieces import Box, Piece, as_state, covered, joined, key_of
from matlens.microstructure.statistics.correlation.offsets import half_sides
from matlens.microstructure.statistics.lines.chord_length import chords_of_runs
from matlens.microstructure.statistics.lines.lineal_path import run_lengths, segments_known, segments_of_runs
from matlens.microstructure.statistics.statistic import Blockwise

__all__ = ["CHORD_LENGTH", "LINEAL_PATH", "count_runs"]

State = dict[str, Any]
Array = NDArray[np.float64]
Counts = NDArray[np.int64]

_AT_ONCE = 1 << 21  # pixels whose runs are found together
_SEEN, _CUT, _LONE = 0, 1, 2
"""Runs that end in another phase on both sides, on one side, and on none: rows of the histogram of each axis."""
_ENDS = ("first", "first_length", "last", "last_length")
"""Labels and lengths of the first and the last run of each line; the last length is 0 where both are one run."""


def count_runs(state: State | None, block: Block) -> State:
    """Count runs of equal labels along every axis by phase and length.

    Parameters
    ----------
    state : dict, optional
        ``runs_A`` for each axis A, shape (3, K, N + 1): runs that end in another phase on both sides, on one and on
        none, by length; and for each box that is covered, and each axis along which it can grow, the first and the last
        run of every line.
    block : Block
        The block.

    Returns
    -------
    dict
        The state with the block.
    """
    whole = block.whole
    found: State = {
        f"runs_{axis}": np.zeros((3, whole.n_phases, side + 1), np.int64) for axis, side in enumerate(whole.shape)
    }
    found["periodic"] = np.array(whole.periodic)
    labels, key = block.labels, key_of((block.start, block.stop))
    for axis in range(whole.ndim):
        ends = _line_ends(labels, axis, found[f"runs_{axis}"])
        if block.shape[axis] == whole.shape[axis]:
            _close(ends, found[f"runs_{axis}"], whole.periodic)
        else:
            found |= {f"{key}/{axis}_{name}": values for name, values in ends.items()}
    return found if state is None else merge_runs(state, found)


def merge_runs(first: State, second: State) -> State:
    """Merge the states of two sets of blocks.

    Parameters
    ----------
    first, second : dict
        States of `count_runs`.

    Returns
    -------
    dict
        The state of both.
    """
    runs = {name: first[name] + second[name] for name in first if name.startswith("runs_")}
    periodic = bool(first["periodic"])

    def join(low: Piece, high: Piece, axis: int, box: Box) -> Piece:
        made: Piece = {}
        for along in range(len(box[0])):
            if f"{along}_first" not in low:
                continue
            before, behind = ({name: part[f"{along}_{name}"] for name in _ENDS} for part in (low, high))
            if along != axis:
                beside = axis - (along < axis)
                ends = {name: np.concatenate([before[name], behind[name]], axis=beside) for name in _ENDS}
            else:
                ends = _met(before, behind, runs[f"runs_{along}"])
                if box[1][along] - box[0][along] == runs[f"runs_{along}"].shape[-1] - 1:
                    _close(ends, runs[f"runs_{along}"], periodic)
                    continue
            made |= {f"{along}_{name}": values for name, values in ends.items()}
        return made

    shape = tuple(runs[f"runs_{axis}"].shape[-1] - 1 for axis in range(len(runs)))
    faces = joined([*covered(first).items(), *covered(second).items()], ((0,) * len(shape), shape), join)
    return {**runs, "periodic": first["periodic"], **as_state(faces)}


def _line_ends(labels: NDArray[np.uint8], axis: int, runs: Counts) -> Piece:
    """Count the runs inside a block, and return the first and the last of each line."""
    lines = np.moveaxis(labels, axis, -1)
    extent = lines.shape[-1]
    ends = {name: np.empty(lines.shape[:-1], np.int32 if name.endswith("length") else np.uint8) for name in _ENDS}
    rows = max(1, _AT_ONCE // (lines[0].size))
    for start in range(0, len(lines), rows):
        part = np.ascontiguousarray(lines[start : start + rows])
        begins, lengths, cut = run_lengths(part.reshape(-1, extent))
        phase = part.ravel()[begins]
        is_first, is_last = begins % extent == 0, (begins + lengths) % extent == 0
        _add(runs[_SEEN], phase[~cut], lengths[~cut])
        place = slice(start, start + rows)
        for chosen, name in ((is_first, "first"), (is_last, "last")):
            ends[name][place] = phase[chosen].reshape(part.shape[:-1])
            ends[f"{name}_length"][place] = lengths[chosen].reshape(part.shape[:-1])
    ends["last_length"][ends["last_length"] == extent] = 0
    return ends


def _met(before: Piece, behind: Piece, runs: Counts) -> Piece:
    """Join lines end to end: a run that both sides of the face share becomes one, others end at the face."""
    lone, lone_behind = before["last_length"] == 0, behind["last_length"] == 0
    length = np.where(lone, before["first_length"], before["last_length"])
    same = before["last"] == behind["first"]
    merged = length + behind["first_length"]
    through = same & ~lone & ~lone_behind
    _add(runs[_SEEN], behind["first"][through], merged[through])
    for ended, part, name in ((~same & ~lone, before, "last"), (~same & ~lone_behind, behind, "first")):
        _add(runs[_SEEN], part[name][ended], part[f"{name}_length"][ended])
    return {
        "first": before["first"],
        "first_length": np.where(same & lone, merged, before["first_length"]).astype(np.int32),
        "last": behind["last"],
        "last_length": np.where(
            lone_behind,
            np.where(same & lone, 0, np.where(same, merged, behind["first_length"])),
            behind["last_length"],
        ).astype(np.int32),
    }


def _close(ends: Piece, runs: Counts, periodic: bool) -> None:
    """Count the outermost runs of lines that reach from border to border."""
    lone = ends["last_length"] == 0
    _add(runs[_LONE], ends["first"][lone], ends["first_length"][lone])
    first, last = ((ends[name][~lone], ends[f"{name}_length"][~lone]) for name in ("first", "last"))
    if not periodic:
        _add(runs[_CUT], *first)
        _add(runs[_CUT], *last)
        return
    wraps = first[0] == last[0]
    _add(runs[_SEEN], first[0][wraps], first[1][wraps] + last[1][wraps])
    for phase, length in (first, last):
        _add(runs[_SEEN], phase[~wraps], length[~wraps])


def _add(histogram: Counts, phase: NDArray[np.uint8], length: NDArray[Any]) -> None:
    code = phase.astype(np.intp) * histogram.shape[1] + length
    histogram += np.bincount(code, minlength=histogram.size).reshape(histogram.shape)


def _lineal_path(state: State, whole: LargeMicrostructure) -> Array:
    half = half_sides(whole.shape)
    curves = np.full((whole.n_phases, whole.ndim, max(half) + 1), np.nan)
    for axis, reach in enumerate(half):
        seen, cut, lone = state[f"runs_{axis}"]
        closed = lone[:, -1] if whole.periodic else np.zeros(whole.n_phases, np.int64)
        runs = seen if whole.periodic else seen + cut + lone
        segments = segments_of_runs(runs, closed)[:, : reach + 1]
        fits = segments_known(whole, axis, None)[: reach + 1]
        curves[:, axis, : reach + 1] = np.divide(segments, fits, out=np.full(segments.shape, np.nan), where=fits > 0)
    return curves


def _chords(state: State, whole: LargeMicrostructure) -> tuple[Array, Array]:
    half, pixels = half_sides(whole.shape), state["runs_0"].sum(axis=0) @ np.arange(whole.shape[0] + 1)
    shares = np.full((whole.n_phases, whole.ndim, max(half) + 1), np.nan)
    means = np.empty((whole.n_phases, whole.ndim))
    for axis, reach in enumerate(half):
        seen, cut, _ = state[f"runs_{axis}"]
        ends = 2 * seen.sum(axis=1) + cut.sum(axis=1)
        by_length, chords = chords_of_runs(seen, ends, segments_known(whole, axis, None), periodic=whole.periodic)
        with np.errstate(divide="ignore", invalid="ignore"):
            shares[:, axis, : reach + 1] = by_length[:, : reach + 1] / chords[:, None]
            means[:, axis] = np.where(chords > 0, pixels / pixels.sum() / chords, np.inf)
    return shares, means * np.asarray(whole.spacing)


LINEAL_PATH = Blockwise(update=count_runs, merge=merge_runs, compute=_lineal_path)
CHORD_LENGTH = Blockwise(update=count_runs, merge=merge_runs, compute=_chords)
