"""Batches: one command over many files, to one table."""
