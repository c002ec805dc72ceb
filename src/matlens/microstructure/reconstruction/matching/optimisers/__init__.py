"""Optimisers with explicit state."""
