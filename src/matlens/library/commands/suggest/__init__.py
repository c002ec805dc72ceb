"""``matlens library suggest``."""
