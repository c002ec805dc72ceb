"""``matlens predict``."""
