"""Percolation, tortuosity and effective properties as statistics."""
