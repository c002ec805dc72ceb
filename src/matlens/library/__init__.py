"""Combinatorial libraries: from compositions, spectra and figures of merit to gradients and suggestions."""
