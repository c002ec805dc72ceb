"""``matlens library predict``."""
