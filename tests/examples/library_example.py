"""A data set of gradients as docs/gradients_schema.md has it, made up, for the tests of figures and reports."""

import numpy as np
import xarray as xr

DIMS = ("scheme", "kind", "sample", "component")
GROUPS = {"W": 0, "Mo": 0}  # all other components act alike


def example_insight(components=("Bi", "V", "W", "Dy", "Gd", "Mo", "Tb"), samples=60, channels=80, seed=0):
    """Seven components like the photoanode's by default; the last one is never in a sample."""
    rng = np.random.default_rng(seed)
    composition = _compositions(rng, len(components), samples)
    modes = rng.normal(size=(2, samples))
    each = np.stack([modes[GROUPS.get(name, 1)] + 0.3 * rng.normal(size=samples) for name in components], 1)
    gradient = np.broadcast_to(0.2 * each, (3, 2, samples, len(components))).copy()
    host = np.full(len(components), components[0], dtype=object)
    gradient[1, :, :, 0] = np.nan  # exchange is not defined for the host itself
    support = rng.integers(1, 3, size=each.shape)
    support[:, -1] = 0
    merit = composition @ np.linspace(1, 3, len(components)) + 0.1 * rng.normal(size=samples)
    units = {"units": "mW/cm2 per at%"}
    data = xr.Dataset(
        {
            "composition": (DIMS[2:], composition, {"units": "1"}),
            "composition_gradient": (DIMS, gradient, units),
            "composition_gradient_spread": (DIMS, np.full(gradient.shape, 0.05), units),
            "composition_only_gradient": (("scheme", "sample", "component"), gradient[:, 1] + 0.02, units),
            "support": (DIMS[2:], support),
            "kind_support": ("kind", [1, 2]),
            "exchange_host": ("component", host.astype(str)),
            "merit": ("sample", merit, {"units": "mW/cm2"}),
            "predicted": ("sample", merit + 0.05 * rng.normal(size=samples), {"units": "mW/cm2"}),
            "predicted_spread": ("sample", np.full(samples, 0.05), {"units": "mW/cm2"}),
        },
        {
            "scheme": ["dilution", "exchange", "tangent"],
            "kind": ["partial", "total"],
            "sample": [f"{7 * row:04d}" for row in range(samples)],
            "component": list(components),
        },
        {
            "target": "P",
            "unit": "mW/cm2",
            "fraction_name": "at%",
            "members": 50,
            "uses_composition": 1,
            "uses_spectrum": int(channels > 0),
            "spread": "standard deviation over the models of the ensemble; its coverage was not measured",
            "identifiability": "composition explains 96 % of the variance of the spectra",
            "total_check": "total gradients agree with those of composition alone, r = 0.97",
        },
    )
    return data if not channels else data.merge(_spectra(rng, samples, channels), combine_attrs="override")


def _compositions(rng, count, samples):
    """Two hosts and one addition, as in the photoanode; for three components the whole triangle."""
    if count == 3:
        return rng.dirichlet([1, 1, 1], samples)
    composition = np.zeros((samples, count))
    added, share = rng.integers(2, count - 1, samples), rng.uniform(0.007, 0.0775, samples)
    composition[:, 0], composition[:, 1] = 0.52 * (1 - share), 0.48 * (1 - share)
    composition[np.arange(samples), added] = share
    return composition


def _spectra(rng, samples, channels):
    steps = np.linspace(1.373, 1.127, channels) * 1015 / channels
    axis = 78.025 + np.concatenate([[0], np.cumsum(steps)[:-1]])
    lines = ((126, 10, 0.4), (210, 14, 0.3), (325, 14, 0.5), (365, 14, 0.5), (640, 15, 0.2), (826, 18, 1.0))
    spectrum = sum(height / (1 + ((axis - place) / width) ** 2) for place, width, height in lines)
    profile = 3 / (1 + ((axis - 345) / 12) ** 2) - 1.2 / (1 + ((axis - 318) / 9) ** 2)
    gradient = profile + 0.3 * rng.normal(size=(samples, channels)) * (1 + rng.normal(size=(samples, 1)))
    support = np.full((samples, channels), 2)
    support[:, axis > 1000] = 0
    dims, units = ("sample", "axis"), {"units": "mW/cm2 per unit"}
    return xr.Dataset(
        {
            "spectrum": (dims, spectrum + 0.01 * rng.normal(size=gradient.shape), {"long_name": "intensity"}),
            "spectral_gradient": (dims, gradient, units),
            "spectral_gradient_spread": (dims, np.full(gradient.shape, 0.4), units),
            "spectral_support": (dims, support),
            "off_manifold_share": ("sample", np.full(samples, 0.4)),
            "pinned": ("axis", (np.abs(axis - 826) < 5).astype(int)),
        },
        {"axis": ("axis", axis, {"long_name": "Raman shift", "units": "cm-1"})},
    )
