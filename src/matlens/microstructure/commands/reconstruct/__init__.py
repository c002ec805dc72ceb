"""``matlens reconstruct``."""
