"""Physics: effective properties of microstructures by homogenisation."""
