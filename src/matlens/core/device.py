"""Number of threads and device of torch.

Both are chosen once, before any number is computed, because they affect the last digits of results.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from matlens.errors import InputError, ResourceError

if TYPE_CHECKING:
    import torch  # loaded where it is needed: the command line asks for a device before it knows that there is work

__all__ = ["chosen_device", "set_threads"]


def set_threads(threads: int | None) -> int:
    """Set the number of processor threads that torch uses.

    Parameters
    ----------
    threads : int or None
        Number of threads; None keeps the number that torch has chosen.

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
    return int(torch.get_num_threads())


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
