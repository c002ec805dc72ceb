"""Labelled structures: reading, generation, and the symmetries that give further labels."""
