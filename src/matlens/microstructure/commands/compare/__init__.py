"""``matlens compare``."""
