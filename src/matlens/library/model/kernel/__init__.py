"""The Gaussian-process part of an ensemble, and its covariance."""
