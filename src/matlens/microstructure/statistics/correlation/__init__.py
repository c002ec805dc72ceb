"""Correlation functions of phases, clusters and surfaces, and the lengths that follow from them."""
