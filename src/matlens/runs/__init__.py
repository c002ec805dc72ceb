"""Run directories: settings, provenance, progress, locks, stored state and tables."""
