"""Optimisers as objects with explicit state."""
