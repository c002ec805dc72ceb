"""The command ``batch characterize``."""
