"""``matlens library explain``."""
