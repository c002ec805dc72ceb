"""``matlens library prepare``."""
