"""Statistics taken block by block: a state is updated with each block, states are merged, and a result is computed."""
