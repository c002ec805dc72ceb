"""Threads and device: chosen once, before any number is computed, because they decide the last digits."""

from __future__ import annotations

from typing import TYPE_CHECKING

from matlens.errors import InputError, ResourceError

if TYPE_CHECKING:
    import torch  # loaded where it is needed: the command line asks for a device before it knows that there is work

__all__ = ["chosen_device", "set_threads"]


def set_threads(threads: int | None) -> int:
    """Let torch use so many processor threads (None: as many as it takes by itself) and return their number.

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
    """Resolve the name of a device; ``"auto"`` is cuda where there is one.

    Parameters
    ----------
    device : {"auto", "cpu", "cuda"} or torch.device
        A torch.device has been chosen before, and stays as it is.

    Raises
    ------
    InputError
        If the name is unknown.
    ResourceError
        If cuda is asked for and not there.

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
    return torch.device("cuda" if device != "cpu" and there else "cpu")
