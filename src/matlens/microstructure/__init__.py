"""Microstructures: from a micrograph to statistics, to new structures, and to their properties."""
