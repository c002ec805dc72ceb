"""Images with masked pixels: which positions of a layer see known pixels only, and what stands behind a mask.

Indicators of a masked pixel are zero in every phase, those of any other sum to one, so an image tells its mask itself.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from matlens.microstructure.encoders.base import Layer

__all__ = ["centred", "filled_in", "known_pixels", "untouched"]


def known_pixels(image: Tensor) -> Tensor | None:
    """Tell which pixels are known.

    Parameters
    ----------
    image : Tensor, shape (1, K, H, W)
        Amounts of the phases, zero in all of them where a pixel is masked.

    Returns
    -------
    Tensor of bool, shape (H, W), or None
        None if all are.

    Examples
    --------
    >>> known_pixels(torch.tensor([[[[1.0, 0.0]], [[0.0, 0.0]]]]))
    tensor([[ True, False]])
    """
    known = image[0].sum(dim=0) > 0.5
    return None if bool(known.all()) else known


def filled_in(image: Tensor) -> Tensor:
    """Give masked pixels the amounts of the nearest known pixel.

    Parameters
    ----------
    image : Tensor, shape (1, K, H, W)
        Amounts of the phases, zero in all of them where a pixel is masked.

    Returns
    -------
    Tensor, shape (1, K, H, W)
        The image itself if no pixel is masked.

    Examples
    --------
    >>> filled_in(torch.tensor([[[[1.0, 0.0]], [[0.0, 0.0]]]]))[0, :, 0].tolist()
    [[1.0, 1.0], [0.0, 0.0]]
    """
    known = known_pixels(image)
    if known is None or not bool(known.any()):
        return image
    from scipy.ndimage import distance_transform_edt

    nearest = distance_transform_edt(~known.cpu().numpy(), return_distances=False, return_indices=True)
    rows, columns = (torch.from_numpy(places).to(image.device, torch.long) for places in nearest)
    return image[..., rows, columns]


def untouched(known: Tensor, layer: Layer) -> Tensor:
    """Tell which positions of a layer without padding see no masked pixel.

    Parameters
    ----------
    known : Tensor of bool, shape (H, W)
        Result of `known_pixels`.
    layer : Layer
        The layer; its receptive fields lie ``stride`` pixels apart, the first at the corner.

    Returns
    -------
    Tensor of bool, shape (h, w)
        Shape of the layer's activations with padding ``"valid"``; empty where it has none.

    Examples
    --------
    >>> known = torch.ones(4, 6, dtype=torch.bool); known[0, 0] = False
    >>> untouched(known, Layer("a", channels=1, stride=2, receptive_field=3)).tolist()
    [[False, True]]
    """
    if min(known.shape) < layer.receptive_field:
        return torch.zeros(0, 0, dtype=torch.bool, device=known.device)
    masked = (~known).float()[None, None]
    return functional.max_pool2d(masked, layer.receptive_field, layer.stride)[0, 0] == 0


def centred(known: Tensor, size: torch.Size) -> Tensor:
    """Tell which positions of padded activations lie over pixels of which at least half are known.

    Parameters
    ----------
    known : Tensor of bool, shape (H, W)
        Result of `known_pixels`.
    size : torch.Size
        Height and width of the activations.

    Returns
    -------
    Tensor of bool, shape ``size``
        The positions.

    Examples
    --------
    >>> centred(torch.tensor([[True, True], [True, False]]), torch.Size([2, 2])).tolist()
    [[True, True], [True, False]]
    """
    return functional.adaptive_avg_pool2d(known.float()[None, None], (size[0], size[1]))[0, 0] >= 0.5
