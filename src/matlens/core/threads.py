"""Parallel work on single threads, so that results do not depend on how many there are."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from contextlib import contextmanager
from typing import TypeVar

import torch
from joblib import Parallel, delayed, parallel_config

__all__ = ["in_processes", "one_thread", "side_by_side"]

Item = TypeVar("Item")
Found = TypeVar("Found")
_PROCESSES, _IDLE = 8, 10  # each takes a gigabyte; seconds after which one without work ends


@contextmanager
def one_thread() -> Iterator[None]:
    """Let torch compute on one thread inside a block; what the calling thread had before is set again at its end.

    Examples
    --------
    >>> with one_thread():
    ...     torch.get_num_threads()
    1
    """
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def side_by_side(
    work: Callable[[Item], Found], items: Sequence[Item], stop: threading.Event | None = None
) -> list[Found]:
    """Apply a function to each item on as many threads as torch may use.

    Each thread runs torch on a single core. Torch releases Python's global lock while it computes, and two threads
    that each work on their own item are faster than two that share every small operation.

    Parameters
    ----------
    work : callable
        Function of one item; torch records no gradients while it runs.
    items : sequence
        Arguments of the function.
    stop : threading.Event, optional
        Event that is set when the user interrupts or the function fails, so that other calls can end early.

    Returns
    -------
    list
        Results in the order of the items.

    Examples
    --------
    >>> side_by_side(lambda x: x * x, [1, 2, 3])
    [1, 4, 9]
    """
    stop = stop or threading.Event()
    before = torch.get_num_threads()

    def alone(item: Item) -> Found:
        with one_thread(), torch.no_grad():
            return work(item)

    pool = ThreadPoolExecutor(max(1, min(before, len(items))))
    try:
        torch.set_num_threads(1)  # MKL has one number for all threads, and the first to end would set it to all again
        futures = [pool.submit(alone, item) for item in items]
        for future in wait(futures, return_when=FIRST_EXCEPTION).done:
            future.result()  # raises what the piece of work raised, while others may be at work yet
        return [future.result() for future in futures]
    except BaseException:
        stop.set()
        raise
    finally:
        pool.shutdown(wait=True, cancel_futures=True)
        torch.set_num_threads(before)


def in_processes(work: Callable[[Item], Found], items: Sequence[Item]) -> list[Found]:
    """Apply a function to each item in as many processes as torch may use threads, at most eight, each on one thread.

    The results are those of `side_by_side`. Threads that train small networks wait for Python's global lock more than
    they compute, which processes do not; but these take seconds to start, and memory of their own.

    Parameters
    ----------
    work : callable
        Function of one item that can be pickled.
    items : sequence
        Arguments of the function, and so can they.

    Returns
    -------
    list
        Results in the order of the items.

    Examples
    --------
    >>> in_processes(abs, [-1, 2, -3])
    [1, 2, 3]
    """
    with parallel_config("loky", inner_max_num_threads=1, idle_worker_timeout=_IDLE):
        return list(Parallel(min(torch.get_num_threads(), _PROCESSES))(delayed(work)(item) for item in items))
