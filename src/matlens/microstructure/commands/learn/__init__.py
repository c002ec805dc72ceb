"""``matlens learn``."""
