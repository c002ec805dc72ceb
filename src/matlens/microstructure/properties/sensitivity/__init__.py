"""Which pixels a property model relies on, scored against solved flips."""
