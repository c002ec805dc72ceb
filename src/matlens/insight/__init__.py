"""Insight: what a trained model has learned, and whether for the right reason."""
