"""Run directories: settings, provenance, progress, locks, state and tables."""
