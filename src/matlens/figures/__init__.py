"""The common style of all figures, and how figures are saved."""
