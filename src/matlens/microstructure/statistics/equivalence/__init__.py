"""Whether two structures are the same material: errors, window-to-window variability, verdicts and copy test."""
