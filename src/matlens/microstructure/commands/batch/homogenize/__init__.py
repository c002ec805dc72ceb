"""The command ``batch homogenize``."""
