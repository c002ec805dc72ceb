"""A device that computes on the processor and refuses what CUDA would refuse: tensors of two devices in one operation.

On a machine without a GPU nothing shows a tensor that was made on the wrong device. Tensors of the device ``simulated``
wrap one of the processor each. Numbers come out as on the processor, loops that wait for them run as they would, and
gradients pass; but an operation that mixes devices raises `RuntimeError`, a generator of the processor draws nothing
there, and no tensor there becomes a NumPy array. What CUDA itself computes, and whether it has a kernel for each type,
is not shown.

>>> device = simulated_device()
>>> there = torch.arange(3.0, device=device)
>>> (2 * there).sum().item(), there[torch.tensor([2])].cpu(), there[[0, 1]].tolist()
(6.0, tensor([2.]), [0.0, 1.0])
>>> there + torch.ones(3)
Traceback (most recent call last):
RuntimeError: aten.add.Tensor: expected all tensors to be on the same device, found simulated (3,), cpu (3,)
>>> there.numpy()
Traceback (most recent call last):
RuntimeError: .numpy() is not supported for tensor subclasses.
>>> torch.rand(3, generator=torch.Generator(), device=device)
Traceback (most recent call last):
RuntimeError: aten.uniform_.default: expected a generator of simulated, found one of the processor
"""

from __future__ import annotations

from functools import cache
from typing import Any

import torch
from torch import Tensor
from torch.utils import backend_registration
from torch.utils._pytree import tree_leaves, tree_map

__all__ = ["OnDevice", "simulated_device"]

NAME = "simulated"
aten = torch.ops.aten
# Moving is what these operations are for.
_MOVES = {aten.copy_.default, aten._to_copy.default}
# CUDA takes indices from the processor.
_INDEXED = {aten.index.Tensor, aten.index_put.default, aten.index_put_.default, aten._index_put_impl_.default}
# Operations that take no number in a tensor of the processor, unlike those that go pixel by pixel.
_JOINS = {aten.cat.default, aten.stack.default}
# Torch makes tensors with these by resizing an empty one, but what wraps a tensor keeps its size; and it copies what it
# reads from lists (`tensor[[0, 2]]`) where a fallback is not found.
_OWN = (
    aten.arange.default,
    aten.arange.start,
    aten.arange.start_step,
    aten.eye.default,
    aten.eye.m,
    aten.linspace.default,
    aten.copy_.default,
)
_KEPT: list[torch.library.Library] = []


class OnDevice(Tensor):
    """A tensor of the simulated device; ``there`` holds its numbers."""

    there: Tensor
    __torch_function__ = torch._C._disabled_torch_function_impl

    @staticmethod
    def __new__(cls, there: Tensor) -> OnDevice:
        made = Tensor._make_wrapper_subclass(
            cls,
            there.size(),
            strides=there.stride(),
            storage_offset=there.storage_offset(),
            dtype=there.dtype,
            layout=there.layout,
            device=torch.device(NAME, 0),
        )
        made.there = there
        return made

    def __init__(self, there: Tensor) -> None: ...

    def __repr__(self) -> str:
        return f"OnDevice({self.there!r})"

    def tolist(self) -> Any:
        """Copy to the processor, as CUDA does; torch has it for no subclass."""
        return self.there.tolist()

    @classmethod
    def __torch_dispatch__(cls, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        return _computed(func, args, kwargs or {})


@cache
def simulated_device() -> torch.device:
    """Make the device known to torch, in this process, and return it."""
    backend_registration._setup_privateuseone_for_python_backend(NAME)  # not public, and new
    # Operations that make tensors have none among their arguments that would lead them here.
    rest, own = torch.library.Library("_", "IMPL"), torch.library.Library("aten", "IMPL")
    rest.fallback(lambda func, *args, **kwargs: _computed(func, args, kwargs), "PrivateUse1")
    for func in _OWN:
        own.impl(func, lambda *args, func=func, **kwargs: _computed(func, args, kwargs), "PrivateUse1")
    _KEPT.extend((rest, own))
    return torch.device(NAME, 0)


def _computed(func: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Do an operation on the processor if CUDA would do it on its device."""
    asked = kwargs.get("device")
    leaves = tree_leaves((args, kwargs))
    there = any(isinstance(each, OnDevice) for each in leaves)
    if asked is not None:
        there = torch.device(asked).type == NAME
        kwargs = {**kwargs, "device": torch.device("cpu")} if there else kwargs
    elif there and func not in _MOVES:
        _check(func, args, kwargs)
    if there and any(isinstance(each, torch.Generator) for each in leaves):
        raise RuntimeError(f"{func}: expected a generator of {NAME}, found one of the processor")
    found = func(*tree_map(_numbers, args), **tree_map(_numbers, kwargs))
    if (changed := _changed(func, args, kwargs)) is not None:
        if changed.shape != _numbers(changed).shape:
            raise NotImplementedError(f"{func} resized a tensor of {NAME}, which its wrapper cannot follow")
        return changed  # the very tensor that was written to
    return tree_map(lambda each: OnDevice(each) if isinstance(each, Tensor) else each, found) if there else found


def _numbers(value: Any) -> Any:
    return value.there if isinstance(value, OnDevice) else value


def _check(func: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
    """Raise RuntimeError where tensors of both devices meet, and CUDA would not take them."""
    tensors = [each for each in tree_leaves((args, kwargs)) if isinstance(each, Tensor)]
    own = args[0] if args and isinstance(args[0], Tensor) else None
    given = tree_leaves(
        (args[:1], args[2:], kwargs) if func in _INDEXED and isinstance(own, OnDevice) else (args, kwargs)
    )
    others = [each for each in given if isinstance(each, Tensor) and not isinstance(each, OnDevice)]
    # A single number in a tensor of the processor may be read, but not written to.
    written = func._schema.arguments and func._schema.arguments[0].is_write and any(each is own for each in others)
    if written or any(each.ndim or func in _JOINS for each in others):
        met = ", ".join(f"{each.device.type} {tuple(each.shape)}" for each in tensors)
        raise RuntimeError(f"{func}: expected all tensors to be on the same device, found {met}")


def _changed(func: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """The argument that an operation writes to and returns."""
    returned = func._schema.returns
    if len(returned) != 1 or returned[0].alias_info is None or not returned[0].alias_info.is_write:
        return None
    for place, argument in enumerate(func._schema.arguments):
        if argument.alias_info is not None and argument.alias_info.is_write:
            return kwargs[argument.name] if argument.name in kwargs else args[place]
    return None
