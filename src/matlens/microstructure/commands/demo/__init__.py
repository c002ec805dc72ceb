"""``matlens demo``."""
