"""``matlens generate``."""
