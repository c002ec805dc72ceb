"""One self-contained HTML file out of a run directory."""
