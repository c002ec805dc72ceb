"""Size, shape and topology: fractions, surfaces, Minkowski functionals, thickness and particle sizes."""
