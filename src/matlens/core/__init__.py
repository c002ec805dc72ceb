"""What both sides of MatLens need and no user asks for: files, units, devices, splits, intervals, model files."""
