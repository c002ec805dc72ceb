"""Voxels of a field that stay as they are, at one level."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from matlens.microstructure.reconstruction.anchors import FREE, Known
from matlens.microstructure.reconstruction.phases import PhaseCode

__all__ = ["Held", "held_at", "side_shifts"]


@dataclass(frozen=True)
class Held:
    """Voxels that are held, and their values.

    Attributes
    ----------
    places : Tensor of int, shape (N,)
        Flat indices of the voxels.
    values : Tensor, shape (K - 1, N)
        Values of the field there.

    Examples
    --------
    >>> held = Held(torch.tensor([1]), torch.tensor([[5.0]]))
    >>> held.put(torch.zeros(1, 1, 2, 2)).tolist(), held.without(torch.ones(1, 1, 2, 2)).tolist()
    ([[[[0.0, 5.0], [0.0, 0.0]]]], [[[[1.0, 0.0], [1.0, 1.0]]]])
    """

    places: Tensor
    values: Tensor

    def put(self, field: Tensor) -> Tensor:
        """Return a field whose held voxels have their values.

        Parameters
        ----------
        field : Tensor, shape (1, K - 1, *S)
            Field, which is not changed.

        Returns
        -------
        Tensor, shape (1, K - 1, *S)
            The field.
        """
        return self._set(field, self.values)

    def without(self, gradient: Tensor) -> Tensor:
        """Return a gradient that is zero at the held voxels.

        Parameters
        ----------
        gradient : Tensor, shape (1, K - 1, *S)
            Gradient, which is not changed.

        Returns
        -------
        Tensor, shape (1, K - 1, *S)
            The gradient.
        """
        return self._set(gradient, torch.zeros_like(self.values))

    def _set(self, field: Tensor, values: Tensor) -> Tensor:
        flat = field.detach().flatten(2).clone()
        flat[0, :, self.places] = values
        return flat.view(field.shape)


def held_at(known: Known, factor: int, code: PhaseCode, like: Tensor) -> Held:
    """Find the voxels that are held at a level.

    A block of a coarse level is held if a known plane fills at least half of its cross section, with the mean amounts
    of what is known in it. Coarse levels of the sections are averages in their plane, too.

    Parameters
    ----------
    known : ndarray of int16, shape (D, H, W)
        Labels of the known voxels at full size, `FREE` elsewhere.
    factor : int
        Factor of reduction of the level.
    code : PhaseCode
        Code between phases and field.
    like : Tensor
        Tensor with the type and device of fields.

    Returns
    -------
    Held
        The voxels with their values.

    Examples
    --------
    >>> import numpy as np
    >>> known = np.full((4, 4, 4), FREE, dtype=np.int16)
    >>> known[1] = np.repeat([[0, 0, 1, 1]], 4, axis=0)
    >>> held = held_at(known, 2, PhaseCode(2), torch.zeros(1))
    >>> held.places.tolist(), held.values.tolist()
    ([0, 1, 2, 3], [[-1.0, 1.0, -1.0, 1.0]])
    """
    labels = torch.from_numpy(known.astype("int64"))
    amounts = torch.stack([(labels == phase).to(torch.float32) for phase in range(code.n_phases)])[None]
    blocks = functional.avg_pool3d(amounts, factor) if factor > 1 else amounts
    share = blocks.sum(dim=1, keepdim=True)
    places = torch.nonzero(share.flatten() >= 0.5 / factor)[:, 0]
    values = code.field(blocks / share.clamp(min=1e-6)).flatten(2)[0][:, places]
    return Held(places.to(like.device), values.to(like))


def side_shifts(known: Known, axis: int, coarse: int, fine: int) -> NDArray[np.float64]:
    """Compute how far known planes lie from the middle of the blocks that held them at a coarser level.

    Without this shift, a field that is enlarged has the known plane up to half a block away from its place, so that it
    starts too like one neighbour and too unlike the other.

    Parameters
    ----------
    known : ndarray of int16, shape (D, H, W)
        Labels of the known voxels at full size, `FREE` elsewhere.
    axis : int
        Axis of the volume.
    coarse, fine : int
        Factors of reduction of the two levels.

    Returns
    -------
    ndarray, shape (side // fine,)
        Shift of each plane of the finer level, in its pixels; linear between known planes, of the periodic volume.

    Examples
    --------
    >>> known = np.full((8, 8, 8), FREE, dtype=np.int16)
    >>> known[3] = 0
    >>> side_shifts(known, 0, 2, 1).tolist(), side_shifts(known, 1, 2, 1).any()
    ([0.5, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5], np.False_)
    """
    side, factor = known.shape[axis], coarse // fine
    across = tuple(other for other in range(known.ndim) if other != axis)
    # A plane that is normal to another axis is known here in a line only.
    planes = np.flatnonzero((known != FREE).mean(axis=across) >= 0.5) // fine
    if not planes.size:
        return np.zeros(side // fine)
    apart = planes - (planes // factor * factor + (factor - 1) / 2)
    return np.interp(np.arange(side // fine), planes, apart, period=side // fine)
