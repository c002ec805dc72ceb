"""The command ``batch reconstruct``."""
