"""``matlens rebuild``."""
