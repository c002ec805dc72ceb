"""``matlens segment``."""
