"""Work on several threads, each of which computes on its own: the result does not depend on how many there are."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from typing import TypeVar

import torch

__all__ = ["side_by_side"]

Item = TypeVar("Item")
Found = TypeVar("Found")


def side_by_side(
    work: Callable[[Item], Found], items: Sequence[Item], stop: threading.Event | None = None
) -> list[Found]:
    """Apply ``work`` to each item, on as many threads as torch may use.

    Torch releases Python's lock while it computes. Two threads that each work on their own chunk are quicker than
    two that share every small operation.

    Parameters
    ----------
    work : callable
        Called with an item, without gradients being recorded.
    items : sequence
        What to work on.
    stop : threading.Event, optional
        Set when the user interrupts or a piece of work fails, so that ``work`` may end early.

    Returns
    -------
    list
        What ``work`` returned, in the order of the items.

    Examples
    --------
    >>> side_by_side(lambda x: x * x, [1, 2, 3])
    [1, 4, 9]
    """
    stop = stop or threading.Event()
    before = torch.get_num_threads()

    def alone(item: Item) -> Found:
        torch.set_num_threads(1)
        with torch.no_grad():
            return work(item)

    pool = ThreadPoolExecutor(max(1, min(before, len(items))))
    try:
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
