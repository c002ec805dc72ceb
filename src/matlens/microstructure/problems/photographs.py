"""A real granular material, from a photograph that is installed with scikit-image."""

from __future__ import annotations

import numpy as np

from matlens.microstructure.structure import Microstructure

__all__ = ["gravel"]


def gravel(smoothing: float = 2.0) -> Microstructure:
    """Segment the photograph of gravel that scikit-image includes, by Gaussian smoothing and Otsu's threshold.

    Parameters
    ----------
    smoothing : float
        Standard deviation of the Gaussian smoothing in pixels.

    Returns
    -------
    Microstructure
        512 x 512 pixels, phases ``gap`` (dark) and ``stone`` (bright), not periodic. No network is needed.

    Notes
    -----
    Photograph: van der Walt et al., PeerJ 2, e453 (2014). Threshold: Otsu, IEEE Trans. Syst. Man Cybern. 9, 62 (1979).

    Examples
    --------
    >>> gravel()
    Microstructure(512 x 512, 2 phases, 1 px)
    """
    from scipy.ndimage import gaussian_filter
    from skimage.data import gravel as photograph
    from skimage.filters import threshold_otsu

    grey = gaussian_filter(photograph().astype(np.float64), smoothing)
    return Microstructure((grey > threshold_otsu(grey)).astype(np.uint8), phase_names=("gap", "stone"))
