"""Number of threads, and device of torch.

Both are chosen once, before any number is computed, because they affect the last digits of results.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from matlens.errors import InputError, ResourceError

if TYPE_CHECKING:
    import torch  # loaded where it is needed: the command line asks for a device before it knows that there is work

__all__ = ["chosen_device", "set_threads"]

_ALGEBRA = ("OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "BLIS_NUM_THREADS", "VECLIB_MAXIMUM_THREADS")


def set_threads(threads: int | None) -> int:
    """Set the number of processor threads that torch uses, and give the linear algebra of numpy and scipy the same.

    Parameters
    ----------
    threads : int or None
        Number of threads; None takes the number that torch has chosen.

    Returns
    -------
    int
        Number of threads that torch uses now.

    Raises
    ------
    InputError
        If the number is below 1.

    Examples
    --------
    >>> set_threads(1)
    1
    """
    import torch

    if threads is not None:
        if threads < 1:
            raise InputError(f"found {threads} threads where one or more are expected; set --threads.")
        torch.set_num_threads(threads)
    found = int(torch.get_num_threads())
    _set_algebra(found)
    return found


def _set_algebra(threads: int) -> None:
    """Give libraries of linear algebra as many threads: left alone, each worker of a pool takes all cores for them.

    How they divide a sum changes its last digits, too.
    """
    from threadpoolctl import threadpool_limits

    threadpool_limits(threads, user_api="blas")
    for name in _ALGEBRA:  # of what is loaded later, such as scipy's own
        os.environ[name] = str(threads)


def chosen_device(device: str | torch.device) -> torch.device:
    """Turn the name of a device into a torch device.

    Parameters
    ----------
    device : {"auto", "cpu", "cuda"} or torch.device
        Name of the device; ``"auto"`` takes CUDA where it is available and the processor elsewhere. A torch.device is
        returned unchanged.

    Returns
    -------
    torch.device
        The device to compute on.

    Raises
    ------
    InputError
        If the name is unknown.
    ResourceError
        If CUDA is asked for and not available.

    Examples
    --------
    >>> chosen_device("cpu")
    device(type='cpu')
    """
    import torch

    if isinstance(device, torch.device):
        return device
    if device not in ("auto", "cpu", "cuda"):
        raise InputError(f"device {device!r} is not known; choose auto, cpu or cuda.")
    there = torch.cuda.is_available()
    if device == "cuda" and not there:
        raise ResourceError(
            "found no CUDA device where 'cuda' was asked for; choose device cpu, choose auto to take what there is, or "
            "install a CUDA build of torch."
        )
    if device == "cpu" or not there:
        return torch.device("cpu")
    # Some of cuDNN's algorithms add in another order each time, and the same seed promises the same bytes.
    torch.backends.cudnn.deterministic = True
    return torch.device("cuda")
