"""Many small networks at once: architecture and training."""
