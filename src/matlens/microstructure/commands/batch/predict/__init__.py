"""The command ``batch predict``."""
