"""What a straight line meets: lineal path and chord lengths."""
