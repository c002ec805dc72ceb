"""``matlens prune``."""
