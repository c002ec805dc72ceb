"""``matlens explain``."""
