"""``matlens library demo``."""
