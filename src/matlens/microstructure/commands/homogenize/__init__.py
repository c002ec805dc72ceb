"""``matlens homogenize``."""
