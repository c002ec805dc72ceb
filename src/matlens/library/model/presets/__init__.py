"""Presets of the ensemble by name."""
