"""``matlens library learn``."""
