"""Learning: models that predict the properties of microstructures."""
