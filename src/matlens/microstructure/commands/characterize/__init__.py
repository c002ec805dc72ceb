"""``matlens characterize``."""
