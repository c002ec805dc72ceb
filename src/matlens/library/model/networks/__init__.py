"""Many small networks at once: layers, architecture and training."""
