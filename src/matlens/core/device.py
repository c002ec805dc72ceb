"""Threads and device: chosen once, before any number is computed, because they decide the last digits."""

from __future__ import annotations

from matlens.errors import InputError, ResourceError

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


def chosen_device(device: str) -> str:
    """Resolve ``auto`` to cuda where there is one, and check the others.

    Raises
    ------
    InputError
        If the name is unknown.
    ResourceError
        If cuda is asked and not there.

    Examples
    --------
    >>> chosen_device("cpu")
    'cpu'
    """
    import torch

    if device not in ("auto", "cpu", "cuda"):
        raise InputError(f"unknown device {device!r}; choose auto, cpu or cuda.")
    there = torch.cuda.is_available()
    if device == "cuda" and not there:
        raise ResourceError("no CUDA device is at hand; choose --device cpu, or auto to take what there is.")
    return "cuda" if device != "cpu" and there else "cpu"
